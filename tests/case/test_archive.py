"""A case as the page Archive sees it: filters with known answers, ambiences, what is kept between two looks."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine import cli
from engine.case.record import archive
from engine.case.record.archive import ArchiveQuery, select
from engine.case.record.store import Case
from engine.core.errors import Cancelled, InputError
from engine.core.progress import Progress
from tests.case import casework


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return casework.make(tmp_path_factory.mktemp("archive") / "case")


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_KEPT", str(tmp_path / "kept"))


def names(found: tuple[archive.ArchiveEntry, ...]) -> list[str]:
    return [e.sha256[0] for e in found]


def test_every_finding_is_there_and_what_could_not_be_examined(place: Path) -> None:
    found = archive.read(str(place))
    assert found.title == "Golf <b>" and names(found.entries) == ["a", "b", "c"]
    assert [p.rpartition("/")[2] for p, _ in found.problems] == ["broken.mp4"]
    one = found.entries[0]
    assert one.recorded == date(2024, 5, 3) and one.verdict == "different places" and one.odds
    assert {s.modality for s in one.spots} == {"sound", "picture"}
    assert one.of("species")[0].name == "Great Tit"
    assert archive.read(str(place)) == found  # from what was kept


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ArchiveQuery(), "abc"),
        (ArchiveQuery(verdicts=frozenset({"same place", "cannot tell"})), "bc"),
        (ArchiveQuery(species="great tit"), "abc"),
        (ArchiveQuery(species="parus MAJOR"), "abc"),
        (ArchiveQuery(species="raven"), ""),
        (ArchiveQuery(text="script"), "b"),
        (ArchiveQuery(name="quiet"), "c"),
        (ArchiveQuery(near=(33.5, -82.0, 300.0)), "ab"),
        (ArchiveQuery(near=(33.5, -82.0, 300.0), modality="sound"), ""),
        (ArchiveQuery(near=(-17.0, -179.9, 400.0), modality="sound"), "abc"),  # across the antimeridian
        (ArchiveQuery(since=date(2024, 5, 3)), "a"),
        (ArchiveQuery(until=date(2024, 5, 2)), ""),
        (ArchiveQuery(atom="rain"), ""),
    ],
)
def test_filters(place: Path, query: ArchiveQuery, expected: str) -> None:
    assert "".join(names(select(archive.read(str(place)).entries, query))) == expected


def test_the_same_ambience_is_found_with_its_place_in_both(place: Path) -> None:
    found = archive.read(str(place))
    (pair,) = found.same
    assert (pair[0][0], pair[1][0]) == ("a", "b")
    assert pair[2].lag_s == pytest.approx(-5.0, abs=0.05)
    back = archive.turned(pair[2])
    assert back.lag_s == -pair[2].lag_s and back.start_s == pytest.approx(pair[2].start_s + pair[2].lag_s)
    assert found.unprinted == 0
    assert archive.groups(found.same) == (("a" * 64, "b" * 64),)


def test_a_document_gives_its_maps_back(place: Path) -> None:
    first = archive.read(str(place)).entries[0]
    posteriors = archive.posteriors(archive.document_of(str(place), first.id))
    assert set(posteriors) == {"sound", "picture"}
    spot = posteriors["sound"].place(300.0)
    assert archive.distance_km(spot.lat_deg, spot.lon_deg, -17.0, 179.5) < 100.0
    with pytest.raises(InputError):
        archive.document_of(str(place), "none")


def test_cases_opened_before_are_remembered_as_long_as_they_are_there(place: Path, tmp_path: Path) -> None:
    archive.remember(str(place))
    archive.remember("postgresql://me:secret@here/case")
    with Case.create(tmp_path / "other"):
        archive.remember(str(tmp_path / "other"))
    assert archive.recent() == (str(tmp_path / "other"), str(place))
    (tmp_path / "other" / "case.sqlite").unlink()
    assert archive.recent() == (str(place),)
    archive.forget(str(place))
    assert archive.recent() == ()


def test_reading_can_be_stopped_and_a_folder_without_a_case_is_said_to_be_one(place: Path, tmp_path: Path) -> None:
    def stop(_: Progress) -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        archive.read(str(place), stop)
    with pytest.raises(InputError, match="no case"):
        archive.read(str(tmp_path))


def test_from_the_command_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["case", "same-ambience", str(place)]) == 0
    said = capsys.readouterr().out
    assert "1 pairs of clips with the same ambience, of 3 clips." in said and "0:00" in said
    assert cli.main(["case", "list", str(place), "--verdict", "same place"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert cli.main(["case", "list", str(place)]) == 0
    assert "not examined" in capsys.readouterr().out
    assert cli.main(["case", "list", str(place), "--since", "soon"]) == 2
