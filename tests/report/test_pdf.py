"""The PDF: the same content as the page, every character drawn or boxed, footers that name the clip and the case."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import made
from test_report_html import Tone, ranges

from engine.core.custody import Custody, Decision
from engine.core.errors import DataError
from engine.core.finding import Finding
from engine.core.observation import Observation
from engine.report import to_csv, to_elan, to_geojson, to_html, to_json, to_kml, to_pdf, to_raven
from engine.report.figures.typeface import drawable, folder_of_fonts, spelled
from engine.report.formats.pdf import is_archival
from engine.report.view.text import fit

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


MIXED = "Привет Ελλάδα 東京 ไทย العربية עברית हिन्दी"


def test_any_script_is_set_and_what_no_font_has_is_spelled_by_its_code(tmp_path: Path) -> None:
    data = pdf(made.finding(text=MIXED))
    assert b"pdfuaid" in data and is_archival(data)
    whole = " ".join(" ".join(text_of(data, tmp_path)).split())
    assert "Привет Ελλάδα" in whole and "⟨U+6771 4EAC⟩" in whole and "⟨U+0E44" in whole
    assert "in none of the program's fonts" in whole.replace("’", "'")
    assert not re.search("[東ไह]", whole)


def test_codes_stand_for_what_cannot_be_set_and_for_nothing_else() -> None:
    assert spelled("plain text, äöü, Ж, עברית, العربية ⟨⟩\n\ttab") == "plain text, äöü, Ж, עברית, العربية ⟨⟩\n\ttab"
    assert spelled("a日本 本b") == "a⟨U+65E5 672C⟩ ⟨U+672C⟩b" and spelled("é 日", plain=True) == "<U+00E9> <U+65E5>"
    assert drawable("a\U0010fff0b\n") == "a\N{WHITE SQUARE}b\n"


def machines_font(folder: Path) -> str:
    """A font as a machine may have it, with letters that the program's own lack; its family."""
    from fontTools.ttLib import TTFont

    with folder_of_fonts() as own, TTFont(own / "DejaVuSans.ttf") as font:
        glyph = font.getBestCmap()[ord("A")]
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap |= dict.fromkeys(map(ord, set(MIXED) - {" "}), glyph)
        for name in font["name"].names:
            if name.nameID in (1, 3, 4, 6, 16):
                name.string = "Machine Sans"
        (folder / ".fonts").mkdir()
        font.save(folder / ".fonts" / "machine.ttf")
    return "Machine Sans"


def test_a_machines_fonts_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typst

    finding = made.finding(text=MIXED, path=f"/x/{MIXED}.mp4")
    before = pdf(finding)
    family = machines_font(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    if family not in typst.Fonts(include_system_fonts=True).families():
        pytest.skip("this system looks for fonts elsewhere than in ~/.fonts")
    assert pdf(finding) == before


@pytest.mark.parametrize(
    "text",
    [
        "bell\x07 null\x00 escape\x1b[31m c1\x9b2J",
        "not UTF-8: caf\udce9",
        "\u202eright to left \u2066isolate\u2069 \u200b \u00ad \ufeff \u2028",
        "private \ue000\uf8ff\U000f0000\U0010fffd, none \ufffe\U0001ffff\ufdd0, tag \U000e0041",
        "👩‍👩‍👧 🇺🇦 ❤️ \U0002a6d6 𓀀 ꙮ ᚠ",
        "e\u0301ก\u0301ж\u0327 \u0301\u0302 नमूना نمونه‌ها",
        "w" * 5000,
        MIXED,
        '#read("/etc/passwd") ]]></Placemark>&#0;&bogus; <a href="javascript:1">',
    ],
)
def test_no_text_breaks_a_document(text: str) -> None:
    """In each place that a clip, a folder's name or an analyst fills: name, tags, titles, labels, notes, authors, the case."""
    custody = Custody(
        text, "c0" * 32, "1234-5678", text, (Decision("2026-01-02T03:04:05+00:00", text, text, text, -1.0, -0.5),), (text,)
    )
    sign = Observation("text", "text", text, 0.9, 1.0, 2.0, text, f"analyst:{text}", note=text)
    finding = made.finding(text=text, path=f"/x/{text[:60].replace('/', '')}.mp4", added=(sign,))
    finding = replace(finding, claims=(made.CLAIM_TEST,))
    data = pdf(finding, custody)
    assert is_archival(data) and b"pdfuaid" in data
    for document in (to_kml(finding), to_elan(finding)):
        xml.fromstring(document.encode())
    page = to_html(finding, None, None, custody)
    for document in (page, to_json(finding, custody), to_geojson(finding), to_csv(finding), to_raven(finding), to_kml(finding)):
        document.encode()
        assert fit(document.removeprefix("\ufeff")) == document.removeprefix("\ufeff")
    kept = json.loads(to_json(finding, custody))["custody"]
    assert fit(kept["who"]) == kept["who"] and kept["who"]
    json.loads(to_geojson(finding))
    assert len(to_raven(finding).splitlines()) == 5 and all(line.count("\t") == 11 for line in to_raven(finding).splitlines())


def test_a_pdf_that_cannot_be_archival_is_made_all_the_same_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typst

    whole = typst.compile

    def refusing(*args: object, pdf_standards: list[str], **more: object) -> object:
        if pdf_standards:
            raise RuntimeError("error: PDF/A error: missing codepoints")
        return whole(*args, pdf_standards=pdf_standards, **more)

    monkeypatch.setattr(typst, "compile", refusing)
    data = pdf(made.finding())
    assert not is_archival(data) and "not PDF/A" in " ".join(text_of(data, tmp_path)[-1].split())
    monkeypatch.setattr(typst, "compile", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("error: no\x1b")))
    with pytest.raises(DataError, match=r"cannot be set \(error: no�\); write the HTML report"):
        pdf(made.finding())


def test_html_and_pdf_say_the_same(tmp_path: Path) -> None:
    finding = replace(made.finding(two_speak=True), comparisons=(made.COMPARISON,), claims=(made.CLAIM_TEST,))
    html = to_html(finding, Tone(finding.clip), ranges, CUSTODY)  # type: ignore[arg-type]
    whole = " ".join(" ".join(text_of(full(CUSTODY), tmp_path)).split())
    for heading in re.findall(r"<h2>([^<]+)</h2>", html):
        assert heading.replace("&#39;", "'") in whole.replace("’", "'"), heading
    assert CUSTODY.head in html and "Golf &amp; &lt;Co&gt;" in html and "<Co>" not in html
