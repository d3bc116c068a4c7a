"""The analyst's hand from end to end, on a perception made by hand: no model runs, the scoring is the real one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine.analysis import edits as hand
from engine.analysis.effects import choices, clue_switches, effects, explained, history
from engine.analysis.judge import judge
from engine.clues.text import choice
from engine.clues.text.sign import read
from engine.core.clip import Clip, Interval, Stream
from engine.core.edit import apply_edit, untouched
from engine.core.errors import SettingError
from engine.core.finding import Finding
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.report import to_html, to_json
from engine.report.formats.csv import edits_csv

EUROPE = ("Parus major", "Cuculus canorus", "Turdus merula")


def heard(latin: str, start_s: float = 0.0, score: float = 0.97) -> Observation:
    name = hand.english(f"species/species/{latin}")
    return Observation("species", "species", latin, score, start_s, start_s + 3.0, name, "birdnet-v2.4")


def sign(text: str) -> Observation:
    return Observation("text", "text", text, 0.99, 5.0, 5.0, author="ppocr", box=(0.1, 0.1, 0.4, 0.2))


@pytest.fixture(scope="module")
def perception() -> Perception:
    streams = (Stream(0, 1, "video", "h264", 24.0, title="secret"), Stream(1, 1, "audio", "aac", 24.0, title="secret"))
    clip = Clip("/x/secret.mp4", "ab" * 32, 1, "mov,mp4", 24.0, streams, (("title", "secret"),), ("secret",))
    seen = (*(heard(s, 3.0 * i) for i, s in enumerate(EUROPE)), sign("AUGUSTA, GA 30904"), sign("TEL. +1 706 555 0143"))
    stated = np.array([33.0, 44.0], np.float32)
    claim = Observation("container", "tag", "+33+44/", 1.0, 0.0, 0.0, "location", "container", vector=stated)
    return Perception(clip, Interval(0.0, 24.0), (*seen, claim), models=("birdnet-v2.4",))


@pytest.fixture(scope="module")
def first(perception: Perception) -> Finding:
    return judge(perception)


def own(perception: Perception, key: str) -> tuple[Observation, ...]:
    return tuple(o for o in perception.observations if o.key == key)


def test_as_first_computed_guards_the_headline(perception: Perception, first: Finding) -> None:
    """Relabelling Europe's birds as America's weakens "different"; it cannot turn it into a stronger "same"."""
    was = first.comparisons[0]
    assert was.verdict == "different places" and was.before_edits is None and first.before == ()
    s = Settings()
    for old, new in zip(EUROPE, ("Northern Cardinal", "Carolina Chickadee", "Carolina Wren"), strict=True):
        s = apply_edit(s, hand.relabel(own(perception, f"species/species/{old}"), new, 0.99, "Ann"))
    found = judge(perception, s, first=first)
    now = found.comparisons[0]
    assert now.before_edits == pytest.approx(was.log10_factor) and now.before_words == was.said
    assert now.after_edits is not None and now.after_edits > was.log10_factor
    assert now.verdict == "cannot tell" or abs(now.log10_factor) <= abs(was.log10_factor)
    assert {x.modality for x in found.before} == {x.modality for x in first.located}
    assert "USA" in str(found.by("sound").countries[:3])  # type: ignore[union-attr]


def test_what_a_silent_sense_is_given_by_hand_stands_and_says_so(perception: Perception) -> None:
    deaf = Perception(perception.clip, perception.interval, own(perception, "text/text/AUGUSTA, GA 30904"))
    assert not judge(deaf).by("sound").spoke  # type: ignore[union-attr]
    s = Settings()
    for latin in EUROPE:
        s = apply_edit(s, hand.add_species(latin, 0.0, 3.0, 0.99, "Ann"))
    c = judge(deaf, s).comparisons[0]
    assert c.verdict == "different places" and c.before_edits is None and "sound" in c.before_words


def test_history_and_effects(perception: Perception, first: Finding) -> None:
    s = apply_edit(Settings(), hand.drop("species/species/Parus major", "Ann", "foley"))
    s = apply_edit(s, hand.confirm(own(perception, "species/species/Cuculus canorus"), 0.99, "Ann"))
    s = apply_edit(s, hand.remark("species/species/Turdus merula", "far away", "Ann"))
    steps = history(perception, s)
    assert [x.edit.what for x in steps] == ["drop", "confirm", "note"]
    assert steps[0].log10_before == pytest.approx(first.comparisons[0].log10_factor)
    assert steps[0].log10_after == steps[1].log10_before and steps[2].log10_before == steps[2].log10_after
    found = effects(perception, Settings(), first)
    by_key = {e.key or e.clue: e for e in found}
    assert {"species", "text", *(f"species/species/{x}" for x in EUROPE)} <= by_key.keys()
    assert by_key["species"].alone and by_key["species"].log10_change is None
    tit = by_key["species/species/Parus major"]
    without = judge(perception, s.but(added=(), edits=(), dropped=frozenset({tit.key})))
    gained = first.by("sound").gain_nats - without.by("sound").gain_nats  # type: ignore[union-attr]
    assert tit.gain_change == pytest.approx(gained, abs=0.05)
    assert tit.log10_change is not None and tit.log10_change < 0, "a bird of Europe speaks against Georgia"


def test_what_a_sense_rests_on_alone_comes_first(perception: Perception) -> None:
    faint = heard("Poecile atricapillus", 12.0, 0.12)
    quiet = Perception(perception.clip, perception.interval, (*own(perception, "species/species/Parus major"), faint))
    found = [e for e in effects(quiet) if e.clue == "species"]
    assert found[0].key == "" and [e.key for e in found[1:]] == ["species/species/Parus major", faint.key]
    assert found[1].alone and not found[2].alone and found[2].log10_change is None


def test_reports_hold_edits_and_effects(perception: Perception) -> None:
    s = apply_edit(Settings(), hand.drop("species/species/Parus major", "Ann <b>", "foley <script>", title="Great Tit"))
    s = apply_edit(s, hand.add_sign("Springfield", 2.0, 2.0, 0.9, "Ann", place=(39.8, -89.64)))
    found = explained(judge(perception, s))
    data = json.loads(to_json(found))
    assert [e["what"] for e in data["edits"]] == ["drop", "add"]
    assert data["edits"][1]["put_in"][0]["lat_deg"] == pytest.approx(39.8)
    assert data["edits"][0]["log10_before"] is not None and data["effects"] and data["before"]
    page = to_html(found)
    assert "Great Tit dropped, by Ann &lt;b&gt;: foley &lt;script&gt;" in page and "<script>" not in page
    assert 'id="edits"' in page and 'id="effects"' in page and "As first computed" in page


def test_reports_say_what_each_setting_chosen_does(perception: Perception, first: Finding) -> None:
    assert choices(first) == ()
    s = Settings(prior="population", when=date(2024, 5, 1))
    found = judge(perception, s)
    found = replace(found, choices=choices(found))
    prior, when = found.choices
    assert (prior.name, prior.chosen, prior.default) == ("prior", "population", "mixture")
    assert (when.name, when.chosen, when.default) == ("when", "2024-05-01", "")
    for c, without in ((prior, s.but(prior="mixture")), (when, s.but(when=None))):
        assert c.log10_default == pytest.approx(judge(perception, without).comparisons[0].log10_factor)
        assert c.log10_chosen == pytest.approx(found.comparisons[0].log10_factor) and dict(c.moved_km).keys() >= {"sound"}
    assert [c["name"] for c in json.loads(to_json(found))["choices"]] == ["prior", "when"]
    page = to_html(found)
    assert 'id="chosen"' in page and "Date of the recording: 2024-05-01, not any time of the year" in page
    assert "Prior: where people live, not even mixture" in edits_csv(found)


def test_a_place_chosen_for_a_sign_is_the_place_meant() -> None:
    notes, meant = choice.meanings("Springfield")
    assert any("place" in n for n in notes) and len(meant) > 5
    illinois = next(m for m in meant if "Illinois" in m.name)
    readings = read(("Springfield",), (1.0,))
    chosen = choice.narrowed(readings, ("Springfield",), {"Springfield": (illinois.lat_deg, illinois.lon_deg, 0.9)})
    named = [r for r in chosen if r.kind == "place"]
    assert len(named) == 1 and len(named[0].spots) == 1 and named[0].spots[0].lat_deg == pytest.approx(39.8, abs=0.1)
    assert named[0].chance == pytest.approx(choice.ABOUT * 0.9)
    elsewhere = choice.narrowed(readings, ("Springfield",), {"Springfield": (10.0, 10.0, 0.9)})
    assert [(s.lat_deg, s.lon_deg) for r in elsewhere if r.kind == "place" for s in r.spots] == [(10.0, 10.0)]


def test_search_for_species() -> None:
    assert hand.find_species("great tit")[0] == ("Parus major", "Great Tit")
    assert ("Parus major", "Great Tit") in hand.find_species("parus maj")
    assert hand.find_species("Parus majr")[0][0] == "Parus major"
    assert hand.find_species("") == () and hand.find_species("zzzzqqqq") == ()


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: hand.add_species("Great Tiit", 0, 3, 0.9), "did you mean Great Tit"),
        (lambda: hand.add_species("Great Tit", 3, 0, 0.9), "later end"),
        (lambda: hand.add_species("Great Tit", 0, float("inf"), 0.9), "later end"),
        (lambda: hand.add_species("Great Tit", 0, 3, 0.0), "out of range"),
        (lambda: hand.add_sign("  ", 0, 0, 0.9), "empty"),
        (lambda: hand.add_sign("x" * 200, 0, 0, 0.9), "at most"),
        (lambda: hand.add_sign("A", 0, 0, 0.9, place=(99.0, 0.0)), "nowhere"),
        (lambda: hand.confirm((), 0.9), "nothing of that name"),
        (lambda: hand.relabel((heard("Parus major"),), "Great Tit", 0.9), "confirm it instead"),
        (lambda: hand.remark("k", " "), "empty"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(make: object, says: str) -> None:
    with pytest.raises(SettingError, match=says) as told:
        make()  # type: ignore[operator]
    assert str(told.value).endswith((".", "?"))


def test_nothing_but_the_sound_is_in_a_sealed_finding(perception: Perception, first: Finding) -> None:
    sealed = hand.sound_finding(judge(hand.sound_alone(perception)))
    assert [x.modality for x in sealed.located] == ["sound"] and sealed.comparisons == () and sealed.before == ()
    said = to_json(sealed) + to_html(sealed)
    assert not re.search("secret|AUGUSTA|706 555|\\+33", said)
    same = first.by("sound")
    there, here = sealed.located[0].place, same.place  # type: ignore[union-attr]
    assert (there.name, there.mass) == (here.name, pytest.approx(here.mass, rel=1e-3))


def test_a_judgement_is_signed_and_stamped_and_scores_nothing(perception: Perception) -> None:
    sealed = hand.sound_finding(judge(hand.sound_alone(perception)))
    made = hand.judgement(sealed, "Europe", 0.9, "Ann")
    again = hand.fingerprint(hand.sound_finding(judge(hand.sound_alone(perception))), "sound")
    other = hand.sound_finding(judge(hand.sound_alone(perception), Settings(prior="land")))
    assert made.digest == again != hand.fingerprint(other, "sound") and len(made.digest) == 64
    assert made.created.endswith("+00:00") and not made.scores
    s = apply_edit(Settings(), made)
    assert untouched(s) == Settings() and judge(perception, s).comparisons[0].before_words == ""
    for opinion, author in ((" ", "Ann"), ("Europe", " ")):
        with pytest.raises(SettingError):
            hand.judgement(sealed, opinion, 0.9, author)


def test_weights_count(perception: Perception, first: Finding) -> None:
    silent = judge(perception, apply_edit(Settings(), hand.Edit("weight", "text", weight=0.0)))
    assert not silent.by("picture").spoke  # type: ignore[union-attr]
    half = judge(perception, Settings(weights=(("modality:picture", 0.0),)))
    assert half.by("picture").spoke and half.by("both").place == half.by("sound").place  # type: ignore[union-attr]
    assert {c.name for c in clue_switches()} >= {"species", "text", "agclip", "container"}
    assert next(c for c in clue_switches(Settings(included=frozenset({"container"}))) if c.name == "container").on
