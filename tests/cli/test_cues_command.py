"""`earwitness cues` and `locate --cue`: what can be noted, and that it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.analysis import cue_groups
from engine.cli import main
from engine.core.paths import EXAMPLES


def test_the_list_names_every_cue_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cues", "--json", str(tmp_path / "cues.json")]) == 0
    said = capsys.readouterr().out
    rows = json.loads((tmp_path / "cues.json").read_text("utf-8"))
    known = {c.id for _, own in cue_groups() for c in own}
    assert {r["id"] for r in rows} == known and len(rows) == len(known)
    assert all(r["where"] and r["source"] and r["ratio"] > 1 for r in rows)
    assert all(f" {cue} " in said for cue in known)


def test_a_word_and_a_side_narrow_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cues", "siren", "--sound", "--where"]) == 0
    said = capsys.readouterr().out
    assert "sound-wail-siren" in said and "Found in" in said and "veg-palms" not in said
    assert main(["cues", "palm", "--picture"]) == 0
    assert "veg-coconut" in capsys.readouterr().out


@pytest.mark.slow
def test_cues_noted_on_a_clip_are_scored_listed_and_signed(tmp_path: Path) -> None:
    """A golf course under a sign of Georgia: two cues more move the picture little, and stand in the record."""
    out = tmp_path / "found.json"
    words = ["--cue", "veg-broadleaf@0:12=0.9", "--cue", "sign-yellow-diamond=0.6", "--author", "Ann", "--json", str(out)]
    assert main(["locate", str(EXAMPLES / "golf_georgia.mp4"), "--quick", *words]) == 0
    found = json.loads(out.read_text("utf-8"))
    text = json.dumps(found)
    assert "veg-broadleaf" in text and "sign-yellow-diamond" in text and "Ann" in text
    cues = [e for e in found["evidence"] if e["clue"] == "cues"]
    assert cues and cues[0]["abstained"] is None
