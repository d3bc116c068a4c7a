"""Colours, the same on every map and mark of the program.

Mass is drawn in one sequential scale from light to dark teal: its lightness falls evenly, so it reads in grey and with any
colour vision. Modalities differ in hue and in lightness, and are always named beside the colour too.
"""

from __future__ import annotations

MASS_COLOURS = ("#e3f1ec", "#bfe0d6", "#93cabf", "#63b0ab", "#3a9296", "#217380", "#165568", "#10394f", "#0b2036")

MODALITY_COLOURS = {"sound": "#e69100", "picture": "#0062be", "both": "#7c3abe", "container": "#5b6670", "claim": "#141414"}

LAND = "#e9e8e3"
SEA = "#ffffff"
COAST = "#a5a39a"
BORDER = "#cfcdc5"
GRATICULE = "#e3e6ea"


def modality_colour(modality: str) -> str:
    """The colour of a modality; grey for one that has none."""
    return MODALITY_COLOURS.get(modality, "#5b6670")
