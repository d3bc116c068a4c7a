"""Where the map's border lines are known to be wrong: towns that they put into the neighbour's country.

Natural Earth's 10 m borders, as the map has them, are true to some 400 m at best and often to 2 km, and leave small islands out.
Where GeoNames lists a town in one country and the lines put its centre into another, the line errs, unless the country is
disputed. Around such a town, and in the middle of every town at a border, a place belongs to the country of the nearest town.
scripts/make_borders.py makes the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from engine.core import sphere
from engine.world import assets

NEIGHBOURS_KM = 15.0  # towns this near to a misplaced one take part in the choice


@dataclass(frozen=True, slots=True, eq=False)
class Towns:
    """Misplaced towns, those around them, and all at borders.

    Attributes:
        tree: of unit vectors (n, 3).
        country: (n,) index into `countries.table`.
        radius_km: (n,) how far a town's country reaches around it, whatever the lines say; 0 for those away from borders.
    """

    tree: cKDTree
    country: NDArray[np.int64]
    radius_km: NDArray[np.float64]


@cache
def towns() -> Towns:
    """The towns of assets/world/borders.npz."""
    held = assets.arrays("borders")
    xyz = sphere.to_xyz(held["lat_udeg"].astype(np.float64) / 1e6, held["lon_udeg"].astype(np.float64) / 1e6)
    return Towns(cKDTree(xyz), held["country"].astype(np.int64), held["radius_km"].astype(np.float64))


def corrected(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Countries (n,) that the lines give to places (n,), put right around misplaced towns."""
    t = towns()
    if not len(t.country) or not len(found):
        return found
    most = float(t.radius_km.max())
    xyz = sphere.to_xyz(lat_deg, lon_deg)
    reach = 2.0 * np.sin(most / sphere.EARTH_RADIUS_KM / 2.0)
    chord, nearest = t.tree.query(xyz, distance_upper_bound=reach)
    out = found.copy()
    for i in np.flatnonzero(np.isfinite(chord)):
        country = t.country[nearest[i]]
        if country == found[i]:
            continue
        around = np.array(t.tree.query_ball_point(xyz[i], reach), dtype=np.int64)
        km = sphere.pairwise_km(xyz[i][None], np.asarray(t.tree.data)[around])[0]
        if ((km <= t.radius_km[around]) & (t.country[around] == country)).any():
            out[i] = country
    return out


@cache
def drawn_elsewhere() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of `places.cities` in disputed areas, each (m,), and the country that Natural Earth draws them in."""
    held = assets.arrays("borders")
    return held["city"].astype(np.int64), held["drawn"].astype(np.int64)
