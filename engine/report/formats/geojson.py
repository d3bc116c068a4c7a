"""A Finding as GeoJSON (RFC 7946): the places, the outlines of the credible regions, and the cells with their mass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from engine.core.claim import ClaimTest
from engine.core.finding import Finding, Located
from engine.core.posterior import Place
from engine.media.source import shown
from engine.report.figures.colour import modality_colour
from engine.report.figures.shape import cell_polygon, polygons_of, region_shape
from engine.report.formats.record import LEAST_MASS, SHARES, clip_name, region_of
from engine.report.view import words
from engine.report.view.text import clean

_DIGITS = 5  # about a metre


def to_geojson(finding: Finding) -> str:
    """A FeatureCollection: per modality that spoke a point, a region for each share, and every cell of LEAST_MASS or more.

    Each claim tested is a point. Properties of every feature: feature ("place", "region", "cell" or "claim"), modality,
    clip, sha256. A modality that cannot tell has no features; `cannot_tell` of the collection says why.
    """
    features = [f for x in finding.located if x.place for f in _features(finding, x, x.place)]
    features += [_claim(finding, t) for t in finding.claims]
    collection = {
        "type": "FeatureCollection",
        "name": clean(f"Earwitness: {clip_name(finding.clip)}"),
        "cannot_tell": clean({x.modality: x.cannot_tell for x in finding.located if not x.spoke}),
        "features": features,
    }
    return json.dumps(collection, allow_nan=False, separators=(",", ":")) + "\n"


def _features(finding: Finding, x: Located, place: Place) -> Iterator[dict[str, Any]]:
    common = {"modality": x.modality, "clip": clip_name(finding.clip), "sha256": finding.clip.sha256}
    colour = modality_colour(x.modality)
    yield _feature(
        {"type": "Point", "coordinates": [_number(place.lon_deg), _number(place.lat_deg)]},
        {
            "feature": "place",
            **common,
            "name": shown(place.name, 200),
            "where": shown(x.where, 200),
            "where_is": x.where_is,
            "mass": _share(place.mass),
            "radius_km": place.radius_km,
            "gain_nats": _share(x.gain_nats),
            "marker-color": colour,
        },
    )
    for share in SHARES:
        cells = x.posterior.grid.cells[x.posterior.region(share)]
        yield _feature(
            geometry(region_shape(cells)),
            {
                "feature": "region",
                **common,
                "name": f"{words.modality(x.modality)}: {share:.0%} region",
                "share": share,
                "area_km2": round(x.posterior.region_area_km2(share)),
                "stroke": colour,
                "stroke-width": 2,
                "fill": colour,
                "fill-opacity": 0.05,
            },
        )
    mass, region, density = x.posterior.mass, region_of(x), np.exp(x.posterior.log_density)
    for i in np.flatnonzero(mass >= LEAST_MASS):
        cell = int(x.posterior.grid.cells[i])
        yield _feature(
            geometry(cell_polygon(cell)),
            {
                "feature": "cell",
                **common,
                "cell": f"{cell:x}",
                "mass": _share(mass[i]),
                "mass_per_km2": _share(density[i]),
                "region": float(region[i]),
            },
        )


def _claim(finding: Finding, t: ClaimTest) -> dict[str, Any]:
    c = t.claim
    return _feature(
        {"type": "Point", "coordinates": [_number(c.lon_deg), _number(c.lat_deg)]},
        {
            "feature": "claim",
            "modality": "claim",
            "clip": clip_name(finding.clip),
            "sha256": finding.clip.sha256,
            "name": shown(t.place, 200),
            "source": c.source,
            "date": c.when.isoformat() if c.when else None,
            "radius_km": c.radius_km,
            "verdict": t.verdict,
            "support": t.support,
            "log10_ratio": {f.modality: _share(f.log10_factor) for f in t.factors},
            "marker-color": modality_colour("claim"),
        },
    )


def geometry(shape: BaseGeometry) -> dict[str, Any]:
    """A GeoJSON geometry of a polygon or several, coordinates to five digits."""
    rings = [[_ring(r.coords) for r in (p.exterior, *p.interiors)] for p in polygons_of(shape)]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": clean(properties)}


def _ring(coordinates: Any) -> list[list[float]]:
    rounded: list[list[float]] = np.round(np.asarray(coordinates), _DIGITS).tolist()
    return rounded


def _number(degrees: float) -> float:
    return round(float(degrees), _DIGITS)


def _share(value: float) -> float:
    return float(f"{value:.6g}")
