"""The evidence reel: the moments a finding rests on as a film of its own, to be shown to others.

Each moment is played as it is in the clip, with the boxes of what was read, the spectrogram of what is heard, a map of where
sound and picture point, the verdict in the finding's own words and a caption, all burnt in. moviepy encodes it through the
ffmpeg that comes with imageio-ffmpeg; text is drawn here with the program's own font, so that neither ImageMagick nor a
system font is needed, and nothing from the file is ever read as markup.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine.core import scratch, sphere
from engine.core.clip import Frame, Interval, Reader
from engine.core.errors import InputError, MediaError, SettingError
from engine.core.finding import Finding, Located, apart_km
from engine.core.observation import Observation
from engine.core.perceived import HEARD_SCORE, gather
from engine.core.posterior import Place
from engine.core.progress import Progress, ProgressCallback, silent
from engine.media.draw import COLOURS, annotate, fitting, font, marks_of
from engine.report.figures.ground import land
from engine.report.figures.projection import equal_earth
from engine.report.figures.spectrogram import levels_db
from engine.report.formats.record import clip_name
from engine.report.view import words
from engine.report.view.verdict import headline

SIZE = (1280, 720)
FPS = 12
RATE_HZ = 32_000
BEFORE_S, AFTER_S, LONGEST_S = 1.0, 2.0, 6.0
MOST_MOMENTS, MOST_OF_A_SENSE, MOST_SCENES = 4, 2, 6
STAGE = "making the reel"
_PICTURE = (20, 104, 820, 450)  # left, top, width, height
_SOUND = (20, 566, 820, 92)
_MAP = (860, 104, 400, 206)
_INK, _SOFT, _PAPER = (28, 32, 36), (92, 100, 108), (250, 250, 248)
_EDGES = {"same": (33, 115, 128), "region": (33, 115, 128), "different": (179, 38, 30), "cannot_tell": (138, 143, 152)}
_OVERSAMPLED = 2


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One interval of the reel: which finding it speaks for, when, and what is perceived in it."""

    finding: Finding
    interval: Interval
    shown: tuple[Observation, ...] = field(repr=False)


def moments_of(finding: Finding) -> tuple[Moment, ...]:
    """The moments shown, in order of time: the clearest species and signs; of a film of several scenes those of each scene.

    Raises:
        SettingError: nothing was perceived that could be shown.
    """
    parts = [f for f in finding.film if any(x.spoke for x in f.located)][:MOST_SCENES] or [finding]
    most = MOST_OF_A_SENSE if len(parts) == 1 else 1
    out = [m for part in parts for m in _moments(part, most)]
    if not out:
        raise SettingError("There is no detection that a reel could show; choose another interval of the clip.")
    return tuple(out)


def _moments(finding: Finding, most_of_a_sense: int) -> list[Moment]:
    everything = [p for p in gather(finding) if not p.dropped]
    heard = [p.best for p in everything if p.best.kind == "species" and p.best.score >= HEARD_SCORE][:most_of_a_sense]
    read = [p.best for p in everything if p.best.box is not None and p.best.kind == "text"]
    read = sorted(read, key=lambda o: (not o.note or o.note.startswith("caption"), -o.score))[:most_of_a_sense]
    intervals: list[Interval] = []
    for o in sorted((*heard, *read), key=lambda o: o.start_s):
        start = max(finding.interval.start_s, o.start_s - BEFORE_S)
        end = min(finding.interval.end_s, max(o.end_s, o.start_s) + AFTER_S, start + LONGEST_S)
        if end - start < 0.2:
            continue
        if intervals and start < intervals[-1].end_s:
            intervals[-1] = Interval(intervals[-1].start_s, max(end, intervals[-1].end_s))
        else:
            intervals.append(Interval(start, end))
    seen = tuple(p.best for p in everything)
    return [Moment(finding, s, tuple(_inside(finding, seen, s))) for s in intervals[:MOST_MOMENTS]]


def _inside(finding: Finding, best: Sequence[Observation], interval: Interval) -> Iterator[Observation]:
    keys = {o.key for o in best}
    for o in (*finding.perception.observations, *finding.settings.added):
        if o.key in keys and interval.overlaps(o.start_s, max(o.end_s, o.start_s + 0.01)) and o.kind in ("species", "text"):
            yield o


def write_reel(finding: Finding, reader: Reader, out_path: str | os.PathLike[str], progress: ProgressCallback = silent) -> Path:
    """Write the reel as MP4 (H.264, AAC).

    The file appears under its name only when it is whole; when `progress` raises, nothing is left behind.

    Args:
        reader: of the finding's clip.

    Returns:
        The path written.

    Raises:
        SettingError: there is nothing to show.
        InputError: the file cannot be written, or is to be the clip itself.
        MediaError: neither sound nor pictures can be decoded.
    """
    moments = moments_of(finding)
    out = Path(os.path.realpath(out_path))
    if out.exists() and os.fspath(out) == os.path.realpath(finding.clip.path):
        raise InputError("The reel would overwrite the clip itself; choose another name.")
    if out.exists() and not out.is_file():  # a device would be replaced by a film
        raise InputError("The reel can be written to a file alone, and not into a folder or a device; choose another name.")
    try:
        with scratch.scratch_folder(out.parent) as folder:
            made = Path(folder) / "reel.mp4"
            _encode(moments, reader, made, Path(folder), progress)
            made.replace(out)
    except OSError as error:
        why = error.strerror or str(error)[:200]
        raise InputError(f"The reel cannot be written to {out.parent} ({why}); choose another place.") from None
    return out


def _encode(moments: Sequence[Moment], reader: Reader, made: Path, folder: Path, progress: ProgressCallback) -> None:
    from moviepy import VideoClip, concatenate_videoclips
    from moviepy.audio.AudioClip import AudioArrayClip

    total_s = sum(m.interval.length_s for m in moments)
    with contextlib.ExitStack() as stack:
        clips = []
        for moment in moments:
            page = stack.enter_context(contextlib.closing(_Page(moment, reader)))
            clip = VideoClip(page.frame, duration=moment.interval.length_s)
            stereo = np.repeat(page.samples[:, None], 2, axis=1).astype(np.float64)
            clips.append(clip.with_audio(AudioArrayClip(stereo, fps=RATE_HZ)))
        concatenate_videoclips(clips).write_videofile(
            str(made),
            fps=FPS,
            codec="libx264",
            preset="veryfast",
            audio_fps=RATE_HZ,
            audio_codec="aac",
            temp_audiofile=str(folder / "sound.m4a"),
            ffmpeg_params=["-crf", "22", "-pix_fmt", "yuv420p", "-movflags", "+faststart"],
            threads=2,
            logger=_logger(total_s, progress),
        )
    if not made.is_file():
        raise MediaError("The reel could not be encoded; check whether the disk is full.")


def _logger(total_s: float, progress: ProgressCallback) -> Any:
    """A logger that says nothing and passes the frames written on to `progress`."""
    import proglog

    class Quiet(proglog.ProgressBarLogger):
        def callback(self, **_: object) -> None:
            return

        def bars_callback(self, bar: str, attr: str, value: float, old_value: float | None = None) -> None:
            if attr == "index" and bar == "frame_index":
                progress(Progress(STAGE, min(total_s, value / FPS), total_s, "s"))
            elif attr == "index":
                progress(Progress(STAGE, 0.0, total_s, "s"))

    return Quiet()


class _Page:
    """Draws one moment: all that does not move once, then the picture, the line over the spectrogram and the captions."""

    def __init__(self, moment: Moment, reader: Reader) -> None:
        self._moment, self._reader = moment, reader
        self.samples = _samples(moment, reader)
        self._ground = _background(moment, self.samples)
        self._frames: Iterator[Frame] = iter(())
        self._held: Frame | None = None
        self._next: Frame | None = None
        self._last_s = np.inf  # before anything was asked for, as if the end had been

    def frame(self, t: float) -> NDArray[np.uint8]:
        """The page (720, 1280, 3) at t seconds from the moment's start."""
        at_s = self._moment.interval.start_s + float(t)
        image = self._ground.copy()
        picture = self._picture(at_s)
        left, top, width, height = _PICTURE
        if picture is not None:
            near = tuple(o for o in self._moment.shown if o.box is not None and o.start_s - 1.0 <= at_s <= o.end_s + 1.0)
            fitted = Image.fromarray(annotate(picture, marks_of(near, self._moment.finding.settings.dropped)))
            fitted.thumbnail((width, height))
            image.paste(fitted, (left + (width - fitted.width) // 2, top + (height - fitted.height) // 2))
        pen = ImageDraw.Draw(image)
        self._caption(pen, at_s)
        if len(self.samples):
            x0, y0, wide, high = _SOUND
            x = x0 + wide * min(1.0, float(t) / self._moment.interval.length_s)
            pen.line((x, y0, x, y0 + high), fill=(179, 38, 30), width=2)
        return np.asarray(image)

    def close(self) -> None:
        """Let go of the decoder."""
        closing = getattr(self._frames, "close", None)
        if closing is not None:
            closing()

    def _picture(self, at_s: float) -> NDArray[np.uint8] | None:
        if not self._moment.finding.clip.video_tracks:
            return None
        if at_s < self._last_s - 1e-6:  # moviepy asks for the first picture more than once
            self._frames = self._open()
            self._held, self._next = None, next(self._frames, None)
        self._last_s = at_s
        while self._next is not None and (self._held is None or self._next.time_s <= at_s + 0.5 / FPS):
            self._held, self._next = self._next, next(self._frames, None)
        return None if self._held is None else self._held.rgb

    def _open(self) -> Iterator[Frame]:
        interval = self._moment.interval
        # Half a second more at the front: the first picture asked for may be one that began before.
        wide = Interval(max(0.0, interval.start_s - 0.5), interval.end_s + 0.1)
        try:
            yield from self._reader.frames(interval=wide, max_side_px=max(_PICTURE[2:]))
        except MediaError:
            return

    def _caption(self, pen: ImageDraw.ImageDraw, at_s: float) -> None:
        """What is heard and read now, in the colours of its modality."""
        left, top, width = _MAP[0], 438, _MAP[2]
        now = [o for o in self._moment.shown if o.start_s - 0.5 <= at_s <= max(o.end_s, o.start_s + 1.0)]
        for modality, kind, verb in (("sound", "species", "Heard"), ("picture", "text", "Read")):
            best: dict[str, Observation] = {}
            # A sign that means something to the program comes before one that means nothing to it.
            own = [o for o in now if o.kind == kind and o.score >= HEARD_SCORE]
            for o in sorted(own, key=lambda o: (kind == "text" and not o.note, -o.score)):
                best.setdefault(o.key, o)
            for o in list(best.values())[:2]:
                pen.rectangle((left, top + 3, left + 5, top + 47), fill=COLOURS[modality])
                name = o.name or o.label
                latin = f" ({o.label})" if o.name and o.name != o.label else ""
                pen.text((left + 14, top), fitting(pen, f"{verb}: {name}", 20, width - 16), fill=_INK, font=font(20))
                below = f"{latin.strip()} score {o.score:.2f}" if kind == "species" else (o.note or f"score {o.score:.2f}")
                pen.text((left + 14, top + 26), fitting(pen, below.strip(), 15, width - 16), fill=_SOFT, font=font(15))
                top += 56


def _samples(moment: Moment, reader: Reader) -> NDArray[np.float32]:
    """Mono sound of the moment, exactly as long as it is; silence where there is none."""
    count = max(1, round(moment.interval.length_s * RATE_HZ))
    out = np.zeros(count, np.float32)
    if not any(s.decodable for s in reader.clip.audio_tracks):
        return out
    try:
        for block in reader.audio(RATE_HZ, moment.interval, moment.finding.settings.track):
            at = max(0, round((block.start_s - moment.interval.start_s) * RATE_HZ))
            part = block.samples[: max(0, count - at)]
            out[at : at + len(part)] = part
    except MediaError:
        return out
    return np.clip(out, -1.0, 1.0)


def _background(moment: Moment, samples: NDArray[np.float32]) -> Image.Image:
    """The page without what moves."""
    finding = moment.finding
    image = Image.new("RGB", SIZE, _PAPER)
    pen = ImageDraw.Draw(image)
    first = headline(finding)
    edge = _EDGES[first.verdict] if first else _EDGES["cannot_tell"]
    title = first.title if first else "Locations of sound and picture"
    pen.rectangle((0, 0, 8, 92), fill=edge)
    pen.text((20, 14), fitting(pen, title, 30, SIZE[0] - 40), fill=_INK, font=font(30))
    strength = ". ".join(first.sentence.split(". ")[:2]).rstrip(".") + "." if first else ""
    pen.text((20, 58), fitting(pen, strength, 17, SIZE[0] - 40), fill=_SOFT, font=font(17))
    left, top, width, height = _PICTURE
    pen.rectangle((left, top, left + width, top + height), fill=(16, 18, 20))
    if not finding.clip.video_tracks:
        pen.text((left + 24, top + 24), "The clip has no pictures.", fill=(200, 204, 208), font=font(20))
    _paste_sonagram(image, samples)
    image.paste(_map(finding), _MAP[:2])
    _places(pen, finding)
    name = fitting(pen, clip_name(finding.clip), 15, 420)
    scene = f" · scene {finding.scene} of {finding.scenes}" if finding.scenes > 1 and finding.scene else ""
    when = words.span(round(moment.interval.start_s, 1), round(moment.interval.end_s, 1))
    foot = f"{name} · {when}{scene} · sha256 {finding.clip.sha256[:8]}…{finding.clip.sha256[-4:]}"
    pen.text((20, 676), fitting(pen, foot, 15, 820), fill=_SOFT, font=font(15))
    made = f"Earwitness {finding.provenance.version} · {finding.provenance.created[:10]}"
    pen.text((_MAP[0], 676), fitting(pen, made, 15, _MAP[2]), fill=_SOFT, font=font(15))
    return image


def _paste_sonagram(image: Image.Image, samples: NDArray[np.float32]) -> None:
    left, top, width, height = _SOUND
    if len(samples) < 2048 or not np.abs(samples).max() > 0:
        ImageDraw.Draw(image).text((left + 8, top + 8), "no sound", fill=_SOFT, font=font(15))
        return
    level = levels_db(samples)[: int(12_000 / (RATE_HZ / 2) * 512)]
    grey = np.clip((level.max() - level) / 70.0, 0.0, 1.0)
    drawn = Image.fromarray((grey * 255).astype(np.uint8)[::-1]).resize((width, height), Image.Resampling.BOX)
    image.paste(drawn.convert("RGB"), (left, top))
    ImageDraw.Draw(image).text((left + 6, top + 4), "12 kHz", fill=(120, 40, 30), font=font(12))


def _places(pen: ImageDraw.ImageDraw, finding: Finding) -> None:
    """Where each modality points, and how far apart, below the map."""
    left, top = _MAP[0], _MAP[1] + _MAP[3] + 12
    for name in ("sound", "picture"):
        x = finding.by(name)
        if x is None:
            continue
        said = x.where or "cannot tell"
        pen.rectangle((left, top + 4, left + 12, top + 16), fill=COLOURS[name])
        pen.text((left + 20, top), fitting(pen, f"{words.modality(name)}: {said}", 19, _MAP[2] - 20), fill=_INK, font=font(19))
        top += 30
    km = apart_km(finding.by("sound"), finding.by("picture"))
    if km is not None:
        pen.text((left + 20, top), f"{words.km(km)} between the two places", fill=_INK, font=font(19))


def _map(finding: Finding) -> Image.Image:
    """The world with the 90% regions and places of sound and picture, and the way between them."""
    size = (_MAP[2] * _OVERSAMPLED, _MAP[3] * _OVERSAMPLED)
    image = _world(size).copy()
    pen = ImageDraw.Draw(image, "RGBA")
    spoke = [x for name in ("sound", "picture") if (x := finding.by(name)) is not None and x.spoke]
    for x in spoke:
        _region(pen, x, size)
    places = [(x, x.place) for x in spoke if x.place is not None]
    if len(places) == 2:
        _way(pen, places[0][1], places[1][1], size)
    for x, place in places:
        px, py = _at(np.array([place.lat_deg]), np.array([place.lon_deg]), size)
        box = (px[0] - 9, py[0] - 9, px[0] + 9, py[0] + 9)
        draw = pen.ellipse if x.modality == "sound" else pen.rectangle
        draw(box, fill=COLOURS[x.modality], outline=(255, 255, 255), width=3)
    return image.resize(_MAP[2:], Image.Resampling.LANCZOS)


@lru_cache(maxsize=2)
def _world(size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, (255, 255, 255))
    pen = ImageDraw.Draw(image)
    for polygon in land("coarse"):
        for part in getattr(polygon, "geoms", [polygon]):
            if part.geom_type != "Polygon":
                continue
            points = np.asarray(part.exterior.coords)
            x, y = _at(points[:, 1], points[:, 0], size)
            pen.polygon(list(zip(x.tolist(), y.tolist(), strict=True)), fill=(228, 227, 221), outline=(178, 176, 168))
    pen.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=(200, 202, 204), width=2)
    return image


def _at(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], size: tuple[int, int]) -> tuple[Any, Any]:
    """Degrees to points of the map."""
    x, y = equal_earth(lat_deg, lon_deg)
    half_wide, half_high = float(equal_earth(0.0, 180.0)[0]), float(equal_earth(90.0, 0.0)[1])
    scale = 0.97 * min(size[0] / (2 * half_wide), size[1] / (2 * half_high))
    return size[0] / 2 + x * scale, size[1] / 2 - y * scale


def _region(pen: ImageDraw.ImageDraw, x: Located, size: tuple[int, int]) -> None:
    grid, inside = x.posterior.grid, np.flatnonzero(x.posterior.region(0.9))
    lat, lon = grid.lat_lon_deg
    px, py = _at(lat[inside], lon[inside], size)
    radius = np.maximum(2.0, np.sqrt(grid.area_km2[inside]) / 2 * size[0] / 35_000.0)
    for a, b, r in zip(px.tolist(), py.tolist(), radius.tolist(), strict=True):
        pen.ellipse((a - r, b - r, a + r, b + r), fill=(*COLOURS[x.modality], 110))


def _way(pen: ImageDraw.ImageDraw, a: Place, b: Place, size: tuple[int, int]) -> None:
    """The great circle between two places, broken where it leaves the map's edge."""
    lat, lon = sphere.great_circle(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)
    px, py = _at(np.asarray(lat), np.asarray(lon), size)
    for i in range(len(px) - 1):
        if abs(px[i + 1] - px[i]) < size[0] / 3:
            pen.line((px[i], py[i], px[i + 1], py[i + 1]), fill=(60, 60, 64, 200), width=4)
