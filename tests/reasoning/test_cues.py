"""The table of cues, and cues as evidence: an observation scores once."""

from __future__ import annotations

import numpy as np
import pytest
from argued import DOMAIN, SIGN, TIT, perception

from engine.analysis.judge import judge
from engine.analysis.rationale.facts import cue_groups, note_cue, rationale
from engine.clues.cues import areas
from engine.clues.cues import score as cue_evidence
from engine.clues.cues import table as cues
from engine.clues.text import score
from engine.core.errors import DataError, SettingError
from engine.core.evidence import Evidence
from engine.core.finding import FUSED
from engine.core.observation import Observation
from engine.core.settings import Settings
from engine.world import countries
from engine.world.grid import world_grid


def test_every_cue_has_a_source_and_lies_somewhere() -> None:
    grid = world_grid()
    for cue in cues.table():
        assert cue.source
        if cue.notable:
            share = np.average(areas.chance(cue.areas, grid), weights=grid.area_km2)
            assert 0.0 < share < 0.85, cue.id
            assert cue.ratio > 1.0
            assert cues.cue_where(cue), cue.id
            assert cue.group in {g for g, _ in cue_groups()}
        else:
            assert cue.areas in ("@here", "@mains:50", "@mains:60"), cue.id


@pytest.mark.parametrize(("column", "value"), [("match", "sound"), ("ratio", "often"), ("source", ""), ("modality", "smell")])
def test_a_malformed_row_is_named(column: str, value: str) -> None:
    row = {"id": "bell", "group": "sound", "what": "a bell", "meaning": "", "modality": "sound", "areas": "GB", "ratio": "5",
           "doubt": "", "match": "sound:Bell", "source": "a book"}  # fmt: skip
    assert cues._cue(row).match == (("sound", "Bell"),)
    with pytest.raises(DataError, match="'bell'"):
        cues._cue(row | {column: value})


@pytest.mark.parametrize(("cue", "code", "at_home"), [("driving-left", "AU", True), ("driving-left", "FR", False),
                                                       ("script-thai", "TH", True), ("arch-torii", "JP", True)])  # fmt: skip
def test_areas_by_country(cue: str, code: str, at_home: bool) -> None:
    grid = world_grid()
    own = countries.of(grid) == countries.number_of(code)
    assert (areas.chance(cues.by_id(cue).areas, grid)[own] == float(at_home)).all()


def test_a_box_holds_what_lies_in_it() -> None:
    grid = world_grid()
    inside = areas.chance(cues.by_id("veg-saguaro").areas, grid) > 0.5
    tucson, madrid = grid.locate(np.array([32.2, 40.4]), np.array([-110.9, -3.7]))
    assert inside[tucson] and not inside[madrid]


@pytest.mark.parametrize(
    ("text", "cue"),
    [("Улица Ленина", "script-cyrillic"), ("ひらがな と カタカナ", "script-kana"), ("北京 天津", "script-han"),
     ("¿Dónde?", "letters-spanish"), ("ถนน", "script-thai"), ("ul. Głowna", "letters-polish")],
)  # fmt: skip
def test_letters(text: str, cue: str) -> None:
    assert cue in {c.id for c in cues.of_letters(text)}


def test_plain_letters_are_no_cue() -> None:
    assert cues.of_letters("Main Street 12, π approx.") == ()


def test_a_factor_is_one_on_average_over_the_land() -> None:
    grid = world_grid()
    factor = np.exp(cue_evidence.log_factor(cues.by_id("driving-left"), 0.9, grid))
    assert np.average(factor, weights=grid.area_km2) == pytest.approx(1.0, abs=1e-9)
    inside = areas.chance(cues.by_id("driving-left").areas, grid) > 0.5
    assert 5.0 < factor[inside].mean() / factor[~inside].mean() < 50.0


# --- an observation scores once --------------------------------------------------------------------------------------------


def test_the_rationale_of_a_scored_sign_leaves_the_fused_posterior_unchanged() -> None:
    """Whatever the rationale infers from a sign that the text clue has scored becomes no second likelihood."""
    found = judge(perception(SIGN, DOMAIN, TIT))
    argued = rationale(found, stands_in="")
    inferred = [s for s in argued.sentences if s.modality == "picture" and s.cue]
    assert {s.cue for s in inferred} & {"place", "domain"}, "the rationale must argue with the sign"
    assert all(s.scored for s in inferred)
    # All that the rationale rests on, offered as evidence beside what the clues made of it:
    again = cue_evidence.evidence((SIGN, DOMAIN, TIT), found.evidence, frozenset(), found.by(FUSED).posterior.grid)
    assert again == ()
    # The same news noted by hand, a domain's country and its language, is argued and not scored either:
    repeated = judge(perception(SIGN, DOMAIN, TIT), Settings(added=(cues.noted("letters-spanish", 2.0, 4.0, 0.9),)))
    assert np.array_equal(repeated.by(FUSED).posterior.log_mass, found.by(FUSED).posterior.log_mass)


def test_a_cue_that_no_clue_scores_moves_the_posterior_and_counts_once() -> None:
    before = judge(perception(SIGN, TIT))
    left = cues.noted("driving-right", 2.0, 2.0, 0.95)
    once, twice = (judge(perception(SIGN, TIT), Settings(added=own)) for own in ((left,), (left, left)))
    assert before.by(FUSED).posterior.grid is not None
    share = {f: dict(f.by("picture").countries).get("UK", 0.0) for f in (before, once)}
    assert share[once] < share[before]
    assert np.array_equal(once.by(FUSED).posterior.log_mass, twice.by(FUSED).posterior.log_mass)
    own = next(e for e in once.evidence if e.clue == "cues")
    assert own.abstained is None and own.modality == "picture"


def test_a_dropped_or_left_out_cue_says_nothing() -> None:
    left = cues.noted("driving-left", 2.0, 2.0, 0.95)
    found = judge(perception(SIGN), Settings(added=(left,), left_out=frozenset({"cues"})))
    assert next(e for e in found.evidence if e.clue == "cues").abstained == "left out by the analyst"


def test_cues_of_one_group_are_tempered() -> None:
    grid = world_grid()
    plates = [cues.noted(c, 1.0, 1.0, 0.9) for c in ("plate-eu-band", "plate-italy-bands")]
    alone = [cue_evidence.evidence((p,), (), frozenset(), grid)[0].log_likelihood for p in plates]
    both = cue_evidence.evidence(tuple(plates), (), frozenset(), grid)[0].log_likelihood
    rome = grid.locate(np.array([41.9]), np.array([12.5]))[0]
    assert both[rome] < alone[0][rome] + alone[1][rome]


def test_a_models_scene_is_trusted_less_than_an_analyst() -> None:
    grid = world_grid()
    seen = Observation("scenes", "scene", "koala", 0.99, 1.0, 1.0, author="some-model")
    by_model = cue_evidence.evidence((seen,), (), frozenset(), grid)[0].log_likelihood
    by_hand = cue_evidence.evidence((cues.noted("animal-koala", 1.0, 1.0, 0.95),), (), frozenset(), grid)[0].log_likelihood
    assert np.ptp(by_model) < np.ptp(by_hand)
    scored = Evidence("scenes", "picture", grid, np.zeros(len(grid)), (seen,))
    assert cue_evidence.evidence((seen,), (scored,), frozenset(), grid) == (), "a scene that a clue scored is not scored again"
    unasked = Evidence.silent("scenes", "picture", grid, "not asked for")
    assert cue_evidence.evidence((seen,), (unasked,), frozenset(), grid) == (), "nor one whose clue was not asked"


@pytest.mark.parametrize(("cue", "confidence", "start_s"), [("nothing", 0.9, 1.0), ("place", 0.9, 1.0), ("arch-torii", 0.0, 1.0),
                                                             ("arch-torii", 0.9, float("nan"))])  # fmt: skip
def test_what_cannot_be_noted(cue: str, confidence: float, start_s: float) -> None:
    with pytest.raises(SettingError):
        note_cue(cue, start_s, start_s, confidence)


def test_the_text_clue_has_judged_what_it_abstained_on() -> None:
    grid = world_grid()
    vague = Observation("text", "text", "Exit", 0.9, 1.0, 1.0, author="PP-OCRv6-small")
    silent = score.log_likelihood((vague,), grid)
    assert silent.abstained
    assert vague.key in cue_evidence.spoken_for((silent,))
