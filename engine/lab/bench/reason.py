"""`earwitness bench reason`: country and city of photos by a language model, StreetCLIP beside it.

The photos are listed in a CSV with the columns image, country (ISO 3166 code) and city; images lie below its folder. A city
counts as right when it is spelt alike, or when its place is within 25 km of the city asked for.
"""

from __future__ import annotations

import argparse
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.analysis.rationale import answer
from engine.core.errors import DataError, SettingError, WeightsError
from engine.core.file import read_csv
from engine.core.sphere import distance_km
from engine.lab.train.reason_tune import ASK, model_folder, picture
from engine.models import streetclip
from engine.models.qwen import Reasoner
from engine.world import countries, places

CITY_KM = 25.0
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"country": {"type": "string", "minLength": 2, "maxLength": 2}, "city": {"type": "string", "maxLength": 40}},
    "required": ["country", "city"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and where it was taken."""

    image: Path
    country: str
    city: str


@dataclass(frozen=True, slots=True)
class Named:
    """What a model named: "" where it gave nothing that can be read."""

    country: str
    city: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: shares right, in per cent, with 95% intervals by photo."""

    name: str
    n: int
    country: float
    country_interval: tuple[float, float]
    city: float | None
    city_interval: tuple[float, float] | None


def read(path: Path) -> list[Photo]:
    """The photos of a CSV.

    Raises:
        DataError: the file, a column or a picture is missing, or a country has no such code.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}; give a CSV with the columns image, country, city.")
    rows = read_csv(path)
    if not rows or any(c not in rows[0] for c in ("image", "country", "city")):
        raise DataError(f"{path} needs the columns image, country, city and at least one row.")
    found = []
    for number, row in enumerate(rows, 1):
        image = (path.parent / (row["image"] or "")).resolve()
        try:
            code = countries.by_code((row["country"] or "").strip()).code
        except SettingError as error:
            raise DataError(f"Row {number} of {path}: {error}") from None
        if path.parent.resolve() not in image.parents or not image.is_file():
            raise DataError(f"Row {number} of {path} names a picture that is not below {path.parent}; correct its path.")
        found.append(Photo(image, code, (row["city"] or "").strip()))
    return found


def name(reasoner: Reasoner, photos: Sequence[Photo], most_tokens: int = 60) -> list[Named]:
    """What a language model says of each photo."""
    out = []
    for photo in photos:
        said = reasoner.answer("You name the place of pictures.", ASK["location"], [picture(photo.image)], SCHEMA, most_tokens)
        out.append(named(said.text))
    return out


def named(text: str) -> Named:
    """Country and city of an answer; empty where it is none."""
    try:
        found = answer.parse(text)
    except DataError:
        return Named("", "")
    code, city = str(found.get("country", "")).upper(), str(found.get("city", ""))
    try:
        return Named(countries.by_code(code).code, city[:60])
    except SettingError:
        return Named("", city[:60])


def by_streetclip(photos: Sequence[Photo], folder: Path | None = None) -> list[Named]:
    """The country that StreetCLIP finds likeliest, each country alike beforehand; it names no cities.

    Raises:
        WeightsError: StreetCLIP is not installed.
    """
    streetclip.streetclip_folder(folder)
    known = [c for c in countries.table() if c.people > 0]
    logits = streetclip.CountryEncoder([c.name for c in known], folder).logits(picture(p.image) for p in photos)
    return [Named(known[int(i)].code, "") for i in logits.argmax(axis=1)]


def score(title: str, photos: Sequence[Photo], said: Sequence[Named], cities: bool = True, seed: int = 0) -> Line:
    """Shares right with bootstrap intervals over photos."""
    right = np.array([n.country == p.country for n, p in zip(said, photos, strict=True)], dtype=float)
    asked = [(n, p) for n, p in zip(said, photos, strict=True) if p.city]
    town = np.array([n.country == p.country and same_city(n.city, p.city, p.country) for n, p in asked], dtype=float)
    has = cities and len(town) > 0
    return Line(
        title,
        len(photos),
        100 * float(right.mean()),
        _interval(right, seed),
        100 * float(town.mean()) if has else None,
        _interval(town, seed) if has else None,
    )


def _interval(right: np.ndarray, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    drawn = 100 * right[rng.integers(len(right), size=(2000, len(right)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def same_city(a: str, b: str, code: str) -> bool:
    """Whether two names are one city of a country: spelt alike without accents, or within CITY_KM of each other."""
    if _folded(a) == _folded(b):
        return bool(_folded(a))
    here, there = _city(_folded(a), code), _city(_folded(b), code)
    return here is not None and there is not None and float(distance_km(*here, *there)) <= CITY_KM


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).replace("-", " ").split())


@cache
def _cities() -> dict[tuple[str, str], tuple[float, float]]:
    """(name without accents, country) → place, the largest of that name."""
    held = places.cities()
    order = np.argsort(held.people, kind="stable")
    codes = [c.code for c in countries.table()]
    return {
        (_folded(held.names[i]), codes[held.country[i]]): (float(held.lat_deg[i]), float(held.lon_deg[i]))
        for i in order.tolist()
        if held.country[i] >= 0
    }


def _city(folded: str, code: str) -> tuple[float, float] | None:
    return _cities().get((folded, code))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench reason`."""
    parser.add_argument("csv", type=Path, metavar="PHOTOS.csv", help="image, country, city; images below its folder")
    parser.add_argument("--model", default="small", help="small, large, or the folder of a model (default: small)")
    parser.add_argument("--adapter", type=Path, default=None, metavar="FOLDER", help="LoRA adapter of `lab reason-tune`")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Print the table; a model that is not installed gets a line that says so."""
    photos = read(args.csv)
    lines: list[Line] = []
    missing: list[str] = []
    try:
        folder = model_folder(args.model)
        reasoner = Reasoner(folder=folder, adapter=args.adapter)
        lines.append(score(reasoner.model_id, photos, name(reasoner, photos), True, args.seed))
    except WeightsError as error:
        missing.append(str(error))
    try:
        lines.append(score("StreetCLIP", photos, by_streetclip(photos), False, args.seed))
    except WeightsError as error:
        missing.append(str(error))
    print(f"{'':<28}{'photos':>7}{'country':>9}{'95%':>12}{'city':>8}{'95%':>12}")
    for x in lines:
        city = f"{x.city:7.1f}%" if x.city is not None else f"{'–':>8}"
        of_city = f"{x.city_interval[0]:5.0f}–{x.city_interval[1]:3.0f}%" if x.city_interval else ""
        country = f"{x.country:8.1f}%"
        print(f"{x.name[:27]:<28}{x.n:>7}{country}{x.country_interval[0]:7.0f}–{x.country_interval[1]:3.0f}%{city}{of_city:>12}")
    for text in missing:
        print(text)
    if args.json:
        rows = {x.name: {"n": x.n, "country": x.country, "country_interval": x.country_interval, "city": x.city,
                         "city_interval": x.city_interval} for x in lines}  # fmt: skip
        args.json.write_text(json.dumps({"rows": rows, "missing": missing, "seed": args.seed}, indent=2) + "\n", encoding="utf-8")
    return 0
