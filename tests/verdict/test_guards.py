"""The guard of regions: a place within the other's 90% region is never called another place, whatever the factor says."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core import sphere
from engine.core.posterior import Posterior
from engine.verdict import claim as claims
from engine.verdict import compare, fuse, guards
from engine.verdict.calibration import Answer
from engine.verdict.guards import ModalityEvidence
from engine.world import priors
from engine.world.grid import world_grid


def bump(modality: str, lat_deg: float, lon_deg: float, sd_km: float) -> ModalityEvidence:
    grid = world_grid()
    km = sphere.pairwise_km(grid.xyz, sphere.to_xyz(lat_deg, lon_deg)[None])[:, 0]
    under = tuple((p, Posterior.of(p, -0.5 * (km / sd_km) ** 2)) for p in (priors.prior(n, grid) for n in ("mixture", "land")))
    located = fuse.describe(modality, under[0][1], under[0][0], 100.0, None)  # type: ignore[arg-type]
    return ModalityEvidence(located, under)


@pytest.mark.parametrize(("km_off", "inside"), [(150.0, True), (4000.0, False)])
def test_a_place_within_the_region_is_not_called_another(km_off: float, inside: bool) -> None:
    sound, picture = bump("sound", 48.0, 11.0, 400.0), bump("picture", 48.0 - km_off / 111.0, 11.0, 60.0)
    free = compare.weigh(sound, picture, 50.0, frozenset())
    found = compare.weigh(sound, picture, 50.0, frozenset({"overlap"}))
    if not inside:
        assert free.answer.log10_factor < 0.0 and not found.reason
        assert found.answer == free.answer
    else:
        seen, heard = picture.under[0][1], sound.under[0][1]
        assert seen.mass[heard.region(guards.REGION)].sum() > guards.MOST
        assert found.answer.log10_factor >= 0.0 or "lies within the sound's 90% region" in found.reason


def test_the_same_holds_for_a_claimed_place(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = bump("sound", 48.0, 11.0, 400.0)
    grid = world_grid()
    near, far = (int(i) for i in grid.locate(np.array([48.0, 10.0]), np.array([11.0, 20.0])))
    # as if the factor spoke against both
    monkeypatch.setattr(claims.calibration, "answer", lambda *_: Answer(-1.0, -0.8, -1.0, -0.5, False, -0.8))
    assert "claimed place lies within the sound's 90% region" in claims.weigh(sound, near, 50.0, frozenset({"overlap"})).reason
    assert claims.weigh(sound, far, 50.0, frozenset({"overlap"})).reason == ""
