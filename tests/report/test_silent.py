"""A modality that cannot tell has no place, region, country or distance in any output, whichever way it is silent."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import made

import engine
from engine.analysis.second_opinion import opinion_by_flow
from engine.analysis.timeline import timeline_of
from engine.cli.summary import summarise
from engine.cli.terminal import Pen
from engine.core.clip import Clip, Interval, Stream
from engine.core.errors import SettingError
from engine.core.finding import Finding
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.report import to_geojson, to_html, to_json, to_kml
from engine.report.formats import csv as table
from engine.report.formats import schema
from engine.verdict import fuse
from engine.world import places

STREAMS = (Stream(0, 1, "video", "h264", 12.0, width_px=640, height_px=360, fps=25.0), Stream(1, 1, "audio", "aac", 12.0))
TIT = Observation("species", "species", "Parus major", 0.95, 0.0, 3.0, "Great Tit", "birdnet-v2.4")
SIGN = Observation("text", "text", "AUGUSTA GA 30904", 0.9, 4.0, 4.0, author="rapidocr", box=(0.1, 0.1, 0.5, 0.3))


def judged(*seen: Observation) -> Finding:
    clip = Clip("/x/clip.mp4", "ab" * 32, 1000, "mov", 12.0, STREAMS)
    found = engine.judge(Perception(clip, Interval(0.0, 12.0), seen), Settings())
    return replace(found, timeline=timeline_of(found))


@pytest.fixture(params=["abstained", "below the threshold", "picture alone speaks"])
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Finding:
    if request.param == "abstained":
        return judged()
    if request.param == "below the threshold":
        monkeypatch.setattr(fuse, "LEAST_GAIN_NATS", 99.0)
        return judged(TIT, SIGN)
    return judged(SIGN)


def test_no_output_names_a_place_of_what_is_silent(found: Finding) -> None:
    mute = [x for x in found.located if not x.spoke]
    assert {"sound"} <= {x.modality for x in mute}
    for x in mute:
        assert x.place is None and not x.regions_km2 and not x.countries and not x.region and x.cannot_tell
    named = {places.describe(p.lat_deg, p.lon_deg) for x in mute for p in [x.posterior.place()]}
    terminal = io.StringIO()
    summarise(found, Pen(terminal))
    told = {
        "json": to_json(found), "geojson": to_geojson(found), "kml": to_kml(found), "html": to_html(found),
        "places": table.places_csv(found), "terminal": terminal.getvalue(),
    }  # fmt: skip
    for form, text in told.items():
        assert not [n for n in named if n.removeprefix("in ") in text], form


def test_the_json_has_null_and_a_reason(found: Finding) -> None:
    document = json.loads(to_json(found))
    assert set(schema.json_schema()["$defs"]["LocatedRecord"]["properties"]) == set(document["located"][0])
    spoke: dict[str, bool] = {}
    for x in document["located"]:
        spoke[x["modality"]] = x["spoke"]
        if not x["spoke"]:
            assert x["place"] is None and x["cannot_tell"]
            assert not x["regions"] and not x["countries"] and not x["cells"] and not x["region"]
        else:
            assert x["place"]["name"] and x["cells"]
    (compared,) = document["comparisons"]
    assert compared["verdict"] == "cannot tell" and compared["reason"]
    numbers = ("distance_km", "expected_km", "overlap", "shared_region_km2")
    assert all(compared[n] is None for n in numbers)
    for m in document["timeline"]["moments"]:
        assert m["spoke"] <= spoke[m["modality"]]
        assert m["spoke"] or (m["lat_deg"] is None and m["lon_deg"] is None and not m["place"] and m["away_km"] is None)
    if not any(spoke.values()):
        assert document["timeline"]["lat_deg"] is None and not document["timeline"]["reference"]


def test_tables_and_maps_have_none_either(found: Finding) -> None:
    features = json.loads(to_geojson(found))
    silent = {x.modality for x in found.located if not x.spoke}
    assert not silent & {f["properties"]["modality"] for f in features["features"]} and silent == set(features["cannot_tell"])
    for name in silent:
        row = next(line for line in table.places_csv(found).splitlines() if line.startswith((name + ",", "\ufeff" + name + ",")))
        assert row.startswith(f"{name},no,,,,")
    with pytest.raises(SettingError, match="gives no usable location"):
        opinion_by_flow(found, "sound")


def test_whoever_makes_one_cannot_give_it_a_place() -> None:
    speaking = made.located("sound", -17.0, 179.5, 250.0, made.grid())
    mute: Any = replace(speaking, cannot_tell="The sound gives no usable location: nothing was heard.")
    assert speaking.place and mute.place is None and mute.countries == () and not mute.regions_km2
    with pytest.raises(ValueError, match="must report a place"):
        replace(speaking, place=None)
