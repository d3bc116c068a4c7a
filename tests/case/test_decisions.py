"""An analyst's work on one clip, kept in a case: on both databases, and from the command line on the built-in example."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from engine.case.record import decisions
from engine.case.record.store import Case
from engine.case.record.verify import verify
from engine.core.edit import Edit, apply_edit
from engine.core.errors import InputError
from engine.core.finding import Finding
from tests.report import made

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def found(tmp_path: Path) -> Finding:
    """A finding about a file that is there."""
    import hashlib

    clip = tmp_path / "course.mp4"
    clip.write_bytes(b"film")
    finding = made.finding(two_speak=True)
    return replace(finding, clip=replace(finding.clip, path=str(clip), sha256=hashlib.sha256(b"film").hexdigest()))


def edited(found: Finding) -> Finding:
    return replace(
        found, settings=apply_edit(found.settings, Edit("drop", "species/species/Parus major", note="the neighbour's"))
    )


def test_decisions_findings_and_documents_are_kept_and_verify(place: str, found: Finding) -> None:
    in_case = decisions.add_clip(place, [found], who="Ann")
    rulings = [
        decisions.Ruling("Great Tit dropped", found, -1.2, -0.4, "the neighbour's"),
        decisions.Ruling("taken back: Great Tit dropped", found, -0.4, -1.2, who="Bo"),
    ]
    in_case = decisions.decide(in_case, rulings, "Ann")
    in_case, custody = decisions.keep(in_case, edited(found), "Ann")
    assert [(d.what, d.who, d.log10_before, d.log10_after) for d in custody.decisions] == [
        ("Great Tit dropped", "Ann", -1.2, -0.4),
        ("taken back: Great Tit dropped", "Bo", -0.4, -1.2),
    ]
    assert custody.head == in_case.head
    after = decisions.issue_report(in_case, custody, "pdf", "../../evil name.pdf", b"%PDF", "Ann")
    with Case(place) as case:
        assert case.head() == after.head != in_case.head
        settings = [json.loads(f.settings) for f in case.findings()]
        assert [len(s["edits"]) for s in settings] == [0, 1]
        assert [e.what for e in case.log()][-3:] == ["decision", "finding kept", "report written"]
        verified = verify(case, custody.head)
        assert verified.well and verified.known_at == len(list(case.log())) - 1


def test_what_is_there_already_is_not_written_twice(place: str, found: Finding) -> None:
    first = decisions.add_clip(place, [found])
    assert decisions.add_clip(place, [found]).head == first.head
    assert decisions.keep(first, found)[0].head == first.head


def test_a_report_handed_out_is_kept_in_the_folder_and_an_altered_one_is_found(tmp_path: Path, found: Finding) -> None:
    place = tmp_path / "case"
    in_case = decisions.add_clip(str(place), [found])
    in_case, custody = decisions.keep(in_case, found)
    decisions.issue_report(in_case, custody, "pdf", "../../evil name.pdf", b"%PDF")
    (copy,) = (place / decisions.REPORTS).iterdir()
    assert re.fullmatch(r"[A-Za-z0-9_]+-\d{8}T\d{6}-[0-9a-f]{8}\.pdf", copy.name)
    copy.write_bytes(b"%PDF altered")
    with Case(str(place)) as case:
        (fault,) = verify(case).faults
    assert str(copy) in fault


def test_a_case_that_is_gone_is_said_in_a_sentence(tmp_path: Path, found: Finding, monkeypatch: pytest.MonkeyPatch) -> None:
    in_case = decisions.add_clip(str(tmp_path / "case"), [found])
    (tmp_path / "case" / "case.sqlite").unlink()
    with pytest.raises(InputError, match="There is no case"):
        decisions.decide(in_case, [decisions.Ruling("Great Tit dropped", found)])
    monkeypatch.chdir(tmp_path)
    for nothing in ("  ", ""):
        with pytest.raises(InputError, match="No case was named"):
            decisions.add_clip(nothing, [found])
    assert not (tmp_path / "case.sqlite").exists()


def test_locate_keeps_a_clip_with_every_decision_and_its_report_bears_the_head(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.cli import main
    from engine.core.paths import ROOT

    monkeypatch.setenv("EARWITNESS_KEPT", str(tmp_path / "kept"))
    place, report = tmp_path / "case", tmp_path / "golf.json"
    clip = str(ROOT / "examples" / "golf_georgia.mp4")
    asked = ["locate", clip, "--case", str(place), "--who", "Ann", "--prior", "land", "--drop", "Great Tit", "--quick"]
    assert main([*asked, "--json", str(report), "--quiet"]) == 0
    document = json.loads(report.read_text())
    with Case(str(place)) as case:
        decided = case.decisions()
        verified = verify(case, document["custody"]["head"])
        assert verified.well and verified.files == 2, verified.faults
        assert len(case.findings()) == 2
    assert [(d.what, d.who) for d in decided] == [("prior: land", "Ann"), ("Great Tit dropped", "Ann")]
    assert [d["what"] for d in document["custody"]["decisions"]] == [d.what for d in decided]
    assert all(d.factor_before is not None and d.factor_after is not None for d in decided)
    assert decided[0].factor_after == decided[1].factor_before
    assert main(["case", "report", str(place), "golf_georgia.mp4", "--json", str(tmp_path / "again.json")]) == 0
    assert "results equal those kept" in capsys.readouterr().out
    assert main(["locate", clip, "--case", str(place), "--json", "-"]) == 2
    assert "give a file name instead of -" in capsys.readouterr().err
    assert main(["locate", clip, "--who", "Ann"]) == 2


def test_notes_and_decisions_from_the_command_line(tmp_path: Path, found: Finding, capsys: pytest.CaptureFixture[str]) -> None:
    from engine.case.record import archive
    from engine.cli import main

    place = str(tmp_path / "case")
    in_case = decisions.add_clip(place, [found], who="Ann")
    decisions.decide(in_case, [decisions.Ruling("Great Tit dropped", found, -1.2, -0.4, "the neighbour's")], "Ann")
    assert main(["case", "note", place, "course.mp4", "heard\x1b[31m twice", "--who", "Bo"]) == 0
    assert main(["case", "note", place, "course.mp4", "  "]) == 2
    capsys.readouterr()
    assert main(["case", "decisions", place]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "Ann" in first and "Great Tit dropped  −1.20 → −0.40  (the neighbour's)" in first
    assert "Bo" in second and "note: heard" in second and "\x1b" not in second
    read = archive.read(place)
    assert [d.who for d in read.decided(read.entries[0])] == ["Ann", "Bo"]
