"""A location that is a region is called a region in every output, and its place no more than the densest point."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import made

from engine.cli.summary import summarise
from engine.cli.terminal import Pen
from engine.core.finding import Finding
from engine.report import to_geojson, to_html, to_json, to_kml
from engine.report.formats import csv as table
from engine.report.formats.page import page_of
from engine.report.view import film


def found(near: float) -> Finding:
    finding = made.finding()
    located = tuple(replace(x, half="southern England, UK", region="Europe", near=near) for x in finding.located)
    return replace(finding, located=located)


def outputs(finding: Finding) -> tuple[str, str, str]:
    terminal = io.StringIO()
    summarise(finding, Pen(terminal))
    return " ".join(terminal.getvalue().split()), to_html(finding), to_kml(finding)


@pytest.mark.parametrize(("near", "where_is"), [(0.29, "region"), (0.3, "place")])
def test_json_terminal_and_report_say_the_same(near: float, where_is: str) -> None:
    finding = found(near)
    x = next(x for x in finding.located if x.spoke)
    assert x.place is not None
    where = "in southern England, UK" if where_is == "region" else x.place.name
    document = next(r for r in json.loads(to_json(finding))["located"] if r["modality"] == x.modality)
    assert (document["where"], document["where_is"]) == (where, where_is)
    row = next(line for line in table.places_csv(finding).splitlines() if line.startswith(x.modality + ","))
    assert row.endswith(f",{where_is}")
    features = json.loads(to_geojson(finding))["features"]
    assert next(f for f in features if f["properties"]["feature"] == "place")["properties"]["where_is"] == where_is
    view = next(v for v in page_of(finding).modalities if v.modality == x.modality)
    assert view.title == where and view.point == ("Densest point" if where_is == "region" else "Place reported")
    terminal, html, kml = outputs(finding)
    assert where in terminal and where in html
    assert all(("ensest point" in text) == (where_is == "region") for text in (terminal, kml))
    assert ("Densest point: " in html) == (where_is == "region")


def test_scenes_of_a_film_too() -> None:
    assert film.scene_row(found(0.1)).sound in ("in southern England, UK", "cannot tell")
    assert "in southern England, UK" in (film.scene_row(found(0.1)).sound, film.scene_row(found(0.1)).picture)
