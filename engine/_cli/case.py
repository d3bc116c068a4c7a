"""`earwitness case`: make a case, put a clip into it, look at what it holds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine._cli import locate, output
from engine._cli.bar import bar
from engine._cli.terminal import plain
from engine.core.errors import InputError

if TYPE_CHECKING:
    from engine.case.store import Case


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness case`."""
    commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    new = commands.add_parser("new", help="make a case")
    add = commands.add_parser("add", help="examine clips and keep the findings (the same as batch)")
    show = commands.add_parser("list", help="the findings of a case")
    log = commands.add_parser("log", help="who did what when")
    report = commands.add_parser("report", help="write reports of a finding, which bear the head of the log")
    for command in (new, add, show, log, report):
        command.add_argument("case", metavar="CASE", help="case folder or postgresql://…")
        command.add_argument("--who", default="", metavar="NAME", help="whose name the log bears (default: the system's user)")
    new.add_argument("--title", default="", help="its title (default: the folder's name)")
    add.add_argument("inputs", nargs="+", metavar="CLIP")
    report.add_argument("finding", metavar="FINDING", help="id of a finding, or path, name or sha256 of its clip")
    report.add_argument("--scene", type=int, default=1, metavar="N", help="scene of the clip, from 1")
    locate.add_reports(report.add_argument_group("reports", "each takes a file name"))


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    from engine.case.store import Case

    if args.what == "new":
        with Case.create(args.case, args.title, args.who) as case:
            print(f"Made the case {plain(case.title)}; head of its log: {case.head()}")
        return 0
    with Case(args.case, args.who) as case:
        if args.what == "report":
            return _report(args, case)
        if args.what == "add":
            from engine.case import batch

            with bar() as progress:
                summary = batch.run(args.inputs, case, workers=1, progress=progress)
            kept, bad = summary.examined + summary.kept, len(summary.problems)
            print(f"{kept:,} kept, {summary.there:,} were there, {bad:,} cannot be examined.")
            for path, problem in summary.problems:
                print(f"  {plain(path)}: {plain(problem)}")
        elif args.what == "list":
            for f in case.findings():
                factor = f"  10^{f.log10_factor:+.1f}" if f.log10_factor is not None else ""
                print(f"{f.created[:19]}  {f.verdict:<18}{factor:<9}  {plain(f.path)}  scene {f.scene}  {f.id}")
            for clip in case.clips():
                if clip.problem:
                    print(f"{clip.added[:19]}  {'not examined':<18}{'':<9}  {plain(clip.path)}  {plain(clip.problem)}")
        else:
            for e in case.log():
                print(f"{e.seq:>5}  {e.at}  {plain(e.who)}  {plain(e.what)}  {plain(e.facts)}  {e.hash[:16]}")
    return 0


def _report(args: argparse.Namespace, case: Case) -> int:
    """Write the reports asked for of one finding, and enter each into the log."""
    from engine.case.again import again, kept_of, log_report

    targets = locate.targets_of(args)
    if not targets:
        raise InputError("No report is asked for; add --pdf F, --html F or --bundle F.")
    if any(target.is_stdout for _, target in targets):
        raise InputError("A report of a case is entered into its log with its file; give a file name instead of -.")
    kept = kept_of(case, args.finding, args.scene)
    output.check([target for _, target in targets], kept.path)
    with bar() as progress, again(case, kept, progress=progress) as found:
        made = [report.render(found.finding, found.reader, None, found.custody) for report, _ in targets]
        found.reader.verify_unchanged(progress)
    for (report, target), content in zip(targets, made, strict=True):
        data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        output.write(target, data)
        head = log_report(case, kept, report.option, Path(target.path), data)
        print(f"wrote {plain(target.path, limit=400)}")
    print(f"the reports bear the head {found.custody.head}; after entering them the head of the log is {head}")
    for remark in found.custody.remarks:
        print(plain(remark, limit=2000))
    return 0
