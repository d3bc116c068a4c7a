"""The server's own routes: ranges of a file that was shared, uploads in pieces, and everything that must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.server import route
from engine import InputError
from engine.case import Uploads

OURS = {"X-Earwitness": "upload"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(route, "_installed", False)
    with TestClient(Starlette(routes=route.routes()), base_url="http://127.0.0.1:8501") as client:
        yield client


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 4096)
    return path


def test_a_shared_file_is_sent_in_ranges(client: TestClient, film: Path) -> None:
    address = route.share(film, "video/mp4")
    assert film.name not in address and len(address.rpartition("/")[2]) >= 40
    part = client.get(address, headers={"Range": "bytes=1000-1999"})
    assert part.status_code == 206 and part.content == film.read_bytes()[1000:2000]
    assert part.headers["content-range"] == f"bytes 1000-1999/{film.stat().st_size}"
    assert part.headers["content-type"] == "video/mp4" and part.headers["x-content-type-options"] == "nosniff"
    assert part.headers["content-security-policy"] == "default-src 'none'; sandbox"
    tail = client.get(address, headers={"Range": "bytes=-10"})
    assert tail.content == film.read_bytes()[-10:]
    assert client.get(address, headers={"Range": f"bytes={10**9}-"}).status_code == 416
    assert client.head(address).headers["content-length"] == str(film.stat().st_size)


def test_nothing_else_is_sent(client: TestClient, film: Path) -> None:
    address = route.share(film, "video/mp4")
    for other in (f"{route.MEDIA}/none", f"{route.MEDIA}/%2e%2e%2fetc%2fpasswd", f"{route.MEDIA}/{film}", f"{address}x"):
        assert client.get(other).status_code == 404
    film.write_bytes(b"another film")
    assert client.get(address).status_code == 410  # it is no longer the one that was opened
    film.unlink()
    assert client.get(address).status_code == 410
    route.withdraw(address)
    assert client.get(address).status_code == 404


def test_an_upload_in_pieces(client: TestClient, tmp_path: Path) -> None:
    door = route.door(Uploads(tmp_path / "uploads"))
    begun = client.post(door, json={"name": "../golf.mp4", "size": 6}, headers=OURS)
    upload = begun.json()["id"]
    assert client.put(f"{door}/{upload}?at=0", content=b"abc", headers=OURS).json() == {"received": 3}
    assert client.get(f"{door}/{upload}", headers=OURS).json() == {"received": 3}
    with pytest.raises(InputError, match="not complete"):
        route.arrived(door, upload)
    assert client.put(f"{door}/{upload}?at=3", content=b"def", headers=OURS).json() == {"received": 6}
    path = route.arrived(door, upload)
    assert path.read_bytes() == b"abcdef" and path.name == "golf.mp4" and path.parent.parent == tmp_path / "uploads"


def test_what_an_upload_must_not_do(client: TestClient, tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads", most_bytes=100)
    door, other = route.door(uploads), route.door(uploads)
    facts = {"name": "a.mp4", "size": 50}
    assert client.post(door, json=facts).status_code == 403  # the header is missing
    assert client.post(door, json=facts, headers={**OURS, "Origin": "http://elsewhere.example"}).status_code == 403
    assert client.post(door, json=facts, headers={**OURS, "Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post(f"{route.UPLOAD}/guess", json=facts, headers=OURS).status_code == 403
    same = {**OURS, "Origin": "http://127.0.0.1:8501", "Sec-Fetch-Site": "same-origin"}
    upload = client.post(door, json=facts, headers=same).json()["id"]
    assert client.put(f"{other}/{upload}?at=0", content=b"x", headers=OURS).status_code == 404  # another session's
    with pytest.raises(InputError):
        route.arrived(other, upload)
    assert client.put(f"{door}/{upload}?at=0", content=b"x" * 51, headers=OURS).status_code == 409
    assert client.put(f"{door}/{upload}?at=-1", content=b"x", headers=OURS).status_code == 409
    too_long = client.put(f"{door}/{upload}?at=0", content=b"x" * (route.PIECE_BYTES + 1), headers=OURS)
    assert too_long.status_code == 409 and uploads.received_bytes(upload) == 0
    for bad in ({"name": "a", "size": "big"}, {"name": 1, "size": 1}, {"name": "a", "size": True}, {"name": "a", "size": -5}):
        assert client.post(door, json=bad, headers=OURS).status_code == 409
    assert "room" in client.post(door, json={"name": "b", "size": 90}, headers=OURS).json()["error"]
    assert client.request("DELETE", f"{door}/{upload}", headers=OURS).status_code == 200
    assert not any((tmp_path / "uploads").iterdir())


def test_a_body_that_is_no_json_is_refused(client: TestClient, tmp_path: Path) -> None:
    door = route.door(Uploads(tmp_path / "uploads"))
    for body in (b"not json", b"[1]", b"\xff", b"[" * 8000, b" " * 9000):
        assert client.post(door, content=body, headers=OURS).status_code in (400, 409)
