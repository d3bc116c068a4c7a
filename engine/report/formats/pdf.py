"""A Finding as PDF, set by Typst from the same page as the HTML.

Typst (Apache-2.0, one wheel, no system libraries) breaks pages, repeats the heads of tables and numbers pages. Texts reach it as
JSON strings, which it never reads as markup, and it is given all files in memory: nothing of this machine's disk but the
program's own fonts, and no package, can be named from inside. The result is PDF/A-2a and PDF/UA-1: made for keeping, and for
screen readers.
"""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup
from PIL import Image

from engine.core.clip import Reader
from engine.core.custody import Custody
from engine.core.errors import DataError
from engine.core.finding import Finding, Located
from engine.core.progress import Progress, ProgressCallback, silent
from engine.report.figures import map as maps
from engine.report.figures.typeface import FAMILIES, drawable, folder_of_fonts, spelled
from engine.report.formats.page import Page, page_of
from engine.report.view.exhibit import Ranges
from engine.report.view.text import fit

_TEMPLATE = Path(__file__).parent / "template"
# Made for keeping, and to be read aloud: tagged, every picture with words for it. Where a text forbids that, made all the same:
# one for keeping alone, then one whose texts are plain, then one that is no PDF/A and says so.
_TRIES: tuple[tuple[tuple[str, ...], bool], ...] = (
    (("a-2a", "ua-1"), False),
    (("a-2u",), False),
    (("a-2a", "ua-1"), True),
    ((), False),
    ((), True),
)
NOT_ARCHIVAL = "not PDF/A: a text in it cannot be kept as the standard asks"


def to_pdf(
    finding: Finding,
    reader: Reader | None = None,
    ranges: Ranges | None = None,
    custody: Custody | None = None,
    progress: ProgressCallback = silent,
) -> bytes:
    """The report; arguments as for `html.to_html`. The same finding gives the same bytes.

    Raises:
        DataError: it cannot be set.
    """
    page = page_of(finding, reader, ranges, custody, progress)
    progress(Progress("setting pages"))
    return pdf_of(page)


def pdf_of(page: Page) -> bytes:
    """The report as PDF; errors as for `to_pdf`."""
    drawings: dict[str, str] = {}
    facts = _plain(page, drawings)
    program = _program(page)
    reason = ""
    with folder_of_fonts() as folder:
        for standards, plain in _TRIES:
            try:
                return _set(facts | {"program": program}, drawings, _made(page.finding), folder, standards, plain)
            except RuntimeError as error:  # TypstError
                reason = (getattr(error, "diagnostic", "") or str(error) or type(error).__name__).strip().splitlines()[0]
    raise DataError(f"The PDF cannot be set ({fit(reason)}); write the HTML report instead.")


def is_archival(data: bytes) -> bool:
    """Whether a report as PDF is PDF/A, as its own metadata say."""
    return b"pdfaid" in data


def _set(
    facts: dict[str, Any], drawings: dict[str, str], made: datetime, fonts: Path, standards: tuple[str, ...], plain: bool
) -> bytes:
    """One try at the PDF.

    Raises:
        RuntimeError: a text in it does not go with the standards.
    """
    import typst

    spelled_out: set[str] = set()
    said = _spelled(facts, plain, spelled_out)
    said |= {"families": FAMILIES, "missing": len(spelled_out), "remark": "" if standards else NOT_ARCHIVAL}
    files = {"main.typ": (_TEMPLATE / "report.typ").read_bytes(), "facts.json": json.dumps(said).encode()}
    files |= {name: _alone(svg, plain).encode() for name, svg in drawings.items()}
    done = typst.compile(  # type: ignore[call-overload]  # its stub knows no dict of files, its documentation does
        files,
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(fonts)]),
        ignore_system_fonts=True,
        timestamp=made,
        pdf_standards=list(standards),
    )
    assert isinstance(done, bytes)
    return done


def _spelled(value: Any, plain: bool, out: set[str]) -> Any:
    """What JSON holds with every text as it can be set; characters that are spelled by their codes are added to `out`."""
    if isinstance(value, str):
        text = fit(value)
        said = spelled(text, plain)
        out.update(set(text) - set(said))
        return said
    if isinstance(value, dict):
        return {k: _spelled(v, plain, out) for k, v in value.items()}
    if isinstance(value, list):
        return [_spelled(v, plain, out) for v in value]
    return value


def _plain(value: Any, drawings: dict[str, str]) -> Any:
    """The page as what JSON holds: drawings and pictures become names of files, sounds are left out."""
    if isinstance(value, Markup):
        return _file(str(value), drawings)
    if isinstance(value, Finding):
        return {"version": value.provenance.version, "created": value.provenance.created, "sha256": value.clip.sha256}
    if isinstance(value, Located):
        return {"spoke": value.spoke, "cannot_tell": value.cannot_tell, "gain_nats": f"{value.gain_nats:.1f}"}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name), drawings) for f in fields(value) if f.name != "ground"}
    if isinstance(value, tuple | list):
        return [_plain(x, drawings) for x in value]
    return value


def _file(text: str, drawings: dict[str, str]) -> str:
    """The name under which a drawing or a picture is kept; "" for what paper cannot hold."""
    if text.startswith("data:image/jpeg;base64,"):
        with Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2]))) as picture:
            width, height = picture.size
        text = f'<svg viewBox="0 0 {width} {height}"><image width="{width}" height="{height}" href="{text}"/></svg>'
    if not text.startswith("<svg"):
        return ""
    name = f"{len(drawings)}.svg"  # the typesetter takes files of text only, so that a picture travels in a drawing
    drawings[name] = text
    return name


def _alone(svg: str, plain: bool) -> str:
    """A drawing of the page as one that stands by itself: with its ground, its style, and only characters that can be drawn."""
    ground = "".join(maps.ground_of(name) for name in ("world", "small") if f"#ground-{name}" in svg)
    style = (_TEMPLATE / "svg.css").read_text(encoding="utf-8")
    if 'xmlns="' not in svg.partition(">")[0]:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    head, _, body = svg.partition(">")
    return f"{head}><style>{style}</style><defs>{ground}</defs>{drawable(fit(body), plain)}"


def _made(finding: Finding) -> datetime:
    """When the finding was made, to the second: the PDF's own date, so that its bytes follow from the finding."""
    try:
        return datetime.fromisoformat(finding.provenance.created).astimezone(UTC).replace(microsecond=0)
    except ValueError:
        return datetime(1980, 1, 1, tzinfo=UTC)


def _program(page: Page) -> str:
    created = re.sub(r"T(\d\d:\d\d).*", r" \1", page.finding.provenance.created)
    return f"Earwitness {page.finding.provenance.version}, {created} UTC"
