"""`earwitness batch INPUT… -o CASE`: many clips into one case, unattended."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.cli import output, stop
from engine.cli.bar import bar
from engine.cli.terminal import plain
from engine.core.errors import InputError
from engine.core.progress import Progress, ProgressCallback
from engine.core.settings import PRIORS, Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness batch`."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="clips, folders, patterns, or @LIST (one path a line)")
    parser.add_argument("-o", "--case", required=True, metavar="CASE", help="case folder (made when missing) or postgresql://…")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes (default: one per two cores)")
    parser.add_argument("--ray", default="", metavar="ADDRESS", help="work on a Ray cluster at this address, or auto")
    parser.add_argument("--prior", choices=PRIORS, default=Settings().prior)
    parser.add_argument("--results", type=Path, default=None, metavar="DIR", help="cache of results")
    parser.add_argument("--tables", type=Path, default=None, metavar="DIR", help="where the tables go (default: the case folder)")
    parser.add_argument("--who", default="", metavar="NAME", help="name recorded in the log (default: the system's user)")


class Done:
    """How much of a batch is finished, for whoever stops it."""

    def __init__(self) -> None:
        self._done = self._total = 0

    def noting(self, progress: ProgressCallback) -> ProgressCallback:
        """A callback that takes note of clips finished, and passes every step on."""

        from engine.case.jobs.batch import EXAMINING

        def note(step: Progress) -> None:
            if step.stage == EXAMINING:
                self._done, self._total = int(step.done), int(step.total or 0)
            progress(step)

        return note

    def sentence(self) -> str:
        """What is finished and how to go on."""
        if not self._total:
            return "Stopped before a clip was examined; run the same command again."
        left = self._total - self._done
        if not left:
            return "Stopped when all clips were finished and in the case; run the same command again for the tables."
        return (
            f"Stopped; {self._done:,} of {self._total:,} clips are finished and in the case. Run the same command again to go on "
            f"with the other {left:,}."
        )


def run(args: argparse.Namespace) -> int:
    """Examine, keep, write the tables, say what came of it."""
    from engine.case.jobs import batch
    from engine.case.jobs.results import Results
    from engine.case.record.store import Case

    if args.workers < 0:
        raise InputError(f"--workers takes a number of processes from 1; not {args.workers}.")
    batch.batch_inputs(args.inputs)  # before a case is made for nothing
    if args.tables:
        output.check_folder("--tables", args.tables)
    case = Case.at(args.case, who=args.who)
    folder = args.tables or (None if "://" in args.case else Path(args.case))
    done = Done()
    with case, stop.saying(done.sentence), bar() as draw:
        progress = done.noting(draw)
        summary = batch.run(
            args.inputs, case, Settings(prior=args.prior), Results(args.results), args.workers, args.ray, progress
        )
        written = batch.tables(case, folder) if folder else ()
        head = case.head()
    print(
        f"{summary.clips:,} clips: {summary.examined:,} examined, {summary.kept:,} from the cache, "
        f"{summary.there:,} already in the case, {len(summary.problems):,} that cannot be examined."
    )
    for path, problem in summary.problems:
        print(f"  {plain(Path(path).name, limit=200)}: {plain(problem, limit=600)}")
    partly = len({path for path, _ in summary.failed})
    if partly:
        counted = f"{partly:,} of them {'was' if partly == 1 else 'were'}"
        print(f"{counted} judged without a clue that failed; run the batch again to repeat that clue.")
    for path, why in summary.failed:
        print(f"  {plain(Path(path).name, limit=200)}: {plain(why, limit=600)}")
    for made in written:
        print(f"wrote {plain(str(made), limit=400)}")
    print(f"head of the log: {plain(head)}")
    return 0
