"""`earwitness bench sun`: rendered scenes with a known sun, marked with a known error; how often the band holds the true place.

A scene is a pole on a plane, sloping a little, before a pinhole camera of random lens, height, pitch and roll, at a place drawn
from the prior, on a random day and time at which the sun is up. Foot, top and tip are projected and marked with random error;
the horizon, the lens and the camera's direction are given for some of them. What is drawn is not what the clue assumes: lens,
pitch and depression come from distances and heights that it does not know. A scene whose points fall outside of the frame is
drawn anew, place and time included. The sun's positions are compared with published ones, and with pvlib's own function for
one place.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.clues.sun import score
from engine.clues.sun.geometry import directions
from engine.clues.sun.mark import FULL_FRAME, Mark, Point, When
from engine.core.errors import SettingError
from engine.core.grid import Grid
from engine.core.posterior import Posterior, Prior
from engine.lab.bench.hum import Share
from engine.lab.bench.metrics import to_json_text
from engine.world import priors, sun
from engine.world.grid import world_grid

ASPECT = 16 / 9
WIDTH_PX = 1280
CERTAIN = 0.99


@dataclass(frozen=True, slots=True)
class Published:
    """A published position of the sun: zenith distance and azimuth in degrees, as seen through the air."""

    source: str
    lat_deg: float
    lon_deg: float
    when: datetime
    pressure_mbar: float
    temperature_c: float
    zenith_deg: float
    azimuth_deg: float


PUBLISHED = (
    Published(
        "Reda & Andreas 2004, Solar Energy 76(5), table A5.1 (NREL/TP-560-34302)",
        39.742476,
        -105.1786,
        datetime(2003, 10, 17, 12, 30, 30, tzinfo=timezone(timedelta(hours=-7))),
        820.0,
        11.0,
        50.11162,
        194.34024,
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One scene and the truth about it.

    Attributes:
        mark: as an analyst marks it.
        lat_deg, lon_deg, unix_s: where and when.
        elevation_deg: of the sun, through the air.
        azimuth_deg: of the sun, from where the camera looks.
        focal: in widths of the frame.
        up, ground, foot, head, tip: (3,) in the camera's axes (x right, y down, z forward), metres.
    """

    mark: Mark
    lat_deg: float
    lon_deg: float
    unix_s: float
    elevation_deg: float
    azimuth_deg: float
    focal: float
    up: NDArray[np.float64]
    ground: NDArray[np.float64]
    foot: NDArray[np.float64]
    head: NDArray[np.float64]
    tip: NDArray[np.float64]


def scenes(seed: int) -> Iterator[Scene]:
    """Scenes without end, the same for the same seed."""
    rng = np.random.default_rng(seed)
    grid = world_grid()
    mass = np.exp(priors.prior("mixture", grid).log_mass)
    while True:
        made = _scene(rng, grid, mass)
        if made is not None:
            yield made


def _scene(rng: np.random.Generator, grid: Grid, mass: NDArray[np.float64]) -> Scene | None:
    cell = int(rng.choice(len(grid), p=mass / mass.sum()))
    lat, lon = _within(rng, grid, cell)
    unix_s = float(rng.uniform(datetime(2010, 1, 1, tzinfo=UTC).timestamp(), datetime(2030, 1, 1, tzinfo=UTC).timestamp()))
    elevation, azimuth = (float(x[0]) for x in sun.positions(lat, lon, np.array([unix_s])))
    if elevation < 2.0:
        return None
    heading = float(rng.uniform(0.0, 360.0))
    diagonal = float(np.hypot(1.0, 1.0 / ASPECT))
    focal = float(np.exp(rng.uniform(np.log(22.0), np.log(50.0)))) / FULL_FRAME * diagonal
    pitch, roll = np.radians(rng.normal(4.0, 7.0)), np.radians(rng.normal(0.0, 2.0))
    up = np.array([np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])
    forward = _unit(np.array([0.0, 0.0, 1.0]) - up[2] * up)
    right = np.cross(forward, up)
    slope = np.radians(rng.normal(0.0, 2.0, 2))
    ground = _unit(up + slope[0] * right + slope[1] * forward)
    away, side = rng.uniform(4.0, 40.0), rng.uniform(-0.4, 0.4)
    foot = away * (forward + side / focal * right) - rng.uniform(1.2, 4.0) * up
    lopsided = np.radians(rng.normal(0.0, 1.0, 2))
    head = foot + rng.uniform(1.0, 8.0) * _unit(up + lopsided[0] * right + lopsided[1] * forward)
    level = np.radians(azimuth - heading)
    towards = np.sin(np.radians(elevation)) * up + np.cos(np.radians(elevation)) * (
        np.cos(level) * forward + np.sin(level) * right
    )
    slant = float(towards @ ground)
    if slant <= 0.01:
        return None
    tip = head - float((head - foot) @ ground) / slant * towards
    error_px = rng.uniform(2.0, 6.0)
    points = [_seen(p, focal) for p in (foot, head, tip)]
    if any(p is None or not (0.0 < p[0] < 1.0 and 0.0 < p[1] < 1.0) for p in points):
        return None
    marked = [_marked(rng, p, error_px * k) for p, k in zip(points, (1.0, 1.0, 1.5), strict=True) if p is not None]
    line = [_seen(100_000.0 * (forward + s / focal * right), focal) for s in (-0.4, 0.4)]
    ends = tuple(_marked(rng, p, error_px) for p in line if p is not None) if rng.random() < 0.5 else ()
    fov = float(np.degrees(2 * np.arctan(0.5 / (focal * np.exp(rng.normal(0.0, 0.03))))))
    try:
        mark = Mark(
            marked[0],
            marked[1],
            marked[2],
            aspect=ASPECT,
            when=_when(rng, unix_s, lat, lon),
            horizon=(ends[0], ends[1]) if len(ends) == 2 and all(-0.4 < p[1] < 1.4 for p in ends) else None,
            fov_deg=fov if rng.random() < 1 / 3 else None,
            heading_deg=heading + float(rng.normal(0.0, 10.0)) if rng.random() < 1 / 4 else None,
            heading_sd_deg=10.0,
        )
    except SettingError:
        return None
    turned = (azimuth - heading + 180.0) % 360.0 - 180.0
    return Scene(mark, lat, lon, unix_s, elevation, turned, focal, up, ground, foot, head, tip)


def _within(rng: np.random.Generator, grid: Grid, cell: int) -> tuple[float, float]:
    """A place in a cell."""
    lat, lon = (float(x[cell]) for x in grid.lat_lon_deg)
    while True:
        a = float(np.clip(lat + rng.uniform(-1.2, 1.2), -89.9, 89.9))
        o = lon + float(rng.uniform(-1.2, 1.2)) / max(0.02, float(np.cos(np.radians(lat))))
        o = (o + 180.0) % 360.0 - 180.0
        if int(grid.locate(np.array([a]), np.array([o]))[0]) == cell:
            return a, o


def _when(rng: np.random.Generator, unix_s: float, lat_deg: float, lon_deg: float) -> When:
    """A span of time in which the truth lies anywhere."""
    kind = rng.choice(["clock", "local", "day"], p=[0.6, 0.25, 0.15])
    offset: int | None = 0
    at = datetime.fromtimestamp(unix_s, UTC)
    if kind != "clock":
        zone = sun.zone_at(lat_deg, lon_deg)
        offset = None
        at += timedelta(minutes=sun.offset_min(zone, at.date(), 60 * at.hour + at.minute))
    if kind == "day":
        return When(at.date(), at.date(), offset_min=offset)
    length = int(rng.choice([20, 60, 180]))
    start = at - timedelta(minutes=float(rng.uniform(0.0, length)))
    minute = 60 * start.hour + start.minute
    return When(start.date(), start.date(), minute, minute + length, offset)


def _seen(p: NDArray[np.float64], focal: float) -> Point | None:
    if p[2] <= 0.1:
        return None
    return float(p[0] / p[2] * focal + 0.5), float(p[1] / p[2] * focal * ASPECT + 0.5)


def _marked(rng: np.random.Generator, p: Point, error_px: float) -> Point:
    noise = rng.normal(0.0, error_px / WIDTH_PX, 2)
    return p[0] + float(noise[0]), p[1] + float(noise[1]) * ASPECT


def picture(scene: Scene, width_px: int = WIDTH_PX) -> NDArray[np.uint8]:
    """The scene as a camera sees it, (height, width, 3): sky, ground with a pattern, pole and shadow."""
    height_px = round(width_px / ASPECT)
    y, x = np.mgrid[0:height_px, 0:width_px].astype(np.float64)
    rays = np.stack([(x + 0.5) / width_px - 0.5, ((y + 0.5) / height_px - 0.5) / ASPECT, np.full_like(x, scene.focal)], -1)
    down = rays @ scene.ground
    out = np.empty((height_px, width_px, 3))
    high = np.clip(-(rays @ scene.up) / np.linalg.norm(rays, axis=-1), -1.0, 0.0)
    out[:] = np.array([186.0, 214.0, 240.0]) + high[..., None] * np.array([110.0, 70.0, 20.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        at = rays * (float(scene.foot @ scene.ground) / down)[..., None]
    land = (down < -1e-4) & (at[..., 2] < 3000.0)
    right = np.cross(scene.ground, np.array([0.0, 0.0, 1.0]))
    tiles = (np.floor(at @ right / 2.0) + np.floor(at[..., 2] / 2.0)) % 2
    far = np.clip(at[..., 2] / 120.0, 0.0, 1.0)[..., None]
    sand = np.where(tiles[..., None] > 0, [196.0, 180.0, 146.0], [184.0, 168.0, 134.0])
    out = np.where(land[..., None], sand * (1 - far) + np.array([190.0, 175.0, 142.0]) * far, out)
    half = 0.012 * float(np.linalg.norm(scene.head - scene.foot))
    shadow = land & (_to_segment(at, scene.foot, scene.tip) < half)
    out[shadow] *= 0.42
    out[_to_segment_of_rays(rays, scene.foot, scene.head) < half] = (92.0, 52.0, 40.0)
    return np.clip(out, 0, 255).astype(np.uint8)


def _to_segment(p: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        share = np.clip(((p - a) @ (b - a)) / float((b - a) @ (b - a)), 0.0, 1.0)
        return np.asarray(np.linalg.norm(p - a - share[..., None] * (b - a), axis=-1))


def _to_segment_of_rays(rays: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least distance of each ray from the camera to the segment."""
    d = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    along = b - a
    dv, da, va, vv = d @ along, d @ a, float(along @ a), float(along @ along)
    share = np.clip((dv * da - va) / np.maximum(vv - dv**2, 1e-9), 0.0, 1.0)
    near = a + share[..., None] * along
    return np.asarray(np.linalg.norm(near - (near * d).sum(-1, keepdims=True) * d, axis=-1))


def _unit(v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(v / np.linalg.norm(v))


# --- what is measured ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one scene: whether each band holds the true cell, areas in km², and the elevation."""

    inside: bool
    inside_half: bool
    area_km2: float
    gain_nats: float
    elevation_off_deg: float
    elevation_inside: bool
    clock: str


def measure(scene: Scene, prior: Prior, seed: int = 0) -> Row | None:
    """Score a scene as the program does; None where the clue refuses the marking or no place fits."""
    grid = prior.grid
    try:
        log_l = score.of_marks([(scene.mark, CERTAIN)], grid, seed)
        low, mid, high = directions(scene.mark, seed=seed).interval()
    except SettingError:
        return None
    if log_l is None:
        return None
    posterior = Posterior.of(prior, log_l)
    cell = int(grid.locate(np.array([scene.lat_deg]), np.array([scene.lon_deg]))[0])
    when = scene.mark.when
    whole = when.end_min - when.start_min >= 1440
    return Row(
        bool(posterior.region(0.9)[cell]),
        bool(posterior.region(0.5)[cell]),
        posterior.region_area_km2(0.9),
        posterior.gain_nats(prior),
        mid - scene.elevation_deg,
        low <= scene.elevation_deg <= high,
        "any time of a day" if whole else "local" if when.offset_min is None else "UTC",
    )


def positions_off_deg(seed: int, many: int = 500) -> tuple[float, float]:
    """Greatest distance in degrees of our positions from the published ones, and from pvlib's for one place at a time."""
    from pvlib import spa

    far = 0.0
    for p in PUBLISHED:
        elevation, azimuth = sun.position(p.lat_deg, p.lon_deg, p.when, p.pressure_mbar, p.temperature_c)
        far = max(far, _apart(90.0 - p.zenith_deg, p.azimuth_deg, elevation, azimuth))
    rng, beside = np.random.default_rng(seed), 0.0
    for _ in range(many):
        lat, lon = float(np.degrees(np.arcsin(rng.uniform(-1, 1)))), float(rng.uniform(-180, 180))
        at = np.array([rng.uniform(-631_152_000.0, 2_524_608_000.0)])  # 1950 to 2050
        stamp = datetime.fromtimestamp(float(at[0]), UTC)
        delta_t_s = float(spa.calculate_deltat(stamp.year, stamp.month))
        theirs = spa.solar_position_numpy(at, lat, lon, 0.0, sun.PRESSURE_MBAR, sun.TEMPERATURE_C, delta_t_s, 0.5667, 1)
        ours, turned = sun.positions(lat, lon, at)
        if float(theirs[2][0]) > 0.0:
            beside = max(beside, _apart(float(theirs[2][0]), float(theirs[4][0]), float(ours[0]), float(turned[0])))
    return far, beside


def _apart(e1: float, a1: float, e2: float, a2: float) -> float:
    turned = (a1 - a2 + 180.0) % 360.0 - 180.0
    return float(np.hypot(e1 - e2, turned * np.cos(np.radians(e1))))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench sun`."""
    parser.add_argument("--scenes", type=int, default=200, metavar="N", help="scenes rendered (default: 200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench sun` and print its table."""
    prior = priors.prior("mixture", world_grid())
    made = scenes(args.seed)
    every = [measure(next(made), prior) for _ in range(args.scenes)]
    rows = [r for r in every if r is not None]
    published, beside = positions_off_deg(args.seed)
    area = float(prior.grid.area_km2.sum())
    numbers: dict[str, Any] = {
        "seed": args.seed,
        "scenes": args.scenes,
        "refused": len(every) - len(rows),
        "inside_90": asdict(Share.make(sum(r.inside for r in rows), len(rows))),
        "inside_50": asdict(Share.make(sum(r.inside_half for r in rows), len(rows))),
        "elevation_inside_90": asdict(Share.make(sum(r.elevation_inside for r in rows), len(rows))),
        "elevation_off_deg": _quartiles([abs(r.elevation_off_deg) for r in rows]),
        "gain_nats": _quartiles([r.gain_nats for r in rows]),
        "area_90_km2": _quartiles([r.area_km2 for r in rows]),
        "area_90_share": {
            clock: _quartiles([r.area_km2 / area for r in rows if r.clock == clock])
            for clock in ("UTC", "local", "any time of a day")
        },
        "published_off_deg": published,
        "pvlib_off_deg": beside,
    }
    print(f"scenes             {args.scenes}, seed {args.seed}; refused {len(every) - len(rows)}")
    for name in ("inside_90", "inside_50", "elevation_inside_90"):
        print(f"{name:18} {Share(**numbers[name])}")
    for name in ("elevation_off_deg", "gain_nats", "area_90_km2"):
        print(f"{name:18} {_said(numbers[name])}")
    for clock, share in numbers["area_90_share"].items():
        print(f"area by clock      {clock}: {_said(share)} of the map")
    print(f"positions          {published:.5f}° from published, {beside:.5f}° from pvlib's for one place")
    if args.json:
        args.json.write_text(to_json_text(numbers))
    return 0


def _quartiles(values: list[float]) -> list[float]:
    return [float(x) for x in np.percentile(values, [25, 50, 75])] if values else []


def _said(quartiles: object) -> str:
    low, mid, high = quartiles if isinstance(quartiles, list) and quartiles else (float("nan"),) * 3
    return f"{mid:,.3g} (quartiles {low:,.3g} to {high:,.3g})"
