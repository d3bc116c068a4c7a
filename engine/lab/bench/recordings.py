"""`earwitness bench recordings`: how well sound is placed, on a folder of recordings of known place.

Each recording goes the way every clip goes (`perceive`, `judge`); a recording on which the program cannot tell is scored at the
prior and counted. Confidence intervals come from a bootstrap over places: recordings of one H3 resolution-2 cell stay together.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np

from engine.analysis.judge import judge
from engine.analysis.perceive import perceive as perceive_clip
from engine.clues import registry
from engine.clues.species.clue import default_stride_s
from engine.core.clip import AudioBlock, Clip, Frame, Interval, Reader
from engine.core.errors import DataError, EarwitnessError
from engine.core.finding import Finding
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.paths import cache_dir, data_dir
from engine.core.perception import Perception
from engine.core.posterior import Posterior
from engine.core.settings import PRIORS, Settings
from engine.lab.bench.metrics import Outcome, Score, outcome, paired, table, to_json_text
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
    """One recording under one condition, as heard by the whole program and by each clue alone."""

    sample: Sample
    continent: str
    group: int
    found: Outcome
    prior: Outcome
    clues: Mapping[str, Outcome]


def perceive(sample: Sample, condition: Condition, settings: Settings, seed: int) -> Perception:
    """Perceive a recording under a condition; kept on disk by its content, so that a second run is fast."""
    with open_clip(sample.path) as reader:
        clip = reader.clip
        stride_s = settings.stride_s or default_stride_s(clip.duration_s)
        names = tuple(c.name for c in registry.clues(settings) if c.modality == "sound")
        facts = (clip.sha256, birdnet.MODEL_ID, condition.name, seed, stride_s, names, "4")
        kept = cache_dir() / "bench" / (hashlib.sha256(repr(facts).encode()).hexdigest()[:32] + ".json")
        if kept.is_file():
            observations = tuple(Observation(**row) for row in json.loads(kept.read_text()))
            return Perception(clip, Interval(0.0, clip.duration_s or 1.0), observations)
        source: Reader = reader
        if condition.kind:
            source = DegradedReader(reader, condition, degrade.seed_of(sample.id, seed))
        perception = perceive_clip(source, settings)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps([{k: v for k, v in asdict(o).items() if v is not None} for o in perception.observations]))
    return perception


def score(sample: Sample, finding: Finding) -> Row:
    """Score a finding, the prior alone, and each clue alone, against the true place."""
    sound = finding.by("sound")
    assert sound is not None
    truth = (sample.lat_deg, sample.lon_deg)
    prior = sound.prior
    at_prior = outcome(Posterior(prior.grid, prior.log_mass), *truth, spoke=False)
    found = outcome(sound.posterior, *truth, place=(sound.place.lat_deg, sound.place.lon_deg)) if sound.place else at_prior
    alone = {}
    for e in finding.evidence:
        spec = registry.spec(e.clue)
        voted = spec is None or spec.scored(finding.settings.included)
        if e.modality == "sound" and voted:
            one = fuse.locate_modality(Modality.SOUND, (e,), prior, finding.settings.radius_km)
            spot = (one.place.lat_deg, one.place.lon_deg) if one.place else None
            alone[e.clue] = outcome(one.posterior, *truth, place=spot) if one.spoke else at_prior
    group = int(h3.latlng_to_cell(*truth, GROUP_RESOLUTION))
    return Row(sample, continents.of(*truth), group, found, at_prior, alone)


def evaluate(
    samples: Sequence[Sample], condition: Condition, settings: Settings, seed: int = 0, with_date: bool = False
) -> tuple[Row, ...]:
    """Score every recording of a data set under one condition."""
    rows = []
    for number, sample in enumerate(samples, 1):
        own = settings.but(when=sample.date) if with_date else settings
        try:
            rows.append(score(sample, judge(perceive(sample, condition, own, seed), own)))
        except EarwitnessError as error:
            raise DataError(f"{sample.path.name} cannot be scored: {error}") from error
        if sys.stderr.isatty():
            print(f"\r{condition.name}: {number} of {len(samples)}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
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
    difference = paired([r.found.error_km for r in rows], [r.prior.error_km for r in rows], "median_km", groups, seed)
    shown = [main, *(clues.values() if len(clues) > 1 else ()), *by_continent.values(), prior]
    data = {
        **main.to_json(),
        "prior_only": prior,
        "against_prior": difference,
        "clues": clues,
        "by_continent": by_continent,
    }
    return main, shown, data


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
    blocks: dict[str, Any] = {}
    per_recording: list[str] = ["condition,id,lat,lon,error_km,nll,spoke"]
    for condition in conditions:
        rows = evaluate(samples, condition, settings, args.seed, args.with_date)
        _, shown, data = block(rows, f"sound ({condition.name})", args.seed)
        blocks[condition.name] = data
        print(table(shown))
        print(_intervals(shown[0]))
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


def _intervals(main: Score) -> str:
    i = main.intervals
    if not i:
        return f"{main.n} recording, too few for intervals."
    parts = [f"median {i['median_km'].low:,.0f} to {i['median_km'].high:,.0f} km"]
    parts += [f"≤{r} {i[f'within_km.{r}'].low:.0f} to {i[f'within_km.{r}'].high:.0f}%" for r in (200, 750, 2500)]
    parts.append(f"nll {i['nll'].low:.2f} to {i['nll'].high:.2f}")
    parts.append(f"90% region {i['coverage.90'].low:.0%} to {i['coverage.90'].high:.0%}")
    return f"spoke on {main.spoke} of {main.n}; 95%: " + ", ".join(parts)
