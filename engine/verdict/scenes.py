"""Scenes: runs of shots that share a place.

A film comes back to what it has shown: speaker and listener, the whole and a part. So two shots that look alike and lie near
each other hold everything between them together (the idea of the scene transition graph, Yeung and Yeo 1998), and so does a
sign that is read on both sides of a cut. A cut that nothing spans parts two scenes. How alike is alike depends on the sound:
where the background goes on unchanged across the cut the place is likely the same, where it changes it is likely another;
where it cannot be heard, between the two.

The numbers below are choices, not fits: no film with marked scenes was at hand. They part the drawn films of the tests rightly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from engine.core.clip import Ambience, Interval, Shot
from engine.core.observation import Observation

SHORT_CLIP_S = 60.0  # a clip up to this length is one scene
NEAR_S = 30.0  # shots further apart than this hold nothing together
NEAR_SHOTS = 6
LEAST_SCENE_S = 8.0  # a shorter one joins its more similar neighbour
MOST_SCENES = 60
LEAST_LETTERS = 4  # of a sign that holds shots together
ALIKE = {"same": 0.72, "unknown": 0.80, "changed": 0.88}  # Bhattacharyya coefficient from which two shots look alike
AMBIENCE_S = 6.0  # of sound on each side of a cut
SAME_DB, CHANGED_DB = 4.0, 7.0  # mean difference of the bands' levels


def scenes_of(
    shots: Sequence[Shot], whole: Interval, ambience: Ambience | None = None, observations: Sequence[Observation] = ()
) -> tuple[Interval, ...]:
    """The scenes of an interval, in order, covering it without gap or overlap; at least one.

    Args:
        shots: in order, as found by `media.shots.cut`.
        whole: the interval.
        ambience: background of its sound, or None.
        observations: of which texts with a box hold together the shots in which they are read.
    """
    own = [s for s in shots if s.end_s > whole.start_s and s.start_s < whole.end_s]
    if whole.length_s <= SHORT_CLIP_S or len(own) < 2:
        return (whole,)
    held = [_coherence(own, cut) for cut in range(1, len(own))]
    least = [ALIKE[_background(own[cut].start_s, ambience)] for cut in range(1, len(own))]
    signs = [o for o in observations if o.kind == "text" and o.box is not None and not o.note.startswith("caption")]
    spanned = [_text_spans(own[cut].start_s, signs) for cut in range(1, len(own))]
    margin = [1.0 if text else h - a for h, a, text in zip(held, least, spanned, strict=True)]
    cuts = [cut for cut, m in enumerate(margin, 1) if m < 0]
    while cuts:
        edges = [whole.start_s, *(own[c].start_s for c in cuts), whole.end_s]
        short = [i for i, (a, b) in enumerate(pairwise(edges)) if b - a < LEAST_SCENE_S]
        if not short and len(cuts) < MOST_SCENES:
            break
        beside = {c for i in short for c in cuts[max(0, i - 1) : i + 1]} or set(cuts)
        cuts.remove(max(beside, key=lambda c: margin[c - 1]))
    edges = [whole.start_s, *(own[c].start_s for c in cuts), whole.end_s]
    return tuple(Interval(a, b) for a, b in pairwise(edges))


def _coherence(shots: Sequence[Shot], cut: int) -> float:
    """How alike the most similar pair of near shots on both sides of a cut looks, 0 to 1."""
    best = 0.0
    for i in range(max(0, cut - NEAR_SHOTS), cut):
        for j in range(cut, min(len(shots), i + NEAR_SHOTS + 1)):
            a, b = shots[i].look, shots[j].look
            if a is not None and b is not None and shots[j].start_s - shots[i].end_s <= NEAR_S:
                best = max(best, float(a @ b))
    return best


def _background(at_s: float, ambience: Ambience | None) -> str:
    """Whether the background of the sound is the "same" on both sides of a moment, "changed", or "unknown"."""
    if ambience is None:
        return "unknown"
    before, after = ambience.between(at_s - AMBIENCE_S, at_s), ambience.between(at_s, at_s + AMBIENCE_S)
    if before is None or after is None:
        return "unknown"
    apart_db = float(np.abs(before - after).mean())
    return "same" if apart_db < SAME_DB else "changed" if apart_db > CHANGED_DB else "unknown"


def _text_spans(at_s: float, signs: Sequence[Observation]) -> bool:
    """Whether the same sign is read on both sides of a cut, not long before and after it."""
    before = {o.label for o in signs if o.start_s < at_s and at_s - o.end_s <= NEAR_S}
    after = {o.label for o in signs if o.end_s >= at_s and o.start_s - at_s <= NEAR_S}
    return any(len(x) >= LEAST_LETTERS for x in before & after)
