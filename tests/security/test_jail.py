"""The decoding child: what it cannot do, and that its parent believes none of what it says unseen."""

from __future__ import annotations

import json
import os
import platform
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.core.clip import Interval
from engine.core.errors import MediaError
from engine.core.paths import EXAMPLES, ROOT
from engine.media import child, jail, open_clip
from engine.media.decoder import HEADER

FILM = EXAMPLES / "golf_georgia.mp4"
ALLOW, KILL, REFUSED, ABSENT = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026


# --- the filter of system calls ------------------------------------------------------------------------------------------------


def decide(program: bytes, architecture: int, call: int, *arguments: int) -> int:
    """What the kernel would decide: a classic BPF machine for the five instructions there are."""
    data = struct.pack("<IIQ6Q", call, architecture, 0, *(*arguments, *(0,) * (6 - len(arguments))))
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    at = held = 0
    while True:
        code, yes, no, k = steps[at]
        at += 1
        if code == 0x06:
            return k
        if code == 0x20:
            (held,) = struct.unpack_from("<I", data, k)
        else:
            at += yes if {0x15: held == k, 0x35: held >= k, 0x45: bool(held & k)}[code] else no


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_what_the_filter_lets_through(machine: str) -> None:
    architecture, column = jail._MACHINES[machine]
    program = jail.filter_program(machine, 4321)

    def ask(name: str, *arguments: int) -> int:
        number = {**jail._REFUSED, **jail._ABSENT, **jail._BY_ARGUMENT}[name][column]
        assert number is not None
        return decide(program, architecture, number, *arguments)

    for name, numbers in jail._REFUSED.items():
        assert numbers[column] is None or ask(name) == REFUSED, name
    assert ask("clone3") == ask("openat2") == ABSENT
    assert ask("openat", 0, 0, os.O_RDONLY) == ALLOW
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_CREAT, os.O_RDONLY | os.O_TRUNC):
        assert ask("openat", 0, 0, flags) == REFUSED
    assert ask("clone", 0x3D0F00) == ALLOW and ask("clone", 0x11) == REFUSED  # a thread; a process
    assert ask("tgkill", 4321, 4321, 6) == ALLOW and ask("tgkill", 1, 1, 9) == REFUSED
    assert ask("prlimit64", 0, 9, 0, 1) == ALLOW and ask("prlimit64", 0, 9, 1 << 40, 0) == REFUSED
    assert ask("prlimit64", 0, 9, 8, 0) == REFUSED
    read = {"x86_64": 0, "aarch64": 63}[machine]
    assert decide(program, architecture, read) == ALLOW
    assert decide(program, 0x40000003, read) == KILL  # 32-bit calls have other numbers
    if machine == "x86_64":
        assert decide(program, architecture, 0x40000000 | 41) == REFUSED


@pytest.mark.parametrize(
    ("header", "column"), [("x86_64-linux-gnu/asm/unistd_64.h", 0), ("asm-generic/unistd.h", 1)], ids=["x86_64", "aarch64"]
)
def test_numbers_are_those_of_the_kernels_headers(header: str, column: int) -> None:
    path = Path("/usr/include") / header
    if not path.is_file():
        pytest.skip(f"needs {path}; install it with: apt-get install linux-libc-dev")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text())
    theirs = {name: int(number) for name, number in found}
    ours = {k: v[column] for table in (jail._REFUSED, jail._ABSENT, jail._BY_ARGUMENT) for k, v in table.items()}
    for name, number in ours.items():
        assert name not in theirs or number == theirs[name], name
    assert len(ours.keys() & theirs.keys()) > 50


TRIES = """
import os, resource, signal, socket, subprocess, sys, threading
from engine.media import jail
how = jail.confine(2000)
folder, port = sys.argv[1], int(sys.argv[2])
def tries():
    yield "connect", lambda: socket.create_connection(("127.0.0.1", port), 2)
    yield "udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    yield "unix", lambda: socket.socket(socket.AF_UNIX)
    yield "write", lambda: open(folder + "/new", "w")
    yield "append", lambda: open(folder + "/there", "a")
    yield "truncate", lambda: os.truncate(folder + "/there", 0)
    yield "unlink", lambda: os.unlink(folder + "/there")
    yield "rename", lambda: os.rename(folder + "/there", folder + "/gone")
    yield "mkdir", lambda: os.mkdir(folder + "/new")
    yield "symlink", lambda: os.symlink("/etc", folder + "/new")
    yield "chmod", lambda: os.chmod(folder + "/there", 0)
    yield "fork", os.fork
    yield "run", lambda: subprocess.run(["true"])
    yield "kill", lambda: os.kill(os.getppid(), 0)
    yield "limit", lambda: resource.prlimit(0, resource.RLIMIT_AS, (-1, -1))
    yield "memory", lambda: bytearray(3_000_000_000)
did = []
for name, act in tries():
    try:
        act()
        did.append(name)
    except (OSError, ValueError, MemoryError):
        pass
done = []
thread = threading.Thread(target=lambda: done.append(open(folder + "/there").read()))
thread.start()
thread.join()
import numpy, av
print(how, "|", " ".join(did), "|", "".join(done))
"""


@pytest.mark.tries_the_network
@pytest.mark.skipif(sys.platform != "linux", reason="the fences are Linux's")
def test_what_a_child_cannot_do_and_still_can(tmp_path: Path) -> None:
    import socket

    (tmp_path / "there").write_text("kept")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        command = [sys.executable, "-c", TRIES, str(tmp_path), port]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd="/")
    how, did, read = (part.strip() for part in done.stdout.split("|"))
    assert read == "kept", done.stderr
    if jail.FILTER in how:
        assert did == ""
    elif jail.NAMESPACE in how:
        assert "connect" not in did
    assert [p.name for p in tmp_path.iterdir()] == ["there"] and (tmp_path / "there").read_text() == "kept"
    if platform.machine() in jail._MACHINES and Path("/proc/sys/kernel/seccomp").is_dir():
        assert jail.FILTER in how


def test_which_fence_stands_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    from engine.cli import main

    with open_clip(FILM) as reader:
        how = reader.network
    assert main(["models"]) == 0
    assert f"no network: {how}" in capsys.readouterr().out or how == jail.NEITHER


# --- a child that was taken over -----------------------------------------------------------------------------------------------


def answering(monkeypatch: pytest.MonkeyPatch, *answers: tuple[dict[str, Any], bytes]) -> None:
    """Every request is answered so from now on."""

    def ask(self: child.Decoder, request: dict[str, Any], bound: child.Bound) -> Any:
        sent = 0
        for facts, payload in answers:
            sent += len(payload) + child._MESSAGE_BYTES
            if sent > bound.answer_bytes:
                raise self.wild()
            yield facts, payload

    monkeypatch.setattr(child.Decoder, "ask", ask)


FRAME = {"is": "frame", "time_s": 0.0, "shape": [2, 2]}
SOUND = {"is": "audio", "start_s": 0.0, "rate_hz": 16_000}


@pytest.mark.parametrize(
    ("facts", "payload"),
    [
        (FRAME, bytes(11)),
        (FRAME | {"shape": [-1, 4]}, bytes(12)),
        (FRAME | {"shape": [2]}, bytes(12)),
        (FRAME | {"shape": [100_000, 100_000]}, b""),
        (FRAME | {"shape": [1, 5000]}, bytes(15_000)),  # larger than was asked for
        (FRAME | {"time_s": float("nan")}, bytes(12)),
        (FRAME | {"time_s": "soon"}, bytes(12)),
        (FRAME | {"skipped": {"audio": "many"}}, bytes(12)),
        (FRAME | {"skipped": 3}, bytes(12)),
        ({"is": "frame"}, bytes(12)),
    ],
)
def test_a_picture_that_makes_no_sense_ends_the_child(
    facts: dict[str, Any], payload: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_clip(FILM) as reader:
        answering(monkeypatch, (facts, payload))
        with pytest.raises(MediaError, match="are not valid"):
            list(reader.frames([0.0], max_side_px=160))
        assert not reader._pool._all


@pytest.mark.parametrize("facts", [SOUND | {"rate_hz": 8_000}, SOUND | {"start_s": None}, SOUND | {"start_s": 1e999}])
def test_sound_that_is_invalid_ends_the_child(facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with open_clip(FILM) as reader:
        answering(monkeypatch, (facts, bytes(8)))
        with pytest.raises(MediaError, match="are not valid"):
            list(reader.audio(16_000))


def test_answers_without_end_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    block = np.zeros(160_000, "<f4").tobytes()
    with open_clip(FILM) as reader:
        answering(monkeypatch, *[(SOUND, block)] * 1_000)
        with pytest.raises(MediaError, match="are not valid"):
            for _ in reader.audio(16_000, Interval(0.0, 1.0)):
                pass


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(streams=[{}]),
        lambda c: c["streams"][0].update(width_px="wide"),
        lambda c: c["streams"][0].update(extra=1),
        lambda c: c["streams"][0].update(decodable="yes"),
        lambda c: c["layouts"][0].update(duration_s="long"),
        lambda c: c["layouts"][0].update(origin_s=float("inf")),
        lambda c: c.pop("tags"),
        lambda c: c.update(tags=[["a"]]),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(
    change: Callable[[dict[str, Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import asdict

    from engine.media.contents import describe
    from engine.media.source import Source

    source = Source(FILM)
    source.open()
    contents = json.loads(json.dumps(asdict(describe(source))))
    source.close()
    change(contents)
    answering(monkeypatch, ({"is": "contents", "contents": contents}, b""))
    with pytest.raises(MediaError, match="are not valid"):
        open_clip(FILM)


def raw(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The child runs this instead."""
    started = subprocess.Popen

    def start(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
        return started([sys.executable, "-c", code], **how)

    monkeypatch.setattr(child.subprocess, "Popen", start)


READY = HEADER.pack(14, 0) + b'{"is":"ready"}'


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "ended by itself"),
        (HEADER.pack(4, 0) + b"junk", "not valid"),
        (HEADER.pack(0xFFFFFFFF, 0), "not valid"),
        (HEADER.pack(2, 0xFFFFFFFF) + b"{}", "not valid"),
        (HEADER.pack(2, 0) + b"[]", "not valid"),
        (HEADER.pack(200_000, 0) + b"[" * 200_000, "not valid"),
        (READY + HEADER.pack(8, 0) + b'{"is":1}', "not valid"),
        (READY + HEADER.pack(13, 0) + b'{"is":"done"}', "not valid"),
    ],
)
def test_bytes_that_are_no_messages_are_one_sentence(
    said: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "said").write_bytes(said)
    code = f"import sys, time; sys.stdout.buffer.write(open({str(tmp_path / 'said')!r}, 'rb').read()); sys.stdout.flush()"
    raw(monkeypatch, f"{code}; time.sleep(0.2)")
    with pytest.raises(MediaError, match=words):
        open_clip(FILM)


def test_text_of_a_child_is_made_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"is": "error", "kind": "MediaError", "text": "\x1b[31m" + "x" * 5000}).encode()
    raw(monkeypatch, f"import sys; sys.stdout.buffer.write({READY + HEADER.pack(len(text), 0) + text!r}); sys.stdin.read()")
    with pytest.raises(MediaError) as caught:
        open_clip(FILM)
    assert str(caught.value).isprintable() and len(str(caught.value)) <= 600


def test_a_child_that_dribbles_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never silent for long, and never done."""
    from engine.media import answer

    monkeypatch.setattr(answer, "_WAIT_S", 0.6)
    monkeypatch.setattr(answer, "_WAIT_PER_BYTE", 0.0)
    text = b'{"is":"x"}'
    message = HEADER.pack(len(text), 0) + text
    code = "import sys, time\no = sys.stdout.buffer\no.write(%r)\nwhile True:\n o.write(%r); o.flush(); time.sleep(0.1)"
    raw(monkeypatch, code % (READY, message))
    with pytest.raises(MediaError, match="longer than it ever should"):
        open_clip(FILM)
