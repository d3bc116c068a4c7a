"""Where a side is silent, the result leads with what can be tested and what would help: the same words in every output."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

import engine
from engine.cli.summary import summarise
from engine.cli.terminal import Pen
from engine.core.claim import Claim
from engine.core.clip import Clip, Interval, Stream
from engine.core.finding import Finding
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.models import cards
from engine.report import to_html
from engine.report.formats.page import page_of
from engine.report.view.lead import lead, why_silent

STREAMS = (Stream(0, 1, "video", "h264", 12.0, width_px=640, height_px=360, fps=25.0), Stream(1, 1, "audio", "aac", 12.0))
TIT = Observation("species", "species", "Parus major", 0.95, 0.0, 3.0, "Great Tit", "birdnet-v2.4")
SIGN = Observation("text", "text", "AUGUSTA GA 30904", 0.9, 4.0, 4.0, author="rapidocr", box=(0.1, 0.1, 0.5, 0.3))
AUGUSTA = Claim(33.47, -81.97, name="Augusta, Georgia, USA")


def judged(
    *seen: Observation, claim: Claim | None = None, streams: tuple[Stream, ...] = STREAMS, silent: dict[str, str] | None = None
) -> Finding:
    clip = Clip("/x/clip.mp4", "ab" * 32, 1000, "mov", 12.0, streams)
    return engine.judge(Perception(clip, Interval(0.0, 12.0), seen, silent=silent or {}), Settings(claim=claim))


def test_a_claim_comes_first_with_each_side_against_it() -> None:
    found = lead(judged(SIGN, claim=AUGUSTA))
    assert found is not None and found.title.startswith("Claimed: Augusta, Georgia, USA. ")
    sides = dict(found.lines)
    assert "for the claim" in sides["Picture against the claim"]
    assert sides["Sound against the claim"] == "cannot tell: the sound gives no usable location"
    assert found.tone == "same" and found.compared.endswith("the sound gives no usable location.")
    assert "for the sound, a longer interval" in found.help and "for the picture" not in found.help
    assert "a place stated for the clip" not in found.help


def test_without_a_claim_it_says_what_there_is_and_asks_for_one() -> None:
    one = lead(judged(SIGN))
    assert one is not None and one.title.startswith("Only the picture gives a location: ") and "Georgia" in one.title
    none = lead(judged())
    assert none is not None and none.title == "Neither sound nor picture gives a usable location"
    assert not none.lines and not none.compared, "the title says it"
    assert all("a place stated for the clip" in x.help for x in (one, none))


def test_weights_that_are_missing_are_named() -> None:
    why = cards.CLIP.absent
    found = lead(judged(TIT, silent={"picture": why}))
    assert (
        found is not None
        and "the weights of CLIP ViT-L/14 (earwitness models pull clip-vit-large-patch14), or a sign or another cue" in found.help
    )


def test_the_reason_in_short_leaves_out_what_the_help_names() -> None:
    why = cards.CLIP.absent
    found = judged(TIT, silent={"picture": why, "text": "no text was read"})
    picture = found.by("picture")
    assert picture is not None and picture.cannot_tell and "CLIP ViT-L/14 is not installed" in picture.cannot_tell
    assert why_silent(found, picture) == "no text was read"
    faint = judged(replace(TIT, score=0.03))
    sound = faint.by("sound")
    assert sound is not None and not sound.spoke and why_silent(faint, sound).startswith("no detection of an animal")


def test_nothing_is_asked_of_a_track_that_is_not_there() -> None:
    found = lead(judged(TIT, streams=STREAMS[1:]))
    assert found is not None and found.compared == "Sound and picture cannot be compared: the clip has no picture."
    assert "picture," not in found.help and found.title.startswith("Only the sound")


def test_two_sides_that_speak_are_led_by_their_comparison() -> None:
    found = judged(TIT, SIGN)
    assert all(x.spoke for x in found.located if x.modality in ("sound", "picture")) and lead(found) is None
    assert lead(replace(judged(SIGN), film=(found,))) is None


@pytest.mark.parametrize("claim", [None, AUGUSTA])
def test_terminal_and_report_lead_with_the_same_words(claim: Claim | None) -> None:
    found = judged(SIGN, claim=claim)
    first = lead(found)
    assert first is not None
    terminal = io.StringIO()
    summarise(found, Pen(terminal))
    said, page, html = " ".join(terminal.getvalue().split()), page_of(found), to_html(found)
    assert page.lead == first
    for text in (first.title, first.help, *(f"{what}: {result}" for what, result in first.lines)):
        assert text in said and text in html, text
    assert said.index(first.title) < said.index("Sound: cannot tell")
    assert html.index(first.title) < html.index("Cannot tell whether sound and picture")
