"""Simulated clips for the flow: a place drawn uniformly over the land's cells, and vectors as a clip from there might give.

sound      a simulated soundscape (`simulate`) through AG-CLIP, half of them with their week.
picture    GeoCLIP's vectors of three places scattered about one that lies as far off as GeoCLIP errs on pictures, averaged, with
           Gaussian noise: looked up in the gallery it errs about as GeoCLIP does on Im2GPS3k (`picture_quality`).
reasoning  the vector expected under an opinion that is right as often as it says: a country with more or less certainty, or a
           round region of 30 to 2,000 km about a point near the place.
atoms      sea and town sounds, by the assumed rates of `world.soundmarks`.

Nothing of this is a recording or a picture; what was trained on it is provisional until real vectors of known place are to be
had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from engine.core import sphere
from engine.core.paths import cache_dir
from engine.lab.data.simulate import Batch, Recipe, Simulation
from engine.models import agclip
from engine.models.flow.sketch import ATOMS, Atlas, Condition, Heat, Sketch
from engine.models.geoclip_location import location_encoder
from engine.world import countries, gallery, soundmarks
from engine.world.grid import world_grid

IM2GPS3K = {1: 14.1, 25: 34.5, 200: 50.7, 750: 69.7, 2500: 83.8}  # percent within km, Vivanco Cepeda et al. 2023, table 1
LADDER = {1: 0.141, 25: 0.345, 200: 0.507, 750: 0.697, 2500: 0.838, 18_000: 1.0}  # km → share of pictures that err less
BLURRED = 3
NOISE_LOG_MEAN, NOISE_LOG_SD = -0.7, 0.4  # of the log of the noise's length, the vectors' being 1
CELL_KM = 40.0  # a place is this far from the centre of its cell, about
# which modalities a simulated clip has, and how often; atoms join any of them
MIX = (
    (("sound",), 0.28),
    (("picture",), 0.16),
    (("reasoning",), 0.14),
    (("sound", "picture"), 0.13),
    (("sound", "reasoning"), 0.14),
    (("picture", "reasoning"), 0.05),
    (("sound", "picture", "reasoning"), 0.05),
    ((), 0.05),
)
ATOMS_SHARE = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """Simulated clips: their conditions, true cell (n,) of the world grid and true place xyz (n, 3).

    `scores` are BirdNET's (n, 6522), zeros where a clip has no sound; kept only when asked for.
    """

    conditions: tuple[Condition, ...]
    cell: NDArray[np.int64]
    xyz: NDArray[np.float64]
    scores: NDArray[np.float32] | None = None
    week: NDArray[np.int64] | None = None


@cache
def atlas() -> Atlas:
    """The world grid's tables."""
    return Atlas(world_grid(), soundmarks.rates())


def clips(n: int, seed: int, inputs: Sequence[str] | None = None, keep_scores: bool = False, pairs: int = 30_000) -> Clips:
    """Draw simulated clips.

    Args:
        modalities: what every clip has; None draws it by MIX.
    """
    grid, rng = world_grid(), np.random.default_rng([seed, 11])
    kinds = [inputs] if inputs is not None else [k for k, _ in MIX]
    chance = [1.0] if inputs is not None else [p for _, p in MIX]
    which = rng.choice(len(kinds), n, p=chance)
    recipe = Recipe(land_share=1.0)
    simulation = Simulation(grid, np.ones(len(grid)), seed=seed, pairs=min(pairs, max(2000, 2 * n)), recipe=recipe)
    batch = next(simulation.batches(n, seed))
    cell = batch.cell.astype(np.int64)
    xyz = _about(grid.xyz[cell], CELL_KM / 1.5, rng)
    week = np.where(rng.random(n) < 0.5, batch.week, 0).astype(np.int64)
    with_sound = np.array(["sound" in kinds[k] for k in which])
    sound: dict[int, NDArray[np.float32]] = {}
    scores = batch.scores() if n <= 4000 or keep_scores else None
    for k in np.flatnonzero(with_sound).tolist():
        one = scores[k] if scores is not None else _one(batch, k)
        sound[k] = agclip.agclip().embed(one, int(week[k]) or None)[0]
    with_picture = np.flatnonzero([("picture" in kinds[k]) for k in which])
    picture = dict(zip(with_picture.tolist(), degraded(xyz[with_picture], rng), strict=True)) if len(with_picture) else {}
    with_opinion = np.flatnonzero([("reasoning" in kinds[k]) for k in which])
    opinion = dict(zip(with_opinion.tolist(), opinions(cell[with_opinion], xyz[with_opinion], rng), strict=True))
    rates = soundmarks.rates()
    out = []
    for i in range(n):
        atoms = None
        if (inputs is None and which[i] < len(MIX) - 1 and rng.random() < ATOMS_SHARE) or (inputs and "atoms" in inputs):
            heard = rng.random(len(ATOMS)) < rates[cell[i]]
            atoms = np.clip(heard + rng.normal(0, 0.15, len(ATOMS)) * np.where(heard, -1, 1), 0.02, 0.98).astype(np.float32)
        out.append(Condition(sound.get(i), picture.get(i), atoms, opinion.get(i)))
    return Clips(tuple(out), cell, xyz, scores if keep_scores else None, week)


def _one(batch: Batch, i: int) -> NDArray[np.float32]:
    """BirdNET's scores (6522,) of one soundscape of a batch too large to unfold at once."""
    from engine.models import birdnet

    out = np.zeros(len(birdnet.labels()), dtype=np.float32)
    index, logit = batch.index[i], batch.logit[i]
    held = index >= 0
    out[index[held]] = 1.0 / (1.0 + np.exp(-logit[held]))
    return out


def _about(xyz: NDArray[np.float64], sd_km: NDArray[np.float64] | float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points (n, 3) scattered about others, Gaussian in each of two directions."""
    step = rng.normal(size=xyz.shape) * np.broadcast_to(np.asarray(sd_km) / sphere.EARTH_RADIUS_KM, (len(xyz),))[:, None]
    moved = xyz + step - xyz * (xyz * step).sum(-1, keepdims=True)
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)


def degraded(xyz: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, 512) unit vectors as of pictures taken at places (n, 3); see the module's text."""
    km = np.exp(np.interp(rng.random(len(xyz)), [0.0, *LADDER.values()], np.log([0.1, *LADDER])))
    centre = _on_land(_at_distance(xyz, km, rng), km)
    total = np.zeros((len(xyz), atlas().geo.shape[1]))
    for _ in range(BLURRED):
        lat, lon = sphere.to_lat_lon(_on_land(_about(centre, np.minimum(km, 1500.0) / 2, rng), km))
        total += location_encoder().embed(lat, lon)
    noise = rng.normal(size=total.shape) / np.sqrt(total.shape[1])
    made = total / BLURRED + noise * np.exp(rng.normal(NOISE_LOG_MEAN, NOISE_LOG_SD, len(xyz)))[:, None]
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def _at_distance(xyz: NDArray[np.float64], km: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Points (n, 3) at these distances from others, any way."""
    way = rng.normal(size=xyz.shape)
    way -= xyz * (xyz * way).sum(-1, keepdims=True)
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    a = (km / sphere.EARTH_RADIUS_KM)[:, None]
    return np.cos(a) * xyz + np.sin(a) * way


def _on_land(xyz: NDArray[np.float64], km: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 3) that moved far brought to the nearest cell of the grid."""
    far = km > 70.0
    out = xyz.copy()
    if far.any():
        out[far] = world_grid().xyz[_tree().query(xyz[far])[1]]
    return out


@cache
def _tree() -> cKDTree:
    return cKDTree(world_grid().xyz)


def picture_quality(n: int = 3000, seed: int = 0) -> dict[int, float]:
    """Percent of degraded vectors of gallery places that lead back within km, by the nearest of another 50,000 gallery places."""
    from engine.models.geoclip_location import embed_cached

    lat, lon = gallery.gallery()
    table = embed_cached("gallery", lat, lon)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lat))
    asked, held = order[:n], order[-50_000:]
    vectors = degraded(sphere.to_xyz(lat[asked], lon[asked]), rng)
    best = held[(vectors @ np.asarray(table[np.sort(held)])[np.argsort(np.argsort(held))].T).argmax(axis=1)]
    km = sphere.distance_km(lat[asked], lon[asked], lat[best], lon[best])
    return {r: 100 * float((km <= r).mean()) for r in IM2GPS3K}


def opinions(cell: NDArray[np.int64], xyz: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, 512) GeoCLIP vectors expected under opinions about places; see the module's text."""
    grid, table = world_grid(), atlas().geo.numpy()
    area = grid.area_km2 / grid.area_km2.sum()
    everywhere = area.astype(np.float32) @ table
    number = countries.of(grid)
    by_country: dict[int, NDArray[np.float32]] = {}
    out = np.empty((len(cell), table.shape[1]), dtype=np.float32)
    radius = np.exp(rng.uniform(np.log(30.0), np.log(2000.0), len(cell)))
    centre = _about(xyz, radius, rng)
    by_region = rng.random(len(cell)) < 0.5
    for i in range(len(cell)):
        if by_region[i]:
            chord2 = 2.0 - 2.0 * (grid.xyz @ centre[i])
            w = area * np.exp(-0.5 * chord2 * (sphere.EARTH_RADIUS_KM / radius[i]) ** 2)
            own = np.flatnonzero(w > w.max() * 1e-3)
            w = w[own] / w[own].sum()
            out[i] = w.astype(np.float32) @ table[own]
            continue
        certain = rng.choice([0.3, 0.6, 0.9, 0.99])
        said = int(number[cell[i]])
        if rng.random() > certain:  # an opinion is wrong as often as it doubts
            said = int(number[rng.choice(len(grid), p=area)])
        if said not in by_country:
            own = np.flatnonzero(number == said)
            by_country[said] = (area[own] / area[own].sum()).astype(np.float32) @ table[own]
        out[i] = certain * by_country[said] + (1 - certain) * everywhere
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Simulated clips, sketched: in half precision, with the truth's cell (n,) and place (n, 3)."""

    sketch: Sketch
    cell: torch.Tensor
    xyz: torch.Tensor


def pool(n: int, seed: int, heat: Heat, say: object = None) -> Pool:
    """Draw and sketch n clips; kept in the cache folder by seed, number and heat."""
    key = hashlib.sha256(repr((n, seed, heat, MIX, LADDER, NOISE_LOG_MEAN, NOISE_LOG_SD, "1")).encode()).hexdigest()[:16]
    file = cache_dir() / "flow" / f"pool-{key}.safetensors"
    from safetensors.torch import load_file, save_file

    names = Sketch.__slots__
    if not file.is_file():
        held = clips(n, seed)
        parts: list[Sketch] = []
        for at in range(0, n, 250):
            s = atlas().sketch(held.conditions[at : at + 250], heat)
            parts.append(Sketch(*(getattr(s, k) if k == "index" else getattr(s, k).half() for k in names)))
            if callable(say) and at % 5000 == 0:
                say(f"sketched {at:,} of {n:,}")
        joined = {k: torch.cat([getattr(p, k) for p in parts]) for k in names}
        joined["index"] = joined["index"].to(torch.int16)
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".part")
        tensors = {**joined, "cell": torch.from_numpy(held.cell), "xyz": torch.from_numpy(held.xyz).float()}
        save_file({k: v.contiguous() for k, v in tensors.items()}, beside)
        beside.replace(file)
    held_ = load_file(file)
    held_["index"] = held_["index"].long()
    return Pool(Sketch(*(held_[k] for k in names)), held_["cell"], held_["xyz"])


def fit_heat(seed: int = 5, n: int = 300) -> Heat:
    """How much each modality's scores are worth: the factor under which simulated clips of that modality alone are likeliest."""
    found: dict[str, float] = {}
    area = world_grid().area_km2
    log_area = torch.from_numpy(np.log(area / area.sum())).float()
    for number, (modality, tried) in enumerate(
        {
            "sound": np.geomspace(0.5, 1.3, 9),
            "picture": np.geomspace(6, 60, 13),
            "atoms": np.array([1.0]),
            "reasoning": np.geomspace(3, 60, 14),
        }.items()
    ):
        held = clips(n, seed + number, (modality,))
        raw = atlas().scores(held.conditions, Heat(1.0, 1.0, 1.0, 1.0))
        truth = torch.from_numpy(held.cell)[:, None]
        nll = [-float(torch.log_softmax(raw * f + log_area, 1).gather(1, truth).mean()) for f in tried]
        found[modality] = float(f"{tried[int(np.argmin(nll))]:.3g}")
    return Heat(**found)
