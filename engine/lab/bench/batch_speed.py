"""`earwitness bench batch`: clips an hour by the number of workers, and what will be the limit of many.

Every clip is examined anew in each run. The time until the first outcome (workers starting, models loading) is reported apart
from
what comes after it, since a long batch pays it once. Writing to the case is the driver's own work, the one part of a batch that
workers do not share: its time a clip bounds how many workers a batch can use, on this machine or on a cluster.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.case.jobs import batch, pool
from engine.case.jobs.outcome import to_json_text
from engine.case.jobs.results import Results
from engine.case.record import codec
from engine.case.record.store import Case
from engine.core.errors import DataError
from engine.core.settings import Settings

ON_PAPER = 100


@dataclass(frozen=True, slots=True)
class Run:
    """One batch.

    Attributes:
        first_s: from the start to the first outcome; rest_s: from there to the last.
        driver_s: of all that, spent by the driver on writing to the case.
        outcome_bytes: of all outcomes, as they go from a worker of a cluster to the driver.
    """

    workers: int
    clips: int
    first_s: float
    rest_s: float
    driver_s: float
    outcome_bytes: int

    @property
    def clips_per_hour(self) -> float:
        """Once all workers are at it."""
        return 3600 * (self.clips - 1) / self.rest_s


def measure(paths: Sequence[str], workers: int, place: str = "") -> Run:
    """Examine the clips with so many workers, nothing kept from before.

    Args:
        place: of the case; "" makes one in a folder of its own.

    Raises:
        DataError: there are fewer than two clips.
    """
    if len(paths) < 2:
        raise DataError("A rate needs two clips at least; give more of them.")
    with tempfile.TemporaryDirectory(prefix="earwitness-bench-") as folder:
        wanted, results = codec.settings_to_json(Settings()), Results(Path(folder) / "results")
        with Case.create(place or Path(folder) / "case") as case:
            began, first, driver_s, sent = time.monotonic(), 0.0, 0.0, 0
            with closing(pool.outcomes(paths, wanted, results, workers)) as outcomes:
                for outcome in outcomes:
                    came = time.monotonic()
                    first = first or came
                    batch.keep(case, outcome)
                    driver_s += time.monotonic() - came
                    sent += len(to_json_text(outcome))
            ended = time.monotonic()
    return Run(workers, len(paths), first - began, ended - first, driver_s, sent)


def summary_of(runs: Sequence[Run], bytes_per_clip: float) -> str:
    """The table, and the arithmetic for a hundred workers."""
    lines = ["workers  clips  s to the first  s after it  clips/h after it  driver s/clip  kB/outcome"]
    for r in runs:
        rates = f"{r.clips_per_hour:>18,.0f}{r.driver_s / r.clips:>15.3f}{r.outcome_bytes / r.clips / 1000:>12.0f}"
        lines.append(f"{r.workers:>7}{r.clips:>7}{r.first_s:>16.1f}{r.rest_s:>12.1f}{rates}")
    most = max(runs, key=lambda r: r.workers)
    worker_s = 3600 * most.workers / most.clips_per_hour
    driver_s = sum(r.driver_s for r in runs) / sum(r.clips for r in runs)
    wanted, ceiling = ON_PAPER / worker_s, 1 / driver_s
    rate = min(wanted, ceiling)
    clips_mb, outcomes_mb = rate * bytes_per_clip / 1e6, rate * most.outcome_bytes / most.clips / 1e6
    limit = "the workers: more of them give more" if wanted < ceiling else "the driver: more workers give no more"
    return "\n".join(
        [
            *lines,
            "",
            f"On paper, {ON_PAPER} workers: one takes {worker_s:.1f} s a clip (as with {most.workers} here), {ON_PAPER} do "
            f"{wanted:.1f} clips/s.",
            f"The driver writes one into the case in {driver_s * 1000:.0f} ms, so it keeps up with {ceiling:.0f} clips/s: "
            f"{ceiling * worker_s:,.0f} workers.",
            f"At {rate:.1f} clips/s ({rate * 3600:,.0f} an hour) the share gives {clips_mb:.1f} MB/s of clips, and the "
            f"driver takes in {outcomes_mb:.2f} MB/s of outcomes.",
            f"The limit is {limit}.",
        ]
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench batch`."""
    parser.add_argument("inputs", nargs="+", metavar="CLIP", help="clips, folders, patterns or @LIST")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N", help="numbers of workers (default: 1 2)")
    parser.add_argument("--most", type=int, default=24, metavar="N", help="of so many clips, evenly chosen (default: 24)")
    parser.add_argument("--case", default="", metavar="URL", help="write to this empty PostgreSQL database (one run)")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    found = batch.batch_inputs(args.inputs)
    step = max(1, len(found) // args.most)
    paths = found[::step][: args.most]
    runs = [measure(paths, max(1, n), args.case) for n in args.workers]
    print(f"{os.cpu_count()} cores, load of the last minute {os.getloadavg()[0]:.1f}")
    print(summary_of(runs, sum(Path(p).stat().st_size for p in paths) / len(paths)))
    return 0
