"""An Affinity as GeoJSON (RFC 7946) and CSV: every cell with its affinity and the share of land that is above it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from engine.core.affinity import Affinity
from engine.media.source import shown
from engine.report.figures.shape import cell_polygon
from engine.report.formats.geojson import geometry


def affinity_geojson(affinity: Affinity, most_land: float = 1.0) -> str:
    """A FeatureCollection of the cells, best first.

    Args:
        most_land: share of the land, 0 to 1, to write: 0.1 writes the best tenth.
    """
    features: list[dict[str, Any]] = []
    for i in (-affinity.value).argsort(kind="stable"):
        if affinity.land_above[i] > most_land and features:
            break
        cell = int(affinity.grid.cells[i])
        said = {
            "cell": f"{cell:x}",
            affinity.unit: round(float(affinity.value[i]), 5),
            "land_above": round(float(affinity.land_above[i]), 5),
        }
        features.append({"type": "Feature", "geometry": geometry(cell_polygon(cell)), "properties": said})
    collection = {
        "type": "FeatureCollection",
        "name": f"Earwitness: affinity of {shown(affinity.title, 200)}",
        "kind": affinity.kind,
        "how": shown(affinity.how, 300),
        "models": list(affinity.models),
        "features": features,
    }
    return json.dumps(collection, allow_nan=False, separators=(",", ":")) + "\n"


def affinity_csv(affinity: Affinity) -> str:
    """Lines of cell, latitude, longitude, the affinity under the name of its unit, land_above, in the grid's order."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["cell", "latitude", "longitude", affinity.unit, "land_above"])
    lat, lon = affinity.grid.lat_lon_deg
    for i, cell in enumerate(affinity.grid.cells.tolist()):
        row = [f"{cell:x}", f"{lat[i]:.5f}", f"{lon[i]:.5f}", f"{affinity.value[i]:.5f}", f"{affinity.land_above[i]:.5f}"]
        writer.writerow(row)
    return out.getvalue()
