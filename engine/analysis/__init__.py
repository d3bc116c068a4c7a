"""From a file to a finding: perceive once, judge as often as the analyst likes."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
