"""Bytes to `Clip` and `Reader`: opening, decoding, shots, container tags, drawing on frames, small proxies.

Nothing here reaches beyond the one file it was given: no other file, no protocol, no network.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.media.audio import excerpt_wav
    from engine.media.child import protection
    from engine.media.guard import GuardedReader, open_clip
    from engine.media.proxy import poster, preview_mp4
    from engine.media.reader import FileReader

_HOME = {
    "FileReader": "reader",
    "GuardedReader": "guard",
    "excerpt_wav": "audio",
    "open_clip": "guard",
    "protection": "child",
    "poster": "proxy",
    "preview_mp4": "proxy",
}

__all__ = ["FileReader", "GuardedReader", "excerpt_wav", "open_clip", "poster", "preview_mp4", "protection"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
