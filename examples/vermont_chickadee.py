"""Late winter in Vermont, USA, with the song that belongs there: sound and picture agree.

Montpelier is a real town, 05602 its ZIP code. Black-capped Chickadees sing fee-bee there from January on.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from examples import birdsong, scenery
from examples.scenery import FRAME_HEIGHT, FRAME_WIDTH, HEIGHT, WIDTH, Camera, Layer, Pixels, Sheet, Shot

LENGTH_S = 24.0
SHOT_S = (8.5, 8.0, 7.5)

SNOW = (246, 249, 255)
SNOW_SHADE = (176, 196, 224)
SPRUCE = (44, 74, 66)
BARK = (104, 88, 78)
BARN_RED = (156, 48, 40)
BOARD = (250, 250, 246, 255)
FOREST = (24, 78, 56, 255)


def sound(rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, 2) stereo at birdsong.RATE_HZ: one chickadee sings, another answers, a light wind."""
    b = birdsong
    singers = ((0.3, 0.32, -0.3), (0.45, 0.30, 0.5))
    placed = []
    for k, start_s in enumerate((0.7, 3.6, 6.4, 9.5, 12.3, 15.4, 18.2, 21.1)):
        distance, gain, pan = singers[k % 2]
        placed.append((start_s, b.outdoors(b.chickadee(rng), rng, distance), gain, pan))
    return b.stereo(LENGTH_S, placed, 0.006 * b.wind(LENGTH_S, rng, 6.0))


def shots(rng: np.random.Generator) -> tuple[Shot, ...]:
    """The covered bridge, the town sign, the singer."""
    return bridge(rng), town_sign(rng), singer(rng)


# --- the covered bridge -----------------------------------------------------------------------------------------------


def bridge(rng: np.random.Generator) -> Shot:
    shore = 0.66 * HEIGHT
    still = scenery.over(bank(rng, shore), covered_bridge(rng, shore))
    layers = (
        Layer(winter_sky(rng), 0.0),
        Layer(mountains(rng), 0.1),
        Layer(forest(rng, shore - 66), 0.25),
        Layer(scenery.over(river(rng, shore, still), still), 0.45),
        Layer(near_bank(rng), 1.0),
    )
    return Shot(layers, (-80, 0), (1.0, 1.07), snowfall(rng))


def winter_sky(rng: np.random.Generator) -> Pixels:
    return scenery.sky(rng, (118, 158, 204), (250, 232, 216), 0.5, (255, 250, 246))


def mountains(rng: np.random.Generator) -> Pixels:
    far = scenery.ridge(rng, 0.36 * HEIGHT, 80, 420, (186, 200, 222), (214, 222, 234), 3)
    middle = scenery.ridge(rng, 0.44 * HEIGHT, 62, 300, (150, 170, 192), (206, 216, 228), 6)
    return scenery.over(far, middle)


def forest(rng: np.random.Generator, foot: float) -> Pixels:
    """A wooded slope: small trees far up, larger ones below."""
    slope = scenery.ridge(rng, foot - 110, 46, 520, (206, 216, 230), SNOW, 3)
    sheet = Sheet()
    for y in np.linspace(foot - 115, foot + 34, 15):
        grown = 0.5 + 0.5 * (y - (foot - 115)) / 149
        for x in np.arange(-10, WIDTH + 20, 21 + 10 * grown):
            x += rng.normal(0, 7)
            if rng.random() < 0.42:
                scenery.spruce(sheet, rng, x, y + rng.normal(0, 4), rng.uniform(42, 84) * grown, (68, 94, 92), SNOW, 0.5)
            elif rng.random() < 0.25:
                scenery.bare_tree(sheet, rng, x, y, rng.uniform(40, 66) * grown, (134, 122, 120), snow=False)
    return scenery.over(slope, sheet.done())


def snowfield(rng: np.random.Generator, horizon: float) -> Pixels:
    drifts = scenery.clouds(rng, HEIGHT, WIDTH, (520, 110), 5)
    y = np.arange(HEIGHT, dtype=np.float32)[:, None]
    line = horizon + 16 * (scenery.clouds(rng, 2, WIDTH, (500, 2), 3)[0] - 0.5)
    light = np.clip(0.35 + 0.9 * (drifts - np.roll(drifts, 9, axis=0)) * 8 + 0.3 * drifts, 0, 1)
    return scenery.opaque(scenery.blend(SNOW_SHADE, SNOW, light), np.clip(y - line[None, :], 0, 1))


def bank(rng: np.random.Generator, shore: float) -> Pixels:
    """The far bank, with trees behind the bridge."""
    y = np.arange(HEIGHT, dtype=np.float32)[:, None]
    snow = snowfield(rng, shore - 66)
    edge = shore + 9 * (scenery.clouds(rng, 2, WIDTH, (160, 2), 4)[0] - 0.5)
    snow = snow * np.clip(edge[None, :] - y, 0, 1)[..., None]
    sheet = Sheet()
    for x, height in ((60, 230), (165, 300), (1290, 310), (1385, 240), (1210, 200), (262, 180)):
        scenery.spruce(sheet, rng, x, shore - 26 + rng.normal(0, 6), height, SPRUCE, SNOW, 0.62)
    for x, height in ((20, 330), (1440, 340), (1130, 210)):
        scenery.bare_tree(sheet, rng, x, shore - 18, height, BARK)
    return scenery.over(snow, sheet.done()).astype(np.float32)


def covered_bridge(rng: np.random.Generator, shore: float) -> Pixels:
    """A red bridge house seen from the side, on two stone abutments."""
    sheet = Sheet()
    left, right, eave, floor = 385.0, 1075.0, shore - 178.0, shore - 50.0
    for a, b in ((left - 26, left + 82), (right - 82, right + 26)):
        sheet.polygon([(a, floor - 6), (b, floor - 6), (b + 8, shore + 8), (a - 8, shore + 8)], (112, 110, 114, 255))
        for y in np.arange(floor, shore, 13):
            for x in np.arange(a - 4 + (13 if int(y) % 2 else 0), b - 10, 27):
                sheet.box(x, y, min(x + 25, b + 4), y + 11.5, scenery.shade((146, 142, 142), rng.uniform(0.78, 1.12)), 3)
        sheet.polygon([(a - 6, floor - 10), (b + 6, floor - 10), (b + 2, floor - 3), (a - 2, floor - 3)], (*SNOW, 255))
    sheet.box(left, eave, right, floor, (*BARN_RED, 255))
    for x in np.arange(left, right, 9.0):
        sheet.box(x, eave, x + 8.2, floor, scenery.shade(BARN_RED, rng.uniform(0.86, 1.1)))
    sheet.box(left, eave, right, eave + 16, (84, 26, 26, 255))
    for x in np.arange(left + 62, right - 70, 92.0):
        sheet.box(x - 3, eave + 33, x + 55, eave + 77, (232, 226, 216, 255))
        sheet.box(x, eave + 36, x + 52, eave + 74, (44, 34, 38, 255))
        sheet.line([(x, eave + 74), (x + 52, eave + 36)], (96, 72, 60, 255), 4)
        sheet.line([(x, eave + 36), (x + 52, eave + 74)], (96, 72, 60, 255), 4)
    sheet.box(left - 6, floor - 9, right + 6, floor + 7, (88, 70, 60, 255))
    for side, x in ((-1, left), (1, right)):
        sheet.polygon([(x, eave - 4), (x + side * 38, eave + 6), (x + side * 38, floor + 4), (x, floor + 4)], (98, 30, 28, 255))
        sheet.polygon(
            [(x + side * 8, eave + 30), (x + side * 38, eave + 36), (x + side * 38, floor + 4), (x + side * 8, floor + 4)],
            (34, 26, 28, 255),
        )
    roof = [(left - 46, eave + 8), (left - 4, eave - 82), (right + 4, eave - 82), (right + 46, eave + 8)]
    sheet.polygon([(x, y + 7) for x, y in roof], (78, 72, 76, 255))
    sheet.polygon(roof, (234, 240, 250, 255))
    for k in range(9):
        y = eave - 76 + 9.2 * k
        grow = 46 * (y - eave + 82) / 90
        sheet.line([(left - grow + 4, y), (right + grow - 4, y)], (214 + 4 * (k % 2), 225, 242, 255), 2.2)
    sheet.line([(left - 4, eave - 82), (right + 4, eave - 82)], (252, 253, 255, 255), 5)
    for x in np.arange(left - 30, right + 30, 13.0):
        sheet.polygon([(x, eave + 10), (x + 4, eave + 10), (x + 2, eave + 14 + rng.exponential(9))], (222, 236, 250, 225))
    return sheet.done()


def river(rng: np.random.Generator, shore: float, still: Pixels) -> Pixels:
    """Dark water that mirrors what stands on its far bank."""
    top = round(shore)
    rows = HEIGHT - top
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    fade = np.linspace(0, 1, rows, dtype=np.float32)[:, None] * np.ones((1, WIDTH), np.float32)
    water = scenery.blend((150, 176, 200), (44, 70, 98), fade**0.7)
    mirror = still[top - rows : top][::-1]
    y, x = np.mgrid[0:rows, 0:WIDTH].astype(np.float32)
    ripple = 5 * (scenery.clouds(rng, rows, WIDTH, (150, 9), 3) - 0.5) * (0.5 + 2.5 * fade)
    ripple = ripple.astype(np.float32)
    mirror = cv2.remap(np.ascontiguousarray(mirror), x + 3 * ripple, y + ripple, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    mirror = cv2.GaussianBlur(mirror, (0, 0), 1.6)
    share = 0.62 * (1 - 0.55 * fade[..., None])
    water = water * (1 - mirror[..., 3:] * share) + mirror[..., :3] * share * np.float32(0.86)
    glint = np.clip(scenery.clouds(rng, rows, WIDTH, (120, 5), 4) - 0.72, 0, 1)[..., None] * 0.7
    rgb[top:] = np.clip(water + glint, 0, 1)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[top:] = 1
    return scenery.opaque(rgb, mask)


def near_bank(rng: np.random.Generator) -> Pixels:
    """Snow at our feet and a leaning maple at the side."""
    snow = snowfield(rng, HEIGHT * 0.915)
    sheet = Sheet()
    scenery.bare_tree(sheet, rng, 44, HEIGHT * 1.16, 980, (84, 70, 62))
    for x, height in ((1402, 300), (1330, 150)):
        scenery.spruce(sheet, rng, x, HEIGHT * 0.985, height, (34, 62, 54), SNOW, 0.7)
    return scenery.over(snow, sheet.done())


def snowfall(rng: np.random.Generator, flakes: int = 150) -> Callable[[Pixels, float, Callable[[float], Camera]], Pixels]:
    """Light snow that falls and drifts."""
    start = rng.random((flakes, 2))
    depth = rng.uniform(0.35, 1.0, flakes)
    phase = rng.uniform(0, 2 * np.pi, flakes)

    def animate(picture: Pixels, time_s: float, see: Callable[[float], Camera]) -> Pixels:
        mask = np.zeros((FRAME_HEIGHT, FRAME_WIDTH), np.float32)
        for (u, v), near, turn in zip(start, depth, phase, strict=True):
            x = (u * FRAME_WIDTH + 14 * np.sin(0.9 * time_s + turn) + 16 * near * time_s) % FRAME_WIDTH
            y = (v * (FRAME_HEIGHT + 20) + 62 * near * time_s) % (FRAME_HEIGHT + 20) - 10
            cv2.circle(mask, (round(x * 16), round(y * 16)), round(16 * (0.7 + 1.9 * near)), 0.85, -1, cv2.LINE_AA, shift=4)
        soft = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None]
        return np.asarray(picture * (1 - soft) + soft, dtype=np.float32)

    return animate


# --- the town sign ----------------------------------------------------------------------------------------------------


def town_sign(rng: np.random.Generator) -> Shot:
    horizon = 0.6 * HEIGHT
    trees = Sheet()
    for x, height in ((30, 380), (150, 300), (260, 240), (1240, 260), (1340, 340), (1450, 400), (560, 170), (960, 190)):
        scenery.spruce(trees, rng, x, horizon + 40, height, SPRUCE, SNOW, 0.6)
    for x, height in ((340, 400), (1160, 420), (760, 300)):
        scenery.bare_tree(trees, rng, x, horizon + 44, height, BARK)
    trees.soften(1.2)
    layers = (
        Layer(winter_sky(rng), 0.0),
        Layer(mountains(rng), 0.1),
        Layer(scenery.over(forest(rng, horizon), trees.done()), 0.3),
        Layer(snowfield(rng, horizon + 30), 0.55),
        Layer(welcome(rng), 0.85),
        Layer(snowfield(rng, HEIGHT * 0.9), 1.0),
    )
    return Shot(layers, (70, 0), (1.0, 1.09), snowfall(rng))


def welcome(rng: np.random.Generator) -> Pixels:
    """A white board with green letters, snow on its top edge."""
    sheet = Sheet()
    left, top, right, bottom = 352.0, 190.0, 1120.0, 580.0
    sheet.oval(WIDTH / 2, 756, 470, 22, (120, 142, 180, 150))
    sheet.soften(6)
    for x in (left + 46, right - 78):
        sheet.box(x, top - 62, x + 32, 790, (104, 80, 62, 255), 2)
        sheet.box(x + 20, top - 62, x + 32, 790, (80, 60, 46, 255), 2)
        sheet.polygon([(x - 9, top - 58), (x + 2, top - 78), (x + 30, top - 78), (x + 41, top - 58)], (*SNOW, 255))
    sheet.box(left + 6, top + 8, right + 6, bottom + 8, (60, 70, 90, 120), 22)
    sheet.box(left, top, right, bottom, FOREST, 22)
    sheet.box(left + 11, top + 11, right - 11, bottom - 11, BOARD, 15)
    sheet.box(left + 18, top + 18, right - 18, bottom - 18, FOREST, 11)
    sheet.box(left + 21, top + 21, right - 21, bottom - 21, BOARD, 9)
    middle = (left + right) / 2
    sheet.text(middle, top + 78, "Welcome to", 46, FOREST, "DejaVuSerif-Italic")
    sheet.text(middle, top + 160, "MONTPELIER", 88, FOREST)
    sheet.text(middle, top + 246, "VERMONT  05602  USA", 52, FOREST)
    sheet.box(middle - 230, top + 294, middle + 230, top + 296, FOREST)
    sheet.text(middle, top + 334, "Settled 1787", 34, (150, 46, 40, 255), "DejaVuSerif-Italic")
    crest = [(left + 6, top + 6)]
    crest += [(x, top - 15 - 9 * np.sin((x - left) / 130) - rng.uniform(0, 2)) for x in np.arange(left + 16, right - 10, 14)]
    crest += [(right - 6, top + 6)]
    sheet.polygon(crest, (*SNOW, 255))
    sheet.polygon(
        [(x, y + 14) if k in (0, len(crest) - 1) else (x, top + 4 + 3 * np.sin(k)) for k, (x, y) in enumerate(crest)],
        (222, 231, 245, 255),
    )
    return sheet.done()


# --- the singer -------------------------------------------------------------------------------------------------------


def singer(rng: np.random.Generator) -> Shot:
    horizon = 0.68 * HEIGHT
    backdrop = scenery.over(forest(rng, horizon), snowfield(rng, horizon))
    backdrop = cv2.GaussianBlur(backdrop, (0, 0), 7.0)
    layers = (
        Layer(winter_sky(rng), 0.0),
        Layer(cv2.GaussianBlur(mountains(rng), (0, 0), 5.0), 0.1),
        Layer(backdrop, 0.3),
        Layer(perch(rng), 0.9),
    )
    return Shot(layers, (50, 10), (1.0, 1.06), snowfall(rng, 110))


def perch(rng: np.random.Generator) -> Pixels:
    """A maple with a sap bucket, and a chickadee on its branch."""
    sheet = Sheet()
    trunk = [(60, -10), (300, -10), (286, 300), (300, 560), (336, HEIGHT + 10), (10, HEIGHT + 10), (52, 520)]
    sheet.polygon(trunk, (92, 78, 70, 255))
    for _ in range(900):
        x, y = rng.uniform(64, 292), rng.uniform(-10, HEIGHT)
        bow = 1 - abs((x - 178) / 120)
        sheet.line(
            [(x, y), (x + rng.normal(0, 4), y + rng.uniform(18, 70))],
            scenery.shade((112, 97, 88), rng.uniform(0.55, 0.8) + 0.42 * bow),
            rng.uniform(1.5, 4.5),
        )
    branch = [(270, 470), (520, 436), (820, 452), (1120, 410), (1480, 430)]
    for width, colour, up in ((30, (74, 60, 54, 255), 0), (20, (104, 88, 78, 255), -3), (9, (*SNOW, 255), -13)):
        sheet.line([(x, y + up) for x, y in branch], colour, width)
    for x, y in branch[1:]:
        sheet.oval(x, y - 13, 5, 4.5, (*SNOW, 255))
    for x, y, dx, dy in ((600, 440, 120, -150), (1010, 424, 150, -120), (1240, 416, 90, 110), (430, 450, 90, 120)):
        sheet.line([(x, y), (x + dx * 0.55, y + dy * 0.5), (x + dx, y + dy)], (92, 78, 70, 255), 6)
        sheet.line([(x + dx * 0.5, y + dy * 0.45), (x + dx * 1.1, y + dy * 0.55)], (92, 78, 70, 255), 4)
    bucket(sheet, 186, 600)
    chickadee(sheet, rng, 800, 342, 1.25)
    return sheet.done()


def bucket(sheet: Sheet, x: float, y: float) -> None:
    """A galvanised sap bucket under its spout."""
    sheet.box(x - 6, y - 34, x + 6, y - 8, (70, 70, 76, 255), 3)
    for k in range(24):
        u = (k + 0.5) / 24 * 2 - 1
        light = int(118 + 96 * np.exp(-((u + 0.35) ** 2) / 0.12) - 34 * max(u, 0))
        a, b = x + 62 * (u - 1 / 24), x + 62 * (u + 1 / 24)
        c, d = x + 50 * (u - 1 / 24), x + 50 * (u + 1 / 24)
        sheet.polygon([(a, y), (b + 0.5, y), (d + 0.5, y + 136), (c, y + 136)], (light, light + 3, light + 8, 255))
    for band in (18, 96):
        sheet.line([(x - 61 + band / 11, y + band), (x + 61 - band / 11, y + band)], (104, 108, 116, 255), 3)
    sheet.polygon([(x - 72, y + 4), (x - 60, y - 20), (x + 60, y - 20), (x + 72, y + 4)], (128, 134, 142, 255))
    sheet.polygon([(x - 66, y - 8), (x - 56, y - 30), (x + 58, y - 30), (x + 66, y - 8)], (*SNOW, 255))


def chickadee(sheet: Sheet, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """A Black-capped Chickadee that looks left: black cap and bib, white cheek, buff flanks, grey wings."""

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + px * size, y + py * size) for px, py in points]

    def form(*points: tuple[float, float], fill: tuple[int, int, int]) -> None:
        corners = np.array(at(*points))
        for _ in range(3):  # Chaikin's corner cutting
            after = np.roll(corners, -1, axis=0)
            corners = np.stack([0.75 * corners + 0.25 * after, 0.25 * corners + 0.75 * after], axis=1).reshape(-1, 2)
        sheet.polygon([(float(a), float(b)) for a, b in corners], (*fill, 255))

    def round_(px: float, py: float, rx: float, ry: float, fill: tuple[int, int, int]) -> None:
        sheet.oval(x + px * size, y + py * size, rx * size, ry * size, (*fill, 255))

    form((60, 8), (178, 74), (170, 92), (150, 90), (40, 48), fill=(92, 98, 108))
    form((80, 28), (172, 84), (160, 90), (60, 44), fill=(64, 70, 80))
    for side in (-16, 22):
        sheet.line(at((side, 60), (side - 4, 84)), (58, 56, 62, 255), 4 * size)
        sheet.line(at((side - 14, 86), (side + 10, 84)), (58, 56, 62, 255), 4 * size)
    round_(6, 14, 70, 58, (232, 222, 206))
    round_(26, 26, 52, 42, (226, 200, 166))
    round_(-14, 12, 46, 50, (244, 240, 232))
    form((-8, -40), (50, -30), (96, 22), (112, 44), (60, 40), (20, 16), fill=(132, 136, 142))
    form((18, -14), (70, 4), (124, 52), (70, 44), (28, 22), fill=(88, 94, 104))
    for k in range(5):
        sheet.line(at((30 + 6 * k, -2 + 5 * k), (92 + 8 * k, 34 + 5 * k)), (206, 210, 214, 255), 1.6 * size)
    round_(-34, -42, 42, 38, (250, 250, 248))
    form((-76, -40), (-62, -74), (-30, -88), (4, -76), (22, -44), (16, -26), (-4, -46), (-40, -54), (-76, -44), fill=(26, 26, 30))
    form((-74, -38), (-50, -34), (-30, -12), (-30, 4), (-52, -2), (-70, -22), fill=(26, 26, 30))
    form((-72, -50), (-100, -42), (-72, -34), fill=(38, 38, 42))
    sheet.line(at((-72, -42), (-98, -41.5)), (12, 12, 14, 255), 1.4 * size)
    round_(-52, -50, 6.2, 6.2, (10, 10, 12))
    round_(-54, -52.4, 2.0, 2.0, (255, 255, 255))
    for _ in range(420):
        px, py = rng.normal(8, 34), rng.normal(22, 24)
        if ((px - 4) / 64) ** 2 + ((py - 14) / 52) ** 2 < 1 and not (px > 14 and py < 22) and py > -14:
            tone = rng.uniform(0.93, 1.04)
            sheet.line(
                at((px, py), (px + 4, py + 8)), scenery.shade((238, 226, 208) if px < 12 else (228, 204, 172), tone), 1.0 * size
            )
