"""The page Examine, as Streamlit runs it, with the real models on the built-in examples."""

from __future__ import annotations

import dataclasses
import json
import time
import wave
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import engine
from app.session import judging, media, selecting
from engine.case import Queue

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 120.0


@pytest.fixture
def page() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    at.run()
    assert not at.exception
    return at


@pytest.fixture(scope="module")
def examined() -> Iterator[AppTest]:
    """The golf example, examined once for the tests that only look at it or change their mind about it."""
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    at.run()
    at.button(key="example-golf_georgia").click().run()
    finish(at)
    yield at


def finish(at: AppTest) -> None:
    """Run the page again until its job is done."""
    end = time.monotonic() + WAIT_S
    while session_of(at).job is not None and time.monotonic() < end:
        time.sleep(0.2)
        at.run()
    assert session_of(at).job is None, "the job did not end"
    at.run()
    assert not at.exception


def session_of(at: AppTest):  # type: ignore[no-untyped-def]
    return at.session_state["session"]


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def test_empty_page_says_what_to_do(page: AppTest) -> None:
    assert "Where was this recorded?" in page.title[0].value
    assert {b.key for b in page.button} >= {f"example-{e.path.stem}" for e in engine.examples()}


def test_a_path_that_is_none_gets_one_sentence_with_the_remedy(page: AppTest) -> None:
    page.text_input(key="path-first").input("/nowhere/[link](http://x)<b>.mp4")
    submit(page)
    assert len(page.error) == 1
    said = page.error[0].value
    assert "check the path" in said
    assert "\\[link\\]\\(http" in said and "\\<b\\>" in said  # Markdown and HTML in a name stay text


def submit(at: AppTest) -> None:
    next(b for b in at.button if b.label == "Open").click().run()


def test_a_file_that_is_no_clip_gets_one_sentence(page: AppTest, tmp_path: Path) -> None:
    bad = tmp_path / "notes.mp4"
    bad.write_text("not a film at all", encoding="utf-8")
    page.text_input(key="path-first").input(str(bad))
    submit(page)
    finish(page)
    assert len(page.error) == 1
    assert "Traceback" not in page.error[0].value
    assert session_of(page).perception is None


def test_cancel_stops_the_job_and_keeps_nothing(page: AppTest) -> None:
    page.button(key="example-vermont_chickadee").click()
    page.run()
    job = session_of(page).job
    assert job is not None
    job.cancel()
    finish(page)
    assert session_of(page).perception is None
    assert job.cancelled
    assert any("Stopped" in i.value for i in page.info)


def test_example_is_examined(examined: AppTest) -> None:
    said = html(examined)
    assert "golf_georgia.mp4" in said
    assert "Europe" in said
    b = session_of(examined)
    species = next(o.key for o in b.perception.observations if o.name == "Great Tit")
    b.selected = species
    examined.run()
    assert "Great Tit" in html(examined)
    maps = examined.get("deck_gl_json_chart")
    assert len(maps) == 2  # the belief, and the range of the selected species
    spec = maps[0].proto.json
    assert "H3HexagonLayer" in spec and '"mapProvider"' not in spec and "http" not in spec


def test_changing_ones_mind_needs_no_model_and_can_be_undone(examined: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_model(*_: object, **__: object) -> None:
        raise AssertionError("a model ran")

    monkeypatch.setattr(Queue, "submit", no_model)
    at, b = examined, session_of(examined)
    b.selected = next(o.key for o in b.perception.observations if o.name == "Great Tit")
    at.run()
    first = view_of(at)
    before = b.settings
    at.selectbox(key="set_prior").select("land").run()
    assert b.settings.prior == "land"
    at.date_input(key="set_when").set_value(date(2024, 5, 3)).run()
    assert b.settings.when == date(2024, 5, 3)
    at.number_input(key="set_radius").set_value(200).run()
    assert b.settings.radius_km == 200.0
    at.slider(key="set_interval").set_range(3.0, 15.0).run()
    assert b.settings.interval == engine.Interval(3.0, 15.0)
    assert all(o.end_s > 3.0 for o in b.judged[b.settings].perception.observations)
    at.button(key="drop").click().run()
    assert len(b.settings.dropped) == 1
    assert len(b.edits) == 5
    assert "land" in html(at) and "dropped" in html(at)
    assert view_of(at) == first, "the map jumped"
    for _ in range(5):
        at.button(key="undo").click().run()
        assert not at.exception
    assert b.settings == before
    assert at.selectbox(key="set_prior").value == "mixture"
    assert at.date_input(key="set_when").value is None


def view_of(at: AppTest) -> str:
    return json.dumps(json.loads(at.get("deck_gl_json_chart")[0].proto.json)["initialViewState"], sort_keys=True)


def test_globe_and_focus(examined: AppTest) -> None:
    at, b = examined, session_of(examined)
    at.button_group(key="set_shape").set_value(["Globe"]).run() if hasattr(at, "button_group") else at.get("button_group")
    flat = b.view
    at.button(key="focus-world").click().run()
    assert b.view != flat
    at.button(key="focus-sound").click().run()
    assert b.view.turn == 2
    assert not at.exception


def test_what_the_evidence_list_sends(examined: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and clicks arrive as messages from the browser: known ones act, unknown ones and nonsense change nothing."""
    b = session_of(examined)
    monkeypatch.setattr(st, "session_state", {"session": b})
    key = next(o.key for o in b.perception.observations if o.kind == "species")
    before = (b.settings, b.selected, len(b.edits))
    for nonsense in (
        {"do": "drop", "key": "species/species/Nonexistent bird"},
        {"do": "drop", "key": ["a", "list"]},
        {"do": "select", "key": None, "at": "soon"},
        {"do": "map", "number": 99},
        {"do": "map", "number": "1"},
        {"do": "preview", "at": float("nan")},
        {"do": "delete everything"},
        {},
    ):
        selecting.act(nonsense)
    assert (b.settings, b.selected, len(b.edits)) == before
    selecting.act({"do": "select", "key": key, "at": 4.5})
    assert (b.selected, b.moment_s) == (key, 4.5)
    selecting.act({"do": "drop", "key": key})
    assert key in b.settings.dropped
    selecting.act({"do": "undo"})
    assert b.settings == before[0]
    globe = b.globe
    selecting.act({"do": "map", "number": 5})
    assert b.globe is not globe


@pytest.mark.slow
def test_a_long_recording_gets_a_preview_of_the_stretch_looked_at(page: AppTest, tmp_path: Path) -> None:
    """Films are not sent whole to the browser: a stretch around the moment is."""
    rate, length_s = 8000, 200
    noise = np.random.default_rng(0).normal(0, 3000, rate * length_s).astype("<i2")
    clip = tmp_path / "long <b>.wav"
    with wave.open(str(clip), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(noise.tobytes())
    page.text_input(key="path-first").input(str(clip))
    submit(page)
    finish(page)
    assert "long &lt;b&gt;.wav" in html(page)
    b = session_of(page)
    b.direct_failed = True  # as if the browser could not play it
    page.run()
    end = time.monotonic() + 60
    while b.preview.running and time.monotonic() < end:
        time.sleep(0.1)
    assert b.preview.error == "" and b.preview.path.stat().st_size > 1000
    assert b.preview.interval.length_s == media.PREVIEW_S
    first = b.preview
    media.start_preview(b, 150.0)
    assert b.preview is not first
    assert b.preview.interval.start_s <= 150.0 < b.preview.interval.end_s
    b.preview.cancel()
    assert not page.exception


@dataclasses.dataclass(frozen=True, eq=False)
class Compared(engine.Finding):
    """A finding that carries comparisons."""

    comparisons: tuple[object, ...] = ()


def test_picture_both_and_verdict_are_shown_where_a_finding_has_them(page: AppTest) -> None:
    """The page draws every sense that a finding holds, and the verdict above them."""
    from engine.core.comparison import Comparison

    page.button(key="example-golf_georgia").click().run()
    finish(page)
    b = session_of(page)
    sound = b.judged[b.settings].by("sound")
    assert sound is not None and sound.spoke
    grid = sound.posterior.grid
    near = grid.locate(np.array([33.47]), np.array([-81.97]))[0]
    mass = np.full(len(grid), 0.01 / (len(grid) - 1))
    mass[near] = 0.99
    picture = dataclasses.replace(
        sound, modality="picture", posterior=engine.Posterior(grid, np.log(mass)), region="Georgia, USA",
        place=engine.Place(33.47, -81.97, 0.99, 100.0, "Augusta, <i>Georgia</i>"),
        regions_km2={0.5: 900.0, 0.9: 900.0, 0.95: 2e6},
    )  # fmt: skip
    both = dataclasses.replace(sound, modality="both")
    verdict = Comparison(
        "sound",
        "picture",
        "different places",
        "moderate support",
        6800.0,
        6900.0,
        0.01,
        0.0,
        -2.4,
        -1.95,
        -2.5,
        -1.2,
        True,
        107,
        50.0,
    )
    sign = engine.Observation(
        "text", "text", "AUGUSTA <b>GA</b> 30904", 0.97, 8.0, 8.0, author="rapidocr", box=(0.2, 0.2, 0.6, 0.4)
    )
    was = b.judged[b.settings]
    seen = dataclasses.replace(was.perception, observations=(*was.perception.observations, sign))
    fields = {f.name: getattr(was, f.name) for f in dataclasses.fields(was)}
    fields |= {"located": (sound, picture, both), "perception": seen, "comparisons": (verdict,)}
    b.judged[b.settings] = Compared(**fields)
    b.perception, b.selected, b.moment_s = seen, sign.key, 8.0
    b.judged[b.settings.but(dropped=frozenset({sign.key}))] = b.judged[b.settings]
    page.run()
    assert not page.exception
    said = html(page)
    assert "Sound and picture come from different places" in said
    assert "the maximum our validation supports" in said
    assert "Augusta, &lt;i&gt;Georgia&lt;/i&gt;" in said and "<i>Georgia" not in said
    assert "between the two places" in said
    assert list(judging.layers_of(b.judged[b.settings])) == ["sound", "picture", "both", "outlines"]
    spec = page.get("deck_gl_json_chart")[0].proto.json
    assert '"way-flat"' in spec and "Together" not in spec
    assert page.get("imgs") or page.get("image")


def test_a_silent_side_leads_with_what_can_be_tested(examined: AppTest) -> None:
    b = session_of(examined)
    before = b.settings
    try:
        signs = frozenset(o.key for o in b.perception.observations if o.clue == "text")
        b.settings = before.but(dropped=signs)
        examined.run()
        said = html(examined)
        assert not examined.exception
        assert "Only the sound gives a location: in Europe" in said
        assert "What would help: for the picture," in said and "densest point" not in said.split("What would help")[0]
        b.settings = before.but(dropped=signs, claim=engine.Claim(33.47, -81.97, name="Augusta"))
        examined.run()
        said = html(examined)
        assert "Claimed: Augusta." in said and "Sound against the claim" in said
    finally:
        b.settings = before
        examined.run()
    assert "What would help" not in html(examined)
