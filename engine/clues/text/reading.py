"""What the lines of a sign say of where it stands: place names, regions, telephone numbers, postal codes, domains, language.

Each reading carries the chance that it is right *and* speaks of here, given nothing else. A name is weighed against being a
plain word, by how much commoner the word is than a place of its size is ever mentioned, and against being chance letters, by
its length. All numbers are judgement, tried on the photos of signs that the tables report on (see LOG.md).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from engine.clues.text import contacts, language, tables, unspaced
from engine.clues.text.fold import Word, key, squash, words
from engine.clues.text.gazetteer import Candidate, zipf_of_place
from engine.clues.text.index import gazetteer
from engine.core.errors import SettingError
from engine.world import countries, currencies

LONGEST_NAME = 5  # words
MOST_PLACES = 24  # that one name may mean
MOST_READINGS = 40
LEAST_CHANCE = 0.02
_PEOPLE_POWER = 0.85  # of two places of one name, how much likelier the larger one is
_RARE_ZIPF = 2.0
_SHORT_NAME_PEOPLE = 30_000.0
_BY_LENGTH = {2: 0.01, 3: 0.03, 4: 0.15, 5: 0.45, 6: 0.75}
_TITLED, _STREET, _ADJECTIVE, _MISREAD = 0.96, 0.3, 0.35, 0.3
# Languages that put the names of towns into other cases on signs (miasta Warszawy, grada Zagreba), and where they are spoken.
_DECLINED = {"pl": ("PL",), "cs": ("CZ",), "sk": ("SK",), "sl": ("SI",), "hr": ("HR", "RS", "BA", "ME")}
_CASE, _COMMON_NOUN = 0.7, 0.3
_CJK = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_EAST_ASIA = frozenset(("CN", "HK", "JP", "KP", "KR", "MO", "SG", "TW"))
# Characters as Japan alone writes them since 1946, where Chinese ones are simplified otherwise or not at all, and Japan's own.
_JAPANESE = frozenset(
    "駅県図円売読対検験権鉄歩広沢桜込畑辻峠栃働枠営変価仮囲圧塩壊奨実専帯帰徳恵悪戦抜択拝挙捜掲摂歳毎気浄渋済渓満滝瀬焼犠猟獣"
    "発砕稲穂粋継続総緑縄繊聴脳臓荘薬蔵覚覧観訳誉譲豊転軽逓遅鉱銭鋳録関陥険隠雑霊顔顕駆騒髄髪鶏黒黙斎齢"
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place a reading may mean: degrees, how far signs of it are spread in km, and its share of the reading."""

    lat_deg: float
    lon_deg: float
    spread_km: float
    share: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing a text says of its place.

    Attributes:
        kind: "place", "area", "phone", "postal", "domain", "word", "currency" or "language".
        text: the words it was read in.
        line: number of the line, or −1 for the whole text.
        note: in words, for people.
        chance: that it is right and speaks of here.
        spots: places it may mean, shares adding up to 1.
        areas: regions ("ES.56") or countries ("ES") it may mean instead.
        languages: (language, chance) for kind "language".
    """

    kind: str
    text: str
    line: int
    note: str
    chance: float
    spots: tuple[Spot, ...] = ()
    areas: tuple[str, ...] = ()
    languages: tuple[tuple[str, float], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Token:
    word: Word
    line: int
    alone: bool  # the only words of its line


@dataclass(frozen=True, slots=True)
class _Hit:
    first: int
    last: int
    reading: Reading
    strength: float
    words: int = 1  # of the name and of its title
    favour: float = 0.0  # for larger places and longer names: "Bristol" of "City Council" before "Bristol City" of "Council"


@lru_cache(maxsize=256)
def read(lines: tuple[str, ...], scores: tuple[float, ...]) -> tuple[Reading, ...]:
    """All readings of the lines of one sign, in their order from top to bottom.

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
    tokens = [_Token(w, n, False) for n, line in enumerate(parted) for w in line]
    found += _phrases(tokens)
    found += _currency(lines)
    found += _names(tokens, parted, scores, chances)
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
    asian = sum(len(_CJK.findall(w.text)) for w in every)
    asian = asian if len(set(_CJK.findall(" ".join(lines)))) >= 2 else 0
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
    if len(_CJK.findall(text)) >= 2:
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


def _phrases(tokens: Sequence[_Token]) -> Iterator[Reading]:
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


def area_names(areas: Sequence[str]) -> str:
    """Areas in words, shortened."""
    names = []
    for code in areas[:3]:
        country = countries.by_code(code[:2]).name if code[:2] not in ("XK",) else "Kosovo"
        region = gazetteer().region_names[gazetteer().region_codes.index(code)] if "." in code else ""
        names.append(
            f"{region}, {country}" if region and code[:2] in _STATES else f"part of {country}" if "." in code else country
        )
    return " or ".join(dict.fromkeys(names)) + (" or elsewhere" if len(areas) > 3 else "")


_STATES = ("US", "CA", "AU")  # where GeoNames' first-level regions bear the names people use


def place_name(candidate: Candidate) -> str:
    """ "Augusta, Georgia, USA" or "Altafulla, Spain"."""
    region = gazetteer().region_names[candidate.region] if candidate.country in _STATES else ""
    try:
        country = countries.by_code(candidate.country).name
    except SettingError:
        country = candidate.country
    return ", ".join(dict.fromkeys(x for x in (candidate.name, region, country) if x))


# ---- names of places and regions


def _names(
    tokens: Sequence[_Token], parted: Sequence[tuple[Word, ...]], scores: Sequence[float], chances: dict[str, float]
) -> list[Reading]:
    spans = _spans(tokens)
    hits = [h for span in spans for h in _hits(tokens, parted, scores, chances, *span)]
    taken: set[int] = set()
    kept: list[Reading] = []
    for hit in sorted(hits, key=lambda h: (-h.words * (h.strength > 0.3 and h.reading.kind == "place"), -h.strength - h.favour)):
        span = range(hit.first, hit.last)
        if taken.isdisjoint(span) and hit.reading.chance >= LEAST_CHANCE:
            taken.update(span)
            kept.append(hit.reading)
    return kept


def _spans(tokens: Sequence[_Token]) -> list[tuple[int, int]]:
    """Runs of up to LONGEST_NAME words, of one line or over the end of one, that begin with a capital or a Han character."""
    spans = []
    for first, token in enumerate(tokens):
        if not (token.word.capital or _CJK.match(token.word.text)) or not token.word.folded[0].isalpha():
            continue
        for last in range(first + 1, min(first + LONGEST_NAME, len(tokens)) + 1):
            if tokens[last - 1].line - token.line > 1:
                break
            spans.append((first, last))
    return spans


def _hits(
    tokens: Sequence[_Token],
    parted: Sequence[tuple[Word, ...]],
    scores: Sequence[float],
    chances: dict[str, float],
    first: int,
    last: int,
) -> Iterator[_Hit]:
    own = [t.word.folded for t in tokens[first:last]]
    name = "".join(own)
    if len(name) < 2 or (len(name) < 3 and not _CJK.search(name)) or len(name) > 48:
        return
    line = tokens[first].line
    split = tokens[last - 1].line != line
    read_well = min(scores[t.line] for t in tokens[first:last]) ** 2 * (0.6 if split else 1.0)
    titles = _titles(tokens, first, last)
    title = titles[0] if titles else None
    text = " ".join(t.word.text for t in tokens[first:last])
    forms = [(name, 1.0, "")]
    endings = {t.ending for t in titles if t.ending and name.endswith(t.ending)}
    forms += [(name[: -len(ending)], 1.0, "") for ending in sorted(endings)]
    if len(own) == 1 and name.endswith("er") and len(name) >= 7 and chances.get("de", 0.0) > 0.5:
        forms += [(name[:-2], _ADJECTIVE, "adjective of "), (name[:-2] + "n", 0.5 * _ADJECTIVE, "adjective of ")]
    declined = [c for c in _DECLINED if chances.get(c, 0.0) > 0.3] if len(own) == 1 and len(name) >= 5 else []
    if declined and name[-1] in "aeiuy":
        forms += [(name[:-1] + ending, _CASE, "a case of ") for ending in ("", "a", "o", "e") if ending != name[-1]]
    for form, factor, how in forms:
        found = gazetteer().find(form)
        if how == "a case of ":
            found = tuple(c for c in found if c.people >= 20_000 and c.country in {x for d in declined for x in _DECLINED[d]})
        if found:
            yield from _place_hit(
                found, form, own, text, line, title, first, last, tokens, parted, chances, read_well * factor, how
            )
        for area in gazetteer().areas(form) if not how else ():
            yield _area_hit(area, form, own, text, line, first, last, chances, read_well, bool(title))
    if len(own) == 1 and not gazetteer().find(name) and (title or len(name) >= 7) and not gazetteer().zipf(name):
        found = _misread(name, 0 if title else 20_000)
        if found:
            yield from _place_hit(
                found,
                name,
                own,
                text,
                line,
                title,
                first,
                last,
                tokens,
                parted,
                chances,
                read_well * _MISREAD ** (not title),
                "misread ",
            )


def _place_hit(
    found: tuple[Candidate, ...],
    form: str,
    own: list[str],
    text: str,
    line: int,
    title: tables.Title | None,
    first: int,
    last: int,
    tokens: Sequence[_Token],
    parted: Sequence[tuple[Word, ...]],
    chances: dict[str, float],
    factor: float,
    how: str,
) -> Iterator[_Hit]:
    if _CJK.match(text):  # names far away have Chinese forms, too, but signs in these characters stand where they are read
        found = tuple(c for c in found if c.country in _EAST_ASIA) or found
    if title and title.areas:
        fitting = tuple(c for c in found if c.country in {a[:2] for a in title.areas})
        title, found = (title, fitting) if fitting else (None, found)
    named, used = _within(tokens, first, last, found)
    if not named:
        named = _below(tokens, first, found)
    found, last = named or found, last + used
    people = max(c.people * c.weight for c in found)
    is_name = _name_chance(form, own, max(people, 300.0), chances)
    whole = len(parted[line]) == last - first
    if title or named:
        here = _TITLED
        is_name = max(is_name, 0.9 if len(form) >= 4 else 0.5)
    else:
        here = 0.75 if len(own) > 1 else 0.65 if whole else 0.6
        if _in_street(tokens, first, last):
            here = _STREET
        # German writes every noun with a capital: one that is only some further name of a place is a noun ("an der Leine").
        if chances.get("de", 0.0) > 0.5 and max(c.weight for c in found) < 0.5:
            here *= _COMMON_NOUN
    chance = min(0.97, is_name * here * factor)
    weights = np.array([c.weight * (c.people + 300.0) ** _PEOPLE_POWER for c in found[:MOST_PLACES]])
    weights /= weights.sum()
    spots = tuple(
        Spot(c.lat_deg, c.lon_deg, spread_km(c.people), float(w)) for c, w in zip(found[:MOST_PLACES], weights, strict=True)
    )
    best = found[int(weights.argmax())]
    others = f", or {len(found) - 1} other" + ("s" if len(found) > 2 else "") if len(found) > 1 else ""
    note = f"reads as {how if how != 'misread ' else ''}a place: {place_name(best)}{others}" + (
        ", read with one letter wrong" if how == "misread " else ""
    )
    worth = last - first + (len(title.phrase) if title else 0)
    favour = 0.1 * (math.log10(people + 1.0) + len(own)) if title or len(own) > 1 else 0.0
    yield _Hit(first, last, Reading("place", text, line, note, chance, spots), chance, worth, favour)


def _area_hit(
    area: int,
    form: str,
    own: list[str],
    text: str,
    line: int,
    first: int,
    last: int,
    chances: dict[str, float],
    factor: float,
    titled: bool,
) -> _Hit:
    g = gazetteer()
    code = g.region_codes[area] if area >= 0 else g.country_codes[-1 - area]
    is_name = _name_chance(form, own, 2e6 if area >= 0 else 3e7, chances)
    # A country's name is on embassies, restaurants and products; a state's or province's mostly at home.
    chance = min(0.9, is_name * factor * ((0.65 if titled else 0.5) if area >= 0 else 0.4))
    name = g.region_names[area] if area >= 0 else ""
    country = countries.by_code(code[:2]).name
    return _Hit(
        first,
        last,
        Reading("area", text, line, f"reads as {', '.join(x for x in (name, country) if x)}", chance, areas=(code,)),
        0.9 * chance,
    )


def spread_km(people: int) -> float:
    """How far from its centre signs of a place stand: 1.5 km for a village, 12 km for a city of a million."""
    return float(1.5 + 1.6 * (max(people, 0) / 10_000.0) ** 0.4)


def _name_chance(form: str, own: Sequence[str], people: float, chances: dict[str, float]) -> float:
    """Chance that letters which spell a place's name are that name and no plain word or chance."""
    zipf = _zipf(own, chances)
    excess = max(zipf, _RARE_ZIPF) - zipf_of_place(people)
    odds = 10.0 ** (0.8 - 1.1 * excess)
    length = 1.0 if _CJK.search(form) else _BY_LENGTH.get(len(form), 1.0)
    # Chance letters hit some village's name far more often than one of the few large towns of so short a name.
    length **= 1.0 / (1.0 + max(0.0, math.log10(people / _SHORT_NAME_PEOPLE)))
    return float(odds / (1.0 + odds) * length)


def _zipf(own: Sequence[str], chances: dict[str, float]) -> float:
    """How common the words are in the languages the sign may be in; a phrase by the product of its words, and collocation."""
    g = gazetteer()
    total = 9.0
    for word in own:
        by_language = g.zipf(word)
        uses = 0.0
        for code, z in by_language.items():
            p = 0.6 * chances.get(language.normal(code), 0.0) + (0.2 if code == "en" else 0.02)
            uses += min(p, 1.0) * 10.0**z
        total += max(math.log10(uses) if uses > 0 else 0.0, _RARE_ZIPF) - 9.0
    return total + 1.5 * (len(own) > 1)


def _titles(tokens: Sequence[_Token], first: int, last: int) -> list[tables.Title]:
    """Titles that stand before or after these words, on their line or at the end of the one above; longest first."""
    line = tokens[first].line
    found = []
    for title in tables.titles():
        n = len(title.phrase)
        span = range(first - n, first) if title.before else range(last, last + n)
        if span.start < 0 or span.stop > len(tokens):
            continue
        if tuple(tokens[i].word.folded for i in span) == title.phrase and abs(tokens[span.start].line - line) <= 1:
            found.append(title)
    # Logos set the name above: PARIS / VILLE DE.
    if not found and last < len(tokens) and tokens[last].line == line + 1 and (first == 0 or tokens[first - 1].line < line):
        below = tuple(t.word.folded for t in tokens if t.line == line + 1)
        found = [t for t in tables.titles() if t.before and t.phrase == below]
    return found


def _within(tokens: Sequence[_Token], first: int, last: int, found: Sequence[Candidate]) -> tuple[tuple[Candidate, ...], int]:
    """Of the places meant, those in the region or country named right after (Burlington, Vermont; Augusta, GA), and its words."""
    g = gazetteer()
    for n in (1, 2, 3):
        after = tokens[last : last + n]
        if len(after) < n or after[-1].line - tokens[first].line > 1 or not after[0].word.capital:
            break
        if n == 1 and len(after[0].word.text) == 2 and after[0].word.text.isupper() and after[0].line == tokens[first].line:
            codes = {f"US.{after[0].word.text}"}
        else:
            areas = g.areas("".join(t.word.folded for t in after))
            codes = {g.region_codes[a] if a >= 0 else g.country_codes[-1 - a] for a in areas}
        inside = tuple(c for c in found if g.region_codes[c.region] in codes or c.country in codes)
        if inside:
            return inside, n
    return (), 0


def _below(tokens: Sequence[_Token], first: int, found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Of the places meant, those in the region or city named right before, as addresses without spaces go (東京都新宿区)."""
    if first == 0 or not _CJK.match(tokens[first].word.text) or tokens[first - 1].line != tokens[first].line:
        return ()
    before, g = tokens[first - 1].word.folded, gazetteer()
    if not _CJK.match(before):
        return ()
    above = {c.region for c in g.find(before)[:3]}
    codes = {g.region_codes[a] if a >= 0 else g.country_codes[-1 - a] for a in g.areas(before)}
    return tuple(c for c in found if c.region in above or g.region_codes[c.region] in codes or c.country in codes)


def _in_street(tokens: Sequence[_Token], first: int, last: int) -> bool:
    line = tokens[first].line
    before = [t.word.folded for t in tokens[max(0, first - 2) : first] if t.line == line]
    after = [t.word.folded for t in tokens[last : last + 1] if t.line == line]
    streets = tables.street_words()
    if any((w,) in streets or w.endswith(("strasse", "stralle", "straat", "gatan", "vagen")) for w in after):
        return True
    return any(tuple(before[i:]) in streets for i in range(len(before)))


def _misread(name: str, least_people: int) -> tuple[Candidate, ...]:
    """Places whose name differs in one letter, as recognisers err."""
    forms = set()
    letters = "abcdefghijklmnopqrstuvwxyz"
    for i in range(len(name)):
        forms.add(name[:i] + name[i + 1 :])
        forms.update(name[:i] + c + name[i + 1 :] for c in letters)
    for i in range(len(name) + 1):
        forms.update(name[:i] + c + name[i:] for c in letters)
    forms.discard(name)
    ordered = sorted(forms)
    known = gazetteer().known(np.array([key(f) for f in ordered], dtype=np.uint64))
    found = [replace(c, weight=0.5 * c.weight) for f, k in zip(ordered, known, strict=True) if k for c in gazetteer().find(f)]
    found = [c for c in found if c.people * c.weight >= least_people and c.weight >= 0.25]
    best: dict[int, Candidate] = {c.place: c for c in found}
    return tuple(sorted(best.values(), key=lambda c: -c.people * c.weight)[:12])


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
