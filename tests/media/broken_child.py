"""A decoding child that fails in one way or another: `python -m tests.media.broken_child`, as `child.MODULE` runs it.

What goes wrong, and when, is said by the suffix of the file's name: clip.FAULT.mp4.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from engine.media import decoder


def outlaw() -> None:
    """A system call by the numbers of 32-bit programs, which the filter answers with an end: mov eax, 20; int 0x80; ret."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()


def close() -> None:
    """Answers closed, and the process goes on."""
    for fd in range(1, 64):
        try:
            if str(Path(f"/proc/self/fd/{fd}").readlink()).startswith("pipe:"):
                os.close(fd)
        except OSError:
            continue
    time.sleep(60)


def wrong() -> None:
    raise IndexError("stream index 7 of \x1b[31mclip")


FAULTS: dict[str, Any] = {
    "wrong": wrong,
    "hungry": lambda: bytearray(30_000_000_000),
    "outlaw": outlaw,
    "segv": lambda: signal.raise_signal(signal.SIGSEGV),
    "killed": lambda: signal.raise_signal(signal.SIGKILL),
    "ended": lambda: signal.raise_signal(signal.SIGTERM),
    "leaves": lambda: os._exit(3),
    "closes": close,
    "silent": lambda: time.sleep(60),
}


def main() -> int:
    from engine.media import serving

    name = Path(sys.argv[2]).name.split(".")[1]
    if name == "early":
        serving.adopt = lambda *_: wrong()  # type: ignore[assignment]
        return decoder.main()
    honest = serving.serve

    def serve(source: Any, request: dict[str, Any]) -> Any:
        if request["task"] == "describe":
            yield from honest(source, request)
        else:
            FAULTS[name]()

    serving.serve = serve
    return decoder.main()


if __name__ == "__main__":
    sys.exit(main())
