"""`earwitness lab calibrate-species`: fit the numbers of the sound's likelihood, AG-CLIP's weight in it, and its regions' levels.

One fit over what clips are: recordings of known place, clean and degraded; lists of species that people wrote, of 1, 2, 3, 5, 10
and all of their species; ordinary sound and clips of known place; and labelled sounds without a bird, in which every detection is
mistaken. What is minimised is the mean −ln mass of the true cell, and for the last the −ln chance that all detections are wrong;
continents and authors weigh alike as far as there is enough of each. Cross-validated by H3 resolution-1 cell and by recordist or
author, so that neither is on both sides.

AG-CLIP's weight in the pool with the ranges is chosen on the held-out maps of the other folds. The levels of regions are
quantiles of the mass that held-out maps put on denser ground than the true place (split conformal prediction), smooth in how much
was heard. The numbers printed at the end, fitted on everything, are those of
`clues.species.score.Calibration`; the levels are written to assets/models/region_levels.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.clues.agclip.score import log_likelihood_from_scores, scores_of
from engine.clues.species import levels
from engine.clues.species.detections import NO_SCORE
from engine.clues.species.ranges import ranges
from engine.clues.species.score import Calibration, Heard, chances, features, heard_in, information, likelihoods
from engine.core.errors import EarwitnessError
from engine.core.observation import Observation
from engine.core.paths import data_dir
from engine.core.posterior import REGION_SHARES
from engine.lab.bench import lists, ordinary
from engine.lab.bench.counted import counted
from engine.lab.bench.metrics import bootstrap, to_json_text
from engine.lab.bench.recordings import Condition
from engine.lab.data.listening import windows_of
from engine.lab.data.manifest import Sample, read_manifest
from engine.lab.train.sound_kinds import fold_of, group_of_place
from engine.models import birdnet, sound_kinds
from engine.world import continents, priors
from engine.world.grid import world_grid

CONDITIONS = (Condition(), Condition("speech", 0.0), Condition("music", 0.0), Condition("aac"), Condition("lowpass"))
FOLDS = 5
STEPS = 60
RATE = 0.06
# Of each kind of material: its share of the loss, and how many are drawn a step.
SHARES = {"recordings": (1.0, 80), "lists": (0.7, 80), "ordinary": (0.3, 20), "sounds": (0.15, 60)}
AGCLIP_WEIGHTS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
_ENOUGH = 15  # of a continent: fewer weigh no more each
_CEILING = 25.0  # nats, of a place off the map


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One sound or list, ready to be scored.

    Attributes:
        kind: one of SHARES.
        name: of its condition or size.
        group: stays together in folds and bootstraps.
        continent: of its place, or "".
        truth: index of the true cell in the world grid; -1 off the map or where there is no place.
        observations: the species.
        rows: (s,) rows of the table of ranges.
        features: (s, 4), see `clues.species.score.features`.
    """

    kind: str
    name: str
    group: str
    continent: str
    truth: int
    observations: tuple[Observation, ...] = field(repr=False)
    heard: tuple[Heard, ...] = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    features: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Ranges (species, cells) of all species in question."""

    row: Mapping[int, int]
    occurrence: NDArray[np.float32] = field(repr=False)


def load(data: Path, seed: int = 0) -> tuple[list[Case], Tables]:
    """Everything that the fit rests on."""
    found: list[tuple[str, str, str, Sample | None, tuple[Observation, ...]]] = []
    for condition in CONDITIONS:
        for s in counted(read_manifest(data / "recordings"), f"recordings, {condition.name}"):
            observed = windows_of(s.path, s.id, condition, seed).observations()
            found.append(("recordings", condition.name, group_of_place(s.lat_deg, s.lon_deg), s, observed))
    for own in lists.read(data / lists.TABLE):
        for size in lists.SIZES:
            drawn = lists.drawn(own, size, seed)
            if drawn is not None:
                named = lists.perception_of(drawn, NO_SCORE).observations
                found.append(("lists", size, f"recordist {own.recordist}", own.sample, named))
    for folder in ("ordinary", "clips"):
        for s in counted(read_manifest(data / folder), folder):
            for heard in _species_of(s.path, s.id, seed):
                found.append(("ordinary", folder, group_of_place(s.lat_deg, s.lon_deg), s, heard))
    for path, row in counted(ordinary.files_of(data / "sounds", "sounds"), "sounds"):
        label = row.get("label", "")
        author = row.get("author") or row.get("source_recording") or path.name
        for heard in _species_of(path, row.get("id", path.stem), seed) if label not in ordinary.ANIMALS else ():
            mistaken = heard
            if label in ordinary.INSECTS:  # an insect that is detected may well be there
                mistaken = tuple(o for o in heard if sound_kinds.kind_of(birdnet.index_of(o.label)) != "insect")
            found.append(("sounds", label, f"author {author}", None, mistaken))
    return _cases(found)


def _species_of(path: Path, sound_id: str, seed: int) -> Iterator[tuple[Observation, ...]]:
    """The species of a file; nothing where it cannot be listened to."""
    with suppress(EarwitnessError):
        yield windows_of(path, sound_id, None, seed).observations()


def _cases(found: Sequence[tuple[str, str, str, Sample | None, tuple[Observation, ...]]]) -> tuple[list[Case], Tables]:
    grid = world_grid()
    heard = [heard_in(observations) for *_, observations in found]
    species = np.unique(np.array([h.index for own in heard for h in own], dtype=np.int64))
    row = {int(s): i for i, s in enumerate(species)}
    cases = []
    for (kind, name, group, sample, observations), own in zip(found, heard, strict=True):
        truth, continent = -1, ""
        if sample is not None:
            truth = int(grid.locate(np.array([sample.lat_deg]), np.array([sample.lon_deg]))[0])
            continent = continents.of(sample.lat_deg, sample.lon_deg)
        rows = np.array([row[h.index] for h in own], dtype=np.int64)
        cases.append(Case(kind, name, group, continent, truth, observations, own, rows, features(own)))
    return cases, Tables(row, np.ascontiguousarray(ranges().occurrence(grid, None, species).T))


def weights(cases: Sequence[Case]) -> NDArray[np.float64]:
    """(cases,) by the root of how many share a group, and by how many share a continent."""
    groups, lands = Counter(c.group for c in cases), Counter(c.continent for c in cases)
    w = np.array([groups[c.group] ** -0.5 * max(_ENOUGH, lands[c.continent]) ** -0.75 for c in cases])
    return w / w.sum()


def fit(cases: Sequence[Case], tables: Tables, seed: int) -> Calibration:
    """Fit by Adam on batches of cases."""
    import torch

    torch.set_num_threads(1)  # small vectors: more threads only wait for each other
    grid = world_grid()
    share = grid.area_km2 / grid.area_km2.sum()
    log_area = torch.tensor(np.log(share), dtype=torch.float32)
    log_prior = torch.tensor(priors.prior("mixture", grid).log_mass, dtype=torch.float32)
    log_r = torch.from_numpy(np.log(tables.occurrence + np.float32(5e-5)))
    narrows = torch.tensor(information(np.array(list(tables.row), dtype=np.int64)), dtype=torch.float32)
    richness = torch.tensor(ranges().log_richness(grid, None), dtype=torch.float32)
    k = Calibration()
    w = torch.tensor([k.score, k.time, k.behind, k.bias], requires_grad=True)
    start = np.log([k.a, k.doubt, k.d, k.t, k.kappa, k.floor])
    log_scale = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    pools = {}
    for kind in SHARES:
        own = [c for c in cases if c.kind == kind and len(c.rows) and (c.truth >= 0 or kind == "sounds")]
        if own:
            pools[kind] = (own, weights(own))
    optimiser = torch.optim.Adam([w, log_scale], lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    rng = np.random.default_rng(seed)
    for _ in range(STEPS):
        optimiser.zero_grad()
        for kind, (own, weight) in pools.items():
            of_loss, count = SHARES[kind]
            for i in rng.choice(len(own), count, p=weight, replace=count > len(own) // 2):
                case = own[i]
                a, doubt, d, t, kappa, floor = torch.exp(log_scale)
                sure = torch.sigmoid(torch.tensor(case.features, dtype=torch.float32) @ w)
                chance = (1 - doubt) * sure if kind != "lists" else (1 - doubt).expand(len(case.rows))
                chance = chance.clamp(1e-4, 1 - 1e-4)
                if kind == "sounds":
                    loss = -torch.log1p(-chance).sum()
                else:
                    narrow = narrows[case.rows]
                    log_q = a * log_r[case.rows] - (1 - torch.exp(-narrow))[:, None] * richness
                    log_q = log_q - torch.logsumexp(log_q + log_area, 1, keepdim=True)
                    log_l = torch.logaddexp(torch.log1p(-chance)[:, None], torch.log(chance)[:, None] + log_q).sum(0)
                    log_l = t * (1 + (chance * narrow).sum() / kappa) ** -d * log_l
                    log_l = log_l - torch.logsumexp(log_l + log_area, 0)
                    log_post = log_prior + torch.logaddexp(torch.log1p(-floor) + log_l, torch.log(floor).expand(len(log_l)))
                    loss = torch.logsumexp(log_post, 0) - log_post[case.truth]
                (loss * of_loss / count).backward()
        optimiser.step()
        schedule.step()
    return Calibration(*(float(f"{x:.3g}") for x in [*w.detach().numpy(), *torch.exp(log_scale).detach().numpy()]))


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How a case came out.

    Attributes:
        nll: (weights of AG-CLIP,) −ln mass of the true cell.
        denser: (weights of AG-CLIP,) mass in cells denser than the true one's.
        amount: of information heard, nats.
    """

    nll: NDArray[np.float64]
    denser: NDArray[np.float64]
    amount: float


def outcome(case: Case, tables: Tables, calibration: Calibration) -> Outcome:
    """Score a case on the world grid, with each weight of AG-CLIP."""
    grid = world_grid()
    log_prior = priors.prior("mixture", grid).log_mass
    species, soundscape, amount = np.zeros(len(grid)), np.zeros(len(grid)), 0.0
    if len(case.rows):
        chance = chances(case.heard, calibration)
        species = likelihoods(tables.occurrence[case.rows].T, ranges().log_richness(grid, None), chance, grid, calibration)
        amount = float(chance @ information(np.array([h.index for h in case.heard])))
        soundscape = log_likelihood_from_scores(scores_of(case.observations), grid)
    nll, denser = [], []
    for weight in AGCLIP_WEIGHTS:
        log_mass = log_prior + (1 - weight) * species + weight * soundscape
        log_mass -= np.logaddexp.reduce(log_mass)
        density = log_mass - np.log(grid.area_km2)
        off = case.truth < 0
        nll.append(_CEILING if off else min(_CEILING, -float(log_mass[case.truth])))
        denser.append(1.0 if off else float(np.exp(log_mass[density > density[case.truth]]).sum()))
    return Outcome(np.array(nll), np.array(denser), amount)


def levels_of(denser: NDArray[np.float64], amount: NDArray[np.float64], places: Sequence[str]) -> dict[str, Any]:
    """Levels of regions, as a smooth function of the amount heard.

    A quantile of the mass on denser ground, as split conformal prediction takes it, by linear quantile regression of its log-odds
    on ln(1 + amount): one slope for each share, since there are too few places for strata of their own. Written down at three
    amounts, between which `levels.levels_at` goes in proportion.

    Args:
        denser: (n,) mass on denser ground than the true place.
        amount: (n,) nats.
        places: (n,) where each is.
    """
    from sklearn.linear_model import QuantileRegressor

    inside = np.clip(denser, 1e-6, 1.0 - 1e-6)
    log_odds, x = np.log(inside / (1.0 - inside)), np.log1p(amount)[:, None]
    knots = np.quantile(amount, (0.1, 0.5, 0.9))
    out: dict[str, Any] = {"amount": knots.tolist(), "places": len(set(places)), "levels": {}}
    least = np.zeros(len(knots))
    for share in REGION_SHARES:
        reached = min(1.0, np.ceil((len(denser) + 1) * share) / len(denser))
        line = QuantileRegressor(quantile=min(reached, 1.0 - 1e-6), alpha=0.0, solver="highs").fit(x, log_odds)
        found = 1.0 / (1.0 + np.exp(-line.predict(np.log1p(knots)[:, None])))
        least = np.maximum(least, found)  # a region of a larger share holds that of a smaller one
        out["levels"][str(share)] = np.clip(least, 0.01, 1.0 - 1e-6).tolist()
    return out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab calibrate-species`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with recordings, ordinary, … (default: EARWITNESS_DATA)")
    parser.add_argument("--levels", type=Path, default=levels.FILE, help="write the levels of regions to this file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Cross-validate, fit on everything, print and write both."""
    cases, tables = load(args.data or data_dir(), args.seed)
    fold = fold_of([c.group for c in cases], FOLDS, args.seed)
    placed = [i for i, c in enumerate(cases) if c.kind != "sounds"]
    found: dict[int, Outcome] = {}
    for k in range(FOLDS):
        calibration = fit([c for c, f in zip(cases, fold, strict=True) if f != k], tables, args.seed)
        print(f"fold {k + 1} of {FOLDS}: {calibration}", flush=True)
        for i in placed:
            if fold[i] == k:
                found[i] = outcome(cases[i], tables, calibration)
    report, weight = _report(cases, fold, found, args.seed)
    for name, row in report["held_out"].items():
        print(_line(name, row))
    final = fit(cases, tables, args.seed)
    print(f"AG-CLIP's weight {weight}; fitted on everything: {final}")
    every = {source: _levels(cases, found, AGCLIP_WEIGHTS.index(weight), source, list(found)) for source in levels.SOURCES}
    args.levels.write_text(json.dumps(every, indent=1) + "\n", encoding="utf-8")
    if args.json:
        args.json.write_text(to_json_text({"calibration": dataclasses.asdict(final), "levels": every, **report}) + "\n")
    return 0


def _levels(
    cases: Sequence[Case], found: Mapping[int, Outcome], column: int, source: str, which: Sequence[int]
) -> dict[str, Any]:
    kind, names = ("lists", lists.SIZES) if source == levels.SOURCES[0] else ("recordings", (CONDITIONS[0].name,))
    own = [i for i in which if cases[i].kind == kind and cases[i].name in names and len(cases[i].rows)]
    denser = np.array([found[i].denser[column] for i in own])
    places = [str(cases[i].truth) for i in own]
    return levels_of(denser, np.array([found[i].amount for i in own]), places)


def _report(
    cases: Sequence[Case], fold: NDArray[np.int64], found: Mapping[int, Outcome], seed: int
) -> tuple[dict[str, Any], float]:
    """Held-out numbers, the weight of AG-CLIP chosen on the other folds, and the weight chosen on all."""
    weight = weights([cases[i] for i in found])
    nll = np.stack([found[i].nll for i in found])
    folds = np.array([fold[i] for i in found])
    chosen = {k: int(np.argmin(weight[folds != k] @ nll[folds != k])) for k in range(FOLDS)}
    final = int(np.argmin(weight @ nll))
    by_fold = {
        (k, source): _levels(cases, found, chosen[k], source, [i for i in found if fold[i] != k])
        for k in range(FOLDS)
        for source in levels.SOURCES
    }
    rows: dict[str, Any] = {}
    for kind in ("recordings", "lists", "ordinary"):
        for name in dict.fromkeys(cases[i].name for i in found if cases[i].kind == kind):
            own = [i for i in found if cases[i].kind == kind and cases[i].name == name]
            rows[f"{kind}: {name}"] = _row(cases, fold, found, own, chosen, by_fold, seed)
    return {"held_out": rows, "agclip_weights": [AGCLIP_WEIGHTS[chosen[k]] for k in range(FOLDS)], "seed": seed}, AGCLIP_WEIGHTS[
        final
    ]


def _row(
    cases: Sequence[Case],
    fold: NDArray[np.int64],
    found: Mapping[int, Outcome],
    own: Sequence[int],
    chosen: Mapping[int, int],
    by_fold: Mapping[tuple[int, str], dict[str, Any]],
    seed: int,
) -> dict[str, Any]:
    without = np.array([found[i].nll[0] for i in own])
    with_it = np.array([found[i].nll[chosen[fold[i]]] for i in own])
    inside: dict[str, list[bool]] = {"50": [], "90": []}
    for i in own:
        source = levels.SOURCES[0] if cases[i].kind == "lists" else levels.SOURCES[1]
        at = dict(levels.levels_at(source, found[i].amount, {source: by_fold[fold[i], source]}))
        for share in (0.5, 0.9):
            inside[f"{share:.0%}"[:-1]].append(bool(found[i].denser[chosen[fold[i]]] < at[share]))
    groups = [cases[i].group for i in own]
    numbers = {
        "nll": with_it,
        "nll_species_alone": without,
        "gain_of_agclip": without - with_it,
        **{f"coverage_{s}": np.array(v, dtype=float) for s, v in inside.items()},
    }
    means = {name: (lambda i, v=v: float(v[i].mean())) for name, v in numbers.items()}
    intervals = bootstrap(means, len(own), groups, seed, 1000)
    out: dict[str, Any] = {"n": len(own), "groups": len(set(groups))}
    for name, v in numbers.items():
        out[name] = float(v.mean())
        out[f"{name}_interval"] = [intervals[name].low, intervals[name].high]
    return out


def _line(name: str, row: Mapping[str, Any]) -> str:
    def with_ends(key: str, form: str) -> str:
        low, high = row[f"{key}_interval"]
        return f"{row[key]:{form}} ({low:{form}} to {high:{form}})"

    return (
        f"{name:22s} {row['n']:4d}  nll {with_ends('nll', '.3f')}, AG-CLIP's part {with_ends('gain_of_agclip', '+.3f')}, "
        f"regions hold {with_ends('coverage_50', '.0%')}, {with_ends('coverage_90', '.0%')}"
    )
