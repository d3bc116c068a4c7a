"""Places that are named aloud: listed with their moment, never scored. People name places where they are not.

What is written down of the speech is read as a sign is (`clues.text.names`), in its own language. A word that is no name begins
with a small letter, where the writing has them; that is not enough for the first word of a sentence, nor in German, so a name
must be a likely one, too, and its place must be large: "Nice" and "Reading" are words before they are towns.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.clues.speech.codes import PLACE_SAID
from engine.clues.speech.spec import SPEC
from engine.clues.text import language as languages
from engine.clues.text import names, unspaced
from engine.clues.text.fold import words
from engine.clues.text.reading import Reading, spread_km
from engine.clues.text.span import Sign
from engine.core.observation import Observation
from engine.models.whisper import Heard, Line

LEAST_PEOPLE = 20_000
LEAST_CHANCE = 0.3  # that a word is this name, as on a sign
# A sign's short words may be chance letters; a city's name with a capital within a sentence is not.
CITY_PEOPLE, LEAST_CITY_CHANCE = 200_000, 0.12
CAPITAL_NOUNS = frozenset(("de", "lb"))  # languages that write every noun with a capital
MOST_IN_LINE, MOST_IN_WINDOW = 4, 20
_QUOTED = 120


def places_said(heard: Heard, language: str, begins_s: float, author: str) -> tuple[Observation, ...]:
    """The places named in a window, in order of time, each with the line that it is in.

    Args:
        language: of what is said, as Whisper codes it.
        begins_s: start of the window in the clip.
        author: id of the model that wrote it down.
    """
    found = [
        Observation(
            clue=SPEC.name,
            kind=PLACE_SAID,
            label=reading.text,
            score=heard.score,
            start_s=begins_s + line.start_s,
            end_s=begins_s + line.end_s,
            name=f"{reading.text}, said aloud",
            author=author,
            note=f"may mean {_meaning(reading)}; listed, never scored; heard as “{_quoted(line.text)}”",
        )
        for line in heard.lines
        for reading in _names(line, language)
    ]
    return tuple(found[:MOST_IN_WINDOW])


def _names(line: Line, language: str) -> Sequence[Reading]:
    parted = [piece for word in words(line.text) for piece in unspaced.parted(word)]
    sign = Sign.of([parted], (1.0,), {languages.normal(language): 1.0})
    found = {r.text: r for r in names.read(sign) if _is_name(r, line.text, language)}
    return list(found.values())[:MOST_IN_LINE]


def _is_name(reading: Reading, text: str, language: str) -> bool:
    if any(word[:1].islower() for word in (reading.text, reading.text.split()[-1])):
        return False
    widest_km = max((s.spread_km for s in reading.spots), default=0.0)
    if reading.spots and widest_km < spread_km(LEAST_PEOPLE):
        return False
    before = text.partition(reading.text)[0].rstrip(" \"'“«(-–")
    within = bool(before) and before[-1] not in ".!?…:" and language not in CAPITAL_NOUNS
    city = within and widest_km >= spread_km(CITY_PEOPLE)
    return reading.chance >= (LEAST_CITY_CHANCE if city else LEAST_CHANCE)


def _meaning(reading: Reading) -> str:
    return reading.note.removeprefix("reads as ").removeprefix("a place: ")


def _quoted(text: str) -> str:
    return text if len(text) <= _QUOTED else text[: _QUOTED - 1].rstrip() + "…"
