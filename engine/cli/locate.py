"""`earwitness locate CLIP`: from a file to a place on the map, in the terminal and as reports.

The defaults are those of core.Settings; there is no second table of them.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli import argument, case_options, edit_options, output
from engine.cli.bar import bar
from engine.cli.terminal import Pen, plain, say
from engine.core.claim import CLAIM_RADIUS_KM, Claim
from engine.core.clip import Interval, Reader
from engine.core.custody import Custody
from engine.core.errors import InputError, SettingError
from engine.core.progress import Progress, ProgressCallback
from engine.core.settings import PRIORS, Settings

if TYPE_CHECKING:
    from engine.core.finding import Finding
    from engine.models.qwen import Reasoner

_DEFAULT = Settings()


@dataclass(frozen=True, slots=True)
class Report:
    """A kind of document that can be asked for."""

    option: str
    what: str
    render: Callable[[Finding, Reader, Interval | None, Custody | None], str | bytes]  # the interval is the interval perceived
    explained: bool = False  # tells what each edit, clue and observation did
    timed: bool = False  # shows where each modality points as time goes by
    binary: bool = False  # not for a terminal
    remark: Callable[[str | bytes], str] = lambda _: ""  # what has to be said of a document that is less than was asked for


def _json(finding: Finding, _: Reader, __: Interval | None, custody: Custody | None) -> str:
    from engine.report import to_json

    return to_json(finding, custody)


def _geojson(finding: Finding, *_: object) -> str:
    from engine.report import to_geojson

    return to_geojson(finding)


def _kml(finding: Finding, *_: object) -> str:
    from engine.report import to_kml

    return to_kml(finding)


def _csv(finding: Finding, *_: object) -> str:
    from engine.report import to_csv

    return to_csv(finding)


def _raven(finding: Finding, *_: object) -> str:
    from engine.report import to_raven

    return to_raven(finding)


def _elan(finding: Finding, *_: object) -> str:
    from engine.report import to_elan

    return to_elan(finding)


def _html(finding: Finding, reader: Reader, _: Interval | None, custody: Custody | None) -> str:
    from engine.analysis.judge import species_range
    from engine.report import to_html

    return to_html(finding, reader, species_range, custody)


def _pdf(finding: Finding, reader: Reader, _: Interval | None, custody: Custody | None) -> bytes:
    from engine.analysis.judge import species_range
    from engine.report import to_pdf

    return to_pdf(finding, reader, species_range, custody)


def _bundle(finding: Finding, reader: Reader, perceived: Interval | None, custody: Custody | None) -> bytes:
    from engine.analysis.judge import species_range
    from engine.case.record.bundle import to_bundle

    return to_bundle(finding, reader, species_range, custody, perceived)


def _of_pdf(document: str | bytes) -> str:
    from engine.report.formats.pdf import NOT_ARCHIVAL, is_archival

    return "" if isinstance(document, str) or is_archival(document) else f"the PDF is {NOT_ARCHIVAL}"


def _of_bundle(document: str | bytes) -> str:
    from engine.case.record.bundle import missing

    left_out = () if isinstance(document, str) else missing(document)
    return f"the bundle lacks {', '.join(left_out)}, which could not be made; see its readme.txt" if left_out else ""


REPORTS = (
    Report("json", "all results as JSON (schema earwitness.finding/1)", _json, True, True),
    Report("geojson", "places, regions and cells as GeoJSON", _geojson),
    Report("kml", "places and regions as KML", _kml),
    Report("csv", "all observations as CSV", _csv),
    Report("raven", "sound detections as a selection table for Raven", _raven),
    Report("elan", "sound detections and text read as tiers for ELAN (.eaf)", _elan),
    Report("html", "a report as one self-contained page", _html, True, True),
    Report("pdf", "the same report as PDF", _pdf, True, True, True, _of_pdf),
    Report("bundle", "all of these in a zip file that can be verified and reproduced", _bundle, True, True, True, _of_bundle),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness locate`."""
    parser.add_argument("clip", metavar="CLIP", help="film, broadcast, recording or still picture; the file is never changed")
    reports = parser.add_argument_group("reports", "each takes a file name, or - for the terminal")
    add_reports(reports)
    reports.add_argument(
        "--reel", metavar="F", help="evidence reel: the moments behind the result as a film (MP4), with map and verdict"
    )
    what = parser.add_argument_group("what is examined")
    what.add_argument(
        "--track",
        type=int,
        default=_DEFAULT.track,
        metavar="N",
        help="audio track, from 1 (default: the main track with sound)",
    )
    what.add_argument(
        "--programme",
        default=_DEFAULT.programme,
        metavar="N",
        help="programme of a transport stream with several, by number or name (default: the first with sound and pictures)",
    )
    what.add_argument(
        "--interval",
        type=_interval,
        default=_DEFAULT.interval,
        metavar="A-B",
        help="interval, in s or m:ss (default: the whole clip)",
    )
    what.add_argument(
        "--stride",
        type=float,
        default=_DEFAULT.stride_s,
        metavar="S",
        help="seconds between windows (default: 1.5 up to a minute, else 3)",
    )
    what.add_argument(
        "--still", metavar="PICTURE", help="still picture that is looked at beside a sound (JPEG, PNG, WebP, HEIC or TIFF)"
    )
    how = parser.add_argument_group("how it is judged")
    how.add_argument("--date", type=day, default=_DEFAULT.when, metavar="YYYY-MM-DD", help="date of the recording (default: any)")
    how.add_argument("--prior", choices=PRIORS, default=_DEFAULT.prior, help=f"where clips come from (default: {_DEFAULT.prior})")
    how.add_argument(
        "--radius",
        type=float,
        default=_DEFAULT.radius_km,
        metavar="KM",
        help=f"radius of the reported place (default: {_DEFAULT.radius_km:g})",
    )
    how.add_argument(
        "--same-place",
        type=float,
        default=_DEFAULT.same_place_km,
        metavar="KM",
        help=f"radius within which places count as the same (default: {_DEFAULT.same_place_km:g})",
    )
    what.add_argument(
        "--scene",
        type=_scene,
        default=None,
        metavar="N",
        help='for a film of several scenes: the number of one, or "whole" (default: a list of all)',
    )
    edit_options.add_arguments(parser)
    case_options.add_arguments(parser)
    said = parser.add_argument_group("claim to test")
    said.add_argument("--claim", metavar="PLACE", help='claimed place: "Augusta, Georgia" or "33.47, -81.97"')
    said.add_argument("--claim-date", type=day, metavar="YYYY-MM-DD", help="claimed date")
    said.add_argument("--claim-time", type=_clock, metavar="HH:MM", help="claimed time of the day, by the clocks of that place")
    said.add_argument(
        "--claim-radius",
        type=float,
        default=CLAIM_RADIUS_KM,
        metavar="KM",
        help=f"precision of the claimed place (default: {CLAIM_RADIUS_KM:g})",
    )
    parser.add_argument("--why", action="store_true", help="also print the reasoning: measurements, conclusions and alternatives")
    parser.add_argument(
        "--ask", metavar="MODEL", help="add the reasoning of a local language model: small, large, or its folder (implies --why)"
    )
    parser.add_argument("--bits", type=int, choices=(4, 8, 16), help="bits of its weights (default: what fits on the GPU)")
    parser.add_argument("--adapter", metavar="FOLDER", help="LoRA adapter for the language model")
    parser.add_argument(
        "--quick", action="store_true", help="run only the clues that vote: no atoms, no speech; takes half the time"
    )
    parser.add_argument("--again", action="store_true", help="analyse again, even if a result of this file is in the cache")
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary; write the requested reports only")


def add_reports(group: argparse._ArgumentGroup) -> None:
    """An option for every kind of document."""
    for report in REPORTS:
        group.add_argument(f"--{report.option}", metavar="F", help=report.what)


def targets_of(args: argparse.Namespace) -> list[tuple[Report, output.Target]]:
    """The documents asked for.

    Raises:
        InputError: one that is not text is to go to the terminal.
    """
    targets = [(r, output.Target(f"--{r.option}", path)) for r in REPORTS if (path := getattr(args, r.option)) is not None]
    for report, target in targets:
        if report.binary and target.is_stdout:
            raise InputError(f"A {report.option} cannot be written to the terminal; give {target.option} a file name.")
    return targets


def run(args: argparse.Namespace) -> int:
    """Place the clip, print what was found, write the reports."""
    targets, debug = targets_of(args), bool(getattr(args, "debug", False))
    reel = None if args.reel is None else output.Target("--reel", args.reel, file_only=True)
    if reel is not None and reel.is_stdout:
        raise InputError("A reel cannot be written to the terminal; give --reel a file name ending in .mp4.")
    output.check([*(t for _, t in targets), *([reel] if reel else [])], args.clip, _read(args))
    settings, case = _settings(args), case_options.read(args, [t for _, t in targets])
    args.author = args.author or args.who
    edits, asked = edit_options.read(args), argument.reasoner_of(args)
    with bar(args.quiet) as progress:
        finding, documents = _examine(
            args.clip, settings, [r for r, _ in targets], progress, edits, args.scene, args.reel, asked, args.again, case, debug
        )
    done = [
        output.tried(target.option, partial(_keep, report, target, document, case), debug)
        for (report, target), document in zip(targets, documents, strict=False)
    ]
    done += documents[len(targets) :]  # the reel, which was written when it was made
    failures = [d for d in done if isinstance(d, output.Failure)]
    written = [
        t
        for t, d in zip([*(t for _, t in targets), *([reel] if reel else [])], done, strict=False)
        if not isinstance(d, output.Failure)
    ]
    to_stdout = any(t.is_stdout for _, t in targets)
    if not args.quiet:
        from engine.cli.summary import summarise

        pen = Pen(sys.stderr if to_stdout else sys.stdout)
        summarise(finding, pen)
        if args.why or args.ask:
            argument.tell(finding, pen)
        for target in written:
            if not target.is_stdout:
                say(f"wrote {plain(target.path, limit=400)}")
        if case is not None:
            say(case.said())
    for remark in [r.remark(d) for (r, _), d in zip(targets, documents, strict=False) if isinstance(d, str | bytes)]:
        if remark:
            say(plain(remark, limit=600))
    return output.ended(failures)


def _keep(
    report: Report, target: output.Target, document: str | bytes | output.Failure, case: case_options.CaseEntry | None
) -> str | bytes | output.Failure:
    """Write a document that was made, and enter it into the case's log."""
    if isinstance(document, output.Failure):
        return document
    output.write(target, document)
    if case is not None:
        case.log(report.option, target, document)
    return document


def _read(args: argparse.Namespace) -> list[str]:
    """The files that are read beside the clip."""
    named = getattr(args, "detections", None) or ()
    still = [args.still] if getattr(args, "still", None) else []
    return still + [os.fspath(x) for x in ([named] if isinstance(named, str | os.PathLike) else named)]


def _examine(
    path: str,
    settings: Settings,
    reports: list[Report],
    progress: ProgressCallback,
    edits: edit_options.PlannedEdits,
    scene: int | None,
    reel: str | None = None,
    asked: Reasoner | None = None,
    again: bool = False,
    case: case_options.CaseEntry | None = None,
    debug: bool = False,
) -> tuple[Finding, list[str | bytes | output.Failure]]:
    """The finding and each report's content, the reel written ("" stands for it); what fails stands in its own place. The file
    is hashed again before anything is said of it."""
    from engine.analysis.effects import explained
    from engine.analysis.judge import judge, judge_film, scenes
    from engine.analysis.timeline import timeline_of
    from engine.case.jobs.results import Results
    from engine.media import open_clip

    lacking: output.Failure | None = None
    began = time.monotonic()
    with open_clip(os.fspath(path), progress, settings) as reader:
        perceived = settings.interval if case is None else None  # a case perceives whole clips
        perception, _, kept = Results().perceive(reader, settings.but(interval=perceived), progress, again)
        progress(Progress("from the cache; drawing the map" if kept else "drawing the map"))
        settings = edits.apply(perception, settings)
        if scene:
            settings = settings.but(interval=_stretch_of(scene, scenes(perception)))
        took_s = time.monotonic() - began
        finding = judge_film(perception, settings, progress, took_s) if scene is None else judge(perception, settings, took_s)
        if edits.makings or case is not None or any(r.explained for r in reports):
            progress(Progress("computing the effect of each piece of evidence"))
            if case is not None:  # which keeps each decision with what it did, or nothing
                finding = explained(finding)
            else:
                finding, lacking = _with("Computing the effect of each piece of evidence", explained, finding, debug)
        if asked is not None:
            from engine.analysis.rationale.facts import ask

            finding = replace(finding, rationale=ask(finding, reader, asked, progress))
        documents: list[str | bytes | output.Failure] = []
        if lacking is None and any(r.timed for r in reports):
            finding, lacking = _with("The timeline", lambda f: replace(f, timeline=timeline_of(f)), finding, debug)
        custody = case.keep(perception, finding, reader, progress) if case is not None else None
        for report in reports:
            if lacking is not None and report.explained:
                documents.append(replace(lacking, why=f"--{report.option}: {lacking.why}"))
                continue
            progress(Progress(f"writing {report.option}"))
            made = partial(report.render, finding, reader, perceived, custody)
            documents.append(output.tried(f"--{report.option}", made, debug))
        if reel is not None:
            documents.append(output.tried("--reel", partial(_reel, finding, reader, reel, progress), debug))
        reader.verify_unchanged(progress)
    return finding, documents


def _with(what: str, add: Callable[[Finding], Finding], finding: Finding, debug: bool) -> tuple[Finding, output.Failure | None]:
    """A finding with something more that some documents need; where that fails, as it is, and why: the others are written."""
    more = output.tried(what, partial(add, finding), debug)
    return (finding, more) if isinstance(more, output.Failure) else (more, None)


def _reel(finding: Finding, reader: Reader, path: str, progress: ProgressCallback) -> str:
    from engine.report import write_reel

    write_reel(finding, reader, path, progress)
    return ""


def _settings(args: argparse.Namespace) -> Settings:
    return Settings(
        prior=args.prior,
        when=args.date,
        track=args.track,
        programme=args.programme,
        interval=args.interval,
        stride_s=args.stride,
        quick=args.quick,
        radius_km=args.radius,
        same_place_km=args.same_place,
        claim=_claim(args),
        still=str(Path(args.still).absolute()) if args.still else None,
    )


def _claim(args: argparse.Namespace) -> Claim | None:
    """The claim given, if any.

    Raises:
        SettingError: there is no such place, several bear the name, or a date has no place.
    """
    if args.claim_time is not None and args.claim_date is None:
        raise SettingError("A claimed time needs a claimed date; add --claim-date YYYY-MM-DD.")
    if args.claim is None:
        if args.claim_date:
            raise SettingError("A claimed date needs a claimed place; add --claim PLACE.")
        return None
    from engine.clues.text.entry import one_place

    found = one_place(args.claim, args.claim_date, args.claim_radius, say=lambda said: print(said, file=sys.stderr))
    return replace(found, minute=args.claim_time)


def _stretch_of(scene: int, found: tuple[Interval, ...]) -> Interval:
    """The interval of a scene.

    Raises:
        SettingError: there is no such scene.
    """
    if scene > len(found):
        several = f"{len(found)} scenes" if len(found) > 1 else "one scene only"
        raise SettingError(f"There is no scene {scene}; the clip has {several}, counted from 1.")
    return found[scene - 1]


def _scene(text: str) -> int:
    """A scene's number; 0 for the whole."""
    if text.strip().lower() == "whole":
        return 0
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is no scene; give its number, from 1, or "whole"')
    return int(text)


def day(text: str) -> date:
    """A day as it is written in options."""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2024-05-17") from None


def _clock(text: str) -> int:
    """Minutes after midnight of a time as it is written in options."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time of the day; write it as 22:40")
    return 60 * int(found[1]) + int(found[2])


def _interval(text: str) -> Interval:
    ends = re.split(r"\s*(?:-|–|\.\.)\s*", text.strip())
    try:
        if len(ends) != 2:
            raise ValueError
        return Interval(_seconds(ends[0]), _seconds(ends[1]))
    except SettingError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no interval; write it as 12-34.5 (seconds) or 1:05-2:00") from None


def _seconds(text: str) -> float:
    """Seconds of "75", "75.5", "1:15" or "1:01:15"."""
    if not re.fullmatch(r"(?:\d+:[0-5]?\d:[0-5]?\d|\d+:[0-5]?\d|\d+)(?:\.\d+)?", text):
        raise ValueError
    total = 0.0
    for part in text.split(":"):
        total = 60.0 * total + float(part)
    return total
