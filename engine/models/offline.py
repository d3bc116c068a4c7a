"""Keep hub libraries from calling home: set before they are imported, and put right when they already are.

The switches themselves are in `engine.core.offline`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from engine.core.offline import HUB, silence


def go_offline() -> None:
    """Make this process's hub libraries refuse the network.

    Environment variables alone are read once, at import; a library that was imported earlier by somebody else is
    corrected in place.
    """
    silence()
    os.environ.update(HUB)
    _set_constants(True)


@contextlib.contextmanager
def online_on_explicit_command() -> Iterator[None]:
    """The one place that lets a hub library reach out: `earwitness models pull`."""
    switched = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS")
    saved = {k: os.environ.get(k) for k in switched}
    os.environ.update(dict.fromkeys(switched, "0"))
    _set_constants(False)
    try:
        yield
    finally:
        for key, value in saved.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
        go_offline()


def _set_constants(offline: bool) -> None:
    constants: Any = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = offline
        constants.HF_HUB_DISABLE_TELEMETRY = True
    bars: Any = sys.modules.get("transformers.utils.logging")
    if bars is not None and hasattr(bars, "_tqdm_active"):
        bars._tqdm_active = not offline
    hub: Any = sys.modules.get("transformers.utils.hub")
    if hub is not None and hasattr(hub, "_is_offline_mode"):
        hub._is_offline_mode = offline
