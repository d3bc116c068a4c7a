"""The forms that a place's name takes on a sign: each a function that gives the letters to look up, and a row of FORMS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.clues.text import writing
from engine.clues.text.fold import key
from engine.clues.text.gazetteer import Candidate
from engine.clues.text.index import gazetteer
from engine.clues.text.span import Span

# Languages that put the names of towns into other cases on signs (miasta Warszawy, grada Zagreba), and where they are spoken.
DECLINED = {"pl": ("PL",), "cs": ("CZ",), "sk": ("SK",), "sl": ("SI",), "hr": ("HR", "RS", "BA", "ME")}
DECLINED_PEOPLE = MISREAD_PEOPLE = 20_000  # smaller places have names that too many words come near to
_LEAST_DECLINED, _LEAST_ADJECTIVE, _LEAST_MISREAD, _LEAST_CONFUSED = 5, 7, 7, 5  # letters
_TWICE_PEOPLE = 200_000
_ALPHABETS = {
    "": "abcdefghijklmnopqrstuvwxyz",
    "Cyrillic": "абвгдежзиклмнопрстуфхцчшщъыьэюяђєјљњћџґ",
    "Greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "Arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهويپچژگٹڈڑںئءى",
    "Hebrew": "אבגדהוזחטיכלמנסעפצקרשתךםןףץ",
    "Thai": "".join(map(chr, (*range(0xE01, 0xE2F), *range(0xE30, 0xE3A), *range(0xE40, 0xE46)))),
    "Devanagari": "".join(map(chr, (*range(0x905, 0x93A), *range(0x93E, 0x94D), 0x902))),
}
# Pairs of letters, folded, that recognisers take for one another on signs: alike in capitals, or but for an accent.
_CONFUSED = (
    "v:y o:a i:l c:e u:v h:n o:0 l:1 i:1 s:5 b:8 g:9 rn:m cl:d f:t i:t q:g o:q o:c e:f c:g u:o vv:w ii:n h:b k:x k:r p:r n:m"
)
_CONFUSIONS = tuple(pair for a, b in (x.split(":") for x in _CONFUSED.split()) for pair in ((a, b), (b, a)))
_MOST_MISREAD = 12

Found = tuple[str, tuple[Candidate, ...]]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a name.

    Attributes:
        find: gives the letters, folded, and the places that are called so, largest first.
        factor: chance that the words are this form of that name and were read right.
        note: in words, {} being the place.
        areas: whether regions and countries are looked up by these letters, too.
    """

    find: Callable[[Span], Iterator[Found]]
    factor: float
    note: str = "a place: {}"
    areas: bool = False


def as_written(span: Span) -> Iterator[Found]:
    yield span.letters, gazetteer().find(span.letters)


def without_ending(span: Span) -> Iterator[Found]:
    """A title may put a letter to the name's end (Stockholms stad)."""
    for ending in sorted({t.ending for t in span.titles if t.ending and span.letters.endswith(t.ending)}):
        letters = span.letters[: -len(ending)]
        yield letters, gazetteer().find(letters)


def german_adjective(span: Span) -> Iterator[Found]:
    """Frankfurter, from Frankfurt."""
    if _is_german_adjective(span):
        yield span.letters[:-2], gazetteer().find(span.letters[:-2])


def german_adjective_of_n(span: Span) -> Iterator[Found]:
    """Göttinger, from Göttingen, and Bremer, from Bremen: the -er takes the place of the -en."""
    if _is_german_adjective(span):
        yield span.letters[:-1] + "n", gazetteer().find(span.letters[:-1] + "n")


def other_case(span: Span) -> Iterator[Found]:
    """Warszawy, from Warszawa: larger towns of the countries where the sign's language puts names into cases."""
    letters = span.letters
    if len(span.words) > 1 or len(letters) < _LEAST_DECLINED or letters[-1] not in "aeiuy":
        return
    spoken = {code for language, codes in DECLINED.items() if span.sign.chance(language) > 0.3 for code in codes}
    if not spoken:
        return
    for ending in ("", "a", "o", "e"):
        if ending != letters[-1]:
            named = gazetteer().find(letters[:-1] + ending)
            yield letters[:-1] + ending, tuple(c for c in named if c.people >= DECLINED_PEOPLE and c.country in spoken)


def misread_beside_title(span: Span) -> Iterator[Found]:
    if span.title and _is_unknown(span):
        yield span.letters, _one_letter_off(span.letters, 0)


def misread(span: Span) -> Iterator[Found]:
    if not span.title and len(span.letters) >= _LEAST_MISREAD and _is_unknown(span):
        yield span.letters, _one_letter_off(span.letters, MISREAD_PEOPLE)


def usual_confusion(span: Span) -> Iterator[Found]:
    """Vucatón, for Yucatán: one or two of the letters that recognisers confuse, of a larger place or a region."""
    letters = span.letters
    if len(letters) < _LEAST_CONFUSED or writing.script_of(letters) or not letters.isascii() or not _is_unknown(span):
        return
    once = _confused(letters)
    twice = {} if len(letters) < _LEAST_MISREAD else {f for o in once for f in _confused(o)} - set(once) - {letters}
    g = gazetteer()
    for forms, least in ((once, MISREAD_PEOPLE), (twice, _TWICE_PEOPLE)):
        ordered = sorted(forms)
        known = g.known(np.array([key(f) for f in ordered], dtype=np.uint64)) if ordered else ()
        found = []
        for form, place in zip(ordered, known, strict=True):
            named = tuple(c for c in g.find(form) if c.people * c.weight >= least) if place else ()
            if named or g.areas(form):
                found.append((form, named))
        if found:
            yield max(found, key=lambda f: (max((c.people for c in f[1]), default=0), f[0]))
            return


def _confused(letters: str) -> set[str]:
    return {
        letters[:i] + b + letters[i + len(a) :] for a, b in _CONFUSIONS for i in range(len(letters)) if letters.startswith(a, i)
    }


_ONE_WRONG = "a place: {}, read with one letter wrong"
FORMS = (
    Form(as_written, 1.0, areas=True),
    Form(without_ending, 1.0, areas=True),
    Form(german_adjective, 0.35, "adjective of a place: {}"),
    Form(german_adjective_of_n, 0.175, "adjective of a place: {}"),
    Form(other_case, 0.7, "a case of a place: {}"),
    Form(misread_beside_title, 1.0, _ONE_WRONG),
    Form(misread, 0.3, _ONE_WRONG),
    Form(usual_confusion, 0.35, "a place: {}, read with letters that look alike", areas=True),
)


def _is_german_adjective(span: Span) -> bool:
    one = len(span.words) == 1 and span.letters.endswith("er") and len(span.letters) >= _LEAST_ADJECTIVE
    return one and span.sign.chance("de") > 0.5


def _is_unknown(span: Span) -> bool:
    """A single word that is neither a place's name nor in any language's list."""
    g = gazetteer()
    return len(span.words) == 1 and not g.find(span.letters) and not g.zipf(span.letters)


def _one_letter_off(name: str, least_people: int) -> tuple[Candidate, ...]:
    """Places whose name differs in one letter, as recognisers err."""
    forms = set()
    alphabet = _ALPHABETS.get(writing.script_of(name), "")
    for i in range(len(name)):
        forms.add(name[:i] + name[i + 1 :])
        forms.update(name[:i] + c + name[i + 1 :] for c in alphabet)
    for i in range(len(name) + 1):
        forms.update(name[:i] + c + name[i:] for c in alphabet)
    forms.discard(name)
    ordered = sorted(forms)
    known = gazetteer().known(np.array([key(f) for f in ordered], dtype=np.uint64))
    found = [replace(c, weight=0.5 * c.weight) for f, k in zip(ordered, known, strict=True) if k for c in gazetteer().find(f)]
    found = [c for c in found if c.people * c.weight >= least_people and c.weight >= 0.25]
    best: dict[int, Candidate] = {c.place: c for c in found}
    return tuple(sorted(best.values(), key=lambda c: -c.people * c.weight)[:_MOST_MISREAD])
