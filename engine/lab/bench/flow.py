"""`earwitness bench flow`: the flow beside a mixture of von Mises-Fisher bumps, a softmax over cells, and the Bayes posterior.

All are scored on the same clips: simulated ones (`flow_data`, places uniform by area, another seed than in training) and real
recordings and photos of known place; for the sound alone, the picture alone, and both. On real material the picture speaks by
what is written in it, which the flow gets as an opinion; recording and photo of one place (less than PAIR_KM apart) make
"both": paired, not filmed. All are put under the same prior.

The flow's posterior is scored by SAMPLES draws and its exact density at them and in the true cell: the place reported is the draw
with most mass within 100 km; its region of share s holds the truth if draws denser than the truth weigh less than s. Rivals and
Bayes are scored on the world grid (Bayes, too, on cells only). Density and coverage are those of Naeem et al. 2020 ("Reliable
fidelity and diversity metrics for generative models"), as PLONK uses them: one draw a clip against the true places, k = 3.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np
import torch
from numpy.typing import NDArray

from engine.analysis import flow_density as flowing
from engine.analysis.second_opinion import condition_of, opinion_vector
from engine.clues.picture import score as picture_score
from engine.clues.species import score as species_score
from engine.clues.text import score as text_score
from engine.core import sphere
from engine.core.errors import DataError
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.paths import data_dir
from engine.core.posterior import Posterior, Prior
from engine.core.settings import PRIORS, Settings
from engine.lab.bench.metrics import Outcome, Score, outcome, paired, table, to_json_text
from engine.lab.bench.photos import read_photo
from engine.lab.bench.recordings import GROUP_RESOLUTION, perceive
from engine.lab.bench.recordings import Condition as Degraded
from engine.lab.data import flow_data
from engine.lab.data.manifest import Sample, read_manifest
from engine.models import birdnet
from engine.models.flow.model import Flow, Shipped
from engine.models.flow.rivals import GridSoftmax, VmfMixture
from engine.models.flow.sketch import Condition
from engine.world import priors
from engine.world.grid import world_grid

Array = NDArray[np.float64]

SAMPLES = 160
PAIR_KM = 200.0
MOST_PAIRS = 60
NEAREST = 3
PLACE_KM = 100.0
CHILD_RESOLUTION = 4


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A clip of known place: what the flow is conditioned on, and what Bayes was (cells,) or None where nothing spoke."""

    condition: Condition
    lat_deg: float
    lon_deg: float
    bayes: Array | None

    @property
    def group(self) -> int:
        return int(h3.latlng_to_cell(self.lat_deg, self.lon_deg, GROUP_RESOLUTION))


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What one system was worth on one case, and a place drawn from its posterior (3,)."""

    found: Outcome
    drawn: Array


# --- cases ---


def simulated(n: int, seed: int, inputs: tuple[str, ...]) -> list[Case]:
    """Simulated clips with these modalities; Bayes hears and sees by the app's own clues."""
    grid = world_grid()
    held = flow_data.clips(n, seed, inputs, keep_scores=True)
    lat, lon = sphere.to_lat_lon(held.xyz)
    out = []
    for i, condition in enumerate(held.conditions):
        total: Array | None = None
        if "sound" in inputs:
            assert held.scores is not None
            e = species_score.log_likelihood(_heard(held.scores[i]), grid)
            total = e.log_likelihood if e.abstained is None else None
        if condition.picture is not None:
            seen = Observation("picture", "embedding", "frame", 1.0, 0.0, 0.0, vector=condition.picture)
            more = picture_score.log_likelihood((seen,), grid).log_likelihood
            total = more if total is None else total + more
        out.append(Case(condition, float(lat[i]), float(lon[i]), total))
    return out


def _heard(scores: NDArray[np.float32]) -> tuple[Observation, ...]:
    """A simulated soundscape as the species clue would have taken it down: one window per class."""
    labels = birdnet.labels()
    return tuple(
        Observation("species", "species" if labels[k].is_species else "sound", labels[k].latin, float(scores[k]), 0.0, 3.0)
        for k in np.flatnonzero(scores >= 0.02)
    )


def recorded(samples: Sequence[Sample], seed: int) -> list[Case]:
    """Real recordings: sound alone."""
    grid, out = world_grid(), []
    for s in samples:
        observations = perceive(s, Degraded(), Settings(), seed).observations
        e = species_score.log_likelihood(tuple(o for o in observations if o.clue == "species"), grid)
        condition = condition_of(observations, (), None, "sound").without("atoms")
        out.append(Case(condition, s.lat_deg, s.lon_deg, e.log_likelihood if e.abstained is None else None))
    return out


def photographed(photos: Sequence[Sample]) -> list[Case]:
    """Real photos: by what is written in them; those on which nothing is read are scored at the prior."""
    grid, out = world_grid(), []
    for p in photos:
        e = text_score.log_likelihood(read_photo(p.path), grid)
        spoke = e.abstained is None
        conditioning = Condition(reasoning=opinion_vector([e]) if spoke else None)
        out.append(Case(conditioning, p.lat_deg, p.lon_deg, e.log_likelihood if spoke else None))
    return out


def together(sounds: Sequence[Case], pictures: Sequence[Case], seed: int, most: int = MOST_PAIRS) -> list[Case]:
    """Recordings and photos less than PAIR_KM apart, both speaking, at most `most`; the truth is the recording's place."""
    if not sounds or not pictures:
        return []
    a, b = (sphere.to_xyz([c.lat_deg for c in x], [c.lon_deg for c in x]) for x in (sounds, pictures))
    near = [
        (int(i), int(j))
        for i, j in zip(*np.nonzero(sphere.pairwise_km(a, b) < PAIR_KM), strict=True)
        if sounds[i].bayes is not None and pictures[j].bayes is not None and pictures[j].condition.given
    ]
    order = np.random.default_rng(seed).permutation(len(near))[:most]
    out = []
    for i, j in (near[k] for k in sorted(order.tolist())):
        s, p = sounds[i], pictures[j]
        assert s.bayes is not None and p.bayes is not None
        conditioning = Condition(s.condition.sound, p.condition.picture, None, p.condition.reasoning)
        out.append(Case(conditioning, s.lat_deg, s.lon_deg, s.bayes + p.bayes))
    return out


# --- systems ---


def by_flow(flow: Flow, cases: Sequence[Case], prior: Prior, seed: int, samples: int = SAMPLES) -> list[Scored]:
    """The flow on cases; one that says nothing is scored at the prior."""
    return [
        _one_flow(flow, c, prior, seed + i, samples) if c.condition.given else _at_prior(c, prior, seed + i)
        for i, c in enumerate(cases)
    ]


def _one_flow(flow: Flow, case: Case, prior: Prior, seed: int, samples: int) -> Scored:
    drawn = flow.sample(case.condition, samples, seed, density=True)
    assert drawn.log_density is not None
    weight = flowing.importance(drawn.xyz, prior)
    if not weight.any():
        return _at_prior(case, prior, seed)
    mean_weight = float(weight.mean())
    share = weight / weight.sum()
    within = (sphere.pairwise_km(drawn.xyz, drawn.xyz) <= PLACE_KM) @ share
    posterior = drawn.log_density + np.log(np.maximum(weight, 1e-30))
    best = int(np.argmax(np.where(within >= within.max() * 0.99, posterior, -np.inf)))
    lat, lon = sphere.to_lat_lon(drawn.xyz[best])
    chosen = np.random.default_rng(seed).choice(samples, p=share)
    nll, density = _at_truth(flow, case, prior, mean_weight)
    denser = float(share[posterior > density].sum())
    error = float(sphere.distance_km(lat, lon, case.lat_deg, case.lon_deg))
    return Scored(Outcome(error, nll, {s: denser < s for s in (0.5, 0.9)}), drawn.xyz[chosen])


def _at_truth(flow: Flow, case: Case, prior: Prior, mean_weight: float) -> tuple[float, float]:
    """nll of the true cell, and log of density times prior ratio at the true place, in the units of the draws'."""
    grid = prior.grid
    at = int(grid.locate(np.array([case.lat_deg]), np.array([case.lon_deg]))[0])
    if at < 0:
        return float("inf"), -np.inf
    children = Grid.of(h3.cell_to_children(int(grid.cells[at]), CHILD_RESOLUTION))
    xyz = np.concatenate([children.xyz, sphere.to_xyz(case.lat_deg, case.lon_deg)[None]])
    log_p = flow.log_density(flow.conditioning([case.condition]), xyz)[0]
    ratio = float(np.exp(prior.log_mass[at]) / (grid.area_km2[at] / grid.area_km2.sum()))
    mass = np.exp(log_p[:-1]).mean() * grid.area_km2[at] / sphere.EARTH_RADIUS_KM**2 * ratio / mean_weight
    return -float(np.log(max(min(mass, 1.0), 1e-300))), float(log_p[-1] + np.log(ratio))


def _at_prior(case: Case, prior: Prior, seed: int) -> Scored:
    return _on_grid(case, Posterior(prior.grid, prior.log_mass), seed, spoke=False)


def _on_grid(case: Case, posterior: Posterior, seed: int, spoke: bool = True) -> Scored:
    found = outcome(posterior, case.lat_deg, case.lon_deg, spoke=spoke)
    return Scored(found, posterior.grid.xyz[posterior.sample(1, seed)[0]])


def by_bayes(cases: Sequence[Case], prior: Prior, seed: int) -> list[Scored]:
    """The app's own fused posterior, on cells."""
    return [
        _at_prior(c, prior, seed + i) if c.bayes is None else _on_grid(c, Posterior.of(prior, c.bayes), seed + i)
        for i, c in enumerate(cases)
    ]


def by_rival(log_mass: Callable[[Condition], Array], cases: Sequence[Case], prior: Prior, seed: int) -> list[Scored]:
    """A head whose log mass (cells,) is under places uniform by area."""
    base = flowing.uniform_prior(prior.grid).log_mass
    return [
        _on_grid(c, Posterior.of(prior, log_mass(c.condition) - base), seed + i)
        if c.condition.given
        else _at_prior(c, prior, seed + i)
        for i, c in enumerate(cases)
    ]


def rival_masses(flow: Flow, vmf: VmfMixture, softmax: GridSoftmax) -> dict[str, Callable[[Condition], Array]]:
    """Name → function of a condition that gives log masses (cells,) on the world grid."""
    atlas = flow.atlas
    log_area = atlas.log_area

    def of_vmf(c: Condition) -> Array:
        with torch.no_grad():
            log_p = vmf.log_density(atlas.sketch([c], flow.heat), atlas.xyz[None])[0] + log_area
        return torch.log_softmax(log_p, 0).double().numpy()

    def of_softmax(c: Condition) -> Array:
        with torch.no_grad():
            return softmax.log_mass(atlas.sketch([c], flow.heat), log_area)[0].double().numpy()

    return {"vmf_mixture": of_vmf, "grid_softmax": of_softmax}


# --- figures ---


def fidelity(true_xyz: Array, drawn_xyz: Array, k: int = NEAREST) -> tuple[float, float]:
    """Density and coverage of draws (n, 3) among true places (n, 3), by great-circle distance; source in the module's text.

    Raises:
        DataError: fewer than k + 2 places.
    """
    if len(true_xyz) < k + 2:
        raise DataError(f"Density and coverage need at least {k + 2} places; give more.")
    own = np.sort(sphere.pairwise_km(true_xyz, true_xyz), axis=1)[:, k]  # the nearest of all is the place itself
    inside = sphere.pairwise_km(true_xyz, drawn_xyz) < own[:, None]
    return float(inside.sum(axis=0).mean() / k), float(inside.any(axis=1).mean())


def integral(flow: Flow, condition: Condition, finest: int = 5, least: float = 4e-4, seed: int = 0) -> tuple[float, int]:
    """The flow's density integrated over the sphere, and at how many points: H3 cells, finer where the mass lies.

    Every cell of resolution 2 is looked at, and of resolution 3 where there is land: a small island's peak would hide between
    coarser centres. A cell is split while it holds more than `least`, and once in any case where one of 200 draws lies.
    """
    conditioning = flow.conditioning([condition])
    draws = flow.sample(condition, 200, seed).xyz
    lat, lon = sphere.to_lat_lon(draws)
    base = np.array([c for r in h3.get_res0_cells() for c in h3.cell_to_children(r, 2)], dtype=np.uint64)
    cells, total, points = Grid.of(base), 0.0, 0
    for resolution in range(2, finest + 1):
        mass = np.exp(flow.log_density(conditioning, cells.xyz)[0]) * cells.area_km2 / sphere.EARTH_RADIUS_KM**2
        points += len(cells)
        split = mass > least
        if resolution == 2:
            at = cells.locate(lat, lon)
            split[at[at >= 0]] = True
            split |= np.isin(cells.cells, flow.atlas.grid.parents(2))
        if resolution == finest or not split.any():
            return total + float(mass.sum()), points
        total += float(mass[~split].sum())
        cells = Grid.of(np.concatenate([h3.cell_to_children(int(c), resolution + 1) for c in cells.cells[split]]))
    raise AssertionError("the loop returns")


def off_sphere(flow: Flow, cases: Sequence[Case], seed: int) -> float:
    """The largest distance from the unit sphere of any station of 200 draws for each case."""
    worst = 0.0
    for i, c in enumerate(cases):
        path = flow.sample(c.condition, 200, seed + i, keep_path=True).path
        assert path is not None
        worst = max(worst, float(np.abs(np.linalg.norm(path, axis=-1) - 1.0).max()))
    return worst


def block(
    name: str, cases: Sequence[Case], systems: dict[str, list[Scored]], seed: int, resamples: int = 500
) -> tuple[list[Score], dict[str, Any]]:
    """Rows of one set of clips, the best by nll said in the JSON under "best"."""
    groups = [c.group for c in cases]
    true = sphere.to_xyz([c.lat_deg for c in cases], [c.lon_deg for c in cases])
    rows: list[Score] = []
    data: dict[str, Any] = {}
    for system, scored in systems.items():
        score = Score.of_outcomes(f"{name}: {system}", [s.found for s in scored], groups, seed, resamples)
        entry: dict[str, Any] = score.to_json()
        if len(cases) >= NEAREST + 2:
            entry["density"], entry["coverage_of_places"] = fidelity(true, np.stack([s.drawn for s in scored]))
        rows.append(score)
        data[system] = entry
    voiced = [s for s in systems if s != "prior"]
    data["best_by_nll"] = min(voiced, key=lambda s: data[s]["nll"])
    data["best_by_median"] = min(voiced, key=lambda s: data[s]["median_km"])
    flow_km, bayes_km = ([s.found.error_km for s in systems[x]] for x in ("flow", "bayes"))
    data["flow_against_bayes"] = paired(flow_km, bayes_km, "median_km", groups, seed)
    return rows, data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench flow`."""
    for name in ("recordings", "photos"):
        hint = f"folder with manifest.csv (default: EARWITNESS_DATA/{name})"
        parser.add_argument(f"--{name}", type=Path, default=None, help=hint)
    parser.add_argument("--clips", type=int, default=100, help="simulated clips per input (default: 100)")
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"draws from the flow per clip (default: {SAMPLES})")
    parser.add_argument("--prior", choices=PRIORS, default=Settings().prior, help="of the real clips; simulated ones: by area")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Score everything, print the tables and what is best where."""
    if args.clips < NEAREST + 2 or args.samples < 20:
        raise DataError(f"--clips takes at least {NEAREST + 2}, --samples at least 20.")
    torch.set_num_threads(1)
    held = Shipped()
    flow = Flow(held.field(), flow_data.atlas(), held.heat)
    heads = rival_masses(flow, *held.rivals(len(world_grid())))
    sets = _sets(args)
    data: dict[str, Any] = {}
    shown: dict[str, dict[str, Any]] = {}
    for name, (cases, prior) in sets.items():
        began = time.monotonic()
        systems = {"flow": by_flow(flow, cases, prior, args.seed, args.samples)}
        systems |= {n: by_rival(f, cases, prior, args.seed) for n, f in heads.items()}
        systems["bayes"] = by_bayes(cases, prior, args.seed)
        systems["prior"] = [_at_prior(c, prior, args.seed + i) for i, c in enumerate(cases)]
        rows, shown[name] = block(name, cases, systems, args.seed)
        print(table(rows))
        for system in systems:
            if "density" in shown[name][system]:
                entry = shown[name][system]
                fine = f"density {entry['density']:.2f}, coverage {entry['coverage_of_places']:.2f}"
                print(f"  {system}: GeoScore {entry['geoscore']:,.0f}, {fine}")
        best = f"best by nll: {shown[name]['best_by_nll']}, by median: {shown[name]['best_by_median']}"
        print(f"  {best}; {time.monotonic() - began:.0f} s\n", flush=True)
    first = sets["simulated both"][0][:2]
    asked = (Condition(), sets["simulated sound"][0][0].condition, first[0].condition)
    integrals = [integral(flow, c, seed=args.seed) for c in asked]
    worst = max((value for value, _ in integrals), key=lambda v: abs(v - 1.0))
    off = off_sphere(flow, first, args.seed)
    sums = ", ".join(f"{v:.4f} ({n:,} points)" for v, n in integrals)
    print(f"density over the sphere: {sums}; off the sphere by at most {off:.1e}")
    data = _by_system(shown)
    if args.json:
        head = shown["real both"]["flow"] if "real both" in shown else shown["simulated both"]["flow"]
        extra = {"density_integral": worst, "density_integrals": [v for v, _ in integrals], "off_sphere_max": off}
        kept = ("best_by_nll", "best_by_median", "flow_against_bayes")
        extra["best"] = {name: {k: b[k] for k in kept} for name, b in shown.items()}
        extra |= {"prior": args.prior, "samples": args.samples, "seed": args.seed, "ln_cells": float(np.log(len(world_grid())))}
        extra["note"] = "real both: recordings and photos of one place, paired, not filmed"
        args.json.write_text(to_json_text({**head, **extra, **data}))
    return 0


def _sets(args: argparse.Namespace) -> dict[str, tuple[list[Case], Prior]]:
    """Name → clips and the prior they are scored under."""
    grid = world_grid()
    area, chosen = flowing.uniform_prior(grid), priors.prior(args.prior, grid)
    sets: dict[str, tuple[list[Case], Prior]] = {
        f"simulated {name}": (simulated(args.clips, 9_000 + args.seed + i, inputs), area)
        for i, (name, inputs) in enumerate((("sound", ("sound",)), ("picture", ("picture",)), ("both", ("sound", "picture"))))
    }
    sounds = recorded(read_manifest(args.recordings or data_dir() / "recordings"), args.seed)
    pictures = photographed(read_manifest(args.photos or data_dir() / "photos"))
    sets["real sound"], sets["real picture"] = (sounds, chosen), (pictures, chosen)
    pairs = together(sounds, pictures, args.seed)
    if len(pairs) > 1:
        sets["real both"] = (pairs, chosen)
    return sets


def _by_system(shown: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """{system: {set: figures}} of {set: {system: figures}}."""
    systems = ("flow", "vmf_mixture", "grid_softmax", "bayes", "prior")
    return {s: {name: b[s] for name, b in shown.items()} for s in systems}
