"""The evidence reel of the golf example: a film that plays, as long as its moments, with map, verdict and captions in it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import made

from engine.analysis.judge import judge
from engine.analysis.perceive import perceive
from engine.core.clip import Interval
from engine.core.errors import Cancelled, InputError, SettingError
from engine.core.finding import Finding
from engine.core.paths import EXAMPLES
from engine.core.progress import Progress
from engine.media import FileReader, open_clip
from engine.report.formats.reel import FPS, SIZE, moments_of, write_reel


@pytest.fixture(scope="module")
def golf() -> Iterator[tuple[Finding, FileReader]]:
    with open_clip(EXAMPLES / "golf_georgia.mp4") as reader:
        yield judge(perceive(reader)), reader


@pytest.fixture(scope="module")
def reel(golf: tuple[Finding, FileReader], tmp_path_factory: pytest.TempPathFactory) -> Path:
    finding, reader = golf
    told: list[Progress] = []
    path = write_reel(finding, reader, tmp_path_factory.mktemp("reel") / "golf.mp4", told.append)
    assert told[-1].fraction is not None and told[-1].fraction > 0.9
    return path


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [f.to_ndarray(format="rgb24") for f in film.decode(video=0)]


def test_moments_cover_what_was_heard_and_read(golf: tuple[Finding, FileReader]) -> None:
    moments = moments_of(golf[0])
    kinds = {o.kind for m in moments for o in m.shown}
    assert kinds == {"species", "text"}
    assert all(0.2 <= m.interval.length_s <= 30.0 for m in moments)
    assert [m.interval.start_s for m in moments] == sorted(m.interval.start_s for m in moments)


def test_it_plays_for_as_long_as_its_moments(golf: tuple[Finding, FileReader], reel: Path) -> None:
    wanted_s = sum(m.interval.length_s for m in moments_of(golf[0]))
    with av.open(str(reel)) as film:
        assert {s.type for s in film.streams} == {"video", "audio"}
        assert (film.streams.video[0].width, film.streams.video[0].height) == SIZE
        assert film.duration / 1e6 == pytest.approx(wanted_s, abs=0.3)
    assert len(pictures(reel)) == pytest.approx(wanted_s * FPS, abs=3)


def test_sound_is_that_of_the_clip(golf: tuple[Finding, FileReader], reel: Path) -> None:
    first = moments_of(golf[0])[0].interval
    with open_clip(reel) as made:
        ours = np.concatenate([b.samples for b in made.audio(16_000, Interval(0.0, min(3.0, first.length_s)))])
    theirs = np.concatenate([b.samples for b in golf[1].audio(16_000, Interval(first.start_s, first.start_s + 3.0))])
    n = min(len(ours), len(theirs), 40_000)
    lags = range(-1600, 1601, 8)  # encoders shift by a frame or two
    best = max(np.corrcoef(ours[2000 : n - 2000], np.roll(theirs, lag)[2000 : n - 2000])[0, 1] for lag in lags)
    assert best > 0.8


def test_verdict_map_and_captions_are_burnt_in(golf: tuple[Finding, FileReader], reel: Path) -> None:
    from engine.clues.text.observe import text_reader

    frame = pictures(reel)[len(pictures(reel)) // 3]
    said = " ".join(line.text for line in text_reader().read(frame)).lower()
    assert "different places" in said and "between the two places" in said
    assert "sound" in said and "picture" in said
    amber = (np.abs(frame[104:310, 860:1260].astype(int) - (230, 145, 0)).sum(axis=2) < 90).mean()
    blue = (np.abs(frame[104:310, 860:1260].astype(int) - (0, 98, 190)).sum(axis=2) < 90).mean()
    assert amber > 0.0005 and blue > 0.0001
    heard = "heard" in said or any(
        "heard" in " ".join(line.text for line in text_reader().read(f)).lower() for f in pictures(reel)[:: 4 * FPS]
    )
    assert heard


def test_stopping_leaves_nothing_behind(golf: tuple[Finding, FileReader], tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done > 0.2:
            raise Cancelled("Stopped as asked; nothing was kept.")

    with pytest.raises(Cancelled):
        write_reel(golf[0], golf[1], tmp_path / "x.mp4", stop)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_show_and_the_clip_itself_are_refused(golf: tuple[Finding, FileReader], tmp_path: Path) -> None:
    finding, reader = golf
    empty = replace(finding, perception=replace(finding.perception, observations=()))
    with pytest.raises(SettingError, match="There is no detection"):
        write_reel(empty, reader, tmp_path / "x.mp4")
    with pytest.raises(InputError, match="overwrite the clip"):
        write_reel(finding, reader, EXAMPLES / "golf_georgia.mp4")
    with pytest.raises(InputError, match="cannot be written"):
        write_reel(finding, reader, tmp_path / "nowhere" / "x.mp4")


def test_a_hostile_name_is_drawn_as_text(golf: tuple[Finding, FileReader], tmp_path: Path) -> None:
    from engine.report.formats.reel import _background

    finding = golf[0]
    named = replace(finding, clip=replace(finding.clip, path="/x/" + "\u202e\x00A" * 300 + ".mp4"))
    moment = replace(moments_of(finding)[0], finding=named)
    page = _background(moment, np.zeros(32_000, np.float32))
    assert page.size == SIZE


def test_a_reel_never_takes_the_place_of_a_pipe_or_a_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        with pytest.raises(InputError, match="to a file alone"):
            write_reel(made.finding(), object(), tmp_path / name)  # type: ignore[arg-type]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode) and (tmp_path / "link").is_symlink()
