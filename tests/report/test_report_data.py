"""JSON, GeoJSON and KML of a finding."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import h3.api.numpy_int as h3
import jsonschema
import numpy as np
import pytest
import shapely
from shapely.geometry import shape

sys.path.insert(0, str(Path(__file__).parent))
import made

from engine.clues.registry import clue_registry
from engine.core.perceived import clear, gather
from engine.models import agclip, birdnet, geoclip_location
from engine.report import json_schema, to_geojson, to_json, to_kml
from engine.report.figures.shape import cell_polygon, cut, polygons_of, region_shape
from engine.report.formats.record import LEAST_MASS
from engine.report.view.credit import credits, licence_note


def test_json_obeys_its_own_schema_and_says_what_the_finding_says() -> None:
    finding = made.finding()
    document = json.loads(to_json(finding))
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert document["schema"] == "earwitness.finding/1"
    assert document["clip"]["name"] == "clip.mp4" and "/somewhere" not in to_json(finding)
    sound, picture = document["located"]
    assert sound["spoke"] and not picture["spoke"] and picture["cannot_tell"]
    assert sum(c["mass"] for c in sound["cells"]) + sound["mass_left_out"] == pytest.approx(1.0, abs=1e-5)
    assert min(c["mass"] for c in sound["cells"]) >= LEAST_MASS * 0.999
    posterior = finding.located[0].posterior
    area = {r["share"]: r["area_km2"] for r in sound["regions"]}
    assert area[0.9] == pytest.approx(posterior.region_area_km2(0.9), rel=1e-6)
    within = [int(c["cell"], 16) for c in sound["cells"] if c["region"] <= 0.9]
    assert sum(h3.cell_area(np.uint64(c), unit="km^2") for c in within) == pytest.approx(area[0.9], rel=1e-6)
    tit = next(p for p in document["perceived"] if p["label"] == "Parus major")
    assert tit["best_score"] == 0.99 and [m["start_s"] for m in tit["moments"]] == [0.0, 1.5, 9.0]
    assert document["comparisons"] == [] and document["claims"] == []


def test_a_claim_is_in_every_document() -> None:
    whole = replace(made.finding(), claims=(made.CLAIM_TEST,))
    document = json.loads(to_json(whole))
    jsonschema.validate(document, json_schema())
    (found,) = document["claims"]
    assert (found["verdict"], found["date"]) == ("speaks against the claim", "2021-04-10")
    assert found["factors"][0]["odds"] == "about 46 : 1"
    assert len(found["heard"][0]["weeks"]) == 48 and found["heard"][0]["home"] == "does not live there"
    (point,) = [f for f in json.loads(to_geojson(whole))["features"] if f["properties"]["feature"] == "claim"]
    assert point["geometry"]["coordinates"] == [-81.97, 33.47] and point["properties"]["log10_ratio"]["sound"] == -1.66
    kml = to_kml(whole)
    names = [e.text for e in ElementTree.fromstring(kml).iter("{http://www.opengis.net/kml/2.2}name")]
    assert any("Claimed: <script>" in (n or "") for n in names) and "-81.97000,33.47000" in kml


def test_a_comparison_is_in_the_document() -> None:
    finding = made.finding()
    whole = replace(finding, comparisons=(made.COMPARISON,))
    document = json.loads(to_json(whole))
    jsonschema.validate(document, json_schema())
    (found,) = document["comparisons"]
    assert (found["verdict"], found["odds"], found["pairs"]) == ("different places", "about 90 : 1", 107)
    assert [u["prior"] for u in found["by_prior"]] == ["mixture", "land"]


def test_schema_rejects_a_document_with_a_part_missing() -> None:
    document = json.loads(to_json(made.finding()))
    del document["clip"]["sha256"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema())


def test_json_is_the_same_text_each_time_and_survives_names_that_are_not_text() -> None:
    finding = made.finding(path="/x/\udcff\x1b]0;evil\x07.mp4", text=made.HOSTILE)
    text = to_json(finding)
    assert text == to_json(finding)
    text.encode("utf-8")
    assert "\\u001b" not in text and "\\u202e" not in text


def test_windows_of_one_species_are_one_entry_with_joined_spans() -> None:
    finding = made.finding(dropped=frozenset({"species/species/Cuculus canorus"}))
    tit, *rest = clear(gather(finding), "species")
    assert (tit.title, tit.windows, tit.spans) == ("Great Tit", 2, ((0.0, 4.5),))
    assert [p.dropped for p in rest] == [True]


@pytest.mark.parametrize("lat_deg, lon_deg", [(-17.0, 180.0), (89.9, 0.0), (-89.9, 40.0), (66.0, -179.99), (10.0, 20.0)])
def test_a_cell_is_cut_within_the_map_and_keeps_its_area(lat_deg: float, lon_deg: float) -> None:
    cell = h3.latlng_to_cell(lat_deg, lon_deg, 2)
    drawn = cell_polygon(int(cell))
    west, south, east, north = drawn.bounds
    assert -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    assert drawn.is_valid
    # The area on the sphere of a polygon in degrees whose edges are cut finely, by Green's theorem on sin(lat).
    area = 0.0
    for polygon in polygons_of(drawn):
        lon, lat = np.radians(np.array(shapely.segmentize(polygon.exterior, 0.05).coords)).T
        area += -np.sum(np.diff(lon) * (np.sin(lat[1:]) + np.sin(lat[:-1])) / 2) * 6371.0088**2
    assert area == pytest.approx(h3.cell_area(cell, unit="km^2"), rel=0.03), "and its ring runs counter-clockwise"


def test_cutting_leaves_a_ring_within_the_map_as_it_is() -> None:
    assert cut(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 1.0])).equals(shapely.Polygon([(0, 0), (1, 0), (1, 1)]))


def test_a_region_of_two_resolutions_has_no_seam_inside() -> None:
    middle = h3.latlng_to_cell(0.0, 30.0, 2)
    ring = [c for c in h3.grid_disk(middle, 1) if c != middle]
    fine = h3.cell_to_children(middle, 4)
    whole = region_shape([*ring, *fine])
    assert len(whole.geoms) == 1 and not whole.geoms[0].interiors
    assert region_shape(ring).geoms[0].interiors, "a real hole stays"
    assert region_shape([]).is_empty


def test_geojson_loads_in_geopandas_cut_and_right_handed(tmp_path: Path) -> None:
    geopandas = pytest.importorskip("geopandas")
    finding = made.finding(text=made.HOSTILE)
    path = tmp_path / "f.geojson"
    path.write_text(to_geojson(finding), encoding="utf-8")
    table = geopandas.read_file(path)
    assert table.crs.to_epsg() == 4326
    assert set(table["modality"]) == {"sound"}, "what cannot tell has no features"
    counts = table["feature"].value_counts()
    assert counts["place"] == 1 and counts["region"] == 3 and counts["cell"] > 10
    assert table.geometry.is_valid.all()
    west, south, east, north = table.total_bounds
    assert west >= -180 and east <= 180 and south >= -90 and north <= 90
    cells = table[table["feature"] == "cell"]
    assert (cells.geometry.bounds.maxx - cells.geometry.bounds.minx)[cells.geom_type == "Polygon"].max() < 20
    assert (cells.geom_type == "MultiPolygon").any(), "the belief lies over the antimeridian, so cells are cut"
    for geometry in table.geometry[table["feature"] != "place"]:
        assert all(p.exterior.is_ccw for p in polygons_of(geometry))
    assert cells["mass"].sum() == pytest.approx(1.0, abs=1e-3)
    regions = table[table["feature"] == "region"].set_index("share").geometry
    assert regions[0.5].area < regions[0.9].area < regions[0.95].area


def test_geojson_says_why_nothing_is_drawn() -> None:
    document = json.loads(to_geojson(made.finding()))
    assert "no text was read" in document["cannot_tell"]["picture"]


def test_kml_is_well_formed_and_holds_the_place() -> None:
    finding = made.finding(text=made.HOSTILE)
    root = ElementTree.fromstring(to_kml(finding))
    name = "{http://www.opengis.net/kml/2.2}"
    lon, lat = map(float, root.find(f".//{name}Point/{name}coordinates").text.split(","))
    assert (lat, lon) == pytest.approx((finding.located[0].place.lat_deg, finding.located[0].place.lon_deg), abs=1e-4)
    for ring in root.iter(f"{name}LinearRing"):
        points = [p.split(",") for p in ring[0].text.split()]
        assert points[0] == points[-1] and all(abs(float(x)) <= 180 and abs(float(y)) <= 90 for x, y in points)
    shape({"type": "Point", "coordinates": [lon, lat]})


def test_credits_name_the_licence_and_the_hash_that_is_checked_on_loading() -> None:
    listener, ranges, other = credits([*made.MODELS, "unheard-of"], clue_registry())
    assert (listener.id, ranges.id) == (birdnet.MODEL_ID, birdnet.RANGE_MODEL_ID)
    assert listener.sha256 == birdnet._FILES["listener"][1] and ranges.sha256 == birdnet._FILES["range"][1]
    ours, location = credits([agclip.MODEL_ID, geoclip_location.MODEL_ID], clue_registry())
    assert ours.licence == agclip.LICENCE and ours.non_commercial
    assert (location.licence, location.sha256) == (geoclip_location.LICENCE, geoclip_location._SHA256)
    assert listener.licence == birdnet.LICENCE and other.licence == "licence not stated"
    assert "non-commercial" in licence_note(made.MODELS, clue_registry()) and licence_note(["unheard-of"], clue_registry()) == ""
