"""Cases: what is kept, what the log vouches for, and that whoever changes anything behind its back is found out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.case.record.store import FILE, Case
from engine.case.record.verify import verify
from engine.core.clip import Clip
from engine.core.errors import DataError, InputError

pytestmark = pytest.mark.timeout(120)


def clip(path: Path, content: bytes = b"film") -> Clip:
    import hashlib

    path.write_bytes(content)
    return Clip(str(path), hashlib.sha256(content).hexdigest(), len(content), "mov", 3.0)


@pytest.fixture
def case(place: str, tmp_path: Path) -> Iterator[Case]:
    with Case.create(place, "Golf", "Ann") as case:
        film = clip(tmp_path / "film.mp4")
        finding = case.add_finding(film, "0" * 64, "{}", '{"a":1}', "different places", -1.4, models=("m",))
        case.decide(finding, "drop Parus major", "it is the neighbour's", -1.4, -0.2)
        case.add_clip(clip(tmp_path / "broken.mp4", b"broken"), "it is damaged")
        yield case


def behind_its_back(case: Case, statement: str) -> None:
    with case._engine.begin() as connection:
        connection.execute(sa.text(statement))


def test_what_was_put_in_is_there_and_verifies(case: Case) -> None:
    (kept,) = case.findings()
    assert (kept.verdict, kept.log10_factor, kept.document) == ("different places", -1.4, '{"a":1}')
    assert [d.who for d in case.decisions(kept.id)] == ["Ann"]
    assert {c.problem for c in case.clips()} == {"", "it is damaged"}
    assert [e.what for e in case.log()] == ["case made", "clip added", "finding kept", "decision", "clip added"]
    found = verify(case)
    assert found.well and found.entries == 5 and found.files == 2 and found.head == case.head()


def test_the_same_finding_is_kept_once(case: Case) -> None:
    (kept,) = case.findings()
    film = Clip(kept.path, kept.clip_sha256, 4, "mov", 3.0)
    assert case.add_finding(film, "0" * 64, "{}", '{"a":1}', "different places", -1.4) == kept.id
    assert len(case.findings()) == 1
    assert case.add_finding(film, "0" * 64, '{"prior":"land"}', '{"a":2}', "cannot tell", None) != kept.id


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE findings SET verdict = 'same place'", "Row: findings .* altered"),
        ("UPDATE decisions SET why = ''", "Row: decisions .* altered"),
        ("DELETE FROM decisions", "Row: decisions .* removed"),
        ("INSERT INTO cases VALUES ('x', 'y', 'z', 'p')", "Row: cases x is not in the log"),
        ("UPDATE clips SET path = '/elsewhere'", "Row: clips .* altered"),
    ],
)
def test_an_altered_row_is_found(case: Case, statement: str, said: str) -> None:
    import re

    behind_its_back(case, statement)
    assert any(re.search(said, fault) for fault in verify(case).faults), verify(case).faults


def test_the_log_refuses_to_be_changed(case: Case) -> None:
    for statement in ("UPDATE log SET who = 'Bob' WHERE seq = 2", "DELETE FROM log WHERE seq = 3"):
        with pytest.raises(sa.exc.DBAPIError, match="only be added to"):
            behind_its_back(case, statement)
    assert verify(case).well


def test_an_altered_file_is_found_and_an_absent_one_named(case: Case, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"fulm")
    (tmp_path / "broken.mp4").unlink()
    found = verify(case)
    assert any("film.mp4 is not the one" in f for f in found.faults)
    assert any("broken.mp4 is no longer there" in a for a in found.absent)


def test_who_gets_round_the_triggers_is_found(tmp_path: Path) -> None:
    """With the triggers dropped, as somebody with the file can."""
    changes = {
        "UPDATE log SET who = 'Bob' WHERE seq = 2": "entry 2 .* altered",
        "DELETE FROM log WHERE seq = 2": "entry 2 is missing",
        "UPDATE log SET facts = replace(facts, 'clips', 'klips') WHERE seq = 2": "entry 2 .* altered",
    }
    for number, (statement, said) in enumerate(changes.items()):
        place = tmp_path / str(number)
        with Case.create(place) as case:
            case.add_clip(clip(tmp_path / f"{number}.mp4"))
            case.note("a report was made")
        with sqlite3.connect(place / FILE) as database:
            database.execute("DROP TRIGGER log_no_update")
            database.execute("DROP TRIGGER log_no_delete")
            database.execute(statement)
        with Case(place) as case:
            faults = " ".join(verify(case).faults)
        import re

        assert re.search(said, faults), faults


def test_a_log_written_anew_or_cut_short_is_found_by_an_earlier_head(case: Case, place: str, tmp_path: Path) -> None:
    if place.startswith("postgresql"):
        pytest.skip("the same code on both")
    head = case.head()
    case.note("more")
    assert verify(case, head).well
    case.close()
    with sqlite3.connect(Path(place) / FILE) as database:
        database.execute("DROP TRIGGER log_no_delete")
        database.execute("DELETE FROM log WHERE seq >= 5")
        database.execute("DELETE FROM clips WHERE problem <> ''")
    with Case(place) as case:
        # Cut short cleanly: the chain alone cannot tell, only the guard that was taken off for it.
        assert [f for f in verify(case).faults if "lost its guard" not in f] == []
        assert any("head given was never" in f for f in verify(case, head).faults)
        with pytest.raises(InputError, match="64 hexadecimal"):
            verify(case, "abc")


def test_many_hands_write_one_chain(case: Case, place: str) -> None:
    def write(number: int) -> None:
        with Case(place, f"hand {number}") as own:
            for _ in range(5):
                own.note("counted", number=number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert sum(e.what == "counted" for e in case.log()) == 20
    assert verify(case).well


def test_no_case_two_cases_and_no_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="case new"):
        Case(tmp_path / "nothing")
    Case.create(tmp_path / "c").close()
    with pytest.raises(InputError, match="already"):
        Case.create(tmp_path / "c")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / FILE).write_text("no database at all, but a letter to the editor, long enough to be read as one")
    with pytest.raises(DataError):
        Case(tmp_path / "bad")
    with pytest.raises(InputError, match="postgresql://"):
        Case("mysql://x")
    with pytest.raises(InputError, match=r"password=\*\*\*.* is no folder; write the database as postgresql://") as refused:
        Case.create("host=db user=bob password=s3cret")
    assert "s3cret" not in str(refused.value) and not Path("host=db user=bob password=s3cret").exists()
