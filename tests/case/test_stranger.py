"""A case of a stranger: whatever stands in the place of its tables, rows and files is a sentence, at once, and nothing runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.case.record import database
from engine.case.record.database import FILE
from engine.case.record.store import Case, path_of
from engine.case.record.verify import verify
from engine.cli import main
from engine.core.clip import Clip
from engine.core.errors import DataError, InputError
from engine.core.paths import ROOT
from engine.core.secret import hidden, without_password
from tests.case import casework

pytestmark = pytest.mark.timeout(60)

ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
TABLES = ("alembic_version", "cases", "clips", "findings", "fingerprints", "decisions", "log")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return casework.make(tmp_path_factory.mktemp("sound") / "case")


@pytest.fixture
def theirs(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EARWITNESS_KEPT", str(tmp_path / "kept"))
    return Path(shutil.copytree(sound, tmp_path / "theirs"))


def behind(place: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(place / FILE, isolation_level=None)) as connection:
        for statement in ("DROP TRIGGER log_no_update", "DROP TRIGGER log_no_delete", *statements):
            connection.execute(statement)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = main(list(words))
    out, err = capsys.readouterr()
    assert code == 2 and err.count("\n") == 1 and "inside" not in err, (code, out, err)
    return err


@pytest.mark.parametrize("table", TABLES)
def test_an_endless_view_in_place_of_a_table_is_not_read(theirs: Path, table: str, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(sqlite3.connect(theirs / FILE)) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    named = ", ".join(f"n AS {c}" for c in columns)
    behind(theirs, f"DROP TABLE {table}", f"CREATE VIEW {table.upper()} AS {ENDLESS} SELECT {named} FROM r WHERE n < 0")
    for words in (["case", "list"], ["case", "log"], ["case", "decisions"], ["case", "same-ambience"]):
        assert f"{table} is a view" in refused(capsys, *words, str(theirs))
    code = main(["verify", str(theirs)])
    out, err = capsys.readouterr()
    assert (code == 1 and f"Table: {table} is a view" in out) or (code == 2 and f"{table} is a view" in err)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE clips ADD COLUMN z TEXT GENERATED ALWAYS AS (hex(zeroblob(900000000))) VIRTUAL",
        "CREATE INDEX slow ON clips (hex(path))",
        f"CREATE TRIGGER t AFTER INSERT ON log BEGIN INSERT INTO decisions {ENDLESS} SELECT n,n,n,n,n,n,n,n FROM r; END",
    ],
)
def test_what_works_something_out_is_named_and_not_run(theirs: Path, statement: str, capsys: pytest.CaptureFixture[str]) -> None:
    behind(theirs, statement)
    assert main(["verify", str(theirs)]) == 1
    assert "Table: " in capsys.readouterr().out
    if "INDEX" not in statement:
        with pytest.raises(DataError, match="not as the program made it"):
            Case(theirs).note("more")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE findings SET settings = x'00', scene = 'x'",
        "UPDATE findings SET log10_factor = 'high'",
        "UPDATE findings SET log10_factor = 9e999",
        "UPDATE findings SET document = 5",
        "UPDATE findings SET document = '[1, 2]'",
        f"UPDATE findings SET document = '{'[' * 100_000}'",
        """UPDATE findings SET document = '{"located": [{"spoke": 1, "modality": "sound"}]}'""",
        f"UPDATE findings SET settings = '{'[' * 100_000}'",
        "UPDATE findings SET document = zeroblob(150000000)",
        "UPDATE fingerprints SET marks = 'AAA'",
        "UPDATE cases SET title = x'00ff'",
        "UPDATE cases SET title = CAST(x'c3' AS TEXT)",
        "UPDATE log SET hash = x'07' WHERE seq = (SELECT max(seq) FROM log)",
    ],
)
def test_what_does_not_belong_in_a_row_is_one_sentence(theirs: Path, statement: str, capsys: pytest.CaptureFixture[str]) -> None:
    behind(theirs, statement)
    refused(capsys, "case", "list", str(theirs), "--species", "x")  # all that the page Archive reads
    code = main(["verify", str(theirs)])
    out, err = capsys.readouterr()
    assert code in (1, 2) and "inside" not in err and "Traceback" not in err, (out, err)


@pytest.mark.parametrize("kind", ["device", "fifo", "folder"])
def test_only_regular_files_are_hashed(theirs: Path, tmp_path: Path, kind: str) -> None:
    path = "/dev/zero" if kind == "device" else str(tmp_path / kind)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        Path(path).mkdir()
    behind(theirs, f"UPDATE clips SET path = '{path}' WHERE sha256 LIKE 'a%'")
    with Case(theirs, reading=True, whatever=True) as case:
        found = verify(case)
    assert any(path in a and "not checked" in a for a in found.absent)


@pytest.mark.parametrize("beside", ["", "-wal", "-journal"])
def test_a_pipe_for_the_database_is_not_waited_for(theirs: Path, beside: str) -> None:
    (theirs / f"{FILE}{beside}").unlink(missing_ok=True)
    os.mkfifo(theirs / f"{FILE}{beside}")
    for reading in (True, False):
        with pytest.raises(InputError, match="is no file"):
            Case(theirs, reading=reading)


def test_looking_writes_nothing(theirs: Path) -> None:
    before = {p.name: p.read_bytes() for p in theirs.iterdir() if not p.name.endswith(("-shm", "-wal"))}
    with Case(theirs, reading=True) as case:
        assert len(case.findings()) == 3
        with pytest.raises(DataError, match="readonly"):
            case.note("more")
    assert {p.name: p.read_bytes() for p in theirs.iterdir() if not p.name.endswith(("-shm", "-wal"))} == before


def test_an_endless_statement_is_ended(theirs: Path) -> None:
    engine = database.opened(str(theirs), exist=True, reading=True)
    with pytest.raises(DataError, match="busy for longer"), database.said("x"), engine.connect() as connection:
        connection.exec_driver_sql(f"{ENDLESS} SELECT count(*) FROM r").scalar()


def test_signals_are_heard_during_a_statement(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "_LEAST_OPERATIONS", 10**12)
    engine = database.opened(str(theirs), exist=True, reading=True)
    previous = signal.signal(signal.SIGALRM, stop)
    try:
        with pytest.raises(KeyboardInterrupt), database.said("x"), engine.connect() as connection:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            connection.exec_driver_sql(f"{ENDLESS} SELECT count(*) FROM r").scalar()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


# --- two at once --------------------------------------------------------------------------------------------------------


_JOINING = """
import sys, time
from pathlib import Path
from engine.case.record.store import Case
from engine.core.clip import Clip
place, number, folder = sys.argv[1:]
Path(folder, number).touch()
while not Path(folder, "go").exists():
    time.sleep(0.001)
with Case.at(place, who=f"worker {number}") as case:
    case.add_clip(Clip(f"/{number}.mp4", number * 64, 1, "mov", 3.0))
"""


def test_of_two_first_cases_made_at_once_the_later_joins(place: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ready")
    words = [sys.executable, "-c", _JOINING, place]
    joining = [subprocess.Popen([*words, str(n), str(folder)], cwd=ROOT) for n in range(3)]
    while len(list(folder.iterdir())) < 3 and all(p.poll() is None for p in joining):
        time.sleep(0.01)
    (folder / "go").touch()
    assert [p.wait(50) for p in joining] == [0, 0, 0]
    with Case(place) as case:
        assert len(case.clips()) == 3
        assert [e.what for e in case.log()].count("case made") == 1
        assert not verify(case, files=False).faults


# --- names and addresses ------------------------------------------------------------------------------------------------


def test_a_clip_whose_name_is_no_text_is_found_again(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\xff.mp4")
    Path(path).write_bytes(b"film")
    digest = hashlib.sha256(b"film").hexdigest()
    odd = os.fsdecode(b"caf\xe9")
    with Case.create(tmp_path / odd, odd) as case:
        case.add_finding(Clip(path, digest, 4, "mov", 3.0), "0" * 64, "{}", json.dumps({}), "same place", 1.0)
        assert case.findings()[0].path == path and case.paths() == {digest: (path,)}
        found = verify(case)
        assert found.well and found.files == 1 and not found.absent
        Path(path).write_bytes(b"fulm")
        assert any("is not the one" in f for f in verify(case).faults)
    assert path_of(r"C:\udcff not there") == "C:\udcff not there" and path_of("plain") == "plain"


SECRET = [
    "postgresql://ann:hush-4711@host:5432/db",
    "postgresql://ann:hush@4711@host/db",
    "postgresql://ann:hush/4711@host/db",
    "postgresql+psycopg://ann:hush%404711@host/db?sslmode=require",
    "postgres://host/db?user=ann&password=hush-4711",
    "postgresql:///db?host=/tmp&sslpassword=hush-4711&passfile=/hush/4711",
    "postgresql://ann:a?password=hush&x=4711@host",
    "postgresql://:hush4711@host/db",
]


@pytest.mark.parametrize("place", SECRET)
def test_no_password_is_shown(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    for text in (without_password(place), hidden(f"Unrecognized arguments: {place} --x"), hidden(f"near {place!r}.", place)):
        assert "hush" not in text and "4711" not in text, text
    assert "://" in without_password(place)
    refused_place = place.replace("host:5432", "127.0.0.1:1").replace("@host", "@127.0.0.1:1").replace("//host", "//127.0.0.1:1")
    for words in (["verify", refused_place, "--debug"], ["case", "list", place, "--nope"]):
        assert main(words) == 2
        out, err = capsys.readouterr()
        assert "hush" not in out + err and "4711" not in out + err, err


def test_a_conninfo_that_a_driver_quotes_is_hidden() -> None:
    said = 'connection to "host=h user=u password=\'hu sh\' dbname=x" failed: missing "=" after "hu"'
    assert "hu sh" not in hidden(said)
    assert without_password("/home/ann/cases/golf") == "/home/ann/cases/golf"
    assert without_password("postgresql://ann@host:5432/db?sslmode=require") == "postgresql://ann@host:5432/db?sslmode=require"


def test_an_address_with_an_at_in_its_password_still_connects() -> None:
    engine = database.opened("postgresql://ann:hu@sh@host:5432/db", exist=True)
    assert (engine.url.username, engine.url.password, engine.url.host) == ("ann", "hu@sh", "host")
    assert isinstance(engine, sa.Engine)
    for wrong in ("postgresql://h:port/db", "postgresql://u:p/q@r@h/db"):
        with contextlib.suppress(InputError):
            assert "@" not in str(database.opened(wrong, exist=True).url.host)
