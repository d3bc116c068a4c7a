"""What is known of the Earth before any clip: land, countries, places, and where people look and listen from."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
