"""Observations made by hand, to argue about."""

from __future__ import annotations

from engine.core.clip import Clip, Interval, Stream
from engine.core.observation import Observation
from engine.core.perception import Perception

SIGN = Observation("text", "text", "Bristol City Council", 0.98, 2.0, 4.0, author="PP-OCRv6-small")
DOMAIN = Observation("text", "text", "www.bristol.gov.uk", 0.98, 2.0, 4.0, author="PP-OCRv6-small")
TIT = Observation("species", "species", "Parus major", 0.95, 0.0, 3.0, "Great Tit", "birdnet-v2.4")


def perception(*observations: Observation) -> Perception:
    streams = (Stream(0, 1, "video", "h264"), Stream(1, 1, "audio", "aac"))
    return Perception(Clip("clip.mp4", "0" * 64, 1, "mp4", 10.0, streams), Interval(0.0, 10.0), observations)
