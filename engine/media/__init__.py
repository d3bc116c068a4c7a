"""Bytes to `Clip` and `Reader`: opening, decoding, shots, container tags, drawing on frames, small proxies.

Nothing here reaches beyond the one file it was given: no other file, no protocol, no network.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
