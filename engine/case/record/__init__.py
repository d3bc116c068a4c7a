"""A case on disk or in PostgreSQL: clips, findings, decisions, the log, and whether they were altered."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
