"""What the analyst does, as edits: added, confirmed, relabelled, read in from a table; and the sound judged blind.

Each function gives an `Edit` ready for `engine.core.edit.apply`; none changes anything by itself.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePath

import numpy as np

from engine.clues import registry
from engine.clues.species import detections, naming
from engine.clues.species.detections import Table
from engine.clues.text import choice
from engine.clues.text.choice import Meaning
from engine.clues.text.frames import CAPTION
from engine.core.clip import Clip
from engine.core.edit import MOST_TEXT, Edit, signed
from engine.core.errors import SettingError
from engine.core.finding import Finding
from engine.core.observation import ANALYST, Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.models import birdnet

MOST_NAME = 80
HEARD_SCORE = 0.1  # windows of what is confirmed or relabelled that are taken over
SEALED = "hidden until the sound is judged"


def stamp() -> str:
    """Now, as it is written on edits: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def include(clue: str, author: str = "") -> Edit:
    """Let a clue count that is off by default; its remark is what the analyst states with that (`ClueSpec.condition`)."""
    note = registry.clue_registry().condition(clue)
    return Edit("include", clue, author=_name(author), note=note and f"stated: {note}", created=stamp())


def drop(key: str, author: str = "", note: str = "", title: str = "") -> Edit:
    """Leave a species, sign or other observation out; title is what people call it."""
    return Edit("drop", key, author=_name(author), note=note, created=stamp(), title=title)


def restore(key: str, author: str = "", title: str = "") -> Edit:
    """Take it in again."""
    return Edit("restore", key, author=_name(author), created=stamp(), title=title)


def remark(key: str, note: str, author: str = "", title: str = "") -> Edit:
    """Write something beside an observation; it changes no result."""
    if not note.strip():
        raise SettingError("The note is empty; write what you noticed.")
    return Edit("note", key, author=_name(author), note=note.strip(), created=stamp(), title=title)


def add_species(name: str, start_s: float, end_s: float, confidence: float, author: str = "", note: str = "") -> Edit:
    """A species that the analyst heard.

    Args:
        name: Latin or English, as BirdNET lists it.
        confidence: chance of being right, 0 to 1.

    Raises:
        SettingError: BirdNET knows no such species, the times or the confidence are invalid.
    """
    label, note = _label(name), _read_as(name, note)
    heard = _observation("species", "species" if label.is_species else "sound", label.latin, label.common, start_s, end_s,
                         confidence, author, note)  # fmt: skip
    return Edit("add", heard.key, (heard,), _name(author), confidence, note, stamp())


def add_sign(
    text: str,
    start_s: float,
    end_s: float,
    confidence: float,
    author: str = "",
    note: str = "",
    place: tuple[float, float] | None = None,
) -> Edit:
    """A sign that the analyst read in the picture; it goes through the text clue's own reading.

    Args:
        place: (lat_deg, lon_deg) of the place it means, where the analyst knows; see `sign_meanings`.

    Raises:
        SettingError: the text is empty or too long, the times, place or confidence are invalid.
    """
    seen = _observation("text", "text", _sign(text), "", start_s, end_s, confidence, author, note, place)
    return Edit("add", seen.key, (seen,), _name(author), confidence, note, stamp())


def confirm(own: Sequence[Observation], confidence: float, author: str = "", note: str = "") -> Edit:
    """Stand for what a model perceived: its chance is then the model's or the stated confidence, whichever is higher.

    Args:
        own: all observations of one thing.

    Raises:
        SettingError: there is nothing to confirm.
    """
    best = _best(own)
    remarked = "" if best.note.startswith(CAPTION) else best.note
    copies = tuple(replace(o, score=confidence, author=signed(author), note=remarked) for o in _clear(own))
    _chance(confidence)
    return Edit("confirm", best.key, copies, _name(author), confidence, note, stamp(), title=best.name)


def relabel(
    own: Sequence[Observation],
    name: str,
    confidence: float,
    author: str = "",
    note: str = "",
    place: tuple[float, float] | None = None,
) -> Edit:
    """Say that it is something else: what was perceived is dropped and the new label added in its windows, as one edit.

    Args:
        own: all observations of one thing, a species or a text.
        name: a species as BirdNET lists it, or what the sign says.

    Raises:
        SettingError: it is neither species nor text, BirdNET knows no such species, or nothing changes.
    """
    best = _best(own)
    windows = _clear(own)
    if best.kind == "text":
        made = tuple(
            replace(_observation("text", "text", _sign(name), "", o.start_s, o.end_s, confidence, author, note, place), box=o.box)
            for o in windows
        )
    elif best.kind in ("species", "sound"):
        label, note = _label(name), _read_as(name, note)
        kind = "species" if label.is_species else "sound"
        made = tuple(
            _observation("species", kind, label.latin, label.common, o.start_s, o.end_s, confidence, author, note)
            for o in windows
        )
    else:
        raise SettingError("Only a species, a sound or a text can be given another label; drop it instead.")
    if made[0].key == best.key:
        raise SettingError("That is the label it has; confirm it instead.")
    return Edit("relabel", best.key, made, _name(author), confidence, note, stamp(), title=best.name)


def read_table(
    data: bytes,
    name: str,
    perception: Perception,
    author: str = "",
    confidence: float = detections.NO_SCORE,
    alone: bool = False,
) -> tuple[Edit, Table]:
    """Detections of a Raven selection table, a BirdNET result table or Audacity labels.

    Args:
        data: the file's bytes.
        confidence: of rows that state none.
        alone: count the table's detections instead of BirdNET's own.

    Raises:
        DataError: the table cannot be read; the sentence names the line.
        SettingError: the confidence is invalid.
    """
    clip = perception.clip
    table = detections.read(data, name, clip.path, clip.duration_s, author, _chance(confidence))
    model = birdnet.MODEL_ID if alone else ""
    edit = Edit("import", table.name, table.observations, _name(author), None, said_of(table), stamp(), alone=model)
    return edit, table


def said_of(table: Table) -> str:
    """What a table held, in a sentence or two."""
    kinds = len({o.key for o in table.observations})
    rows = len(table.observations)
    said = [f"{table.form}: {rows:,} detection{'s' if rows != 1 else ''} of {kinds} {'thing' if kinds == 1 else 'things'}."]
    if table.unknown:
        listed = ", ".join(f"{n} ({k})" if k > 1 else n for n, k in ((_with_near(n), k) for n, k in table.unknown[:8]))
        more = f" and {len(table.unknown) - 8} more" if len(table.unknown) > 8 else ""
        said.append(f"Not known to BirdNET and not scored: {listed}{more}.")
    return " ".join((*said, *table.remarks))[:MOST_TEXT]


def _with_near(name: str) -> str:
    """A name that BirdNET does not know, and the nearest one that it does."""
    near = find_species(name, 1)
    return f"{name}, nearest {near[0][1]}" if near else name


def of_clip(edit: Edit, perception: Perception) -> Edit:
    """An edit whose observations end where the clip does.

    Raises:
        SettingError: one of them lies after the end of the clip.
    """
    end_s = perception.clip.duration_s
    if not end_s:
        return edit
    fitted = tuple(o.within(0.0, end_s) if o.start_s <= end_s else None for o in edit.replacement)
    if None in fitted:
        late = next(o for o, x in zip(edit.replacement, fitted, strict=True) if x is None)
        raise SettingError(
            f"{_bounded(late.name or late.label)} at {late.start_s:g} s lies after the end of the clip ({end_s:.1f} s); "
            "give a time within it."
        )
    return edit if fitted == edit.replacement else replace(edit, replacement=tuple(o for o in fitted if o is not None))


def sign_meanings(text: str) -> tuple[tuple[str, ...], tuple[Meaning, ...]]:
    """What a text reads as, in words, and the places its surest name may mean, likeliest first."""
    return choice.meanings(" ".join(text.split())[:MOST_NAME])


def find_species(query: str, most: int = 12) -> tuple[tuple[str, str], ...]:
    """(Latin, English) of BirdNET's classes whose names hold the words, else those written alike; best first."""
    wanted = naming.folded(query)
    if not wanted:
        return ()
    words = wanted.split()
    held = []
    for label in birdnet.labels():
        names = (naming.folded(label.latin), naming.folded(label.common))
        if any(all(w in n for w in words) for n in names):
            rank = min((n != wanted, not n.startswith(wanted), len(n)) for n in names if all(w in n for w in words))
            held.append((rank, label.latin, label.common))
    other = naming.synonyms()
    for name, synonym in other.items():
        if all(w in name for w in words):
            held.append(((name != wanted, not name.startswith(wanted), len(name)), synonym.label.latin, synonym.label.common))
    if held:
        return tuple(dict.fromkeys((latin, common) for _, latin, common in sorted(held)))[:most]
    labels = {naming.folded(n): label for label in birdnet.labels() for n in (label.latin, label.common)}
    labels |= {name: synonym.label for name, synonym in other.items()}
    alike = difflib.get_close_matches(wanted, labels, n=most, cutoff=0.7)
    return tuple(dict.fromkeys((labels[n].latin, labels[n].common) for n in alike))


def english(key: str) -> str:
    """What people call the species of a key, or "" where it is none."""
    label = naming.known(key.split("/", 2)[-1]) if key.startswith("species/") else None
    return label.common if label else ""


# --- blind ----------------------------------------------------------------------------------------------------------------


def sound_alone(perception: Perception) -> Perception:
    """A perception with nothing in it but the sound: no name, tags and pictures of the file, no signs, nothing it claims."""
    heard = {c.reads for c in registry.clues(Settings()) if c.modality == "sound"}
    others = {c.reads: SEALED for c in registry.clues(Settings()) if c.modality != "sound"}
    clip = perception.clip
    streams = tuple(replace(s, title=None, language=None) for s in clip.streams if s.kind == "audio")
    sealed = Clip("sealed", clip.sha256, clip.size_bytes, clip.container, clip.duration_s, streams,
                  programmes=tuple(replace(p, name=None) for p in clip.programmes), programme=clip.programme)  # fmt: skip
    kept = tuple(o for o in perception.observations if o.clue in heard)
    mute = {k: v for k, v in perception.silent.items() if k in heard} | others
    name = PurePath(clip.path).name or "the clip"
    failed = {k: v.replace(name, "the clip") for k, v in perception.failed.items() if k in heard | {"background"}}
    return replace(perception, clip=sealed, observations=kept, silent=mute, shots=(), failed=failed)


def sound_finding(finding: Finding) -> Finding:
    """A finding of `sound_alone` with what it says of the sound alone: no picture, both, container, comparison or claim."""
    own = tuple(x for x in finding.located if x.modality == "sound")
    heard = tuple(e for e in finding.evidence if e.modality == "sound")
    before = tuple(x for x in finding.before if x.modality == "sound")
    return replace(finding, located=own, evidence=heard, comparisons=(), claims=(), before=before)


def judgement(finding: Finding, opinion: str, confidence: float, author: str) -> Edit:
    """The analyst's stated opinion of the sound, before anything else was seen, with a digest of what was judged.

    Raises:
        SettingError: no opinion or no name is given.
    """
    if not opinion.strip():
        raise SettingError("No opinion is stated; write where you place the sound, or that you cannot place it.")
    if not author.strip():
        raise SettingError("No name is given; a judgement is signed.")
    _chance(confidence)
    digest = fingerprint(finding, "sound")
    return Edit("judgement", "sound", (), _name(author), confidence, opinion.strip(), stamp(), digest=digest)


def fingerprint(finding: Finding, modality: str) -> str:
    """sha256 over what a finding says of one modality: file, interval, settings, observations, place, regions, countries.

    Numbers are rounded, so that the same finding on another machine has the same one; time and duration of work are left out.
    """
    x = finding.by(modality)
    s = finding.settings
    clues = {e.clue for e in finding.evidence if e.modality == modality}
    said = {
        "clip": finding.clip.sha256,
        "stretch": [  # the key stays: it is part of the digests in existing cases
            round(finding.interval.start_s, 2),
            round(finding.interval.end_s, 2),
        ],
        "settings": [s.prior, str(s.when), s.radius_km, sorted(s.dropped), sorted(s.left_out), sorted(s.included), s.weights],
        "perceived": sorted(
            [o.key, round(o.score, 2), round(o.start_s, 2)]
            for o in (*finding.perception.observations, *s.added)
            if o.clue in clues
        ),
        "place": None
        if x is None or x.place is None
        else [round(x.place.lat_deg, 1), round(x.place.lon_deg, 1), round(x.place.mass, 2)],
        "regions": None if x is None else [[k, float(f"{v:.2g}")] for k, v in sorted(x.regions_km2.items())],
        "countries": None if x is None else [[n, round(share, 2)] for n, share in x.countries[:5]],
        "cannot_tell": None if x is None else x.cannot_tell,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


# --- small things -----------------------------------------------------------------------------------------------------------


def _label(name: str) -> birdnet.Label:
    label = naming.known(name)
    if label is None:
        near = find_species(name, 2)
        meant = f"did you mean {' or '.join(f'{c} ({a})' for a, c in near)}?" if near else "use its English or Latin name."
        raise SettingError(f"BirdNET knows no species called {_bounded(name)!r}; {meant}")
    return label


def _read_as(name: str, note: str) -> str:
    """The note, and that BirdNET knows the species as part of another or the other way round."""
    synonym = naming.read_as(name)
    return " ".join(x for x in (note, synonym.remark if synonym else "") if x)


def _observation(
    clue: str,
    kind: str,
    label: str,
    name: str,
    start_s: float,
    end_s: float,
    confidence: float,
    author: str,
    note: str,
    place: tuple[float, float] | None = None,
) -> Observation:
    if not (np.isfinite(start_s) and np.isfinite(end_s)) or start_s < 0 or end_s < start_s:
        raise SettingError(f"The time {start_s:g} to {end_s:g} s is not valid; give a start within the clip and a later end.")
    if place is not None and not (abs(place[0]) <= 90.0 and abs(place[1]) <= 180.0):
        raise SettingError(f"The place {place[0]:g}, {place[1]:g} is nowhere on Earth; give latitude and longitude in degrees.")
    vector = None if place is None else np.array(place, dtype=np.float32)
    return Observation(
        clue, kind, label, _chance(confidence), start_s, end_s, name, signed(author), None, note[:MOST_TEXT], vector
    )


def _best(own: Sequence[Observation]) -> Observation:
    if not own:
        raise SettingError("There is nothing of that name in the clip; choose something from the list of evidence.")
    return max(own, key=lambda o: o.score)


def _clear(own: Sequence[Observation]) -> tuple[Observation, ...]:
    """The windows that count as heard, each once, else the best one."""
    times = {}
    for o in sorted(own, key=lambda o: o.score):
        times[o.start_s] = o
    heard = sorted((o for o in times.values() if o.score >= HEARD_SCORE), key=lambda o: o.start_s)[:200]
    return tuple(heard) or (_best(own),)


def _sign(text: str) -> str:
    shown = " ".join(text.split())
    if not shown:
        raise SettingError("The sign's text is empty; write what it says.")
    if len(shown) > MOST_NAME:
        raise SettingError(f"The sign's text has {len(shown)} characters; give at most {MOST_NAME}, one line of it.")
    return shown


def _chance(confidence: float) -> float:
    if not 0.0 < confidence <= 1.0:
        raise SettingError(f"A confidence of {confidence:g} is out of range; choose more than 0 and at most 1.")
    return confidence


def _name(author: str) -> str:
    return " ".join(author.split())[:MOST_NAME] or ANALYST


def _bounded(text: str) -> str:
    return " ".join(text.split())[:MOST_NAME]
