"""`earwitness flow`: on an example, from the command line to a file of points."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.core.paths import EXAMPLES
from engine.models.flow.model import FOLDER

CLIP = EXAMPLES / "vermont_chickadee.mp4"


@pytest.mark.slow
@pytest.mark.skipif(
    not CLIP.is_file() or not (FOLDER / "flow.safetensors").is_file(), reason="the example or the weights are missing"
)
def test_samples_of_an_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "points.geojson"
    assert main(["flow", str(CLIP), "--samples", "40", "--geojson", str(out), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "by the flow" in said and "posterior" in said and "not part of the verdict" in said
    points = json.loads(out.read_text())["features"]
    assert len(points) == 40
    lon = [p["geometry"]["coordinates"][0] for p in points]
    assert sum(-100 < x < -55 for x in lon) > 25  # eastern North America


def test_options_out_of_range_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flow", "none.mp4", "--samples", "1"]) != 0
    assert "--samples" in capsys.readouterr().err
    assert main(["flow", "none.mp4", "--guidance", "-1"]) != 0
    assert "--guidance" in capsys.readouterr().err
