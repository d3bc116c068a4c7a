"""Whoever has the database itself in hand: what `verify` finds of what they did, and the one thing that it needs a head for."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.case.jobs import batch
from engine.case.record import chain, database
from engine.case.record.schema import Base
from engine.case.record.store import FILE, Case
from engine.case.record.verify import verify
from engine.cli import main
from engine.core.clip import Clip
from engine.core.errors import DataError, InputError

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def case(place: str, tmp_path: Path) -> Iterator[Case]:
    """Two clips with a finding each, a decision, an exported file."""
    with Case.create(place, "Golf", "Ann") as case:
        for name, verdict, factor in (("a", "same place", 2.0), ("b", "different places", -2.0)):
            path = tmp_path / f"{name}.mp4"
            path.write_bytes(name.encode())
            film = Clip(str(path), hashlib.sha256(name.encode()).hexdigest(), 1, "mov", 3.0)
            finding = case.add_finding(film, "0" * 64, "{}", json.dumps({"of": name}), verdict, factor)
        case.decide(finding, "drop Parus major", "the neighbour's", -2.0, -0.2)
        export = tmp_path / "report.pdf"
        export.write_bytes(b"%PDF")
        case.note("report written", file=str(export), file_sha256=hashlib.sha256(b"%PDF").hexdigest())
        yield case


def behind(case: Case, *statements: str) -> None:
    """As the owner of the database, whom no trigger stops."""
    with case._engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS log_no_update")
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS log_no_delete")
        else:
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS log_only_grows ON log")
        for statement in statements:
            connection.execute(sa.text(statement))


def faults_of(case: Case, head: str = "") -> list[str]:
    """What verify says, less that the guard is off."""
    return [f for f in verify(case, head).faults if "lost its guard" not in f]


def said(case: Case, *patterns: str) -> None:
    faults = faults_of(case)
    for pattern in patterns:
        assert any(re.search(pattern, f) for f in faults), (pattern, faults)


def test_untouched_it_is_well(case: Case) -> None:
    found = verify(case, case.head())
    assert found.well and (found.entries, found.rows, found.files, found.known_at) == (7, 6, 3, 7)


def test_the_guard_taken_off_the_log_is_seen_by_itself(case: Case) -> None:
    behind(case)
    assert [f for f in verify(case).faults if "lost its guard" in f]


def test_entries_put_in_another_order(case: Case) -> None:
    behind(
        case,
        "UPDATE log SET seq = 99 WHERE seq = 3",
        "UPDATE log SET seq = 3 WHERE seq = 4",
        "UPDATE log SET seq = 4 WHERE seq = 99",
    )
    said(case, "entry 3 .*altered", "entry 4 .*altered", "does not follow")


def test_entries_put_in_another_order_together_with_their_hashes(case: Case) -> None:
    third, fourth = [e for e in case.log() if e.seq in (3, 4)]
    entries = []
    for new, old in ((3, fourth), (4, third)):
        digest = chain.digest_of(new, old.at, old.who, old.what, old.facts, old.previous)
        entries.append(f"UPDATE log SET hash = '{digest}', seq = {new + 100} WHERE seq = {old.seq}")
    behind(case, *entries, "UPDATE log SET seq = seq - 100 WHERE seq > 100")
    said(case, "entry 3 does not follow", "entry 5 does not follow")


def test_findings_of_two_clips_exchanged(case: Case) -> None:
    a, b = (f.clip_sha256 for f in case.findings())
    behind(
        case,
        f"UPDATE findings SET clip_sha256 = CASE clip_sha256 WHEN '{a}' THEN '{b}' ELSE '{a}' END",
    )
    assert len([f for f in faults_of(case) if re.search("findings .* altered", f)]) == 2


def test_a_row_altered_and_its_hash_in_the_log_with_it(case: Case) -> None:
    """The row, the hash that vouches for it, even the entry's own hash: the next entry still names the old one."""
    (target,) = (f for f in case.findings() if f.verdict == "same place")
    behind(case, f"UPDATE findings SET verdict = 'cannot tell' WHERE id = '{target.id}'")
    digest = next(d for table, row, d in case.snapshot().rows if row == target.id)
    entry = next(e for e in case.log() if target.id in e.facts)
    facts = chain.canonical(json.loads(entry.facts) | {"sha256": digest})
    behind(case, f"UPDATE log SET facts = '{facts}' WHERE seq = {entry.seq}")
    assert any(f"entry {entry.seq} (finding kept) was altered" in f for f in faults_of(case))
    own = chain.digest_of(entry.seq, entry.at, entry.who, entry.what, facts, entry.previous)
    behind(case, f"UPDATE log SET hash = '{own}' WHERE seq = {entry.seq}")
    assert faults_of(case) == [
        f"Log: entry {entry.seq + 1} does not follow the one before it; one of them was changed or exchanged."
    ]


def test_the_whole_log_written_anew_is_found_by_an_earlier_head_alone(case: Case) -> None:
    head = case.head()
    last, renewed = None, []
    for e in case.log():
        last = chain.Entry.following(last, e.at, e.who.replace("Ann", "Bob"), e.what, json.loads(e.facts))
        renewed.append(last)
    changes = [
        f"UPDATE log SET who = '{e.who}', previous = '{e.previous}', hash = '{e.hash}' WHERE seq = {e.seq}" for e in renewed
    ]
    behind(case, *changes)
    assert faults_of(case) == []
    assert ["head given was never" in f for f in faults_of(case, head)] == [True]


def test_an_end_cut_off(case: Case) -> None:
    head = case.head()
    behind(case, "DELETE FROM log WHERE seq > 5")
    said(case, "decisions .* is not in the log")  # what the lost entries vouched for gives it away
    behind(case, "DELETE FROM decisions")
    assert faults_of(case) == []
    assert any("cut short" in f for f in faults_of(case, head))


def test_a_head_put_into_the_log_as_if_it_had_been_there(case: Case) -> None:
    behind(case, f"UPDATE log SET hash = '{'ab' * 32}' WHERE seq = 7")
    found = verify(case, "ab" * 32)
    assert found.known_at == 7 and any("entry 7 .* altered" in f or "entry 7" in f for f in found.faults)


@pytest.mark.parametrize("table", ["clips", "findings", "decisions", "log"])
def test_a_table_taken_away_or_laid_over_with_a_view(case: Case, table: str) -> None:
    cascade = " CASCADE" if case._engine.dialect.name == "postgresql" else ""
    if cascade:
        behind(case, f"DROP TABLE {table}{cascade}")
    else:
        with contextlib.closing(sqlite3.connect(Path(case.place) / FILE)) as connection:
            connection.execute(f"DROP TABLE {table}")
    said(case, f"Table: {table} is missing", "was removed" if table != "log" else "is not in the log")
    columns = ", ".join(f"'' AS {c.name}" for c in Base.metadata.tables[table].columns)
    behind(case, f"CREATE VIEW {table} AS SELECT {columns}")
    said(case, f"Table: {table} is a view")


def test_a_trigger_that_the_program_did_not_make(case: Case) -> None:
    if case._engine.dialect.name == "sqlite":
        behind(case, "CREATE TRIGGER t AFTER INSERT ON decisions BEGIN UPDATE decisions SET why = ''; END")
    else:
        behind(
            case,
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
            "CREATE TRIGGER t BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION f()",
        )
    said(case, "decisions has a trigger t that the program did not make")


def test_rows_hidden_in_postgresql(case: Case) -> None:
    if case._engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no row security and no rules")
    behind(case, "ALTER TABLE decisions ENABLE ROW LEVEL SECURITY")
    said(case, "decisions hides rows")


def test_a_file_altered_and_another_exported_again(case: Case, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF forged")
    said(case, r"exported file .*report\.pdf is not the one")
    case.note("report written", file=str(tmp_path / "report.pdf"), file_sha256=hashlib.sha256(b"%PDF forged").hexdigest())
    assert faults_of(case) == []
    (tmp_path / "a.mp4").write_bytes(b"b")
    said(case, r"clip .*a\.mp4 is not the one")


def test_what_does_not_belong_into_a_column_is_a_fault_and_no_crash(case: Case) -> None:
    if case._engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL refuses it")
    behind(
        case,
        "UPDATE decisions SET why = x'00ff', factor_after = 'high'",
        "UPDATE clips SET path = x'fe' WHERE problem = ''",
        "UPDATE log SET facts = x'00' WHERE seq = 2",
        "UPDATE log SET facts = '[[[[' WHERE seq = 3",
        "UPDATE findings SET log10_factor = 9e999",
    )
    said(case, "decisions .* altered", "clips .* altered", "entry 2 .* altered", "entry 3 .* altered", "findings .* altered")


def test_a_document_that_swells_or_is_torn_is_refused(case: Case) -> None:
    import base64
    import zlib

    assert [json.loads(f.document)["of"] for f in case.findings()] == ["a", "b"]
    bomb = "zlib:" + base64.b64encode(zlib.compress(bytes(600_000_000), 1)).decode()
    for stored in (bomb, "zlib:!!", "zlib:" + base64.b64encode(zlib.compress(b"whole")[:-6]).decode()):
        behind(case, f"UPDATE findings SET document = '{stored}'")
        with pytest.raises(DataError, match="damaged or made to do harm"):
            case.findings()
    said(case, "findings .* altered")


def sqlite_only(case: Case) -> Path:
    if case._engine.dialect.name != "sqlite":
        pytest.skip("a file")
    case.close()
    return Path(case.place)


def test_a_database_cut_short_or_overwritten_is_one_sentence(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sqlite_only(case)
    whole = (folder / FILE).read_bytes()

    def overwritten(data: bytes) -> bytes:
        return data[:8192] + b"\xff" * 4096 + data[12288:]

    for spoil in (lambda d: d[: len(d) // 2], lambda d: d[:50], overwritten, lambda d: b"\0" * len(d)):
        spoilt: Callable[[bytes], bytes] = spoil
        (folder / FILE).write_bytes(spoilt(whole))
        code = main(["verify", str(folder)])
        out, err = capsys.readouterr()
        assert code in (1, 2) and "Traceback" not in out + err and "failed inside" not in err, (out, err)
        assert code == 2 or "Table: the database is damaged" in out or "Row:" in out or "missing" in out


def test_a_case_of_another_program_is_refused(case: Case) -> None:
    folder = sqlite_only(case)
    for version, words in (("9999", "newer Earwitness"), ("0000", "no known version")):
        with contextlib.closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        with pytest.raises(DataError, match=words):
            Case(folder)


def test_the_newest_version_is_that_of_the_migrations() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == database.NEWEST


def test_a_case_on_a_disk_that_cannot_be_written_is_verified(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = sqlite_only(case)
    monkeypatch.setattr(database.os, "access", lambda *_: False)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with Case(folder) as burnt:
        assert verify(burnt).well
        with pytest.raises(DataError, match="readonly"):
            burnt.note("more")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    (folder / f"{FILE}-wal").write_bytes(b"left")
    with pytest.raises(InputError, match="never written back"):
        Case(folder)


def test_verifying_while_others_write_finds_no_fault(case: Case, place: str) -> None:
    stop = threading.Event()

    def write() -> None:
        with Case(place, "other") as own:
            while not stop.is_set():
                own.decide(own.findings()[0].id, "note")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(8):
            assert verify(case, files=False).faults == ()
    finally:
        stop.set()
        writer.join()


def test_an_altered_table_of_results_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Through the command line: what `batch` writes beside the case is in its log."""
    (tmp_path / "letter.mp4").write_text("Dear Sir or Madam")
    command = [
        "batch",
        str(tmp_path / "letter.mp4"),
        "-o",
        str(tmp_path / "case"),
        "--results",
        str(tmp_path / "r"),
        "--workers",
        "1",
    ]
    assert main(command) == 0
    with Case(tmp_path / "case") as case:
        before = case.head()
        batch.tables(case, tmp_path / "case")
        assert case.head() == before, "the same tables are not entered twice"
        case.add_clip(Clip("/nowhere", "1" * 64, 1, "mov", None), "not there")
        batch.tables(case, tmp_path / "case")
    assert main(["verify", str(tmp_path / "case")]) == 0, capsys.readouterr().out
    with (tmp_path / "case" / "clips.parquet").open("r+b") as file:
        file.seek(10)
        file.write(b"?")
    assert main(["verify", str(tmp_path / "case")]) == 1
    assert "clips.parquet is not the one" in capsys.readouterr().out
