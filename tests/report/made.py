"""A finding made by hand, to write reports of: a whole-Earth grid, one belief over the antimeridian, one at a pole's edge."""

from __future__ import annotations

import functools
from datetime import date

import h3.api.numpy_int as h3
import numpy as np

from engine.clues import clue_registry
from engine.core import sphere
from engine.core.claim import LIVES, NOT_THERE, Claim, ClaimFactor, ClaimTest, ClaimVerdict, Resident
from engine.core.clip import Clip, Interval, Stream
from engine.core.comparison import Comparison, UnderPrior
from engine.core.evidence import Evidence
from engine.core.finding import Finding, Located, Provenance
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.posterior import REGION_SHARES, Place, Posterior, Prior
from engine.core.settings import Settings

HOSTILE = '<script>alert(1)</script>"&\x1b[31m\u202e=HYPERLINK("http://x")'
COMPARISON = Comparison(
    a="sound",
    b="picture",
    verdict="different places",
    support="moderate support",
    distance_km=7640.2,
    expected_km=7712.0,
    overlap=0.01,
    shared_region_km2=0.0,
    log10_raw=-7.3,
    log10_factor=-1.954,
    log10_low=-2.0,
    log10_high=-1.4,
    at_bound=True,
    pairs=107,
    same_place_km=50.0,
    by_prior=(UnderPrior("mixture", -1.96, "moderate support"), UnderPrior("land", -2.0, "moderate support")),
    before_edits=-1.9,
)
AGAINST, UNTOLD = ClaimVerdict.AGAINST, ClaimVerdict.CANNOT_TELL
CLAIM_TEST = ClaimTest(
    claim=Claim(33.47, -81.97, date(2021, 4, 10), "Augusta"),
    place=HOSTILE,
    verdict=AGAINST,
    support="moderate support",
    reason="",
    factors=(
        ClaimFactor(
            "sound",
            ClaimVerdict.AGAINST,
            "moderate support",
            -2.0,
            -1.66,
            -1.66,
            -1.2,
            True,
            130,
            7640.2,
            1.0,
            COMPARISON.by_prior,
        ),
        ClaimFactor(
            "season", ClaimVerdict.CANNOT_TELL, "no support", 0.0, 0.0, 0.0, 0.0, False, 130, reason="the week cannot be tested"
        ),
    ),
    heard=(
        Resident("species/species/Parus major", "Parus major", "Great Tit", 0.99, 0.98, 0.0, 0.0, (0.0,) * 48, NOT_THERE),
        Resident("", "Cardinalis cardinalis", "Northern Cardinal", 0.5, 0.6, 0.99, 0.98, (0.98,) * 48, LIVES, "a false alarm"),
    ),
    absent=(Resident("", "Cyanocitta cristata", "Blue Jay", 0.0, 0.0, 0.95, 0.93, (0.9,) * 48, LIVES),),
    expected=4,
    week=14,
)
MODELS = ("birdnet-v2.4", "birdnet-v2.4-range-v2")


@functools.cache
def grid(refined_at: tuple[float, float] | None = None) -> Grid:
    """All cells of resolution 2, both poles and the twelve pentagons among them; one refined twice where asked."""
    cells = np.concatenate([np.array(h3.cell_to_children(c, 2), dtype=np.uint64) for c in h3.get_res0_cells()])
    whole = Grid.of(cells)
    if refined_at is None:
        return whole
    near = sphere.distance_km(*whole.lat_lon_deg, *refined_at) < 300
    return whole.refined(near, 4)


def located(
    modality: str,
    lat_deg: float,
    lon_deg: float,
    sigma_km: float,
    on: Grid,
    cannot_tell: str | None = None,
    name: str = "Suva, Fiji",
) -> Located:
    """A round belief around a place."""
    prior = Prior("land", on, np.log(on.area_km2 / on.area_km2.sum()))
    far = sphere.distance_km(*on.lat_lon_deg, lat_deg, lon_deg)
    likelihood = np.zeros(len(on)) if cannot_tell else -0.5 * (far / sigma_km) ** 2
    posterior = Posterior.of(prior, likelihood)
    spot = posterior.place(300.0)
    return Located(
        modality=modality,
        posterior=posterior,
        prior=prior,
        place=Place(spot.lat_deg, spot.lon_deg, spot.mass, 300.0, name),
        gain_nats=posterior.gain_nats(prior),
        cannot_tell=cannot_tell,
        regions_km2={s: posterior.region_area_km2(s) for s in REGION_SHARES},
        countries=(("Fiji", 0.61), ("Tonga <b>", 0.2)),
    )


def species(latin: str, common: str, score: float, start_s: float) -> Observation:
    return Observation("species", "species", latin, score, start_s, start_s + 3.0, common, MODELS[0])


def finding(
    *, text: str = "ordinary", two: bool = True, two_speak: bool = False, path: str = "/somewhere/clip.mp4", **settings: object
) -> Finding:
    """A finding whose texts, where `text` is hostile, are hostile everywhere a file can put them."""
    on = grid((-17.0, 179.5))
    streams = (
        Stream(0, 1, "video", "h264", 24.0, width_px=1280, height_px=720, fps=25.0),
        Stream(1, 1, "audio", "aac", 24.0, language="en", title=text, rate_hz=48000, channels=2, layout="stereo"),
    )
    clip = Clip(path, "ab" * 32, 123_456, "mov,mp4", 24.0, streams, (("comment", text), (text, "value")), (text,))
    seen = (
        species("Parus major", "Great Tit", 0.99, 0.0),
        species("Parus major", "Great Tit", 0.42, 1.5),
        species("Parus major", "Great Tit", 0.05, 9.0),
        species("Cuculus canorus", text, 0.94, 6.0),
        Observation("species", "sound", "Dog", 0.5, 3.0, 6.0, "Dog", MODELS[0]),
        Observation("text", "text", text, 0.8, 4.0, 4.0, note=text, box=(0.1, 0.1, 0.5, 0.3)),
    )
    chosen = Settings(prior="land", **settings)  # type: ignore[arg-type]
    perception = Perception(clip, Interval(0.0, 24.0), seen, {"picture": "no weights"}, MODELS, {"audio": 3, "video": 0})
    evidence = (
        Evidence("species", "sound", on, np.zeros(len(on)), seen[:5], models=MODELS),
        Evidence.silent("hum", "sound", on, "too short"),
    )
    inputs = [located("sound", -17.0, 179.5, 250.0, on, name=text if text != "ordinary" else "Suva, Fiji")]
    if two_speak:
        inputs.append(located("picture", 33.5, -82.0, 300.0, on, name="Augusta, Georgia"))
    elif two:
        inputs.append(located("picture", 80.0, 10.0, 900.0, on, "The picture gives no usable location: no text was read."))
    provenance = Provenance("0.1.0", MODELS, "2026-01-02T03:04:05+00:00", 1.5, 0)
    return Finding(clip, perception.interval, chosen, perception, evidence, tuple(inputs), provenance, clue_registry())
