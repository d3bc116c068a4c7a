"""The analyst's hand on the page Examine, as Streamlit runs it; the example is perceived once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import engine
from app.session import jobs, judging, selecting

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 240.0
TIT, CUCKOO = "species/species/Parus major", "species/species/Cuculus canorus"
SECRETS = ("golf_georgia", "AUGUSTA", "706 555", "PINEMARROW", "Georgia", "different places")


@pytest.fixture
def page() -> Iterator[AppTest]:
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    at.run()
    yield at


def examine(at: AppTest) -> None:
    at.button(key="example-golf_georgia").click().run()
    end = time.monotonic() + WAIT_S
    while at.session_state["session"].job is not None and time.monotonic() < end:
        time.sleep(0.2)
        at.run()
    at.run()
    assert not at.exception


def select(at: AppTest, key: str) -> None:
    at.session_state["session"].selected = key
    at.run()


def press(at: AppTest, key: str) -> None:
    at.button(key=key).click().run()
    assert not at.exception


def said(at: AppTest) -> str:
    kinds = ("caption", "markdown", "error", "info")
    return " ".join([e.proto.body for e in at.get("html")] + [x.value for kind in kinds for x in at.get(kind)])


def by_label(at: AppTest, kind: str, label: str):  # type: ignore[no-untyped-def]
    return next(w for w in at.get(kind) if w.label == label)


@pytest.mark.slow
def test_edits_are_made_listed_undone_and_done_again(page: AppTest) -> None:
    examine(page)
    b = page.session_state["session"]
    before = b.settings
    page.text_input(key="name-add").input("Ann").run()

    page.text_input(key="add-species-query").input("coal tit").run()
    press(page, "add-species-go")
    assert b.settings.added[-1].label == "Periparus ater" and b.settings.added[-1].author == "analyst:Ann"
    assert b.selected == "species/species/Periparus ater"

    select(page, TIT)
    press(page, "confirm-go")
    assert b.settings.edits[-1].what == "confirm" and b.settings.edits[-1].author == "Ann"

    select(page, CUCKOO)
    by_label(page, "text_input", "What it is").input("black-capped chickadee").run()
    press(page, "relabel-go")
    assert b.settings.edits[-1].replacement[0].label == "Poecile atricapillus" and CUCKOO in b.settings.dropped

    select(page, TIT)
    by_label(page, "text_area", "What you noticed").input("a loop, every nine seconds").run()
    press(page, "note-go")
    assert b.settings.edits[-1].note.startswith("a loop")
    assert "a loop, every nine seconds" in said(page)

    page.number_input(key="weight-text").set_value(0.5).run()
    assert b.settings.weights == (("text", 0.5),)
    page.toggle(key="clue-container").set_value(True).run()
    assert b.settings.included == {"container"}

    assert [e.what for e in b.settings.edits] == ["add", "confirm", "relabel", "note", "weight", "include"]
    found = b.judged[b.settings]
    assert found.comparisons[0].before_words.startswith("different places")
    steps = judging.steps(b)
    assert [s.edit for s in steps] == list(b.settings.edits)
    compared = found.comparisons[0]
    assert (steps[0].log10_before, steps[-1].log10_after) == (compared.before_edits, compared.after_edits)
    after = b.settings
    for _ in range(6):
        press(page, "undo")
    assert b.settings == before and page.button(key="undo").disabled
    for _ in range(6):
        press(page, "redo")
    assert b.settings == after and page.button(key="redo").disabled


def test_a_setting_that_was_chosen_is_listed_with_what_it_does(page: AppTest) -> None:
    examine(page)
    b = page.session_state["session"]
    page.session_state["edits-open"] = True
    page.selectbox(key="set_prior").set_value("land").run()
    assert not page.exception and b.settings.prior == "land"
    (choice,) = judging.choices(b)
    assert choice.log10_chosen == b.judged[b.settings].comparisons[0].log10_factor
    assert "Prior: uniform over land, by area, not even mixture" in said(page) and "compared with the default" in said(page)


def test_a_sign_is_read_as_the_clue_reads_it_and_nonsense_is_refused(page: AppTest) -> None:
    examine(page)
    b = page.session_state["session"]
    b.settings = engine.apply_edit(
        b.settings, engine.analysis.edits.add_sign("Springfield", 3.0, 3.0, 0.9, "Ann", place=(39.8, -89.64))
    )
    page.run()
    assert b.judged[b.settings].by("picture").spoke
    select(page, "text/text/Springfield")
    assert "Springfield added" in said(page)
    page.text_input(key="add-species-query").input("zzzzqqqq").run()
    assert "knows no species of that name" in said(page) and page.button(key="add-species-go").disabled


def test_a_table_is_read(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.panels.edits import _read

    examine(page)
    b = page.session_state["session"]

    class File:
        name = "evil\x1b<b>.txt"

        def __init__(self, text: str) -> None:
            self.text = text

        def getvalue(self) -> bytes:
            return self.text.encode()

    monkeypatch.setattr(st, "session_state", {"session": b, "analyst_name": "Ann"})
    _read(b, File("0.0\t3.0\tPoecile atricapillus_Black-capped Chickadee\t0.9\n3\t6\tWood Wose\n"), True)
    assert b.settings.edits[-1].what == "import" and "birdnet-v2.4" in b.settings.left_out
    assert {o.label for o in b.settings.added} == {"Poecile atricapillus"}
    monkeypatch.undo()
    page.run()
    told = said(page)
    assert "Wood Wose" in told and "\x1b" not in told and "<b>.txt" not in told
    rows = {p.key: p for p in engine.gather(b.judged[b.settings])}
    assert rows[TIT].dropped and not rows["species/species/Poecile atricapillus"].dropped
    monkeypatch.setattr(st, "session_state", {"session": b})
    _read(b, File("start,species\nx,Great Tit\n"), False)
    assert "Line 2" in b.error and len(b.settings.edits) == 1


def test_an_interval_is_drawn(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    examine(page)
    b = page.session_state["session"]
    assert len(b.peaks) == jobs.PEAKS and max(b.peaks) == 1.0
    monkeypatch.setattr(st, "session_state", {"session": b})
    selecting.act({"do": "interval", "at": 3.0, "to": 9.0})
    assert b.settings.interval == engine.Interval(3.0, 9.0)
    for nonsense in ({"at": 5.0, "to": "x"}, {"at": 5.0, "to": float("nan")}, {"at": 9.0, "to": 3.0}, {"at": 0.0, "to": True}):
        selecting.act({"do": "interval", **nonsense})
        assert b.settings.interval is None
    selecting.act({"do": "interval", "at": -1.0, "to": 3.0})
    assert b.settings.interval is None


def test_what_each_piece_does_is_worked_out_when_opened(page: AppTest) -> None:
    examine(page)
    b = page.session_state["session"]
    found = judging.effects(b)
    assert {e.clue for e in found if not e.key} == {"species", "agclip", "text"}
    assert judging.effects(b) is found, "cached"
    from app.panels.effects import _bars, _sheet

    assert len(_sheet(found)) == len(found)
    assert _bars([e for e in found if e.log10_change]).data


def test_blind_hides_all_but_the_sound_until_it_is_judged(page: AppTest) -> None:
    page.checkbox(key="blind-first").check().run()
    examine(page)
    b = page.session_state["session"]
    assert b.blind
    assert "Judge the sound first" in said(page) and "Sealed clip" in said(page)
    kinds = ("html", "deck_gl_json_chart", "bidi_component", "markdown", "caption", "selectbox", "button", "info")
    everything = "".join(str(e.proto) for kind in kinds for e in page.get(kind))
    assert not [w for w in SECRETS if w in everything]
    assert list(judging.layers_of(judging.finding(b))) == ["sound"]
    with pytest.raises(KeyError):
        page.button(key="export-json")
    press(page, "blind-go")
    assert b.blind and "No opinion" in b.error
    page.text_area(key="blind-opinion").input("Europe: Great Tit and Cuckoo").run()
    press(page, "blind-go")
    assert b.blind and "signed" in b.error
    page.text_input(key="name-blind").input("Ann").run()
    press(page, "blind-go")
    assert not b.blind and b.error == ""
    made = b.settings.edits[-1]
    assert (made.what, made.author, made.note) == ("judgement", "Ann", "Europe: Great Tit and Cuckoo") and len(made.digest) == 64
    page.run()
    assert "golf_georgia.mp4" in said(page) and "different places" in said(page)
    assert page.button(key="undo").disabled, "a judgement cannot be undone"


def test_a_clip_that_was_shown_cannot_be_judged_blind(page: AppTest) -> None:
    examine(page)
    page.checkbox(key="blind-again").check().run()
    page.button(key="again-golf_georgia").click().run()
    end = time.monotonic() + WAIT_S
    while page.session_state["session"].job is not None and time.monotonic() < end:
        time.sleep(0.2)
        page.run()
    page.run()
    b = page.session_state["session"]
    assert not b.blind and "no longer be judged blind" in b.note
