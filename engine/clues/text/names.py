"""Names of places and regions on a sign, and the chance that each is right and speaks of here.

A name is weighed against being a plain word, by how much commoner the word is than a place of its size is ever mentioned, and
against being chance letters, by its length. `forms` says which letters are looked up, `rules` how sure what was found is to
speak of here. Of names that share words the surest counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.clues.text import language, writing
from engine.clues.text.forms import FORMS, Form
from engine.clues.text.gazetteer import Candidate, zipf_of_place
from engine.clues.text.index import gazetteer
from engine.clues.text.reading import Reading, Spot, place_name, spread_km
from engine.clues.text.rules import Named, Question, Rule, answers
from engine.clues.text.span import CJK, Sign, Span, spans
from engine.world import countries

MOST_PLACES = 24  # that one name may mean
LEAST_CHANCE = 0.02
_SURE, _SURE_AREA = 0.97, 0.9
_PEOPLE_POWER = 0.85  # of two places of one name, how much likelier the larger one is
_UNCOUNTED = 300.0  # people that every place has
_REGION_PEOPLE, _COUNTRY_PEOPLE = 2e6, 3e7
_CAPITAL_SHARE = 0.5  # of a country's people
_RARE_ZIPF = 2.0
_SHORT_NAME_PEOPLE = 30_000.0
_BY_LENGTH = {2: 0.01, 3: 0.03, 4: 0.15, 5: 0.45, 6: 0.75}
_EAST_ASIA = frozenset(("CN", "HK", "JP", "KP", "KR", "MO", "SG", "TW"))


@dataclass(frozen=True, slots=True)
class Hit:
    """A name found.

    Attributes:
        first, last: its words, last not among them.
        strength: which of two hits that share words counts.
        words: of the name and of its title.
        favour: added to strength for larger places and longer names: "Bristol" of "City Council" before "Bristol City" of
            "Council".
        reasons: of the rules that answered.
    """

    first: int
    last: int
    reading: Reading
    strength: float
    words: int = 1
    favour: float = 0.0
    reasons: tuple[str, ...] = ()


def read(sign: Sign) -> list[Reading]:
    """Names of places and regions on a sign, no word in two of them."""
    taken: set[int] = set()
    kept: list[Reading] = []
    every = [h for span in spans(sign) for h in hits(span)]
    for hit in sorted(every, key=lambda h: (-h.words * (h.strength > 0.3 and h.reading.kind == "place"), -h.strength - h.favour)):
        own = range(hit.first, hit.last)
        if taken.isdisjoint(own) and hit.reading.chance >= LEAST_CHANCE:
            taken.update(own)
            kept.append(hit.reading)
    return kept


def hits(span: Span) -> Iterator[Hit]:
    """All that a run of words may name."""
    if not span.may_be_name:
        return
    for form in FORMS:
        for letters, found in form.find(span):
            if found:
                yield _place(_narrowed(span, letters, found), form)
            for area in gazetteer().areas(letters) if form.areas else ():
                yield _area(Named(span, letters, title=span.title, area=area), form)


def _narrowed(span: Span, letters: str, found: tuple[Candidate, ...]) -> Named:
    """A name with those of its places that fit its characters, its title, and the region beside it."""
    title = span.title
    if CJK.match(span.text):  # names far away have Chinese forms, too, but signs in these characters stand where they are read
        found = tuple(c for c in found if c.country in _EAST_ASIA) or found
    elif script := writing.script_of(span.text):
        found = tuple(c for c in found if c.country in writing.home(script)) or found
    if title and title.areas:
        fitting = tuple(c for c in found if c.country in {a[:2] for a in title.areas})
        title, found = (title, fitting) if fitting else (None, found)
    inside, words = span.in_region_after(found)
    inside = inside or span.in_region_before(found)
    return Named(span, letters, inside or found, title, bool(inside), words)


def _place(named: Named, form: Form) -> Hit:
    span, found = named.span, named.places
    rules = answers(named)
    people = max(_spoken_of(c) for c in found)
    is_name = _name_chance(named, max(people, _UNCOUNTED))
    if Question.NAME in rules:
        is_name = max(is_name, rules[Question.NAME].factor)
    here = _factor(rules, Question.HERE, Question.NOUN)
    chance = min(_SURE, is_name * here * (span.score**2 * _factor(rules, Question.LINES, Question.READ) * form.factor))
    spots, best = _spots(found)
    others = f", or {len(found) - 1} other" + ("s" if len(found) > 2 else "") if len(found) > 1 else ""
    reading = Reading("place", span.text, span.line, f"reads as {form.note.format(place_name(best) + others)}", chance, spots)
    last = span.last + named.words_after
    titled = len(named.title.phrase) if named.title else 0
    favoured = named.title or len(span.words) > 1
    favour = 0.1 * (math.log10(people + 1.0) + len(span.words)) if favoured else 0.0
    return Hit(span.first, last, reading, chance, last - span.first + titled, favour, _reasons(rules))


def _spoken_of(place: Candidate) -> float:
    """People of a place that is as often mentioned: a capital stands for its country, too."""
    people = place.people * place.weight
    return max(people, _CAPITAL_SHARE * countries.by_code(place.country).people) if place.capital else people


def _area(named: Named, form: Form) -> Hit:
    span, g = named.span, gazetteer()
    assert named.area is not None
    rules = answers(named)
    region = g.region_names[named.area] if named.area >= 0 else ""
    code = g.region_codes[named.area] if named.area >= 0 else g.country_codes[-1 - named.area]
    is_name = _name_chance(named, _REGION_PEOPLE if named.area >= 0 else _COUNTRY_PEOPLE)
    read_right = span.score**2 * _factor(rules, Question.LINES, Question.READ)
    chance = min(_SURE_AREA, is_name * read_right * _factor(rules, Question.HERE) * form.factor)
    name = ", ".join(x for x in (region, countries.by_code(code[:2]).name) if x)
    reading = Reading("area", span.text, span.line, f"reads as {name}", chance, areas=(code,))
    return Hit(span.first, span.last, reading, 0.9 * chance, reasons=_reasons(rules))


def _factor(rules: Mapping[Question, Rule], *questions: Question) -> float:
    return math.prod(rules[q].factor for q in questions if q in rules)


def _reasons(rules: Mapping[Question, Rule]) -> tuple[str, ...]:
    return tuple(r.reason for r in rules.values())


def _spots(found: Sequence[Candidate]) -> tuple[tuple[Spot, ...], Candidate]:
    """The places that a name may mean, with their shares, and the likeliest."""
    listed = found[:MOST_PLACES]
    weights = np.array([c.weight * (c.people + _UNCOUNTED) ** _PEOPLE_POWER for c in listed])
    weights /= weights.sum()
    spots = (Spot(c.lat_deg, c.lon_deg, spread_km(c.people), float(w)) for c, w in zip(listed, weights, strict=True))
    return tuple(spots), listed[int(weights.argmax())]


def _name_chance(named: Named, people: float) -> float:
    """Chance that letters which spell a place's name are that name and no plain word or chance."""
    letters = named.letters
    excess = max(_zipf(named.span), _RARE_ZIPF) - zipf_of_place(people)
    odds = 10.0 ** (0.8 - 1.1 * excess)
    length = 1.0 if CJK.search(letters) else _BY_LENGTH.get(_length(letters), 1.0)
    # Chance letters hit some village's name far more often than one of the few large towns of so short a name.
    length **= 1.0 / (1.0 + max(0.0, math.log10(people / _SHORT_NAME_PEOPLE)))
    return float(odds / (1.0 + odds) * length)


def _length(letters: str) -> int:
    """Letters of a name as English would write it: Arabic and Hebrew leave out most vowels."""
    return round(1.5 * len(letters)) if writing.VOWELLESS.search(letters) else len(letters)


def _zipf(span: Span) -> float:
    """How common the words are in the languages the sign may be in; a phrase by the product of its words, and collocation."""
    g = gazetteer()
    total = 9.0
    for word in span.words:
        uses = 0.0
        for code, z in g.zipf(word).items():
            p = 0.6 * span.sign.chance(language.normal(code)) + (0.2 if code == "en" else 0.02)
            uses += min(p, 1.0) * 10.0**z
        total += max(math.log10(uses) if uses > 0 else 0.0, _RARE_ZIPF) - 9.0
    return total + 1.5 * (len(span.words) > 1)
