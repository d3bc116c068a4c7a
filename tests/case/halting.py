"""A batch whose clips never end but the first: what a worker does in the tests of stopping."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from engine import cli
from engine.case.jobs import outcome, pool
from engine.case.jobs.outcome import Outcome
from engine.media import child, open_clip


def examine(path: str, settings: str, results: str) -> Outcome:
    """The first clip is examined at once; at any other a worker stays, with a decoder at work, once it has said so."""
    if Path(path).name == "0.wav":
        return Outcome(path, outcome.bare(path), "0" * 64)
    child.MODULE = "tests.media.broken_child"
    clip = open_clip(path)
    (decoder,) = clip._pool._all
    threading.Thread(target=lambda: list(clip.audio(16_000)), daemon=True).start()
    os.write(1, f"at work {os.getpid()} {decoder._child.pid}\n".encode())
    time.sleep(600)
    raise AssertionError("nobody stopped it")


if __name__ == "__main__":
    from tests.case import halting

    pool.examine = halting.examine  # as workers can import it
    sys.exit(cli.main())
