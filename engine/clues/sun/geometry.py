"""From three points on a frame to where the sun stands: single-view geometry, with everything unknown drawn at random.

A pinhole camera sees an upright thing on the ground and the shadow of its top. Up is where vertical lines meet: it follows
from the horizon where that is marked, else from the camera's pitch, and its roll from the upright thing itself. The foot's ray,
up and the image of the top give the thing's height (in units of its distance), the ground through the foot and the tip's ray the
tip; the sun is then where the line from the tip through the top points (Criminisi, Reid & Zisserman 2000, International Journal
of Computer Vision 40(2), 123-148, for the construction).

What nobody knows is drawn, quasi-randomly and seeded: the points as marked, focal length, pitch, roll, the thing's tilt, the
slope of the ground, the camera's direction. Each draw has a weight: how well it fits (the upright thing must be upright, the
camera stands above the ground at a usual height and distance), times by how much the sun moves when the tip moves. The latter
makes the weighted draws a likelihood, p(tip | sun), and no posterior that assumes every tip equally likely.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.sun.mark import FULL_FRAME, Mark, Point
from engine.core.errors import SettingError

DRAWS = 4096
# Standard deviations and medians of what is drawn: assumptions about cameras and ground, not fitted.
POINT_SD = 0.004  # of the diagonal, about 6 pixels of 1280 by 720: foot and top
TIP_SD = 0.006  # the end of a shadow is blurred
HORIZON_SD = 0.005
LENS_MM, LENS_SD = 30.0, 0.3  # median focal length (35 mm equivalent), and standard deviation of its logarithm
KNOWN_LENS_SD = 0.03
PITCH_DEG, PITCH_SD_DEG = 5.0, 10.0  # downwards
ROLL_SD_DEG = 3.0
TILT_SD_DEG = 1.5
SLOPE_SD_DEG = 2.5  # along and across
DEPRESSION_DEG, DEPRESSION_SD = 9.0, 0.8  # angle at which the camera looks down at the foot: median, sd of its logarithm
_STEP = 1e-4
_ACROSS, _DOWN = np.array([_STEP, 0.0]), np.array([0.0, _STEP])
_LEAST_DRAWS = 30.0

Vectors = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """Where the sun may stand.

    Attributes:
        elevation_deg: (n,).
        azimuth_deg: (n,) from where the camera looks, clockwise seen from above; with the camera's own direction known, from
            north.
        weight: (n,) sum 1: proportional to p(marks | sun) of each direction.
        from_north: which of the two the azimuth is.
    """

    elevation_deg: NDArray[np.float64] = field(repr=False)
    azimuth_deg: NDArray[np.float64] = field(repr=False)
    weight: NDArray[np.float64] = field(repr=False)
    from_north: bool

    def interval(self, share: float = 0.9) -> tuple[float, float, float]:
        """(low, median, high) of the elevation in degrees, for a place anywhere on Earth and any time of daylight: the sine of
        the elevation is then evenly spread, which makes the likelihood a posterior.
        """
        order = np.argsort(self.elevation_deg)
        sums = np.cumsum((self.weight * np.cos(np.radians(self.elevation_deg)))[order])
        sums /= sums[-1]
        at = np.searchsorted(sums, [(1 - share) / 2, 0.5, (1 + share) / 2])
        low, mid, high = self.elevation_deg[order][np.minimum(at, len(order) - 1)]
        return float(low), float(mid), float(high)


@lru_cache(maxsize=4)
def _normals(count: int, seed: int) -> Vectors:
    """(count, 16) standard normal numbers, evenly spread (Sobol's sequence, scrambled)."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    drawn = qmc.Sobol(d=16, scramble=True, rng=np.random.default_rng(seed)).random(count)
    return np.asarray(ndtri(np.clip(drawn, 1e-9, 1 - 1e-9)))


def directions(mark: Mark, count: int = DRAWS, seed: int = 0) -> Directions:
    """Where the sun may stand, given a marking.

    Args:
        count: draws, a power of two.

    Raises:
        SettingError: no sun throws such a shadow.
    """
    z = _normals(count, seed)
    diagonal = float(np.hypot(1.0, 1.0 / mark.aspect))  # lengths are in widths of the frame
    foot = _noisy(mark.foot, mark.aspect, z[:, 0:2] * POINT_SD * diagonal)
    top = _noisy(mark.top, mark.aspect, z[:, 2:4] * POINT_SD * diagonal)
    tip = _noisy(mark.tip, mark.aspect, z[:, 4:6] * TIP_SD * diagonal)
    focal = _focal(mark, diagonal, z[:, 6])
    foot_ray, top_ray = _ray(foot, focal), _ray(top, focal)
    plane = _unit(np.cross(foot_ray, top_ray))
    plane *= np.where(plane[:, :1] < 0.0, -1.0, 1.0)
    up, log_weight = _up(mark, plane, focal, diagonal, z)
    depression = np.arcsin(np.clip(-_dot(_unit(foot_ray), up), -1.0, 1.0))
    above = depression > 0.0
    log_weight -= 0.5 * (np.log(np.where(above, depression, 1.0) / np.radians(DEPRESSION_DEG)) / DEPRESSION_SD) ** 2
    # The thing's own direction lies in the plane of foot and top, and may be off the vertical within it as well.
    off = _dot(up, plane)
    along = _unit(np.cross(plane, up))
    thing = _unit(up - off[:, None] * plane + np.radians(TILT_SD_DEG) * z[:, 9:10] * along)
    with np.errstate(divide="ignore", invalid="ignore"):
        height = -_dot(np.cross(foot_ray, top_ray), plane) / _dot(np.cross(thing, top_ray), plane)
    head = foot_ray + height[:, None] * thing
    ground = _ground(up, z)
    right, forward = _horizontal(up)
    sun = [_sun(foot_ray, head, _ray(t, focal), ground, up, right, forward) for t in (tip, tip + _ACROSS, tip + _DOWN)]
    elevation, azimuth, seen = sun[0]
    (e_x, a_x), (e_y, a_y) = ((e - elevation, (a - azimuth + np.pi) % (2 * np.pi) - np.pi) for e, a, _ in sun[1:])
    moved = np.abs(e_x * a_y - e_y * a_x) / _STEP**2
    valid = above & seen & (height > 0.0) & (_dot(head, top_ray) > 0.0) & (elevation > 0.0)
    valid &= sun[1][2] & sun[2][2] & np.isfinite(moved) & np.isfinite(log_weight)
    if not valid.any():
        raise SettingError(_NO_SUN)
    weight = np.where(valid, np.exp(log_weight - log_weight[valid].max()), 0.0)
    if weight.sum() ** 2 / (weight**2).sum() < _LEAST_DRAWS:
        raise SettingError(_NO_SUN)
    weight = np.where(valid, weight * np.where(valid, moved, 0.0), 0.0)
    azimuth_deg = np.degrees(azimuth)
    if mark.heading_deg is not None:
        azimuth_deg = azimuth_deg + mark.heading_deg + mark.heading_sd_deg * z[:, 12]
    kept = valid
    return Directions(
        np.degrees(elevation[kept]), azimuth_deg[kept] % 360.0, weight[kept] / weight.sum(), mark.heading_deg is not None
    )


_NO_SUN = (
    "No sun throws such a shadow on nearly level ground; check that the foot stands on it, that the tip belongs to the top, "
    "and the horizon."
)


def _noisy(point: Point, aspect: float, noise: Vectors) -> Vectors:
    """(n, 2) a marked point in widths of the frame from its middle, y downwards."""
    return np.array([point[0] - 0.5, (point[1] - 0.5) / aspect]) + noise


def _focal(mark: Mark, diagonal: float, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) focal length in widths of the frame."""
    if mark.fov_deg is not None:
        return np.asarray(0.5 / np.tan(np.radians(mark.fov_deg) / 2.0) * np.exp(KNOWN_LENS_SD * z))
    return np.asarray(LENS_MM / FULL_FRAME * diagonal * np.exp(LENS_SD * z))


def _up(
    mark: Mark, plane: Vectors, focal: NDArray[np.float64], diagonal: float, z: Vectors
) -> tuple[Vectors, NDArray[np.float64]]:
    """((n, 3) the vertical, upwards, in the camera's axes: x right, y down, z forward; (n,) log-weights)."""
    tilt = np.radians(TILT_SD_DEG)
    if mark.horizon is not None:
        ends = [_noisy(p, mark.aspect, np.zeros((len(z), 2))) for p in mark.horizon]
        for i, end in enumerate(ends):
            end[:, 1] += HORIZON_SD * diagonal * z[:, 7 + i]
        up = _unit(np.cross(_ray(ends[0], focal), _ray(ends[1], focal)))
        up *= np.where(up[:, 1:2] > 0.0, -1.0, 1.0)
        return up, -0.5 * (np.arcsin(np.clip(_dot(up, plane), -1.0, 1.0)) / tilt) ** 2
    pitch = np.radians(PITCH_DEG + PITCH_SD_DEG * z[:, 7])
    # The roll at which the thing is upright, shrunk towards none: it may be the thing that is not.
    a, b = np.cos(pitch) * plane[:, 0], -np.cos(pitch) * plane[:, 1]
    turned = np.arcsin(np.clip(np.sin(pitch) * plane[:, 2] / np.hypot(a, b), -1.0, 1.0)) - np.arctan2(b, a)
    rolled = np.radians(ROLL_SD_DEG)
    both = rolled**2 + tilt**2
    roll = turned * rolled**2 / both + rolled * tilt / np.sqrt(both) * z[:, 8]
    up = np.stack([np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)], axis=-1)
    return up, -0.5 * turned**2 / both


def _ground(up: Vectors, z: Vectors) -> Vectors:
    """(n, 3) the ground's normal."""
    right, forward = _horizontal(up)
    slope = np.radians(SLOPE_SD_DEG)
    return _unit(up + slope * z[:, 10:11] * right + slope * z[:, 11:12] * forward)


def _horizontal(up: Vectors) -> tuple[Vectors, Vectors]:
    """Unit vectors (n, 3) to the right of and along where the camera looks, both level."""
    ahead = np.array([0.0, 0.0, 1.0])
    forward = _unit(ahead - up[:, 2:3] * up)
    return np.cross(forward, up), forward


def _sun(
    foot_ray: Vectors, head: Vectors, tip_ray: Vectors, ground: Vectors, up: Vectors, right: Vectors, forward: Vectors
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """(elevation, azimuth in radians, whether the tip lies on the ground before the camera), each (n,)."""
    below, reach = _dot(foot_ray, ground), _dot(tip_ray, ground)
    seen = (below < 0.0) & (reach < -1e-9)
    at = tip_ray * (below / np.where(seen, reach, -1.0))[:, None]
    towards = _unit(head - at)
    elevation = np.arcsin(np.clip(_dot(towards, up), -1.0, 1.0))
    return elevation, np.arctan2(_dot(towards, right), _dot(towards, forward)), seen


def _ray(point: Vectors, focal: NDArray[np.float64]) -> Vectors:
    return np.concatenate([point, focal[:, None]], axis=1)


def _unit(v: Vectors) -> Vectors:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(v / np.linalg.norm(v, axis=-1, keepdims=True))


def _dot(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    return np.asarray((a * b).sum(axis=-1))
