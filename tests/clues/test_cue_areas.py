"""Where cues are found: the language of the table's areas, by known answers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from engine.clues.cues import areas
from engine.core.errors import DataError
from engine.core.grid import Grid
from engine.world.grid import world_grid

PLACES = {
    "Zermatt": (46.02, 7.75), "Amsterdam": (52.37, 4.9), "Oslo": (59.91, 10.75), "Lagos": (6.52, 3.38), "Sydney": (-33.87, 151.2),
    "Tamanrasset": (22.79, 5.52), "Manaus": (-3.1, -60.0), "Yakutsk": (62.03, 129.73), "Miami": (25.77, -80.2),
    "Chicago": (41.88, -87.63), "Ulaanbaatar": (47.92, 106.92), "Bergen": (60.39, 5.32), "Athens": (37.98, 23.73),
    "Tokyo": (35.68, 139.69), "Denver": (39.74, -104.98), "Lhasa": (29.65, 91.1),
}  # fmt: skip


def at(text: str, place: str, when: date | None = None) -> float:
    grid = world_grid()
    cell = grid.locate(*(np.array([x]) for x in PLACES[place]))[0]
    return float(areas.chance(text, grid, when)[cell])


@pytest.mark.parametrize(
    ("text", "there", "elsewhere"),
    [
        ("CH", "Zermatt", "Athens"),
        ("@region:Southern_Europe", "Athens", "Oslo"),
        ("@driving:left", "Tokyo", "Chicago"),
        ("25:26.5:-81:-79.5", "Miami", "Denver"),
        ("@sea:30", "Lagos", "Denver"),
        ("@lake:15", "Chicago", "Tamanrasset"),
        ("@relief:900", "Zermatt", "Amsterdam"),
        ("@flat:170", "Amsterdam", "Zermatt"),
        ("@high:2000", "Lhasa", "Miami"),
        ("@coldest:6", "Miami", "Chicago"),
        ("@warmest:25", "Tamanrasset", "Bergen"),
        ("@climate:Af+Am", "Manaus", "Athens"),
        ("@climate:Cs", "Athens", "Tokyo"),
        ("@land:barren", "Tamanrasset", "Manaus"),
        ("@land:evergreen-broadleaf", "Manaus", "Ulaanbaatar"),
        ("@city:1000000", "Chicago", "Zermatt"),
        ("@mains:60", "Chicago", "Oslo"),
        ("NO&@sea:30", "Bergen", "Miami"),
        ("@peaksnow&@relief:900", "Zermatt", "Lagos"),
    ],
)
def test_here_and_not_there(text: str, there: str, elsewhere: str) -> None:
    assert at(text, there) > 0.5 * areas.chance(text, world_grid()).max()
    assert at(text, elsewhere) < 0.2


def test_alternatives_and_conditions() -> None:
    for place in ("Zermatt", "Athens", "Oslo"):
        assert at("CH GR", place) == max(at("CH", place), at("GR", place))
        assert at("CH+GR", place) == at("CH GR", place)
    assert at("CH&GR", "Zermatt") == 0.0


def test_snow_goes_by_the_month_and_the_hemisphere() -> None:
    january, july = date(2024, 1, 15), date(2024, 7, 15)
    assert at("@snow", "Oslo", january) > 0.6 and at("@snow", "Oslo", july) < 0.05
    assert at("@snow", "Lagos", january) < 0.01
    assert at("@snow", "Oslo", july) < at("@snow", "Oslo") < at("@snow", "Oslo", january)


def test_another_clue_decides() -> None:
    assert not areas.chance("@here", world_grid()).any()


def test_a_finer_grid_agrees_with_the_world() -> None:
    """A cell's chance is about the mean of its children's."""
    import h3.api.numpy_int as h3

    grid = world_grid()
    cell = int(grid.cells[grid.locate(np.array([46.02]), np.array([7.75]))[0]])
    fine = Grid.of(h3.cell_to_children(cell, 5))
    for text in ("@relief:900", "@land:needleleaf+mixed", "@coldest:6", "@snow"):
        assert areas.chance(text, fine).mean() == pytest.approx(
            areas.chance(text, grid)[grid.index_of(np.array([cell], np.uint64))[0]], abs=0.12
        )


@pytest.mark.parametrize(
    "text",
    [
        "XX",
        "@region:Nowhere",
        "@land:lava",
        "@climate:Zz",
        "@relief:high",
        "@smell:30",
        "10:5:0:1",
        "1:2:3",
        "@land:",
        "@region:",
    ],
)
def test_a_wrong_area_is_named(text: str) -> None:
    with pytest.raises(DataError, match="The area"):
        areas.parsed(text)


def test_chances_are_chances() -> None:
    from engine.clues.cues.table import table

    grid = world_grid()
    for cue in table():
        found = areas.chance(cue.areas, grid, date(2024, 4, 1))
        assert found.shape == (len(grid),) and np.isfinite(found).all() and found.min() >= 0.0 and found.max() <= 1.0, cue.id
