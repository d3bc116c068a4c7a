"""The document and the report's sheet are written from one set of figures; what has no figures is said to be unmeasured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.parser import parser_for
from engine.core.errors import DataError
from engine.core.paths import ROOT
from engine.lab.bench import ordinary, validation
from engine.lab.bench.metrics import Outcome, Score, to_json_text
from engine.report.view.validation import FILE, Sheet, sheets

SCORE = Score.of_outcomes("x", [Outcome(100.0 * i, 4.0 + i, {0.5: i % 2 == 0, 0.9: True}) for i in range(8)]).to_json()


def facts() -> dict[str, Any]:
    heard = [ordinary.Heard(str(i), "Clarinet", str(i), silent="") for i in range(4)]
    band = {"from_km": 0, "to_km": 200, "pairs": 12, "different_moderate": 0.0, "same_moderate": 0.5}
    return {
        "recordings": {**SCORE, "by_stratum": {"1 to 3": SCORE}, "by_continent": {"Asia": SCORE}, "ln_cells": 9.58, "seed": 3},
        "lists": {"1": {**SCORE, "recordists": 5}, "all": SCORE, "lists": 8, "names": 90, "unknown_names": 2},
        "ordinary": ordinary.report([], heard, []),
        "mismatch": {
            "cllr": 0.71, "pairs": 4212, "same_pairs": 69, "spoken": 0.36, "same_called_different": 0.01, "bands": [band],
            "one_place_by_band": {"0-200": 0.5, "5000-": None}, "pairs_by_band": {"0-200": 12},
            "different_by_band": {"0-200": 0.0}, "bounds_log10": [-1.26, 1.2],
            "intervals": {"cllr": [0.5, 0.9], "one_place_by_band.0-200": [0.2, 0.8]}, "seed": 0,
        },
        "photos": {**SCORE, "rows": {"all photos": SCORE}, "seed": 0},
        "claims": {"sound": {"true_claims": 9, "false_claims": 99, "cllr": 0.5, "cllr_95": [0.4, 0.6], "true_supported": 0.83}},
    }  # fmt: skip


def table_of(document: str, sheet: Sheet) -> bool:
    """Whether a document has a sheet's table, line by line."""
    return "\n".join(validation.markdown(sheet)) in document


def written(tmp_path: Path, found: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    for name, own in found.items():
        (tmp_path / f"{name}.json").write_text(to_json_text(own))
    (tmp_path / "sheet.json").write_text(FILE.read_text("utf-8"))
    words = ["bench", "validation", "--from", str(tmp_path), "--document", str(tmp_path / "v.md"), "--date", "2026-12-01"]
    arguments = parser_for(words, "0").parse_args([*words, "--sheet", str(tmp_path / "sheet.json")])
    assert validation.run(arguments) == 0
    return (tmp_path / "v.md").read_text("utf-8"), json.loads((tmp_path / "sheet.json").read_text("utf-8"))


def as_sheets(content: dict[str, Any]) -> list[Sheet]:
    return [Sheet(**{**s, "columns": tuple(s["columns"]), "rows": tuple(map(tuple, s["rows"]))}) for s in content["sheets"]]


def test_document_and_sheet_state_the_same_figures(tmp_path: Path) -> None:
    document, content = written(tmp_path, facts())
    own = [s for s in as_sheets(content) if s.source == validation.SOURCE and s.date == "2026-12-01"]
    assert {s.command.rpartition(" ")[2] for s in own} == set(validation.SOURCES)
    for sheet in own:
        assert all(len(row) == len(sheet.columns) for row in sheet.rows), sheet.title
        assert table_of(document, sheet) and sheet.conditions in " ".join(document.split()), sheet.title
    assert (
        "0.71 (0.50 to 0.90)" in document
        and "| 0 to 200 | 12 | not measured | 0.0% | not measured | 50.0% (20 to 80) |" in document
    )
    assert "at most 18 : 1 for different places and 16 : 1" in document
    assert f"{SCORE['median_km']:,.0f} (" in document and "0 of 4: 0.0% (0 to 60)" in document
    assert content["tested"]["regions_hold"] == [50, 100] and content["tested"]["recordings"] == 8
    kept = {s.title for s in as_sheets(content)}
    assert "Mains hum" in kept, "what another command measured stays"
    assert len(kept) == len(content["sheets"]), "nothing stands twice"


def test_what_was_not_run_is_not_measured(tmp_path: Path) -> None:
    empty = {**json.loads(FILE.read_text("utf-8")), "sheets": []}
    found = {"lists": facts()["lists"]}
    content = validation.merged(empty, validation.sheets_of(found, "2026-12-01"), found)
    document = validation.document(as_sheets(content), content["factor"])
    assert "`earwitness bench mismatch`: not measured." in document and "`earwitness bench ordinary`: not measured." in document
    assert document.count(": not measured.") == len(validation.SOURCES) - 1


def test_figures_of_an_earlier_run_stay_in_both(tmp_path: Path) -> None:
    before = {s.title for s in sheets()}
    document, content = written(tmp_path, {"lists": facts()["lists"]})
    assert before <= {s["title"] for s in content["sheets"]}
    assert all(table_of(document, s) for s in as_sheets(content) if s.source == validation.SOURCE)


def test_a_sparse_json_says_what_is_missing(tmp_path: Path) -> None:
    sparse = facts()["mismatch"]
    for key in ("cllr", "bands", "intervals", "bounds_log10", "pairs", "pairs_by_band"):
        del sparse[key]
    text, _ = written(tmp_path, {"mismatch": sparse})
    assert "| 0 to 200 | not measured | not measured | 0.0% | not measured | 50.0% |" in text and "Cllr of pairs" not in text


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds none of"):
        validation.read(tmp_path)
    (tmp_path / "lists.json").write_text("[]")
    with pytest.raises(DataError, match="holds no figures"):
        validation.read(tmp_path)
    with pytest.raises(DataError, match="run it again"):
        validation.sheets_of({"lists": {"1": "many"}}, "2026-12-01")


@pytest.mark.parametrize("sheet", [s for s in sheets() if s.source == validation.SOURCE], ids=lambda s: s.title)
def test_the_programs_sheet_is_the_documents_table(sheet: Sheet) -> None:
    assert table_of((ROOT / validation.SOURCE).read_text("utf-8"), sheet), sheet.title
