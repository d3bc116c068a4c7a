"""Weights fetched from a hub on this machine: cut connections, wrong bytes, redirects, proxies, no space."""

from __future__ import annotations

import hashlib
import threading
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from engine.cli import main
from engine.core.errors import WeightsError
from engine.core.paths import models_dir
from engine.models import cards, catalog, fetch
from engine.models.catalog import Entry, WeightFile

REVISION = "0123456789abcdef0123456789abcdef01234567"
CONFIG = b'{"hidden_size": 8}'
TENSORS = save({"weight": np.arange(1_500_000, dtype=np.float32)})
FILES = {"config.json": CONFIG, "model.safetensors": TENSORS}


@dataclass
class Hub:
    """A server that answers as the hub does, and what it was asked.

    Attributes:
        layout: "hub", or "folder" for a plain web folder without the hub's headers.
        cut_after: bytes after which a connection is closed without a word, once for each file in `cut`; then the server is down.
        down: every connection is closed at once; never where it `stays_up`.
        whole: it sends files from the beginning, whatever is asked.
        redirect: where requests for files are sent.
    """

    layout: str = "hub"
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    cut: set[str] = field(default_factory=set)
    cut_after: int = 2_000_000
    down: bool = False
    stays_up: bool = False
    whole: bool = False
    redirect: str = ""
    ranges: list[tuple[str, str]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    address: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(False)

    def do_GET(self) -> None:
        self._answer(True)

    def _answer(self, body: bool) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")
        if self.hub.down:
            self.close_connection = True
            return
        path = self.path.removeprefix(self.hub.address)  # a proxy is asked for the whole address
        name = path.rsplit("/", 1)[-1]
        moved = path.startswith("/moved/")
        served = moved or ("/resolve/" in path if self.hub.layout == "hub" else path.startswith("/weights/"))
        data = self.hub.files.get(name)
        if data is None or not served:
            self._short(404)
        elif self.hub.redirect and not moved:
            self._short(302, {"Location": self.hub.redirect + name, **self._facts(data)})
        else:
            self._send(name, data, body)

    def _facts(self, data: bytes) -> dict[str, str]:
        if self.hub.layout != "hub":
            return {}
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        return {"ETag": etag, "X-Linked-Etag": etag, "X-Repo-Commit": REVISION, "X-Linked-Size": str(len(data))}

    def _short(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, name: str, data: bytes, body: bool) -> None:
        asked = self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked.startswith("bytes=") and not self.hub.whole else 0
        part = data[start:]
        self.send_response(206 if start else 200)
        for key, value in self._facts(data).items():
            self.send_header(key, value)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if not body:
            return
        self.hub.ranges.append((name, asked))
        if name in self.hub.cut:
            self.hub.cut.discard(name)
            self.hub.down = not self.hub.stays_up
            part = part[: self.hub.cut_after]
            self.close_connection = True
        self.hub.sent[name] = self.hub.sent.get(name, 0) + len(part)
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    found = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": found}))
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    thread.join()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Entry:
    """A model of two small files; the models folder is the test's own, and no request is repeated for long."""
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path / "models"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    files = tuple(WeightFile(n, hashlib.sha256(d).hexdigest(), len(d)) for n, d in FILES.items())
    entry = Entry(replace(cards.CLIP, id="tiny", title="Tiny CLIP"), "makers/tiny", REVISION, files)
    monkeypatch.setattr(catalog, "CATALOGUE", (entry,))
    monkeypatch.setattr(fetch, "_WAIT_S", 0.01)
    return entry


def installed(known: Entry) -> bool:
    if catalog.weights_state(known) != "present":
        return False
    catalog.verify_weights(known)
    return not fetch.partial(known).exists()


def test_from_a_hub(hub: Hub, known: Entry) -> None:
    steps: list[tuple[str, float]] = []
    folder = fetch.pull(known, lambda p: steps.append((p.stage, p.done)), hub.address)
    assert folder == models_dir() / "tiny" and installed(known)
    assert {p.name for p in folder.iterdir()} == set(FILES)
    assert any(stage == "fetching model.safetensors" and done > 1.0 for stage, done in steps)
    assert any(stage.startswith("checking") for stage, _ in steps)
    assert all(f"/resolve/{REVISION}/" in a for a in hub.asked), "the revision of the catalogue is what is asked for"


def test_a_cut_transfer_goes_on_where_it_ended(hub: Hub, known: Entry) -> None:
    hub.cut.add("model.safetensors")
    with pytest.raises(WeightsError, match=r"could not be fetched from .*the same command goes on from there") as stopped:
        fetch.pull(known, source=hub.address)
    assert "\n" not in str(stopped.value)
    assert catalog.weights_state(known) == "missing", "nothing half is installed"
    assert fetch.arrived_bytes(known) > 1_000_000
    hub.down = False
    fetch.pull(known, source=hub.address)
    assert installed(known)
    asked = [r for name, r in hub.ranges if name == "model.safetensors"]
    assert asked[-1].startswith("bytes=") and not asked[-1].startswith("bytes=0-")
    assert hub.sent["model.safetensors"] <= len(TENSORS) + 1_100_000, "what had arrived must not be sent again"
    assert hub.sent["config.json"] == len(CONFIG), "a file that was whole is not fetched twice"


def test_a_short_cut_is_mended_at_once(hub: Hub, known: Entry) -> None:
    hub.cut, hub.stays_up = {"model.safetensors"}, True
    fetch.pull(known, source=hub.address)
    assert installed(known) and len([1 for name, _ in hub.ranges if name == "model.safetensors"]) == 2


def test_a_server_that_cannot_go_on_begins_anew(hub: Hub, known: Entry) -> None:
    hub.cut, hub.stays_up, hub.whole = {"model.safetensors"}, True, True
    fetch.pull(known, source=hub.address)
    assert installed(known) and hub.sent["model.safetensors"] > len(TENSORS)


def test_what_was_damaged_since_is_thrown_away_and_the_rest_kept(hub: Hub, known: Entry) -> None:
    fetch.partial(known).mkdir(parents=True)
    (fetch.partial(known) / "config.json").write_bytes(CONFIG[:-1] + b"?")
    (fetch.partial(known) / "model.safetensors").write_bytes(TENSORS)
    with pytest.raises(WeightsError, match=r"config\.json from .* was thrown away"):
        fetch.pull(known, source=hub.address)
    fetch.pull(known, source=hub.address)
    assert installed(known) and "model.safetensors" not in hub.sent, "the large file was whole"


def test_every_byte_is_hashed_once(hub: Hub, known: Entry) -> None:
    done: dict[str, list[float]] = {}
    fetch.pull(known, lambda p: done.setdefault(p.stage, []).append(p.done), hub.address)
    checks = done["checking model.safetensors"]
    assert checks == sorted(set(checks))


def test_wrong_bytes_are_thrown_away(hub: Hub, known: Entry) -> None:
    hub.files["model.safetensors"] = TENSORS[:-4] + b"evil"
    with pytest.raises(WeightsError, match="is not the file of the catalogue and was thrown away"):
        fetch.pull(known, source=hub.address)
    assert catalog.weights_state(known) == "missing" and not (fetch.partial(known) / "model.safetensors").exists()
    hub.files["model.safetensors"] = TENSORS
    fetch.pull(known, source=hub.address)
    assert installed(known)


def test_a_redirect_is_followed(hub: Hub, known: Entry) -> None:
    hub.redirect = f"{hub.address}/moved/"
    fetch.pull(known, source=hub.address)
    assert installed(known) and any(a.startswith("GET /moved/") for a in hub.asked)


def test_a_redirect_to_a_file_of_this_machine_is_not(hub: Hub, known: Entry, tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    hub.redirect = f"file://{tmp_path}/"
    with pytest.raises(WeightsError, match="could not be fetched"):
        fetch.pull(known, source=hub.address)
    assert catalog.weights_state(known) == "missing"


def test_through_a_proxy(hub: Hub, known: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up here: the proxy is asked for the whole address."""
    monkeypatch.setenv("HTTP_PROXY", hub.address)
    monkeypatch.setenv("http_proxy", hub.address)
    asked = "http://hub.invalid"
    hub_address, hub.address = hub.address, asked
    assert hub_address != asked
    fetch.pull(known, source=asked)
    assert installed(known) and any(asked in a for a in hub.asked)


def test_no_space_is_said_before_the_first_byte(hub: Hub, known: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1_000_000))
    with pytest.raises(WeightsError, match=r"needs 0\.0 GB in .*, and 0\.0 GB are free there; make room"):
        fetch.pull(known, source=hub.address)
    assert not hub.asked


def test_a_full_disk_is_said_and_nothing_is_lost(hub: Hub, known: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch, "_transfer", full)
    with pytest.raises(WeightsError, match="make room, or name another folder in EARWITNESS_MODELS"):
        fetch.pull(known, source=hub.address)


def test_a_plain_web_folder_and_its_resumption(hub: Hub, known: Entry) -> None:
    hub.layout = "folder"
    source = f"{hub.address}/weights"
    hub.cut.add("model.safetensors")
    with pytest.raises(WeightsError, match="could not be fetched"):
        fetch.pull(known, source=source)
    hub.down = False
    fetch.pull(known, source=source)
    assert installed(known)
    assert hub.sent["model.safetensors"] <= len(TENSORS) + 1_100_000


def test_a_web_folder_that_sends_more_than_there_is_to_send(hub: Hub, known: Entry) -> None:
    hub.layout = "folder"
    hub.files["config.json"] = CONFIG + b" " * 100_000
    with pytest.raises(WeightsError, match=r"sends more than config\.json can hold"):
        fetch.pull(known, source=f"{hub.address}/weights")


def test_a_source_without_the_files(hub: Hub, known: Entry, tmp_path: Path) -> None:
    hub.files.clear()
    with pytest.raises(WeightsError, match=r"has no config\.json of Tiny CLIP"):
        fetch.pull(known, source=hub.address)
    with pytest.raises(WeightsError, match="does not hold Tiny CLIP"):
        fetch.pull(known, source=str(tmp_path))
    with pytest.raises(WeightsError, match=r"could not be fetched from http://127\.0\.0\.1:9"):
        fetch.pull(known, source="http://127.0.0.1:9")


def test_a_mirror_of_a_model_without_hashes_is_refused(hub: Hub, known: Entry) -> None:
    unknown = replace(known, files=tuple(replace(f, sha256="") for f in known.files))
    with pytest.raises(WeightsError, match="no hashes of Tiny CLIP"):
        fetch.pull(unknown, source=hub.address)
    assert not hub.asked


def test_from_a_folder_such_as_a_stick(known: Entry, tmp_path: Path) -> None:
    stick = tmp_path / "stick" / "tiny"
    stick.mkdir(parents=True)
    for name, data in FILES.items():
        (stick / name).write_bytes(data)
    fetch.pull(known, source=str(tmp_path / "stick"))
    assert installed(known) and {p.name for p in stick.iterdir()} == set(FILES), "the stick is left as it was"


def test_the_command(hub: Hub, known: Entry, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", "tiny", "--from", hub.address]) == 0
    said = capsys.readouterr().out
    assert "it brings a location for pictures" in said and "fetched and checked" in said
    hub.files.clear()
    for path in (models_dir() / "tiny").iterdir():
        path.unlink()
    assert main(["models", "pull", "tiny", "--from", hub.address]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "has no config.json" in said


def test_stopping_keeps_what_has_arrived(hub: Hub, known: Entry, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    from engine.cli import models

    with pytest.raises(KeyboardInterrupt):
        models._pull("tiny", hub.address, stop)
    assert "the same command goes on from there" in capsys.readouterr().out
