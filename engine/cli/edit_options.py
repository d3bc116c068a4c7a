"""Options of `earwitness locate` for edits by the analyst: what to drop, add, confirm, relabel, weight or import from a table.

Errors in the words are reported before the long work; what needs the clip (the windows in which a species was heard) comes after.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.cli.terminal import plain
from engine.clues.registry import SPECS
from engine.core.edit import CONFIDENCES, Edit, apply_edit
from engine.core.errors import SettingError
from engine.core.file import read_bytes
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings

_SURE = CONFIDENCES[0][1]
_TIME = r"(?:\d+:)?(?:\d+:)?\d+(?:\.\d+)?"
_ADD = re.compile(rf"(species|sign):(.+?)@({_TIME})(?:\s*[-–]\s*({_TIME}))?(?:=([0-9.]+))?", re.DOTALL)
_RELABEL = re.compile(r"(.+?)\s*=>\s*(.+?)(?:=([0-9.]+))?", re.DOTALL)
_NAMED = re.compile(r"(.+?)(?:=([0-9.]+))?", re.DOTALL)
_CUE = re.compile(rf"([a-z0-9-]+)(?:@({_TIME}))?(?:=([0-9.]+))?")
_KEY = re.compile(r"[a-z]+/[a-z]+/.+", re.DOTALL)
_WINDOW_S = 3.0

Making = Callable[[Perception], Edit]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options, as a group of their own; every one of them is listed in the reports with what it did."""
    group = parser.add_argument_group("edits by the analyst", "each is listed in the reports with the factor before and after")
    group.add_argument(
        "--drop", action="append", default=[], metavar="NAME", help="leave out a species (English or Latin) or a key; repeatable"
    )
    group.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="WHAT",
        help='your own observation: "species:Parus major@0:03-0:06=0.9" or "sign:AUGUSTA GA@0:08=0.9" (= your confidence)',
    )
    group.add_argument(
        "--cue",
        action="append",
        default=[],
        metavar="CUE[@T][=P]",
        help='something seen or heard, by its id: "roof-red-tile@0:12=0.9" (= how sure); `earwitness cues` lists them',
    )
    group.add_argument(
        "--sun",
        action="append",
        default=[],
        metavar="MARKS",
        help='a shadow you marked, in pixels of the upright frame or in %%: "t=12.5; foot=812,640; top=820,210; tip=1190,655; '
        'when=2024-06-01T10:00/11:00Z", and as known horizon=X,Y,X,Y (or Y), lens=MM or fov=DEG, heading=DEG±DEG, sure=0.9; '
        "see docs/sun.md",
    )
    group.add_argument(
        "--confirm", action="append", default=[], metavar="NAME[=P]", help="confirm a detection, with this confidence"
    )
    group.add_argument(
        "--relabel", action="append", default=[], metavar="OLD=>NEW[=P]", help='correct a label: "Great Tit=>Coal Tit=0.9"'
    )
    group.add_argument(
        "--weight", action="append", default=[], metavar="CLUE=W", help="weight of a clue, 0 to 2, or of modality:sound"
    )
    group.add_argument(
        "--include", action="append", default=[], metavar="CLUE", help="include a clue that is off by default; repeatable"
    )
    for spec in (s for s in SPECS if s.option):
        group.add_argument(
            f"--{spec.option}",
            action="append_const",
            dest="include",
            const=spec.name,
            help=f"state that {spec.condition}: the {spec.title} then counts (as --include {spec.name})",
        )
    group.add_argument("--leave-out", action="append", default=[], metavar="CLUE", help="leave out a clue; repeatable")
    group.add_argument(
        "--detections", metavar="TABLE", help="import a Raven selection table, a BirdNET result table or Audacity labels"
    )
    group.add_argument("--detections-only", action="store_true", help="use the table's detections instead of BirdNET's")
    group.add_argument("--author", default="", metavar="NAME", help="name recorded as the author of the edits")


@dataclass(frozen=True, slots=True)
class PlannedEdits:
    """Edits to be made once the clip was perceived."""

    makings: tuple[Making, ...] = ()

    def apply(self, perception: Perception, settings: Settings) -> Settings:
        """The settings with all of them, in the order of the options.

        Raises:
            SettingError, DataError: one of them is invalid for this clip.
        """
        if not self.makings:
            return settings
        from engine.analysis.edits import of_clip

        for making in self.makings:
            settings = apply_edit(settings, of_clip(making(perception), perception))
        return settings


def read(args: argparse.Namespace) -> PlannedEdits:
    """What the options ask for.

    Raises:
        SettingError: one of them is invalid.
        DataError: the table cannot be read.
    """
    words = (
        args.drop,
        args.add,
        args.cue,
        args.sun,
        args.confirm,
        args.relabel,
        args.weight,
        args.include,
        args.leave_out,
        args.detections,
    )
    if args.detections_only and not args.detections:
        raise SettingError("--detections-only needs a table; name it with --detections.")
    if not any(words):
        return PlannedEdits()
    makings = [
        *_table(args),
        *_switches(args),
        *(_dropped(name, args.author) for name in args.drop),
        *(_relabelled(text, args.author) for text in args.relabel),
        *(_confirmed(text, args.author) for text in args.confirm),
        *(_added(text, args.author) for text in args.add),
        *(_cue(text, args.author) for text in args.cue),
        *(_shadow(text, args.author) for text in args.sun),
    ]
    return PlannedEdits(tuple(makings))


def key_of(name: str) -> str:
    """The key of what BirdNET calls so, in English or Latin; clue/kind/label is taken as it stands.

    Raises:
        SettingError: nothing is called so.
    """
    if _KEY.fullmatch(name):
        return name
    from engine.analysis import edits

    return edits.add_species(name, 0.0, 1.0, 1.0).target


def _table(args: argparse.Namespace) -> list[Making]:
    if not args.detections:
        return []
    from engine.analysis import edits
    from engine.clues.species import detections

    path = Path(args.detections)
    data = read_bytes(path, detections.MOST_BYTES, "table")
    detections.read(data, path.name, args.clip, None, args.author)  # its faults are said before the long work
    return [lambda p: edits.read_table(data, path.name, p, args.author, alone=args.detections_only)[0]]


def _switches(args: argparse.Namespace) -> list[Making]:
    from engine.analysis.edits import include, stamp
    from engine.analysis.effects import clue_switches
    from engine.core.edit import MOST_WEIGHT

    switches = {c.name: c for c in clue_switches()}
    off = [n for n, c in switches.items() if c.optional]
    edits = []
    for name in args.include:
        if name not in off:
            raise SettingError(f"There is no optional clue called {plain(name)!r}; choose one of {', '.join(off)}.")
        edits.append(include(name, args.author or "analyst"))
    for name in args.leave_out:
        if name not in switches:
            raise SettingError(f"There is no clue called {plain(name)!r}; choose one of {', '.join(switches)}.")
        edits.append(Edit("leave out", name, author=args.author or "analyst", created=stamp()))
    names = (*switches, "modality:sound", "modality:picture")
    for text in args.weight:
        name, _, number = text.rpartition("=")
        if name not in names or not re.fullmatch(r"\d+(\.\d+)?", number):
            raise SettingError(
                f"{plain(text)!r} is no weight; write CLUE=W, W from 0 to {MOST_WEIGHT:g} and CLUE one of {', '.join(names)}."
            )
        edits.append(Edit("weight", name, author=args.author or "analyst", weight=float(number), created=stamp()))
    return [partial(_as_it_is, made) for made in edits]


def _as_it_is(made: Edit, _: Perception) -> Edit:
    return made


def _dropped(name: str, author: str) -> Making:
    from engine.analysis import edits

    key = key_of(name)
    edit = edits.drop(key, author, title=edits.english(key))
    return lambda _: edit


def _added(text: str, author: str) -> Making:
    from engine.analysis import edits

    said = _ADD.fullmatch(text.strip())
    if said is None:
        raise SettingError(
            f'{plain(text)!r} is no observation; write "species:Parus major@0:03-0:06=0.9" or "sign:AUGUSTA GA@0:08=0.9".'
        )
    kind, name, start, end, sure = said.groups()
    start_s = _seconds(start)
    end_s = _seconds(end) if end else start_s + (_WINDOW_S if kind == "species" else 0.0)
    make = edits.add_species if kind == "species" else edits.add_sign
    edit = make(name, start_s, end_s, _chance(sure), author)
    return lambda _: edit


def _cue(text: str, author: str) -> Making:
    """A cue of the table; without a time it is noted at the start of what is examined."""
    from engine.analysis import note_cue

    said = _CUE.fullmatch(text.strip())
    if said is None:
        raise SettingError(f'{plain(text)!r} is no cue; write "roof-red-tile@0:12=0.9" with an id that `earwitness cues` lists.')
    cue, at, sure = said[1], said[2], _chance(said[3])
    note_cue(cue, 0.0, 0.0, sure, author)  # an unknown cue is told before the long work

    def make(perception: Perception) -> Edit:
        at_s = _seconds(at) if at else perception.interval.start_s
        return note_cue(cue, at_s, at_s, sure, author)

    return make


def _shadow(text: str, author: str) -> Making:
    """A marked shadow; what does not depend on the size of the frames is looked at before the long work."""
    from engine.analysis import sun

    parts = [p.partition("=") for p in re.split(r"\s*[;\n]\s*", text.strip().strip(";")) if p.strip()]
    given = {name.strip().lower(): value.strip() for name, _, value in parts}
    unknown = [n for n in given if n not in _SHADOW_KEYS]
    lacking = [n for n in ("t", "foot", "top", "tip") if not given.get(n)]
    if unknown or lacking or len(given) != len(parts):
        fault = (
            f"{plain(unknown[0], 40)!r} is not known"
            if unknown
            else f"{lacking[0]!r} is missing"
            if lacking
            else "a part is given twice"
        )
        raise SettingError(f"--sun: {fault}; write {_SHADOW_FORM}.")
    if not re.fullmatch(_TIME, given["t"]):
        raise SettingError(f"--sun: {plain(given['t'], 40)!r} is no time in the clip; write t=12.5 or t=0:12.5.")
    points = {n: _coordinates(n, given[n], (2,)) for n in ("foot", "top", "tip")}
    line = _coordinates("horizon", given["horizon"], (1, 4)) if "horizon" in given else None
    heading = re.fullmatch(r"(-?\d+(?:\.\d+)?)(?:(?:±|\+-|\+/-)(\d+(?:\.\d+)?))?", given.get("heading", "0"))
    if heading is None:
        raise SettingError(f"--sun: {plain(given['heading'], 40)!r} is no direction; write heading=145±10, from north over east.")
    lens = {n: _positive(n, given[n]) for n in ("fov", "lens") if n in given}
    sure = _chance(given.get("sure"))
    when = sun.When.parse(given["when"]) if "when" in given else None

    def make(perception: Perception) -> Edit:
        width, height = sun.size_of(perception.clip)
        at = when or sun.stated_when(perception.observations)
        if at is None:
            raise SettingError("--sun: the file does not say when it was recorded; add when=2024-06-01T10:00/11:00Z.")

        def share(x: Coordinate, of: int) -> float:
            return x[0] / 100.0 if x[1] else x[0] / of

        foot, top, tip = ((share(p[0], width), share(p[1], height)) for p in (points[n] for n in ("foot", "top", "tip")))
        horizon = None
        if line is not None:
            y = [share(v, height) for v in (line if len(line) == 1 else line[1::2])]
            x = [0.0, 1.0] if len(line) == 1 else [share(v, width) for v in line[::2]]
            horizon = ((x[0], y[0]), (x[1], y[-1]))
        fov = lens.get("fov")
        if "lens" in lens:
            fov = sun.fov_of_lens(lens["lens"], width / height)
        mark = sun.Mark(
            foot,
            top,
            tip,
            aspect=width / height,
            when=at,
            horizon=horizon,
            fov_deg=fov,
            heading_deg=float(heading[1]) if "heading" in given else None,
            heading_sd_deg=float(heading[2] or sun.HEADING_SD),
        )
        return sun.mark_shadow(mark, _seconds(given["t"]), sure, author)

    return make


_SHADOW_KEYS = ("t", "foot", "top", "tip", "horizon", "fov", "lens", "heading", "when", "sure")
_SHADOW_FORM = '"t=12.5; foot=812,640; top=820,210; tip=1190,655; when=2024-06-01T10:00/11:00Z"'
Coordinate = tuple[float, bool]


def _coordinates(name: str, text: str, many: tuple[int, ...]) -> tuple[Coordinate, ...]:
    """Numbers in pixels, or with a % in hundredths of the frame."""
    found = [re.fullmatch(r"(-?\d+(?:\.\d+)?)(%?)", part.strip()) for part in text.split(",")]
    if len(found) not in many or None in found:
        raise SettingError(f"--sun: {name}={plain(text, 40)} is no place on the frame; write pixels or percent: {name}=812,640.")
    return tuple((float(m[1]), bool(m[2])) for m in found if m is not None)


def _positive(name: str, text: str) -> float:
    if not re.fullmatch(r"\d+(?:\.\d+)?", text) or float(text) <= 0.0:
        raise SettingError(f"--sun: {name}={plain(text, 40)} is no number above 0; give mm for lens, degrees for fov.")
    return float(text)


def _confirmed(text: str, author: str) -> Making:
    from engine.analysis import edits

    said = _NAMED.fullmatch(text.strip())
    if said is None:
        raise SettingError(f'{plain(text)!r} is not a name; write "Great Tit=0.9".')
    key, sure = key_of(said[1]), _chance(said[2])
    return lambda p: edits.confirm(_own(p, key), sure, author)


def _relabelled(text: str, author: str) -> Making:
    from engine.analysis import edits

    said = _RELABEL.fullmatch(text.strip())
    if said is None:
        raise SettingError(f'{plain(text)!r} is no relabelling; write "Great Tit=>Coal Tit=0.9".')
    key, sure = key_of(said[1]), _chance(said[3])
    if key.startswith("species/"):
        key_of(said[2])
    return lambda p: edits.relabel(_own(p, key), said[2], sure, author)


def _own(perception: Perception, key: str) -> tuple[Observation, ...]:
    found = tuple(o for o in perception.observations if o.key == key)
    if not found:
        raise SettingError(f"{plain(key.rsplit('/', 1)[-1])} was not detected in the clip; use --add instead.")
    return found


def _chance(text: str | None) -> float:
    if text is None:
        return _SURE
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value <= 1.0:
        raise SettingError(f"The confidence {plain(text)!r} is out of range; give more than 0 and at most 1.")
    return value


def _seconds(text: str) -> float:
    total = 0.0
    for part in text.split(":"):
        total = 60.0 * total + float(part)
    return total
