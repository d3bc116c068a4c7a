"""Earwitness: places the sound and the picture of a clip on the map and compares them.

The public names stand, with their types, in the stub beside this file. They are resolved when first used, so that `import engine`
loads neither torch nor a model. The rooms below (`engine.report`, `engine.case` …) have lists of their own, made alike.

One thing is done at import: libraries that would report their use to their makers are configured not to, since they read that
once, when they are loaded.
"""

from __future__ import annotations

import lazy_loader

from engine.core.offline import silence

silence()

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
