"""What all sessions share and is made once: models, tables, ranges, the land under the maps."""

from __future__ import annotations

import logging
import threading
from datetime import date
from functools import lru_cache

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.figures.cuemaps import map_sheet
from app.figures.ground import ground_json
from app.session import media
from engine import Grid
from engine.analysis import cue_groups, cue_map
from engine.analysis import species_range as engine_species_range
from engine.analysis import warm_up as engine_warm_up
from engine.models import Reasoner

_LOG = logging.getLogger("earwitness.app")


def ground_urls() -> dict[str, str]:
    """Where land, coast and borders are served: the browser fetches them once."""
    return {kind: media.served(document, "application/json", kind) for kind, document in ground_json("medium").items()}


@lru_cache(maxsize=64)
def species_range(latin: str, when: date | None) -> tuple[Grid, NDArray[np.floating]]:
    """Where a species is recorded, as `engine.species_range`; kept."""
    return engine_species_range(latin, when)


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Load models and tables in the background, once, while the analyst chooses a clip."""

    def load() -> None:
        try:
            engine_warm_up()
            ground_json("medium")
        except Exception as error:
            _LOG.warning("warming up failed: %s", error)

    thread = threading.Thread(target=load, name="warm-up", daemon=True)
    thread.start()
    return thread


@st.cache_resource(show_spinner=False)
def reasoner(size: str) -> Reasoner:
    """One of each size for the whole program: loading takes long, and memory."""
    return Reasoner(size)


@lru_cache(maxsize=4)
def cue_maps(ids: tuple[str, ...], columns: int, dark: bool) -> bytes:
    """PNG sheet of small maps of where these cues are found, in rows of so many."""
    by = {c.id: c for _, own in cue_groups() for c in own}
    drawn = [cue_map(by[name]) for name in ids]
    return map_sheet(drawn[0][0], [chance for _, chance in drawn], columns, dark)
