"""The EARWITNESS_ variables, all read in this one place; a value that is invalid is reported once, and the default is used.

EARWITNESS_CACHE       folder for what can be computed again
EARWITNESS_KEPT        folder of results, jobs and uploads (default: the cache)
EARWITNESS_MODELS      folder of downloaded or imported weights
EARWITNESS_DATA        folder of real material for tests and benchmarks
EARWITNESS_DECODER_MB  memory of a process that decodes, 200 to 1,000,000 MB
EARWITNESS_UPLOADS_GB  room for uploads altogether, more than 0 GB
EARWITNESS_DEBUG       1 lets decoders write to the terminal
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import threading
from pathlib import Path

_LOG = logging.getLogger("earwitness")
_OFF = ("", "0", "no", "false", "off")
_said: set[str] = set()
_lock = threading.Lock()


def folder(name: str) -> Path | None:
    """The folder that a variable names, from the root of the disk; None where it names none.

    Args:
        name: "CACHE", "KEPT", "MODELS" or "DATA".
    """
    text = _text(name).strip()
    return Path(text).absolute() if text else None


def decoder_mb() -> int:
    """Megabytes of memory that a process may take that decodes."""
    return int(_number("DECODER_MB", 6000.0, 200.0, 1_000_000.0, "megabytes from 200 to 1000000"))


def uploads_bytes() -> int:
    """Bytes of all uploads together."""
    return int(1e9 * _number("UPLOADS_GB", 50.0, 1e-6, 1e9, "gigabytes, more than 0"))


def debugging() -> bool:
    """Whether decoders may write to the terminal."""
    return _text("DEBUG").strip().lower() not in _OFF


def say_once(sentence: str) -> None:
    """Tell whoever runs the program, once; processes that it starts to share its work do not say it again."""
    with _lock:
        known = sentence in _said
        _said.add(sentence)
    if not known and multiprocessing.parent_process() is None:
        _LOG.warning("%s", sentence)


def _text(name: str) -> str:
    return os.environ.get(f"EARWITNESS_{name}", "")


def _number(name: str, default: float, least: float, most: float, what: str) -> float:
    text = _text(name).strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if least <= value <= most:
        return value
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:40])
    say_once(f"EARWITNESS_{name}={shown} is ignored: it must be a number of {what}; {default:g} is used.")
    return default
