"""Edits as a list: each lets the fields that scoring reads follow, and they can be gone through again."""

from __future__ import annotations

import pytest

from engine.core import edit
from engine.core.clip import Clip, Interval
from engine.core.edit import Edit, apply_edit
from engine.core.errors import SettingError
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings

TIT, CUCKOO = "species/species/Parus major", "species/species/Cuculus canorus"


def heard(label: str, start_s: float = 0.0, author: str = "birdnet-v2.4", score: float = 0.9) -> Observation:
    return Observation("species", "species", label, score, start_s, start_s + 3.0, author=author)


def perceived(*observations: Observation) -> Perception:
    return Perception(Clip("a.wav", "0" * 64, 1, "wav", 60.0), Interval(0.0, 60.0), observations)


def test_drop_and_restore() -> None:
    s = apply_edit(Settings(), Edit("drop", TIT))
    assert s.dropped == {TIT} and edit.edited(s) and len(s.edits) == 1
    back = apply_edit(s, Edit("restore", TIT))
    assert back.dropped == frozenset() and not edit.edited(back) and len(back.edits) == 2


def test_what_was_added_can_be_dropped_and_taken_in_again() -> None:
    own = heard("Parus major", author="analyst")
    s = apply_edit(apply_edit(Settings(), Edit("add", own.key, (own,))), Edit("drop", own.key))
    assert s.added == () and edit.counting(perceived(), s) == ()
    assert apply_edit(s, Edit("restore", own.key)).added == (own,)


def test_a_relabel_is_a_drop_and_an_addition_in_one() -> None:
    there, instead = heard("Parus major"), heard("Periparus ater", author="analyst:Ann")
    s = apply_edit(Settings(), Edit("relabel", there.key, (instead,)))
    assert edit.counting(perceived(there), s) == (instead,)
    assert edit.counting(perceived(there), edit.untouched(s)) == (there,)


def test_a_table_may_stand_in_the_place_of_a_model() -> None:
    model, table = heard("Parus major"), heard("Cuculus canorus", author="table:t.txt")
    s = apply_edit(Settings(), Edit("import", "t.txt", (table,), alone="birdnet-v2.4"))
    assert edit.counting(perceived(model), s) == (table,)


def test_what_lies_outside_the_stretch_does_not_count() -> None:
    s = Settings(added=(heard("Parus major", 30.0, "analyst"), heard("Parus major", 90.0, "analyst")))
    assert [o.start_s for o in edit.counting(perceived(), s)] == [30.0]


def test_weights_of_one_are_none() -> None:
    s = apply_edit(Settings(), Edit("weight", "text", weight=0.5))
    assert s.weights == (("text", 0.5),)
    assert apply_edit(s, Edit("weight", "text", weight=1.0)).weights == ()


def test_switches() -> None:
    s = apply_edit(Settings(), Edit("include", "container"))
    assert s.included == {"container"}
    assert apply_edit(s, Edit("leave out", "container")).included == frozenset()


def test_steps_lead_from_the_untouched_to_the_settings() -> None:
    s = Settings(prior="land")
    for made in (Edit("drop", TIT), Edit("weight", "text", weight=0.5), Edit("note", CUCKOO, note="far off")):
        s = apply_edit(s, made)
    steps = edit.edit_steps(s)
    assert steps[0][1] == edit.untouched(s) == Settings(prior="land")
    assert steps[-1][2] == s
    assert all(after is steps[i + 1][1] for i, (_, _, after) in enumerate(steps[:-1]))


def test_settings_made_without_edits_are_listed_too() -> None:
    own = heard("Cuculus canorus", author="analyst")
    s = apply_edit(Settings(dropped=frozenset({TIT}), added=(own,), weights=(("text", 0.5),)), Edit("include", "container"))
    assert [e.what for e, _, _ in edit.edit_steps(s)] == ["drop", "add", "weight", "include"]
    last = edit.edit_steps(s)[-1][2]
    assert (last.dropped, last.added, last.weights, last.included) == (s.dropped, s.added, s.weights, s.included)


@pytest.mark.parametrize("wrong", [{"confidence": 0.0}, {"confidence": 1.5}, {"weight": 3.0}, {"weight": float("nan")}])
def test_nonsense_is_refused_in_a_sentence(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="choose"):
        Edit("weight" if "weight" in wrong else "add", "text", **wrong)  # type: ignore[arg-type]


def test_a_weight_out_of_range_is_refused_by_settings() -> None:
    with pytest.raises(SettingError, match="out of range"):
        Settings(weights=(("text", 9.0),))
