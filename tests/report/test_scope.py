"""What a report owes to whoever attacks it: purpose, what was not examined, what was tested, propositions, one set of numbers."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import made

from engine.analysis.edits import confirm, drop
from engine.core import sphere
from engine.core.clip import Interval, Stream
from engine.core.custody import Custody
from engine.core.edit import apply_edit
from engine.core.finding import Finding
from engine.core.observation import Observation
from engine.core.paths import ASSETS, ROOT
from engine.core.perceived import gather
from engine.core.settings import Settings
from engine.report import json_schema, to_html, to_json
from engine.report.formats.digest import digest, digest_of
from engine.report.view import edits, fact, film, likeness, scope, validation, verdict, words
from engine.report.view.against import speaks_against
from engine.report.view.proposition import claim_propositions, propositions
from engine.report.view.versions import versions

COMPARED = replace(made.COMPARISON, pairs=validation.factor().pairs)


def judged(**changes: object) -> Finding:
    return replace(made.finding(two_speak=True), **{"comparisons": (COMPARED,)} | changes)  # type: ignore[arg-type]


def test_a_verdict_is_support_for_a_proposition_and_never_the_proposition() -> None:
    for c in (COMPARED, replace(COMPARED, verdict="same place", log10_factor=1.1, log10_low=0.4, log10_high=1.2)):
        said = verdict.title(c)
        assert said.startswith("Moderate support for “") and said.endswith("”")
    assert verdict.title(replace(COMPARED, verdict="cannot tell")).startswith("Cannot tell")


def test_intervals_read_in_the_direction_of_the_factor_weak_end_first() -> None:
    assert words.interval(-2.0, -1.4, -1.9) == "95% interval 25 : 1 to 100 : 1"
    assert words.interval(-0.3, 0.7, 0.5) == "95% interval 1 : 2 to 5 : 1"
    assert words.interval(-1.257, -1.257, -1.257) == "95% interval cut off at the bound of 18 : 1"
    assert words.ratio(0.0) == "1 : 1" and words.ratio(-0.001) == "1 : 1"


def test_propositions_name_the_population_the_interval_and_what_the_factor_is_not() -> None:
    rows = dict(propositions(judged()))
    assert "drawn independently from the places where clips are made" in rows["Proposition 2"]
    assert "under 2 priors" in rows["Where clips are made"] and "uniform over land" in rows["Where clips are made"]
    assert "about 90 times as probable under proposition 2" in rows["The factor"]
    assert "25 : 1 to 100 : 1" in rows["The factor"]
    f = validation.factor()
    assert f"{f.same_pairs} with its own" in rows["Bound"] and f"worth {f.effective[0]} independent trials" in rows["Bound"]
    assert f.cllr in rows["Quality of the method"] and f.near in rows["What neither proposition covers"]
    assert "probability of either" in rows["What the factor is not"]
    silent = dict(propositions(judged(comparisons=(replace(COMPARED, verdict="cannot tell", reason="x"),))))
    assert silent["The factor"] == "No factor is reported: x."
    claim = dict(claim_propositions(made.CLAIM_TEST))
    near = dict(claim_propositions(replace(made.CLAIM_TEST, place="in New York City")))["If the claim is true"]
    assert "within about 50 km of New York City, around 10 April 2021" in near
    assert "within about 50 km" in claim["If the claim is true"] and "10 April 2021" in claim["If the claim is true"]


def test_a_factor_of_another_calibration_borrows_no_figures() -> None:
    rows = dict(propositions(judged(comparisons=(made.COMPARISON,))))
    assert "Bound" not in rows and "Quality of the method" not in rows


def test_a_factor_that_is_not_stated_is_marked_so_in_the_table() -> None:
    names = [k for k, _ in verdict.comparison_rows(replace(COMPARED, verdict="cannot tell", reason="the interval includes 1"))]
    assert "Factor, computed but not reported as a result" in names and not any(k.startswith("Factor for") for k in names)


def test_what_was_not_examined_is_said() -> None:
    finding = made.finding()
    more = (
        *finding.clip.streams,
        Stream(2, 2, "audio", "ac3", 24.0, language="fr"),
        Stream(3, 2, "video", "h264", 24.0),
        Stream(4, 1, "subtitle", "mov_text"),
    )
    finding = replace(finding, clip=replace(finding.clip, streams=more, duration_s=60.0), interval=Interval(0.0, 24.0))
    said = " ".join(scope.unexamined(replace(finding, settings=finding.settings.but(quick=True))))
    tracks = "Audio track 2 (ac3, language fr)", "Video track 2", "1 subtitle track ", "2 channels"
    for part in ("Only 0:00–0:24", *tracks, "not run"):
        assert part in said, part
    assert "No detection is recorded as confirmed" in said and "generated or manipulated" in said and "plants" in said


def test_a_channel_heard_alone_is_not_said_to_be_mixed() -> None:
    finding = made.finding()
    alone = "Only the left channel of audio track 1 holds sound; it alone is heard."
    said = list(scope.unexamined(replace(finding, clip=replace(finding.clip, problems=(alone,)))))
    assert "Of the 2 channels of the sound one was analysed; the others were not." in said
    assert not any("mixed" in s for s in said)


def test_who_examined_it_is_the_case_or_the_author_of_the_edits_or_nobody() -> None:
    finding = made.finding()
    assert "not named" in dict(scope.examiner(finding, None, versions()))["Examined by"]
    settings = apply_edit(finding.settings, drop("species/species/Parus major", "Ann"))
    assert dict(scope.examiner(replace(finding, settings=settings), None, versions()))["Examined by"] == "Ann"
    rows = dict(scope.examiner(finding, Custody("c", "0" * 64, "1", "Bob"), versions()))
    assert rows["Examined by"] == "Bob" and rows["Examined on"].endswith("UTC") and "Python" in rows["Machine"]


def test_the_models_folder_does_not_tell_whose_machine_it_was() -> None:
    assert scope.homeless(f"x is not in {Path.home()}/.local/share") == "x is not in ~/.local/share"


def test_a_modality_without_a_location_says_why_once_and_has_no_numbers() -> None:
    finding = made.finding()
    silent = replace(finding.located[1], cannot_tell="The picture gives no usable location: no text was read.")
    assert scope.cannot_tell(silent) == "The picture gives no usable location: no text was read."
    none = replace(COMPARED, verdict="cannot tell", reason="the picture gives no usable location")
    assert [name for name, _ in verdict.comparison_rows(none)] == ["Compared", "Verdict", "Numbers"]


def test_what_an_analyst_confirms_is_not_heard_twice() -> None:
    finding = made.finding()
    own = [o for o in finding.perception.observations if o.label == "Parus major"]
    settings = apply_edit(finding.settings, confirm(own, 0.9, "Ann"))
    tit = next(p for p in gather(replace(finding, settings=settings)) if p.best.label == "Parus major")
    assert tit.windows == 2 and len(tit.observations) > len(own)


def test_what_somebody_chose_is_marked_among_the_settings() -> None:
    finding = made.finding()
    rows = dict(fact.settings(replace(finding, settings=Settings(radius_km=250.0))))
    assert rows["Radius of the reported place"] == "250 km (chosen, not the default)" and "chosen" not in rows["Prior"]


def test_conditions_say_what_was_tested_and_what_was_not() -> None:
    rows = {c.about: c for c in likeness.conditions(judged())}
    assert rows["Kind of clip"].verdict == likeness.NOT_TESTED, "no film's own sound was ever tested"
    assert rows["Length of the sound"].verdict == rows["Coding of the sound"].verdict == likeness.AS_TESTED
    assert rows["Continent indicated by the sound"].verdict == likeness.THINLY, "Fiji: one recording of Oceania"
    assert rows["Speech over the sound"].verdict == likeness.AS_TESTED
    finding = judged()
    spoken = Observation("speech", "speech", "speech", 0.9, 0.0, 5.0)
    perception = replace(finding.perception, observations=(*finding.perception.observations, spoken))
    streams = tuple(replace(s, codec="amr_nb", rate_hz=8000) if s.kind == "audio" else s for s in finding.clip.streams)
    other = replace(
        finding, perception=perception, clip=replace(finding.clip, streams=streams), interval=Interval(0.0, 600.0),
        settings=Settings(prior="land", same_place_km=300.0, dropped=frozenset({"species/species/Cuculus canorus"})),
    )  # fmt: skip
    rows = {c.about: c.verdict for c in likeness.conditions(other)}
    assert rows["Speech over the sound"] == likeness.ON_COPIES
    unlike = "Length of the sound", "Coding of the sound", "Band of the sound", "“The same place”", "Analyst's edits"
    for about in unlike:
        assert rows[about] == likeness.NOT_TESTED, about


def test_every_document_bears_the_hash_of_the_same_numbers() -> None:
    finding = judged()
    custody = Custody("Case", "c0ffee" * 10 + "beef", "1234", "Ann")
    assert digest(finding) == digest_of(to_json(finding)) == digest_of(to_json(finding, custody))
    assert digest(replace(finding, comparisons=(made.COMPARISON,))) != digest(finding)
    html = to_html(finding, custody=custody)
    assert html.count(digest(finding)) == 2
    document = json.loads(to_json(finding))
    jsonschema.validate(document, json_schema())
    assert [c["about"] for c in document["conditions"]] == [c.about for c in likeness.conditions(finding)]
    assert tuple(document["unexamined"]) == scope.unexamined(finding)


def test_the_page_states_limits_terms_and_use() -> None:
    html = to_html(judged())
    headings = "This clip compared with the validation material", "Not examined"
    for said in ("do not want to be found", *headings, "Kullback-Leibler", "does not mean odds of"):
        assert said in html, said
    assert 'scope="col"' in html and "<th>" not in html
    bare = to_html(replace(made.finding(), perception=replace(made.finding().perception, observations=())))
    assert "Nothing was found" in bare and "were not compared" in bare


def test_support_for_one_place_is_met_by_how_often_near_places_are_called_one() -> None:
    same = replace(COMPARED, verdict="same place", log10_factor=1.2, log10_low=0.5, log10_high=1.2, at_bound=True)
    told = " ".join(speaks_against(judged(comparisons=(same,))))
    assert validation.factor().near in told
    region = replace(same, verdict="same region", rests_on="one species: Wrentit")
    told = " ".join(speaks_against(judged(comparisons=(region,))))
    assert "500 to 1,000 km" in told and "one species: Wrentit" in told and validation.factor().near not in told


def test_a_film_has_no_verdict_of_its_own() -> None:
    scenes = tuple(judged(scene=n, scenes=2) for n in (1, 2))
    found = film.banner(judged(scene=0, scenes=2, film=scenes))
    assert found.verdict == "cannot_tell" and "2 scenes" in found.title and "Taken as one place" in found.sentence
    assert edits.factor(None) == "none"


def test_the_figures_of_the_factor_are_those_of_the_fit_and_of_the_document() -> None:
    fit = json.loads((ASSETS / "models/mismatch.json").read_text(encoding="utf-8"))
    f, t = validation.factor(), validation.tested()
    own = next(r for r in fit["sound"]["by_radius"] if r["radius_km"] == t.same_place_km)
    worth = tuple(round(own["effective"][side]) for side in ("same", "different"))
    assert (f.pairs, f.same_pairs, f.things, f.effective) == (own["pairs"], own["same_pairs"], own["things"], worth)
    text = (ROOT / "docs/validation.md").read_text(encoding="utf-8")
    said = " ".join(text.split())
    assert f.near in said and f.drawn in said and f.cllr.replace("95% ", "") in said
    assert f"{10**-f.log10_low:.1f} : 1 and {10**f.log10_high:.0f} : 1" in said
    whole, continents = (s for s in validation.sheets() if s.command == "earwitness bench recordings")
    assert {r[0]: int(r[1]) for r in continents.rows} == dict(t.continents) and sum(t.continents.values()) == t.recordings
    held = [round(float(whole.rows[0][whole.columns.index(f"{share}% region")].partition("%")[0])) for share in (50, 90)]
    assert tuple(held) == t.regions_hold


@pytest.mark.parametrize("name", ["mixture", "land", "observer", "population"])
def test_two_places_drawn_apart_seldom_fall_near_each_other(name: str) -> None:
    """The propositions exclude each other but for that: at most 4 of 1,000 draws within 50 km."""
    from engine.world import priors
    from engine.world.grid import world_grid

    grid = world_grid()
    mass = np.exp(priors.prior(name, grid).log_mass)
    rng = np.random.default_rng(0)
    a, b = (grid.xyz[rng.choice(len(grid), 200_000, p=mass / mass.sum())] for _ in range(2))
    apart = sphere.EARTH_RADIUS_KM * sphere.angle_rad(a, b)
    assert (apart < 50).mean() < 0.0045 and (apart < 200).mean() < 0.0115
