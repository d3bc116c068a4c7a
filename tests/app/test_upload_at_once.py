"""Uploads as browsers send them: pieces twice at once, out of order, damaged, resumed, by two servers, onto a full disk."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.server import route
from engine import InputError
from engine.case import PieceError, Uploads
from engine.case.jobs import upload as module
from engine.core.paths import ROOT

OURS = {"X-Earwitness": "upload"}
PIECE = 1000


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(route, "_installed", False)
    with TestClient(Starlette(routes=route.routes()), base_url="http://127.0.0.1:8501") as client:
        yield client


@pytest.fixture
def film() -> bytes:
    return np.random.default_rng(3).bytes(3 * PIECE + 7)


def pieces(film: bytes) -> list[tuple[int, bytes]]:
    return [(at, film[at : at + PIECE]) for at in range(0, len(film), PIECE)]


def tree(film: bytes) -> str:
    """As the browser computes it."""
    return hashlib.sha256(b"".join(hashlib.sha256(piece).digest() for _, piece in pieces(film))).hexdigest()


def begin(client: TestClient, door: str, film: bytes) -> str:
    return str(client.post(door, json={"name": "a.mp4", "size": len(film)}, headers=OURS).json()["id"])


def put(client: TestClient, where: str, at: int, piece: bytes, said: bytes | None = None) -> tuple[int, dict[str, object]]:
    sha256 = hashlib.sha256(piece if said is None else said).hexdigest()
    words = f"{where}?at={at}&size={len(piece if said is None else said)}"
    answer = client.put(words, content=piece, headers={**OURS, "X-Earwitness-SHA256": sha256})
    return answer.status_code, answer.json()


def test_every_piece_sent_many_times_at_once_is_stored_once(client: TestClient, tmp_path: Path, film: bytes) -> None:
    door = route.door(Uploads(tmp_path / "uploads"))
    for trial in range(40):
        where = f"{door}/{begin(client, door, film)}"
        sent = [p for p in pieces(film) for _ in range(3)]
        np.random.default_rng(trial).shuffle(sent)  # type: ignore[arg-type]
        together = threading.Barrier(4)

        def send(share: list[tuple[int, bytes]], where: str = where, together: threading.Barrier = together) -> list[int]:
            together.wait()
            return [put(client, where, at, piece)[0] for at, piece in share]

        with ThreadPoolExecutor(4) as threads:
            codes = [code for codes in threads.map(send, [sent[n::4] for n in range(4)]) for code in codes]
        assert set(codes) == {200}
        done = client.post(where, json={"sha256": tree(film)}, headers=OURS)
        assert done.json() == {"received": len(film)}
        path = route.arrived(door, where.rpartition("/")[2])
        assert path.read_bytes() == film, f"trial {trial}"


WRITER = """
import hashlib, sys
from pathlib import Path
from engine.case import Uploads
folder, upload, source = sys.argv[1:]
film, uploads = Path(source).read_bytes(), Uploads(Path(folder))
print("ready", flush=True)
sys.stdin.readline()
for at in range(0, len(film), 1000):
    piece = film[at : at + 1000]
    uploads.append(upload, at, piece, hashlib.sha256(piece).hexdigest())
"""


def test_two_servers_that_share_a_folder(tmp_path: Path, film: bytes) -> None:
    uploads = Uploads(tmp_path / "uploads")
    film = film * 20
    (tmp_path / "film").write_bytes(film)
    made = uploads.begin("a.mp4", len(film))
    words = [sys.executable, "-c", WRITER, str(uploads.folder), made, str(tmp_path / "film")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [subprocess.Popen(words, stdin=-1, stdout=-1, stderr=-1, text=True, env=env) for _ in range(2)]
    for w in writers:
        assert w.stdout and w.stdout.readline() == "ready\n"
    for w in writers:
        assert w.stdin
        w.stdin.write("go\n")
        w.stdin.flush()
    for w in writers:
        _, said = w.communicate(timeout=60)
        assert w.returncode == 0, said
    assert uploads.finish(made, tree(film)).read_bytes() == film


def test_order_does_not_matter_and_where_it_goes_on_is_told(client: TestClient, tmp_path: Path, film: bytes) -> None:
    door = route.door(Uploads(tmp_path / "uploads"))
    where = f"{door}/{begin(client, door, film)}"
    (zero, one, two, last) = pieces(film)
    assert put(client, where, *two) == (200, {"received": 0})
    assert put(client, where, *zero) == (200, {"received": PIECE})
    assert client.get(where, headers=OURS).json() == {"received": PIECE}  # a page that goes on after its connection broke
    assert put(client, where, *one) == (200, {"received": 3 * PIECE})
    assert put(client, where, *one) == (200, {"received": 3 * PIECE})
    early = client.post(where, json={"sha256": tree(film)}, headers=OURS)
    assert early.status_code == 409 and "not complete" in early.json()["error"]
    assert put(client, where, *last) == (200, {"received": len(film)})
    with pytest.raises(InputError, match="not compared"):
        route.arrived(door, where.rpartition("/")[2])
    assert client.post(where, json={"sha256": tree(film)}, headers=OURS).status_code == 200
    assert client.post(where, json={"sha256": tree(film)}, headers=OURS).status_code == 200  # its answer was lost
    assert route.arrived(door, where.rpartition("/")[2]).read_bytes() == film


def test_what_is_not_what_was_sent_is_refused(client: TestClient, tmp_path: Path, film: bytes) -> None:
    door = route.door(Uploads(tmp_path / "uploads"))
    where = f"{door}/{begin(client, door, film)}"
    zero, one, two, last = pieces(film)
    for damaged in (zero[1][:-1], zero[1][:-1] + b"x", zero[1] + b"x"):
        code, told = put(client, where, 0, damaged, said=zero[1])
        assert code == 422 and "again" in str(told["error"])
    assert put(client, where, *zero)[0] == 200, "the same piece may be sent again"
    code, told = put(client, where, 0, bytes(PIECE))
    assert code == 409 and "the file changed" in str(told["error"])
    assert put(client, where, 500, bytes(PIECE))[0] == 409, "pieces may not overlap"
    assert put(client, where, 3 * PIECE, bytes(8))[0] == 409, "more than was announced"
    assert put(client, where, PIECE, b"")[0] == 409
    for bad in ("x", "0" * 63, "é" * 64):
        assert client.post(where, json={"sha256": bad}, headers=OURS).status_code == 409
    for body in (b"", b"[]", b'{"sha256": 3}', b'{"sha256": ""}'):
        assert client.post(where, content=body, headers=OURS).status_code == 409
    for piece in (one, two, last):
        assert put(client, where, *piece)[0] == 200
    other = client.post(where, json={"sha256": tree(film[::-1])}, headers=OURS)
    assert other.status_code == 409 and "not what was sent" in other.json()["error"]


def test_a_disk_that_changes_what_lies_on_it_is_found_out(tmp_path: Path, film: bytes) -> None:
    uploads = Uploads(tmp_path / "uploads")
    made = uploads.begin("a.mp4", len(film))
    for at, piece in pieces(film):
        uploads.append(made, at, piece, hashlib.sha256(piece).hexdigest())
    part = uploads.folder / made / "part"
    part.write_bytes(film[:-1] + bytes([film[-1] ^ 1]))
    with pytest.raises(InputError, match="not what was sent"):
        uploads.finish(made, tree(film))
    part.write_bytes(film)
    assert uploads.finish(made, tree(film).upper()).read_bytes() == film


def test_a_full_disk_is_a_sentence_and_the_upload_goes_on(
    client: TestClient, tmp_path: Path, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = route.door(Uploads(tmp_path / "uploads"))
    where = f"{door}/{begin(client, door, film)}"
    zero, *others = pieces(film)
    real = os.pwrite

    def full(fd: int, data: memoryview, at: int) -> int:
        if at == 0:
            return real(fd, data[:100], at)  # half of it still fits
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "pwrite", full)
    code, told = put(client, where, *zero)
    assert code == 507 and "No space left" in str(told["error"]) and "make room" in str(told["error"])
    monkeypatch.setattr(module.os, "pwrite", real)
    assert client.get(where, headers=OURS).json() == {"received": 0}
    for piece in (zero, *others):
        assert put(client, where, *piece)[0] == 200
    assert client.post(where, json={"sha256": tree(film)}, headers=OURS).status_code == 200


def test_two_that_begin_at_once_are_not_both_given_the_last_room(tmp_path: Path) -> None:
    for trial in range(10):
        uploads = Uploads(tmp_path / f"uploads{trial}", most_bytes=1000)

        def one(_: int, uploads: Uploads = uploads) -> bool:
            try:
                return bool(uploads.begin("a.mp4", 700))
            except InputError:
                return False

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(one, range(4))) == 1


def test_an_upload_that_is_removed_while_it_comes_in(tmp_path: Path, film: bytes) -> None:
    uploads = Uploads(tmp_path / "uploads")
    made = uploads.begin("a.mp4", len(film))
    uploads.append(made, 0, film[:PIECE])
    uploads.remove(made)
    with pytest.raises(InputError, match="no such upload"):
        uploads.append(made, PIECE, film[PIECE : 2 * PIECE])
    assert issubclass(PieceError, InputError) and not list(uploads.folder.iterdir())
