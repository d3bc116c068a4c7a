"""Perceptions and settings survive being written down."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import pytest

from engine.analysis import edits as hand
from engine.case.record import codec
from engine.core.clip import Ambience, Clip, Interval, Shot, Stream
from engine.core.edit import apply_edit, edit_steps
from engine.core.errors import DataError
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings


def perception() -> Perception:
    stream = Stream(0, 1, "audio", "aac", duration_s=4.0, rate_hz=48_000, channels=2)
    clip = Clip("/a/b.mp4", "ab" * 32, 10, "mov", 4.0, (stream,), (("title", "<b>ünïcode</b>"),), ("a problem",))
    heard = Observation("species", "species", "Parus major", 0.9, 0.0, 3.0, name="Great Tit")
    read = Observation("text", "text", "AUGUSTA", 0.8, 1.0, 1.0, box=(0.1, 0.2, 0.3, 0.4))
    seen = Observation("picture", "embedding", "frame", 1.0, 0.0, 0.0, vector=np.arange(4, dtype=np.float32))
    return Perception(
        clip,
        Interval(0.0, 4.0),
        (heard, read, seen),
        silent={"hum": "none"},
        models=("a", "b"),
        skipped={"audio": 2},
        elapsed_s={"species": 1.5},
        shots=(Shot(0.0, 4.0, (1.0, 2.0), np.ones(3, np.float32)),),
        ambience=Ambience(0.0, 1.0, np.zeros((4, 16), np.float32)),
    )


def test_a_perception_comes_back_as_it_was() -> None:
    was = perception()
    now = codec.loads(codec.dumps(was))
    assert now.clip == was.clip
    assert now.interval == was.interval
    assert (now.silent, now.models, now.skipped, now.elapsed_s) == (was.silent, was.models, was.skipped, was.elapsed_s)
    for a, b in zip(was.observations, now.observations, strict=True):
        assert (a.key, a.score, a.box, a.name) == (b.key, b.score, b.box, b.name)
    vector = now.observations[2].vector
    assert vector is not None and vector.dtype == np.float32
    np.testing.assert_array_equal(vector, [0, 1, 2, 3])
    assert now.shots[0].frame_times_s == (1.0, 2.0)
    assert now.ambience is not None and now.ambience.levels_db.shape == (4, 16)


def test_settings_come_back_as_they_were() -> None:
    was = Settings(
        prior="land",
        when=date(2024, 5, 1),
        interval=Interval(1.0, 2.5),
        dropped=frozenset({"species/species/Parus major"}),
        added=(Observation("species", "species", "Cuculus canorus", 0.7, 0.0, 3.0, author="analyst: Ann"),),
        included=frozenset({"container"}),
    )
    now = codec.settings_from_json(codec.settings_to_json(was))
    assert now.but(added=()) == was.but(added=())
    assert now.added[0].key == was.added[0].key


def test_edits_that_come_back_are_told_once() -> None:
    """What an edit put in and what is scored are two copies after reading; they are one observation all the same."""
    was = apply_edit(Settings(), hand.add_sign("Springfield", 2.0, 2.0, 0.9, "Ann", place=(39.8, -89.64)))
    was = apply_edit(was, hand.drop(was.added[0].key, "Ann"))
    was = apply_edit(was, hand.restore(was.added[0].key if was.added else "text/text/Springfield", "Ann"))
    now = codec.settings_from_json(codec.settings_to_json(was))
    assert [e.what for e, _, _ in edit_steps(now)] == [e.what for e, _, _ in edit_steps(was)] == ["add", "drop", "restore"]
    again = apply_edit(now, hand.restore("text/text/Springfield", "Ann"))
    assert len(again.added) == len(was.added) == 1


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a zip", b"\x80\x04\x95pickle"])
def test_damaged_results_are_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(DataError, match="examine the clip again"):
        codec.loads(data)


def test_a_pickle_inside_is_never_loaded() -> None:
    out = io.BytesIO()
    np.savez(out, facts=np.array([{"clip": 1}], dtype=object))
    with pytest.raises(DataError):
        codec.loads(out.getvalue())


@pytest.mark.parametrize("text", ["", "[]", '{"prior": "moon"}', '{"unknown": 1}'])
def test_foreign_settings_are_refused(text: str) -> None:
    with pytest.raises(Exception) as caught:
        codec.settings_from_json(text)
    assert type(caught.value).__module__ == "engine.core.errors"
