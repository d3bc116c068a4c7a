"""The drawings of cues: one of each that can be seen, harmless, and those that the script draws."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from engine.clues.cues.pictures import HEIGHT, WIDTH, cue_sheet, pictures
from engine.clues.cues.table import table

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "g": {"transform"},
    "rect": {"x", "y", "width", "height", "rx", "fill", "stroke", "stroke-width", "transform"},
    "circle": {"cx", "cy", "r", "fill", "stroke", "stroke-width"},
    "ellipse": {"cx", "cy", "rx", "ry", "fill"},
    "polygon": {"points", "fill"},
    "path": {"d", "fill", "stroke", "stroke-width", "stroke-linecap"},
    "text": {"x", "y", "font-size", "font-family", "font-weight", "text-anchor", "fill"},
}


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cue_pictures", ROOT / "scripts" / "cue_pictures.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_cue_that_is_seen_has_a_picture() -> None:
    assert set(pictures()) == {c.id for c in table() if c.notable and c.modality == "picture"}


def test_the_file_is_what_the_script_draws() -> None:
    assert script().drawn() == pictures()


@pytest.mark.parametrize("cue", sorted(pictures()))
def test_a_picture_is_shapes_and_nothing_else(cue: str) -> None:
    root = ET.fromstring(f"<svg>{pictures()[cue]}</svg>")
    inside = [e for e in root.iter() if e is not root]
    assert len(inside) >= 3
    for e in inside:
        assert set(e.attrib) <= ALLOWED[e.tag], f"{e.tag} {e.attrib}"
        assert not any("url" in value or ":" in value for value in e.attrib.values())
    first = inside[0].attrib  # a ground of its own, so that it is seen on a dark page too
    assert inside[0].tag == "rect" and (first["x"], first["y"], first["width"]) == ("0", "0", str(WIDTH))


def test_no_two_pictures_are_alike() -> None:
    assert len(set(pictures().values())) == len(pictures())


def test_a_sheet_has_each_in_its_place() -> None:
    root = ET.fromstring(cue_sheet(("veg-palms", "no-such-cue", "terrain-sea"), 2))
    tiles = list(root)
    assert [(t.attrib["x"], t.attrib["y"]) for t in tiles] == [("0", "0"), ("0", str(HEIGHT))]
    assert root.attrib["viewBox"] == f"0 0 {2 * WIDTH} {2 * HEIGHT}"
