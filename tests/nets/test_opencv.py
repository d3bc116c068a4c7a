"""OpenCV that cannot be loaded is one sentence with the remedy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("words", [["locate"], ["app", "--no-browser"]])
def test_opencv_without_libgl_is_one_sentence(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "cv2").mkdir()
    missing = "libGL.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "cv2" / "__init__.py").write_text(f"raise ImportError({missing!r})\n", encoding="utf-8")
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"not really a film")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *words, str(clip)],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2 and done.stdout == ""
    assert missing in done.stderr and "opencv-python-headless" in done.stderr and len(done.stderr.splitlines()) == 1
