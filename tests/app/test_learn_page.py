"""The page Learn: a guess, the answer, the score; a teacher's own folder; hostile tables."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import engine
from app.components.guess.component import land_svg, way
from app.session import game
from engine.analysis import lesson
from engine.core.paths import EXAMPLES
from engine.world import continents

ROOT = Path(__file__).resolve().parents[2]


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def of(at: AppTest) -> game.Game:
    held = at.session_state["learn"]
    assert isinstance(held, game.Game)
    return held


@pytest.fixture
def page() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app" / "pages" / "learn.py"), default_timeout=120)
    at.run()
    assert not at.exception
    return at


def test_eight_clips_and_more_of_six_continents() -> None:
    own = lesson.lessons()
    assert len(own) >= 8
    assert {continents.of(x.lat_deg, x.lon_deg) for x in own} >= {
        "Africa",
        "Asia",
        "Europe",
        "North America",
        "Oceania",
        "South America",
    }
    assert all(x.hints and x.about for x in own)
    assert sum(f.stat().st_size for f in (EXAMPLES / "learn").iterdir()) < 3_000_000


def test_a_guess_an_answer_and_a_score(page: AppTest) -> None:
    g = of(page)
    assert page.button(key="guess-now").disabled, "no guess without a pin"
    page.button(key="hint").click().run()
    assert len(page.info) == 1
    game.pin(g, 50.0, 10.0)
    page.run()
    assert "Germany" in page.caption[-1].value
    page.button(key="guess-now").click().run()
    end = time.monotonic() + 100
    while 0 not in g.scores and time.monotonic() < end:
        time.sleep(0.5)
        page.run()
    assert not page.exception
    score = g.scores[0]
    km, points = lesson.points(g.lessons[0], 50.0, 10.0, hints=1)
    assert (score.km, score.points, score.hints) == (km, points, 1) and 200 < km < 300
    assert "Common Cuckoo" in html(page) and "Score board" in html(page)
    assert "The program" in html(page) and f"{points:,}" in html(page)
    page.button(key="next").click().run()
    assert of(page).at == 1 and not of(page).done


def test_names_and_places_stay_hidden_until_the_guess(page: AppTest) -> None:
    g = of(page)
    shown = html(page) + " ".join(c.value for c in page.caption) + " ".join(m.value for m in page.markdown)
    assert g.lesson.place not in shown and g.lesson.about not in shown and g.lesson.path.name not in shown


def test_a_folder_of_the_teachers_own(page: AppTest, tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "learn" / "song_7.m4a", tmp_path / "mine.m4a")
    (tmp_path / "places.csv").write_text("file,lat_deg,lon_deg,place\nmine.m4a,-39.3,174.1,<b>Home</b>\n", encoding="utf-8")
    page.text_input[0].input(str(tmp_path))
    next(b for b in page.button if b.label == "Play these").click().run()
    assert not page.exception and not page.error
    assert len(of(page).lessons) == 1
    page.button(key="give-up").click().run()
    assert "<b>Home</b>" not in html(page) and "&lt;b&gt;Home" in html(page)


def test_a_folder_without_a_table_gets_one_sentence(page: AppTest, tmp_path: Path) -> None:
    page.text_input[0].input(str(tmp_path))
    next(b for b in page.button if b.label == "Play these").click().run()
    assert len(page.error) == 1 and "places\\.csv" in page.error[0].value
    assert len(of(page).lessons) >= 8, "the game goes on with what it had"


@pytest.mark.parametrize(
    ("table", "said"),
    [("file,lat_deg,place\n", "no column lon_deg"), ("file,lat_deg,lon_deg,place\n", "lists no clips"),
     ("file,lat_deg,lon_deg,place\n../../etc/passwd,1,1,x\n", "Row 1"), ("file,lat_deg,lon_deg,place\na.wav,95,1,x\n", "Row 1"),
     ("file,lat_deg,lon_deg,place\na.wav,nan,1,x\n", "no place on Earth")],
)  # fmt: skip
def test_tables_that_make_no_sense(table: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "places.csv").write_text(table, encoding="utf-8")
    with pytest.raises(engine.DataError, match=said):
        lesson.lessons(tmp_path)


def test_points_of_known_distances() -> None:
    x = lesson.Lesson(Path("a"), 0.0, 179.5, "x")
    assert lesson.points(x, 0.0, 179.5) == (0.0, 1000)
    km, points = lesson.points(x, 0.0, -179.5)  # over the antimeridian
    assert km == pytest.approx(111.2, abs=0.3) and points == round(1000 * 2.718281828 ** (-km / 1500))
    assert lesson.points(x, 0.0, -0.5)[1] == 0  # the antipode
    assert lesson.points(x, 0.0, 179.5, hints=2)[1] == 700


def test_the_map_and_a_way_over_its_edge() -> None:
    assert land_svg(False).startswith(b"<svg") and b"NaN" not in land_svg(True)
    runs = way((0.0, 170.0), (0.0, -170.0), "#000")
    assert len(runs) == 2 and all(
        abs(a[1] - b[1]) < 180 for r in runs for a, b in zip(r["points"], r["points"][1:], strict=False)
    )
