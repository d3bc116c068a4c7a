"""OpenCV, or one sentence that says what to install where it cannot be loaded.

`make setup` installs the build without windows. rapidocr names the one with windows, which pip then installs over it and which
needs a library of the system's, libGL, that servers and containers seldom have.
"""

from __future__ import annotations

from engine.core.errors import WeightsError

try:
    import cv2
except ImportError as error:
    reason = str(error).partition("\n")[0]
    raise WeightsError(
        f"OpenCV cannot be loaded ({reason}); install libGL (Debian, Ubuntu: apt install libgl1 libglib2.0-0), or OpenCV without "
        "windows: pip uninstall --yes opencv-python; pip install --force-reinstall --no-deps opencv-python-headless"
    ) from error

__all__ = ["cv2"]
