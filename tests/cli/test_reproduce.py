"""From a clip to a bundle and back, and from a case to a report: the commands on the example that comes with the program."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from engine import cli
from engine.core.paths import EXAMPLES
from engine.report.formats.digest import digest_of

GOLF, VERMONT = EXAMPLES / "golf_georgia.mp4", EXAMPLES / "vermont_chickadee.mp4"


def rewritten(path: Path, page_too: bool, **changes: str) -> Path:
    """The bundle with its finding's texts changed, the page's hash of the numbers and the manifest made to fit, and without the
    PDF: what somebody who forges one would do."""
    out = path.with_name("forged.zip")
    with zipfile.ZipFile(path) as archive:
        documents = {n: archive.read(n) for n in archive.namelist()}
    honest_page = documents["finding.json"] if page_too else None
    for old, new in changes.items():
        documents["finding.json"] = documents["finding.json"].replace(old.replace("_", " ").encode(), new.encode())
    documents.pop("report.pdf", None)
    if honest_page is not None:
        honest, forged = (digest_of(text.decode()).encode() for text in (honest_page, documents["finding.json"]))
        documents["report.html"] = documents["report.html"].replace(honest, forged)
    manifest = json.loads(documents["manifest.json"])
    manifest["entries"] = [e for e in manifest["entries"] if e["name"] in documents]
    for entry in manifest["entries"]:
        data = documents[entry["name"]]
        entry |= {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    documents["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in documents.items():
            archive.writestr(name, data)
    return out


@pytest.mark.slow
def test_a_bundle_runs_again_to_the_same_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "b.zip"
    words = ["--drop", "Common Cuckoo", "--add", "sign:GOLF@8", "--claim", "Augusta, Georgia", "--prior", "land"]
    assert cli.main(["locate", str(GOLF), *words, "--quiet", "--bundle", str(path)]) == 0
    assert cli.main(["reproduce", str(path), str(GOLF)]) == 0
    assert "the same." in capsys.readouterr().out
    assert cli.main(["reproduce", str(path), str(VERMONT)]) == 2
    assert "not the clip that was examined" in capsys.readouterr().err
    assert cli.main(["reproduce", str(rewritten(path, False, different_places="same place")), str(GOLF)]) == 2
    assert "report.html is a report of other numbers" in capsys.readouterr().err
    assert cli.main(["reproduce", str(rewritten(path, True, different_places="same place")), str(GOLF)]) == 1
    assert "DIFFERS  sound against picture, verdict: same place then, different places now" in capsys.readouterr().out


@pytest.mark.slow
def test_a_case_writes_reports_that_bear_its_head(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case, html, pdf, bundle = (str(tmp_path / n) for n in ("case", "r.html", "r.pdf", "r.zip"))
    assert cli.main(["case", "new", case]) == 0 and cli.main(["case", "add", case, str(GOLF)]) == 0
    assert cli.main(["case", "report", case, GOLF.name, "--html", html, "--pdf", pdf, "--bundle", bundle]) == 0
    head = next(w for w in capsys.readouterr().out.split() if len(w.strip(";")) == 64 and w.endswith(";")).strip(";")
    assert head in Path(html).read_text(encoding="utf-8")
    assert cli.main(["verify", case, "--head", head]) == 0 and cli.main(["verify", bundle, "--head", head]) == 0
    capsys.readouterr()
    Path(pdf).write_bytes(Path(pdf).read_bytes() + b"%")
    assert cli.main(["verify", case]) == 1
    assert "r.pdf" in capsys.readouterr().out
    assert cli.main(["case", "report", case, "none.mp4", "--pdf", pdf]) == 2
    assert cli.main(["case", "report", case, GOLF.name]) == 2
    assert cli.main(["case", "report", case, GOLF.name, "--pdf", "-"]) == 2


def test_what_is_no_text_is_not_written_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--pdf", "--bundle"):
        assert cli.main(["locate", str(GOLF), option, "-"]) == 2
        assert "give" in capsys.readouterr().err


def test_a_bundle_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reproduce", "none.zip", str(GOLF)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
