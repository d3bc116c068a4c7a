"""What the pages draw with: escaping, outlines, views, colours, spectrogram."""

from __future__ import annotations

import json
from itertools import pairwise

import h3.api.numpy_int as h3
import numpy as np
import pytest

from app.figures.ground import sea_layer
from app.figures.layers import MASS_STOPS, RANGE_STOPS, mass_layer, outline_layers, palette
from app.figures.marks import place_layers
from app.figures.outline import edge_paths
from app.figures.spectrogram import levels_db, spectrogram
from app.figures.view import View, deck, fit
from app.panels.style import clean, plain
from engine import Grid, Located, Place, Posterior, Prior
from engine.report.view import words

HOSTILE = "<img src=x onerror=alert(1)>\u202egpj.'\"&\x00\n[a](http://evil) **b** $x$ :red[c]"


def test_hostile_text_stays_text_in_html() -> None:
    said = clean(HOSTILE, 200)
    assert not set("<>\"'") & set(said.replace("&lt;", "").replace("&gt;", "").replace("&#x27;", "").replace("&quot;", ""))
    assert "\u202e" not in said and "\x00" not in said and "\n" not in said


def test_hostile_text_stays_text_in_markdown() -> None:
    said = plain(HOSTILE, 200)
    for mark in "<>*[]()$:&":
        assert all(said[i - 1] == "\\" for i, c in enumerate(said) if c == mark)
    assert "\u202e" not in said


def test_long_text_is_bounded() -> None:
    assert len(clean("x" * 9999, 100)) == 100
    assert len(plain("x" * 9999, 100)) == 100


def grid_at(lat: float, lon: float, rings: int = 2, resolution: int = 3) -> Grid:
    return Grid.of(h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), rings))


def test_outline_of_a_disk_is_one_closed_ring() -> None:
    grid = grid_at(48.0, 11.0)
    paths = edge_paths(grid, np.ones(len(grid), dtype=bool))
    assert len(paths) == 1 and paths[0][0] == paths[0][-1]
    assert len(paths[0]) - 1 == 6 * (2 * 2 + 1)  # a disk of k rings of hexagons has 6 (2k + 1) edges


def test_outline_has_no_seam_where_cell_sizes_meet() -> None:
    grid = grid_at(48.0, 11.0)
    middle = int(np.flatnonzero(grid.cells == h3.latlng_to_cell(48.0, 11.0, 3))[0])
    fine = grid.refined(np.array([middle]), 5)
    assert len(fine) > len(grid)
    paths = edge_paths(fine, np.ones(len(fine), dtype=bool))
    assert len(paths) == 1, "edges between large and small cells were drawn"


def test_outline_of_a_hole_and_of_nothing() -> None:
    grid = grid_at(48.0, 11.0)
    inside = np.ones(len(grid), dtype=bool)
    inside[grid.cells == h3.latlng_to_cell(48.0, 11.0, 3)] = False
    assert len(edge_paths(grid, inside)) == 2
    assert edge_paths(grid, np.zeros(len(grid), dtype=bool)) == []


def test_outline_never_runs_across_the_map_at_the_antimeridian() -> None:
    grid = grid_at(-17.0, 180.0)
    paths = edge_paths(grid, np.ones(len(grid), dtype=bool))
    assert len(paths) >= 2
    for path in paths:
        assert np.abs(np.diff(np.array(path)[:, 0])).max() < 90.0


def located_at(lat: float, lon: float, rings: int = 2) -> Located:
    grid = grid_at(lat, lon, rings)
    log_mass = np.full(len(grid), -np.log(len(grid)))
    posterior = Posterior(grid, log_mass)
    return Located(
        "sound",
        posterior,
        Prior("land", grid, log_mass),
        Place(lat, lon, 1.0, 100.0, "<b>here</b>"),
        1.0,
        None,
        {0.5: posterior.region_area_km2(0.5), 0.9: posterior.region_area_km2(0.9), 0.95: posterior.region_area_km2(0.95)},
    )


@pytest.mark.parametrize(("lat", "lon"), [(48.0, 11.0), (-17.0, 179.9), (-17.0, -179.9), (64.0, -21.0), (0.0, 0.0)])
def test_view_holds_the_region(lat: float, lon: float) -> None:
    view = fit([located_at(lat, lon)], 820, 372)
    assert view.lat_deg == pytest.approx(lat, abs=1.5)
    assert abs((view.lon_deg - lon + 180) % 360 - 180) < 1.5
    assert 3.0 < view.zoom < 7.6


def test_the_same_view_asked_for_twice_differs_by_less_than_a_metre() -> None:
    one, two = (json.loads(deck([], fit([located_at(48, 11)], 820, 372, turn), False).to_json()) for turn in (1, 2))
    a, b = one["initialViewState"], two["initialViewState"]
    assert a != b
    assert abs(a["latitude"] - b["latitude"]) < 1e-5


def test_deck_names_no_provider_and_no_address() -> None:
    x = located_at(48.0, 11.0)
    layers = [
        sea_layer(False),
        mass_layer(x, False),
        *outline_layers(x, False, False),
        *place_layers([x], False, False),
    ]
    spec = deck(layers, View(), False).to_json()
    assert "http" not in spec and "mapbox" not in spec and "carto" not in spec
    assert json.loads(spec)["views"][0]["@@type"] == "MapView"


def test_scale_is_the_same_on_every_map_and_reads_in_grey() -> None:
    assert len(MASS_STOPS) + 1 == len(RANGE_STOPS) + 1 == len(palette(False))
    grey = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in palette(False)]
    assert all(a > b for a, b in pairwise(grey))
    assert palette(True) == palette(False)[::-1]


def test_denser_cells_take_a_later_colour() -> None:
    grid = grid_at(48.0, 11.0)
    mass = np.linspace(1, 50, len(grid))
    posterior = Posterior(grid, np.log(mass / mass.sum()))
    x = located_at(48.0, 11.0)
    x = Located("sound", posterior, x.prior, x.place, 1.0, None, x.regions_km2)
    rows = mass_layer(x, False).data
    order = [palette(False).index(tuple(r["f"][:3])) for r in rows]
    density = dict(zip((f"{c:x}" for c in grid.cells.tolist()), posterior.log_density, strict=True))
    ranked = [o for _, o in sorted(zip((density[r["h"]] for r in rows), order, strict=True))]
    assert ranked == sorted(ranked) and len(set(ranked)) > 1


def test_a_tone_is_where_it_sounds() -> None:
    rate = 48_000
    t = np.arange(rate) / rate
    level = levels_db(np.sin(2 * np.pi * 6000 * t).astype(np.float32))
    peak_hz = level.mean(axis=1).argmax() * rate / 1024
    assert peak_hz == pytest.approx(6000, abs=rate / 1024)
    assert level.max() == pytest.approx(0.0) and level.min() >= -72.0


def test_silence_and_a_scrap_of_sound_have_a_spectrogram() -> None:
    for samples in (np.zeros(48_000, np.float32), np.ones(10, np.float32) * 0.1):
        figure = spectrogram(samples, 48_000, 2.0, dark=False)
        assert "kHz" in figure.layout.yaxis.title.text and "(s)" in figure.layout.xaxis.title.text
        assert figure.layout.xaxis.range[0] == 2.0


def test_words_are_public() -> None:
    assert words.clock(83.4) == "1:23.4"
