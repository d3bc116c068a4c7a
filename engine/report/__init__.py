"""A Finding as a document: JSON, GeoJSON, KML, CSV, tables for Raven and ELAN, and a report as HTML or PDF. No inference here.

Every function takes the Finding and returns the document's text or bytes; writing it to disk is the caller's business.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
