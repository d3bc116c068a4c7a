"""What the lines of a sign say of where it stands: place names, regions, telephone numbers, postal codes, domains, language.

Each reading carries the chance that it is right *and* speaks of here, given nothing else. Names of places and regions are found
and weighed in `names`, by the tables of `forms` and `rules`. All numbers are judgement, tried on the photos of signs that the
tables report on (see LOG.md).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from engine.clues.text import contacts, language, names, tables, unspaced
from engine.clues.text.fold import Word, squash, words
from engine.clues.text.reading import Reading, Spot, area_names
from engine.clues.text.span import CJK, Sign, Token
from engine.world import currencies

MOST_READINGS = 40
# Characters as Japan alone writes them since 1946, where Chinese ones are simplified otherwise or not at all, and Japan's own.
_JAPANESE = frozenset(
    "駅県図円売読対検験権鉄歩広沢桜込畑辻峠栃働枠営変価仮囲圧塩壊奨実専帯帰徳恵悪戦抜択拝挙捜掲摂歳毎気浄渋済渓満滝瀬焼犠猟獣"
    "発砕稲穂粋継続総緑縄繊聴脳臓荘薬蔵覚覧観訳誉譲豊転軽逓遅鉱銭鋳録関陥険隠雑霊顔顕駆騒髄髪鶏黒黙斎齢"
)


@lru_cache(maxsize=256)
def read(lines: tuple[str, ...], scores: tuple[float, ...]) -> tuple[Reading, ...]:
    """All readings of the lines of one sign, surest first.

    Args:
        lines: text of each line.
        scores: the recogniser's score of each, 0 to 1.
    """
    parted = [words(line) for line in lines]
    tongue = _language(lines, parted)
    chances = dict(tongue.languages) if tongue else {}
    found: list[Reading] = [tongue] if tongue else []
    near = contacts.likely_countries(chances)
    found += [_of_contact(c) for number, line in enumerate(lines) for c in contacts.find(line, number, near)]
    parted = [tuple(piece for w in line for piece in unspaced.parted(w)) for line in parted]
    sign = Sign.of(parted, scores, chances)
    found += _phrases(sign.tokens)
    found += _currency(lines)
    found += names.read(sign)
    return tuple(sorted(_distinct(found), key=lambda r: -r.chance)[:MOST_READINGS])


def _language(lines: Sequence[str], parted: Sequence[tuple[Word, ...]]) -> Reading | None:
    use = [
        i
        for i, ws in enumerate(parted)
        if any(w.folded[0].isalpha() and len(w.folded) > 1 for w in ws) and not contacts.is_address(lines[i])
    ]
    if not use:
        return None
    every = [w for i in use for w in parted[i] if w.folded[0].isalpha()]
    letters = sum(len(w.folded) for w in every)
    asian = sum(len(CJK.findall(w.text)) for w in every)
    asian = asian if len(set(CJK.findall(" ".join(lines)))) >= 2 else 0
    if letters < 5 and not asian:
        return None
    chances = {k: math.exp(v) for k, v in language.log_chances([lines[i] for i in use], every).items()}
    if asian and asian >= 0.3 * letters:
        chances = _asian(every, chances)
    chances = _several(chances, [(lines[i], parted[i]) for i in use])
    # Few letters make a weak case, however sure the models are.
    sure = 1.0 - math.exp(-letters / 6.0) if not asian else 0.95
    top = sorted(((k, v) for k, v in chances.items() if v > 0.01), key=lambda x: -x[1])[:6]
    if not top:
        return None
    best = top[0]
    note = f"reads as {language.NAMES.get(best[0], best[0])}" + (f" ({best[1]:.0%})" if best[1] < 0.995 else "")
    return Reading("language", " ".join(lines[i] for i in use)[:80], -1, note, sure, languages=tuple(top))


def _asian(every: Sequence[Word], chances: dict[str, float]) -> dict[str, float]:
    """Hangul is Korean, kana is Japanese; Han characters alone are Chinese more often than not, but some are Japan's own."""
    text = "".join(w.text for w in every)
    if len(re.findall(r"[\uac00-\ud7a3]", text)) >= 2:
        return {"ko": 0.98, "ja": 0.01, "zh": 0.01}
    kana = len(re.findall(r"[\u3040-\u30ff]", text))
    if kana >= 2:
        return {"ja": 0.98, "zh": 0.02}
    if _JAPANESE.intersection(text):
        return {"ja": 0.9, "zh": 0.1}
    if len(CJK.findall(text)) >= 2:
        return {"zh": 0.75, "ja": 0.25}
    return chances


def _several(chances: dict[str, float], lines: Sequence[tuple[str, tuple[Word, ...]]]) -> dict[str, float]:
    """Chances weighted by letters where lines are surely in different languages; English beside another counts for little."""
    weights: dict[str, float] = {}
    for text, ws in lines:
        if len(ws) < 3 or sum(len(w.folded) for w in ws) < 14:
            continue
        own = language.log_chances([text], ws)
        best = max(own, key=lambda k: own[k])
        if own[best] > math.log(0.95):
            weights[best] = weights.get(best, 0.0) + sum(len(w.folded) for w in ws) * (0.2 if best == "en" else 1.0)
    if len(weights) < 2:
        return chances
    total = sum(weights.values())
    return {k: 0.3 * v for k, v in chances.items() if k not in weights} | {
        k: 0.3 * chances.get(k, 0.0) + 0.7 * w / total for k, w in weights.items()
    }


def _of_contact(contact: contacts.Contact) -> Reading:
    spots = tuple(Spot(s.lat_deg, s.lon_deg, s.spread_km, s.share) for s in contact.spots)
    return Reading(contact.kind, contact.text, contact.line, contact.note, contact.chance, spots, contact.areas)


def _phrases(tokens: Sequence[Token]) -> Iterator[Reading]:
    folded = [t.word.folded for t in tokens]
    taken: set[int] = set()
    for phrase in tables.phrases():
        for at in _positions(folded, phrase.phrase):
            span = range(at, at + len(phrase.phrase))
            if taken.isdisjoint(span):
                taken.update(span)
                text = " ".join(tokens[i].word.text for i in span)
                yield Reading(
                    "word", text, tokens[at].line, f"is written in {area_names(phrase.areas)}", phrase.weight, areas=phrase.areas
                )
                break


def _positions(folded: Sequence[str], phrase: tuple[str, ...]) -> Iterator[int]:
    n = len(phrase)
    return (i for i in range(len(folded) - n + 1) if tuple(folded[i : i + n]) == phrase)


def _currency(lines: Sequence[str]) -> Iterator[Reading]:
    seen = set()
    for number, line in enumerate(lines):
        for sign in re.findall(r"(?<=\d)\s?([€£¥₩₹₽₺₪])|([€£¥₩₹₽₺₪])\s?(?=\d)", line):
            mark = sign[0] or sign[1]
            if mark not in seen:
                seen.add(mark)
                areas = tuple(c.code for c in currencies.countries_of(mark))
                if areas:
                    yield Reading("currency", mark, number, f"prices in {mark}", 0.85, areas=areas)


def _distinct(readings: Sequence[Reading]) -> list[Reading]:
    """The strongest of readings that say the same: a name written twice, or two numbers of one town, tell no more than one."""
    best: dict[tuple[str, str], Reading] = {}
    for r in readings:
        means = max(r.spots, key=lambda s: s.share) if r.spots else None
        same = f"{means.lat_deg:.2f} {means.lon_deg:.2f}" if means else squash(r.text)
        at = ("name" if r.kind in ("place", "area") else r.kind, same)
        if at not in best or r.chance > best[at].chance:
            best[at] = r
    return list(best.values())
