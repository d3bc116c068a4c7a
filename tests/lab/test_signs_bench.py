"""Drawn signs: what they are, what is counted on them, and that the command runs on any system's fonts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.cli.parser import parser_for
from engine.core.errors import DataError
from engine.core.observation import Observation
from engine.lab.bench import sign_drawing, signs


def test_sets_are_the_same_for_a_seed_and_share_no_town() -> None:
    first, again, second = (list(sign_drawing.signs(n)) for n in (0, 0, 1))
    assert first == again and len(first) == sign_drawing.SET_SIZE
    assert len({s.script for s in first}) == 7
    assert not {s.town for s in first} & {s.town for s in second}
    assert any(s.people >= sign_drawing.LARGE_PEOPLE for s in first) and any(s.people < 100_000 for s in first)


def test_a_sign_is_drawn_in_any_font_and_the_same_for_a_seed() -> None:
    sign = next(s for s in sign_drawing.signs(0) if s.script == "Cyrillic")
    a, b = sign_drawing.draw(sign), sign_drawing.draw(sign)
    assert a.shape == (sign_drawing.HEIGHT_PX, sign_drawing.WIDTH_PX, 3) and np.array_equal(a, b) and a.std() > 20


def test_a_folder_without_fonts_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no font"):
        sign_drawing.fonts(tmp_path)


def test_what_is_counted() -> None:
    sofia = sign_drawing.Sign(("София",), "bg", "Cyrillic", "Sofia", "BG", 1_000_000, 42.70, 23.32)
    word = sign_drawing.Sign(("Bread",), "", "Latin")
    rows = (
        signs.Placed(sofia, ("София",), 1, True, 3.0, True, True, 300.0, 340.0),
        signs.Placed(sofia, ("Софця",), 0, True, 9_000.0, False, True, 300.0, 340.0),
        signs.Placed(sofia, (), 0, False, 7_000.0, False, False, 0.0, 0.0),
    )
    found = signs.Table(rows, (signs.Placed(word, ("Вгеад",), 0, False, 0.0, False, False, 100.0, 100.0),)).to_json()
    whole = found["signs"]["all"]
    assert (whole["speaks"]["count"], whole["within_25_km"]["count"], whole["within_25_km"]["of"]) == (2, 1, 2)
    assert found["wrong_continent"] == 1 and found["plain_signs"]["Latin read in another script"] == 1
    assert found["ms_per_frame"] == {"first recogniser": round(700 / 3, 1), "both": 260.0}


def test_signs_read_without_an_error_are_placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two = [s for s in sign_drawing.signs(0) if s.tongue in ("ru", "el")][:2]
    monkeypatch.setattr(sign_drawing, "signs", lambda *_: iter(two))
    monkeypatch.setattr(sign_drawing, "plain_signs", lambda *_: iter(()))
    lines = iter(s.lines for s in two)

    def observed(_: sign_drawing.Picture) -> tuple[Observation, ...]:
        return tuple(Observation("text", "text", line, 0.95, 0.0, 0.0) for line in next(lines))

    found = signs.run_sets((0,), observe=observed)
    assert all(r.spoke and r.km < signs.NEAR_KM and r.continent for r in found.rows)
    assert json.loads(json.dumps(found.to_json()))["signs"]["all"]["within_25_km"]["count"] == 2


def test_the_command_checks_what_it_is_given(tmp_path: Path) -> None:
    words = ["bench", "signs", f"--fonts={tmp_path / 'none'}"]
    args = parser_for(words, "0").parse_args(words)
    with pytest.raises(DataError, match="no folder"):
        signs.run(args)
