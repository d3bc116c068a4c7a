"""A Finding as one HTML page that stands by itself: no script, no font, no picture from anywhere else.

The page forbids itself to load anything (Content-Security-Policy) and escapes every text by default (Jinja autoescape); what is
marked safe is SVG made here, whose own texts are escaped where they are put in.
"""

from __future__ import annotations

from pathlib import Path

import jinja2
from markupsafe import Markup

from engine.core.clip import Reader
from engine.core.custody import Custody
from engine.core.finding import Finding
from engine.core.progress import ProgressCallback, silent
from engine.report.formats.page import Page, page_of
from engine.report.view.exhibit import Ranges
from engine.report.view.text import fit

_TEMPLATE = Path(__file__).parent / "template"


def to_html(
    finding: Finding,
    reader: Reader | None = None,
    ranges: Ranges | None = None,
    custody: Custody | None = None,
    progress: ProgressCallback = silent,
) -> str:
    """The report.

    Args:
        reader: the open clip; without it the page has no spectrograms, excerpts and frames.
        ranges: Latin name and date to (grid, chance (cells,)), as engine.species_range; without it there are no range maps.
        custody: the case it comes from, if any.

    Raises:
        Cancelled: `progress` raised it.
    """
    return html_of(page_of(finding, reader, ranges, custody, progress))


def html_of(page: Page) -> str:
    """The report as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup((_TEMPLATE / "style.css").read_text(encoding="utf-8"))
    return fit(environment.get_template("page.html").render(page=page, style=style))
