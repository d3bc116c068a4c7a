"""One way to open a file that somebody named: regular, bounded, decoded alike; nothing hangs and nothing is guessed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from engine.core import file
from engine.core.errors import DataError

TEXT = "Begin Time (s)\tEnd Time (s)\tSpecies\n0.0\t3.0\tMönchsgrasmücke\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_text_of_every_encoding_in_which_tables_are_saved(tmp_path, encoding):
    path = tmp_path / "t.txt"
    path.write_bytes(TEXT.encode(encoding))
    assert file.read_text(path) == TEXT


def test_an_encoding_that_is_guessed_is_said():
    said: list[str] = []
    assert file.text_of("Möwe".encode("cp1252"), "list.txt", said.append) == "Möwe"
    assert "list.txt" in said[0] and "Windows-1252" in said[0]
    file.text_of("Möwe".encode(), "list.txt", said.append)
    assert len(said) == 1


HALF = "\ud83d".encode("utf-16-le", "surrogatepass") * 4 + b"a\0,\0" * 9  # halves of a sign


@pytest.mark.parametrize("data", [b"\x00\x01\x02" * 40, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xfea\0b", HALF])
def test_what_is_no_text_is_refused(data):
    with pytest.raises(DataError, match="UTF-8"):
        file.text_of(data, "x")


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder", "missing", "zero", "full", "link to zero", "nul", "long"])
def test_what_is_no_file_is_one_sentence_at_once(tmp_path, kind):
    path: str | Path = tmp_path / "x"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as s:
            os.chdir(tmp_path)
            s.bind("x")
    elif kind == "folder":
        Path(path).mkdir()
    elif kind == "link to zero":
        Path(path).symlink_to("/dev/zero")
    elif kind in ("zero", "full"):
        path = f"/dev/{kind}"
    elif kind == "nul":
        path = "a\0b"
    elif kind == "long":
        path = "a" * 5000
    for read in (file.read_bytes, file.read_text, file.digest, file.read_csv, lambda p: file.read_paths(p, tmp_path)):
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_file_exchanged_for_a_pipe_in_between_is_not_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_text("a file")
    seen = os.stat(path)  # noqa: PTH116
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(file.os, "stat", lambda _: seen)
    with pytest.raises(DataError, match="pipe"):
        file.read_bytes(path)


def test_no_more_is_read_than_may_be(tmp_path):
    path = tmp_path / "x"
    with path.open("wb") as out:
        out.truncate(50_000_000_000)  # without a byte on the disk
    with pytest.raises(DataError, match="larger than 20 MB"):
        file.read_bytes(path)
    path.write_bytes(b"12345")
    assert file.read_bytes(path, 5) == b"12345"
    with pytest.raises(DataError, match="larger than 4 bytes"):
        file.read_bytes(path, 4)


def test_a_file_in_proc_that_says_it_is_empty_is_bounded_too():
    with pytest.raises(DataError, match="larger than 10 bytes"):
        file.read_bytes("/proc/self/status", 10)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_list_of_paths(tmp_path, encoding):
    (tmp_path / "list").write_bytes("# mine\r\nClip – é.mp4\r\n\r\n/a/b.wav\r\n".encode(encoding))
    assert file.read_paths(tmp_path / "list", tmp_path) == ("Clip – é.mp4", "/a/b.wav")


def test_a_list_names_files_whose_names_are_no_text(tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9\xff.wav"
    Path(os.fsdecode(odd)).write_bytes(b"x")
    (tmp_path / "Möwe.wav").write_bytes(b"x")
    (tmp_path / "list").write_bytes(b"caf\xe9\xff.wav\n" + "Möwe.wav".encode("cp1252") + b"\n")
    found = file.read_paths(tmp_path / "list", tmp_path)
    assert all((tmp_path / p).is_file() for p in found) and len(found) == 2


def test_a_table_with_more_cells_than_names_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("file,place\na.mp4,Augusta, Georgia\n")
    with pytest.raises(DataError, match="Row 2"):
        file.read_csv(path)
    path.write_text("file,place\na.mp4,Augusta,\nb.mp4\n")
    assert file.read_csv(path) == [{"file": "a.mp4", "place": "Augusta"}, {"file": "b.mp4", "place": ""}]


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "", '{"a":' * 50_000, "9" * 5000])
def test_json_that_nests_or_is_none(text):
    with pytest.raises(DataError, match="damaged"):
        file.json_of(text, "x")
