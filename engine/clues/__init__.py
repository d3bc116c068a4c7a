"""A folder for each clue: a way to perceive something in a clip and to say which places it favours."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
