"""The ratio for a claim: known answers, priors, false alarms, both senses, the week."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest

from engine.core import sphere
from engine.core.claim import Claim, ClaimVerdict
from engine.core.comparison import Support
from engine.core.finding import Located
from engine.core.grid import Grid
from engine.core.posterior import REGION_SHARES, Posterior, Prior
from engine.verdict import calibration
from engine.verdict import claim as claims
from engine.verdict.guards import LeftOut, ModalityEvidence

SUPPORTS, AGAINST, CANNOT_TELL = ClaimVerdict.SUPPORTS, ClaimVerdict.AGAINST, ClaimVerdict.CANNOT_TELL

AUGUSTA = Claim(33.47, -81.97)


def world(resolution: int = 2) -> Grid:
    return Grid.of(np.concatenate([np.array(h3.cell_to_children(c, resolution), dtype=np.uint64) for c in h3.get_res0_cells()]))


GRID = world()


def by_area(grid: Grid = GRID) -> Prior:
    return Prior("land", grid, np.log(grid.area_km2 / grid.area_km2.sum()))


def sense(modality: str, lat_deg: float, lon_deg: float, sigma_km: float = 400.0, silent: str | None = None) -> ModalityEvidence:
    """A round belief around a place."""
    prior = by_area()
    km = sphere.distance_km(*GRID.lat_lon_deg, lat_deg, lon_deg)
    posterior = Posterior.of(prior, np.logaddexp(-0.5 * (km / sigma_km) ** 2, np.log(1e-4)))
    x = Located(
        modality, posterior, prior, posterior.place(), posterior.gain_nats(prior), silent,
        {s: posterior.region_area_km2(s) for s in REGION_SHARES},
    )  # fmt: skip
    return ModalityEvidence(x, ((prior, posterior),))


def test_what_fits_everywhere_supports_nothing() -> None:
    flat = Posterior.of(by_area(), np.zeros(len(GRID)))
    found = claims.weigh(ModalityEvidence(sense("sound", 33.0, -82.0).located, ((by_area(), flat),)), 100, 50.0)
    assert found.reason and found.answer.log10_raw == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("at", [(89.9, 0.0), (-89.9, 100.0), (-17.8, 179.95), (0.0, -180.0), (33.47, -81.97)])
def test_the_ratio_hardly_depends_on_the_size_of_cells_and_holds_at_poles_and_antimeridian(at: tuple[float, float]) -> None:
    claim = Claim(*at, radius_km=250.0)
    ratios = []
    for grid in (GRID, world(3)):
        prior = by_area(grid)
        km = sphere.distance_km(*grid.lat_lon_deg, *at)
        posterior = Posterior.of(prior, -0.5 * (km / 800.0) ** 2)
        x = sense("sound", *at).located
        found = claims.weigh(ModalityEvidence(x, ((prior, posterior),)), claims.cell_of(claim, grid), claim.radius_km)
        ratios.append(found.answer.log10_raw)
    assert ratios[0] > 1.0
    assert ratios[0] == pytest.approx(ratios[1], abs=0.05)


def test_a_claim_off_the_coast_is_held_against_the_nearest_land_and_one_at_sea_against_nothing() -> None:
    grid = Grid.of(GRID.cells[sphere.distance_km(*GRID.lat_lon_deg, 40.0, 0.0) < 2000.0])
    assert claims.cell_of(Claim(40.0, 0.0), grid) >= 0 > claims.cell_of(Claim(-40.0, 170.0), grid)


def test_a_true_claim_is_supported_and_a_false_one_is_not() -> None:
    there = claims.test(AUGUSTA, "Augusta", [sense("sound", 33.0, -82.0)], None, None)
    elsewhere = claims.test(AUGUSTA, "Augusta", [sense("sound", 50.0, 8.0)], None, None)
    assert (there.verdict, elsewhere.verdict) == (SUPPORTS, AGAINST)
    fit = calibration.maps().fit("sound", AUGUSTA.radius_km)
    for t in (there, elsewhere):
        assert fit.low <= t.factors[0].log10_factor <= fit.high
    assert there.factors[0].region == 0.5 and elsewhere.factors[0].region == 1.0
    assert elsewhere.factors[0].distance_km == pytest.approx(7300, abs=400)


def test_senses_that_contradict_each_other_decide_nothing() -> None:
    t = claims.test(AUGUSTA, "Augusta", [sense("sound", 50.0, 8.0), sense("picture", 33.4, -82.0)], None, None)
    assert t.verdict == CANNOT_TELL and t.reason == "the picture supports the claim, the sound contradicts it"
    assert [f.verdict for f in t.factors] == [AGAINST, SUPPORTS, CANNOT_TELL]


def test_senses_that_agree_multiply_within_the_bounds() -> None:
    t = claims.test(AUGUSTA, "Augusta", [sense("sound", 33.0, -82.0), sense("picture", 33.4, -82.0)], None, None)
    fits = {m: calibration.maps().fit(m, AUGUSTA.radius_km) for m in ("sound", "picture")}
    both = t.by("both")
    assert both is t.main and both is not None and t.verdict == SUPPORTS
    assert both.log10_factor == pytest.approx(
        min(sum(f.log10_factor for f in t.factors[:2]), max(fits["sound"].high, fits["picture"].high))
    )


def test_a_silent_sense_says_so_and_leaves_the_other_to_speak() -> None:
    t = claims.test(AUGUSTA, "Augusta", [sense("sound", 0, 0, silent="nothing"), sense("picture", 33.4, -82.0)], None, None)
    assert t.factors[0].verdict == CANNOT_TELL and "no usable location" in t.factors[0].reason and t.verdict == SUPPORTS


def test_a_known_false_alarm_is_never_decisive() -> None:
    heard = sense("sound", 33.0, -82.0)
    flat = Posterior.of(by_area(), np.zeros(len(GRID)))
    doubtful = ModalityEvidence(heard.located, heard.under, ((by_area(), flat),), ("Northern Cardinal",))
    t = claims.test(AUGUSTA, "Augusta", [doubtful], None, None)
    assert t.verdict == CANNOT_TELL and "Northern Cardinal" in t.reason
    backed = ModalityEvidence(heard.located, heard.under, heard.under, ("Northern Cardinal",))
    assert claims.test(AUGUSTA, "Augusta", [backed], None, None).verdict == SUPPORTS


def test_what_rests_on_one_species_says_so_and_is_weak_support_at_most() -> None:
    heard = sense("sound", 33.0, -82.0)
    alone = ModalityEvidence(heard.located, heard.under, left_out=lambda: (LeftOut("Wrentit", "species", ()),))
    whole, weak = (claims.test(AUGUSTA, "Augusta", [x], None, None) for x in (heard, alone))
    assert whole.support == Support.MODERATE and not whole.factors[0].rests_on
    assert weak.support == Support.WEAK and weak.verdict == whole.verdict
    assert weak.factors[0].rests_on == "one species: Wrentit" and weak.factors[0].log10_factor < 1.0


def test_a_product_is_no_stronger_than_the_other_modality_where_one_rests_on_one_observation() -> None:
    heard, seen = sense("sound", 33.0, -82.0), sense("picture", 33.4, -82.0)
    alone = ModalityEvidence(heard.located, heard.under, left_out=lambda: (LeftOut("Wrentit", "species", ()),))
    t = claims.test(AUGUSTA, "Augusta", [alone, seen], None, None)
    both, picture = t.by("both"), t.by("picture")
    assert both is not None and picture is not None and not both.rests_on
    assert both.log10_factor == pytest.approx(picture.log10_factor)


def test_a_sound_that_fits_a_whole_continent_supports_the_region_only() -> None:
    t = claims.test(AUGUSTA, "Augusta", [sense("sound", 33.0, -82.0, sigma_km=1800.0)], None, None)
    assert t.verdict == ClaimVerdict.REGION and t.factors[0].log10_factor > 0.3


def test_an_answer_that_depends_on_the_prior_is_none() -> None:
    a, b = sense("sound", 33.0, -82.0), sense("sound", 50.0, 8.0)
    t = claims.test(AUGUSTA, "Augusta", [ModalityEvidence(a.located, a.under + b.under)], None, None)
    assert t.verdict == CANNOT_TELL and "prior" in t.reason


def test_the_week_stands_beside_the_place() -> None:
    weeks = np.full(48, np.log(1e-3))
    weeks[20] = np.log(48.0)
    there = [sense("sound", 33.0, -82.0)]
    right, wrong = (claims.test(AUGUSTA, "Augusta", there, weeks, w) for w in (21, 45))
    assert right.verdict == SUPPORTS and right.by("season").verdict == SUPPORTS  # type: ignore[union-attr]
    assert wrong.verdict == CANNOT_TELL and wrong.reason == "the place fits the claim, the week does not"
    assert claims.test(AUGUSTA, "Augusta", there, None, 21).by("season").verdict == CANNOT_TELL  # type: ignore[union-attr]


def test_no_senses_no_answer() -> None:
    assert claims.test(AUGUSTA, "Augusta", [], None, None).verdict == CANNOT_TELL
