"""Draw assets/cues/pictures.json again: a small picture of each cue that can be seen, 96 by 64, ours.

    python scripts/cue_pictures.py [--sheet FILE.html]

A picture is a string of SVG shapes, made of the few kinds below. Coordinates are pixels from the upper left; nothing refers to
anything outside.
"""

# ruff: noqa: E501
# fmt: off
# One line a picture: broken up, they are harder to read beside each other.
from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "cues"
SKY, GRASS, SAND, SEA, SNOW, ROCK, ROAD = "#bfe0f2", "#8cb86a", "#e3c98f", "#3f86b5", "#f7fafc", "#8b8781", "#6c6f73"
WALL, BRICK, STONE, WOOD, TILE, SLATE, LEAF, DARK, GLASS, SKIN = (
    *("#f2e6cf", "#a8523c", "#b3aa9c", "#9b6b3f", "#c4553a", "#5a626c", "#4f8a3d", "#2f3a40", "#7fb2cf", "#c99a74"),
)


# --- shapes ---------------------------------------------------------------------------------------------------------------


def rect(x: float, y: float, w: float, h: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" fill="{fill}"{more}/>'


def poly(points: str, fill: str) -> str:
    return f'<polygon points="{points}" fill="{fill}"/>'


def disc(x: float, y: float, r: float, fill: str) -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" fill="{fill}"/>'


def oval(x: float, y: float, rx: float, ry: float, fill: str) -> str:
    return f'<ellipse cx="{x:g}" cy="{y:g}" rx="{rx:g}" ry="{ry:g}" fill="{fill}"/>'


def line(d: str, stroke: str, width: float = 2, more: str = "") -> str:
    return f'<path d="{d}" fill="none" stroke="{stroke}" stroke-width="{width:g}" stroke-linecap="round"{more}/>'


def shape(d: str, fill: str) -> str:
    return f'<path d="{d}" fill="{fill}"/>'


def text(x: float, y: float, said: str, size: float, fill: str = DARK, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" font-family="sans-serif" font-weight="700" text-anchor="{anchor}" '
        f'fill="{fill}">{said}</text>'
    )


def land(ground: str = GRASS, horizon: float = 44, sky: str = SKY) -> str:
    return rect(0, 0, 96, 64, sky) + rect(0, horizon, 96, 64 - horizon, ground)


def water(y: float, fill: str = SEA) -> str:
    waves = "".join(line(f"M{x} {y + d}h12", "#d8ecf5", 1.5) for x, d in ((8, 7), (34, 12), (64, 6), (50, 17), (14, 17)))
    return rect(0, y, 96, 64 - y, fill) + waves


def peaks(fill: str = ROCK, snow: str = "", y: float = 46) -> str:
    caps = poly("28,16 20,28 26,26 30,30 36,26", snow) + poly("62,10 52,24 59,22 64,27 73,24", snow) if snow else ""
    return poly(f"0,{y} 28,16 44,{y - 8} 62,10 96,{y}", fill) + caps


def ridge(fill: str, top: float = 30, y: float = 46) -> str:
    return shape(f"M0 {y}C14 {top} 26 {top} 40 {y - 6}C54 {top - 6} 70 {top - 4} 96 {y - 2}V{y + 4}H0Z", fill)


def house(x: float, y: float, w: float, h: float, wall: str = WALL, roof: str = TILE, pitch: float = 12, eaves: float = 3) -> str:
    """Walls whose foot is at y, and a gabled roof."""
    top = y - h
    shown = rect(x, top, w, h, wall) + poly(f"{x - eaves},{top} {x + w / 2},{top - pitch} {x + w + eaves},{top}", roof)
    return shown + windows(x, top, w, h)


def windows(x: float, top: float, w: float, h: float, fill: str = DARK) -> str:
    if w < 14 or h < 10:
        return rect(x + w / 2 - 2, top + h / 2 - 2, 4, 4, fill)
    return rect(x + w * 0.2, top + h * 0.3, 4, 5, fill) + rect(x + w * 0.65, top + h * 0.3, 4, 5, fill)


def block(x: float, top: float, w: float, wall: str, rows: int, columns: int, glass: str = GLASS, foot: float = 56) -> str:
    """A flat-roofed block with rows of windows."""
    h = foot - top
    dx, dy = w / columns, h / rows
    panes = "".join(
        rect(x + dx * (i + 0.25), top + dy * (j + 0.3), dx * 0.5, dy * 0.45, glass) for i in range(columns) for j in range(rows)
    )
    return rect(x, top, w, h, wall) + panes


def tree(x: float, foot: float, h: float, fill: str = LEAF) -> str:
    return rect(x - 1.5, foot - h * 0.4, 3, h * 0.4, WOOD) + oval(x, foot - h * 0.65, h * 0.32, h * 0.38, fill)


def spruce(x: float, foot: float, h: float, fill: str = "#2f6b4a") -> str:
    return (
        rect(x - 1.2, foot - 4, 2.4, 4, WOOD)
        + poly(f"{x},{foot - h} {x - h * 0.22},{foot - h * 0.45} {x + h * 0.22},{foot - h * 0.45}", fill)
        + poly(f"{x},{foot - h * 0.75} {x - h * 0.3},{foot - 3} {x + h * 0.3},{foot - 3}", fill)
    )


def palm(x: float, foot: float, h: float, lean: float = 4) -> str:
    top = foot - h
    fronds = "".join(
        line(f"M{x + lean} {top}q{dx / 2} {-5 if dy < 8 else -1} {dx} {dy}", LEAF, 3)
        for dx, dy in ((-13, 5), (13, 5), (-10, 11), (10, 11), (-6, -5), (6, -5))
    )
    return line(f"M{x} {foot}Q{x - 1} {foot - h / 2} {x + lean} {top}", WOOD, 3) + fronds


def bare(x: float, foot: float, h: float) -> str:
    top = foot - h
    twigs = ((0.3, -9, -8), (0.3, 9, -8), (0.55, -7, -7), (0.55, 7, -7), (0.75, -4, -5), (0.75, 4, -5))
    return line(f"M{x} {foot}V{top}", "#5b4636", 2.5) + "".join(
        line(f"M{x} {foot - h * at}l{dx} {dy}", "#5b4636", 1.8) for at, dx, dy in twigs
    )


def road(centre: str = "", edge: str = "") -> str:
    middle = line("M48 62V52M48 46V40M48 36V33", centre, 2.5) if centre else ""
    edges = line("M14 64L44 30M82 64L52 30", edge, 2) if edge else ""
    return land() + poly("10,64 44,30 52,30 86,64", ROAD) + middle + edges


def car(x: float, y: float, fill: str, size: float = 1.0) -> str:
    """Seen from behind; y is the road."""
    w, h = 20 * size, 10 * size
    return (
        rect(x - w / 2, y - h, w, h, fill, ' rx="2"')
        + poly(f"{x - w * 0.36:g},{y - h:g} {x - w * 0.26:g},{y - h * 1.7:g} {x + w * 0.26:g},{y - h * 1.7:g} {x + w * 0.36:g},{y - h:g}", fill)
        + rect(x - w * 0.22, y - h * 1.5, w * 0.44, h * 0.5, GLASS)
        + rect(x - w * 0.45, y - 2, w * 0.22, 3 * size, DARK)
        + rect(x + w * 0.23, y - 2, w * 0.22, 3 * size, DARK)
    )


def side_car(x: float, y: float, fill: str, stripe: str = "") -> str:
    return (
        shape(f"M{x} {y}v-9h9l7-9h22l8 9h10v9Z", fill)
        + shape(f"M{x + 12} {y - 10}l5-6h9v6ZM{x + 28} {y - 10}v-6h9l5 6Z", GLASS)
        + stripe
        + disc(x + 12, y, 5, DARK)
        + disc(x + 44, y, 5, DARK)
    )


def plate(said: str, ground: str = "#fff", ink: str = DARK, left: str = "", right: str = "", wide: float = 84, high: float = 24) -> str:
    x, y = 48 - wide / 2, 32 - high / 2
    bands = (rect(x, y, 9, high, left) if left else "") + (rect(x + wide - 9, y, 9, high, right) if right else "")
    size = min(high * 0.68, wide / max(4, len(said)) * 1.45)
    frame = f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="3" fill="none" stroke="{DARK}" stroke-width="2"/>'
    middle = 48 + (4.5 if left else 0) - (4.5 if right else 0)
    return rect(0, 0, 96, 64, "#9aa4ab") + rect(x, y, wide, high, ground) + bands + text(middle, 32 + size * 0.36, said, size, ink) + frame


def board(said: str, ground: str = "#f4f1ea", ink: str = DARK, size: float = 0) -> str:
    """Letters on a shop's board."""
    size = size or min(26, 110 / max(3, len(said)))
    return rect(0, 0, 96, 64, "#cbb79a") + rect(8, 14, 80, 36, ground, ' rx="3"') + text(48, 32 + size * 0.36, said, size, ink)


def triangle(inside: str) -> str:
    return land() + rect(46, 46, 4, 18, ROAD) + poly("48,6 78,52 18,52", "#d23b2f") + poly("48,16 69,48 27,48", "#fff") + inside


def diamond(inside: str) -> str:
    return land() + rect(46, 48, 4, 16, ROAD) + poly("48,4 76,30 48,56 20,30", DARK) + poly("48,7 73,30 48,53 23,30", "#f7c62f") + inside


def octagon(said: str) -> str:
    return (
        land() + rect(46, 50, 4, 14, ROAD) + poly("37,5 59,5 74,20 74,42 59,57 37,57 22,42 22,20", "#c62828") + text(48, 37, said, 15, "#fff")
    )


def socket(holes: str, frame: str = "") -> str:
    return rect(0, 0, 96, 64, "#d8cfc1") + rect(24, 8, 48, 48, "#fbfbf9", ' rx="6"') + (frame or disc(48, 32, 18, "#e8e8e4")) + holes


def slot(x: float, y: float, w: float, h: float, turn: float = 0) -> str:
    return rect(x - w / 2, y - h / 2, w, h, DARK, f' transform="rotate({turn:g} {x:g} {y:g})"' if turn else "")


def dome(x: float, foot: float, r: float, fill: str) -> str:
    return shape(f"M{x - r} {foot}A{r} {r} 0 0 1 {x + r} {foot}Z", fill)


def onion(x: float, foot: float, r: float, fill: str) -> str:
    return shape(
        f"M{x - r * 0.6} {foot}C{x - r * 1.6} {foot - r * 1.2} {x - r * 0.3} {foot - r * 1.7} {x} {foot - r * 2.6}"
        f"C{x + r * 0.3} {foot - r * 1.7} {x + r * 1.6} {foot - r * 1.2} {x + r * 0.6} {foot}Z",
        fill,
    )


def arch(x: float, foot: float, w: float, h: float, fill: str = DARK, pointed: bool = False) -> str:
    top = foot - h
    if pointed:
        return shape(f"M{x} {foot}V{top + w}Q{x} {top + w * 0.4} {x + w / 2} {top}Q{x + w} {top + w * 0.4} {x + w} {top + w}V{foot}Z", fill)
    return shape(f"M{x} {foot}V{top + w / 2}A{w / 2} {w / 2} 0 0 1 {x + w} {top + w / 2}V{foot}Z", fill)


def animal(fill: str, legs: float = 10, neck: float = 0, back: str = "") -> str:
    """A beast from the side, its head to the right."""
    feet = "".join(rect(x, 44, 4, legs, fill) for x in (30, 37, 54, 61))
    head = line(f"M64 36L{70 + neck / 3:g} {30 - neck:g}", fill, 7) + oval(73 + neck / 3, 29 - neck, 7, 4.5, fill)
    return oval(47, 38, 20, 10, fill) + feet + head + line("M28 34q-5 6 -3 12", fill, 2) + back


def rows(fill: str, ground: str, top: float = 34, count: int = 7) -> str:
    """Rows that run to the horizon."""
    lines = "".join(line(f"M{48 + (i - count / 2 + 0.5) * 30} 66L{48 + (i - count / 2 + 0.5) * 7} {top}", fill, 4) for i in range(count))
    return rect(0, top, 96, 64 - top, ground) + lines


def person(x: float, foot: float, cloth: str, head: str = SKIN) -> str:
    return poly(f"{x - 7},{foot} {x - 4},{foot - 20} {x + 4},{foot - 20} {x + 7},{foot}", cloth) + disc(x, foot - 25, 4.5, head)


def post(band: str) -> str:
    return road("#fff") + rect(76, 20, 9, 40, "#fff") + band


def bus(fill: str, top: float = 18, more: str = "", wide: float = 64) -> str:
    x = 48 - wide / 2
    return (
        land("#a9a79f") + rect(x, top, wide, 52 - top, fill, ' rx="4"') + more + disc(x + 13, 53, 5, DARK) + disc(x + wide - 13, 53, 5, DARK)
    )


def panes(y: float, count: int = 5, x: float = 20, wide: float = 56, high: float = 9) -> str:
    each = wide / count
    return "".join(rect(x + i * each, y, each - 2, high, GLASS) for i in range(count))


# --- the pictures ---------------------------------------------------------------------------------------------------------


def terrain() -> dict[str, str]:
    lake = rect(0, 40, 96, 14, "#5fa3c7") + line("M12 46h14M52 49h18", "#d8ecf5", 1.5)
    tower = "C{0} 18 {1} 14 {2} 14C{3} 14 {4} 20 {5} 48Z"
    karst = "".join(
        shape(f"M{x} 48" + tower.format(x + 1, x + 4, x + 8, x + 13, x + 15, x + 17), c)
        for x, c in ((10, "#5d8f58"), (36, "#4b7d4b"), (66, "#5d8f58"))
    )
    cone = poly("14,50 40,16 54,16 84,50", "#6b5d57")
    layers = "".join(rect(0, y, 96, 5, c) for y, c in ((22, "#c9743f"), (27, "#e0935a"), (32, "#b8602f"), (37, "#d88650"), (42, "#a8552c")))
    return {
        "terrain-sea": land(SAND, 56) + water(26) + shape("M0 64V54Q40 46 96 58V64Z", SAND),
        "terrain-lake": land() + ridge("#6f9f62", 24, 40) + lake,
        "terrain-snow-peaks": land() + peaks("#7d8894", SNOW),
        "terrain-bare-peaks": land("#b7ad97") + peaks("#8e8378"),
        "terrain-green-mountains": land("#7fb05e") + poly("0,48 26,14 50,46 70,20 96,48", "#4f8a4a"),
        "terrain-hills": land() + ridge("#7aa95c", 26) + ridge("#94c173", 38, 52),
        "terrain-plain": land("#a9c77c", 38) + line("M0 38H96", "#7fa257", 1.5) + line("M48 64V40", "#d9c9a0", 3),
        "terrain-desert": land(SAND, 40, "#d5e8f2") + shape("M0 64Q30 44 56 54T96 48V64Z", "#d4b571") + disc(80, 14, 6, "#f6d55c"),
        "terrain-dunes": land(SAND, 34, "#d5e8f2") + shape("M0 64Q24 26 48 44Q62 54 96 64Z", "#cda864") + shape("M34 64Q66 28 96 48V64Z", "#ddbd7c"),
        "terrain-sea-cliffs": rect(0, 0, 96, 64, SKY) + water(42) + poly("0,14 50,16 56,44 50,54 0,58", "#9c8f7c") + poly("0,10 50,12 50,18 0,18", GRASS),
        "terrain-fjord": rect(0, 0, 96, 64, SKY) + water(40, "#3a7a9c") + poly("0,6 34,42 30,46 0,52", "#4f7a55") + poly("96,4 60,42 66,46 96,54", "#3f6b4c"),
        "terrain-karst": rect(0, 0, 96, 64, SKY) + water(46, "#6fb3a6") + karst,
        "terrain-volcano": land("#8f8a80", 50) + cone + disc(44, 10, 5, "#cfcac4") + disc(52, 7, 6, "#ddd8d2") + poly("40,16 54,16 50,26 46,22 43,28", "#d9532c"),
        "terrain-canyon": land("#d59a62", 47) + layers + poly("30,22 46,22 40,47 34,47", "#7d3f22") + poly("64,22 74,22 70,47 66,47", "#7d3f22"),
        "terrain-red-soil": land("#b5532c", 32) + poly("40,64 46,32 50,32 60,64", "#d07a4c") + tree(14, 38, 16) + tree(80, 40, 18),
        "terrain-glacier": land("#8e8378", 56) + peaks("#75808a", SNOW) + shape("M34 26Q48 30 44 64H70Q64 34 56 22Z", "#e4f3fa") + line("M46 44h14M46 52h16", "#8fc2da", 1.5),
        "terrain-snow-ground": land(SNOW, 40, "#ccd9e2") + spruce(22, 46, 26) + spruce(74, 50, 30) + shape("M0 64V54Q46 44 96 56V64Z", "#e6eef4"),
        "sea-turquoise": rect(0, 0, 96, 64, "#9fd6ef") + rect(0, 26, 96, 38, "#35b8b4") + shape("M0 64V46Q40 40 96 60V64Z", "#f8efd6") + palm(84, 48, 26, -6),
        "coral-reef": rect(0, 0, 96, 64, "#1f7fa8") + line("M22 64V44M22 52l-8-8M22 50l8-8", "#e77f67", 5) + oval(54, 58, 18, 12, "#d9a05b") + line("M80 64V46M80 54l-7-7M80 52l6-8", "#c9648f", 5) + shape("M40 22l12-6v12Z", "#f7d354") + oval(58, 22, 9, 5, "#f7d354"),
        "terrain-chalk": rect(0, 0, 96, 64, SKY) + water(46) + poly("0,14 62,16 66,46 58,52 0,54", "#fbfaf4") + rect(0, 10, 62, 6, GRASS) + line("M14 22v26M32 22v24M48 24v20", "#dcd8cb", 1.5),
    }


def plants() -> dict[str, str]:
    saguaro = line("M48 56V16M48 40H36V26M48 34H60V22", "#3f7f4f", 8)
    joshua = line("M48 58V32M48 44L34 28M48 36L62 20M62 20l6 6M34 28l-8 6", "#7a5c3c", 4) + "".join(disc(x, y, 6, "#5c8f4a") for x, y in ((34, 24), (26, 34), (62, 16), (70, 26), (48, 28)))
    baobab = shape("M38 58C42 44 38 34 40 26H58C58 34 54 44 60 58Z", "#a0836a") + "".join(line(f"M48 28l{dx} -12", "#a0836a", 3) + disc(48 + dx, 14, 5, LEAF) for dx in (-22, -11, 0, 11, 22))
    gum = line("M44 60Q48 40 42 20M46 40L60 22", "#ded6cb", 5) + oval(40, 16, 16, 9, "#7a9a78") + oval(64, 20, 13, 8, "#7a9a78")
    umbrella = line("M48 56V34M48 42L34 30M48 42L62 30", WOOD, 3) + oval(48, 26, 32, 8, "#6d8f3f")
    fern = rect(45, 30, 6, 30, "#4b3a2c") + "".join(line(f"M48 30q{dx / 2} -12 {dx} {dy}", LEAF, 3) for dx, dy in ((-30, 2), (30, 2), (-22, 14), (22, 14), (-12, -12), (12, -12)))
    araucaria = rect(46, 26, 4, 34, WOOD) + "".join(line(f"M48 {y}q-{w / 2} 6 -{w} 0M48 {y}q{w / 2} 6 {w} 0", "#3d6b48", 4) for y, w in ((16, 12), (24, 20), (32, 26)))
    parana = rect(45, 24, 5, 36, WOOD) + line("M48 26q-20 -2 -26 -12M48 26q20 -2 26 -12M48 24V12", "#3d6b48", 5)
    return {
        "veg-saguaro": land(SAND) + saguaro,
        "veg-joshua-tree": land(SAND) + joshua,
        "veg-baobab": land("#d8bd7c") + baobab,
        "veg-eucalyptus": land("#b9b183") + gum,
        "veg-grass-tree": land("#c2b078") + rect(43, 34, 10, 24, "#3a322c") + "".join(line(f"M48 34q{dx / 2} -8 {dx} {dy}", "#6d8f4a", 2) for dx, dy in ((-24, 8), (24, 8), (-20, -4), (20, -4), (-10, -14), (10, -14))) + line("M48 34V8", "#8a7a4c", 3),
        "veg-tree-fern": land("#5f8f58", 50) + fern,
        "veg-monkey-puzzle": land() + araucaria,
        "veg-parana-pine": land() + parana,
        "veg-olive": land("#cdb98a") + "".join(tree(x, y, 26, "#8a9c74") for x, y in ((18, 54), (48, 58), (78, 54))),
        "veg-cork-oak": land("#c9b27c") + rect(42, 30, 11, 30, "#b2532f") + rect(42, 24, 11, 9, "#8b7a6a") + oval(48, 18, 26, 13, "#5f8049"),
        "veg-birch-forest": rect(0, 0, 96, 64, "#9fc47c") + "".join(rect(x, 0, 6, 64, "#f4f2ec") + "".join(rect(x + (k % 2) * 3, y, 3, 2, DARK) for k, y in enumerate(range(6 + x % 5, 62, 11))) for x in (12, 30, 50, 66, 84)),
        "veg-coconut": land("#f1dfae", 50) + rect(0, 36, 96, 14, SEA) + palm(34, 60, 40, 12) + palm(66, 60, 34, -12) + disc(45, 24, 2.5, WOOD) + disc(55, 29, 2.5, WOOD),
        "veg-rice-terrace": rect(0, 0, 96, 64, SKY) + "".join(shape(f"M0 {y}Q48 {y - 12} 96 {y + 2}V64H0Z", c) for y, c in ((22, "#4f8a4a"), (30, "#8fc46c"), (38, "#6aa854"), (46, "#a4d07c"), (54, "#7ab860"))),
        "veg-acacia-savanna": land("#dcc476", 46) + umbrella,
        "veg-spinifex": land("#b5532c", 34) + "".join(dome(x, y, 8, "#b9ad62") for x, y in ((14, 48), (38, 44), (64, 50), (84, 44), (28, 60), (72, 62))),
        "veg-fynbos": land("#8a9a5c", 36) + "".join(line(f"M{x} 62V{y}", "#5c7a3f", 2.5) + poly(f"{x - 8},{y - 10} {x},{y + 4} {x + 8},{y - 10} {x + 3},{y - 4} {x},{y - 14} {x - 3},{y - 4}", "#d8678f") for x, y in ((24, 36), (48, 30), (72, 38))),
        "veg-palms": land(GRASS, 52) + palm(22, 58, 38, 3) + palm(50, 60, 46, -2) + palm(76, 58, 34, 4),
        "veg-banana": land("#7aa95c") + rect(45, 34, 6, 28, "#8fae5c") + "".join(shape(f"M48 34q{dx} {dy} {dx * 1.8} {dy + 14}q{-dx * 0.5} 2 {-dx * 1.8} {-dy - 14}Z", "#6fb04a") for dx, dy in ((-16, -18), (16, -18), (-20, -4), (20, -4), (-4, -24))),
        "veg-conifers": land("#5c7f4c", 54) + "".join(spruce(x, 58, h) for x, h in ((10, 40), (26, 48), (42, 42), (58, 52), (74, 44), (88, 40))),
        "veg-pine-dry": land("#d5bb84", 50) + "".join(rect(x - 1.5, 24, 3, 34, "#a8673f") + oval(x, 18, 13, 9, "#4a7a4c") for x in (20, 48, 76)),
        "veg-broadleaf": land(GRASS, 52) + tree(20, 56, 38, "#5f9a45") + tree(50, 60, 48, "#4f8a3d") + tree(80, 56, 36, "#6aa64e"),
        "veg-bare-trees": land("#a8a18f", 50, "#d5dde2") + bare(22, 58, 38) + bare(50, 60, 46) + bare(78, 58, 36),
        "veg-autumn": land("#b9a15c", 52) + tree(20, 56, 38, "#d9822b") + tree(50, 60, 46, "#c4452b") + tree(80, 56, 36, "#e3b23c"),
        "veg-rainforest": rect(0, 0, 96, 64, "#2f6b44") + "".join(oval(x, y, 16, 11, c) for x, y, c in ((14, 16, "#3f8a4f"), (44, 10, "#4a9a55"), (78, 16, "#3a7f49"), (28, 30, "#52a45c"), (64, 28, "#449050"), (90, 34, "#52a45c"), (6, 36, "#449050"))) + line("M30 6q6 26 -2 58M66 0q-8 30 2 62", "#1e4a2e", 3) + shape("M40 64q2 -20 20 -24q-2 18 -20 24Z", "#6fc06a"),
        "veg-mediterranean": land("#d0bf88", 50) + poly("14,58 10,56 16,16 22,56", "#3f6b48") + poly("30,60 26,58 32,22 38,58", "#3f6b48") + line("M68 58V30", WOOD, 4) + oval(68, 24, 24, 8, "#4f8a4a"),
        "veg-cactus": land(SAND) + line("M34 58V24M34 42H24V32M34 36H44V28", "#3f7f4f", 6) + oval(68, 46, 9, 11, "#4a8f58") + oval(80, 38, 6, 8, "#4a8f58") + oval(62, 32, 6, 8, "#4a8f58"),
        "veg-steppe": land("#cbbb72", 34) + "".join(line(f"M{x} {y}l-3 -8M{x} {y}v-9M{x} {y}l3 -8", "#a8964c", 1.5) for x, y in ((10, 50), (28, 44), (46, 56), (62, 46), (80, 54), (90, 44), (20, 62), (70, 62))),
        "veg-savanna": land("#dcc476", 40) + line("M18 44V36M72 48V34", WOOD, 2.5) + oval(18, 33, 11, 4, "#7a9440") + oval(72, 30, 16, 5, "#7a9440") + line("M40 62l-2 -8M46 62v-9M52 62l2 -8", "#a8863c", 2),
        "veg-alpine-meadow": land("#8cbf66", 40) + peaks("#8b8f95", SNOW, 42) + "".join(disc(x, y, 2, c) for x, y, c in ((14, 52, "#f6d55c"), (30, 58, "#fff"), (50, 50, "#e27fa6"), (68, 58, "#f6d55c"), (84, 52, "#fff"))),
        "veg-tundra": land("#a39a5c", 34, "#d5e3ea") + "".join(oval(x, y, 5, 3, "#9a958d") for x, y in ((18, 46), (52, 42), (80, 50))) + "".join(oval(x, y, 10, 3, c) for x, y, c in ((34, 54, "#b5532c"), (66, 60, "#7a8a3f"), (12, 60, "#7a8a3f"))),
        "veg-pasture": land("#7cc05a", 36) + ridge("#6aaa4c", 26, 38) + line("M0 50L96 44M20 64L34 42M70 64L62 41", "#3f7a3a", 4) + oval(50, 54, 4, 2.5, "#fff") + oval(82, 52, 4, 2.5, "#fff"),
        "veg-fields": rect(0, 0, 96, 64, SKY) + rows("#d9b23f", "#c9a236", 30, 9) + rect(0, 24, 96, 6, "#7aa95c"),
        "veg-vineyard": rect(0, 0, 96, 64, SKY) + ridge("#94b56a", 20, 34) + rows("#4f8a3d", "#c9a873", 32),
        "veg-tea": rect(0, 0, 96, 64, SKY) + "".join(shape(f"M0 {y}Q30 {y - 14} 96 {y - 4}V64H0Z", c) for y, c in ((30, "#3f8a4a"), (38, "#2f6f3c"), (41, "#4a9a52"), (50, "#2f6f3c"), (53, "#5aaa5c"))),
        "veg-rice": land("#7fc46a", 30) + line("M0 44H96M0 56H96M26 30L14 64M66 30L82 64", "#8a7a4c", 2.5) + rect(30, 46, 34, 8, "#9fd0e0"),
        "veg-eucalypt-bush": land("#cbb672", 44) + gum + line("M78 60Q76 40 80 26", "#ded6cb", 4) + oval(82, 22, 12, 8, "#8aa683"),
        "veg-green-garden": land("#84c465", 34) + tree(16, 40, 24) + "".join(disc(x, y, 3, c) for x, y, c in ((40, 44, "#d9435f"), (48, 46, "#f6d55c"), (56, 44, "#b96ad9"), (64, 46, "#d9435f"), (72, 44, "#fff"))) + rect(36, 47, 42, 5, "#4f8a3d") + line("M10 60H86", "#cbb99a", 4),
        "veg-gorse": land("#8fae5c", 36) + "".join(dome(x, y, 11, "#4f7a3a") + "".join(disc(x + dx, y - dy, 2, "#f7d02c") for dx, dy in ((-6, 4), (0, 8), (6, 4), (-2, 3), (3, 5))) for x, y in ((18, 52), (46, 48), (76, 54))),
        "veg-tropical-street": rect(0, 0, 96, 64, "#cfe6d0") + rect(0, 8, 36, 56, "#9ed0bd") + rect(10, 22, 12, 18, WOOD) + shape("M36 0q10 20 2 40q14 -10 16 -30Z", "#4f9a4a") + shape("M60 64q-4 -34 26 -44q6 30 -26 44Z", "#3f8a3f") + line("M66 60Q70 40 84 26", "#2c6b30", 2) + shape("M44 64q-8 -20 4 -30q10 12 -4 30Z", "#6fb85c"),
    }


def houses() -> dict[str, str]:
    timber = line("M20 30H76M20 44H76M20 30V58M34 30V58M48 30V58M62 30V58M76 30V58M20 44L34 30M76 44L62 30M34 58L48 44M62 58L48 44", "#5b3a24", 2.5)
    bricks = "".join(line(f"M{16 + (y % 8) / 2} {y}H80", "#c98a78", 1) for y in range(30, 58, 4))
    stones = "".join(oval(22 + (i * 13) % 54, 32 + (i * 7) % 24, 5, 3.2, c) for i, c in enumerate(("#9c9388", "#c4bbae", "#8f867a") * 5))
    slums = "".join(rect(x, y, 22, 64 - y, c) + rect(x - 1, y - 4, 24, 5, r) + rect(x + 8, y + 8, 6, 8, DARK) for x, y, c, r in ((2, 34, "#b58a5c", "#8f8b86"), (26, 26, "#8fa3a8", "#b5532c"), (50, 36, "#c4a26a", "#7a8a94"), (74, 28, "#a87f6a", "#9a958d")))
    towers = "".join(block(x, y, w, c, r, 3) for x, y, w, c, r in ((6, 12, 16, "#8fa3b5", 7), (26, 4, 14, "#6f8aa3", 9), (44, 16, 18, "#a3b5c4", 6), (66, 8, 14, "#7d96ad", 8), (82, 20, 12, "#93a8ba", 5)))
    flats = "".join(block(x, y, 20, c, 9, 4, "#5f6f7a") for x, y, c in ((4, 8, "#d9cfc0"), (27, 4, "#cfc4b4"), (50, 8, "#e0d7c9"), (73, 4, "#d4c9b9")))
    fronts = "".join(block(x, y, 18, c, 4, 2, DARK) + rect(x - 0.5, y - 5, 19, 6, TILE) for x, y, c in ((3, 20, "#f0d9a0"), (21, 16, "#e8c3b0"), (39, 22, "#d4e0c4"), (57, 16, "#f4ead6"), (75, 20, "#e3cfa8")))
    upswept = shape("M6 34Q20 32 28 18H68Q76 32 90 34Q80 30 70 38H26Q16 30 6 34Z", "#3f5f5a")
    return {
        "arch-half-timbered": land("#b9b3a6", 58) + poly("12,30 48,6 84,30", TILE) + rect(20, 30, 56, 28, "#f6efe0") + timber,
        "arch-white-cubes": rect(0, 0, 96, 64, "#8fcdf0") + "".join(rect(x, y, w, 64 - y, c) for x, y, w, c in ((4, 34, 30, "#fff"), (30, 22, 34, "#f4f6f8"), (60, 32, 32, "#fff"))) + rect(42, 44, 10, 20, "#1f6fc4") + rect(70, 40, 7, 8, "#1f6fc4") + rect(14, 42, 7, 8, "#1f6fc4") + dome(47, 22, 9, "#1f6fc4"),
        "arch-yurt": land("#b9b86a") + rect(22, 34, 52, 22, "#f2eee4") + shape("M20 36Q48 8 76 36Z", "#e3dccd") + rect(42, 38, 12, 18, "#b5532c") + line("M22 42H74", "#c98a3c", 2),
        "arch-adobe": rect(0, 0, 96, 64, "#a9d6ee") + "".join(rect(x, y, w, 64 - y, c) for x, y, w, c in ((6, 34, 30, "#c4935c"), (32, 22, 30, "#b9854f"), (58, 36, 32, "#cf9f68"))) + rect(16, 44, 6, 10, DARK) + rect(44, 34, 6, 7, DARK) + rect(70, 46, 6, 9, DARK) + line("M32 28h-4M62 28h4M36 40h3", WOOD, 2.5),
        "arch-queenslander": land("#a5bd6a", 56) + poly("10,26 48,10 86,26", "#9fb0b8") + rect(20, 26, 56, 16, "#f0e9d8") + rect(14, 34, 68, 2.5, WOOD) + line("M16 26V42M80 26V42M28 34V42M40 34V42M56 34V42M68 34V42", WOOD, 2) + line("M20 42V58M36 42V58M60 42V58M76 42V58", "#7a5c3c", 3),
        "roof-red-tile": land("#b9c08a", 56) + house(10, 58, 32, 18, WALL, "#cf5a36", 14) + house(46, 58, 40, 24, "#efe0c0", "#c24a2c", 18) + line("M52 30L60 22M60 34L72 22M74 34L80 28", "#e58a68", 1.5),
        "roof-slate": land("#b9c08a", 56) + house(14, 58, 30, 18, STONE, "#4a5460", 22) + house(50, 58, 36, 22, "#cfc7ba", "#3f4954", 26),
        "roof-flat": land("#cdb98a", 58) + "".join(block(x, y, w, c, 2, 2, DARK, 60) for x, y, w, c in ((4, 34, 28, "#e6d5b4"), (34, 24, 30, "#d9c49c"), (66, 32, 27, "#ead9b9"))) + rect(40, 17, 10, 7, DARK) + line("M72 32v-8M80 32v-8M88 32v-8", "#8a7a5c", 1.8),
        "roof-shingle": land("#8cc46a", 54) + rect(14, 38, 68, 20, "#e3ddd2") + poly("6,38 22,16 74,16 90,38", "#6b6560") + line("M18 24H78M13 31H84", "#857e78", 1.5) + rect(56, 44, 20, 14, "#fff") + rect(24, 42, 10, 8, GLASS) + rect(42, 42, 7, 16, WOOD),
        "roof-upswept": land("#b9b3a6", 58) + rect(24, 38, 48, 20, "#b5382c") + rect(24, 38, 48, 4, "#2f6b5a") + upswept + rect(42, 44, 12, 14, DARK) + line("M28 18H68", "#d9b23f", 3),
        "house-chalet": land("#8cc46a", 54) + peaks("#9aa3ab", SNOW, 40) + rect(22, 46, 52, 12, "#f6f0e2") + rect(22, 32, 52, 14, WOOD) + poly("10,34 48,12 86,34 82,37 48,18 14,37", "#6b4a2c") + rect(18, 44, 60, 3, "#6b4a2c") + rect(32, 36, 6, 6, DARK) + rect(58, 36, 6, 6, DARK) + "".join(disc(x, 43, 2, "#d9435f") for x in (24, 34, 44, 54, 64, 72)),
        "house-falu-red": land() + rect(18, 32, 60, 26, "#8f2b22") + poly("10,32 48,10 86,32", "#3a3a3a") + rect(18, 32, 3, 26, "#fff") + rect(75, 32, 3, 26, "#fff") + rect(28, 38, 10, 10, "#fff") + rect(30, 40, 6, 6, GLASS) + rect(58, 38, 10, 10, "#fff") + rect(60, 40, 6, 6, GLASS) + rect(44, 42, 9, 16, "#fff"),
        "house-brick-terrace": land("#8f8f8c", 58) + rect(0, 26, 96, 34, BRICK) + rect(0, 18, 96, 8, SLATE) + "".join(rect(x + 4, 32, 7, 8, "#fff") + rect(x + 5, 33, 5, 6, GLASS) + rect(x + 14, 44, 7, 15, c) + rect(x + 3, 45, 8, 9, GLASS) + rect(x + 8, 10, 7, 9, BRICK) for x, c in ((0, "#2f5f8a"), (24, "#8a2f2f"), (48, "#2f6b4a"), (72, "#3a3a3a"))),
        "house-brick": land("#9ab06a", 58) + rect(16, 28, 64, 32, BRICK) + bricks + rect(26, 34, 10, 10, "#fff") + rect(60, 34, 10, 10, "#fff") + rect(43, 42, 10, 18, DARK) + poly("10,28 48,10 86,28", SLATE),
        "house-grey-stone": land(GRASS, 58) + rect(16, 28, 64, 32, STONE) + stones + poly("8,30 48,8 88,30", "#6f6a62") + rect(42, 42, 11, 18, "#5b4636") + rect(24, 36, 8, 8, DARK) + rect(64, 36, 8, 8, DARK),
        "house-old-town": land("#b9b3a6", 58) + fronts,
        "house-gable-narrow": land("#9fb8c4", 58) + "".join(rect(x, 26, 20, 34, c) + poly(f"{x},26 {x},22 {x + 4},22 {x + 4},17 {x + 8},17 {x + 8},12 {x + 12},12 {x + 12},17 {x + 16},17 {x + 16},22 {x + 20},22 {x + 20},26", c) + "".join(rect(x + dx, y, 4, 6, "#fff") for dx in (3, 8.5, 14) for y in (30, 42)) for x, c in ((6, BRICK), (28, "#8f6a4a"), (50, "#b5764f"), (72, "#7a3f34"))),
        "house-panel": land("#a9b58a", 58) + block(4, 16, 26, "#d4d0c6", 6, 4, "#5f6f7a") + block(34, 12, 28, "#c9c4b9", 7, 4, "#5f6f7a") + block(66, 18, 26, "#dcd8cf", 6, 4, "#5f6f7a") + "".join(line(f"M{x} {y}H{x + w}", "#a39e92", 1) for x, w, y in ((4, 26, 29), (4, 26, 43), (34, 28, 30), (34, 28, 44), (66, 26, 31), (66, 26, 44))),
        "house-high-rise": land("#8f9a9f", 56) + towers,
        "house-dense-towers": land("#9aa58a", 60) + flats,
        "house-air-conditioners": rect(0, 0, 96, 64, "#d9cfc0") + "".join(rect(x, y, 14, 12, DARK) + rect(x + 1, y + 14, 12, 8, "#f4f4f2") + disc(x + 5, y + 18, 3, "#b9bfc4") for x in (8, 32, 56, 78) for y in (6, 36)),
        "house-spanish-colonial": land("#d0bf9a", 56) + rect(6, 26, 84, 32, "#e9b44c") + "".join(arch(x, 58, 12, 22, "#7a3f24") for x in (12, 30, 48, 66)) + rect(4, 24, 88, 4, TILE) + rect(38, 6, 20, 18, "#f6e7c0") + dome(48, 8, 8, "#fff") + arch(44, 22, 8, 10),
        "house-portuguese": rect(0, 0, 96, 64, "#f2f4f6") + "".join(poly(f"{x},{y - 6} {x + 6},{y} {x},{y + 6} {x - 6},{y}", "#2f6fb5") + disc(x, y, 2, "#fff") for x in range(8, 96, 16) for y in range(8, 48, 16)) + rect(34, 12, 28, 32, "#d9b23f") + rect(38, 16, 20, 28, DARK) + rect(0, 48, 96, 16, "#f0ede6") + line("M0 58q12 -8 24 0t24 0t24 0t24 0", DARK, 4),
        "house-stilt": land("#8fb5a8", 46) + water(50, "#6fa3a0") + rect(20, 24, 56, 18, WOOD) + poly("12,26 48,6 84,26", "#8a7a4c") + line("M24 42V60M40 42V60M56 42V60M72 42V60", "#6b4a2c", 3) + rect(42, 28, 10, 14, DARK) + line("M60 42l8 16M64 46h6M66 51h6", "#6b4a2c", 1.8),
        "house-shophouses": land("#b9b3a6", 58) + "".join(rect(x, 14, 21, 46, c) + rect(x + 3, 20, 4, 12, "#2f6b6b") + rect(x + 9, 20, 4, 12, "#2f6b6b") + rect(x + 15, 20, 4, 12, "#2f6b6b") + arch(x + 3, 60, 15, 20) + rect(x, 35, 21, 5, r) for x, c, r in ((4, "#e3b9a0", "#c4452b"), (26, "#a9c9c4", "#d9b23f"), (48, "#f0dfa8", "#3f8ac4"), (70, "#c9b0cf", "#c4452b"))),
        "house-shanty": rect(0, 0, 96, 64, SKY) + slums,
        "house-suburb-lawn": land("#7fc45f", 42) + rect(26, 24, 54, 20, "#efe9dc") + poly("20,24 36,10 70,10 86,24", "#7a6a5c") + rect(56, 30, 18, 14, "#fff") + poly("54,44 76,44 90,64 58,64", "#c4c4c0") + rect(34, 28, 9, 8, GLASS) + tree(12, 46, 24),
        "house-japanese-wood": land("#b9b3a6", 58) + rect(8, 34, 80, 26, "#4a3628") + poly("2,34 14,24 82,24 94,34", "#3a4248") + rect(16, 12, 64, 12, "#5b4636") + poly("8,14 22,4 74,4 88,14", "#3a4248") + "".join(line(f"M{x} 38V58", "#8a6a4a", 1.8) for x in range(14, 44, 4)) + rect(52, 38, 28, 20, "#efe6d0") + line("M59 38V58M66 38V58M73 38V58M52 48H80", "#5b4636", 1.5),
    }


def landmarks() -> dict[str, str]:
    ground = land("#a9b58a", 56)
    gothic = rect(30, 22, 36, 36, STONE) + poly("26,24 34,2 42,24", "#8f867a") + poly("54,24 62,2 70,24", "#8f867a") + arch(43, 58, 10, 20, DARK, True) + disc(48, 30, 5, "#6f8fb5") + arch(32, 50, 6, 16, DARK, True) + arch(58, 50, 6, 16, DARK, True)
    minaret = rect(72, 14, 8, 46, "#f0e6d0") + rect(70, 26, 12, 3, "#d9c9a8") + poly("71,14 76,2 81,14", "#3f8a6a")
    stones = "".join(rect(x, y, 9, 58 - y, "#9c9a94") for x, y in ((14, 24), (34, 20), (56, 20), (76, 26))) + rect(30, 14, 40, 7, "#8b8983")
    columns = "".join(rect(x, 22, 7, 34, "#efe6d3") + rect(x - 1, 20, 9, 3, "#d9cdb4") for x in (16, 34, 52)) + rect(72, 38, 7, 18, "#efe6d3") + poly("12,20 36,8 62,20", "#e3d7be")
    blades = line("M48 26L48 4M48 26L68 36M48 26L29 36", "#fff", 4)
    return {
        "arch-onion-dome": ground + rect(24, 36, 48, 22, "#fbfaf4") + rect(42, 26, 12, 12, "#fbfaf4") + onion(48, 28, 9, "#d9a52c") + rect(27, 32, 8, 8, "#fbfaf4") + onion(31, 34, 6, "#2f6fb5") + rect(61, 32, 8, 8, "#fbfaf4") + onion(65, 34, 6, "#2f6fb5") + arch(44, 58, 8, 14) + line("M48 6V2M46 4h4", "#d9a52c", 1.5),
        "arch-minaret": land("#d9c79a", 56) + rect(16, 36, 46, 22, "#f4ead6") + dome(39, 36, 15, "#3f8a6a") + arch(34, 58, 10, 16) + minaret + line("M39 21v-5", "#d9a52c", 2),
        "arch-pagoda": ground + "".join(rect(48 - w * 0.34, y, w * 0.68, 9, "#b5382c") + shape(f"M{48 - w / 2} {y + 2}Q{48 - w * 0.3} {y} {48 - w * 0.25} {y - 4}H{48 + w * 0.25}Q{48 + w * 0.3} {y} {48 + w / 2} {y + 2}Z", "#3a4248") for y, w in ((49, 56), (39, 48), (29, 40), (19, 32), (10, 26))) + line("M48 8V2", "#d9a52c", 2),
        "arch-stupa": ground + rect(18, 50, 60, 8, "#f4f1ea") + shape("M24 50C24 28 36 24 44 20H52C60 24 72 28 72 50Z", "#fbfaf4") + rect(42, 13, 12, 8, "#d9a52c") + poly("44,13 48,1 52,13", "#d9a52c"),
        "arch-torii": land("#b9c9a8", 54) + shape("M8 14Q48 20 88 14V20Q48 26 8 20Z", "#d23b2f") + rect(16, 28, 64, 5, "#d23b2f") + rect(24, 20, 7, 38, "#d23b2f") + rect(65, 20, 7, 38, "#d23b2f") + rect(8, 11, 80, 3, DARK),
        "arch-water-tower-steel": ground + oval(48, 20, 22, 13, "#cfd8dd") + text(48, 24, "TOWN", 9) + line("M32 28L26 60M64 28L70 60M48 32V60M28 46H68M30 30L66 56M66 30L30 56", "#7a868c", 2),
        "arch-windmill-wind-pump": land("#cbb672", 54) + line("M48 24L36 60M48 24L60 60M42 42H54M39 52H57", "#7a868c", 2) + disc(48, 18, 15, "#b9c4ca") + "".join(line(f"M48 18l{dx} {dy}", "#5f6b72", 2.5) for dx, dy in ((0, -14), (10, -10), (14, 0), (10, 10), (0, 14), (-10, 10), (-14, 0), (-10, -10))) + poly("48,16 76,10 76,24 48,20", "#c4452b"),
        "arch-dutch-windmill": ground + poly("36,58 42,26 56,26 62,58", BRICK) + dome(49, 27, 8, "#3a4248") + line("M49 24L22 4M49 24L76 4M49 24L24 46M49 24L74 46", "#5b3a24", 3) + line("M24 8l8 -4M66 4l8 6M26 42l8 4M66 46l6 -6", "#d9c9a8", 4) + rect(45, 46, 8, 12, DARK),
        "church-gothic": ground + gothic,
        "church-baroque": ground + rect(28, 26, 40, 32, "#f4d98a") + shape("M28 26Q30 14 40 14H56Q66 14 68 26Z", "#f4d98a") + rect(74, 22, 12, 36, "#f4d98a") + onion(80, 23, 7, "#4a8a7a") + rect(10, 22, 12, 36, "#f4d98a") + onion(16, 23, 7, "#4a8a7a") + arch(43, 58, 10, 18) + line("M28 40H68M34 26V58M62 26V58", "#fff", 2) + disc(48, 32, 4, DARK),
        "church-byzantine": ground + rect(20, 36, 56, 22, "#d3a877") + rect(36, 22, 24, 15, "#c4905c") + dome(48, 23, 13, "#8a3f2c") + rect(22, 30, 12, 8, "#c4905c") + dome(28, 31, 7, "#8a3f2c") + rect(62, 30, 12, 8, "#c4905c") + dome(68, 31, 7, "#8a3f2c") + arch(42, 58, 12, 16) + "".join(arch(x, 34, 4, 8) for x in (40, 46, 52)) + line("M20 42H76M20 48H76", "#e6c9a0", 1.5),
        "temple-hindu": ground + rect(12, 46, 72, 12, "#d9a878") + "".join(poly(f"{48 - w / 2},{y + 8} {48 - w / 2 + 3},{y} {48 + w / 2 - 3},{y} {48 + w / 2},{y + 8}", c) + "".join(disc(48 - w / 2 + 5 + k * (w - 10) / 4, y + 4, 2, "#f6d55c") for k in range(5)) for y, w, c in ((38, 48, "#3f8ac4"), (30, 40, "#c4452b"), (22, 32, "#3f8a6a"), (14, 26, "#d98a2c"))) + oval(48, 11, 12, 4, "#d9a52c") + arch(43, 58, 10, 12),
        "castle-europe": land(GRASS, 50) + ridge("#7aa95c", 40, 54) + rect(22, 26, 52, 26, STONE) + "".join(rect(x, 21, 6, 6, STONE) for x in (22, 33, 44, 55, 66)) + rect(14, 16, 14, 36, "#a0978a") + rect(66, 12, 16, 40, "#a0978a") + poly("12,16 21,4 30,16", TILE) + poly("64,12 74,1 84,12", TILE) + arch(43, 52, 10, 15),
        "ruin-classical": land("#cdbf8a", 56) + columns,
        "ruin-mesoamerica": land("#7aa95c", 56) + "".join(rect(48 - w / 2, y, w, 9, c) for y, w, c in ((49, 84, "#a59c8f"), (40, 66, "#b3aa9c"), (31, 50, "#a59c8f"), (22, 36, "#b3aa9c"))) + rect(38, 12, 20, 11, "#8f867a") + rect(45, 15, 6, 8, DARK) + poly("44,22 52,22 56,58 40,58", "#c9c1b4"),
        "ruin-megalith": land("#94b56a", 52) + stones,
        "lighthouse": rect(0, 0, 96, 64, SKY) + water(44) + oval(52, 58, 34, 10, "#8b8781") + poly("42,52 45,18 57,18 60,52", "#fff") + poly("43.6,34 44.3,26 57.7,26 58.4,34", "#d23b2f") + poly("42.4,48 43,41 59,41 59.6,48", "#d23b2f") + rect(45, 9, 12, 9, "#f6d55c") + poly("43,9 51,2 59,9", "#d23b2f"),
        "wind-turbines": land(GRASS, 50) + rect(46.5, 26, 3, 32, "#fff") + blades + rect(15, 36, 2, 20, "#fff") + line("M16 36V22M16 36l9 7M16 36l-9 7", "#fff", 2.5) + rect(79, 38, 2, 18, "#fff") + line("M80 38V25M80 38l8 6M80 38l-8 6", "#fff", 2.5),
        "cable-car": land(SNOW, 50) + peaks("#8b95a0", SNOW, 52) + line("M0 10L96 30", DARK, 1.8) + line("M50 20V28", DARK, 2) + rect(38, 28, 24, 16, "#d23b2f", ' rx="4"') + rect(42, 31, 7, 6, GLASS) + rect(52, 31, 7, 6, GLASS),
        "temple-thai": ground + rect(24, 42, 48, 16, "#fbf3df") + "".join(poly(f"{48 - w / 2},{y + 12} 48,{y - 6} {48 + w / 2},{y + 12} {48 + w / 2 - 5},{y + 13} 48,{y} {48 - w / 2 + 5},{y + 13}", c) for y, w, c in ((30, 68, "#d9a52c"), (24, 52, "#c4452b"), (18, 38, "#d9a52c"))) + line("M14 43l-5 -5M82 43l5 -5M48 12V3", "#d9a52c", 2.5) + arch(43, 58, 10, 13, "#8a2f22", True) + "".join(rect(x, 44, 3, 14, "#d9a52c") for x in (28, 35, 58, 65)),
        "pyramid-egypt": land("#e0c07c", 50, "#d5e8f2") + poly("34,52 62,10 92,52", "#cf9f5c") + poly("62,10 92,52 70,52", "#b5844a") + poly("4,52 22,28 42,52", "#d9ac68") + line("M44 40L78 40M52 28L72 28", "#b98f52", 1),
        "palace-india": land("#d9c79a", 58) + rect(14, 26, 68, 34, "#d9846a") + "".join(arch(x, 44, 9, 14, "#8a3f34", True) for x in (18, 31, 56, 69)) + arch(42, 60, 12, 26, "#6b2f28", True) + "".join(rect(x, 18, 10, 8, "#e09a82") + dome(x + 5, 19, 7, "#e8b09a") + line(f"M{x + 5} 12v-4", "#d9a52c", 1.5) for x in (14, 43, 72)) + "".join(arch(x, 56, 7, 9, "#8a3f34") for x in (19, 32, 57, 70)),
    }


def streets() -> dict[str, str]:
    pavement = land("#b9b3a6", 48)
    cobbles = "".join(oval(8 + (i % 9) * 10 + (i // 9 % 2) * 5, 40 + (i // 9) * 7, 4.4, 2.8, c) for i, c in enumerate(("#8f8b84", "#a39e96", "#7d7973") * 12))
    return {
        "poles-wooden": pavement + rect(45, 4, 6, 58, "#7a5c3c") + rect(26, 10, 44, 4, "#7a5c3c") + rect(52, 20, 13, 17, "#9aa4ab", ' rx="3"') + line("M0 8Q26 14 28 10M68 10Q80 14 96 6M0 18Q30 24 46 20M52 20Q74 26 96 16", DARK, 1.6),
        "hydrant-pillar": pavement + rect(38, 26, 20, 32, "#d23b2f") + dome(48, 27, 11, "#d23b2f") + rect(34, 56, 28, 5, "#a82b22") + rect(29, 34, 10, 8, "#f6d55c") + rect(57, 34, 10, 8, "#f6d55c") + disc(48, 40, 5, "#f6d55c") + rect(46, 10, 4, 6, "#a82b22"),
        "box-red-pillar": pavement + rect(34, 16, 28, 46, "#c62828") + rect(31, 12, 34, 6, "#a81f1f", ' rx="3"') + rect(39, 24, 18, 4, DARK) + rect(40, 32, 16, 10, "#fff") + rect(32, 58, 32, 5, DARK),
        "box-yellow-post": rect(0, 0, 96, 64, "#cbb79a") + rect(30, 12, 36, 36, "#f7c62f", ' rx="3"') + rect(36, 18, 24, 4, DARK) + line("M40 36q8 -8 16 0M40 36q-3 -5 3 -6", DARK, 2.5) + rect(44, 48, 8, 16, "#7a7a7a"),
        "mailbox-flag": land("#84c465", 46) + rect(44, 36, 6, 28, WOOD) + shape("M24 36V24a9 9 0 0 1 9 -9H66a9 9 0 0 1 9 9V36Z", "#dfe3e6") + shape("M24 36V24a9 9 0 0 1 18 0V36Z", "#c4cacf") + line("M60 26V8", "#d23b2f", 3) + rect(60, 6, 12, 7, "#d23b2f"),
        "street-cobbles": rect(0, 0, 96, 64, "#cbb79a") + rect(0, 0, 96, 34, "#e3cfa8") + rect(0, 34, 96, 30, "#6f6b66") + cobbles + rect(16, 8, 10, 18, DARK) + rect(66, 8, 10, 18, DARK),
        "street-tram": pavement + line("M0 8H96M48 8V16", DARK, 1.8) + rect(16, 18, 64, 34, "#f4f1ea", ' rx="5"') + rect(16, 38, 64, 14, "#c62828") + panes(22, 4, 21, 56, 12) + line("M0 58H96", "#5f6b72", 2.5) + disc(32, 54, 4, DARK) + disc(64, 54, 4, DARK),
        "driving-left": road("#fff") + car(27, 60, "#c4452b", 1.1) + rect(57, 33, 9, 6, "#fff") + disc(58.5, 37, 1.5, "#f6d55c") + disc(64.5, 37, 1.5, "#f6d55c"),
        "driving-right": road("#fff") + car(69, 60, "#c4452b", 1.1) + rect(30, 33, 9, 6, "#fff") + disc(31.5, 37, 1.5, "#f6d55c") + disc(37.5, 37, 1.5, "#f6d55c"),
        "lines-yellow-centre": road("", "#fff") + line("M46.6 62L47.6 33M49.6 62L48.8 33", "#f7c62f", 2.2),
        "lines-white-centre": road("#fff", "#fff"),
        "bollard-black-cap": post(poly("76,22 85,27 85,38 76,33", DARK) + rect(79, 28, 3, 5, "#f6a52c")),
    }


def vehicles() -> dict[str, str]:
    squares = "".join(rect(22 + k * 6, 42 + (k % 2) * 5, 6, 5, "#1f5fc4") + rect(22 + k * 6, 42 + (1 - k % 2) * 5, 6, 5, "#f7e02c") for k in range(9))
    light = rect(44, 29, 12, 4, "#2f6fe0")
    return {
        "plate-eu-band": plate("AB 123 C", left="#1f4fa8"),
        "plate-yellow-rear": rect(0, 0, 96, 64, "#9aa4ab") + rect(10, 8, 76, 20, "#fff", ' rx="3"') + text(48, 24, "AB12 CDE", 14) + rect(10, 36, 76, 20, "#f7d02c", ' rx="3"') + text(48, 52, "AB12 CDE", 14),
        "plate-all-yellow": plate("12-AB-34", "#f7d02c"),
        "plate-us-shape": plate("1AB 234", "#eef3f8", "#1f3f7a", wide=56, high=32),
        "plate-italy-bands": plate("AB 123", left="#1f4fa8", right="#1f4fa8"),
        "plate-japan-kei": rect(0, 0, 96, 64, "#9aa4ab") + rect(20, 14, 56, 36, "#f7d02c", ' rx="3"') + text(48, 26, "580", 9) + text(50, 45, "12-34", 17),
        "plate-brazil-grey": plate("ABC 1234", "#b9bfc4"),
        "plate-india": plate("KA 01 AB", left="#1f4fa8") + text(10.6, 35, "IND", 4.6, "#fff"),
        "school-bus-yellow": bus("#f7b52c", 18, panes(23) + line("M16 40H80", DARK, 2) + text(48, 49, "SCHOOL BUS", 6)),
        "tuk-tuk": land("#a9a79f") + shape("M26 50V26q0 -10 12 -10h22q8 0 10 10l4 14v10Z", "#2f8a4a") + rect(32, 24, 14, 16, "#f4f1ea") + rect(24, 12, 44, 6, "#f7c62f", ' rx="3"') + rect(52, 22, 12, 12, GLASS) + disc(34, 52, 6, DARK) + disc(70, 52, 6, DARK),
        "trolleybus": bus("#3f8ac4", 24, panes(29) + line("M50 24L70 6M54 24L74 6M0 6H96M0 3H96", DARK, 1.6)),
        "gondola": rect(0, 0, 96, 64, SKY) + rect(0, 8, 96, 30, "#d9a878") + water(38, "#4a8f94") + shape("M6 40Q10 52 30 52H70Q88 52 92 34Q84 46 68 46H30Q14 46 6 40Z", "#1c1c1c") + person(70, 46, "#f4f4f2") + line("M74 30L60 60", WOOD, 2) + line("M66 30h8M66 34h8", "#c62828", 1.6),
        "snowmobile": land(SNOW, 44, "#ccd9e2") + shape("M18 48L28 38H52L64 30L80 44V48Z", "#c4452b") + rect(24, 46, 34, 8, DARK, ' rx="4"') + line("M66 54H90L94 50", "#3a3a3a", 3) + rect(32, 34, 18, 5, DARK) + line("M60 32l-6 -6", DARK, 2.5),
        "police-battenburg": land("#a9a79f", 50) + side_car(20, 54, "#fff", squares) + light,
        "bus-double-red": bus("#c62828", 8, panes(13) + panes(31) + rect(16, 26, 64, 2, "#f6d55c")),
        "bus-jeepney": land("#a9a79f") + rect(12, 20, 56, 30, "#d9dde0", ' rx="3"') + shape("M66 50V32h14q6 0 6 8v10Z", "#c4452b") + rect(14, 38, 52, 5, "#f7c62f") + rect(14, 45, 52, 4, "#2f6fb5") + panes(24, 4, 16, 48) + rect(12, 15, 58, 5, "#c4452b") + disc(26, 53, 5, DARK) + disc(72, 53, 5, DARK) + disc(82, 40, 2.5, "#f6d55c"),
    }


def inside() -> dict[str, str]:
    scarves = "".join(person(x, 60, c, SKIN) + shape(f"M{x - 7} 42q-2 -14 7 -14t7 14q-2 -8 -7 -8t-7 8Z", s) for x, c, s in ((24, "#3f4a5a", "#8a6ac4"), (48, "#5a3f4a", "#d98a8a"), (72, "#2f5a4a", "#f0ead6")))
    return {
        "socket-ab": socket(slot(41, 28, 4, 13) + slot(55, 28, 4, 13) + disc(48, 42, 3.4, DARK), rect(30, 12, 36, 40, "#e8e8e4", ' rx="5"')),
        "socket-cf": socket(disc(40, 32, 3.4, DARK) + disc(56, 32, 3.4, DARK)),
        "socket-g": socket(slot(48, 21, 5, 11) + slot(38, 40, 12, 5) + slot(58, 40, 12, 5), rect(28, 12, 40, 40, "#eeeeea", ' rx="3"')),
        "socket-i": socket(slot(39, 26, 4, 12, 35) + slot(57, 26, 4, 12, -35) + slot(48, 43, 4, 11)),
        "socket-dm": socket(disc(48, 20, 4.6, DARK) + disc(38, 41, 3.6, DARK) + disc(58, 41, 3.6, DARK)),
        "socket-jln": socket(disc(36, 32, 3, DARK) + disc(60, 32, 3, DARK) + disc(48, 37, 3, DARK), poly("24,32 34,18 62,18 72,32 62,46 34,46", "#e8e8e4")),
        "people-headscarf": land("#c9bda8", 52) + scarves,
    }


def signs() -> dict[str, str]:
    roo = shape("M36 42q4 -14 14 -16l4 -10 3 2 1 6q-2 6 -6 8l2 8h-3l-4 -7q-4 2 -5 9h-3l1 -7q-4 3 -10 10Z", DARK)
    moose = shape("M30 40q2 -12 10 -13h12l6 -7 8 1 2 6 -6 1q-2 6 -4 8v9h-3l-1 -8H42l-2 8h-3l-1 -8Z", DARK) + line("M60 20l-3 -7M62 20l6 -7", DARK, 2)
    kiwi = oval(46, 32, 12, 9, DARK) + line("M56 30l6 -4l12 8M42 40v8M50 40v8", DARK, 2.2)
    elephant = oval(46, 32, 14, 9, DARK) + disc(61, 30, 7, DARK) + line("M67 32q3 8 -1 12M36 38v8M44 39v8M54 38v8", DARK, 4)
    return {
        "sign-yellow-diamond": diamond(line("M48 44V24q0 -6 6 -8M50 12l6 3l-2 6", DARK, 3)),
        "sign-red-triangle": triangle(line("M48 28V38", DARK, 4) + disc(48, 44, 2.4, DARK)),
        "sign-kangaroo": diamond(roo),
        "sign-moose": triangle("") + f'<g transform="translate(9 14) scale(.8)">{moose}</g>',
        "sign-kiwi": diamond(kiwi),
        "sign-elephant": diamond(elephant),
        "sign-blue-street-plate": rect(0, 0, 96, 64, "#e3cfa8") + rect(8, 18, 80, 28, "#1f4fa8", ' rx="3"') + '<rect x="11" y="21" width="74" height="22" fill="none" stroke="#fff" stroke-width="1.6"/>' + text(48, 37, "RUE DU LAC", 11, "#fff"),
        "sign-green-highway": rect(0, 0, 96, 64, SKY) + rect(6, 8, 84, 36, "#1f7a4a", ' rx="4"') + text(48, 24, "North 12", 13, "#fff") + line("M48 40V30M48 30l-5 5M48 30l5 5", "#fff", 2.5) + line("M20 44V64M76 44V64", "#8a9298", 4),
        "sign-stop-pare": octagon("PARE"),
        "sign-stop-alto": octagon("ALTO"),
        "sign-stop-arret": octagon("ARRÊT"),
        "sign-stop-dur": octagon("DUR"),
    }


def letters() -> dict[str, str]:
    said = {
        "script-cyrillic": "Жизнь",
        "script-greek": "Ωραία",
        "script-arabic": "سوق",
        "script-hebrew": "שלום",
        "script-thai": "ไทย",
        "script-devanagari": "नमस्ते",
        "script-hangul": "한글",
        "script-kana": "ひらカナ",
        "script-han": "漢字",
        "script-georgian": "ქართ",
        "script-armenian": "Հայոց",
        "script-ethiopic": "አማርኛ",
        "script-khmer": "ខ្មែរ",
        "script-burmese": "မြန်မာ",
        "script-bengali": "বাংলা",
        "script-tamil": "தமிழ்",
        "script-latin-accents": "é ö ç š",
        "letters-spanish": "¿ ¡ ñ",
        "letters-portuguese": "ã õ",
        "letters-turkish": "ı ğ",
        "letters-icelandic": "ð þ",
        "letters-polish": "ł",
        "letters-vietnamese": "ơ ư",
    }
    return {name: board(words, size=20 if name == "script-kana" else 0) for name, words in said.items()}


def animals() -> dict[str, str]:
    stripes = "".join(line(f"M{x} 29q3 8 0 18", DARK, 2.4) for x in range(31, 64, 6))
    horns = line("M72 26q-2 -10 6 -12M76 26q4 -8 0 -14", "#3a322c", 2.5)
    antlers = line("M72 24q-6 -8 -2 -18M74 24q6 -6 8 -16M71 14l-6 -3M79 16l6 -2", "#7a5c3c", 2.4)
    wool = shape("M28 44q-2 -16 18 -16t20 16q-6 12 -19 12t-19 -12Z", "#2f2a26")
    return {
        "animal-kangaroo": land("#d3a05c") + shape("M30 58q12 -2 18 -10q-4 -16 10 -24l4 -14 5 2 3 8q-4 8 -9 11l3 12h-4l-5 -9q-3 8 1 18h8v4H50q-8 -2 -20 2Z", "#a8714a"),
        "animal-koala": rect(0, 0, 96, 64, "#a9c48f") + rect(58, 0, 12, 64, "#d9d0c4") + oval(44, 42, 17, 18, "#9aa0a6") + disc(42, 22, 13, "#9aa0a6") + disc(28, 15, 7, "#b9bfc4") + disc(56, 15, 7, "#b9bfc4") + oval(42, 25, 4, 5.5, DARK) + disc(36, 20, 2, DARK) + disc(48, 20, 2, DARK) + line("M54 36h10M56 48h8", "#9aa0a6", 5),
        "animal-llama": land("#c9bb72") + animal("#f0e3cc", 14, 14) + line("M72 12l-1 -6M76 12l1 -6", "#f0e3cc", 3),
        "animal-yak": land("#b5b58a") + peaks("#8b95a0", SNOW, 40) + animal("#3a322c", 10, 0, wool + horns),
        "animal-zebra": land("#dcc476") + animal("#fbfbf7", 14, 4, stripes + line("M66 30l6 -8", DARK, 2)),
        "animal-reindeer": land(SNOW, 44) + animal("#8a7360", 14, 2, antlers),
        "animal-lemur": rect(0, 0, 96, 64, "#8fb872") + line("M0 50H96", WOOD, 5) + oval(44, 38, 10, 12, "#9a9690") + disc(50, 22, 8, "#e6e2dc") + disc(47, 21, 2.4, DARK) + disc(54, 21, 2.4, DARK) + "".join(rect(26 - k * 5, 30 + k * 4, 5, 6, c) for k, c in enumerate(("#fff", DARK, "#fff", DARK, "#fff"))),
        "animal-camel-dromedary": land(SAND) + animal("#c4935c", 14, 10, shape("M36 32q4 -18 12 -18t12 18Z", "#c4935c")),
        "animal-elephant": land("#c2b56a") + oval(44, 34, 24, 16, "#8d9297") + disc(70, 28, 12, "#8d9297") + oval(64, 28, 7, 10, "#757b80") + line("M80 32q6 12 0 24", "#8d9297", 6) + "".join(rect(x, 44, 8, 16, "#8d9297") for x in (24, 36, 50, 60)) + line("M76 38l7 3", "#fff", 2.5),
    }


PICTURES: tuple[Callable[[], dict[str, str]], ...] = (terrain, plants, houses, landmarks, streets, vehicles, inside, signs, letters, animals)


def drawn() -> dict[str, str]:
    """Id of a cue to its drawing."""
    return {name: shapes for part in PICTURES for name, shapes in part().items()}


def main() -> None:
    """Write the file, and a page to look at on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheet", type=Path, help="also write a page that shows all of them")
    args = parser.parse_args()
    pictures = drawn()
    path = ASSETS / "pictures.json"
    path.write_text(json.dumps(pictures, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(f"{path}: {len(pictures)} pictures, {path.stat().st_size / 1e3:.0f} kB")
    if args.sheet:
        tiles = "".join(f"<figure><svg viewBox='0 0 96 64'>{s}</svg><figcaption>{n}</figcaption></figure>" for n, s in pictures.items())
        style = "body{display:grid;grid-template-columns:repeat(10,1fr);gap:6px;font:11px sans-serif;margin:6px}figure{margin:0}"
        args.sheet.write_text(f"<!doctype html><meta charset=utf-8><style>{style}</style>{tiles}", encoding="utf-8")


if __name__ == "__main__":
    main()
