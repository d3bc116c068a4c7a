"""What the terminal says of what the file states."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np

from engine.cli import summary
from engine.cli.terminal import Pen
from engine.core.observation import Observation


def tag(name: str, label: str, note: str, vector: tuple[float, float] | None = None, at_s: float = 0.0) -> Observation:
    place = None if vector is None else np.array(vector, np.float32)
    return Observation("container", "tag", label, 1.0, at_s, at_s, name=name, author="container", note=note, vector=place)


def written(*observations: Observation) -> str:
    out = io.StringIO()
    finding = SimpleNamespace(perception=SimpleNamespace(observations=observations))
    summary._stated(finding, Pen(out))  # type: ignore[arg-type]
    return " ".join(out.getvalue().split())


def test_places_times_and_doubts_are_listed_with_where_they_stand() -> None:
    said = written(
        *(tag("timed location", f"+36.6{i}-006.1/", "from drone subtitles", (36.6, -6.1), float(i)) for i in range(3)),
        tag("creation time", "2022-06-21T16:06:17", "from drone subtitles; its offset from UTC is not stated"),
        tag("location in doubt", "+48/ or +02/", "from subtitles\x1b[2J"),
        tag("encoder", "Lavf60", "from encoder"),
    )
    assert "place +36.60-006.1/ from drone subtitles; the first of 3" in said
    assert "time 2022-06-21T16:06:17 from drone subtitles; its offset from UTC is not stated" in said
    assert "in doubt +48/ or +02/ from subtitles" in said and "\x1b" not in said
    assert "+36.61" not in said and "Lavf60" not in said


def test_a_file_that_states_nothing_gets_no_section() -> None:
    assert written(tag("encoder", "Lavf60", "from encoder")) == ""
