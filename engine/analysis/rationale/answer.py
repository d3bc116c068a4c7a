"""A language model's answer as an argument: repaired or refused, its claims held against the facts, its odds shown and no more.

A claim counts as inferred only where it names facts that exist and says nothing beyond them: whatever it quotes, every animal it
names and every number must stand in the facts that it cites, and it must share a telling word with them. Everything else is kept
and marked as unsupported.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from engine.analysis.rationale import opinion
from engine.analysis.rationale.prompt import MOST_ALTERNATIVES, MOST_CANDIDATES, MOST_FACTS, MOST_SENTENCES, MOST_TEXT
from engine.core.errors import DataError, SettingError
from engine.core.finding import Finding, Located
from engine.core.rationale import INFERRED, UNSUPPORTED, Alternative, Candidate, Fact, Sentence
from engine.world import countries

MOST_ODDS = 8.0  # nothing that a model says is surer than 3,000 : 1
_QUOTED = re.compile(r"[“\"«„]([^”\"»“]{2,80})[”\"»“]")
_WORD = re.compile(r"[^\W\d_]{4,}")
_NUMBER = re.compile(r"\d[\d.,:/+\- ]*\d|\d")
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "this that these those there where which with from have been were their they would could should about into than then "
        "also place places country countries region clip sound picture sign signs text likely suggests suggest indicates "
        "indicate points point because recorded record heard seen read model score best chance other most more facts fact",
    )
)


def parse(text: str) -> dict[str, Any]:
    """The JSON object in a model's answer; one that was cut short is closed after its last whole part.

    Raises:
        DataError: there is no such object, or nothing whole in it.
    """
    start = text.find("{")
    if start < 0:
        raise DataError("The language model gave no JSON; ask again, or go by the rules.")
    body = text[start:]
    try:
        found, _ = json.JSONDecoder().raw_decode(body)
    except (json.JSONDecodeError, RecursionError):
        found = _closed(body)
    if not isinstance(found, dict):
        raise DataError("The language model's answer is no JSON object; ask again, or go by the rules.")
    return found


def _closed(body: str) -> Any:
    """The longest beginning of a cut-off object that closes to JSON: tried from each place where a value ends."""
    ends, stack, string, escaped = [], [], False, False
    for i, c in enumerate(body[:20_000]):
        if string:
            escaped, string = (c == "\\" and not escaped), not (c == '"' and not escaped)
            continue
        if c == '"':
            string = True
        elif c in "{[":
            stack.append("}" if c == "{" else "]")
        elif c in "}]":
            if not stack or stack.pop() != c:
                break
            ends.append((i + 1, "".join(reversed(stack))))
    for end, tail in reversed(ends[-40:]):
        try:
            return json.loads(body[:end] + tail)
        except json.JSONDecodeError:
            continue
    raise DataError("The language model's answer is cut off before anything whole; ask again, or go by the rules.")


def read(text: str, facts: Sequence[Fact], finding: Finding) -> tuple[tuple[Sentence, ...], tuple[Candidate, ...]]:
    """A model's sentences, each checked, and its candidates.

    Raises:
        DataError: the answer is no JSON, or holds no sentence.
    """
    found = parse(text)
    given = found.get("sentences")
    sentences = tuple(s for x in (given if isinstance(given, list) else [])[:MOST_SENTENCES] if (s := _sentence(x, facts)))
    if not sentences:
        raise DataError("The language model's answer holds no sentence; ask again, or go by the rules.")
    return sentences, _candidates(found.get("candidates"), finding)


def _sentence(given: Any, facts: Sequence[Fact]) -> Sentence | None:
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        return None
    text = _clean(given["text"], MOST_TEXT)
    if not _WORD.search(text):
        return None
    numbers = given.get("rests_on")
    cited = [n for n in (numbers if isinstance(numbers, list) else []) if isinstance(n, int) and not isinstance(n, bool)]
    own = [facts[n - 1] for n in dict.fromkeys(cited) if 1 <= n <= min(len(facts), MOST_FACTS)]
    grounded = bool(own) and len(own) == len(set(cited)) and supported(text, own)
    modality = own[0].modality if own and len({f.modality for f in own}) == 1 else "both"
    keys = tuple(dict.fromkeys(k for f in own for k in f.keys)) if grounded else ()
    timed = next((f for f in own if f.start_s is not None), None) if grounded else None
    return Sentence(
        text if text[-1] in ".!?" else text + ".",
        INFERRED if grounded else UNSUPPORTED,
        modality,
        keys,
        timed.start_s if timed else None,
        timed.end_s if timed else None,
        alternatives=_alternatives(given.get("alternatives")),
        scored=grounded and any(f.scored for f in own),
    )


def supported(text: str, cited: Sequence[Fact]) -> bool:
    """Whether a sentence says nothing that the facts it cites do not; see the module's text."""
    said = _folded(" ".join(" ".join([f.said, *(p.said for p in f.pointers)]) for f in cited))
    claim = _folded(text)
    if any(_folded(q).strip(" .,;:") not in said for q in _QUOTED.findall(text)):
        return False
    if any(number.strip(" .,:/+-") not in said for number in _NUMBER.findall(claim)):
        return False
    if any(animal not in said for animal in animals_in(claim)):
        return False
    words = {w for w in _WORD.findall(claim) if w not in _EMPTY}
    known = set(_WORD.findall(said)) - _EMPTY
    return any(w in known or (len(w) > 5 and any(k.startswith(w[:5]) for k in known)) for w in words)


def animals_in(folded: str) -> set[str]:
    """Names of BirdNET's species that stand in a text, Latin or English, the longest ones."""
    words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", folded)
    found: set[str] = set()
    for n in (5, 4, 3, 2, 1):
        for i in range(len(words) - n + 1):
            name = " ".join(words[i : i + n])
            if name in _animals() and not any(name in longer for longer in found):
                found.add(name)
    return found


@cache
def _animals() -> frozenset[str]:
    from engine.models import birdnet

    names = set()
    for label in birdnet.labels():
        if label.is_species:
            names |= {_folded(label.latin), _folded(label.common)}
            names.add(_folded(label.common).rsplit(" ", 1)[-1])  # "a kookaburra"
    # Last words of names that are ordinary words of any argument.
    return frozenset(
        n for n in names if len(n) > 3 and n not in _EMPTY | {"king", "bell", "guide", "hill", "water", "common", "frog"}
    )


def _alternatives(given: Any) -> tuple[Alternative, ...]:
    out = []
    for x in (given if isinstance(given, list) else [])[:MOST_ALTERNATIVES]:
        if isinstance(x, dict) and isinstance(x.get("text"), str) and isinstance(x.get("because"), str):
            text, because = _clean(x["text"], 80), _clean(x["because"], 160)
            if text and because:
                out.append(Alternative(text, because))
    return tuple(out)


def _candidates(given: Any, finding: Finding) -> tuple[Candidate, ...]:
    """Countries that exist, with odds that are numbers; shown, and read by nothing that scores."""
    prior = _prior_odds(finding.located[0]) if finding.located else {}
    out: dict[str, Candidate] = {}
    for x in (given if isinstance(given, list) else [])[:MOST_CANDIDATES]:
        if not isinstance(x, dict) or not isinstance(x.get("country"), str):
            continue
        odds = x.get("log_odds")
        if isinstance(odds, bool) or not isinstance(odds, int | float) or not math.isfinite(odds):
            continue
        try:
            country = countries.by_code(x["country"].strip()[:2])
        except SettingError:
            continue
        held = max(-MOST_ODDS, min(MOST_ODDS, float(odds)))
        out.setdefault(
            country.code,
            Candidate("both", country.name, country.code, 1 / (1 + math.exp(-held)), held, held - prior.get(country.code, 0.0)),
        )
    return tuple(sorted(out.values(), key=lambda c: -c.log_odds))


def _prior_odds(located: Located) -> dict[str, float]:
    odds = opinion.log_odds(located.prior.log_mass, countries.of(located.prior.grid))
    return {c.code: float(o) for c, o in zip(countries.table(), odds, strict=True)}


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("’", "'").split())


def _clean(text: str, limit: int) -> str:
    shown = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(shown.split())[:limit].strip()
