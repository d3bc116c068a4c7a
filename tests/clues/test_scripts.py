"""Scripts that the first recogniser does not read: what is read again, what is believed, what names mean in them."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from engine.clues.text import fold, scoring, scripts, sign, unspaced, writing
from engine.clues.text.observe import TextObserver
from engine.clues.text.score import log_likelihood
from engine.core import sphere
from engine.core.errors import WeightsError
from engine.lab.bench import sign_drawing
from engine.models import ocr, tesseract
from engine.world.grid import world_grid

TOWNS = [
    (("МОСКВА",), 55.75, 37.62, "Russian"),
    (("місто Одеса", "Вхід заборонено"), 46.48, 30.73, "Ukrainian"),
    (("гара Бургас",), 42.51, 27.47, "Bulgarian"),
    (("општина Чачак", "Забрањено пушење"), 43.89, 20.35, "Serbian"),
    (("Δήμος Πάτρα",), 38.25, 21.73, "Greek"),
    (("بلدية بغداد",), 33.31, 44.36, "Arabic"),
    (("شهرداری ارومیه", "آرایشگاه مردانه"), 37.55, 45.07, "Persian"),
    (("עיריית חיפה",), 32.79, 34.99, "Hebrew"),
    (("เทศบาลเมืองบางกรวย",), 13.80, 100.47, "Thai"),
    (("नगर निगम भिलाई", "धूम्रपान निषेध"), 21.21, 81.43, "Hindi"),
    (("광주역",), 35.15, 126.92, "Korean"),
]


@pytest.mark.parametrize(("lines", "lat", "lon", "language"), TOWNS, ids=lambda x: x if isinstance(x, str) else None)
def test_a_town_in_its_own_script_is_placed_and_its_language_named(
    lines: tuple[str, ...], lat: float, lon: float, language: str
) -> None:
    found = sign.read(lines, (0.95,) * len(lines))
    spot = max(next(r for r in found if r.kind == "place").spots, key=lambda s: s.share)
    assert sphere.distance_km(spot.lat_deg, spot.lon_deg, lat, lon) < 25
    assert next(r for r in found if r.kind == "language").note.startswith(f"reads as {language}")
    assert scoring.region_mass(found) > scoring.LEAST_MASS


@pytest.mark.parametrize(
    ("text", "script"),
    [("Москва", "Cyrillic"), ("Αθήνα", "Greek"), ("قم", "Arabic"), ("서울", "Hangul"), ("Moskva", ""), ("東京", ""), ("12", "")],
)
def test_the_script_of_a_text(text: str, script: str) -> None:
    assert writing.script_of(text) == script
    found = tesseract.script_of(text)
    assert (found.name if found else "") == script


def test_letters_rule_languages_out() -> None:
    ukrainian, russian = writing.foreign_letters("Київ їжа"), writing.foreign_letters("Объявление ы")
    assert ukrainian["uk"] == 0.0 > ukrainian["ru"] and russian["ru"] == 0.0 > russian["uk"]
    assert writing.foreign_letters("گچ")["fa"] == 0.0 > writing.foreign_letters("گچ")["ar"]
    assert writing.foreign_letters("Moskva") == {}


def test_where_a_script_is_at_home() -> None:
    assert {"RU", "UA", "BG", "RS", "MK"} <= writing.home("Cyrillic") and "FR" not in writing.home("Cyrillic")
    assert "TH" in writing.home("Thai") and len(writing.home("Thai")) < 4 and {"GR", "CY"} <= writing.home("Greek")


def test_vowel_signs_are_kept_and_arabic_letters_are_one_in_all_languages() -> None:
    assert fold.squash("पुणे") != fold.squash("पाणी")
    assert fold.squash("کیش") == fold.squash("كيش") and fold.squash("قَاهِرَة") == fold.squash("قاهره")
    assert fold.squash("Zürich Ærø") == "zurichaero"


@pytest.mark.parametrize(
    ("line", "pieces"), [("สถานีบุรีรัมย์", "สถานี บุรีรัมย์"), ("จังหวัดเชียงใหม่", "จังหวัด เชียงใหม่"), ("ห้ามเข้า", "ห้ามเข้า")]
)
def test_thai_is_parted_at_titles_and_names(line: str, pieces: str) -> None:
    assert " ".join(p.text for w in fold.words(line) for p in unspaced.parted(w)) == pieces


def box(text: str, score: float = 0.97) -> ocr.Box:
    return ocr.Box(text, score, np.array([[0.0, 0.0], [90.0, 0.0], [90.0, 30.0], [0.0, 30.0]]), (100, 100))


@pytest.mark.parametrize("text", ["Pharmacy", "Altafulla", "2026", "東京都", "Zimmer frei"])
def test_what_is_read_well_is_not_read_again(text: str) -> None:
    assert scripts.read_well(box(text)) and not scripts.read_well(box(text, 0.5))


@pytest.mark.parametrize("text", ["MockBa", "AOHNA", "IEIPAIAΣ", "", "IIVIIIEHETO"])
def test_letters_that_look_alike_are_read_again(text: str) -> None:
    assert not scripts.read_well(box(text))


def test_a_reading_is_believed_only_when_it_is_sure_and_all_of_one_script() -> None:
    cyrillic, hangul = tesseract.SCRIPTS[0], tesseract.SCRIPTS[-1]
    assert scripts.believed(tesseract.Reading(cyrillic, "Москва", 0.86, True))
    assert not scripts.believed(tesseract.Reading(cyrillic, "Москва", 0.84, True))
    assert not scripts.believed(tesseract.Reading(cyrillic, "Mocква", 0.96, False))
    assert not scripts.believed(tesseract.Reading(cyrillic, "УЕЮМСМАМ", 0.9, True))
    assert not scripts.believed(tesseract.Reading(cyrillic, "да", 0.96, True))
    assert scripts.believed(tesseract.Reading(hangul, "서울", 0.9, True))


def test_what_two_cuts_read_alike_is_believed_where_all_of_it_is_known() -> None:
    greek, cyrillic = (next(s for s in tesseract.SCRIPTS if s.name == n) for n in ("Greek", "Cyrillic"))

    def read(text: str, score: float, script: tesseract.Script = greek, whole: bool = True) -> tesseract.Reading:
        return tesseract.Reading(script, text, score, whole)

    found = scripts.agreed([read("ΠΕΙΡΑΙΑΣ", 0.07), read("ΠΕΙΡΑΙΑΣ", 0.15), read("ΠΕΙΡΑΤΑΣ", 0.5)])
    assert found is not None and found.text == "ΠΕΙΡΑΙΑΣ" and found.score == scripts.AGREED_SCORE
    sure = scripts.agreed([read("Πάτρα", 0.8), read("Πάτρα", 0.5)])
    assert sure is not None and sure.score == 0.8
    assert scripts.agreed([read("ΠΕΙΡΑΙΑΣ", 0.5), read("ΠΕΙΡΑΙΑ", 0.5)]) is None  # they differ
    assert scripts.agreed([read("Πάτρα", 0.3)] * 2) is None  # five letters, too unsure
    assert scripts.agreed([read("ΠΕΙΡΧΙΩΣΚ", 0.5)] * 2) is None  # no word, no name
    assert scripts.agreed([read("ΠΕΙΡΑΙΑΣ", 0.5, whole=False)] * 2) is None  # other letters among them
    assert scripts.agreed([read("Киров", 0.5), read("Киров", 0.5, cyrillic)]) is None  # of two scripts
    assert scripts.agreed([]) is None


@pytest.fixture(scope="module")
def reader() -> scripts.ScriptReader:
    if tesseract.missing():
        pytest.skip(tesseract.missing())
    return scripts.ScriptReader()


@pytest.mark.parametrize("tongue", ["ru", "el", "he", "uk"])
def test_a_drawn_sign_is_read_in_its_script(tongue: str, reader: scripts.ScriptReader) -> None:
    town = next(s for s in sign_drawing.signs(0) if s.tongue == tongue)
    given = sign_drawing.Sign(town.lines[:1], town.tongue, town.script, seed=11)
    found = reader.read(sign_drawing.draw(given))
    assert given.lines[0].casefold() in [line.text.casefold() for line in found if line.model == tesseract.MODEL_ID]


def test_a_latin_sign_stays_latin_and_costs_nothing_more(reader: scripts.ScriptReader) -> None:
    rgb = sign_drawing.draw(sign_drawing.Sign(("No smoking", "Fresh bread daily"), "", "Latin", seed=11))
    assert reader.read(rgb) == reader.alone.read(rgb)


def test_the_author_of_an_observation_is_who_read_it(reader: scripts.ScriptReader) -> None:
    rgb = sign_drawing.draw(sign_drawing.Sign(("МОСКВА",), "ru", "Cyrillic", seed=11))
    found = TextObserver().observe_image(rgb)
    assert [(o.label, o.author) for o in found] == [("МОСКВА", tesseract.MODEL_ID)]


def test_odd_boxes_and_pictures_are_bounded(reader: scripts.ScriptReader) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (300, 4000, 3), dtype=np.uint8)
    long = np.array([[0.0, 0.0], [3999.0, 0.0], [3999.0, 20.0], [0.0, 20.0]])
    assert tesseract.cut(rgb, long) is None and tesseract.cut(rgb, long * 0.0) is None
    assert tesseract.cut(rgb, np.full((4, 2), np.nan)) is None
    outside = np.array([[-50.0, -50.0], [200.0, -50.0], [200.0, 60.0], [-50.0, 60.0]])
    line = tesseract.cut(rgb, outside)
    assert line is not None and line.shape[0] == tesseract.HEIGHT_PX + 2 * tesseract.BORDER_PX
    before = threading.active_count()
    reading = tesseract.LineReader().read(line, tesseract.SCRIPTS[0])
    assert 0.0 <= reading.score <= 1.0 and len(reading.text) <= tesseract.LONGEST_LINE and threading.active_count() == before


def test_without_tesseract_these_scripts_are_not_read_and_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise WeightsError("Text in Cyrillic is not read: tesserocr is missing; pip install tesserocr.")

    tesseract.missing.cache_clear()
    monkeypatch.setattr(tesseract, "_library", absent)
    try:
        assert "tesserocr is missing" in tesseract.missing()
        silent = log_likelihood((), world_grid()).abstained
        assert silent is not None and "no text was read. Text in Cyrillic is not read" in silent
        rgb = sign_drawing.draw(sign_drawing.Sign(("No smoking",), "", "Latin", seed=11))
        assert [line.text for line in scripts.ScriptReader().read(rgb)] == ["No smoking"]
    finally:
        tesseract.missing.cache_clear()


def test_a_changed_model_is_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rus.traineddata").write_bytes(b"something else")
    monkeypatch.setattr(tesseract, "FOLDER", tmp_path)
    tesseract._checked.cache_clear()
    try:
        with pytest.raises(WeightsError, match="not the one expected"):
            tesseract._checked("rus.traineddata")
        with pytest.raises(WeightsError, match="is missing"):
            tesseract._checked("ell.traineddata")
    finally:
        tesseract._checked.cache_clear()


@pytest.mark.parametrize(("read", "meant"), [("Vucatón", "Yucatán"), ("Barceiona", "Barcelona"), ("Челябииск", "Chelyabinsk")])
def test_a_name_read_with_letters_wrong_is_found_at_a_price(read: str, meant: str) -> None:
    wrong = next(r for r in sign.read((read,), (0.95,)) if r.kind in ("place", "area"))
    right = next(r for r in sign.read((meant,), (0.95,)) if r.kind == wrong.kind)
    assert meant in wrong.note and wrong.chance < 0.6 * right.chance


@pytest.mark.parametrize("capital", ["Ljubljana", "Bern", "Vilnius", "Bratislava", "София"])
def test_capitals_are_places(capital: str) -> None:
    assert scoring.region_mass(sign.read((capital,), (0.95,))) > scoring.LEAST_MASS
