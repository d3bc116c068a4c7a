"""Decoding in a child process: the same answers, and whatever happens to the child is one sentence."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from engine.core.clip import Interval
from engine.core.errors import MediaError
from engine.core.paths import EXAMPLES
from engine.media import child, open_clip, reader
from engine.media.guard import GuardedReader
from engine.media.shots import cut

FILM = EXAMPLES / "golf_georgia.mp4"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Six seconds of noise and sound in two shots."""
    path = tmp_path / "film.mp4"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as out:
        video, audio = out.add_stream("mpeg4", 25), out.add_stream("aac", 48_000, layout="mono")
        video.width, video.height = 320, 180
        for i in range(150):
            base = 40 if i < 75 else 200
            rgb = np.clip(rng.normal(base, 8, (180, 320, 3)), 0, 255).astype(np.uint8)
            out.mux(video.encode(av.VideoFrame.from_ndarray(rgb, "rgb24")))
        for i in range(280):
            block = av.AudioFrame.from_ndarray(rng.normal(0, 0.1, (1, 1024)).astype(np.float32), "fltp", "mono")
            block.sample_rate, block.pts = 48_000, i * 1024
            out.mux(audio.encode(block))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))
    return path


def test_a_child_answers_as_this_process_would(film: Path) -> None:
    with reader.open_clip(film) as here, open_clip(film) as there:
        assert isinstance(there, GuardedReader)
        assert here.clip == there.clip
        for interval in (None, Interval(1.0, 3.5)):
            a, b = (np.concatenate([x.samples for x in r.audio(16_000, interval)]) for r in (here, there))
            np.testing.assert_array_equal(a, b)
        for times in (None, [0.0, 2.0, 99.0]):
            a, b = (list(r.frames(times, max_side_px=100)) for r in (here, there))
            assert [f.time_s for f in a] == [f.time_s for f in b]
            assert all(np.array_equal(x.rgb, y.rgb) for x, y in zip(a, b, strict=True))
        shots = cut(here), cut(there)
        times_of = [[(s.start_s, s.end_s, s.frame_times_s) for s in own] for own in shots]
        assert times_of[0] == times_of[1] != []
        assert here.skipped == there.skipped


def test_streams_side_by_side_have_a_child_each_and_children_are_used_again(film: Path) -> None:
    with open_clip(film) as clip:
        sound, picture = clip.audio(8_000, block_s=0.5), clip.frames(max_side_px=64)
        next(sound), next(picture)
        assert len(clip._pool._all) == 2
        assert sum(1 for _ in sound) > 3
        assert sum(1 for _ in picture) == 149
        kept = list(clip._pool._all)
        assert len(kept) == 1  # one stands ready, not as many as there once were
        list(clip.frames([1.0]))
        assert list(clip._pool._all) == kept
        clip.rest()
        assert not clip._pool._all and kept[0]._child.poll() is not None
        assert len(list(clip.frames([1.0]))) == 1
        children = [d._child for d in clip._pool._all]
    assert len(children) == 1 and all(c.poll() is not None for c in children)


def test_a_child_that_dies_is_one_sentence_and_the_next_stream_has_a_new_one(film: Path) -> None:
    with open_clip(film) as clip:
        frames = clip.frames(max_side_px=300)
        next(frames)
        (process,) = (d._child for d in clip._pool._all)
        os.kill(process.pid, signal.SIGSEGV)
        with pytest.raises(MediaError, match=r"crashed on film\.mp4 \(SIGSEGV\)"):
            list(frames)
        assert len(list(clip.frames([0.0, 1.0]))) == 2


def test_children_outlive_the_thread_that_asked_first(film: Path) -> None:
    with open_clip(film) as clip:
        thread = threading.Thread(target=lambda: list(clip.audio(8_000)))
        thread.start()
        thread.join()
        assert len(list(clip.frames([0.0, 1.0]))) == 2
        assert all(d.alive for d in clip._pool._all)


def test_a_child_that_died_between_two_streams_is_not_asked_again(film: Path) -> None:
    with open_clip(film) as clip:
        (process,) = (d._child for d in clip._pool._all)
        process.kill()
        process.wait()
        assert len(list(clip.frames([0.0, 1.0]))) == 2


def test_a_child_that_hangs_is_ended(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_clip(film) as clip:
        frames = clip.frames(max_side_px=300)
        next(frames)
        (process,) = (d._child for d in clip._pool._all)
        os.kill(process.pid, signal.SIGSTOP)
        monkeypatch.setattr(child, "SILENCE_S", 0.3)
        with pytest.raises(MediaError, match="stopped answering"):
            list(frames)


def test_a_child_cannot_have_more_memory_than_it_is_given(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_DECODER_MB", "300")
    with pytest.raises(MediaError), open_clip(film) as clip:
        list(clip.frames(max_side_px=4000))


def test_stopping_early_leaves_no_child_behind(film: Path) -> None:
    clip = open_clip(film)
    frames = clip.frames(max_side_px=300)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    clip.close()
    with pytest.raises(MediaError):
        list(clip.frames([0.0]))


ESCAPES = """
import os, sys
sys.path.insert(0, {root!r})
from engine.media import jail
how = jail.confine(2000)
import socket
said = [how]
try:
    socket.create_connection(("127.0.0.1", {port}), 2).close()
    said.append("connected")
except OSError as error:
    said.append("no network")
try:
    with open({file!r}, "wb") as file:
        file.write(b"x" * 10)
    said.append("wrote" if os.path.getsize({file!r}) else "empty")
except OSError:
    said.append("no file")
print("|".join(said))
"""


@pytest.mark.tries_the_network
def test_a_child_has_no_network_and_writes_no_file(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        threading.Thread(target=lambda: server.accept(), daemon=True).start()
        port, file = server.getsockname()[1], str(tmp_path / "escaped")
        code = ESCAPES.format(root=str(Path(child.ROOT)), port=port, file=file)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    how, network, written = (done.stdout.strip() or "||").split("|")
    assert written in ("no file", "") or not Path(file).stat().st_size
    if how == "network namespace of its own":
        assert network == "no network"
