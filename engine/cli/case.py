"""`earwitness case`: make a case, put a clip into it, look at what it holds, find what holds the same recording."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli import locate, output, stop
from engine.cli.bar import bar
from engine.cli.batch import Done
from engine.cli.terminal import plain
from engine.core.comparison import Verdict
from engine.core.edit import MOST_TEXT
from engine.core.errors import InputError
from engine.core.progress import Progress, ProgressCallback
from engine.report.view.words import clock

if TYPE_CHECKING:
    from engine.case.record.archive import ArchiveQuery
    from engine.case.record.store import Case, Kept
    from engine.core.finding import Finding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness case`."""
    commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    new = commands.add_parser("new", help="make a case")
    add = commands.add_parser("add", help="examine clips and keep the findings (the same as batch)")
    show = commands.add_parser("list", help="the findings of a case")
    log = commands.add_parser("log", help="who did what when")
    same = commands.add_parser("same-ambience", help="clips that contain the same ambience recording, and where")
    report = commands.add_parser("report", help="write reports of a finding, marked with the head of the log")
    decisions = commands.add_parser("decisions", help="decisions, by whom and why, with the factor before and after")
    note = commands.add_parser("note", help="add a note about a finding to the log")
    for command in (new, add, show, log, same, report, decisions, note):
        command.add_argument("case", metavar="CASE", help="case folder or postgresql://…")
        command.add_argument("--who", default="", metavar="NAME", help="name recorded in the log (default: the system's user)")
    new.add_argument("--title", default="", help="its title (default: the folder's name)")
    add.add_argument("inputs", nargs="+", metavar="CLIP")
    _add_filters(show.add_argument_group("only those findings"))
    for command in (report, note):
        command.add_argument("finding", metavar="FINDING", help="id of a finding, or path, name or sha256 of its clip")
        command.add_argument("--scene", type=int, default=1, metavar="N", help="scene of the clip, from 1; 0 for the whole film")
    note.add_argument("text", metavar="TEXT", help="text of the note")
    locate.add_reports(report.add_argument_group("reports", "each takes a file name"))


def _add_filters(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--verdict", choices=[str(v) for v in Verdict])
    for kind, what in (("species", "with a species of this name"), ("atom", "with this sound"), ("text", "with this text")):
        group.add_argument(f"--{kind}", default="", metavar="WORDS", help=f"{what}")
    group.add_argument(
        "--near", metavar="PLACE", help='with the sound or the picture located near: "Augusta, Georgia" or "33.47, -81.97"'
    )
    group.add_argument("--within", type=float, default=300.0, metavar="KM", help="distance that counts as near (default: 300)")
    for bound in ("since", "until"):
        group.add_argument(
            f"--{bound}", type=locate.day, metavar="YYYY-MM-DD", help=f"recorded {bound} this date, as far as known"
        )


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    from engine.case.record.store import Case

    if args.what == "new":
        with Case.create(args.case, args.title, args.who) as case:
            print(f"Made the case {plain(case.title)}; head of its log: {case.head()}")
        return 0
    if args.what == "same-ambience":
        return _same(args.case)
    with Case(args.case, args.who, reading=args.what in ("list", "log", "decisions")) as case:
        if args.what == "report":
            return _report(args, case)
        if args.what == "add":
            from engine.case.jobs import batch

            done = Done()
            with stop.saying(done.sentence), bar() as draw:
                summary = batch.run(args.inputs, case, workers=1, progress=done.noting(draw))
            kept, bad = summary.examined + summary.kept, len(summary.problems)
            print(f"{kept:,} added, {summary.there:,} already there, {bad:,} could not be examined.")
            for path, problem in summary.problems:
                print(f"  {plain(path, limit=300)}: {plain(problem, limit=600)}")
        elif args.what == "list":
            _list(args, case)
        elif args.what == "decisions":
            _decisions(case)
        elif args.what == "note":
            _note(args, case)
        else:
            for e in case.log():
                print(plain(f"{e.seq:>5}  {e.at}  {plain(e.who)}  {plain(e.what)}  {plain(e.facts)}  {e.hash[:16]}", limit=400))
    return 0


def _list(args: argparse.Namespace, case: Case) -> None:
    """The findings, those that are asked for; without filters also what could not be examined."""
    asked = _query(args)
    if asked is not None:
        from engine.case.record import archive

        with bar() as progress:
            taken = {e.id for e in archive.select(archive.read(case.place, progress).entries, asked)}
    for f in case.each_finding():
        if asked is None or f.id in taken:
            factor = f"  10^{f.log10_factor:+.1f}" if f.log10_factor is not None else ""
            line = f"{f.created[:19]}  {f.verdict:<18}{factor:<9}  {plain(f.path, limit=300)}  scene {f.scene}  {f.id}"
            print(plain(line, limit=500))
    for clip in case.clips() if asked is None else ():
        if clip.problem:
            line = f"{clip.added[:19]}  {'not examined':<18}{'':<9}  {plain(clip.path, limit=300)}  {clip.problem}"
            print(plain(line, limit=1000))


def _decisions(case: Case) -> None:
    """Decisions, oldest first, a line each."""
    from engine.report.view.edits import factor

    clips = {f.id: f"{Path(f.path).name}, scene {f.scene}" for f in case.each_finding()}
    for d in case.decisions():
        told = [factor(x) for x in (d.factor_before, d.factor_after)]
        moved = f"  {' → '.join(told)}" if told != ["none", "none"] else ""
        clip = plain(clips.get(d.finding_id, "finding not in the case"), limit=100)
        about = f"{plain(d.who, limit=80)}  {clip}  {plain(d.what, limit=200)}"
        line = f"{d.created[:19]}  {about}{moved}"
        print(plain(line + (f"  ({plain(d.why, limit=400)})" if d.why else ""), limit=1000))


def _note(args: argparse.Namespace, case: Case) -> None:
    from engine.case.record.again import kept_of

    text = " ".join(args.text.split())[:MOST_TEXT]
    if not text:
        raise InputError("The note is empty; write its text.")
    case.decide(kept_of(case, args.finding, args.scene).id, f"note: {text}")
    print(f"Noted; head of the log: {case.head()}")


def _query(args: argparse.Namespace) -> ArchiveQuery | None:
    """What is asked for, or None for everything.

    Raises:
        SettingError: there is no such place, or several bear the name.
    """
    if not (args.verdict or args.species or args.atom or args.text or args.near or args.since or args.until):
        return None
    from engine.case.record.archive import ArchiveQuery
    from engine.clues.text.entry import one_place

    place = one_place(args.near) if args.near else None
    near = (place.lat_deg, place.lon_deg, args.within) if place else None
    verdicts = frozenset({args.verdict} if args.verdict else ())
    return ArchiveQuery(verdicts, args.species, args.atom, args.text, near, "", args.since, args.until)


def _same(place: str) -> int:
    """Print the pairs of clips that hold the same recording."""
    from engine.case.record import archive

    with bar() as progress:
        found = archive.read(place, progress)
    names = {e.sha256: e.path for e in found.entries}
    for a, b, s in found.same:
        when = f"{clock(round(s.start_s))} to {clock(round(s.end_s))}"
        there = f"{plain(names.get(b, b))} from {clock(round(s.start_s + s.lag_s))}"
        print(f"{plain(names.get(a, a))} {when}  also occurs in  {there}  ({s.marks:,} marks, {s.share:.0%})")
    print(f"{len(found.same):,} pairs of clips with the same ambience, of {len(names):,} clips.")
    if found.unprinted:
        print(f"{found.unprinted:,} clips have no fingerprint, because an earlier version examined them; run the batch again.")
    return 0


def _report(args: argparse.Namespace, case: Case) -> int:
    """Write the reports asked for of one finding, and enter each into the log."""
    from engine.case.record.again import again, kept_of

    targets = locate.targets_of(args)
    if not targets:
        raise InputError("No report is requested; add --pdf F, --html F or --bundle F.")
    if any(target.is_stdout for _, target in targets):
        raise InputError("A report of a case is recorded in its log with its file; give a file name instead of -.")
    kept = kept_of(case, args.finding, args.scene)
    output.check([target for _, target in targets], kept.path)
    with bar() as progress, again(case, kept, progress=progress) as found:
        finding = _explained(found.finding, progress)
        made = [
            output.tried(
                target.option, partial(report.render, finding, found.reader, None, found.custody), getattr(args, "debug", False)
            )
            for report, target in targets
        ]
        found.reader.verify_unchanged(progress)
    head, failures = found.custody.head, [m for m in made if isinstance(m, output.Failure)]
    for (report, target), content in zip(targets, made, strict=True):
        if isinstance(content, output.Failure):
            continue
        data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        entered = output.tried(
            target.option, partial(_entered, case, kept, report.option, target, data), getattr(args, "debug", False)
        )
        if isinstance(entered, output.Failure):
            failures.append(entered)
            continue
        head = entered
        print(f"wrote {plain(target.path, limit=400)}")
        if remark := report.remark(content):
            print(plain(remark, limit=600))
    print(f"the reports state the head {found.custody.head}; with the reports recorded, the head of the log is {head}")
    for remark in found.custody.remarks:
        print(plain(remark, limit=2000))
    return output.ended(failures)


def _entered(case: Case, kept: Kept, form: str, target: output.Target, data: bytes) -> str:
    """Write a report and enter it into the log; returns the log's head."""
    from engine.case.record.again import log_report

    output.write(target, data)
    return log_report(case, kept, form, Path(target.path), data)


def _explained(finding: Finding, progress: ProgressCallback) -> Finding:
    """With what a report shows beside the result: what each edit, clue and observation did, and the timeline."""
    from engine.analysis.effects import explained
    from engine.analysis.timeline import timeline_of

    progress(Progress("computing the effect of each piece of evidence"))
    finding = explained(finding)
    return replace(finding, timeline=timeline_of(finding))
