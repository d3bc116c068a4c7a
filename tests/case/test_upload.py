"""Uploads on disk: in order, whole, bounded, removed with their job, and never outside their folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine.case.jobs.queue import Queue
from engine.case.jobs.results import Results
from engine.case.jobs.upload import LEFT_ALONE_S, Uploads, safe_name
from engine.core.errors import InputError
from engine.core.settings import Settings


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", most_bytes=1000)


def test_pieces_in_order_make_the_file(uploads: Uploads) -> None:
    made = uploads.begin("course.mp4", 10)
    assert uploads.append(made, 0, b"01234") == 5
    assert uploads.received_bytes(made) == 5
    with pytest.raises(InputError, match="not complete"):
        uploads.finish(made)
    for at, piece in ((0, b"again"), (7, b"too far"), (5, b"more than was said")):
        with pytest.raises(InputError):
            uploads.append(made, at, piece)
    uploads.append(made, 5, b"56789")
    path = uploads.finish(made)
    assert path.read_bytes() == b"0123456789" and path.name == "course.mp4"
    assert uploads.finish(made) == path and uploads.holds(path)
    with pytest.raises(InputError):
        uploads.append(made, 10, b"more")
    assert path.parent.stat().st_mode & 0o077 == 0 and path.stat().st_mode & 0o077 == 0


def test_there_is_room_for_so_much_together(uploads: Uploads) -> None:
    first = uploads.begin("a.mp4", 700)
    with pytest.raises(InputError, match="give the file by its path"):
        uploads.begin("b.mp4", 400)
    with pytest.raises(InputError, match="empty"):
        uploads.begin("c.mp4", 0)
    uploads.remove(first)
    assert uploads.begin("b.mp4", 400) and uploads.size_bytes() == 400


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\golf.mp4", "golf.mp4"),
        ("..", "clip"),
        ("", "clip"),
        (".hidden.mp4", "hidden.mp4"),
        ("a\x00b\n\u202egpj.mp4", "a_b__gpj.mp4"),
        ("part", "_part"),
        ("facts.json", "_facts.json"),
        ("é" * 200 + ".webm", "é" * 57 + ".webm"),
        ("no suffix", "no suffix"),
    ],
)
def test_a_name_stays_in_its_folder(uploads: Uploads, given: str, kept: str) -> None:
    assert safe_name(given) == kept
    made = uploads.begin(given, 1)
    uploads.append(made, 0, b"x")
    assert uploads.finish(made) == uploads.folder / made / kept


def test_an_id_is_no_path(uploads: Uploads, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"mine")
    for other in ("..", "../..", "", "x" * 32, str(tmp_path)):
        with pytest.raises(InputError):
            uploads.received_bytes(other)
        uploads.remove(other)
    uploads.remove(tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == b"mine" and uploads.folder.is_dir()


def test_an_upload_lasts_as_long_as_a_job_is_about_it(uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Queue, "ensure_worker", lambda self: None)
    queue = Queue(tmp_path / "jobs", Results(tmp_path / "results"), uploads)
    kept, left = uploads.begin("kept.wav", 4), uploads.begin("left.wav", 4)
    for made in (kept, left):
        uploads.append(made, 0, b"RIFF")
    path = uploads.finish(kept)
    one, two = queue.submit(path, Settings()), queue.submit(path, Settings(prior="land"))
    old = time.time() - LEFT_ALONE_S - 60
    for file in (*(uploads.folder / left).iterdir(), *(uploads.folder / kept).iterdir()):
        os.utime(file, (old, old))
    queue.tidy()
    assert path.is_file() and not (uploads.folder / left).exists()
    for job in (one, two):
        assert path.is_file()
        queue.cancel(job)
        queue.forget(job)
    assert not path.exists() and not queue.jobs()
