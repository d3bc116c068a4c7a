"""The PDF: the same content as the page, every character drawn or boxed, footers that name the clip and the case."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import made
from test_report_html import Tone, ranges

from engine.core.custody import Custody, Decision
from engine.core.finding import Finding
from engine.report import to_html, to_pdf
from engine.report.typeface import drawable, typefaces_for

DECISION = Decision("2026-01-02T03:04:05+00:00", "Ann", "drop", "flimsy", -1.0, -0.5)
CUSTODY = Custody("Golf & <Co>", "c0ffee" * 10 + "beef", "1234-5678", "Ann", (DECISION,))


def pdf(finding: Finding, custody: Custody | None = None) -> bytes:
    return to_pdf(finding, Tone(finding.clip), ranges, custody)  # type: ignore[arg-type]


def text_of(data: bytes, folder: Path) -> list[str]:
    """The text of each page, by poppler, which is no part of the program."""
    if not shutil.which("pdftotext"):
        pytest.skip("needs pdftotext; install poppler-utils")
    (folder / "r.pdf").write_bytes(data)
    out = subprocess.run(["pdftotext", "-layout", folder / "r.pdf", "-"], capture_output=True, check=True).stdout
    return out.decode().split("\f")[:-1]


@functools.cache
def full(custody: Custody | None) -> bytes:
    """Of a finding with all that a finding can have."""
    return pdf(replace(made.finding(two_speak=True), comparisons=(made.COMPARISON,), claims=(made.CLAIM_TEST,)), custody)


def test_the_same_finding_gives_the_same_bytes() -> None:
    again = full.__wrapped__(CUSTODY)
    assert full(CUSTODY) == again and again.startswith(b"%PDF-") and b"pdfaid" in again
    assert b"pdfuaid" in again and b"/StructTreeRoot" in again, "tagged, for those who have it read aloud"


def test_every_page_names_the_clip_the_page_and_the_case(tmp_path: Path) -> None:
    pages = text_of(full(CUSTODY), tmp_path)
    assert len(pages) > 4
    for number, page in enumerate(pages, 1):
        assert made.finding().clip.sha256 in page and CUSTODY.head in page and f"{number} of {len(pages)}" in page
    whole = " ".join(" ".join(pages).split())
    assert whole.count(CUSTODY.head) == len(pages) + 1, "in the footers and once in the text, fit to be copied"
    named = "Golf & <Co>", "Decisions kept in the case", "flimsy", "“mains hum”: too short", "Seed", "text of the program"
    for said in ("Proposition 1", "about 90 times as probable if proposition 2", "Validation sheet", *named):
        assert said in whole, said


def test_without_a_case_the_footer_says_so(tmp_path: Path) -> None:
    assert all("Not from a case" in page for page in text_of(full(None), tmp_path))


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    inner = '#import "@preview/x:1.0.0": y $ x ^ 2 $ ]] #read("/etc/passwd") ``` <label> @ref \\ // --- '
    finding = made.finding(text=f"{made.HOSTILE} {inner} \ud800 \x00 \uffff", path=f"/x/{inner[:30]}.mp4")
    data = pdf(finding)
    assert not any(word in data for word in (b"/JavaScript", b"/Launch", b"/URI", b"/EmbeddedFile"))
    said = "".join("".join(text_of(data, tmp_path)).split())
    assert '#import"@preview/x:1.0.0":y$x^2$]]#read("/etc/passwd")```<label>@ref' in said and "root:" not in said


def test_any_script_is_set_and_what_no_font_has_is_counted(tmp_path: Path) -> None:
    said = "Привет Ελλάδα עברית العربية \U0002a6d6\U000e0041\U0010fffd 日本 ไทย"
    pages = text_of(pdf(made.finding(text=said)), tmp_path)
    assert "Привет Ελλάδα" in " ".join(pages)
    faces = typefaces_for("\U0010fff0")  # a private character that no font should have
    assert "\U0010fff0" in faces.missing and faces.families[-1].startswith("Last Resort")
    assert drawable("a\U0010fff0b", faces.covered) == "a\N{WHITE SQUARE}b"
    assert not typefaces_for("plain text, äöü, Ж").missing


def test_html_and_pdf_say_the_same(tmp_path: Path) -> None:
    finding = replace(made.finding(two_speak=True), comparisons=(made.COMPARISON,), claims=(made.CLAIM_TEST,))
    html = to_html(finding, Tone(finding.clip), ranges, CUSTODY)  # type: ignore[arg-type]
    whole = " ".join(" ".join(text_of(full(CUSTODY), tmp_path)).split())
    for heading in re.findall(r"<h2>([^<]+)</h2>", html):
        assert heading.replace("&#39;", "'") in whole.replace("’", "'"), heading
    assert CUSTODY.head in html and "Golf &amp; &lt;Co&gt;" in html and "<Co>" not in html
