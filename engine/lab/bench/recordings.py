"""`earwitness bench recordings`: how well sound is placed, on a folder of recordings of known place.

Each recording goes the way every clip goes (`perceive`, `judge`); a recording on which the program cannot tell is scored at the
prior and counted. Confidence intervals come from a bootstrap over places: recordings of one H3 resolution-2 cell stay together.
The JSON holds a row for each recording, so that `--against` can compare two versions of the program on the same recordings.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np

from engine.analysis.judge import judge
from engine.analysis.perceive import perceive as perceive_clip
from engine.case.jobs.results import write_whole
from engine.clues import registry
from engine.clues.species.observe import default_stride_s
from engine.core.clip import AudioBlock, Clip, Frame, Interval, Reader
from engine.core.errors import DataError, EarwitnessError
from engine.core.file import json_of, read_text
from engine.core.finding import Finding
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.paths import cache_dir, data_dir
from engine.core.perception import Perception
from engine.core.posterior import REGION_SHARES, Posterior
from engine.core.settings import PRIORS, Settings
from engine.lab.bench import strata
from engine.lab.bench.counted import counted
from engine.lab.bench.metrics import NLL_CEILING, Outcome, Score, outcome, paired, table, to_json_text
from engine.lab.data import degrade
from engine.lab.data.manifest import Sample, read_manifest
from engine.media import open_clip
from engine.models import birdnet
from engine.verdict import fuse
from engine.world import continents, priors
from engine.world.grid import world_grid

GROUP_RESOLUTION = 2


@dataclass(frozen=True, slots=True)
class Condition:
    """How the recordings are degraded before they are heard; kind None: not at all."""

    kind: str | None = None
    snr_db: float = 10.0

    @property
    def name(self) -> str:
        if self.kind in ("speech", "music"):
            return f"{self.kind} {self.snr_db:g} dB"
        return self.kind or "clean"


class DegradedReader:
    """A reader whose sound is degraded: the whole recording is read, changed and handed on in blocks."""

    def __init__(self, reader: Reader, condition: Condition, seed: int) -> None:
        self._reader, self._condition, self._seed = reader, condition, seed
        self.clip: Clip = reader.clip
        self.skipped = reader.skipped

    def audio(
        self, rate_hz: int, interval: Interval | None = None, track: int | None = None, block_s: float = 10.0
    ) -> Iterator[AudioBlock]:
        blocks = list(self._reader.audio(rate_hz, interval, track, block_s))
        if not blocks:
            return
        samples = np.concatenate([b.samples for b in blocks])
        assert self._condition.kind is not None
        changed = degrade.degrade(samples, rate_hz, self._condition.kind, self._condition.snr_db, self._seed)
        step = max(1, int(block_s * rate_hz))
        for at in range(0, len(changed), step):
            yield AudioBlock(blocks[0].start_s + at / rate_hz, rate_hz, changed[at : at + step])

    def frames(
        self,
        times_s: Iterable[float] | None = None,
        interval: Interval | None = None,
        max_side_px: int | None = None,
        track: int | None = None,
    ) -> Iterator[Frame]:
        return self._reader.frames(times_s, interval, max_side_px, track)

    def close(self) -> None:
        self._reader.close()


@dataclass(frozen=True, slots=True)
class Row:
    """One recording under one condition, as heard by the whole program and by each clue alone.

    Attributes:
        stratum: of how much was heard, one of `strata.NAMES`.
    """

    sample: Sample
    continent: str
    group: int
    found: Outcome
    prior: Outcome
    clues: Mapping[str, Outcome]
    stratum: str = ""


def perceive(sample: Sample, condition: Condition, settings: Settings, seed: int) -> Perception:
    """Perceive a recording under a condition; kept on disk by its content, so that a second run is fast."""
    with open_clip(sample.path) as reader:
        clip = reader.clip
        stride_s = settings.stride_s or default_stride_s(clip.duration_s)
        names = tuple(c.name for c in registry.clues(settings) if c.modality == "sound")
        facts = (clip.sha256, birdnet.MODEL_ID, condition.name, seed, stride_s, names, "5")
        kept = cache_dir() / "bench" / (hashlib.sha256(repr(facts).encode()).hexdigest()[:32] + ".json")
        if kept.is_file():
            observations = tuple(_observation(row) for row in json.loads(kept.read_text()))
            return Perception(clip, Interval(0.0, clip.duration_s or 1.0), observations)
        source: Reader = reader
        if condition.kind:
            source = DegradedReader(reader, condition, degrade.seed_of(sample.id, seed))
        perception = perceive_clip(source, settings)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_whole(kept, json.dumps([_plain(o) for o in perception.observations]).encode())
    return perception


def _plain(o: Observation) -> dict[str, Any]:
    facts = {k: v for k, v in asdict(o).items() if v is not None}
    return facts if o.vector is None else {**facts, "vector": o.vector.tolist()}


def _observation(row: dict[str, Any]) -> Observation:
    if "vector" in row:
        row = {**row, "vector": np.array(row["vector"], dtype=np.float32)}
    if "box" in row:
        row = {**row, "box": tuple(row["box"])}
    return Observation(**row)


def score(sample: Sample, finding: Finding, shares: Sequence[float] = REGION_SHARES) -> Row:
    """Score a finding, the prior alone, and each clue alone, against the true place."""
    sound = finding.by("sound")
    assert sound is not None
    truth = (sample.lat_deg, sample.lon_deg)
    prior = sound.prior
    at_prior = outcome(Posterior(prior.grid, prior.log_mass), *truth, shares=shares, spoke=False)
    spot = (sound.place.lat_deg, sound.place.lon_deg) if sound.place else None
    found = outcome(sound.posterior, *truth, place=spot, shares=shares) if spot else at_prior
    alone = {}
    for e in finding.evidence:
        spec = registry.spec(e.clue)
        voted = spec is None or spec.scored(finding.settings.included)
        if e.modality == "sound" and voted:
            one = fuse.locate_modality(Modality.SOUND, (e,), prior, finding.settings.radius_km)
            spot = (one.place.lat_deg, one.place.lon_deg) if one.place else None
            alone[e.clue] = outcome(one.posterior, *truth, place=spot, shares=shares) if one.spoke else at_prior
    group = int(h3.latlng_to_cell(*truth, GROUP_RESOLUTION))
    heard = strata.stratum(finding.perception.observations)
    return Row(sample, continents.of(*truth), group, found, at_prior, alone, heard)


def evaluate(
    samples: Sequence[Sample], condition: Condition, settings: Settings, seed: int = 0, with_date: bool = False
) -> tuple[Row, ...]:
    """Score every recording of a data set under one condition."""
    rows = []
    for sample in counted(samples, condition.name):
        own = settings.but(when=sample.date) if with_date else settings
        try:
            rows.append(score(sample, judge(perceive(sample, condition, own, seed), own)))
        except EarwitnessError as error:
            raise DataError(f"{sample.path.name} cannot be scored: {error}") from error
    return tuple(rows)


def block(rows: Sequence[Row], name: str, seed: int) -> tuple[Score, list[Score], dict[str, Any]]:
    """The table of one condition: (main row, all rows, what goes into the JSON)."""
    groups = np.array([r.group for r in rows])
    main = Score.of_outcomes(name, [r.found for r in rows], groups, seed)
    prior = Score.of_outcomes("prior only", [r.prior for r in rows], groups, seed)
    clues = {
        c: Score.of_outcomes(f"  {c} alone", [r.clues[c] for r in rows], groups, seed)
        for c in dict.fromkeys(c for r in rows for c in r.clues)
    }
    by_continent = {}
    for continent in sorted({r.continent for r in rows}):
        own = [r for r in rows if r.continent == continent]
        by_continent[continent] = Score.of_outcomes(f"  {continent}", [r.found for r in own], [r.group for r in own], seed)
    by_stratum = {}
    for stratum in strata.NAMES:
        own = [r for r in rows if r.stratum == stratum]
        if own:
            title = f"  heard: {stratum}"
            by_stratum[stratum] = Score.of_outcomes(title, [r.found for r in own], [r.group for r in own], seed)
    difference = paired([r.found.error_km for r in rows], [r.prior.error_km for r in rows], "median_km", groups, seed)
    shown = [main, *(clues.values() if len(clues) > 1 else ()), *by_stratum.values(), *by_continent.values(), prior]
    data = {
        **main.to_json(),
        "prior_only": prior,
        "against_prior": difference,
        "clues": clues,
        "by_continent": by_continent,
        "by_stratum": by_stratum,
        "recordings": [listed(r) for r in rows],
    }
    return main, shown, data


def listed(row: Row) -> dict[str, Any]:
    """A recording, or a list of species, in the JSON: the smallest share whose region holds the true place (None: no region that
    is reported does), and `region_rank`, the share of the mass in cells at least as dense as the true place's.
    """
    found = row.found
    return {
        "id": row.sample.id,
        "km": round(found.error_km, 3),
        "nll": min(found.nll, NLL_CEILING),
        "spoke": found.spoke,
        "regions": next((f"{100 * s:g}" for s in sorted(found.covered) if found.covered[s]), None),
        "region_rank": found.region_rank,
        "stratum": row.stratum,
        "continent": row.continent,
    }


def compared(rows: Sequence[Row], other: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """This version less another one on the recordings that both scored, in pairs; places are drawn whole.

    Args:
        other: `recordings` of the other version's JSON.

    Raises:
        DataError: they share fewer than two recordings, or a row of the other is not what this command writes.
    """
    try:
        theirs = {str(r["id"]): (float(r["km"]), float(r["nll"]), bool(r["spoke"])) for r in other}
    except (KeyError, TypeError, ValueError):
        raise DataError("The other file lists no recordings with id, km, nll and spoke; write it with --json.") from None
    own = [r for r in rows if r.sample.id in theirs]
    if len(own) < 2:
        raise DataError("The two runs share fewer than two recordings; run both on the same folder.")
    groups = [r.group for r in own]
    before = [theirs[r.sample.id] for r in own]
    return {
        "n": len(own),
        "places": len(set(groups)),
        "spoke": [sum(r.found.spoke for r in own), sum(spoke for _, _, spoke in before)],
        "nll": paired([min(r.found.nll, NLL_CEILING) for r in own], [nll for _, nll, _ in before], "nll", groups, seed),
        "median_km": paired([r.found.error_km for r in own], [km for km, _, _ in before], "median_km", groups, seed),
    }


def _other(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Condition → recordings of another run's JSON.

    Raises:
        DataError: it is missing, or not what this command writes.
    """
    data = json_of(read_text(path, what="other run"), path.name)
    try:
        return {name: list(block["recordings"]) for name, block in data["conditions"].items()}
    except (KeyError, TypeError, AttributeError):
        raise DataError(f"{path.name} lists no recordings; write it with `earwitness bench recordings --json`.") from None


def _difference(name: str, against: Mapping[str, Any]) -> str:
    lines = [f"against {name}, {against['n']} recordings of {against['places']} places, in pairs (below 0: better now):"]
    for key, unit, digits in (("nll", "nats", 3), ("median_km", "km", 0)):
        d = against[key]
        lines.append(
            f"  {key}: {d.difference:+,.{digits}f} {unit} (95% {d.interval.low:+,.{digits}f} to "
            f"{d.interval.high:+,.{digits}f}; lower in {d.share_lower:.0%} of the resamples)"
        )
    return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench recordings`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/recordings)")
    parser.add_argument("--degrade", choices=degrade.KINDS, default=None, help="score degraded copies")
    parser.add_argument("--snr", default="10", help="dB of recording over speech or music, several with commas (default: 10)")
    parser.add_argument("--prior", choices=PRIORS, default=Settings().prior)
    parser.add_argument("--radius", type=float, default=Settings().radius_km, help="km of the place rule (default: 100)")
    parser.add_argument("--include", action="append", default=[], metavar="CLUE", help="a clue that is off by default (agclip)")
    parser.add_argument("--with-date", action="store_true", help="tell the program each recording's date")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")
    parser.add_argument("--against", type=Path, default=None, help="compare in pairs with another run's --json")
    parser.add_argument("--errors", type=Path, default=None, help="write one line per recording to this CSV")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench recordings` and print its table."""
    samples = read_manifest(args.data or data_dir() / "recordings")
    settings = Settings(prior=args.prior, radius_km=args.radius, included=frozenset(args.include))
    try:
        snrs = [float(x) for x in str(args.snr).split(",")]
    except ValueError:
        raise DataError(f"--snr takes numbers of dB with commas between, such as 10,0; not {args.snr!r}.") from None
    conditions = [Condition()] if not args.degrade else [Condition(args.degrade, snr) for snr in snrs]
    if args.degrade in ("aac", "lowpass"):
        conditions = conditions[:1]
    other = _other(args.against) if args.against else {}
    blocks: dict[str, Any] = {}
    per_recording: list[str] = ["condition,id,lat,lon,error_km,nll,spoke"]
    for condition in conditions:
        rows = evaluate(samples, condition, settings, args.seed, args.with_date)
        _, shown, data = block(rows, f"sound ({condition.name})", args.seed)
        blocks[condition.name] = data
        print(table(shown))
        print(interval_line(shown[0]))
        if condition.name in other:
            data["against"] = {"file": args.against.name, **compared(rows, other[condition.name], args.seed)}
            print(_difference(args.against.name, data["against"]))
        print()
        per_recording += [
            f"{condition.name},{r.sample.id},{r.sample.lat_deg},{r.sample.lon_deg},"
            f"{r.found.error_km:.1f},{r.found.nll:.3f},{int(r.found.spoke)}"
            for r in rows
        ]
    cells = len(priors.prior(args.prior, world_grid()).grid)
    print(f"ln(cells) = {np.log(cells):.2f} for {cells:,} cells; prior {args.prior}; seed {args.seed}; intervals 95%, by place.")
    if args.json:
        first = next(iter(blocks.values()))
        args.json.write_text(to_json_text({**first, "ln_cells": float(np.log(cells)), "seed": args.seed, "conditions": blocks}))
    if args.errors:
        args.errors.write_text("\n".join(per_recording) + "\n")
    return 0


def interval_line(main: Score) -> str:
    """How often it spoke, and the 95% intervals of a row, in a line."""
    i = main.intervals
    if not i:
        return f"{main.n} recording, too few for intervals."
    parts = [f"median {i['median_km'].low:,.0f} to {i['median_km'].high:,.0f} km"]
    parts += [f"≤{r} {i[f'within_km.{r}'].low:.0f} to {i[f'within_km.{r}'].high:.0f}%" for r in (200, 750, 2500)]
    parts.append(f"nll {i['nll'].low:.2f} to {i['nll'].high:.2f}")
    parts += [f"{s}% region {i[f'coverage.{s}'].low:.0%} to {i[f'coverage.{s}'].high:.0%}" for s in (50, 90)]
    return f"spoke on {main.spoke} of {main.n}; 95%: " + ", ".join(parts)
