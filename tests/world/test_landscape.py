"""What the land looks like, at places that everybody knows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.world import assets, landscape
from engine.world.grid import world_grid

ROOT = Path(__file__).resolve().parents[2]


def at(lat_deg: float, lon_deg: float) -> landscape.Landscape:
    return landscape.at(np.array([lat_deg]), np.array([lon_deg]))


@pytest.mark.parametrize(
    ("lat", "lon", "cover"),
    [
        (24.0, 5.0, "barren"),  # Sahara
        (-5.0, -63.0, "evergreen-broadleaf"),  # Amazon
        (62.0, 17.0, "needleleaf"),  # Sweden
        (48.86, 2.35, "urban"),  # Paris
        (72.0, -40.0, "snow"),  # Greenland
        (0.0, -150.0, "water"),  # Pacific
        (42.0, -94.0, "crop"),  # Iowa
        (47.5, 104.0, "grass"),  # Mongolia
    ],
)
def test_cover(lat: float, lon: float, cover: str) -> None:
    found = at(lat, lon)
    assert found.cover.shape == (1, 13) and found.cover.sum() == pytest.approx(1.0)
    assert landscape.COVERS[int(found.cover[0].argmax())] == cover


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [(1.35, 103.82, "Af"), (30.05, 31.25, "BWh"), (51.5, -0.12, "Cfb"), (55.75, 37.62, "Dfb"), (37.98, 23.73, "Csa"),
     (36.0, 138.0, "Dfb"), (78.2, 15.6, "ET"), (-3.0, -60.0, "Af")],
)  # fmt: skip
def test_climate(lat: float, lon: float, code: str) -> None:
    found = at(lat, lon)
    codes = {landscape.CLIMATES[i] for i in found.climate[0] if i >= 0}
    assert code in codes
    assert found.climate_share([code])[0] > 0.0 and found.climate_share(list("ABCDE"))[0] == pytest.approx(1.0)


def test_heights() -> None:
    everest, netherlands, death_valley = at(27.99, 86.93), at(52.3, 5.5), at(36.35, -116.9)
    assert everest.high_m[0] > 5500.0 and everest.relief_m[0] > 1000.0
    assert abs(netherlands.mean_m[0]) < 30.0 and netherlands.relief_m[0] < 150.0
    assert death_valley.low_m[0] < 0.0 and death_valley.relief_m[0] > 1500.0
    for x in (everest, netherlands, death_valley):
        assert x.low_m[0] <= x.mean_m[0] <= x.high_m[0] <= x.low_m[0] + x.relief_m[0]


def test_waters() -> None:
    assert at(43.3, 5.4).sea_km[0] < 15.0  # Marseille
    assert at(44.0, 34.0).sea_km[0] == 0.0  # the Black Sea is one, though no ocean
    assert at(41.88, -87.6).sea_km[0] > 400.0 and at(41.88, -87.6).lake_km[0] < 10.0  # Chicago has a lake and no sea
    assert at(47.9, 106.9).sea_km[0] > 500.0  # Ulaanbaatar


def test_temperatures_and_snow() -> None:
    yakutsk, sydney, oslo, lagos, zermatt = at(62.0, 129.7), at(-33.87, 151.2), at(59.9, 10.75), at(6.5, 3.4), at(46.0, 7.75)
    assert yakutsk.months_c[0, 0] < -30.0 and yakutsk.coldest_c[0] == yakutsk.months_c[0].min()
    assert sydney.months_c[0, 6] == pytest.approx(12.0, abs=2.0) and sydney.warmest_c[0] == sydney.months_c[0].max()
    assert oslo.snow(1)[0] > 0.7 > 0.1 > oslo.snow(7)[0] and lagos.snow(0)[0] < 0.001
    assert oslo.snow(0)[0] == pytest.approx(np.mean([oslo.snow(m)[0] for m in range(1, 13)]))
    assert zermatt.peak_snow(5)[0] >= zermatt.snow(5)[0]
    assert at(24.0, 5.0).snow(0)[0] < 0.01  # the Sahara is dry as well as warm
    assert lagos.rain_mm[0].sum() == pytest.approx(1650.0, rel=0.25)


def test_edges_of_the_map() -> None:
    west, east = at(66.0, -180.0), at(66.0, 180.0)
    assert (west.cover == east.cover).all() and (west.climate == east.climate).all()
    for lat in (90.0, -90.0):
        assert np.isfinite(at(lat, 0.0).months_c).all()
    for lat, lon in ((np.nan, 0.0), (0.0, np.inf), (91.0, 0.0)):
        with pytest.raises(ValueError, match="finite"):
            at(lat, lon)


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="lava"):
        landscape.cover_index(["water", "lava"])
    with pytest.raises(ValueError, match="Zz"):
        landscape.climates_of(["Zz"])


def test_a_grid_is_seen_at_several_points() -> None:
    grid = world_grid()
    seen = landscape.of(grid)
    assert landscape.of(grid) is seen
    assert len(seen.cell) == 7 * len(grid) and np.bincount(seen.cell).min() == 7
    assert seen.mean(seen.cell.astype(float)) == pytest.approx(np.arange(len(grid)))
    lat, _ = grid.lat_lon_deg
    assert np.corrcoef(seen.mean(seen.land.coldest_c), np.abs(lat))[0, 1] < -0.8


def test_the_file_is_small() -> None:
    assert assets.path_of("landscape.npz").stat().st_size < 6e6


@pytest.mark.slow
def test_the_script_makes_the_same(tmp_path: Path) -> None:
    """The packages are downloaded; without a network there is nothing to compare."""
    made = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_landscape.py"), "--out", str(tmp_path)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"the packages cannot be had: {made.stderr.strip().splitlines()[-1]}")
    with np.load(tmp_path / "landscape.npz") as found, np.load(assets.path_of("landscape.npz")) as shipped:
        assert set(found) == set(shipped)
        for name in shipped:
            assert (found[name] == shipped[name]).all(), name
