"""`earwitness bench ordinary`: how often ordinary material is placed, and how often wrongly, where nobody recorded an animal.

Three kinds of material: clips (films and broadcasts of any kind), labelled sounds, and ordinary sound of known place. Each goes
the way every clip goes (`perceive`, `judge`), and what was perceived is kept, so that a second run only scores. One without an
animal, a clarinet or a tooth brush, has no place: each that is placed is a false one. Insects are a table of their own. Damaged
files are counted by name and stop nothing.

Intervals come from a bootstrap over authors (of labelled sounds; the source recording where no author is named) and over places
(of recordings). Where nothing or everything was placed, a bootstrap says nothing: the exact binomial bound over as many trials
as there are groups stands instead (Clopper and Pearson 1934).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta

from engine.analysis.effects import effects
from engine.analysis.judge import judge
from engine.clues import length
from engine.core.errors import DataError, EarwitnessError
from engine.core.file import read_csv
from engine.core.finding import Finding, Located
from engine.core.modality import Modality
from engine.core.paths import data_dir
from engine.core.perceived import gather
from engine.core.settings import PRIORS, Settings
from engine.lab.bench.counted import counted
from engine.lab.bench.metrics import NLL_CEILING, Interval95, bootstrap, to_json_text
from engine.lab.bench.perceived import perceive_kept
from engine.lab.bench.recordings import Row, score
from engine.lab.data.manifest import Sample, path_in, read_manifest
from engine.world import continents

ANIMALS = frozenset(
    (
        "Bird vocalization, bird call, bird song", "Cat", "Cattle, bovinae", "Chicken, rooster", "Crow",
        "Crowing, cock-a-doodle-doo", "Dog", "Frog", "Horse", "Pig", "Sheep",
    )
)  # fmt: skip
"""AudioSet's names of sounds of animals that are no insects: there the program may hear what it hears, and they are left out."""
INSECTS = frozenset(("Cricket", "Insect"))
_DECIDED = 3
_TOO_SHORT = f"at least {length.LEAST_S:g} s is needed"
_MEDIA = frozenset((".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".wav", ".mp3", ".ogg", ".opus", ".flac", ".m4a"))


@dataclass(frozen=True, slots=True)
class Placed:
    """Where one file was placed by one modality, and why.

    Attributes:
        where: region or place in words.
        lat_deg, lon_deg: the place reported.
        decided: what moves the result most, strongest first.
    """

    modality: str
    where: str
    lat_deg: float
    lon_deg: float
    gain_nats: float
    decided: tuple[str, ...]

    @property
    def continent(self) -> str:
        """Of the place reported."""
        return continents.of(self.lat_deg, self.lon_deg)

    def to_json(self) -> dict[str, Any]:
        """Its fields by name."""
        return {
            "modality": self.modality,
            "where": self.where,
            "lat": round(self.lat_deg, 4),
            "lon": round(self.lon_deg, 4),
            "gain_nats": round(self.gain_nats, 3),
            "decided": list(self.decided),
        }


@dataclass(frozen=True, slots=True)
class Heard:
    """One file examined.

    Attributes:
        id, label, group: of the manifest; the group stays together in the bootstrap.
        placed: by modality, those that speak.
        problem: why it could not be examined, or "".
        row: scores against its true place, where that is known.
        silent: why the sound was not listened to ("the sound lasts 0.54 s; …"), or "".
    """

    id: str
    label: str = ""
    group: str = ""
    placed: tuple[Placed, ...] = ()
    problem: str = ""
    row: Row | None = None
    silent: str = ""

    def by(self, modality: str) -> Placed | None:
        """Where a modality places it."""
        return next((p for p in self.placed if p.modality == modality), None)

    @property
    def wrong_continent(self) -> bool:
        """The place is known, and the sound puts it on another continent."""
        sound = self.by(Modality.SOUND)
        return self.row is not None and sound is not None and sound.continent != self.row.continent


def examine(path: Path, name: str, label: str, group: str, truth: Sample | None, settings: Settings) -> Heard:
    """Perceive and judge one file; a damaged one is an answer too."""
    try:
        perception = perceive_kept(path, settings)
        finding = judge(perception, settings)
    except (EarwitnessError, MemoryError) as error:
        return Heard(name, label, group, problem=" ".join(str(error).split()) or type(error).__name__)
    placed = tuple(_placed(x, finding) for x in finding.located if x.modality in (Modality.SOUND, Modality.PICTURE) and x.spoke)
    row = score(truth, finding) if truth is not None and finding.by(Modality.SOUND) is not None else None
    return Heard(name, label, group, placed, row=row, silent=perception.silent.get("species", ""))


def _placed(located: Located, finding: Finding) -> Placed:
    assert located.place is not None
    return Placed(
        located.modality,
        located.where,
        located.place.lat_deg,
        located.place.lon_deg,
        located.gain_nats,
        decided_by(finding, located.modality),
    )


def decided_by(finding: Finding, modality: str) -> tuple[str, ...]:
    """What moves the location of a modality most, with the model's best score: those without which it is silent come first."""
    best = {p.key: p.best.score for p in gather(finding)}
    own = [e for e in effects(finding.perception, finding.settings, finding) if e.modality == modality and e.key]
    own.sort(key=lambda e: (not e.alone, -e.gain_change))
    return tuple(f"{e.title} {best[e.key]:.2f}" if e.key in best else e.title for e in own[:_DECIDED])


def files_of(folder: Path, what: str) -> Sequence[tuple[Path, Mapping[str, str]]]:
    """Files of a folder with their rows of its manifest.csv; of a folder without one, every media file in it.

    Raises:
        DataError: there is no such folder, nothing in it, or the manifest names a file outside of it.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _MEDIA) if folder.is_dir() else []
        if not found:
            raise DataError(f"{folder} holds no {what}; give a folder of files, or set EARWITNESS_DATA.")
        return [(p, {"id": p.stem, "label": p.parent.name if p.parent != folder else ""}) for p in found]
    rows = read_csv(manifest, what="manifest")
    if not rows or "file" not in rows[0]:
        raise DataError(f"{manifest} needs the column file, and at least one row.")
    return [(path_in(folder, row["file"], f"Line {line} of {manifest}"), row) for line, row in enumerate(rows, 2)]


def clips(folder: Path, settings: Settings) -> tuple[Heard, ...]:
    """Every clip of a folder, those of known place among them scored."""
    known = {s.path: s for s in read_manifest(folder)} if (folder / "manifest.csv").is_file() else {}
    files = files_of(folder, "clips")
    return tuple(
        examine(path, row.get("id") or path.stem, "", path.name, known.get(path), settings)
        for path, row in counted(files, "clips")
    )


def sounds(folder: Path, settings: Settings) -> tuple[Heard, ...]:
    """Every labelled sound of a folder that is no animal's, or an insect's."""
    files = [(p, r) for p, r in files_of(folder, "sounds") if r.get("label", "") not in ANIMALS]
    return tuple(
        examine(path, row.get("id") or path.stem, row.get("label", ""), _author(row, path), None, settings)
        for path, row in counted(files, "sounds")
    )


def _author(row: Mapping[str, str], path: Path) -> str:
    return row.get("author") or row.get("source_recording") or path.name


def recordings(folder: Path, settings: Settings) -> tuple[Heard, ...]:
    """Every recording of a folder whose place is known."""
    samples = read_manifest(folder)
    return tuple(examine(s.path, s.id, "", "", s, settings) for s in counted(samples, "ordinary recordings"))


def share(placed: Sequence[bool], groups: Sequence[Any], seed: int = 0) -> dict[str, Any]:
    """How many were placed: n, placed, groups, fraction and its 95% interval; see the module's text."""
    n, count, distinct = len(placed), sum(placed), len(set(groups))
    if not n:
        return {"n": 0, "placed": 0, "groups": 0, "fraction": None, "interval": None}
    hit = np.array(placed, dtype=float)
    if 0 < count < n:
        interval = bootstrap({"": lambda i: float(hit[i].mean())}, n, list(groups), seed, 2000)[""]
    else:
        reach = float(beta.ppf(0.975, 1, distinct)) if count == 0 else float(beta.ppf(0.025, distinct, 1))
        interval = Interval95(0.0, reach) if count == 0 else Interval95(reach, 1.0)
    ends = [interval.low, interval.high]
    return {"n": n, "placed": count, "groups": distinct, "fraction": count / n, "interval": ends}


def report(
    of_clips: Sequence[Heard], of_sounds: Sequence[Heard], of_recordings: Sequence[Heard], seed: int = 0
) -> dict[str, Any]:
    """The benchmark's numbers, as they stand in the JSON."""
    whole = [h for h in of_sounds if not h.problem]
    bare, insects = ([h for h in whole if (h.label in INSECTS) == wanted] for wanted in (False, True))
    without = _share_of(bare, seed)
    known = [h for h in (*of_clips, *of_recordings) if h.row is not None]
    wrong = [h for h in known if h.wrong_continent]
    spoke = {m: [h for h in of_clips if h.by(m)] for m in (Modality.SOUND, Modality.PICTURE)}
    both = [h for h in spoke[Modality.SOUND] if h.by(Modality.PICTURE)]
    return {
        "clips": len(of_clips),
        "sound_spoke": len(spoke[Modality.SOUND]),
        "picture_spoke": len(spoke[Modality.PICTURE]),
        "both_spoke": len(both),
        "clips_that_speak": [_listed(h) for h in of_clips if h.placed],
        "placed_without_animal": without["fraction"],
        "placed_without_animal_interval": without["interval"],
        "sounds": {**without, "too_short": sum(_TOO_SHORT in h.silent for h in bare)},
        "by_label": _by_label(bare, seed),
        "insects": {**_share_of(insects, seed), "by_label": _by_label(insects, seed)},
        "sounds_that_speak": [_listed(h) for h in whole if h.placed],
        "known_places": len(known),
        "wrong_continent": len(wrong),
        "on_a_wrong_continent": [_listed(h) for h in wrong],
        **_against_prior([h for h in of_recordings if h.row is not None], seed),
        "recordings_that_speak": [_listed(h) for h in of_recordings if h.placed],
        "damaged": [{"id": h.id, "why": h.problem} for h in (*of_clips, *of_sounds, *of_recordings) if h.problem],
        "seed": seed,
    }


def _share_of(found: Sequence[Heard], seed: int) -> dict[str, Any]:
    return share([h.by(Modality.SOUND) is not None for h in found], [h.group for h in found], seed)


def _by_label(found: Sequence[Heard], seed: int) -> dict[str, Any]:
    labels = sorted({h.label for h in found})
    table = {label: _share_of([h for h in found if h.label == label], seed) for label in labels}
    return dict(sorted(table.items(), key=lambda x: (-x[1]["placed"], x[0])))


def _against_prior(found: Sequence[Heard], seed: int) -> dict[str, Any]:
    """nll of the recordings less the prior's, below 0 where the sound helps, with what it is made of."""
    rows = [h.row for h in found if h.row is not None]
    if not rows:
        return {"recordings": 0, "recordings_spoke": 0, "nll": None, "nll_prior": None, "nll_minus_prior": None}
    own, prior = (np.minimum([x.nll for x in y], NLL_CEILING) for y in ([r.found for r in rows], [r.prior for r in rows]))
    change = own - prior
    interval = bootstrap({"": lambda i: float(change[i].mean())}, len(rows), [r.group for r in rows], seed, 2000)[""]
    return {
        "recordings": len(rows),
        "recordings_places": len({r.group for r in rows}),
        "recordings_spoke": sum(r.found.spoke for r in rows),
        "nll": float(own.mean()),
        "nll_prior": float(prior.mean()),
        "nll_minus_prior": float(change.mean()),
        "nll_minus_prior_interval": [interval.low, interval.high],
    }


def _listed(h: Heard) -> dict[str, Any]:
    out: dict[str, Any] = {"id": h.id}
    if h.label:
        out["label"] = h.label
    if h.row is not None:
        out |= {"continent": h.row.continent, "km": round(h.row.found.error_km, 1)}
        out["nll_minus_prior"] = round(min(h.row.found.nll, NLL_CEILING) - min(h.row.prior.nll, NLL_CEILING), 3)
    return out | {"placed": [p.to_json() for p in h.placed]}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench ordinary`."""
    for name, what in (("clips", "films and broadcasts"), ("sounds", "labelled sounds"), ("ordinary", "sound of known place")):
        parser.add_argument(
            f"--{name}", type=Path, default=None, metavar="DIR", help=f"folder of {what} (default: EARWITNESS_DATA/{name})"
        )
    parser.add_argument("--prior", choices=PRIORS, default=Settings().prior)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench ordinary` and print its tables."""
    settings, data = Settings(prior=args.prior), data_dir()
    found = report(
        clips(args.clips or data / "clips", settings),
        sounds(args.sounds or data / "sounds", settings),
        recordings(args.ordinary or data / "ordinary", settings),
        args.seed,
    )
    print("\n".join(said(found)))
    if args.json:
        args.json.write_text(to_json_text(found) + "\n", encoding="utf-8")
    return 0


def said(found: Mapping[str, Any]) -> Iterable[str]:
    """The numbers in lines."""
    yield (
        f"{found['clips']} clips: the sound gives a location on {found['sound_spoke']}, the picture on {found['picture_spoke']}, "
        f"both on {found['both_spoke']}"
    )
    yield from _those(found["clips_that_speak"])
    yield f"{_share_line(found['sounds'])} sounds without an animal placed, by author; {found['sounds']['too_short']} too short"
    yield from _labels(found["by_label"])
    yield from _those(x for x in found["sounds_that_speak"] if x["label"] not in INSECTS)
    yield f"{_share_line(found['insects'])} sounds of insects placed"
    yield from _labels(found["insects"]["by_label"])
    yield from _those(x for x in found["sounds_that_speak"] if x["label"] in INSECTS)
    yield f"{found['wrong_continent']} of {found['known_places']} clips and recordings of known place on a wrong continent"
    yield from _those(found["on_a_wrong_continent"])
    if found["nll_minus_prior"] is not None:
        low, high = found["nll_minus_prior_interval"]
        yield (
            f"{found['recordings']} recordings of known place, {found['recordings_places']} places: the sound gives a location "
            f"on {found['recordings_spoke']}; nll less the prior's {found['nll_minus_prior']:+.3f} nats (95% {low:+.3f} to "
            f"{high:+.3f})"
        )
        yield from _those(found["recordings_that_speak"])
    if found["damaged"]:
        yield f"{len(found['damaged'])} files could not be examined:"
        yield from (f"  {d['id']}: {d['why'][:160]}" for d in found["damaged"])


def _share_line(x: Mapping[str, Any]) -> str:
    if not x["n"]:
        return "0 of 0"
    low, high = x["interval"]
    return f"{x['placed']} of {x['n']} ({x['fraction']:.1%}, 95% {low:.1%} to {high:.1%})"


def _labels(table: Mapping[str, Any]) -> Iterable[str]:
    yield from (f"  {label}: {_share_line(x)}" for label, x in table.items() if x["placed"])


def _those(listed: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for x in listed:
        label = f" ({x['label']})" if x.get("label") else ""
        km = f", {x['km']:,.0f} km off" if "km" in x else ""
        for p in x["placed"]:
            yield f"    {x['id']}{label}: {p['modality']}: {p['where']}{km}: {'; '.join(p['decided']) or 'nothing alone'}"
