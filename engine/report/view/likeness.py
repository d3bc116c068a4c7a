"""How like the clip is to what the method was tested on: every error rate holds for its own conditions and for no others.

What was tested is stated in `assets/validation.json`; what this clip is follows from the finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.core.edit import edited
from engine.core.finding import Finding
from engine.core.posterior import Place
from engine.core.settings import Settings
from engine.media.source import shown
from engine.report.view import scope, words
from engine.report.view.validation import Tested, tested

AS_TESTED, THINLY, ON_COPIES, NOT_TESTED = "as tested", "thinly tested", "tested on made copies", "not tested"
_FEW = 20  # recordings of a continent below which a figure for it says little
_LOSSLESS = ("pcm", "flac", "alac", "wavpack")
_LEAST_S = 0.5


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the validation, beside the clip's.

    Attributes:
        about: which condition.
        tested: what the tests had.
        here: what this clip has.
        verdict: AS_TESTED, ON_COPIES, THINLY or NOT_TESTED.
    """

    about: str
    tested: str
    here: str
    verdict: str


def conditions(finding: Finding) -> tuple[Condition, ...]:
    """Every condition that applies to the clip; texts of the file are fit to be shown, not escaped."""
    facts = tested()
    rows = [*_of_sound(finding, facts), *_of_picture(finding, facts), *_of_both(finding, facts), *_of_analyst(finding, facts)]
    return tuple(Condition(r.about, r.tested, shown(r.here, 200), r.verdict) for r in rows)


def _of_sound(finding: Finding, facts: Tested) -> Iterator[Condition]:
    track, sound = scope.heard_track(finding), finding.by("sound")
    if track is None or sound is None:
        return
    length = finding.interval.length_s
    shortest, longest = facts.length_s
    within = shortest <= length <= longest
    yield Condition(
        "Length of the sound",
        f"{facts.recordings} recordings of {shortest:g} to {longest:g} s",
        words.clock(length),
        AS_TESTED if within else NOT_TESTED,
    )
    lossless = track.codec.startswith(_LOSSLESS)
    known = lossless or track.codec.startswith(facts.codecs)
    coded = f"{', '.join(facts.codecs)}; copies in {facts.copies}"
    yield Condition("Coding of the sound", coded, track.codec, AS_TESTED if known else NOT_TESTED)
    if track.rate_hz:
        top = track.rate_hz / 2
        verdict = AS_TESTED if top >= facts.full_band_hz else ON_COPIES if top >= facts.lowpass_hz else NOT_TESTED
        here = f"up to {top / 1000:g} kHz (sampling rate)"
        band = (
            f"up to {facts.full_band_hz / 1000:g} kHz, the whole band analysed; copies filtered at "
            f"{facts.lowpass_hz / 1000:g} kHz"
        )
        yield Condition("Band of the sound", band, here, verdict)
    yield _over("Speech over the sound", "not looked for; copies under speech at 0 dB", _seconds(finding, "speech", ""))
    yield _over("Music over the sound", "not looked for; copies under music at 0 dB", _seconds(finding, "atoms", "music"))
    if sound.place:
        yield _of_continent(sound.place, facts)


def _over(about: str, was: str, seconds: float) -> Condition:
    here = f"found for {words.clock(seconds)}" if seconds >= _LEAST_S else "none found"
    return Condition(about, was, here, ON_COPIES if seconds >= _LEAST_S else AS_TESTED)


def _of_continent(place: Place, facts: Tested) -> Condition:
    from engine.world import continents

    name = continents.of(place.lat_deg, place.lon_deg)
    count = facts.continents.get(name, 0)
    verdict = AS_TESTED if count >= _FEW else THINLY if count else NOT_TESTED
    tested_here = ", ".join(f"{n} {k}" for n, k in sorted(facts.continents.items(), key=lambda x: -x[1]))
    return Condition("Continent indicated by the sound", f"{tested_here} recordings", f"{name}, {count} tested", verdict)


def _of_picture(finding: Finding, facts: Tested) -> Iterator[Condition]:
    picture = finding.by("picture")
    if picture is None or not finding.clip.video_tracks:
        return
    here = "frames of a film" if finding.clip.duration_s else "a picture"
    yield Condition("Kind of picture", f"{facts.photos} sharp, close photos of street signs", here, NOT_TESTED)


def _of_both(finding: Finding, facts: Tested) -> Iterator[Condition]:
    if not finding.comparisons and not (finding.clip.video_tracks and finding.clip.audio_tracks):
        if finding.clip.audio_tracks:
            yield Condition("Kind of recording", facts.kind, "a recording without a picture", AS_TESTED)
        return
    yield Condition(
        "Kind of clip",
        "recordings and photos made separately and paired; no film with its own sound",
        "sound and picture of one file",
        NOT_TESTED,
    )
    voting = tuple(dict.fromkeys(e.clue for e in finding.evidence if e.abstained is None and e.modality in ("sound", "picture")))
    if voting:
        other = [c for c in voting if c not in facts.clues]
        yield Condition(
            "Clues used",
            " and ".join(finding.registry.title(c) for c in facts.clues),
            ", ".join(finding.registry.title(c) for c in voting),
            NOT_TESTED if other else AS_TESTED,
        )


def _of_analyst(finding: Finding, facts: Tested) -> Iterator[Condition]:
    s, default = finding.settings, Settings()
    yield Condition("Date", "none given", s.when.isoformat() if s.when else "none given", NOT_TESTED if s.when else AS_TESTED)
    if s.prior != default.prior:
        yield Condition("Prior of the maps", words.PRIOR_NAMES[default.prior], words.PRIOR_NAMES[s.prior], NOT_TESTED)
    if finding.comparisons:
        own = s.same_place_km == facts.same_place_km
        yield Condition(
            "“The same place”",
            f"scored within {facts.same_place_km:g} km; pairs up to {facts.same_km:g} km apart counted as one place",
            f"scored within {s.same_place_km:g} km",
            AS_TESTED if own else NOT_TESTED,
        )
    if edited(s):
        yield Condition("Analyst's edits", "none", "made", NOT_TESTED)


def _seconds(finding: Finding, clue: str, label: str) -> float:
    """For how long something lay over the sound, within the interval judged; overlaps count once."""
    spans = sorted(
        (o.start_s, o.end_s) for o in finding.perception.observations if o.clue == clue and (not label or o.label == label)
    )
    total, reached = 0.0, 0.0
    for start, end in spans:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
