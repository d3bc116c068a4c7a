"""The sun by a marked shadow: the text of a marking, known geometry, places and times that fit, and what blue skies are."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import numpy as np
import pytest

from engine import Clip, Interval, Perception, SettingError, Settings, Stream, apply_edit, judge, to_json
from engine.analysis import edits
from engine.analysis import sun as shadows
from engine.case.record.codec import settings_from_json, settings_to_json
from engine.clues.sun import geometry, score
from engine.clues.sun.mark import Mark, When, fov_of_lens
from engine.clues.sun.observe import sky_share
from engine.core.claim import Claim
from engine.core.observation import Observation
from engine.report.view import claim as claim_words
from engine.world import sun
from engine.world.grid import world_grid

ASPECT = 16 / 9


def project(elevation_deg: float, azimuth_deg: float, pitch_deg: float = 8.0, fov_deg: float = 60.0) -> Mark:
    """A pole of 3 m on level ground, 10 m before a camera 1.7 m above it, as the camera sees it; azimuth from its direction."""
    focal, pitch = 0.5 / np.tan(np.radians(fov_deg / 2)), np.radians(pitch_deg)
    up = np.array([0.0, -np.cos(pitch), -np.sin(pitch)])
    forward, right = np.array([0.0, -np.sin(pitch), np.cos(pitch)]), np.array([1.0, 0.0, 0.0])
    e, a = np.radians([elevation_deg, azimuth_deg])
    foot = 10.0 * forward - 1.7 * up
    head = foot + 3.0 * up
    tip = foot - 3.0 / np.tan(e) * (np.cos(a) * forward + np.sin(a) * right)

    def seen(p: np.ndarray) -> tuple[float, float]:
        return float(p[0] / p[2] * focal + 0.5), float(p[1] / p[2] * focal * ASPECT + 0.5)

    line = [seen(1e6 * (forward + s * right)) for s in (-0.3, 0.3)]
    when = When(date(2024, 6, 1), date(2024, 6, 1), 600, 660)
    return Mark(seen(foot), seen(head), seen(tip), ASPECT, when, (line[0], line[1]), fov_deg, 0.0, 1.0)


@pytest.mark.parametrize("azimuth_deg", [90.0, -60.0, 140.0])
@pytest.mark.parametrize("elevation_deg", [25.0, 45.0])
def test_known_sun_is_found(elevation_deg: float, azimuth_deg: float) -> None:
    found = geometry.directions(project(elevation_deg, azimuth_deg))
    low, mid, high = found.interval()
    assert mid == pytest.approx(elevation_deg, abs=3.0) and low < elevation_deg < high and high - low < 32.0
    turned = (found.azimuth_deg - azimuth_deg + 180.0) % 360.0 - 180.0
    assert abs(np.average(turned, weights=found.weight)) < 8.0
    assert found.weight.sum() == pytest.approx(1.0) and found.from_north


def test_less_known_is_less_certain() -> None:
    known = project(40.0, 80.0)
    low, _, high = geometry.directions(known).interval()
    bare = Mark(known.foot, known.top, known.tip, ASPECT, known.when)
    wide_low, _, wide_high = geometry.directions(bare).interval()
    assert wide_high - wide_low > high - low


def test_draws_are_seeded() -> None:
    mark = project(40.0, 80.0)
    once, again, other = (geometry.directions(mark, seed=s).elevation_deg for s in (0, 0, 1))
    assert np.array_equal(once, again) and not np.array_equal(once, other)


def test_a_shadow_that_no_sun_throws() -> None:
    mark = Mark((0.5, 0.4), (0.5, 0.7), (0.6, 0.5), ASPECT, When(date(2024, 6, 1), date(2024, 6, 1)))
    with pytest.raises(SettingError, match="No sun"):
        geometry.directions(mark)


@pytest.mark.parametrize(
    "text",
    ["2024-06-01T10:00/11:00Z", "2024-06-01/2024-06-20T10:00/11:00+02:00", "2024-06-01", "2024-06-01T23:30/00:30", "2024-06-01Z"],
)
def test_times_are_read_as_they_are_written(text: str) -> None:
    when = When.parse(text)
    assert when.text == text and When.parse(when.text) == when


@pytest.mark.parametrize("text", ["", "tomorrow", "2024-13-01", "2024-06-01T25:00", "2024-06-02/2024-06-01", "1850-01-01"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(SettingError):
        When.parse(text)


def test_a_moment_is_ten_minutes_on_either_side() -> None:
    when = When.parse("2024-06-01T10:20Z")
    assert (when.start_min, when.end_min, when.offset_min) == (610, 630, 0)


def test_a_marking_is_read_as_it_is_written() -> None:
    mark = project(40.0, 80.0)
    again = Mark.parse(mark.text)
    assert again.text == mark.text and again.horizon is not None and again.fov_deg == 60.0


@pytest.mark.parametrize("text", ["", "foot=1", "foot=0.1,0.2 top=0.1,0.1 tip=a,b frame=1.7 when=2024-06-01", "x" * 5000])
def test_what_is_no_marking_is_refused(text: str) -> None:
    with pytest.raises(SettingError):
        Mark.parse(text)


def test_lens() -> None:
    assert fov_of_lens(36.0 / 2 / np.tan(np.radians(30.0)), 1.5) == pytest.approx(60.0, abs=0.01)


def test_likelihood_is_the_mean_over_the_times_of_what_pvlib_says() -> None:
    """At three places, worked out the slow way."""
    mark = project(40.0, 80.0).but(When.parse("2024-06-01T10:00/11:00Z"))
    grid, held = world_grid(), score.table(mark)
    values = score.likelihood(mark, grid)
    days, minutes = score.times_of(mark.when, score.MOST_TIMES_TURNED)
    unix = np.array([datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp() for d in days]) + 60.0 * minutes
    assert held.by_both is not None
    for cell in np.argsort(-values)[[0, 50, 400]]:
        lat, lon = (float(x[cell]) for x in grid.lat_lon_deg)
        e, a = sun.positions(lat, lon, unix)
        slow = held.by_both[(e * 4).astype(int), a.astype(int) % 360].mean()
        assert values[cell] == pytest.approx(slow, rel=0.1)


def test_where_the_sun_is_down_nothing_fits() -> None:
    mark = Mark((0.4, 0.8), (0.4, 0.4), (0.6, 0.82), ASPECT, When.parse("2024-06-21T12:00/12:20Z"))
    values = score.likelihood(mark, world_grid())
    at = world_grid().locate(np.array([60.0, -85.0]), np.array([10.0, 0.0]))
    assert values[at[0]] > 0.0 and values[at[1]] == 0.0


def test_the_clock_of_the_place_tells_nothing_of_its_longitude_but_little() -> None:
    """With the place's own clock, two cells of one latitude in the middle of their zones are alike; with UTC they are not."""
    mark = Mark((0.4, 0.8), (0.4, 0.4), (0.6, 0.82), ASPECT, When.parse("2024-02-01T09:00/09:20"))
    utc = mark.but(When.parse("2024-02-01T09:00/09:20Z"))
    grid = world_grid()
    a, b = grid.locate(np.array([45.0, 45.0]), np.array([15.0, -90.0]))  # Slovenia (UTC+1), Wisconsin (UTC-6)
    local, same = score.likelihood(mark, grid), score.likelihood(utc, grid)
    assert local[a] == pytest.approx(local[b], rel=0.25)
    assert same[b] < 0.1 * same[a]


def shadow(confidence: float = 0.99, text: str | None = None) -> Observation:
    label = text or project(40.0, 80.0).text
    return Observation("sun", "shadow", label, confidence, 1.0, 1.0, "Shadow", "analyst")


def test_the_clue_is_bounded_by_confidence() -> None:
    grid = world_grid()
    for confidence, least in ((0.99, 1 - score.MOST_SURE), (0.6, 0.4)):
        found = score.log_likelihood((shadow(confidence),), grid)
        assert found.abstained is None and np.isfinite(found.log_likelihood).all()
        assert found.log_likelihood.min() >= np.log(least) - 1e-9


def test_the_clue_abstains_with_a_reason() -> None:
    grid = world_grid()
    nothing = score.log_likelihood((), grid)
    assert nothing.abstained == "no shadow is marked" and not nothing.expected
    assert "cannot be read" in str(score.log_likelihood((shadow(text="rubbish"),), grid).abstained)


def test_two_shadows_of_one_frame_do_not_count_twice() -> None:
    grid = world_grid()
    one = score.log_likelihood((shadow(),), grid).log_likelihood
    two = score.log_likelihood((shadow(), shadow()), grid).log_likelihood
    assert np.allclose(two, 1.5 * one)


def test_marked_shadows_move_the_picture_and_are_guarded_like_every_edit() -> None:
    stream = Stream(0, 1, "video", "h264", width_px=1280, height_px=720)
    perception = Perception(Clip("clip.mp4", "0" * 64, 1, "mp4", 10.0, (stream,)), Interval(0.0, 10.0), ())
    first = judge(perception)
    assert not first.by("picture").spoke  # type: ignore[union-attr]
    settings = apply_edit(Settings(), shadows.mark_shadow(project(40.0, 80.0), 1.0, 0.99, "Ann"))
    found = judge(perception, settings)
    assert found.by("picture").spoke and found.before  # type: ignore[union-attr]
    assert "UTC" in settings.added[0].note and settings.added[0].author == "analyst:Ann"
    dropped = judge(perception, apply_edit(settings, edits.drop(settings.added[0].key)))
    assert not dropped.by("picture").spoke  # type: ignore[union-attr]


# --- blue skies and claimed times -----------------------------------------------------------------------------------------


def frame(top: tuple[int, int, int], rest: tuple[int, int, int]) -> np.ndarray:
    out = np.empty((90, 160, 3), np.uint8)
    out[:40], out[40:] = top, rest
    return out


def test_a_blue_sky_over_a_lit_scene_is_daylight_and_nothing_else_is() -> None:
    assert sky_share(frame((120, 170, 230), (120, 110, 90))) > 0.9
    for top, rest in (
        ((200, 200, 200), (120, 110, 90)),  # a grey sky, or a ceiling
        ((120, 170, 230), (5, 5, 10)),  # a screen in the dark
        ((0, 0, 250), (120, 110, 90)),  # a blue wall of a studio
        ((10, 14, 30), (20, 20, 20)),  # night
        ((240, 180, 120), (120, 110, 90)),  # a warm lamp
    ):
        assert sky_share(frame(top, rest)) < 0.1
    noise = np.random.default_rng(0).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    assert sky_share(noise) < 0.1 and sky_share(np.zeros((3, 3, 3), np.uint8)) == 0.0


def test_a_claimed_night_and_a_blue_sky() -> None:
    sky = tuple(Observation("sun", "daylight", "blue sky", 0.9, float(t), float(t), author="sun-spa") for t in range(3))
    oslo = Claim(59.91, 10.75, date(2024, 12, 12), "Oslo", minute=22 * 60 + 40)
    found = shadows.at_claim(oslo, sky)
    assert found is not None and found.light == "night" and found.contradicted and found.zone == "Europe/Oslo"
    assert found.elevation_deg == pytest.approx(-49.5, abs=1.5)
    assert not shadows.at_claim(oslo, sky[:1]).contradicted  # type: ignore[union-attr]
    noon = shadows.at_claim(Claim(59.91, 10.75, date(2024, 12, 12), minute=12 * 60), sky)
    assert noon is not None and noon.light == "day" and not noon.contradicted
    assert noon.elevation_deg == pytest.approx(6.9, abs=0.5)  # 90 - 59.91 - 23.1, as the almanacs have it
    assert shadows.at_claim(Claim(59.91, 10.75), sky) is None


def test_a_day_on_which_the_sun_does_not_rise() -> None:
    found = shadows.at_claim(Claim(78.22, 15.65, date(2024, 12, 21), "Longyearbyen"), ())
    assert found is not None and found.whole_day and found.light == "nautical twilight" and found.elevation_deg < -6.0


def test_a_time_needs_a_day() -> None:
    with pytest.raises(SettingError, match="claimed day"):
        Claim(59.91, 10.75, minute=600)


def test_times_that_fit_a_known_place() -> None:
    """In Oslo on 1 June the sun is 40° up in the morning and in the afternoon, and never at night."""
    mark = Mark(project(40.0, 80.0).foot, project(40.0, 80.0).top, project(40.0, 80.0).tip, ASPECT, When.parse("2024-06-01"))
    fit = shadows.fits(mark, 59.91, 10.75)
    own = fit.fit[(date(2024, 6, 1) - date(2024, 1, 1)).days]
    best = fit.hours[int(np.nanargmax(own))]
    assert fit.fit.shape == (366, len(fit.hours)) and np.isnan(own[2]) and (8.0 < best < 12.0 or 15.0 < best < 19.0)
    assert fit.said.startswith("On 2024-06-01 this shadow fits")


def test_a_preview_is_a_picture_of_the_land() -> None:
    found = shadows.preview(project(40.0, 80.0))
    assert found.picture.shape == shadows.RASTER and found.picture.max() == 255
    assert found.low_deg < 40.0 < found.high_deg and 0.0 < found.area_share < 0.5
    assert found.picture[84 - 30, 180 - 40] == 0  # the Atlantic


def test_when_the_file_says_so() -> None:
    def tag(label: str) -> Observation:
        return Observation("container", "tag", label, 1.0, 0.0, 0.0, "creation time")

    assert shadows.stated_when((tag("2021-04-10T06:30:00-04:00"),)) == When(date(2021, 4, 10), date(2021, 4, 10), 380, 400, -240)
    assert shadows.stated_when((tag("2021-04-10"),)) == When(date(2021, 4, 10), date(2021, 4, 10), offset_min=None)
    assert shadows.stated_when(()) is None


def test_a_finding_says_where_the_sun_stood_at_the_claim() -> None:
    sky = tuple(Observation("sun", "daylight", "blue sky", 0.9, float(t), float(t), author="sun-spa") for t in range(3))
    stream = Stream(0, 1, "video", "h264", width_px=1280, height_px=720)
    perception = Perception(Clip("clip.mp4", "0" * 64, 1, "mp4", 10.0, (stream,)), Interval(0.0, 10.0), sky)
    oslo = Claim(59.91, 10.75, date(2024, 12, 12), "Oslo", minute=22 * 60 + 40)
    found = judge(perception, Settings(claim=oslo))
    said = claim_words.sun_words(found.claims[0])
    assert said.startswith("at that time the sun is 50°") and "below the horizon: night" in said
    assert said.endswith("a blue sky is seen in 3 frames, which no sun could have lit then")
    assert claim_words.stated(found.claims[0]) == "Oslo, 12 December 2024, 22:40"
    assert "Sun" in dict(claim_words.factor_rows(found.claims[0]))
    record = json.loads(to_json(found))["claims"][0]
    assert record["time"] == "22:40" and record["sun"]["contradicted"] and record["sun"]["zone"] == "Europe/Oslo"
    assert settings_from_json(settings_to_json(found.settings)).claim == oslo
