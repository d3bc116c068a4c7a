"""Landscapes drawn with numpy and Pillow: sky, hills, grass, trees, signs, each on a layer of its own.

A layer is RGBA, premultiplied float32 (HEIGHT, WIDTH, 4) in 0..1, with the distance it stands at; a camera that moves a
little shifts near layers more than far ones. Shapes are drawn at twice the size and scaled down for smooth edges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FRAME_WIDTH, FRAME_HEIGHT = 1280, 720
WIDTH, HEIGHT = 1472, 828  # the drawing is larger than the frame, so that the camera has room to move
FINE = 2  # shapes are drawn this many times larger

Pixels = NDArray[np.float32]
Colour = tuple[int, int, int]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Layer:
    """A drawing and how much it follows the camera: near = 1 moves fully, 0 (the sky) not at all."""

    pixels: Pixels = field(repr=False)
    near: float


@dataclass(frozen=True, slots=True)
class Shot:
    """A still scene under a moving camera.

    Attributes:
        layers: far ones first.
        pan_px: (x, y) the camera travels from start to end, for the nearest layer.
        zoom: magnification at start and end.
        animate: what moves: draws over the finished frame (h, w, 3), given the time and the camera of any nearness.
    """

    layers: tuple[Layer, ...]
    pan_px: tuple[float, float]
    zoom: tuple[float, float]
    animate: Callable[[Pixels, float, Callable[[float], Camera]], Pixels] | None = None


@dataclass(frozen=True, slots=True)
class Camera:
    """Where a point of the drawing appears in the frame: x' = scale * x + left."""

    scale: float
    left: float
    top: float

    def see(self, x: float, y: float) -> tuple[float, float]:
        return self.scale * x + self.left, self.scale * y + self.top


def camera(shot: Shot, along: float, near: float) -> Camera:
    """The camera for a layer when the shot is `along` (0..1) its way, with a soft start and end."""
    eased = 0.5 * along + 0.5 * (0.5 - 0.5 * np.cos(np.pi * along))
    zoom = 1 + (shot.zoom[0] + (shot.zoom[1] - shot.zoom[0]) * eased - 1) * (0.35 + 0.65 * near)
    x, y = (shot.pan_px[i] * (eased - 0.5) * near for i in (0, 1))
    scale = zoom * FRAME_WIDTH / WIDTH * 1.09
    return Camera(scale, FRAME_WIDTH / 2 - scale * (WIDTH / 2 + x), FRAME_HEIGHT / 2 - scale * (HEIGHT / 2 + y))


def frame(shot: Shot, along: float, time_s: float) -> NDArray[np.uint8]:
    """One frame (720, 1280, 3) uint8 RGB of a shot, `along` 0..1 its way."""
    out = np.zeros((FRAME_HEIGHT, FRAME_WIDTH, 3), dtype=np.float32)
    for layer in shot.layers:
        c = camera(shot, along, layer.near)
        moved = cv2.warpAffine(
            layer.pixels,
            np.array([[c.scale, 0, c.left], [0, c.scale, c.top]]),
            (FRAME_WIDTH, FRAME_HEIGHT),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        out = out * (1 - moved[..., 3:]) + moved[..., :3]
    if shot.animate is not None:
        out = shot.animate(out, time_s, lambda near: camera(shot, along, near))
    return np.asarray(np.clip(out * vignette() * 255 + 0.5, 0, 255), dtype=np.uint8)


@cache
def vignette() -> Pixels:
    """Corners a little darker than the middle, (720, 1280, 1)."""
    y, x = np.mgrid[-1 : 1 : FRAME_HEIGHT * 1j, -1 : 1 : FRAME_WIDTH * 1j]
    return np.asarray(1 - 0.16 * np.clip((x**2 + y**2) / 2, 0, 1) ** 1.5, dtype=np.float32)[..., None]


# --- surfaces ---------------------------------------------------------------------------------------------------------


def clouds(rng: Rng, height: int, width: int, cell_px: tuple[float, float], octaves: int = 5) -> Pixels:
    """Smooth random field (height, width) in 0..1; cell_px is the size (x, y) of its largest lumps."""
    total = np.zeros((height, width), dtype=np.float32)
    weight = 0.0
    for k in range(octaves):
        grid = (max(2, int(width / cell_px[0] * 2**k) + 2), max(2, int(height / cell_px[1] * 2**k) + 2))
        coarse = rng.random((grid[1], grid[0])).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**k
        weight += 0.5**k
    total /= weight
    low, high = np.percentile(total, (1, 99))
    return np.clip((total - low) / (high - low), 0, 1)


def blend(a: Sequence[float], b: Sequence[float], share: Pixels) -> Pixels:
    """Colours (…, 3) in 0..1 between two 0..255 colours."""
    return (np.asarray(a, np.float32) * (1 - share[..., None]) + np.asarray(b, np.float32) * share[..., None]) / 255


def opaque(rgb: Pixels, mask: Pixels | None = None) -> Pixels:
    """Premultiplied RGBA of colours (h, w, 3) behind a mask (h, w)."""
    alpha = np.ones(rgb.shape[:2], np.float32) if mask is None else mask.astype(np.float32)
    return np.dstack([np.clip(rgb, 0, 1) * alpha[..., None], alpha]).astype(np.float32)


def over(below: Pixels, above: Pixels) -> Pixels:
    """One premultiplied drawing laid over another."""
    return np.asarray(below * (1 - above[..., 3:]) + above, dtype=np.float32)


def sky(rng: Rng, top: Colour, horizon: Colour, cover: float, glow: Colour = (255, 255, 255)) -> Pixels:
    """A sky that pales toward the horizon, `cover` 0..1 of it in cloud."""
    y = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None] * np.ones((1, WIDTH), np.float32)
    rgb = blend(top, horizon, np.clip(y / 0.62, 0, 1) ** 0.8)
    lumps = clouds(rng, HEIGHT, WIDTH, (420, 130), 6)
    mass = np.clip((lumps - (1 - cover)) / 0.28, 0, 1) * np.clip(1.15 - y * 1.3, 0, 1)
    lit = np.clip((lumps - np.roll(lumps, 14, axis=0)) * 2.5 + 0.93, 0.8, 1)
    return opaque(rgb * (1 - mass[..., None]) + (np.asarray(glow, np.float32) / 255) * lit[..., None] * mass[..., None])


def ridge(rng: Rng, base_px: float, swing_px: float, lump_px: float, top: Colour, foot: Colour, rough_px: float = 0.0) -> Pixels:
    """Hills: everything under a wavy line around base_px, from colour `top` at the crest to `foot` below."""
    line = base_px + swing_px * (clouds(rng, 2, WIDTH, (lump_px, 2), 4)[0] - 0.5) * 2
    if rough_px:
        line = line + rough_px * (clouds(rng, 2, WIDTH, (14, 2), 3)[0] - 0.5) * 2
    y = np.arange(HEIGHT, dtype=np.float32)[:, None]
    mask = np.clip(y - line[None, :], 0, 1)
    share = np.clip((y - line[None, :]) / 130, 0, 1)
    texture = 0.93 + 0.14 * clouds(rng, HEIGHT, WIDTH, (60, 30), 4)
    return opaque(blend(top, foot, share) * texture[..., None], mask)


def ground(
    rng: Rng, horizon_px: float, far: Colour, close: Colour, stripes: float = 0.0, centre: float = 0.5, lumps: float = 0.16
) -> Pixels:
    """A plain seen in perspective from horizon_px down, with mown stripes that run to the horizon."""
    y = np.arange(HEIGHT, dtype=np.float32)[:, None] - horizon_px
    x = np.arange(WIDTH, dtype=np.float32)[None, :] - centre * WIDTH
    mask = np.clip(y, 0, 1) * np.ones((1, WIDTH), np.float32)
    depth = np.maximum(y, 1.0)
    share = np.clip(y / (HEIGHT - horizon_px), 0, 1) ** 0.7 * np.ones((1, WIDTH), np.float32)
    rgb = blend(far, close, share)
    across = x / depth
    if stripes:
        rgb = rgb * (1 + stripes * np.tanh(6 * np.sin(across * 9.0)) * np.clip(y / 60, 0, 1))[..., None]
    rough = clouds(rng, 1024, 1024, (110, 110), 6)
    u = np.mod(across * 160 + 512, 1023).astype(np.float32)
    v = np.mod(np.broadcast_to(26000 / depth, u.shape), 1023).astype(np.float32)
    lumpy = cv2.remap(rough, u, v, cv2.INTER_LINEAR)
    fine = clouds(rng, HEIGHT, WIDTH, (7, 5), 2)
    rgb = rgb * (1 - lumps / 2 + lumps * lumpy)[..., None] * (0.97 + 0.06 * fine * share)[..., None]
    return opaque(rgb, mask)


# --- shapes -----------------------------------------------------------------------------------------------------------


class Sheet:
    """A transparent sheet to draw shapes on, in the drawing's own pixels; `done` gives the layer's pixels."""

    def __init__(self) -> None:
        self.image = Image.new("RGBA", (WIDTH * FINE, HEIGHT * FINE), (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)

    def polygon(self, points: Sequence[tuple[float, float]], fill: tuple[int, ...]) -> None:
        self.pen.polygon([(x * FINE, y * FINE) for x, y in points], fill=fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: tuple[int, ...], radius: float = 0) -> None:
        self.pen.rounded_rectangle([left * FINE, top * FINE, right * FINE, bottom * FINE], radius * FINE, fill=fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: tuple[int, ...]) -> None:
        self.pen.ellipse([(x - rx) * FINE, (y - ry) * FINE, (x + rx) * FINE, (y + ry) * FINE], fill=fill)

    def line(self, points: Sequence[tuple[float, float]], fill: tuple[int, ...], width: float) -> None:
        self.pen.line([(x * FINE, y * FINE) for x, y in points], fill=fill, width=max(1, round(width * FINE)), joint="curve")

    def text(self, x: float, y: float, words: str, size_px: float, fill: tuple[int, ...], face: str = "DejaVuSerif-Bold") -> None:
        """Words centred at (x, y), with a thin shadow so that they look cut or painted."""
        f = font(face, size_px * FINE)
        self.pen.text((x * FINE + FINE, y * FINE + 1.5 * FINE), words, font=f, fill=(0, 0, 0, 130), anchor="mm")
        self.pen.text((x * FINE, y * FINE), words, font=f, fill=fill, anchor="mm")

    def soften(self, radius_px: float) -> None:
        self.image = self.image.filter(ImageFilter.GaussianBlur(radius_px * FINE))
        self.pen = ImageDraw.Draw(self.image)

    def done(self) -> Pixels:
        big = np.asarray(self.image, dtype=np.float32) / 255
        big[..., :3] *= big[..., 3:]
        return np.asarray(cv2.resize(big, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), dtype=np.float32)


def font(face: str, size_px: float) -> ImageFont.FreeTypeFont:
    """A face of the DejaVu family, which comes with matplotlib under a free licence."""
    from matplotlib import get_data_path

    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/{face}.ttf", round(size_px))


def shade(colour: Colour, light: float) -> tuple[int, int, int, int]:
    """A colour made lighter (above 1) or darker, opaque."""
    return (*(int(np.clip(c * light, 0, 255)) for c in colour), 255)  # type: ignore[return-value]


def foliage(
    sheet: Sheet, rng: Rng, lobes: Sequence[tuple[float, float, float]], dark: Colour, light: Colour, leaf_px: float = 3.0,
    flat: float = 0.86,
) -> None:  # fmt: skip
    """Leaves over round lobes (x, y, radius), `flat` times as high as wide, lit from the upper left."""
    leaves = []
    for x, y, radius in lobes:
        n = int(9 * (radius / leaf_px) ** 1.65) + 20
        r = np.sqrt(rng.random(n)) * radius * (1 + np.abs(rng.normal(0, 0.14, n)))
        angle = rng.random(n) * 2 * np.pi
        dx, dy = np.cos(angle) * r, np.sin(angle) * r * flat
        lit = np.clip(0.48 - 0.33 * dx / radius - 0.46 * dy / radius + rng.normal(0, 0.15, n), 0, 1)
        leaves += [(lit[i], x + dx[i], y + dy[i]) for i in range(n)]
    rng.shuffle(leaves)
    leaves.sort(key=lambda leaf: round(leaf[0] * 3))
    for lit, x, y in leaves:
        colour = tuple(int(d + (b - d) * lit) for d, b in zip(dark, light, strict=True))
        size = leaf_px * rng.uniform(0.6, 1.25)
        sheet.oval(x, y, size, size * rng.uniform(0.55, 0.9), (*colour, 255))


def broadleaf(
    sheet: Sheet, rng: Rng, x: float, foot: float, height: float, dark: Colour, light: Colour, leaf_px: float = 3.0
) -> None:
    """A full round tree."""
    crown = height * 0.36
    trunk = height * 0.045
    sheet.polygon(
        [
            (x - trunk * 1.5, foot),
            (x - trunk * 0.6, foot - height * 0.6),
            (x + trunk * 0.6, foot - height * 0.6),
            (x + trunk * 1.5, foot),
        ],
        (66, 52, 40, 255),
    )
    top = foot - height * 0.62
    lobes = [
        (x + rng.normal(0, crown * 0.55), top + rng.normal(0, crown * 0.5), crown * rng.uniform(0.36, 0.6)) for _ in range(11)
    ]
    foliage(sheet, rng, sorted(lobes, key=lambda lobe: lobe[1]), dark, light, leaf_px)


def loblolly(
    sheet: Sheet, rng: Rng, x: float, foot: float, height: float, dark: Colour, light: Colour, leaf_px: float = 2.6
) -> None:
    """A tall southern pine: bare trunk, cloudy crown."""
    lean = rng.normal(0, height * 0.015)
    trunk = height * 0.016 + 1
    sheet.polygon(
        [
            (x - trunk, foot),
            (x + lean - trunk * 0.5, foot - height * 0.95),
            (x + lean + trunk * 0.5, foot - height * 0.95),
            (x + trunk, foot),
        ],
        (104, 76, 58, 255),
    )
    sheet.line([(x - trunk * 0.3, foot), (x + lean - trunk * 0.2, foot - height * 0.9)], (134, 100, 76, 255), trunk * 0.5)
    lobes = []
    for k in range(26):
        up = 0.5 + 0.48 * k / 25
        reach = height * (0.16 - 0.2 * abs(up - 0.68))
        side = rng.uniform(-1, 1)
        lobes.append((x + lean + side * reach, foot - height * (up - 0.03 * abs(side)), height * 0.042 * rng.uniform(0.6, 1.35)))
    foliage(sheet, rng, lobes, dark, light, leaf_px, 0.62)


def spruce(
    sheet: Sheet, rng: Rng, x: float, foot: float, height: float, dark: Colour, snow: Colour, whitened: float = 0.5
) -> None:
    """A pointed conifer with snow on its boughs."""
    tiers = max(7, int(height / 11))
    for k in range(tiers):
        up = k / tiers
        y = foot - height * up * 0.97
        half = height * 0.2 * (1 - up) ** 0.9 + 1.5
        drop = height / tiers * 1.9
        for side in (-1, 1):
            reach = half * rng.uniform(0.8, 1.12)
            sheet.polygon(
                [(x, y - drop), (x + side * reach, y), (x + side * reach * 0.4, y - drop * 0.18), (x, y)],
                shade(dark, 0.8 + 0.35 * (side < 0)),
            )
            if rng.random() < whitened:
                sheet.polygon(
                    [
                        (x + side * 0.12 * reach, y - drop * 0.8),
                        (x + side * reach, y - 0.5),
                        (x + side * reach * 0.45, y - drop * 0.42),
                    ],
                    shade(snow, 0.86 + 0.14 * (side < 0)),
                )


def bare_tree(sheet: Sheet, rng: Rng, x: float, foot: float, height: float, bark: Colour, snow: bool = True) -> None:
    """A leafless tree by branching: each limb forks into two thinner ones."""

    def limb(x0: float, y0: float, angle: float, length: float, width: float, level: int) -> None:
        x1, y1 = x0 + np.cos(angle) * length, y0 - np.sin(angle) * length
        sheet.line([(x0, y0), (x1, y1)], shade(bark, 0.75 + 0.07 * level), width)
        if width > 2.5:
            sheet.line([(x0 - width * 0.25, y0), (x1 - width * 0.18, y1)], shade(bark, 1.15), width * 0.3)
        if snow and level >= 2 and abs(np.cos(angle)) > 0.45 and width > 0.8:
            sheet.line([(x0, y0 - width * 0.5), (x1, y1 - width * 0.5)], (244, 248, 255, 235), max(0.7, width * 0.45))
        if level >= 8 or length < 3:
            return
        for turn in (-1, 1):
            limb(x1, y1, angle + turn * rng.uniform(0.18, 0.55), length * rng.uniform(0.68, 0.86), width * 0.68, level + 1)
        if level < 4 and rng.random() < 0.6:
            limb(x1, y1, angle + rng.normal(0, 0.15), length * 0.75, width * 0.62, level + 1)

    limb(x, foot, np.pi / 2 + rng.normal(0, 0.03), height * 0.26, height * 0.052, 0)


def grass_blades(sheet: Sheet, rng: Rng, top: float, dark: Colour, light: Colour, count: int = 2600) -> None:
    """Out-of-focus blades along the lower edge."""
    for _ in range(count):
        x, y = rng.uniform(-10, WIDTH + 10), rng.uniform(top, HEIGHT + 20)
        length = 10 + 26 * (y - top) / (HEIGHT - top)
        colour = tuple(int(d + (b - d) * rng.random()) for d, b in zip(dark, light, strict=True))
        sheet.line([(x, y), (x + rng.normal(0, 6), y - length)], (*colour, 255), 1.4)


def bricks(sheet: Sheet, rng: Rng, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
    """A pillar of brick, lit from the left."""
    sheet.box(left, top, right, bottom, (168, 156, 146, 255))
    course, length = 11.0, 27.0
    for row, y in enumerate(np.arange(top, bottom, course)):
        for x in np.arange(left - (length / 2 if row % 2 else 0), right, length):
            a, b = max(left, x + 0.8), min(right, x + length - 0.8)
            if b - a > 2:
                lit = 1.06 - 0.3 * ((a + b) / 2 - left) / (right - left) + rng.normal(0, 0.07)
                sheet.box(a, y + 0.8, b, min(bottom, y + course - 0.8), shade(colour, lit), 0.8)
