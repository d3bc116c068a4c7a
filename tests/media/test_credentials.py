"""Content credentials: binding, signature and trust said apart, nothing fetched, no credentials neutral."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import signing

from engine.media import credentials, open_clip
from engine.media.source import Source

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "golf_georgia.mp4"


@pytest.fixture(scope="module")
def who() -> signing.Chain:
    return signing.chain()


def told(path: Path, container: str, trusted: dict[str, str] | None = None) -> dict[str, str]:
    """What is said, by name; the last of several."""
    source = Source(path)
    source.open()
    try:
        return {name: what for name, what, _ in credentials.facts(source, container, trusted)}
    finally:
        source.close()


@pytest.mark.parametrize(
    ("kind", "container", "mime"),
    [("JPEG", "jpeg", "image/jpeg"), ("PNG", "png", "image/png"), ("WEBP", "webp", "image/webp"), ("TIFF", "tiff", "image/tiff")],
)
def test_an_untouched_signed_picture_is_bound_signed_and_trusted(
    tmp_path: Path, who: signing.Chain, kind: str, container: str, mime: str
) -> None:
    path = signing.written(tmp_path / "a", signing.signed(signing.picture(kind), mime, who))
    said = told(path, container, {"manifest": who.root})
    assert (said["content credentials"], said["binding"], said["signature"], said["trust"]) == (
        *("present", "fits the file", "holds", "signer on the list"),
    )
    assert said["action"] == "created, source digitalCapture, with Test camera"
    assert said["credentials made by"] == "Test writer 1"


def test_a_signed_film_is_read_like_a_picture(tmp_path: Path, who: signing.Chain) -> None:
    film = signing.signed(EXAMPLE.read_bytes(), "video/mp4", who)
    path = signing.written(tmp_path / "a.mp4", film)
    said = told(path, "mov,mp4,m4a,3gp,3g2,mj2", {"manifest": who.root})
    assert (said["binding"], said["signature"], said["trust"]) == ("fits the file", "holds", "signer on the list")
    path.write_bytes(signing.changed(film, len(film) - 500_000))
    assert told(path, "mov,mp4,m4a,3gp,3g2,mj2", {"manifest": who.root})["binding"] == "does not fit the file"


def test_changed_pixels_break_the_binding_alone(tmp_path: Path, who: signing.Chain) -> None:
    data = signing.signed(signing.picture(), "image/jpeg", who)
    path = signing.written(tmp_path / "a.jpg", signing.changed(data, len(data) - 300))
    said = told(path, "jpeg", {"manifest": who.root})
    assert (said["binding"], said["signature"], said["trust"]) == ("does not fit the file", "holds", "signer on the list")


def test_a_changed_manifest_breaks_the_signature_alone(tmp_path: Path, who: signing.Chain) -> None:
    data = signing.signed(signing.picture(), "image/jpeg", who)
    path = signing.written(tmp_path / "a.jpg", data.replace(b"Test camera", b"Best camera"))
    said = told(path, "jpeg", {"manifest": who.root})
    assert (said["binding"], said["signature"]) == ("fits the file", "does not hold")


def test_a_signer_whom_nobody_knows_is_not_trusted_by_the_shipped_list(tmp_path: Path, who: signing.Chain) -> None:
    path = signing.written(tmp_path / "a.jpg", signing.signed(signing.picture(), "image/jpeg", who))
    said = told(path, "jpeg")
    assert (said["binding"], said["signature"], said["trust"]) == ("fits the file", "holds", "signer not on the list")
    assert told(path, "jpeg", {})["trust"] == "not known"


def test_a_certificate_past_its_dates_is_said(tmp_path: Path) -> None:
    old = signing.chain(-400, 4 / 86_400)  # c2pa signs with no certificate that has run out, so that it has to run out here
    path = signing.written(tmp_path / "a.jpg", signing.signed(signing.picture(), "image/jpeg", old))
    time.sleep(5.5)
    said = told(path, "jpeg", {"manifest": old.root})
    assert (said["binding"], said["trust"]) == ("fits the file", "certificate not valid at this date")


def test_no_credentials_are_neither_for_nor_against(tmp_path: Path) -> None:
    path = signing.written(tmp_path / "a.jpg", signing.picture())
    assert told(path, "jpeg") == {"content credentials": "none"}


def test_credentials_kept_elsewhere_are_named_and_not_fetched(tmp_path: Path, who: signing.Chain) -> None:
    data = signing.signed(signing.picture(), "image/jpeg", who, elsewhere="http://127.0.0.1:9/x.c2pa")
    said = told(signing.written(tmp_path / "a.jpg", data), "jpeg")
    assert said == {"content credentials": "kept elsewhere: http://127.0.0.1:9/x.c2pa"}


def test_damaged_credentials_are_one_sentence(tmp_path: Path, who: signing.Chain) -> None:
    data = signing.signed(signing.picture(), "image/jpeg", who)
    at = data.index(b"jumb") + 40
    said = told(signing.written(tmp_path / "a.jpg", data[:at] + b"\xff" * 30 + data[at + 30 :]), "jpeg")
    assert said["content credentials"] in ("cannot be read", "none")


def test_the_shipped_lists_are_those_whose_hash_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lists = credentials.trust_lists()
    assert lists["manifest"].count("BEGIN CERTIFICATE") == 30
    assert lists["tsa"].count("BEGIN CERTIFICATE") == 22
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "c2pa.pem").write_text(lists["manifest"] + "\n")
    monkeypatch.setattr(credentials, "ASSETS", tmp_path)
    assert credentials.trust_lists() == {}


def test_nothing_may_be_fetched() -> None:
    verify = credentials.settings({})["verify"]
    assert verify["remote_manifest_fetch"] is False
    assert verify["ocsp_fetch"] is False


def test_the_child_reads_credentials(tmp_path: Path, who: signing.Chain) -> None:
    path = signing.written(tmp_path / "a.jpg", signing.signed(signing.picture(), "image/jpeg", who))
    with open_clip(path) as reader:
        said = {name: what for name, what, _ in reader.origin()}
    assert (said["binding"], said["signature"], said["trust"]) == ("fits the file", "holds", "signer not on the list")
