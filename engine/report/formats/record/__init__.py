"""A Finding as JSON, "earwitness.finding/1": the records that are written, by topic, each beside what fills it.

The document is a tree of frozen dataclasses: what they say is what `document.to_json` writes, and `schema.json_schema` is made
from them, so that neither can drift from the other. Times are seconds from the clip's start, coordinates degrees, areas km²,
masses shares of 1, information nats. Cells are H3 indices in hexadecimal. Fields may be added within version 1; none changes its
meaning. tests/report/finding.schema.json holds the schema as it was last agreed on: `make schema` writes it anew.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
