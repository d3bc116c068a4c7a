"""Make assets/world/borders.npz again, after make_world.py: which towns the border lines put into the wrong country.

    python scripts/make_borders.py

For every town of places.npz whose centre lies, by the lines of countries.npz, in another country than GeoNames says:
- in an area of disputed.csv, farther than LINE_KM from the country GeoNames names, the town is Natural Earth's;
- else the line is wrong there, or the islet missing, and the town is GeoNames'.
Towns right at a border are kept, too: their middle is theirs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.core import sphere
from engine.world import assets, borders, countries, disputed

LINE_KM = 2.0
# GeoNames numbers of towns whose coordinates are wrong: Sarupathar in Assam is put a hundred kilometres inside Myanmar.
WRONG = {7302858}
BORDER_KM = 3.0  # a town with another country this near, in one of four directions, stands at a border
MOST_KM = 5.0  # a correction reaches no farther beyond the town than this
REACH_KM, REACH_PER_ROOT = 1.5, 0.009  # as in engine.world.places: how far a town of so many people reaches


def km_to_country(lat: float, lon: float, number: int, tree: shapely.STRtree, owner: NDArray[np.int64]) -> float:
    """Kilometres from a place to a country's outline; infinite where it has none."""
    own = np.flatnonzero(owner == number)
    if not len(own):
        return float("inf")
    point = shapely.Point(lon, lat)
    nearest = own[np.argsort(shapely.distance(point, tree.geometries[own]))[:6]]
    ends = [shapely.get_coordinates(shapely.shortest_line(point, tree.geometries[t]))[-1] for t in nearest]
    return min(float(sphere.distance_km(lat, lon, y, x)) for x, y in ends)


def near_another(lat: NDArray[np.float64], lon: NDArray[np.float64], own: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) whether another country's outline lies BORDER_KM to the north, south, east or west."""
    up = np.degrees(BORDER_KM / sphere.EARTH_RADIUS_KM)
    found = np.zeros(len(lat), dtype=bool)
    for north, east in ((up, 0.0), (-up, 0.0), (0.0, up), (0.0, -up)):
        there = countries.by_outlines(np.clip(lat + north, -90.0, 90.0), lon + east / np.maximum(np.cos(np.radians(lat)), 0.05))
        found |= (there >= 0) & (there != own)
    return found


def main() -> None:
    held = assets.arrays("places")
    lat, lon = held["lat_udeg"] / 1e6, held["lon_udeg"] / 1e6
    listed, people = held["country"].astype(np.int64), held["people"].astype(np.float64)
    tree, owner = countries.tiles()
    drawn = countries.by_lines(lat, lon)
    own = listed.copy()
    radius = np.zeros(len(lat))
    table = countries.table()
    for i in np.flatnonzero(drawn != listed):
        km = km_to_country(lat[i], lon[i], int(listed[i]), tree, owner)
        code = table[drawn[i]].code if drawn[i] >= 0 else ""
        if code and km > LINE_KM and disputed.at(lat[i], lon[i], code):
            own[i] = drawn[i]
            continue
        if int(held["geoname"][i]) in WRONG:
            continue
        reach = REACH_KM + REACH_PER_ROOT * np.sqrt(people[i]) + min(km, MOST_KM)
        # Of a country smaller than that, such as the Vatican, no more than it has.
        size = np.sqrt(max(table[listed[i]].area_km2, 0.1) / np.pi)
        radius[i] = countries.COAST_KM if drawn[i] < 0 else min(reach, size) if size < 3.0 else reach
    # The middle of a town at a border is the town's, too, where the lines run through it.
    at_border = near_another(lat, lon, own) & (radius == 0) & (drawn == listed)
    radius[at_border] = np.minimum(1.5, (REACH_KM + REACH_PER_ROOT * np.sqrt(people[at_border])) / 2.0)
    xyz = sphere.to_xyz(lat, lon)
    chord = 2.0 * np.sin(borders.NEIGHBOURS_KM / sphere.EARTH_RADIUS_KM / 2.0)
    around = cKDTree(xyz).query_ball_point(xyz[(radius > 0) & ~at_border], chord)
    kept = np.unique(np.concatenate([np.array(a, dtype=np.int64) for a in (*around, np.flatnonzero(at_border))]))
    changed = np.flatnonzero(own != listed)
    np.savez_compressed(
        assets.WORLD / "borders.npz",
        lat_udeg=held["lat_udeg"][kept],
        lon_udeg=held["lon_udeg"][kept],
        country=own[kept].astype(np.int16),
        radius_km=radius[kept].astype(np.float32),
        city=changed.astype(np.int32),
        drawn=own[changed].astype(np.int16),
    )
    misplaced = int(((radius > 0) & ~at_border).sum())
    print(f"{misplaced} towns misplaced by the lines, {at_border.sum()} others at borders")
    print(f"{len(changed)} in disputed areas, {len(kept)} kept")


if __name__ == "__main__":
    main()
