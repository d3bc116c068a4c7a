"""The validation sheet says what README, log and fitted models say."""

from __future__ import annotations

import json
import re

import pytest

from engine.clues.registry import clue_registry
from engine.core.paths import ASSETS, ROOT
from engine.models import geoclip_picture, ocr
from engine.report.view import validation
from engine.report.view.credit import credits
from engine.report.view.validation import Sheet, factor, sheets
from engine.report.view.versions import versions

KNOWN_BY = {"lab calibrate-species": "Held out by place, on cells only"}  # where the document does not name the command


def numbers(text: str) -> list[str]:
    return re.findall(r"\d[\d,]*(?:\.\d+)?|(?<!\d)\.\d+", text)


def passage(sheet: Sheet) -> str:
    """What the named document says of it: every section that names the command."""
    text = (ROOT / sheet.source).read_text(encoding="utf-8")
    sections = re.split(r"\n(?=## )", text)
    command = sheet.command.removeprefix("earwitness ")
    held = "\n".join(s for s in sections if KNOWN_BY.get(command, command) in s)
    assert held, f"{sheet.source} does not tell of {sheet.command}"
    return held


@pytest.mark.parametrize("sheet", sheets(), ids=lambda s: s.title)
def test_every_figure_stands_in_the_document_named(sheet: Sheet) -> None:
    held = set(numbers(passage(sheet)))
    for row in sheet.rows:
        assert len(row) == len(sheet.columns), row
        for figure in numbers(" ".join(row[1:])):
            assert figure in held, f"{figure} of {row[0]!r} is not in {sheet.source}"


def test_the_table_of_recordings_is_the_documents_line_by_line() -> None:
    sheet = next(s for s in sheets() if s.command == "earwitness bench recordings")
    document = {
        tuple(c.strip() for c in line.strip().strip("|").split("|"))
        for line in (ROOT / sheet.source).read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    }
    for row in sheet.rows:
        assert row in document, row


def test_bounds_are_those_of_the_fitted_models() -> None:
    fit = json.loads((ASSETS / "models/mismatch.json").read_text(encoding="utf-8"))["sound"]["by_radius"]
    own = next(r for r in fit if r["radius_km"] == validation.tested().same_place_km)
    assert (factor().log10_low, factor().log10_high) == pytest.approx((own["low"], own["high"]), abs=1e-3)


def test_the_commands_are_commands() -> None:
    from engine.cli.commands import COMMANDS

    known = {f"{c.name} {d.name}" for c in COMMANDS for d in c.commands}
    for sheet in sheets():
        assert sheet.command.removeprefix("earwitness ").split(" --")[0] in known, sheet.command


def test_hashes_of_models_in_several_files_are_those_that_are_loaded() -> None:
    reader, places = credits([ocr.MODEL_ID, geoclip_picture.MODEL_ID], clue_registry())
    assert dict(reader.files) == ocr.SHA256 and dict(places.files) == geoclip_picture._SHA256


def test_versions_name_what_can_change_a_number() -> None:
    found = versions()
    assert {"numpy", "torch", "av"} <= {name for name, _ in found.packages}
    assert "models/mismatch.json" in dict(found.tables) and len(found.text_sha256) == 64
