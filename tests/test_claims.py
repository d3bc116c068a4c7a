"""Claims on the whole way from what was perceived to a finding, and on the command line."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from engine import cli
from engine.analysis.judge import judge
from engine.core.claim import Claim, ClaimVerdict
from engine.core.clip import Clip, Interval, Stream
from engine.core.edit import Edit, apply_edit
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings

REGION, AGAINST = ClaimVerdict.REGION, ClaimVerdict.AGAINST

CLIP = Clip("clip.mp4", "0" * 64, 1, "mov,mp4", 30.0, (Stream(0, 1, "audio", "aac", True),))
BIRDS = ("Parus major", "Cyanistes caeruleus", "Erithacus rubecula", "Cuculus canorus")
COLOGNE = Claim(50.94, 6.96, name="Köln")
AUGUSTA = Claim(33.47, -81.97, name="Augusta")


def perceived(*others: Observation) -> Perception:
    calls = [Observation("species", "species", b, 0.97, 3.0 * t, 3.0 * t + 3.0) for t in range(8) for b in BIRDS]
    return Perception(CLIP, Interval(0.0, 30.0), (*calls, *others))


def stated(lat_deg: float, lon_deg: float) -> Observation:
    where = np.array([lat_deg, lon_deg], np.float32)
    return Observation("container", "tag", f"{lat_deg:+}{lon_deg:+}/", 1.0, 0.0, 30.0, name="location", vector=where)


def test_a_claim_is_tested_and_changes_nothing_else() -> None:
    plain = judge(perceived())
    assert plain.claims == ()
    right, wrong = (judge(perceived(), Settings(claim=c)) for c in (COLOGNE, AUGUSTA))
    assert right.claims[0].verdict == REGION and wrong.claims[0].verdict == AGAINST
    for found in (right, wrong):
        sound = found.by("sound")
        assert sound is not None
        assert np.array_equal(sound.posterior.log_mass, plain.by("sound").posterior.log_mass)  # type: ignore[union-attr]
    assert {r.latin for r in wrong.claims[0].heard if r.home == "does not live there"} == set(BIRDS)


def test_a_day_is_tested_with_the_place() -> None:
    spring, winter = (
        judge(perceived(), Settings(claim=Claim(50.94, 6.96, day))) for day in (date(2021, 5, 10), date(2021, 12, 20))
    )
    a, b = (f.claims[0].by("season") for f in (spring, winter))
    assert a is not None and b is not None
    assert a.log10_factor > 0 > b.log10_factor
    assert "not in that week" in {r.home for r in winter.claims[0].heard}


def test_the_containers_own_claim_is_tested_beside_the_analysts_and_never_fused() -> None:
    found = judge(perceived(stated(33.47, -81.97)), Settings(claim=COLOGNE))
    assert [(t.claim.source, t.verdict) for t in found.claims] == [
        ("analyst", REGION),
        ("container", AGAINST),
    ]
    assert "Augusta" in found.claims[1].place
    sound, alone = found.by("sound"), judge(perceived()).by("sound")
    assert sound is not None and alone is not None  # the map is finer where the file says; the sound is none the wiser
    assert (sound.place.lat_deg, sound.place.lon_deg) == (alone.place.lat_deg, alone.place.lon_deg)
    assert sound.gain_nats == pytest.approx(alone.gain_nats, abs=0.01)


def test_what_was_first_computed_stands_beside_an_edited_test() -> None:
    settings = Settings(claim=AUGUSTA)
    for bird in BIRDS:
        settings = apply_edit(settings, Edit("drop", f"species/species/{bird}"))
    found = judge(perceived(), settings)
    first = judge(perceived(), Settings(claim=AUGUSTA)).claims[0].main
    assert first is not None and found.claims[0].before_edits == pytest.approx(first.log10_factor)
    assert found.claims[0].verdict == "cannot tell"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--claim", "Augusta"], "may be any of these"),
        (["--claim", "Xyzzyville"], "No place of at least 500 people"),
        (["--claim-date", "2021-04-10"], "add --claim PLACE"),
        (["--claim", "33.47, -81.97", "--claim-radius", "1"], "choose 5 to 500 km"),
    ],
)
def test_a_claim_that_cannot_be_read_is_one_sentence(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["locate", "clip.mp4", *options]) == 2
    assert said in capsys.readouterr().err
