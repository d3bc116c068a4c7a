"""Texts that a file, a case or a manifest brings: no terminal escape, no mark-up, no formula, no way out of a folder."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.case.jobs import batch
from engine.case.jobs.outcome import Outcome
from engine.case.jobs.results import Results
from engine.case.record.store import FILE, Case
from engine.cli import main
from engine.core.clip import Clip
from engine.core.errors import DataError, EarwitnessError, SettingError
from engine.core.observation import Observation
from engine.core.perceived import gather
from engine.core.settings import Settings
from engine.lab.data.embed import Embedding
from engine.lab.data.embed import write as write_embeddings
from engine.lab.data.manifest import read_manifest
from engine.report.formats.csv import to_csv, written

HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202e<script>alert(1)</script>\x9b2J\r\n=HYPERLINK(1)"


def harmless(text: str) -> bool:
    """Whether a terminal shows it line by line as it is."""
    return all(line.isprintable() or not line for line in text.split("\n"))


def test_what_is_told_of_a_hostile_case_is_fit_for_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case may come from the other side: names, problems, authors, even the hashes in it."""
    with Case.create(tmp_path / "case", HOSTILE, HOSTILE) as case:
        film = Clip(f"/{HOSTILE}.mp4", "1" * 64, 1, HOSTILE, 1.0)
        finding = case.add_finding(film, "0" * 64, "{}", "{}", "same place", 1.0)
        case.decide(finding, HOSTILE, HOSTILE)
        case.add_clip(Clip(HOSTILE, "2" * 64, 1, "mov", None), HOSTILE)
    with sqlite3.connect(tmp_path / "case" / FILE) as database:
        database.execute("DROP TRIGGER log_no_update")
        database.execute("UPDATE log SET at = ?, who = ?, what = ?, hash = hash || ? WHERE seq > 3", (HOSTILE,) * 4)
        database.execute("UPDATE findings SET verdict = ?, id = id || ?, created = ?", (HOSTILE,) * 3)
    for words in (["case", "list"], ["case", "log"], ["verify"], ["verify", "--no-files"]):
        code = main([*words, str(tmp_path / "case")])
        said = capsys.readouterr()
        assert harmless(said.out) and harmless(said.err), words
        assert code == (1 if "verify" in words else 0) and said.out, words


def test_names_of_files_in_a_batch_are_fit_for_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.case.jobs import pool

    path = tmp_path / (HOSTILE.replace("/", "") + ".mp4")
    path.write_text("Dear Sir or Madam")
    monkeypatch.setattr(pool, "outcomes", lambda paths, *_: (Outcome(p, None, problem=HOSTILE) for p in paths))
    assert main(["batch", str(path), "-o", str(tmp_path / "case"), "--results", str(tmp_path / "r")]) == 0
    said = capsys.readouterr()
    assert harmless(said.out) and harmless(said.err)
    assert main(["batch", str(tmp_path / HOSTILE), "-o", str(tmp_path / "case")]) == 2
    said = capsys.readouterr()
    assert harmless(said.err) and "names no clip" in said.err


@pytest.mark.parametrize("words", [["locate"], ["batch", "-o", "/tmp/x"], ["case", "list"], ["verify"], ["reproduce"]])
def test_a_hostile_name_in_an_error_is_fit_for_a_terminal(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*words, f"/nowhere/{HOSTILE}"]) == 2
    said = capfd.readouterr()
    assert harmless(said.out) and harmless(said.err) and len(said.err.strip().splitlines()) == 1


# --- manifests of others ---------------------------------------------------------------------------------------------------


def manifest(folder: Path, file: str, species: str = "", more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    quoted = [f'"{x.replace(chr(34), chr(34) * 2)}"' for x in ("a", file, "1.0", "2.0", species)]
    (folder / "manifest.csv").write_text(
        "id,file,lat,lon,species\n" + ",".join(quoted) + more + "\n", encoding="utf-8", newline=""
    )
    return folder


@pytest.mark.parametrize("file", ["../secret.wav", "/etc/passwd", "a/../../secret.wav", "link.wav", ".."])
def test_a_manifest_cannot_name_a_file_outside_its_folder(file: str, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"secret")
    folder = manifest(tmp_path / "set", file)
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(DataError) as caught:
        read_manifest(folder)
    assert "secret" not in str(caught.value).replace(file, "")


def test_species_of_a_foreign_manifest_stay_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "=cmd.wav").write_bytes(b"no sound")
    (sample,) = read_manifest(manifest(tmp_path / "set", "=cmd.wav", HOSTILE))
    assert sample.column("species") == HOSTILE.replace("\r\n", "\n") or sample.column("species") == HOSTILE
    assert main(["embed", "--manifest", str(tmp_path / "set"), "-o", str(tmp_path / "out.csv")]) == 2  # it is no sound
    said = capsys.readouterr()
    assert harmless(said.out) and harmless(said.err)
    row = Embedding("=cmd|' /C calc'!A0", "0" * 64, "agclip", vector=np.zeros(2, np.float32), lat_deg=1.0, lon_deg=2.0)
    write_embeddings(tmp_path / "table.csv", [row])
    assert (tmp_path / "table.csv").read_text().splitlines()[1].startswith("'=cmd")


# --- reports ---------------------------------------------------------------------------------------------------------------


def test_text_read_in_frames_stays_text_in_every_report() -> None:
    """The finding of the report tests with a sign that reads as an attack, in every form a report has."""
    from made import finding

    from engine.report import to_geojson, to_html, to_json, to_kml

    made = finding(text=HOSTILE)
    sign = Observation("text", "text", HOSTILE, 0.9, 1.0, 2.0, name=HOSTILE, note=HOSTILE, box=(0.1, 0.1, 0.2, 0.2))
    perception = replace(made.perception, observations=(*made.perception.observations, sign))
    made = replace(made, perception=perception)
    assert any(HOSTILE in o.label for p in gather(made) for o in p.observations)
    page = to_html(made)
    assert "<script" not in page and "\x1b" not in page and "\x9b" not in page and "\u202e" not in page
    for text in (to_json(made), to_geojson(made), to_kml(made)):
        assert "\x1b" not in text and "\x9b" not in text
    json.loads(to_json(made))
    cells = [c for line in to_csv(made).splitlines() for c in line.split(",")]
    assert not [c for c in cells if c.lstrip('"').startswith(("=", "@", "\t")) or "\x1b" in c]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\ufeff=1", '"=1', "\n=1"])
def test_no_cell_of_a_table_is_a_formula(text: str) -> None:
    _, (cell,) = csv.reader(io.StringIO(written(["a"], [[text]]), newline=""))
    assert cell[0] == "'" or cell.lstrip(" \ufeff")[0] not in "=+-@\t\r\n＝＋－＠"


# --- ways out of a folder ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "..", "", "A" * 64, "0" * 63 + "/", "0" * 65])
def test_keys_and_ids_are_no_paths(key: str, tmp_path: Path) -> None:
    from engine.case.jobs.queue import Queue

    with pytest.raises(DataError):
        Results(tmp_path / "results").get(key)
    queue = Queue(tmp_path / "jobs", Results(tmp_path / "results"))
    for act in (queue.status, queue.cancel, queue.resume, queue.forget):
        if set(key) - set("0123456789abcdef-") or not key:
            with pytest.raises(SettingError):
                act(key)


def test_an_upload_of_any_name_stays_in_its_folder(tmp_path: Path) -> None:
    from engine.case.jobs.upload import Uploads

    uploads = Uploads(tmp_path / "up")
    for name in ("../../escaped.mp4", "/etc/escaped", "..", "", ".bashrc", "a\0b.mp4", HOSTILE, "x" * 5000, "con.mp4/../../y"):
        upload = uploads.begin(name, 4)
        uploads.append(upload, 0, b"film")
        path = uploads.finish(upload)
        assert Path(path).resolve().is_relative_to((tmp_path / "up").resolve()) and Path(path).name.isprintable()
    for wrong in ("../up", "0" * 31, "0" * 32 + "/..", "zz"):
        with pytest.raises(EarwitnessError):
            uploads.append(wrong, 0, b"film")
    assert {p.name for p in tmp_path.iterdir()} == {"up"}


def test_tables_of_a_hostile_case_can_be_written(tmp_path: Path) -> None:
    with Case.create(tmp_path / "case") as case:
        case.add_clip(Clip(f"/{HOSTILE}.mp4", "1" * 64, 1, "mov", None), HOSTILE)
        clips, *_ = batch.tables(case, tmp_path / "case")
    import pandas

    assert pandas.read_parquet(clips)["path"].tolist() == [f"/{HOSTILE}.mp4"]
    assert Settings() == Settings()
