"""Keep hub libraries from calling home: set before they are imported, and put right when they already are.

The switches themselves are in `engine.core.offline`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from engine.core.offline import HUB, silence


def go_offline() -> None:
    """Make this process's hub libraries refuse the network.

    Environment variables alone are read once, at import; a library that was imported earlier by somebody else is
    corrected in place.
    """
    silence()
    os.environ.update(HUB)
    _set_constants()


def _set_constants() -> None:
    constants: Any = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = True
        constants.HF_HUB_DISABLE_TELEMETRY = True
    bars: Any = sys.modules.get("transformers.utils.logging")
    if bars is not None and hasattr(bars, "_tqdm_active"):
        bars._tqdm_active = False
    hub: Any = sys.modules.get("transformers.utils.hub")
    if hub is not None and hasattr(hub, "_is_offline_mode"):
        hub._is_offline_mode = True
