"""Text read in pictures: names, languages, contacts, their score on the map, silence, captions, hostile text, real photos."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import pytest

from engine.clues.text import fold, frames, language, reading, score, scoring, sign
from engine.clues.text.index import gazetteer
from engine.clues.text.observe import TextObserver
from engine.core import sphere
from engine.core.clip import Clip, Frame, Interval
from engine.core.errors import WeightsError
from engine.core.observation import Observation
from engine.core.paths import data_dir
from engine.core.posterior import Posterior
from engine.models import ocr
from engine.world import priors
from engine.world.grid import world_grid

# Signs as they are worded in their countries, none of them from the photos: text, latitude, longitude.
SIGNS = (
    (("Københavns Kommune", "Hunde skal føres i snor"), 55.68, 12.57),
    (("Gemeente Utrecht", "Verboden fietsen te plaatsen"), 52.09, 5.12),
    (("Mairie de Lyon", "Chiens interdits"), 45.76, 4.84),
    (("Comune di Firenze", "Vietato l'accesso ai cani"), 43.77, 11.26),
    (("Ajuntament de Sitges", "Platja sense gossos"), 41.235, 1.81),
    (("Göteborgs stad", "Hundrastgård"), 57.70, 11.97),
    (("Helsingin kaupunki", "Koirat kytkettävä"), 60.17, 24.94),
    (("Manchester City Council", "No ball games"), 53.48, -2.24),
    (("Welcome to Burlington, Vermont",), 44.48, -73.21),
    (("AUGUSTA NATIONAL GOLF CLUB", "Augusta, GA 30904"), 33.48, -82.02),
    (("www.amsterdam.nl", "Let op: geen toegang"), 52.37, 4.90),
    (("Tel. 089 233-00", "Parken verboten"), 48.14, 11.58),
    (("50667 Köln", "Domkloster 4"), 50.94, 6.96),
    (("京都市", "ポイ捨て禁止"), 35.01, 135.77),
    (("Byron Bay NSW", "Welcome to Byron Bay"), -28.64, 153.61),
)
NOTHING = ("STOP", "EXIT", "NO PARKING", "PRIVATE PROPERTY", "P", "BAR", "12:45", "SALE 50%", "I LOVE YOU", "www.example.com", "")


def observed(*lines: str, score: float = 0.98) -> tuple[Observation, ...]:
    return tuple(Observation("text", "text", line, score, 0.0, 0.0, author=ocr.MODEL_ID) for line in lines)


def heaviest(lines: tuple[str, ...]) -> tuple[float, float]:
    """Centre of the world cell with the most mass."""
    world = world_grid()
    evidence = score.log_likelihood(observed(*lines), world)
    assert evidence.abstained is None, lines
    posterior = Posterior.of(priors.prior("mixture", world), evidence.log_likelihood)
    lat, lon = world.lat_lon_deg
    best = int(posterior.mass.argmax())
    return float(lat[best]), float(lon[best])


def test_names_are_compared_without_case_accents_and_spaces() -> None:
    assert fold.squash("Sant Pere de RIBES") == fold.squash("santpere de Ribes") == "santperederibes"
    assert fold.squash("Malmö") == "malmo"
    assert fold.squash("STRAẞE") == fold.squash("Straße") == "strasse"
    assert [w.text for w in fold.words("Ajuntament d'Altafulla ambTarragona")] == [
        "Ajuntament",
        "d",
        "Altafulla",
        "amb",
        "Tarragona",
    ]


def test_the_gazetteer_knows_alternate_names() -> None:
    found = gazetteer().find("denhaag")
    assert found[0].country == "NL" and sphere.distance_km(found[0].lat_deg, found[0].lon_deg, 52.08, 4.31) < 10
    assert gazetteer().find("koln")[0].place == gazetteer().find("cologne")[0].place
    assert gazetteer().find("xqzzyk") == ()


@pytest.mark.parametrize(("lines", "lat", "lon"), SIGNS)
def test_a_sign_that_names_its_place_is_placed(lines: tuple[str, ...], lat: float, lon: float) -> None:
    at = heaviest(lines)
    assert sphere.distance_km(*at, lat, lon) < 120  # the centre of a world cell lies up to 70 km from the places in it


@pytest.mark.parametrize("line", NOTHING)
def test_a_sign_that_says_nothing_of_a_place_is_silent(line: str) -> None:
    evidence = score.log_likelihood(observed(line), world_grid())
    assert evidence.abstained
    assert not evidence.log_likelihood.any()


def test_no_text_is_silent_by_name() -> None:
    assert score.log_likelihood((), world_grid()).abstained == "no text was read"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hier geldt een aanlijnplicht en opruimplicht", "nl"),
        ("Rastning av hundar förbjuden", "sv"),
        ("Obligatori recollir els excrements", "ca"),
        ("Chiunque conduce cani è obbligato", "it"),
        ("Betreten auf eigene Gefahr", "de"),
        ("Hunder skal holdes i bånd hele året", "nb"),
        ("Zakaz wprowadzania psów", "pl"),
    ],
)
def test_languages_are_told_apart(text: str, code: str) -> None:
    chances = language.log_chances([text], fold.words(text))
    assert max(chances, key=lambda k: chances[k]) == code
    assert np.exp(list(chances.values())).sum() == pytest.approx(1.0, abs=1e-6)


def test_catalan_points_to_catalonia_and_dutch_to_flanders_too() -> None:
    regions = gazetteer().region_codes
    catalan, dutch = language.shares("ca"), language.shares("nl")
    assert catalan[regions.index("ES.56")] > 50 * catalan[regions.index("ES.29")]
    assert dutch[regions.index("BE.VLG")] > 0.8 > 0.1 > dutch[regions.index("BE.WAL")]


def test_a_name_that_is_a_common_word_is_weak_and_a_titled_one_strong() -> None:
    def chance(*lines: str) -> float:
        found = [r for r in sign.read(lines, (0.98,) * len(lines)) if r.kind == "place"]
        return max((r.chance for r in found), default=0.0)

    assert chance("Nice weather for a walk") < 0.2
    assert chance("Ville de Nice") > 0.8
    assert chance("Rue de Paris") < 0.5 < chance("Ville de Paris")


def test_a_state_after_the_name_decides_between_towns_of_one_name() -> None:
    vermont = sign.read(("Burlington, Vermont",), (0.98,))
    ontario = sign.read(("Burlington, Ontario",), (0.98,))
    place = next(r for r in vermont if r.kind == "place")
    assert "Vermont" in place.note
    assert sphere.distance_km(place.spots[0].lat_deg, place.spots[0].lon_deg, 44.48, -73.21) < 10
    assert "Ontario" in next(r for r in ontario if r.kind == "place").note


def test_a_letter_read_wrong_under_a_title_is_forgiven() -> None:
    found = [r for r in sign.read(("Stadt Kolh", "Hunde fernhalten"), (0.9, 0.99)) if r.kind == "place"]
    assert any("Köln" in r.note and "one letter wrong" in r.note for r in found)


def test_a_postal_code_counts_only_with_its_town() -> None:
    right = sign.read(("50667 Köln",), (0.98,))
    wrong = sign.read(("50667 Hamburg",), (0.98,))
    assert any(r.kind == "postal" for r in right)
    assert not any(r.kind == "postal" for r in wrong)


def test_a_name_written_twice_counts_once() -> None:
    once = sign.read(("Stadt Iserlohn",), (0.98,))
    twice = sign.read(("Stadt Iserlohn", "STADT ISERLOHN"), (0.98, 0.98))
    assert len([r for r in once if r.kind == "place"]) == len([r for r in twice if r.kind == "place"]) == 1


def test_two_towns_near_each_other_find_each_other() -> None:
    """Springfield is anywhere; beside Chicopee and Holyoke it is the one in Massachusetts."""
    at = heaviest(("Springfield 6", "Chicopee 3", "Holyoke 9"))
    assert sphere.distance_km(*at, 42.10, -72.59) < 120


def test_the_likelihood_is_finite_and_the_same_on_every_call_and_grid() -> None:
    world = world_grid()
    seen = observed("Malmö stad", "Koppla hunden")
    first = score.log_likelihood(seen, world)
    again = score.log_likelihood(seen[::-1], world)
    assert np.isfinite(first.log_likelihood).all()
    np.testing.assert_allclose(first.log_likelihood, again.log_likelihood, atol=1e-9)
    lat, lon = np.array([55.6]), np.array([13.0])
    cell = world.locate(lat, lon)
    fine = world.refined(cell, 5)
    refined = score.log_likelihood(seen, fine)
    coarse_mass = Posterior.of(priors.prior("mixture", world), first.log_likelihood).mass[cell[0]]
    cells, log_mass = Posterior.of(priors.prior("mixture", fine), refined.log_likelihood).at_resolution()
    fine_mass = np.exp(log_mass[np.searchsorted(cells, world.cells[cell[0]])])
    assert fine_mass == pytest.approx(coarse_mass, abs=0.15)


def test_near_the_pole_and_the_antimeridian_kernels_keep_their_mass() -> None:
    for lat, lon in ((89.0, 0.0), (-17.0, 179.99), (-77.8, 166.7)):
        k = scoring._kernel(reading.Spot(lat, lon, 5.0, 1.0), world_grid())
        assert np.isfinite(k).all() and (k.sum() == pytest.approx(1.0) or k.sum() == 0.0)


@pytest.mark.parametrize(
    "hostile",
    [
        "=HYPERLINK('http://x')",
        "<script>alert(1)</script>",
        "A" * 5000,
        "\x00\x1b[2J",
        "🎉" * 200,
        "(" * 300,
        "www." * 300 + ".com",
        "+" + "1" * 400,
    ],
)
def test_hostile_text_is_read_without_harm(hostile: str) -> None:
    evidence = score.log_likelihood(observed(hostile), world_grid())
    assert np.isfinite(evidence.log_likelihood).all()


# ---- reading pictures


def picture(
    *lines: tuple[str, int, int], width: int = 960, height: int = 540, background: int = 200, noise: int = 0
) -> np.ndarray:
    rgb = np.full((height, width, 3), background, dtype=np.uint8)
    if noise:
        rng = np.random.default_rng(noise)
        rgb = cv2.resize(rng.integers(60, 255, (6, 10, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    for text, x, y in lines:
        cv2.rectangle(rgb, (x - 10, y - 45), (x + 24 * len(text), y + 18), (255, 255, 255), -1)
        cv2.putText(rgb, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (0, 0, 0), 3, cv2.LINE_AA)
    return rgb


class Film:
    """A reader over frames drawn here."""

    def __init__(self, shown: list[np.ndarray]) -> None:
        self.clip = Clip("film", "0" * 64, 1, "test", 2.0 * len(shown))
        self.skipped: dict[str, int] = {}
        self._shown = shown

    def frames(
        self,
        times_s: Iterable[float] | None = None,
        interval: Interval | None = None,
        max_side_px: int | None = None,
        track: int | None = None,
    ) -> Iterator[Frame]:
        for time_s in times_s or ():
            yield Frame(time_s, self._shown[min(int(time_s / 2.0), len(self._shown) - 1)])

    def audio(self, *_: object, **__: object) -> Iterator[object]:
        return iter(())

    def close(self) -> None: ...


def test_a_drawn_sign_is_read_with_its_box(capfd: pytest.CaptureFixture[str]) -> None:
    found = TextObserver().observe_image(picture(("Augusta, GA 30904", 120, 200)))
    assert [o.label.replace(" ", "") for o in found] == ["Augusta,GA30904"]
    left, top, right, bottom = found[0].box or (0, 0, 0, 0)
    assert 0.05 < left < 0.2 and right > 0.4 and 0.2 < top < bottom < 0.45
    assert "Augusta, Georgia, USA" in found[0].note
    out, err = capfd.readouterr()
    assert out == "" and err == ""


def test_the_same_sign_in_many_frames_is_one_observation() -> None:
    shown = [picture(("Ville de Lyon", 120 + 4 * i, 200), background=180 + 5 * i) for i in range(4)]
    film = Film(shown)
    found = TextObserver().observe(film.clip, film)
    assert len(found) == 1
    assert found[0].end_s - found[0].start_s == pytest.approx(6.0, abs=0.1)


def test_a_caption_stays_while_the_picture_changes_and_is_not_scored() -> None:
    shown = [picture(("Gemeente Utrecht", 40, 520), noise=i + 1) for i in range(5)]
    film = Film(shown)
    found = TextObserver().observe(film.clip, film)
    captions = [o for o in found if "Utrecht" in o.label]
    assert captions and all(o.note.startswith(frames.CAPTION) for o in captions)
    assert "captions" in (score.log_likelihood(tuple(captions), world_grid()).abstained or "")
    assert score.log_likelihood(tuple(captions), world_grid(), captions=True).abstained is None


def test_a_changed_model_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "PP-OCRv6_det_small.onnx"
    monkeypatch.setitem(ocr.SHA256, name, "0" * 64)
    with pytest.raises(WeightsError, match="pip install"):
        ocr.model_file(name)


def test_the_recogniser_leaves_the_root_log_alone() -> None:
    before = list(logging.getLogger().handlers)
    ocr.TextReader().read(picture(("Halt", 100, 200)))
    assert logging.getLogger().handlers == before
    assert all(isinstance(h, logging.NullHandler) for h in logging.getLogger("RapidOCR").handlers)


@pytest.mark.parametrize(
    ("file", "lat", "lon", "words"),
    [
        ("ph0353.jpg", 41.1406, 1.3769, "Altafulla"),
        ("ph0325.jpg", 51.408, 7.695, "Iserlohn"),
        ("ph0341.jpg", 52.081, 4.307, "denhaag"),
    ],
)
def test_real_signs_are_read_and_placed(file: str, lat: float, lon: float, words: str) -> None:
    path = data_dir() / "photos" / file
    if not path.is_file():
        pytest.skip(f"no real photos at {path.parent}; set EARWITNESS_DATA")
    from engine.lab.bench.photos import read_photo

    found = read_photo(path)
    assert any(words in o.label for o in found)
    world = world_grid()
    evidence = score.log_likelihood(found, world)
    posterior = Posterior.of(priors.prior("mixture", world), evidence.log_likelihood)
    assert posterior.mass[posterior.grid.locate(np.array([lat]), np.array([lon]))[0]] > 0.4


def test_one_sign_read_in_many_shots_counts_once() -> None:
    from engine.clues.text.score import distinct

    lines = (
        ("AUGUSTA NATIONAL GOLF CLUB", 0.97),
        ("AUGUSTA NATIONAI GOLF CLUB", 0.8),
        ("Route 11 North", 0.9),
        ("Route 12 North", 0.9),
    )
    assert [t for t, _ in distinct(lines)] == ["AUGUSTA NATIONAL GOLF CLUB", "Route 11 North", "Route 12 North"]
    world = world_grid()
    once = score.log_likelihood(observed("Ajuntament de Sitges"), world).log_likelihood
    lines = ("Ajuntament de Sitges",) * 5 + ("Ajuntament de Sitqes", "AJUNTAMENT DE SITGES")
    repeated = (Observation("text", "text", text, 0.98, float(i), float(i), author=ocr.MODEL_ID) for i, text in enumerate(lines))
    often = score.log_likelihood(tuple(repeated), world).log_likelihood
    assert np.abs(once - often).max() < 0.2


def test_a_language_is_known_by_its_letters_and_most_by_their_words_too() -> None:
    from engine.clues.text import language

    known = language.known_where()
    assert all(letters for letters, words, _ in known.values() if words), "words alone never tell a language"
    assert all(named for *_, named in known.values())
    assert {x for x, (letters, words, _) in known.items() if not letters and not words} == {"gl"}
    assert set(language.WORD_LISTS.values()) <= set(language.LANGUAGES)
