"""Variables and folders of the user's: what is wrong with them is one sentence, and the work goes on."""

from __future__ import annotations

import ast
import errno
import logging
from pathlib import Path

import pytest

from engine.core import environment, paths

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(environment, "_said", set())


@pytest.mark.parametrize("text", ["lots", "nan", "inf", "-3", "0", "1e30", "6 GB", "\x1b[31m"])
def test_a_number_that_makes_no_sense_is_said_once_and_the_default_holds(monkeypatch, caplog, text):
    monkeypatch.setenv("EARWITNESS_DECODER_MB", text)
    monkeypatch.setenv("EARWITNESS_UPLOADS_GB", text)
    with caplog.at_level(logging.WARNING):
        assert [environment.decoder_mb() for _ in range(3)] == [6000] * 3
        assert environment.uploads_bytes() == 50_000_000_000
    said = [r.getMessage() for r in caplog.records]
    assert len(said) == 2
    assert "EARWITNESS_DECODER_MB" in said[0] and "6000 is used" in said[0] and "\x1b" not in said[0]


def test_numbers_that_make_sense_are_taken(monkeypatch, caplog):
    monkeypatch.setenv("EARWITNESS_DECODER_MB", " 750 ")
    monkeypatch.setenv("EARWITNESS_UPLOADS_GB", "1.5")
    assert environment.decoder_mb() == 750 and environment.uploads_bytes() == 1_500_000_000
    monkeypatch.setenv("EARWITNESS_DEBUG", "0")
    assert not environment.debugging()
    assert not caplog.records


def test_nothing_else_reads_our_variables():
    def reads(node: ast.AST) -> bool:
        inside = node.args if isinstance(node, ast.Call) else [node.slice] if isinstance(node, ast.Subscript) else []
        return any(isinstance(x, ast.Constant) and str(x.value).startswith("EARWITNESS_") for x in inside)

    files = [p for room in ("engine", "app") for p in (ROOT / room).rglob("*.py") if p != Path(environment.__file__)]
    found = [f"{p}:{n.lineno}" for p in files for n in ast.walk(ast.parse(p.read_text("utf-8"))) if reads(n)]
    assert len(files) > 200 and not found
    assert any(reads(n) for n in ast.walk(ast.parse('import os; os.environ.get("EARWITNESS_X")')))


@pytest.mark.parametrize("place", ["a file", "below a file", "/proc/nowhere", "x" * 300])
def test_a_cache_that_cannot_be_used_is_said_once_and_another_serves(tmp_path, monkeypatch, caplog, place):
    (tmp_path / "a file").write_text("")
    named = tmp_path / {"below a file": "a file/below"}.get(place, place)
    monkeypatch.setenv("EARWITNESS_CACHE", str(named))
    monkeypatch.delenv("EARWITNESS_KEPT", raising=False)
    with caplog.at_level(logging.WARNING):
        folders = {paths.cache_dir(), paths.kept_dir(), paths.cache_dir()}
    (folder,) = folders
    (folder / "x").write_text("can be written")
    assert folder != named and len(caplog.records) == 1
    assert str(named)[:100] in caplog.records[0].getMessage()


def test_a_write_protected_cache_is_not_used(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path))
    monkeypatch.setattr(paths.os, "access", lambda *_: False)
    assert paths.cache_dir() != tmp_path
    assert "write-protected" in caplog.records[0].getMessage()


@pytest.mark.parametrize("found", [Path("~/.cache/earwitness"), RuntimeError("no home")])
def test_a_user_without_a_home(monkeypatch, caplog, found):
    def place(_: str) -> Path:
        if isinstance(found, Exception):
            raise found
        return found

    for name in ("CACHE", "KEPT", "MODELS"):
        monkeypatch.delenv(f"EARWITNESS_{name}", raising=False)
    monkeypatch.setattr(paths.platformdirs, "user_cache_path", place)
    monkeypatch.setattr(paths.platformdirs, "user_data_path", place)
    assert paths.cache_dir().is_dir() and paths.models_dir().is_absolute()
    assert "home" in caplog.records[0].getMessage()


def test_a_full_disk_loses_nothing_but_what_would_be_kept(tmp_path, monkeypatch, caplog):
    from engine.case.jobs import results

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = results.Results(tmp_path)
    monkeypatch.setattr(results, "write_whole", full)
    monkeypatch.setattr(results.codec, "dumps", lambda _: b"")
    kept.put("0" * 64, None)  # type: ignore[arg-type]
    assert "no space left" in caplog.records[0].getMessage()
    assert kept.get("0" * 64) is None
