"""A golf course in Georgia, USA, with birds in its trees that have never lived there.

The club is invented. Augusta is a real town: GA is its state, 30904 one of its ZIP codes. The telephone number is one of
those kept for fiction. Great Tit and Common Cuckoo live in Europe and Asia.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from examples import birdsong, scenery
from examples.scenery import HEIGHT, WIDTH, Camera, Layer, Pixels, Sheet, Shot

LENGTH_S = 24.0
SHOT_S = (8.5, 8.5, 7.0)

PINE_DARK, PINE_LIGHT = (30, 52, 30), (128, 152, 74)
OAK_DARK, OAK_LIGHT = (34, 62, 28), (146, 176, 78)
AZALEA_DARK, AZALEA_LIGHT = (150, 36, 92), (248, 150, 190)
SAND, SAND_EDGE = (238, 224, 190), (176, 164, 116)
GOLD = (232, 200, 120, 255)
RED = (206, 44, 44)


def sound(rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, 2) stereo at birdsong.RATE_HZ: a tit sings twice near, a cuckoo calls from farther off, wind all along."""
    b = birdsong
    tits = [b.outdoors(b.great_tit(rng, pairs), rng, 0.25) for pairs in (6, 5, 6)]
    cuckoos = [b.outdoors(b.cuckoo(rng, calls), rng, 0.45) for calls in (3, 4)]
    placed = [
        (0.8, tits[0], 0.30, -0.4),
        (5.0, cuckoos[0], 0.42, 0.5),
        (10.4, tits[1], 0.30, -0.3),
        (13.8, cuckoos[1], 0.42, 0.4),
        (20.1, tits[2], 0.32, -0.4),
    ]
    return b.stereo(LENGTH_S, placed, 0.007 * b.wind(LENGTH_S, rng))


def shots(rng: np.random.Generator) -> tuple[Shot, ...]:
    """The fairway, the sign at the gate, the green."""
    return fairway(rng), gate(rng), green(rng)


# --- the fairway ------------------------------------------------------------------------------------------------------


def fairway(rng: np.random.Generator) -> Shot:
    horizon = 0.47 * HEIGHT
    layers = (
        Layer(morning(rng), 0.0),
        Layer(far_trees(rng, horizon + 12), 0.12),
        Layer(course(rng, horizon), 0.3),
        Layer(side_trees(rng, horizon), 0.55),
        Layer(azaleas(rng, HEIGHT * 0.9, (-40, 400), (1120, WIDTH + 40)), 1.0),
    )
    return Shot(layers, (90, 0), (1.0, 1.07), flying_flag(842, horizon + 74, 84, 0.3))


def morning(rng: np.random.Generator) -> Pixels:
    return scenery.sky(rng, (74, 138, 206), (238, 232, 214), 0.42, (255, 250, 240))


def far_trees(rng: np.random.Generator, foot: float) -> Pixels:
    sheet = Sheet()
    for x in np.arange(-20, WIDTH + 40, 17):
        if rng.random() < 0.5:
            scenery.loblolly(sheet, rng, x, foot, rng.uniform(70, 135), (72, 94, 78), (140, 160, 112), 1.6)
        else:
            scenery.broadleaf(sheet, rng, x, foot, rng.uniform(50, 95), (70, 96, 74), (150, 170, 110), 1.7)
    sheet.box(-10, foot - 9, WIDTH + 10, foot + 6, (88, 112, 66, 255))
    return haze(sheet.done(), (214, 222, 220), 0.2)


def haze(pixels: Pixels, colour: tuple[int, int, int], share: float) -> Pixels:
    """Distance: everything goes a little way toward the colour of the air."""
    air = np.asarray(colour, np.float32) / 255 * pixels[..., 3:]
    return np.dstack([pixels[..., :3] * (1 - share) + air * share, pixels[..., 3]]).astype(np.float32)


def course(rng: np.random.Generator, horizon: float) -> Pixels:
    """Rough, fairway with mown stripes, bunkers and a green, in one perspective."""
    rough = scenery.ground(rng, horizon, (126, 150, 82), (62, 102, 40), lumps=0.5)
    mown = scenery.ground(rng, horizon, (158, 188, 98), (92, 150, 56), stripes=0.085, centre=0.52, lumps=0.1)
    below = horizon + np.linspace(4, HEIGHT - horizon, 70)
    along = (below - horizon) / (HEIGHT - horizon)
    bend = 0.52 * WIDTH + 62 * np.sin(along * 2.4)
    half = 22 + 600 * along**1.15
    shape = Sheet()
    edge = [(x - h, y) for x, h, y in zip(bend, half, below, strict=True)]
    edge += [(x + h, y) for x, h, y in zip(bend[::-1], half[::-1], below[::-1], strict=True)]
    shape.polygon(edge, (255, 255, 255, 255))
    shape.soften(1.6)
    picture = scenery.over(rough, mown * shape.done()[..., 3:])

    extras = Sheet()
    for x, y, rx, ry in ((655, horizon + 86, 82, 12), (1010, horizon + 104, 96, 14), (470, horizon + 150, 130, 19)):
        blob(extras, rng, x, y + 3, rx + 6, ry + 4, (*SAND_EDGE, 255))
        blob(extras, rng, x, y, rx, ry, (*SAND, 255))
    for grown, colour in ((1.16, (104, 156, 62)), (1.0, (150, 200, 96))):
        extras.oval(842, horizon + 76, 128 * grown, 17 * grown, (*colour, 255))
    extras.oval(836, horizon + 74, 104, 11, (162, 211, 106, 255))
    extras.oval(842, horizon + 76, 4, 1.6, (30, 40, 20, 255))
    extras.soften(0.7)
    return scenery.over(picture, extras.done())


def blob(sheet: Sheet, rng: np.random.Generator, x: float, y: float, rx: float, ry: float, fill: tuple[int, ...]) -> None:
    """A lazy outline, as bunkers have."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    wave = 1 + 0.13 * np.sin(3 * angle + rx) + 0.07 * np.sin(5 * angle + ry)
    sheet.polygon([(x + rx * w * np.cos(a), y + ry * w * np.sin(a)) for a, w in zip(angle, wave, strict=True)], fill)


def side_trees(rng: np.random.Generator, horizon: float) -> Pixels:
    """Pines and oaks that frame the hole, each with its shadow on the grass."""
    places = [
        (40, 215, 470), (150, 150, 390), (255, 110, 315), (345, 78, 235), (95, 96, 260),
        (1440, 225, 480), (1335, 150, 400), (1235, 108, 300), (1150, 76, 225), (1400, 100, 270),
    ]  # fmt: skip
    sheet = Sheet()
    for x, drop, height in places:
        sheet.oval(x + height * 0.22, horizon + drop + 3, height * 0.3, height * 0.028, (24, 44, 18, 120))
    sheet.soften(2.5)
    for k, (x, drop, height) in sorted(enumerate(places), key=lambda p: p[1][1]):
        if k % 3 == 2:
            scenery.broadleaf(sheet, rng, x, horizon + drop, height * 0.85, OAK_DARK, OAK_LIGHT, 3.2)
        else:
            scenery.loblolly(sheet, rng, x, horizon + drop, height, PINE_DARK, PINE_LIGHT, 3.0)
    return sheet.done()


def azaleas(rng: np.random.Generator, foot: float, *spans: tuple[float, float]) -> Pixels:
    """Pink bushes along the lower edge, out of the centre."""
    sheet = Sheet()
    for left, right in spans:
        for x in np.arange(left, right, 62):
            lobes = [(x + rng.normal(0, 26), foot + rng.uniform(-6, 60), rng.uniform(26, 44)) for _ in range(4)]
            scenery.foliage(sheet, rng, lobes, (28, 54, 26), (86, 128, 52), 3.6)
            blooms = [(lx, ly - 8, r * 0.95) for lx, ly, r in lobes[:3]]
            scenery.foliage(sheet, rng, blooms, AZALEA_DARK, AZALEA_LIGHT, 3.4)
    sheet.soften(0.8)
    return sheet.done()


def flying_flag(
    x: float, foot: float, height: float, near: float
) -> Callable[[Pixels, float, Callable[[float], Camera]], Pixels]:
    """A flagstick whose cloth waves; drawn afresh for each frame."""

    def animate(picture: Pixels, time_s: float, see: Callable[[float], Camera]) -> Pixels:
        camera = see(near)
        tall = height * camera.scale
        x0, y0 = camera.see(x, foot)
        width = max(1.0, tall / 46)
        u = np.linspace(0, 1, 24)
        sway = np.sin(7.5 * u - 5.2 * time_s) * u * tall * 0.035 + u * tall * 0.03
        top = y0 - tall + sway
        low = top + tall * 0.27 * (1 - 0.12 * u)
        right = x0 + width / 2 + u * tall * 0.44
        out = np.ascontiguousarray(picture)
        _fill(
            out,
            [(x0 - width / 2, y0), (x0 - width / 2, y0 - tall), (x0 + width / 2, y0 - tall), (x0 + width / 2, y0)],
            (238, 234, 220),
        )
        for k in range(len(u) - 1):
            light = 0.86 + 0.2 * np.cos(7.5 * u[k] - 5.2 * time_s)
            colour = tuple(float(c * light) for c in RED)
            _fill(
                out,
                [(right[k], top[k]), (right[k + 1] + 0.5, top[k + 1]), (right[k + 1] + 0.5, low[k + 1]), (right[k], low[k])],
                colour,
            )
        return out

    return animate


def _fill(picture: Pixels, corners: list[tuple[float, float]], colour: tuple[float, ...]) -> None:
    points = np.round(np.asarray(corners) * 16).astype(np.int32)
    cv2.fillPoly(picture, [points], tuple(c / 255 for c in colour), cv2.LINE_AA, shift=4)


# --- the gate ---------------------------------------------------------------------------------------------------------


def gate(rng: np.random.Generator) -> Shot:
    horizon = 0.55 * HEIGHT
    trees = Sheet()
    for x in (-10, 110, 250, 1180, 1310, 1450):
        scenery.loblolly(trees, rng, x, horizon + 40, rng.uniform(360, 460), PINE_DARK, PINE_LIGHT, 3.0)
    for x in (30, 330, 520, 930, 1110, 1420):
        scenery.broadleaf(trees, rng, x, horizon + 50, rng.uniform(240, 330), OAK_DARK, OAK_LIGHT, 3.0)
    trees.soften(1.1)
    clubhouse_layer = scenery.over(far_trees(rng, horizon + 14), trees.done())
    layers = (
        Layer(morning(rng), 0.0),
        Layer(clubhouse_layer, 0.25),
        Layer(scenery.ground(rng, horizon + 22, (140, 170, 88), (74, 124, 46), lumps=0.3), 0.5),
        Layer(sign(rng), 0.85),
        Layer(azaleas(rng, HEIGHT * 0.885, (120, 1350)), 1.0),
    )
    return Shot(layers, (-70, 0), (1.0, 1.1))


def sign(rng: np.random.Generator) -> Pixels:
    """A painted board between two pillars."""
    sheet = Sheet()
    left, top, right, bottom = 330, 205, 1142, 610
    sheet.oval(WIDTH / 2 + 40, 742, 560, 30, (20, 36, 14, 130))
    sheet.soften(6)
    for x in (left - 92, right + 6):
        scenery.bricks(sheet, rng, x, top - 8, x + 86, 752, (158, 78, 60))
        sheet.box(x - 11, top - 36, x + 97, top - 4, (214, 206, 190, 255), 4)
        sheet.box(x - 11, top - 12, x + 97, top - 4, (168, 160, 146, 255), 2)
        sheet.oval(x + 43, top - 64, 29, 29, (222, 214, 198, 255))
        sheet.oval(x + 35, top - 72, 15, 15, (240, 234, 222, 255))
    sheet.box(left + 6, top + 8, right + 6, bottom + 8, (0, 0, 0, 110), 14)
    sheet.box(left, top, right, bottom, (24, 66, 46, 255), 14)
    for y in np.arange(top + 10, bottom - 8, 3.0):
        tone = int(rng.normal(0, 4))
        sheet.box(left + 8, y, right - 8, y + 2, (26 + tone, 70 + tone, 49 + tone, 255))
    for inset, fill in ((14, GOLD), (17, (26, 70, 49, 255))):
        x0, y0, x1, y1 = left + inset, top + inset, right - inset, bottom - inset
        for edge in ((x0, y0, x1, y0 + 3), (x0, y1 - 3, x1, y1), (x0, y0, x0 + 3, y1), (x1 - 3, y0, x1, y1)):
            sheet.box(*edge, fill)
    middle = (left + right) / 2
    sheet.text(middle, top + 92, "PINEMARROW", 82, GOLD)
    sheet.text(middle, top + 175, "GOLF CLUB", 54, GOLD)
    sheet.box(middle - 190, top + 222, middle + 190, top + 224.5, GOLD)
    sheet.text(middle, top + 272, "AUGUSTA, GA 30904  USA", 48, (246, 240, 222, 255))
    sheet.text(middle, top + 340, "TEL. +1 706 555 0143", 32, (246, 240, 222, 255), "DejaVuSerif")
    return sheet.done()


# --- the green --------------------------------------------------------------------------------------------------------


def green(rng: np.random.Generator) -> Shot:
    horizon = 0.4 * HEIGHT
    lawn = scenery.ground(rng, horizon, (150, 186, 98), (112, 172, 70), stripes=0.04, centre=0.5, lumps=0.07)
    extras = Sheet()
    for x, y, rx, ry in ((250, horizon + 62, 210, 24), (1260, horizon + 52, 190, 20)):
        blob(extras, rng, x, y + 5, rx + 10, ry + 7, (*SAND_EDGE, 255))
        blob(extras, rng, x, y, rx, ry, (*SAND, 255))
    extras.soften(1.0)
    hole = Sheet()
    hole.polygon([(742, 566), (1080, 596), (1080, 601), (744, 570)], (28, 60, 20, 105))
    hole.soften(2.0)
    hole.oval(740, 567, 27, 8.5, (238, 238, 228, 255))
    hole.oval(740, 568.5, 24, 7, (18, 24, 14, 255))
    hole.oval(604, 676, 30, 8, (28, 60, 20, 120))
    for k in range(24, 0, -1):
        light = 150 + int(100 * (1 - k / 24) ** 0.6)
        hole.oval(594 - (24 - k) * 0.28, 658 - (24 - k) * 0.34, k, k, (light, light, light - 3, 255))
    layers = (
        Layer(morning(rng), 0.0),
        Layer(scenery.over(far_trees(rng, horizon + 10), side_trees(rng, horizon - 40)), 0.2),
        Layer(scenery.over(scenery.over(lawn, extras.done()), hole.done()), 0.8),
    )
    return Shot(layers, (46, 14), (1.0, 1.06), flying_flag(740, 568, 430, 0.8))
