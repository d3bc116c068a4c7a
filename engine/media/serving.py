"""What the decoding child can be asked for, and how its answers are written; the parent's side is `guard`."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.core.clip import Clip, Frame, Interval
from engine.media import answer
from engine.media.contents import describe
from engine.media.reader import FileReader
from engine.media.source import Source

Answer = tuple[dict[str, Any], bytes | memoryview]


def adopt(fd: int, path: str, size_bytes: int, sha256: str) -> Source:
    """The source of a descriptor that the parent opened and hashed."""
    return Source.adopted(fd, path, size_bytes, sha256)


def serve(source: Source, request: dict[str, Any]) -> Iterator[Answer]:
    """Answers to one request.

    Raises:
        MediaError, SettingError: as the same call would in one process.
    """
    if request["task"] == "describe":
        contents = describe(source)
        yield {"is": "contents", "contents": asdict(contents)}, b""
        return
    reader = FileReader(source, Clip.of(request["clip"]), (answer.layout(request["layout"]),))
    interval = Interval(*request["interval"]) if request.get("interval") else None
    reported: dict[str, int] = {}
    for facts, payload in _ANSWERS[request["task"]](reader, request, interval):
        yield facts | {"skipped": _news(reader.skipped, reported)}, payload
    yield {"is": "skipped", "skipped": _news(reader.skipped, reported)}, b""


def _audio(reader: FileReader, request: dict[str, Any], interval: Interval | None) -> Iterator[Answer]:
    for block in reader.audio(request["rate_hz"], interval, request["track"], request["block_s"]):
        samples = np.ascontiguousarray(block.samples, dtype="<f4")
        yield {"is": "audio", "start_s": block.start_s, "rate_hz": block.rate_hz}, samples.data.cast("B")


def _frames(reader: FileReader, request: dict[str, Any], interval: Interval | None) -> Iterator[Answer]:
    for frame in reader.frames(request["times_s"], interval, request["max_side_px"], request["track"]):
        rgb = np.ascontiguousarray(frame.rgb)
        yield {"is": "frame", "time_s": frame.time_s, "shape": rgb.shape[:2]}, rgb.data.cast("B")


class _Wanting:
    """The parent's watcher, as far as the child needs it: no frame nearer than every_s to one that was sent or seen."""

    def __init__(self, every_s: float, times_s: list[float]) -> None:
        self.every_s = every_s
        self.times_s = sorted(times_s)

    def wants(self, time_s: float) -> bool:
        at = bisect.bisect(self.times_s, time_s)
        if any(abs(t - time_s) < self.every_s for t in self.times_s[max(0, at - 1) : at + 1]):
            return False
        self.times_s.insert(at, time_s)  # it is sent now
        return True

    def see(self, frame: Frame, key: bool) -> None:
        """Never called here: the parent looks."""


def _walk(reader: FileReader, request: dict[str, Any], interval: Interval | None) -> Iterator[Answer]:
    watcher = _Wanting(request["every_s"], request["times_s"]) if request["every_s"] is not None else None
    sizes: list[tuple[float, int]] | None = [] if request["sizes"] else None
    for seen in reader.walk(interval, request["track"], request["only_keys"], watcher, sizes):
        small = np.ascontiguousarray(seen.glance.small, dtype="<f4")
        facts = {"is": "seen", "time_s": seen.glance.time_s, "shape": small.shape, "key": seen.key, "frame": None}
        payload = small.tobytes()
        if seen.frame is not None:
            facts["frame"] = seen.frame.rgb.shape[:2]
            payload += np.ascontiguousarray(seen.frame.rgb).tobytes()
        yield facts, payload
    if sizes is not None:
        yield {"is": "sizes", "n": len(sizes)}, np.array(sizes, dtype="<f8").reshape(-1, 2).tobytes()


def _packets(reader: FileReader, request: dict[str, Any], interval: Interval | None) -> Iterator[Answer]:
    for time_s, data in reader.raw_packets(request["index"]):
        yield {"is": "packet", "time_s": time_s}, data


def _origin(reader: FileReader, request: dict[str, Any], interval: Interval | None) -> Iterator[Answer]:
    for name, what, note in reader.origin():
        yield {"is": "fact", "name": name, "what": what, "note": note}, b""


_ANSWERS = {"origin": _origin, "audio": _audio, "frames": _frames, "walk": _walk, "packets": _packets}


def _news(now: dict[str, int], reported: dict[str, int]) -> dict[str, int]:
    """What has been skipped since the last report."""
    news = {k: v - reported.get(k, 0) for k, v in now.items() if v != reported.get(k, 0)}
    reported.update(now)
    return news
