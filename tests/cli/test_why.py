"""`earwitness locate --why`: the argument in the terminal, harmless and typed; a language model that is not there."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from engine import cli
from engine.cli import argument
from engine.cli.terminal import Pen
from engine.core.paths import EXAMPLES

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "report"))
import made


def test_the_argument_is_typed_and_shows_no_escape() -> None:
    sink = io.StringIO()
    argument.tell(made.finding(text=made.HOSTILE, two_speak=True), Pen(sink))
    said = sink.getvalue()
    assert "● BirdNET detected Great Tit (Parus major)" in said and "[0:00–0:03]" in said
    assert "→ " in said and "could also be" in said and "source: " in said
    assert "Reasoning by rules" in said
    assert not any(c in said for c in "\x1b\u202e")


def test_a_model_that_is_missing_is_said_before_the_work(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    clip = str(EXAMPLES / "golf_georgia.mp4")
    assert cli.main(["locate", clip, "--ask", str(tmp_path)]) == 2
    assert "earwitness models pull qwen2.5-vl-3b" in capsys.readouterr().err
