"""How a decoding child ends is said as far as it is proved, with real children; and nothing of a reader is left behind."""

from __future__ import annotations

import gc
import os
import platform
import resource
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import DecoderError, DecoderFault, MediaError
from engine.core.paths import ROOT
from engine.media import child, ending, open_clip
from engine.media.decoder import of_memory
from engine.media.wire import EXIT_FAULT, EXIT_MEMORY


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "sound.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(np.random.default_rng(0).normal(0, 2000, 16_000).astype("<i2").tobytes())
    return path


def failing(sound: Path, folder: Path, fault: str) -> Path:
    return Path(shutil.copy(sound, folder / f"clip.{fault}.wav"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the child looks for its pipes in /proc")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("wrong", r"inside Earwitness .* \(IndexError\), not in the file"),
        ("hungry", r"wanted more memory than the 6,000 MB it may have"),
        ("segv", r"crashed on .* \(SIGSEGV\); the file may be damaged"),
        ("killed", r"ended from outside \(SIGKILL\), as the system does when memory runs out"),
        ("ended", r"ended from outside \(SIGTERM\); try it again"),
        ("leaves", r"ended by itself before it had answered \(exit 3\), which says nothing about the file"),
        ("closes", r"closed its answers and was ended"),
        ("silent", r"stopped answering .* may be damaged"),
    ],
)
def test_each_end_has_its_own_sentence(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, words: str
) -> None:
    monkeypatch.setattr(child, "MODULE", "tests.media.broken_child")
    monkeypatch.setattr(child, "_ENDING_S", 0.5 if fault == "closes" else 10.0)
    with open_clip(failing(sound, tmp_path, fault)) as clip:
        if fault == "silent":
            monkeypatch.setattr(child, "SILENCE_S", 0.3)
        with pytest.raises(DecoderError, match=words) as caught:
            list(clip.audio(16_000))
        assert "harm" not in str(caught.value) and str(caught.value).isprintable()
        assert isinstance(caught.value, DecoderFault) == (fault == "wrong")
        assert not clip._pool._all, "a child that failed is asked no more"


@pytest.mark.skipif(platform.machine() != "x86_64" or sys.platform != "linux", reason="needs 32-bit calls of x86-64")
def test_what_the_fence_ends_is_said_to_be_ended_by_it(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "MODULE", "tests.media.broken_child")
    with open_clip(failing(sound, tmp_path, "outlaw")) as clip:
        if "filter" not in clip.network:
            pytest.skip("no filter of system calls here")
        with pytest.raises(DecoderError, match=r"ended by its fence \(SIGSYS\)"):
            list(clip.audio(16_000))


def test_a_fault_while_starting_is_ours_and_its_trace_is_there_for_debug(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from engine import cli

    monkeypatch.setattr(child, "MODULE", "tests.media.broken_child")
    path = failing(sound, tmp_path, "early")
    with pytest.raises(DecoderFault) as caught:
        open_clip(path)
    assert caught.value.kind == "IndexError" and caught.value.exit_code == 1
    assert cli.main(["locate", str(path), "--debug"]) == 1
    said = capfd.readouterr().err
    assert "broken_child.py" in said and "not in the file" in said and "\x1b" not in said


def test_what_proves_that_memory_ran_out() -> None:
    chained = RuntimeError("decoding failed")
    chained.__context__ = MemoryError()
    assert of_memory(chained) and of_memory(OSError(12, "Cannot allocate memory"))
    assert of_memory(ImportError("libx.so: failed to map segment from shared object"))
    assert not of_memory(IndexError("7")) and not of_memory(None)
    assert isinstance(ending.proved("x", EXIT_FAULT, 1), DecoderFault) and "1 MB" in str(ending.proved("x", EXIT_MEMORY, 1))
    assert "outside (signal 62)" in str(ending.proved("x", -62, 1))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def children() -> int:
    return sum(len(p.read_text().split()) for p in Path("/proc/self/task").glob("*/children"))


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """More than 1,024 descriptors open, as in a long session."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("counts descriptors in /proc")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("this system allows no more than 2,048 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        yield
    finally:
        for fd in opened:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors_beyond_1024_are_no_matter(sound: Path, many_descriptors: None) -> None:
    with open_clip(sound) as clip:
        assert clip._source.descriptor() > 1024
        assert sum(len(b.samples) for b in clip.audio(16_000)) == 16_000


def test_readers_that_nobody_closes_leave_nothing(sound: Path) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("counts descriptors in /proc")
    for count in range(22):
        clip = open_clip(sound)
        next(clip.audio(16_000))  # the stream is left in the middle
        del clip
        if count == 1:
            gc.collect()
            before = descriptors(), children()
    gc.collect()
    assert (descriptors(), children()) == before


def test_readers_that_are_kept_end_with_the_program(sound: Path) -> None:
    code = (
        "import sys\nfrom engine.media import open_clip\n"
        "kept = [open_clip(sys.argv[1]) for _ in range(2)]\n"
        "print(*(d._child.pid for clip in kept for d in clip._pool._all), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(sound)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    pids = done.stdout.split()
    assert len(pids) == 2 and not done.stderr
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="a child is bound to its parent's life by Linux")
def test_a_child_at_work_ends_with_a_parent_that_is_killed(sound: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\nfrom engine.media import child, open_clip\nchild.MODULE = 'tests.media.broken_child'\n"
        "clip = open_clip(sys.argv[1])\n(decoder,) = clip._pool._all\n"
        "import threading\nthreading.Thread(target=lambda: list(clip.audio(16_000)), daemon=True).start()\n"
        "print(decoder._child.pid, flush=True)\nsys.stdin.read(1)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = [sys.executable, "-c", code, str(failing(sound, tmp_path, "silent"))]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as parent:
        assert parent.stdout and parent.stdin
        pid = int(parent.stdout.readline())
        stop = os.pidfd_open(pid)
        parent.stdin.write("x")
        parent.stdin.close()
        parent.wait()
    import select

    poll = select.poll()
    poll.register(stop, select.POLLIN)  # a process that has ended can be read
    assert poll.poll(10_000), "a child outlived its parent"
    os.close(stop)


def test_a_closed_reader_says_so(sound: Path) -> None:
    clip = open_clip(sound)
    clip.close()
    clip.close()
    with pytest.raises(MediaError, match="closed"):
        list(clip.audio(16_000))
