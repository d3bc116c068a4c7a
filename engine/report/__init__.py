"""A Finding as a document: JSON, GeoJSON, KML, CSV, tables for Raven and ELAN, and a report as HTML or PDF. No inference here.

Every function takes the Finding and returns the document's text or bytes; writing it to disk is the caller's business.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.report.figures.colour import MASS_COLOURS, MODALITY_COLOURS
    from engine.report.formats.document import to_json
    from engine.report.formats.elan import to_elan
    from engine.report.formats.geojson import to_geojson
    from engine.report.formats.html import to_html
    from engine.report.formats.kml import to_kml
    from engine.report.formats.pdf import to_pdf
    from engine.report.formats.raven import to_raven
    from engine.report.formats.schema import json_schema
    from engine.report.formats.csv import to_csv

_HOME = {
    "MASS_COLOURS": "colour",
    "MODALITY_COLOURS": "colour",
    "json_schema": "schema",
    "to_csv": "table",
    "to_elan": "elan",
    "to_geojson": "geojson",
    "to_html": "html",
    "to_json": "document",
    "to_kml": "kml",
    "to_pdf": "pdf",
    "to_raven": "raven",
    "write_reel": "reel",
}

__all__ = [
    "MASS_COLOURS",
    "MODALITY_COLOURS",
    "json_schema",
    "to_csv",
    "to_elan",
    "to_geojson",
    "to_html",
    "to_json",
    "to_kml",
    "to_pdf",
    "to_raven",
    "write_reel",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
