"""The HTML page: stands by itself, escapes everything, shows what the finding holds and nothing else."""

from __future__ import annotations

import functools
import io
import re
import sys
import wave
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
import made

from engine.core import sphere
from engine.core.clip import AudioBlock, Clip, Frame, Interval, Shot
from engine.core.errors import MediaError, SettingError
from engine.core.grid import Grid
from engine.report import to_html
from engine.report.figures import ground
from engine.report.figures import map as maps
from engine.report.figures import spectrogram as spectrogram
from engine.report.figures.colour import MASS_COLOURS
from engine.report.figures.projection import azimuthal, equal_earth
from engine.report.view import verdict


class Tone:
    """A reader of a 4 kHz tone under a picture of one grey; `broken` raises as a damaged file does."""

    def __init__(self, clip: Clip, broken: bool = False) -> None:
        self.clip, self.skipped, self.broken = clip, {"audio": 0, "video": 0}, broken

    def audio(
        self, rate_hz: int, interval: Interval | None = None, track: int | None = None, block_s: float = 10.0
    ) -> Iterator[AudioBlock]:
        if self.broken:
            raise MediaError("The sound cannot be decoded; copy it again.")
        assert interval is not None
        t = interval.start_s + np.arange(int(interval.length_s * rate_hz)) / rate_hz
        yield AudioBlock(interval.start_s, rate_hz, (0.5 * np.sin(2 * np.pi * 4000 * t)).astype(np.float32))

    def frames(
        self, times_s: object = None, interval: object = None, max_side_px: int | None = None, track: int | None = None
    ) -> Iterator[Frame]:
        for t in times_s or ():  # type: ignore[attr-defined]
            yield Frame(t, np.full((180, 320, 3), 90, np.uint8))

    def close(self) -> None: ...


class Links(HTMLParser):
    """Collects tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def ranges(latin: str, when: date | None) -> tuple[Grid, np.ndarray]:
    if latin == "Cuculus canorus":
        raise SettingError("No range of this species is known; leave it out.")
    on = made.grid()
    return on, np.clip(np.cos(np.radians(on.lat_lon_deg[0])), 0, 1).astype(np.float32)


@functools.cache
def ordinary() -> str:
    return page()


def page(finding: object = None, broken: bool = False, **kwargs: object) -> str:
    finding = finding or made.finding(**kwargs)  # type: ignore[arg-type]
    return to_html(finding, Tone(finding.clip, broken), ranges)  # type: ignore[attr-defined, arg-type]


def test_nothing_is_loaded_from_anywhere_and_nothing_runs() -> None:
    html = ordinary()
    for tag, attributes in Links(html).tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "srcset", "poster", "data", "action", "xlink:href"}:
                assert value is not None and value.startswith(("data:image/png;", "data:image/jpeg;", "data:audio/wav;", "#"))
    assert html.count("url(") == html.count("url(#frame-") and "@import" not in html
    policy = next(a["content"] for t, a in Links(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
    )
    uses = {a["href"] for t, a in Links(html).tags if t == "use"}
    assert {str(u)[1:] for u in uses} <= {str(a.get("id")) for _, a in Links(html).tags}


def test_hostile_text_is_inert_everywhere() -> None:
    finding = made.finding(text=made.HOSTILE, path=f"/x/{made.HOSTILE}.mp4")
    hostile = replace(finding, settings=finding.settings.but(dropped=frozenset({made.HOSTILE})))
    html = page(hostile)
    assert html.count("&lt;script&gt;") > 10, "it is there, as text"
    assert "<script" not in html and "\x1b" not in html and "\u202e" not in html
    assert not {t for t, _ in Links(html).tags} & {"script", "b>", "img/onerror"}


def test_without_reader_and_ranges_the_page_still_stands() -> None:
    html = to_html(made.finding())
    assert "<audio" not in html and "Great Tit" in html and "Suva, Fiji" in html


def test_a_broken_sound_is_said_and_the_rest_is_shown() -> None:
    html = page(broken=True)
    assert "The sound cannot be decoded" in html and "No range of this species" in html and "Suva, Fiji" in html


def test_cannot_tell_shows_the_reason_and_no_map() -> None:
    html = ordinary()
    assert "Cannot tell" in html and "no text was read" in html
    assert "Map: picture" not in html and "Map: sound" in html


def test_comparison_claim_and_shots_show_when_a_finding_has_them() -> None:
    finding = made.finding(two_speak=True)
    shots = tuple(Shot(a, a + 8.0, (a,)) for a in (0.0, 8.0, 16.0))
    seen = replace(finding.perception, shots=shots)
    whole = replace(finding, comparisons=(made.COMPARISON,), claims=(made.CLAIM_TEST,), perception=seen)
    html = page(whole)
    assert ">Place claimed</text>" in html and ">Place claimed</text>" not in ordinary()
    assert "Moderate support for “Sound and picture come from different places”" in html
    assert "About 90 : 1 (95% interval 25 : 1 to 100 : 1), the maximum our validation supports" in html
    assert "7,640 km" in html and "moderate support" in html and "Sound and picture on one map" in html
    assert "The evidence contradicts the claim" in html and "&lt;script&gt;alert(1)" in html and "<script" not in html
    assert "10 April 2021" in html and "does not live there" in html and "Blue Jay" in html and html.count('class="weeks"') == 2
    assert html.count('class="now"') == 2 and "the maximum that 130 recordings of known place support" in html
    assert html.count('class="cut"') == 2
    assert "Comparison of sound and picture" not in ordinary()
    assert verdict.headline(finding) is None


def test_a_comparison_that_cannot_tell_says_why() -> None:
    unsure = replace(made.COMPARISON, verdict="cannot tell", reason="the result depends on the prior", at_bound=False)
    found = verdict.headline(SimpleNamespace(comparisons=(unsure,)))  # type: ignore[arg-type]
    assert found is not None and found.verdict == "cannot_tell" and found.sentence == "The result depends on the prior."


def test_frames_with_boxes_are_shown_with_what_was_read() -> None:
    html = page(text="AUGUSTA GA 30904")
    found = re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)
    assert found
    picture = np.asarray(Image.open(io.BytesIO(b64decode(found[1]))))
    assert picture.shape == (180, 320, 3) and picture.std() > 1, "the box is drawn on the grey frame"


def test_an_excerpt_plays_and_its_sonagram_shows_the_tone_where_it_is() -> None:
    finding = made.finding()
    heard = spectrogram.excerpt(Tone(finding.clip), 6.0, 9.0)  # type: ignore[arg-type]
    with wave.open(io.BytesIO(b64decode(heard.wav.split(",")[1]))) as file:
        assert file.getframerate() == spectrogram.RATE_HZ and file.getnframes() == 3 * spectrogram.RATE_HZ
    png = re.search(r'href="data:image/png;base64,([^"]+)"', heard.spectrogram)
    assert png
    grey = np.asarray(Image.open(io.BytesIO(b64decode(png[1]))).convert("L"), dtype=float)
    darkest = grey.mean(axis=1).argmin()
    assert (1 - (darkest + 0.5) / grey.shape[0]) * 15_000 == pytest.approx(4000, abs=100)
    assert ">kHz<" in heard.spectrogram and ">6.5<" in heard.spectrogram and "s from the start" in heard.spectrogram


def test_longer_moments_are_bounded_and_silence_has_no_sonagram() -> None:
    finding = made.finding()
    assert len(spectrogram.excerpt(Tone(finding.clip), 0.0, 60.0).wav) < 6.1 * spectrogram.RATE_HZ * 2 * 4 / 3  # type: ignore[arg-type]
    with pytest.raises(MediaError):
        spectrogram.excerpt(Tone(finding.clip, broken=True), 0.0, 3.0)  # type: ignore[arg-type]


def test_projections_are_equal_area_and_true_at_the_centre() -> None:
    x, y = equal_earth(np.array([0.0, 90.0, 0.0]), np.array([0.0, 0.0, 180.0]))
    assert (x[0], y[0]) == (0, 0) and x[2] / y[1] == pytest.approx(2.05, abs=0.01)  # the published aspect ratio
    for lat, lon in ((0.0, 0.0), (60.0, 30.0), (-45.0, -170.0)):
        d = 0.01
        for project in (equal_earth, azimuthal(10.0, -160.0)):
            lats, lons = np.array([lat, lat, lat + d]), np.array([lon, lon + d, lon])
            px, py = project(lats, lons)
            area = (px[1] - px[0]) * (py[2] - py[0]) - (px[2] - px[0]) * (py[1] - py[0])
            assert area == pytest.approx((111.195 * d) ** 2 * np.cos(np.radians(lat + d / 2)), rel=2e-3)
    east, north = azimuthal(50.0, 10.0)(51.0, 10.0)
    assert (east, north) == (pytest.approx(0.0, abs=1e-6), pytest.approx(111.195, rel=1e-3))


def test_the_scale_spans_three_decades_below_the_densest() -> None:
    step = maps.steps(np.log(np.array([1.0, 0.5, 0.0011, 0.0009])), 0.0)
    assert step.tolist()[0] == len(MASS_COLOURS) - 1 and step.tolist()[2:] == [0, -1]


@pytest.mark.parametrize("lat_deg, lon_deg", [(-17.0, 179.5), (89.5, 0.0), (-89.0, 100.0), (35.0, -100.0), (-35.0, -65.0)])
def test_the_near_map_is_drawn_anywhere_and_puts_land_where_land_is(lat_deg: float, lon_deg: float) -> None:
    x = made.located("sound", lat_deg, lon_deg, 300.0, made.grid((lat_deg, lon_deg)))
    svg = maps.near_map(x, maps.outlines_of(x, (0.5, 0.9)), [], "t")
    assert "nan" not in svg and "inf" not in svg.replace("infinity", "")
    drawn = re.search(r'<path d="([^"]*)" fill="#e9e8e3"/>', svg)
    assert drawn
    if lat_deg in (-89.0, 35.0, -35.0):
        assert len(drawn[1]) > 10


def test_land_at_the_antipode_is_not_turned_inside_out() -> None:
    """The antipode of a place has no image; a country around it would cover the whole map."""
    place = made.located("sound", -35.0, -65.0, 300.0, made.grid((-35.0, -65.0))).place
    for land in ground.land("medium"):
        for piece in maps._window(land, place, 1000.0):
            assert sphere.distance_km(*reversed(piece.centroid.coords[0]), place.lat_deg, place.lon_deg) < 6000
