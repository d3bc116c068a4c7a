"""How locatable a frame is: looking before a model is spent on it.

The idea is GeoReasoner's (Li et al., ICML 2024, arXiv 2406.18572), who score how locatable a street view is with a network on
CLIP. Without CLIP's weights a frame is worth what the other clues would find in it: writing above all, found by the text
recogniser's detector at a quarter of its usual width, then whether it is an outdoor view; less when it is blurred, a close-up
of a face or a title card, nothing when it is black. With them, a head on CLIP's features (`earwitness lab locatability`) takes
the place of the outdoor guess.

Frames are looked at while the shots are being found, so that nothing is decoded for it.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.core.clip import Frame, Shot
from engine.models import ocr
from engine.models.locatability import Scorer
from engine.models.opencv import cv2

LOOK_PX = 384
SAME_LOOK = 4.0  # mean difference of thumbnails (0..255) below which a frame is not looked at again
SAME_VIEW = 10.0  # the same for CLIP, which takes most of a second on a processor and minds no small change
ROWS, COLUMNS = 18, 32  # of the coarse map of where text stands
CAPTION_SHARE, LEAST_SHOTS = 0.5, 4  # text at one spot in this share of the shots, of at least so many, is a caption
AGAIN = 0.35  # a further frame of a shot is worth this much of what it would be worth alone
SPREAD = 0.25  # share of the budget for frames spread over the film, whatever they look like
SPREAD_TEXT = 0.5  # the same of frames to be read: a look at a quarter of the width misses small letters
KEY_WORTH = 0.8  # a key frame is taken when it is worth this much of the best: it is reached without decoding others
_TEXT_SHARE = 0.003  # share of the frame that text covers at which it counts as about two thirds of all it can


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What one look at a frame told.

    Attributes:
        time_s: when.
        key: a key frame.
        text: (ROWS, COLUMNS) share of each tile that the detector takes for text.
        sharp: 0 (blurred) to 1.
        outdoor: 0 to 1: sky above, plants, light; with a head on CLIP its locatability.
        face: share of the middle that has the colour of skin and no texture.
        card: share of the frame that has one and the same colour.
        black: too dark or too bright to show anything.
        thumbnail: (ROWS, COLUMNS) grey.
    """

    time_s: float
    key: bool
    text: NDArray[np.float32] = field(repr=False)
    sharp: float
    outdoor: float
    face: float
    card: float
    black: bool
    thumbnail: NDArray[np.float32] = field(repr=False)


class Watch:
    """Looks at frames as they pass by, and keeps what it saw; loads the text detector when the first one comes.

    Args:
        every_s: at most one look in so many seconds.
        scorer: CLIP's word on how locatable a frame is; None guesses whether it is an outdoor view instead.
    """

    def __init__(self, every_s: float = 1.0, scorer: Scorer | None = None) -> None:
        self.every_s = every_s
        self.scorer = scorer
        self.sights: list[Sight] = []
        self.times_s: list[float] = []

    def wants(self, time_s: float) -> bool:
        """Whether a frame of this time would tell anything new: none near it has been looked at."""
        at = bisect.bisect(self.times_s, time_s)
        near = self.times_s[max(0, at - 1) : at + 1]
        return all(abs(t - time_s) >= self.every_s for t in near)

    def see(self, frame: Frame, key: bool) -> None:
        """Look at a frame."""
        at = bisect.bisect(self.times_s, frame.time_s)
        before = self.sights[at - 1] if at else None
        self.times_s.insert(at, frame.time_s)
        self.sights.insert(at, look_at(frame, key, before, self.scorer))


def look_at(frame: Frame, key: bool = False, before: Sight | None = None, scorer: Scorer | None = None) -> Sight:
    """Measure a frame; where it looks like the one before, what costs time is taken from there."""
    height, width = frame.rgb.shape[:2]
    scale = min(1.0, LOOK_PX / max(height, width))
    size = (max(32, round(width * scale)), max(32, round(height * scale)))
    small = np.asarray(cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    thumbnail = cv2.resize(grey, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)
    black = bool(grey.mean() < 14 or grey.mean() > 244 or grey.std() < 4)
    text: NDArray[np.float32]
    if black:
        text = np.zeros((ROWS, COLUMNS), np.float32)
    elif before is not None and np.abs(before.thumbnail - thumbnail).mean() < SAME_LOOK:
        text = before.text
    else:
        said = (ocr.text_map(small) > 0.3).astype(np.float32)
        text = np.asarray(cv2.resize(said, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), dtype=np.float32)
    if scorer is None or black:
        outdoor = _outdoor(small)
    elif before is not None and not before.black and np.abs(before.thumbnail - thumbnail).mean() < SAME_VIEW:
        outdoor = before.outdoor
    else:
        outdoor = scorer.score(frame.rgb)
    return Sight(frame.time_s, key, text, _sharpness(grey), outdoor, _face(small), _card(grey), black, thumbnail)


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """From the strongest edges: a blurred picture has none, whatever it shows."""
    edges = np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (3, 3), 0), cv2.CV_32F))
    return float(np.clip(np.quantile(edges, 0.98) / 40.0, 0.0, 1.0))


def _outdoor(rgb: NDArray[np.uint8]) -> float:
    """Sky above (bright, smooth, bluish or white) and plants anywhere."""
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    hue, saturation, value = (hsv[..., c].astype(np.float32) for c in range(3))
    top = slice(0, len(rgb) // 3)
    blue = (hue > 90) & (hue < 130) & (saturation > 40) & (value > 90)
    white = (saturation < 40) & (value > 170)
    sky = float((blue | white)[top].mean())
    green = float(((hue > 32) & (hue < 85) & (saturation > 45) & (value > 30)).mean())
    return float(np.clip(0.7 * sky + 1.2 * green, 0.0, 1.0))


def _face(rgb: NDArray[np.uint8]) -> float:
    """Share of the middle with the chroma of skin (Chai and Ngan 1999) and little texture."""
    height, width = rgb.shape[:2]
    middle = rgb[height // 6 : -height // 6 or None, width // 4 : -width // 4 or None]
    ycc = cv2.cvtColor(middle, cv2.COLOR_RGB2YCrCb)
    red, blue = ycc[..., 1], ycc[..., 2]
    skin = (red >= 135) & (red <= 173) & (blue >= 77) & (blue <= 127)
    smooth = np.abs(cv2.Laplacian(ycc[..., 0], cv2.CV_32F)) < 12
    return float((skin & smooth).mean())


def _card(grey: NDArray[np.uint8]) -> float:
    """Share of the frame within a few steps of its most frequent grey."""
    counts = np.bincount(grey.ravel() // 4, minlength=64)
    at = int(counts.argmax())
    return float(counts[max(0, at - 1) : at + 2].sum() / grey.size)


def captions(shots: Sequence[Shot], sights: Sequence[Sight]) -> NDArray[np.bool_]:
    """(ROWS, COLUMNS) where text stands in most shots: captions, subtitles, a station's sign."""
    by_shot = [np.max([s.text for s in own], axis=0) > 0.1 for own in _by_shot(shots, sights) if own]
    if len(by_shot) < LEAST_SHOTS:
        return np.zeros((ROWS, COLUMNS), dtype=bool)
    found = (np.mean(by_shot, axis=0) >= CAPTION_SHARE).astype(np.uint8)
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)).astype(bool))  # words differ in length and height


def worth(sight: Sight, caption: NDArray[np.bool_] | None = None, text_alone: bool = False) -> float:
    """How locatable a frame is, 0 to 1, or how much there is to be read in it."""
    if sight.black:
        return 0.0
    share = float(sight.text[~caption].sum() / sight.text.size) if caption is not None else float(sight.text.mean())
    text = 1.0 - np.exp(-share / _TEXT_SHARE)
    if sight.card > 0.8 and sight.text.any():
        text *= 0.3
    clear = 0.4 + 0.6 * sight.sharp
    beside = 0.0 if text_alone else 0.25 * sight.outdoor * (1.0 - min(1.0, 1.5 * sight.face))
    return float(clear * (0.75 * text + beside))


def choose(shots: Sequence[Shot], sights: Sequence[Sight], budget: int, text_alone: bool = False) -> tuple[float, ...]:
    """Times of the frames to spend models on, in order, at most `budget`; with text_alone of those to be read.

    A quarter (of those to be read half) is spread evenly over the film, each the best of its interval; the others are the most
    locatable, a further one of a shot counting less. Frames in which nothing is to be found are not taken for the budget's sake.
    """
    if budget < 1 or not sights:
        return ()
    caption = captions(shots, sights)
    value = np.array([worth(s, caption, text_alone) for s in sights])
    times = np.array([s.time_s for s in sights])
    taken: list[int] = []
    spread = SPREAD_TEXT if text_alone else SPREAD
    edges = np.linspace(times[0], times[-1] + 1e-6, max(1, round(spread * budget)) + 1)
    for a, b in pairwise(edges):
        inside = np.flatnonzero((times >= a) & (times < b))
        if len(inside):
            taken.append(_preferred(inside, value, sights))
    offers = []
    for own in _indices_by_shot(shots, times):
        again = 1.0
        left = [i for i in own if i not in taken]
        again = AGAIN ** (len(own) - len(left))
        while left and again > 0.01:
            best = _preferred(np.array(left), value, sights)
            if value[best] < 0.05:
                break
            offers.append((again * value[best], best))
            # What looks like the frame taken shows the same again.
            left = [i for i in left if np.abs(sights[i].thumbnail - sights[best].thumbnail).mean() > 3 * SAME_LOOK]
            again *= AGAIN
    offers.sort(reverse=True)
    taken += [i for _, i in offers if i not in taken][: budget - len(taken)]
    return tuple(float(times[i]) for i in sorted(set(taken)))


def _preferred(among: NDArray[np.int64], value: NDArray[np.float64], sights: Sequence[Sight]) -> int:
    """The most valuable of some, or the best key frame if that is nearly as good."""
    best = int(among[value[among].argmax()])
    keys = [int(i) for i in among if sights[i].key]
    key = max(keys, key=lambda i: value[i], default=best)
    return key if value[key] >= KEY_WORTH * value[best] else best


def _indices_by_shot(shots: Sequence[Shot], times: NDArray[np.float64]) -> list[list[int]]:
    return [np.flatnonzero((times >= s.start_s) & (times < s.end_s)).tolist() for s in shots]


def _by_shot(shots: Sequence[Shot], sights: Sequence[Sight]) -> list[list[Sight]]:
    return [[sights[i] for i in own] for own in _indices_by_shot(shots, np.array([s.time_s for s in sights]))]
