"""Sound and pictures of the open clip: excerpts, frames, what the player plays, the evidence reel."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from streamlit.runtime import get_instance

from app.server import route
from app.session import judging
from app.session.session import Session, current
from app.session.work import Preview, Reel
from engine import Clip, Interval
from engine.media import excerpt_wav

IN_MEMORY_BYTES = 24_000_000  # played as it is without the server's own routes: it then passes through memory
WHOLE_PREVIEW_S = 150.0  # up to this length the whole clip gets a preview, beyond it a interval around the moment looked at
PREVIEW_S = 60.0


def start_reel() -> None:
    """Make the reel of what is shown now; one that is being made is stopped."""
    session = current()
    if session.perception is None or session.blind:
        return
    if session.reel is not None:
        session.reel.cancel()
    session.reel = Reel(judging.for_report(session, judging.finding(session)), session.reader, session.folder)


def samples(session: Session, interval: Interval) -> tuple[NDArray[np.float32], int]:
    """Mono sound of a short interval and its rate in Hz, from the file itself."""
    rate_hz = 48_000
    blocks = [x.samples for x in session.reader.audio(rate_hz, interval, session.settings.track)]
    return (np.concatenate(blocks) if blocks else np.zeros(rate_hz // 10, np.float32)), rate_hz


def excerpt(session: Session, interval: Interval) -> bytes:
    """The same interval as a WAV file."""
    return excerpt_wav(session.reader, interval, 48_000, session.settings.track)


def frame(session: Session, time_s: float) -> NDArray[np.uint8] | None:
    """The picture (height, width, 3) shown at a moment, small; None where there is none."""
    found = next(iter(session.reader.frames([time_s], max_side_px=720)), None)
    return None if found is None else found.rgb


@dataclass(frozen=True)
class Playable:
    """What the player is given: where it is served, and which interval of the clip it holds."""

    url: str
    start_s: float
    end_s: float
    has_picture: bool
    poster: str = ""  # where the one picture of a still is served


def playable(session: Session) -> Playable | None:
    """The clip itself where browsers can play it, else a preview; None while that is being made."""
    assert session.perception is not None and session.path is not None
    clip = session.perception.clip
    length_s = clip.duration_s or 0.0
    if session.blind:
        return _sound_only(session, length_s)
    if clip.has_one_picture and not session.poster:
        session.poster = _poster(session)
    if clip.is_still:
        return Playable("", 0.0, length_s, True, session.poster)
    mime = _direct_mime(clip, session.settings.track)
    has_picture = bool(clip.video_tracks)
    if mime and not session.direct_failed:
        return Playable(_sent(session, session.path, mime), 0.0, length_s, has_picture, session.poster)
    if session.preview is None:
        start_preview(session, session.moment_s)
    assert session.preview is not None
    if session.preview.path is None:
        return None
    interval = session.preview.interval
    return Playable(
        _sent(session, session.preview.path, "video/mp4"), interval.start_s, interval.end_s, has_picture, session.poster
    )


def _poster(session: Session) -> str:
    """Where the browser gets the one picture of a still."""
    seen = frame(session, 0.0)
    if seen is None:
        return ""
    out = io.BytesIO()
    Image.fromarray(seen).save(out, "JPEG", quality=90)
    return served(out.getvalue(), "image/jpeg", "still")


def _sent(session: Session, path: Path, mime: str) -> str:
    """Where the browser gets a file: from disk in ranges, or out of memory where only the pages were started."""
    if not route.installed():
        return served(str(path), mime, "clip")
    name = str(path)
    if name not in session.shared:
        session.shared[name] = route.share(path, mime)
    return session.shared[name]


def _sound_only(session: Session, length_s: float) -> Playable:
    """The sound around the moment looked at and nothing else: the browser is not sent what must not be seen."""
    start_s = 0.0 if length_s <= PREVIEW_S else min(max(0.0, session.moment_s - PREVIEW_S / 4), length_s - PREVIEW_S)
    interval = Interval(start_s, start_s + min(PREVIEW_S, max(length_s, 1.0)))
    url = served(excerpt_wav(session.reader, interval, 24_000, session.settings.track), "audio/wav", "sound")
    return Playable(url, interval.start_s, interval.end_s, False)


def start_preview(session: Session, moment_s: float) -> None:
    """Make a preview of the whole clip, or of the interval around a moment of a long one."""
    assert session.perception is not None
    length_s = session.perception.clip.duration_s or PREVIEW_S
    if length_s <= WHOLE_PREVIEW_S:
        interval = Interval(0.0, length_s)
    else:
        start_s = min(max(0.0, moment_s - PREVIEW_S / 4), length_s - PREVIEW_S)
        interval = Interval(start_s, start_s + PREVIEW_S)
    if session.preview is not None:
        session.preview.cancel()
    session.preview = Preview(session.reader, interval, session.folder, session.settings.track)


_MIMES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
}
_PICTURES = {"video/mp4": {"h264", "av1"}, "video/webm": {"vp8", "vp9", "av1"}}
_SOUNDS = {"video/mp4": {"aac", "mp3"}, "video/webm": {"opus", "vorbis"}}


def _direct_mime(clip: Clip, track: int | None) -> str:
    """The type under which a browser will play the file as it is, or ""."""
    names = clip.container.split(",")
    mime = next((m for name, m in _MIMES.items() if name in names), "")
    if not mime or len(clip.audio_tracks) > 1 or len(clip.video_tracks) > 1:
        return ""
    if clip.size_bytes > IN_MEMORY_BYTES and not route.installed():
        return ""
    if mime.startswith("audio/"):
        return "" if clip.video_tracks and not clip.beside else mime
    pictures, sounds = {s.codec for s in clip.video_tracks}, {s.codec for s in clip.audio_tracks}
    return mime if pictures <= _PICTURES[mime] and sounds <= _SOUNDS[mime] else ""


def served(data: bytes | str, mime: str, name: str) -> str:
    """Where this program serves some bytes, or a file of that path, to the browser of this session.

    Streamlit's own media endpoint is used: what `st.video` and `st.audio` use, without their widgets.
    """
    return get_instance().media_file_mgr.add(data, mime, f"earwitness-{name}")
