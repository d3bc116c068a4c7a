"""What the colours, lines and priors of the maps mean."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.figures.layers import AFFINITY_STOPS, MASS_STOPS, RANGE_STOPS, legend_ticks, palette
from app.panels.banner import REGION, modality_colour
from app.panels.style import clean, dark, swatch, tip
from engine import Located
from engine.report.view import words

PRIOR = "Where recordings come from, before anything in this one is considered."

_PRIORS = {
    "mixture": "Mixture of land and observers",
    "land": "Land: uniform by area",
    "observer": "Observers: where photos are taken",
    "population": "Population: where people live",
}


def prior_label(name: str) -> str:
    """A prior in words, for a menu."""
    return _PRIORS.get(name, name)


def map_legend(located: Sequence[Located], prior: str) -> None:
    """What the colours and lines of the map mean."""
    about = "The same steps on every map. A uniform posterior over land would show 0.007% everywhere."
    keys = "".join(
        f"<span class='ew-key'>{swatch(x.modality)} {clean(words.modality(x.modality))}: place</span>"
        f"<span class='ew-key'>{_line(x.modality, False)}{tip('50%', REGION)}"
        f"{_line(x.modality, True)}{tip('90% region', REGION)}</span>"
        for x in located
        if x.spoke
    )
    st.html(f"<div class='ew-legend'>{_scale(MASS_STOPS)}{tip('probability per 10,000 km²', about)}{keys}</div>")


def range_legend() -> None:
    """The same for a range map."""
    about = "Probability that a checklist from there lists the species, by BirdNET's range model."
    st.html(f"<div class='ew-legend'>{_scale(RANGE_STOPS)}{tip('probability of being recorded', about)}</div>")


def affinity_legend() -> None:
    """The same for an affinity map."""
    about = "Each step covers that share of the world's land; the least similar half is not coloured."
    st.html(f"<div class='ew-legend'>{_scale(AFFINITY_STOPS)}{tip('of the most similar land', about)}</div>")


def _scale(stops: Sequence[float]) -> str:
    boxes = "".join(f"<i style='background:rgb{c}'></i>" for c in palette(dark()))
    ticks = "".join(f"<i>{t}</i>" for t in legend_ticks(stops))
    return f"<span class='ew-scale'><span class='ew-boxes'>{boxes}</span><span class='ew-ticks'>{ticks}</span></span>"


def _line(modality: str, thin: bool) -> str:
    return f"<span class='ew-rule{' ew-thin' if thin else ''}' style='border-color:{modality_colour(modality)}'></span>"
