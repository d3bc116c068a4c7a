"""A case as the page Archive and `earwitness case list` show it: a line a finding, to be filtered, put on a map and compared.

Documents of findings are large; what is shown of each is read once and kept beside the results, by the finding's id.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from engine.case.jobs.results import write_whole
from engine.case.record import codec
from engine.case.record.again import decision_of
from engine.case.record.store import Case, Kept
from engine.core.comparison import Verdict
from engine.core.custody import Decision
from engine.core.errors import DataError
from engine.core.file import json_of, shown
from engine.core.grid import Grid
from engine.core.paths import kept_dir, not_kept
from engine.core.posterior import Posterior
from engine.core.progress import Progress, ProgressCallback, silent
from engine.core.settings import Settings
from engine.core.sphere import distance_km
from engine.media.fingerprint import METHOD, Fingerprint, SharedSound, same_recordings
from engine.report.view.words import span

LEAST_SCORE = 0.1
MOST_LISTED = 60
_FORM = 4  # of what is kept; raise it when Entry changes


@dataclass(frozen=True, slots=True)
class ArchiveSpot:
    """Where one modality points: place and name, and the area of its 90% region; `where` is its headline in words."""

    modality: str
    lat_deg: float
    lon_deg: float
    name: str
    region: str
    area_km2: float
    where: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something heard or read: "species", "atom" or "text", its label, everyday name and best score."""

    kind: str
    label: str
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One finding of a case.

    Attributes:
        id: of the finding.
        scene, scenes: number of the scene, and how many the clip has.
        spots: where each modality points that spoke.
        things: what was heard and read, surest first.
        edits: how many changes of the analyst's hand it was judged with.
        recorded: the day it was recorded, as the analyst set it or the file states it; None when nobody says.
        odds, distance_km: of the comparison, or "" and None.
    """

    id: str
    sha256: str
    path: str
    scene: int
    scenes: int
    start_s: float
    end_s: float
    verdict: str
    log10_factor: float | None
    odds: str
    distance_km: float | None
    spots: tuple[ArchiveSpot, ...]
    things: tuple[Thing, ...]
    recorded: date | None
    created: str
    edits: int = 0

    @property
    def title(self) -> str:
        """The file's name, which scene or interval of it, and whether the analyst edited it."""
        name = Path(self.path).name
        if not self.scene:
            name += f", {span(round(self.start_s), round(self.end_s))}"
        elif self.scenes > 1:
            name += f", scene {self.scene}"
        return f"{name}, edited" if self.edits else name

    def spot(self, modality: str) -> ArchiveSpot | None:
        """Where this modality points, or None when it cannot tell."""
        return next((s for s in self.spots if s.modality == modality), None)

    def of(self, kind: str) -> tuple[Thing, ...]:
        """Things of one kind."""
        return tuple(t for t in self.things if t.kind == kind)


@dataclass(frozen=True, slots=True)
class Archive:
    """All of a case that the page shows.

    Attributes:
        head: of the log; another head, another archive.
        problems: (path, why) of clips that could not be examined.
        same: (sha256, sha256, what they share) of clips whose ambience is the same recording, the most alike first.
        decisions: (finding, what was decided about it), first to last.
        unprinted: clips that have no fingerprint, so that nothing is known of their ambience.
    """

    place: str
    title: str
    head: str
    entries: tuple[ArchiveEntry, ...]
    problems: tuple[tuple[str, str], ...] = ()
    same: tuple[tuple[str, str, SharedSound], ...] = ()
    unprinted: int = 0
    decisions: tuple[tuple[str, Decision], ...] = ()

    def decided(self, e: ArchiveEntry) -> tuple[Decision, ...]:
        """What was decided about this scene of the clip, whichever of its findings was looked at."""
        own = {x.id for x in self.entries if (x.sha256, x.scene) == (e.sha256, e.scene)}
        return tuple(d for finding, d in self.decisions if finding in own)


@dataclass(frozen=True, slots=True)
class ArchiveQuery:
    """What is asked for; what is left empty asks for nothing.

    Attributes:
        verdicts: any of these.
        species, atom, text: all of these words occur in the name or label of one such thing.
        near: (latitude, longitude, km): some modality points to within that distance.
        modality: the modality that `near` is about, or "" for any.
        since, until: recorded on or between these days; a clip without a day is then left out.
        name: occurs in the file's name.
    """

    verdicts: frozenset[str] = frozenset()
    species: str = ""
    atom: str = ""
    text: str = ""
    near: tuple[float, float, float] | None = None
    modality: str = ""
    since: date | None = None
    until: date | None = None
    name: str = ""

    def takes(self, e: ArchiveEntry) -> bool:
        """Whether a finding is what is asked for."""
        asked = (("species", self.species), ("atom", self.atom), ("text", self.text))
        return (
            (not self.verdicts or e.verdict in self.verdicts)
            and all(not words or any(_has(t, words) for t in e.of(kind)) for kind, words in asked)
            and (self.near is None or any(self._is_near(s) for s in e.spots))
            and (not self.name or self.name.casefold() in Path(e.path).name.casefold())
            and self._in_time(e.recorded)
        )

    def _is_near(self, s: ArchiveSpot) -> bool:
        assert self.near is not None
        lat, lon, km = self.near
        return (not self.modality or s.modality == self.modality) and float(distance_km(s.lat_deg, s.lon_deg, lat, lon)) <= km

    def _in_time(self, day: date | None) -> bool:
        if self.since is None and self.until is None:
            return True
        return day is not None and (self.since or date.min) <= day <= (self.until or date.max)


def _has(thing: Thing, words: str) -> bool:
    held = f"{thing.name} {thing.label}".casefold()
    return all(w in held for w in words.casefold().split())


def select(entries: Iterable[ArchiveEntry], query: ArchiveQuery) -> tuple[ArchiveEntry, ...]:
    """The findings that are asked for, in their order."""
    return tuple(e for e in entries if query.takes(e))


def read(place: str, progress: ProgressCallback = silent) -> Archive:
    """A case, as it is now.

    Raises:
        InputError, DataError: there is no case there, or it cannot be read.
        Cancelled: `progress` raised it.
    """
    with Case(place, reading=True) as case:
        head, title = case.head(), case.title
        shelf = _Shelf(place)
        clips = case.clips()
        entries = []
        for number, kept in enumerate(case.each_finding()):
            progress(Progress("reading the case", number))
            with _as_the_program_wrote(kept.id):
                entries.append(shelf.known.get(kept.id) or shelf.add(_entry(kept)))
        decisions = tuple((d.finding_id, decision_of(d)) for d in case.decisions())
        with _as_the_program_wrote("of a fingerprint"):
            marks = {sha256: base64.b64decode(text) for sha256, text in case.fingerprints(METHOD).items()}
            prints = {sha256: Fingerprint.from_bytes(data) for sha256, data in marks.items()}
    shelf.close({e.id for e in entries})
    progress(Progress("comparing ambiences"))
    names = tuple(prints)
    found = same_recordings([prints[n] for n in names])
    same = tuple((names[s.a], names[s.b], s) for s in found)
    problems = tuple((c.path, c.problem) for c in clips if c.problem)
    unprinted = len({e.sha256 for e in entries} - set(names))
    return Archive(str(place), title, head, tuple(entries), problems, same, unprinted, decisions)


@contextmanager
def _as_the_program_wrote(name: str) -> Iterator[None]:
    """A row that the program did not write may hold anything.

    Raises:
        DataError: it does not hold what it should.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError, StopIteration):
        raise DataError(f"The row {shown(name)} of this case is of no known form; run: earwitness verify CASE") from None


class _Shelf:
    """What is kept of a case's findings, in a file of the user's cache."""

    def __init__(self, place: str) -> None:
        folder = kept_dir() / "archives"
        self._path = folder / f"{hashlib.sha256(str(place).encode()).hexdigest()[:32]}.json"
        self.known: dict[str, ArchiveEntry] = {}
        self._new = False
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
            if held.get("form") == _FORM:
                self.known = {k: _restored(v) for k, v in held["entries"].items()}
        except (OSError, ValueError, KeyError, TypeError):
            self.known = {}

    def add(self, entry: ArchiveEntry) -> ArchiveEntry:
        self.known[entry.id] = entry
        self._new = True
        return entry

    def close(self, there: set[str]) -> None:
        """Keep what is new; forget what is no longer in the case."""
        gone = self.known.keys() - there
        if not (self._new or gone):
            return
        held = {k: asdict(e) | {"recorded": e.recorded.isoformat() if e.recorded else None} for k, e in self.known.items()}
        entries = {k: v for k, v in held.items() if k in there}
        _keep(self._path, json.dumps({"form": _FORM, "entries": entries}).encode())


def _restored(facts: Mapping[str, Any]) -> ArchiveEntry:
    spots = tuple(ArchiveSpot(**s) for s in facts["spots"])
    things = tuple(Thing(**t) for t in facts["things"])
    recorded = date.fromisoformat(facts["recorded"]) if facts["recorded"] else None
    return ArchiveEntry(**{**facts, "spots": spots, "things": things, "recorded": recorded})


def _entry(kept: Kept) -> ArchiveEntry:
    document = json_of(kept.document, f"The document of the finding {kept.id}")
    c = next(iter(document.get("comparisons") or ()), None)
    interval = document.get("interval") or {}
    return ArchiveEntry(
        id=kept.id,
        sha256=kept.clip_sha256,
        path=kept.path,
        scene=kept.scene,
        scenes=int(document.get("scenes") or 1),
        start_s=float(interval.get("start_s") or 0.0),
        end_s=float(interval.get("end_s") or 0.0),
        verdict=kept.verdict,
        log10_factor=kept.log10_factor,
        odds=str(c["odds"]) if c else "",
        distance_km=float(c["distance_km"]) if c and c["verdict"] != Verdict.CANNOT_TELL else None,
        spots=tuple(_spots(document.get("located") or ())),
        things=tuple(_things(document.get("perceived") or ())),
        recorded=_recorded(document),
        created=kept.created,
        edits=len(json_of(kept.settings, f"What the finding {kept.id} was judged with").get("edits") or ()),
    )


def _spots(located: Sequence[Mapping[str, Any]]) -> Iterable[ArchiveSpot]:
    """Where each modality that spoke points; both together only where both spoke, else it says the same again."""
    spoke = {x["modality"] for x in located if x["spoke"]}
    for x in located:
        if x["spoke"] and (x["modality"] != "both" or {"sound", "picture"} <= spoke):
            area = next((r["area_km2"] for r in x["regions"] if r["share"] == 0.9), 0.0)
            p = x["place"]
            place = float(p["lat_deg"]), float(p["lon_deg"])
            if not (abs(place[0]) <= 90.0 and abs(place[1]) <= 180.0 and math.isfinite(float(area))):
                raise ValueError("no place on Earth")
            yield ArchiveSpot(
                str(x["modality"]), *place, str(p["name"]), str(x["region"]), float(area), str(x.get("where") or "")
            )


def _things(perceived: Sequence[Mapping[str, Any]]) -> list[Thing]:
    found = [
        Thing(p["kind"], p["label"][:200], p["name"][:100], float(p["best_score"]))
        for p in perceived
        if p["kind"] in ("species", "atom", "text") and p["best_score"] >= LEAST_SCORE and not p["dropped"]
    ]
    return sorted(found, key=lambda t: -t.score)[:MOST_LISTED]


_DAY = re.compile(r"(?<!\d)(\d{4})[-:](\d{2})[-:](\d{2})(?!\d)")
_DATED_TAGS = ("creation_time", "creationdate", "com.apple.quicktime.creationdate", "date", "datetimeoriginal")


def _recorded(document: Mapping[str, Any]) -> date | None:
    """The day the analyst set, else the one the file states."""
    stated = [(document.get("settings") or {}).get("date") or ""]
    tags = {str(t["key"]).lower().rpartition("/")[2]: str(t["value"]) for t in (document.get("clip") or {}).get("tags", ())}
    stated += [tags.get(k, "") for k in _DATED_TAGS]
    for text in stated:
        found = _DAY.search(text)
        if found:
            try:
                day = date(*map(int, found.groups()))
            except ValueError:
                continue
            if day.year > 1904:  # the zero of QuickTime's clock
                return day
    return None


def document_of(place: str, finding: str) -> dict[str, Any]:
    """The whole document of one finding.

    Raises:
        InputError: there is no such case or finding.
    """
    with Case(place, reading=True) as case, _as_the_program_wrote(finding):
        return dict(json_of(case.document(finding), "The document"))


def settings_of(place: str, finding: str) -> Settings:
    """The settings that a finding was judged under, the analyst's edits among them.

    Raises:
        InputError: there is no such case or finding.
        DataError: they are of another version of the program.
    """
    with Case(place, reading=True) as case:
        return codec.settings_from_json(case.finding(finding).settings)


def groups(same: Sequence[tuple[str, str, SharedSound]]) -> tuple[tuple[str, ...], ...]:
    """Clips that hang together by ambience, each group in the order it was found."""
    of: dict[str, list[str]] = {}
    for a, b, _ in same:
        one, other = of.setdefault(a, [a]), of.setdefault(b, [b])
        if one is not other:
            one.extend(other)
            for sha in other:
                of[sha] = one
    return tuple(tuple(g) for g in {id(g): g for g in of.values()}.values())


def turned(shared: SharedSound) -> SharedSound:
    """The same as seen from the other clip."""
    return replace(
        shared, a=shared.b, b=shared.a, lag_s=-shared.lag_s, start_s=shared.start_s + shared.lag_s,
        end_s=shared.end_s + shared.lag_s,
    )  # fmt: skip


# --- cases opened before ------------------------------------------------------------------------------------------------

_MOST_RECENT = 12


def recent() -> tuple[str, ...]:
    """Folders of cases that were opened before and are still there, the last one first."""
    try:
        held = json.loads((kept_dir() / "cases.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(p for p in held if isinstance(p, str) and "://" not in p and Case.exists(p))[:_MOST_RECENT]


def remember(place: str) -> None:
    """Note that a case was opened; addresses of databases are not noted, since they may hold a password."""
    if "://" not in place:
        own = str(Path(place).absolute())
        held = [own, *(p for p in recent() if p != own)][:_MOST_RECENT]
        _keep(kept_dir() / "cases.json", json.dumps(held).encode())


def forget(place: str) -> None:
    """Take a case off that list; the case itself stays as it is."""
    _keep(kept_dir() / "cases.json", json.dumps([p for p in recent() if p != place]).encode())


def _keep(path: Path, data: bytes) -> None:
    """Keep what can be read from the case again; where there is no room for it, that is said and the work goes on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        not_kept(error)


def posteriors(document: Mapping[str, Any]) -> dict[str, Posterior]:
    """posterior over the map by modality, as far as a document lists its cells: enough to draw it."""
    found = {}
    for x in document.get("located") or ():
        with _as_the_program_wrote("of a map"):
            cells = np.array([int(c["cell"], 16) for c in x["cells"]], np.uint64)
            mass = np.array([c["mass"] for c in x["cells"]], np.float64)
        if x["spoke"] and len(cells) and mass.sum() > 0:
            order = np.argsort(cells)
            found[str(x["modality"])] = Posterior(Grid(cells[order]), np.log(mass[order] / mass.sum()))
    return found
