"""Why a finding says what it says: the facts behind it, gathered for the rules of `reasoning`, and cues noted by the analyst.

Nothing is scored here that the finding has not scored: a rationale can be asked for or left out without changing a number.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.analysis.rationale import mllm, opinion, prompt, rules
from engine.clues.atoms import score as atoms_score
from engine.clues.cues import areas
from engine.clues.cues import score as cue_evidence
from engine.clues.cues import table as cues
from engine.clues.species.ranges import ranges
from engine.clues.species.tones import TONE
from engine.clues.speech.codes import PLACE_SAID, SPEECH, language_name
from engine.clues.text import frames
from engine.clues.text import score as text_score
from engine.clues.text.contacts import likely_countries
from engine.clues.text.reading import Reading
from engine.core.clip import Reader
from engine.core.edit import Edit
from engine.core.evidence import Evidence
from engine.core.finding import FUSED, Finding
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.perceived import Perceived, gather, species_behind
from engine.core.posterior import Posterior
from engine.core.progress import ProgressCallback, silent
from engine.core.rationale import Fact, Pointer, Rationale
from engine.models import birdnet
from engine.models.qwen import Reasoner
from engine.world import countries, places, priors, regions
from engine.world.grid import world_grid

MOST_SPECIES, MOST_SOUNDS, MOST_LINES, MOST_SAID = 6, 3, 6, 5
LEAST_READING = 0.1
_RIVAL_SCORE = 0.05
SURE_SCORE = 0.5
_AT_HOME = 0.1  # chance from which a place counts as the range of a species, for words
LEAST_LANGUAGE = 0.6
_QUOTED = 60
_FRAME_PX = 560


def rationale(finding: Finding, embedding: bool = False, stands_in: str | None = None) -> Rationale:
    """The argument about a finding, by rules.

    Args:
        embedding: also work out the GeoCLIP location embedding expected under the opinion (seconds the first time).
        stands_in: why no language model speaks; None looks which weights are there.

    Raises:
        WeightsError: an embedding is asked for and GeoCLIP's location encoder is missing.
    """
    own = facts(finding)
    if stands_in is None:
        stands_in = mllm.why_silent()
    argued = rules.argue(finding, own, _reasons(finding), stands_in)
    if not embedding:
        return argued
    spoke = [x for x in finding.located if x.spoke and x.modality != "container"] or list(finding.located[:1])
    believed = next((x for x in spoke if x.modality == FUSED), spoke[0])
    return Rationale(
        argued.sentences, argued.candidates, argued.author, argued.stands_in, opinion.expected_embedding(believed.posterior)
    )


def ask(finding: Finding, reader: Reader | None, reasoner: Reasoner, progress: ProgressCallback = silent) -> Rationale:
    """The argument of a local language model about a finding, its claims checked; see `reasoning.mllm.argue`.

    Args:
        reader: the open clip, for a few frames; None asks with the facts alone.

    Raises:
        WeightsError: the model is missing or cannot be loaded.
        MediaError: the frames cannot be decoded.
    """
    return mllm.argue(finding, facts(finding), _frames(finding, reader) if reader else (), reasoner, progress)


def _frames(finding: Finding, reader: Reader) -> tuple[NDArray[np.uint8], ...]:
    """Up to four frames: those in which most was read, else spread over the interval; texts that talk to a model covered."""
    if not finding.clip.video_tracks:
        return ()
    read = [o for o in finding.perception.observations if o.kind == "text" and o.box is not None]
    times = sorted({o.start_s for o in read}, key=lambda t: -sum(o.score for o in read if o.start_s == t))[: mllm.MOST_FRAMES]
    if not times:
        span = finding.interval
        times = [span.start_s + span.length_s * (k + 0.5) / mllm.MOST_FRAMES for k in range(mllm.MOST_FRAMES)]
    shown = reader.frames(sorted(times), max_side_px=_FRAME_PX)
    return tuple(prompt.covered(f.rgb, [o for o in read if o.start_s - 0.1 <= f.time_s <= o.end_s + 0.1]) for f in shown)


def facts(finding: Finding) -> tuple[Fact, ...]:
    """What was perceived, with what it says of places, strongest first within each modality."""
    everything = tuple(p for p in gather(finding) if not p.dropped)
    speaking = {e.clue: e for e in finding.evidence if e.abstained is None}
    return (
        *_species(finding, everything, "species" in speaking),
        *_soundscape(speaking.get("agclip")),
        *_hum(everything, "hum" in speaking),
        *_speech(everything, "speech" in speaking),
        *_atoms(everything, "atoms" in speaking),
        *_sounds(everything),
        *_texts(finding, everything, "text" in speaking),
        *_looks(speaking.get("picture"), "GeoCLIP"),
        *_looks(speaking.get("streetclip"), "StreetCLIP"),
        *_noted(finding, everything),
        *_stated(everything),
    )


# --- heard ----------------------------------------------------------------------------------------------------------------


def _species(finding: Finding, everything: Sequence[Perceived], scored: bool) -> Iterator[Fact]:
    listed = [p for p in species_behind(finding, tuple(everything)) if p.best.kind == "species"]
    clear = [p for p in listed if _sure(p)][:MOST_SPECIES]
    for p in clear:
        windows = f" in {p.windows} windows" if p.windows > 1 else ""
        latin = f" ({p.best.label})" if p.best.name and p.best.name != p.best.label else ""
        by = "The analyst" if p.added else "BirdNET"
        said = f"{by} detected {_title(p.title)}{latin}{windows}; best score {p.best.score:.2f}."
        pointer, rivals = _range(finding, p), _rivals(finding, p, clear)
        pointers = (pointer,) if pointer else ()
        yield Fact("sound", "species", said, (p.key,), p.best.start_s, p.best.end_s, pointers, rivals, scored)
    faint = [p for p in listed if not _sure(p)][:MOST_SPECIES]
    if faint:
        named = ", ".join(f"{_title(p.title)} {p.best.score:.2f}" for p in faint)
        said = f"Fainter detections by BirdNET, possibly wrong: {named}."
        best = faint[0].best
        pointer = None if clear else _range(finding, faint[0])
        pointers = (pointer,) if pointer else ()
        yield Fact("sound", "species", said, tuple(p.key for p in faint), best.start_s, best.end_s, pointers, (), scored)


def _sure(p: Perceived) -> bool:
    return p.best.score >= SURE_SCORE or p.confirmed > 0.0


def _rivals(finding: Finding, p: Perceived, listed: Sequence[Perceived]) -> tuple[tuple[str, float], ...]:
    """What else the model took the best window for, species that are listed for themselves left out."""
    known = {x.key for x in listed}
    there = [
        o
        for o in finding.perception.observations
        if o.kind == "species" and abs(o.start_s - p.best.start_s) < 0.01 and o.key not in known and o.score >= _RIVAL_SCORE
    ]
    return tuple((_title(o.name or o.label), o.score) for o in sorted(there, key=lambda o: -o.score)[:2])


def _range(finding: Finding, p: Perceived) -> Pointer | None:
    """Where the range model expects a species, and how it stands at the places reported."""
    when = finding.settings.when
    try:
        index = birdnet.index_of(p.best.label)
    except KeyError:
        return None
    week = birdnet.week_of(when.month, when.day) if when else None
    chance = ranges().occurrence(world_grid(), week, np.array([index]))[:, 0]
    area = world_grid().area_km2
    at_home = np.where(chance >= min(_AT_HOME, 0.5 * float(chance.max())), chance, 1e-9).astype(np.float64)
    log_mass = np.log(at_home) + np.log(area)
    expected = Posterior(world_grid(), log_mass - np.logaddexp.reduce(log_mass))
    season = " in that week" if when else ""
    said = f"The range model expects {_title(p.title)}{season} above all in {regions.region_name(expected)}"
    at = [f"{_per(float(chance[i]))} at {name}" for name, i in _places(finding)]
    return Pointer("range", f"{said}{'; the probability of recording it is ' + ' and '.join(at) if at else ''}.")


def _places(finding: Finding) -> list[tuple[str, int]]:
    """(words, world cell) of the places that the modalities point to."""
    out = []
    for x in finding.located:
        if x.modality in ("sound", "picture") and x.place:
            i = int(world_grid().locate(np.array([x.place.lat_deg]), np.array([x.place.lon_deg]))[0])
            if i >= 0:
                what = "densest point" if x.where_is == "region" else "place"
                named = _bounded(x.place.name, 80).removeprefix("in ")
                out.append((f"the {what} indicated by the {x.modality} ({named})", i))
    return out


def _reasons(finding: Finding) -> dict[tuple[str, str], str]:
    """Why a country is possible for the sound: the chance of the species heard, over where the posterior in it lies."""
    sound = finding.by("sound")
    if sound is None or not sound.spoke:
        return {}
    listed = [p for p in species_behind(finding, gather(finding)) if p.best.kind == "species" and not p.dropped and _sure(p)][:3]
    pairs = []
    for p in listed:
        try:
            pairs.append((p, birdnet.index_of(p.best.label)))
        except KeyError:
            continue
    if not pairs:
        return {}
    when = finding.settings.when
    week = birdnet.week_of(when.month, when.day) if when else None
    grid = sound.posterior.grid
    chance = ranges().occurrence(grid, week, np.array([i for _, i in pairs]))
    number = countries.of(grid)
    out = {}
    for c in opinion.candidates(sound):
        own = number == countries.number_of(c.code)
        mass = sound.posterior.mass[own]
        mean = mass @ chance[own] / max(float(mass.sum()), 1e-12)
        named = [f"{_title(p.title)} with a probability of {_per(float(m))}" for (p, _), m in zip(pairs, mean, strict=True)]
        out["sound", c.code] = f"the range model gives {' and '.join(named)} there"
    return out


def _soundscape(e: Evidence | None) -> Iterator[Fact]:
    if e is not None:
        keys = tuple(dict.fromkeys(o.key for o in e.observations))[:60]
        pointer = Pointer("soundscape", f"According to AG-CLIP, the soundscape as a whole resembles most that of {_favoured(e)}.")
        if keys:
            yield Fact("sound", "embedding", "", keys, None, None, (pointer,), (), True)


def _favoured(e: Evidence) -> str:
    """Where a likelihood by itself, over the land by area, has most of its mass, in words."""
    return regions.region_name(Posterior.of(priors.prior("land", e.grid), e.log_likelihood))


def _hum(everything: Sequence[Perceived], scored: bool) -> Iterator[Fact]:
    for p in everything:
        if p.best.kind == "hum" and p.best.label in ("50 Hz", "60 Hz"):
            cue = f"mains-{p.best.label.split()[0]}"
            where = "most of the world" if cue == "mains-50" else "the Americas and a few countries elsewhere"
            said = f"Mains of {p.best.label} are used in {where}."
            yield Fact(
                "sound", "hum", f"A mains hum of {p.best.label} was detected.", (p.key,), p.best.start_s, p.best.end_s,
                (Pointer(cue, said),), (), scored,
            )  # fmt: skip


def _speech(everything: Sequence[Perceived], scored: bool) -> Iterator[Fact]:
    for p in [p for p in everything if p.best.kind == "speech"][:3]:
        if p.best.label == SPEECH:
            yield Fact("sound", "speech", "Speech was detected.", (p.key,), p.best.start_s, p.best.end_s)
            continue
        spoken = [c.in_text for c in countries.by_language(p.best.label)[:4]]
        pointers = (Pointer("spoken", f"This language is spoken in {', '.join(spoken)}."),) if spoken else ()
        name = _bounded(language_name(p.best.label), 20)
        said = f"The spoken language was identified as “{name}”, with a probability of {p.best.score:.2f}."
        yield Fact("sound", "speech", said, (p.key,), p.best.start_s, p.best.end_s, pointers, (), scored)
    for p in [p for p in everything if p.best.kind == PLACE_SAID][:MOST_SAID]:
        said = f"The name “{_bounded(p.best.label, 40)}” was said aloud; people name places where they are not."
        yield Fact("sound", "speech", said, (p.key,), p.best.start_s, p.best.end_s)


def _atoms(everything: Sequence[Perceived], scored: bool) -> Iterator[Fact]:
    """Everyday sounds, and where the clue's own table says that they are hardly heard."""
    table = {c.label: c for c in atoms_score.cues()}
    for p in [p for p in everything if p.best.kind == "atom" and p.best.score >= SURE_SCORE][:MOST_SOUNDS]:
        said = f"A sound of the kind “{_bounded(p.title, 40)}” was detected, with a probability of {p.best.score:.2f}."
        cue = table.get(p.best.label)
        pointers = (Pointer("atom", f"Such a sound is rare {cue.where} ({cue.source})."),) if cue else ()
        yield Fact("sound", "atom", said, (p.key,), p.best.start_s, p.best.end_s, pointers, (), scored and cue is not None)


def _sounds(everything: Sequence[Perceived]) -> Iterator[Fact]:
    heard = [p for p in everything if p.best.kind == "sound" and p.best.clue == "species" and p.best.score >= 0.3]
    for p in heard[:MOST_SOUNDS]:
        if p.best.label == TONE:
            count = f"{p.windows} window{'s' if p.windows > 1 else ''}"
            said = f"A machine's tone was found in {count}; it was removed before the search for species."
            yield Fact("sound", "sound", said, (p.key,), p.best.start_s, p.best.end_s)
            continue
        said = (
            f"A sound of the class “{_bounded(p.title, 40)}” was detected, score {p.best.score:.2f}; it is no evidence of a "
            f"place."
        )
        yield Fact("sound", "sound", said, (p.key,), p.best.start_s, p.best.end_s)


# --- seen and read ----------------------------------------------------------------------------------------------------------


def _texts(finding: Finding, everything: Sequence[Perceived], scored: bool) -> Iterator[Fact]:
    lines = [p for p in everything if p.best.kind == "text"]
    if not lines:
        return
    used, readings = _readings(finding)
    by_label = {p.best.label: p for p in lines}
    worth: dict[str, list[Pointer]] = {}
    for r in readings:
        if r.line >= 0 and r.chance >= LEAST_READING and used[r.line] in by_label:
            worth.setdefault(used[r.line], []).append(_read_pointer(r))
    for label in [*worth, *(p.best.label for p in lines if p.best.label not in worth)][:MOST_LINES]:
        p = by_label[label]
        caption = p.best.note.startswith(frames.CAPTION)
        read = "was read" if not p.added else "was read by the analyst"
        said = f"“{_bounded(label, _QUOTED)}” {read} in the picture, score {p.best.score:.2f}."
        if caption:
            said = f"{said[:-1]}; it stays while the picture changes: a caption, which is no evidence of the place."
        pointers = [] if caption else worth.get(label, [])[:3] + _named_signs(label)
        yield Fact("picture", "text", said, (p.key,), p.best.start_s, p.best.end_s, tuple(pointers), (), scored and not caption)
    yield from _writing(lines, used, readings, scored)


@lru_cache(maxsize=32)
def _read_lines(labels: tuple[str, ...], observations: tuple[Observation, ...]) -> tuple[Reading, ...]:
    return text_score.read(observations)


def _readings(finding: Finding) -> tuple[tuple[str, ...], tuple[Reading, ...]]:
    """The lines that count, in the order in which they were read as one text, and what they say together."""
    from engine.core import edit

    own = [o for o in edit.counting(finding.perception, finding.settings) if o.clue == "text"]
    used = text_score.scored(own)
    labels = tuple(dict.fromkeys(o.label for o in used))
    return (labels, _read_lines(labels, used)) if used else ((), ())


def _read_pointer(r: Reading) -> Pointer:
    text = _bounded(r.text, _QUOTED)
    others: list[tuple[str, float]] = []
    if r.spots:
        ranked = sorted(r.spots, key=lambda s: -s.share)
        others = [(_named(r, s.lat_deg, s.lon_deg), s.share) for s in ranked[1:4]]
    elif len(r.areas) > 1:
        others = [(countries.by_code(a[:2]).name, 1.0 / len(r.areas)) for a in r.areas[1:4]]
    kind = r.kind if r.kind in ("place", "area", "phone", "postal", "domain", "word", "currency") else "word"
    note = r.note or "means a place"
    if note.startswith(("a ", "an ")):
        note = f"is {note}"
    if note.startswith("prices"):
        return Pointer(kind, f"There are {note}.", tuple(others))
    return Pointer(
        kind, f"“{text}” {note}; the probability that it refers to this place is taken as {r.chance:.2f}.", tuple(others)
    )


def _named(r: Reading, lat_deg: float, lon_deg: float) -> str:
    there = places.describe(lat_deg, lon_deg).removeprefix("in ")
    return f"another place of that name, {there}" if r.kind == "place" else there


def _named_signs(label: str) -> list[Pointer]:
    """Signs that the table knows by what they say (PARE, ALTO)."""
    found = [c for c in cues.table() if ("text", label.strip().upper()) in {(k, v.upper()) for k, v in c.match}]
    return [Pointer(c.id, f"Such a sign ({c.what}) is used in {cues.cue_where(c)}.") for c in found]


def _writing(lines: Sequence[Perceived], used: Sequence[str], readings: Sequence[Reading], scored: bool) -> Iterator[Fact]:
    """The language and the letters of the writing as a whole."""
    counted = [p for p in lines if p.best.label in used]
    if not counted:
        return
    pointers = []
    for r in readings:
        if r.kind == "language" and r.languages[0][1] >= LEAST_LANGUAGE:
            best, others = r.languages[0], r.languages[1:4]
            spoken = [countries.by_code(c).in_text for c in likely_countries({best[0]: 1.0})[:4]]
            where = f"; it is a common language of signs in {', '.join(spoken)}" if spoken else ""
            pointers.append(
                Pointer("language", f"The writing {r.note}{where}.", tuple((f"writing in {_language(c)}", p) for c, p in others))
            )
    text = " ".join(p.best.label for p in counted)
    pointers += [Pointer(c.id, f"It contains {c.what}, used in {cues.cue_where(c)}.") for c in cues.of_letters(text)]
    if pointers:
        first = counted[0].best
        keys = tuple(p.key for p in counted)
        yield Fact("picture", "text", "", keys, first.start_s, first.end_s, tuple(pointers), (), scored)


def _language(code: str) -> str:
    from engine.clues.text.language import NAMES

    return NAMES.get(code, code)


def _looks(e: Evidence | None, who: str) -> Iterator[Fact]:
    if e is None:
        return
    seen = [o for o in e.observations if o.vector is not None]
    if seen:
        keys = tuple(dict.fromkeys(o.key for o in seen))
        pointer = Pointer("look", f"According to {who}, they resemble most pictures from {_favoured(e)}.")
        said = f"{who} compared {len(seen)} frames with the appearance of places."
        yield Fact("picture", "embedding", said, keys, seen[0].start_s, seen[-1].end_s, (pointer,), (), True)


# --- noted and stated -------------------------------------------------------------------------------------------------------


def _noted(finding: Finding, everything: Sequence[Perceived]) -> Iterator[Fact]:
    """Cues by themselves: noted by an analyst, or scenes that the table names."""
    speaking = [e for e in finding.evidence if e.clue in {s.name for s in cue_evidence.SPECS} and e.abstained is None]
    counted = {o.key for e in speaking for o in e.observations}
    for p in everything:
        cue = cues.of_observation(p.best)
        if cue is None and p.best.kind == "scene":
            yield Fact("picture", "scene", f"A frame was classified as “{_bounded(p.title, 40)}”, score {p.best.score:.2f}.",
                       (p.key,), p.best.start_s, p.best.end_s)  # fmt: skip
        if cue is None or p.best.kind not in ("scene", "sound"):
            continue
        who = "The analyst notes" if p.best.by_analyst else "The picture appears to show"
        weight = f"; counted as up to {_times(cue_most(cue))} as likely there" if p.key in counted else "; it is not counted here"
        pointer = Pointer(cue.id, f"{cue.what[:1].upper()}{cue.what[1:]}: found in {cues.cue_where(cue)}{weight}.")
        yield Fact(cue.modality, p.best.kind, f"{who}: {cue.what} ({p.best.score:.2f}).", (p.key,), p.best.start_s, p.best.end_s,
                   (pointer,), (), p.key in counted)  # fmt: skip


def _stated(everything: Sequence[Perceived]) -> Iterator[Fact]:
    for p in [p for p in everything if p.best.kind == "tag" and p.best.vector is not None][:3]:
        said = f"The file states “{_bounded(p.best.label, 80)}”."
        pointer = Pointer("tag", "No other evidence that the clip comes from there.")
        yield Fact("container", "tag", said, (p.key,), None, None, (pointer,), (), False, True)


# --- cues noted by the analyst ----------------------------------------------------------------------------------------------


def cue_groups() -> tuple[tuple[str, tuple[cues.Cue, ...]], ...]:
    """Cues that an analyst can note, by group, in the table's order."""
    groups: dict[str, list[cues.Cue]] = {}
    for cue in cues.table():
        if cue.notable:
            groups.setdefault(cue.group, []).append(cue)
    return tuple((name, tuple(own)) for name, own in groups.items())


def cue_map(cue: cues.Cue, when: date | None = None) -> tuple[Grid, NDArray[np.float64]]:
    """How well each cell of the world grid fits a cue, (cells,), 0 to 1."""
    return world_grid(), areas.chance(cue.areas, world_grid(), when)


def cue_most(cue: cues.Cue) -> float:
    """By how much a cue, surely seen, makes the places where it is found likelier than the land is on average."""
    fitted = cue_evidence.calibration()
    log_factor = cue_evidence.log_factor(cue, fitted.trust, world_grid(), gain=fitted.gain)
    return float(np.exp(fitted.temper * log_factor.max()))


def note_cue(
    cue_id: str, start_s: float, end_s: float, confidence: float, author: str = "", note: str = "", again: bool = False
) -> Edit:
    """An edit by which an analyst notes a cue of the table: seen or heard, with the chance of being right.

    Args:
        again: it is noted already, and this takes the earlier note's place.

    Raises:
        SettingError: there is no such cue, a clue of its own reads it, or times or confidence are invalid.
    """
    from engine.core.edit import signed

    seen = cues.noted(cue_id, start_s, end_s, confidence, signed(author), note)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    by = " ".join(author.split())[:80] or "analyst"
    return Edit("relabel" if again else "add", seen.key, (seen,), by, confidence, note, created)


def drop_cue(cue_id: str, author: str = "") -> Edit:
    """An edit by which an analyst takes a noted cue back."""
    cue = cues.by_id(cue_id)
    key = cues.noted(cue.id, 0.0, 0.0, 1.0).key
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Edit("drop", key, (), " ".join(author.split())[:80] or "analyst", None, "", created, title=cue.what)


# --- words ------------------------------------------------------------------------------------------------------------------


def _title(name: str) -> str:
    return _bounded(name, 60)


def _times(factor: float) -> str:
    return f"{factor:.0f} times" if factor >= 9.5 else f"{factor:.1f} times"


def _per(share: float) -> str:
    return "under 0.1%" if share < 0.001 else f"{100 * share:.1f}%" if share < 0.1 else f"{100 * share:.0f}%"


def _bounded(text: str, limit: int) -> str:
    """Text of a file on one line: control and invisible characters out, shortened."""
    shown = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
