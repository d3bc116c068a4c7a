"""Boxes land where they should, in the colour they should; text never breaks the frame."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.observation import Observation
from engine.media.draw import COLOURS, Mark, annotate, marks_of

GREY = np.full((200, 400, 3), 90, np.uint8)


def test_box_is_drawn_on_a_copy() -> None:
    made = annotate(GREY, (Mark((0.25, 0.5, 0.75, 0.9)),))
    assert (GREY == 90).all() and made.shape == GREY.shape
    assert tuple(made[140, 100]) == COLOURS["picture"] and tuple(made[140, 299]) == COLOURS["picture"]
    assert tuple(made[140, 200]) == (90, 90, 90)


@pytest.mark.parametrize("modality", COLOURS)
def test_each_sense_has_its_colour(modality: str) -> None:
    made = annotate(GREY, (Mark((0.1, 0.2, 0.9, 0.8), modality=modality),))
    assert tuple(made[100, 40]) == COLOURS[modality]


def test_dropped_marks_are_dashed() -> None:
    whole = annotate(GREY, (Mark((0.1, 0.2, 0.9, 0.8)),))
    dashed = annotate(GREY, (Mark((0.1, 0.2, 0.9, 0.8), dashed=True),))
    colour = np.array(COLOURS["picture"])
    assert 0 < (dashed == colour).all(axis=2).sum() < 0.8 * (whole == colour).all(axis=2).sum()


@pytest.mark.parametrize(
    "box", [(0, 0, 1, 1), (-5.0, -5.0, 9.0, 9.0), (0.9, 0.9, 0.1, 0.1), (0.5, 0.5, 0.5, 0.5), (0, 0, 0.01, 0.01)]
)
def test_any_box_and_text_stay_inside(box: tuple[float, float, float, float]) -> None:
    text = "Łódź\n\x1b\u202e" + "W" * 5_000
    for size in ((20, 30), (200, 400), (90, 1_000)):
        made = annotate(np.zeros((*size, 3), np.uint8), (Mark(box, text),), caption=text)
        assert made.shape == (*size, 3)


def test_letters_with_accents_are_drawn_as_themselves() -> None:
    """A font without a letter draws the same empty box for all of them."""
    drawn = {annotate(GREY, caption=letter).tobytes() for letter in "äøśğéñ"}
    assert len(drawn) == 6


def test_marks_come_from_observations_with_boxes() -> None:
    seen = Observation("text", "text", "AUGUSTA GA", 0.9, 8.0, 8.0, box=(0.1, 0.1, 0.5, 0.2))
    heard = Observation("species", "species", "Parus major", 0.9, 0.0, 3.0)
    (mark,) = marks_of((seen, heard), frozenset({seen.key}))
    assert mark.text == "AUGUSTA GA" and mark.dashed


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        annotate(np.zeros((10, 10), np.uint8))
