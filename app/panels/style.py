"""The look that all pages share: spacing, and small pieces of HTML whose every text is escaped here."""

from __future__ import annotations

import unicodedata
from functools import cache
from html import escape

import streamlit as st
from PIL import Image, ImageDraw

from engine.report import MODALITY_COLOURS

# Streamlit leaves wide margins for essays; this is a workplace. Only classes and test ids that Streamlit documents are used.
_CSS = """
<style>
.stMainBlockContainer, .block-container {padding: 4.4rem 1.6rem 1.2rem 1.6rem; max-width: 1900px;}
.stMainBlockContainer [data-testid="stVerticalBlock"] {gap: .55rem;}
[data-testid="stToolbarActions"], [data-testid="stAppDeployButton"] {display: none;}
[data-testid="stDeckGlJsonChart"], .stFullScreenFrame > div:has([data-testid="stDeckGlJsonChart"]) {border-radius: 6px;}
[data-testid="stDeckGlJsonChart"] {box-shadow: inset 0 0 0 1px color-mix(in srgb, currentColor 16%, transparent);}
[data-testid="stDeckGlJsonChart"] > .stElementToolbar {top: 6px !important; right: 6px !important;}
[data-testid="stButton"] button, [data-testid="stPopover"] button, [data-testid="stDownloadButton"] button,
[data-testid="stButtonGroup"] button {min-height: 2rem; padding-top: .12rem; padding-bottom: .12rem;}
[data-testid="stWidgetLabel"] p {font-size: .8rem;} [data-testid="stWidgetLabel"] {min-height: 0; margin-bottom: 0;}
audio {height: 34px;}
.stMainBlockContainer p, .ew-edits, .ew-banner {text-wrap: pretty;}
[data-testid="stSliderThumbValue"], [data-testid="stSliderThumbValue"] p {white-space: nowrap;}
.ew-facts {font-size: .82rem; opacity: .82; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; line-height: 1.5rem;}
.ew-facts b {font-size: .95rem; font-weight: 600; margin-right: .35rem;}
.ew-facts span + span::before {content: "·"; margin: 0 .45em; opacity: .6;}
.ew-banner {border: 1px solid color-mix(in srgb, currentColor 16%, transparent); border-left-width: 5px; border-radius: 6px;
  padding: .45rem .8rem .5rem .8rem; display: flex; flex-wrap: wrap; gap: .15rem 2rem; align-items: baseline;}
.ew-banner .ew-title {font-weight: 700; font-size: 1.06rem; letter-spacing: .01em; flex-basis: 100%;}
.ew-banner .ew-title small {font-weight: 400; font-size: .86rem; opacity: .8; margin-left: .7em;}
.ew-modality {font-size: .92rem;}
.ew-modality b {font-weight: 600;}
.ew-help {flex-basis: 100%; opacity: .85;}
.ew-dim {opacity: .72;}
.ew-tip {border-bottom: 1px dotted color-mix(in srgb, currentColor 45%, transparent); cursor: help;}
.ew-legend {display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; align-items: center; font-size: .74rem; line-height: 1.1rem;}
.ew-scale {display: inline-flex; flex-direction: column;}
.ew-scale .ew-boxes {display: flex;}
.ew-scale .ew-boxes i {width: 27px; height: 9px; display: block;}
.ew-scale .ew-ticks {display: flex; opacity: .8; font-size: .68rem;}
.ew-scale .ew-ticks i {width: 27px; text-align: center; font-style: normal; position: relative; left: 13px;}
.ew-key {display: inline-flex; align-items: center; gap: .35em; white-space: nowrap;}
.ew-mark {display: inline-block; width: .68em; height: .68em; flex: none;}
.ew-round {border-radius: 50%;} .ew-diamond {transform: rotate(45deg) scale(.92);}
.ew-rule {display: inline-block; width: 18px; height: 0; border-top: 3px solid; flex: none;} .ew-thin {border-top-width: 1.4px;}
.ew-h {font-weight: 600; font-size: .95rem;}
.ew-edits {font-size: .8rem; line-height: 1.45rem;}
.ew-chip {border: 1px solid color-mix(in srgb, currentColor 22%, transparent); border-radius: 10px; padding: 0 .55em;
  margin-right: .35em; white-space: nowrap;}
.ew-clip {font-size: .88rem; line-height: 1.35rem;} .ew-clip small {opacity: .75; margin-left: .5em; font-size: .8rem;}
.ew-weights {margin: 0; padding-left: 1.1rem; font-size: .88rem; line-height: 1.5;}
.ew-weights li {margin-bottom: .35rem;}
.ew-stages {border-collapse: collapse; font-size: .86rem;}
.ew-stages td {border: none; padding: .1rem 1.2rem .1rem 0;}
.ew-history {width: 100%;}
.ew-history th {font-weight: 400; opacity: .7; text-align: left; border: none; padding: 0 .8rem .1rem 0;}
.ew-history td {vertical-align: top; padding: .2rem .8rem .25rem 0;
  border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent);}
.ew-stages td.ew-num {text-align: right; font-variant-numeric: tabular-nums; opacity: .75;}
</style>
"""


def dress() -> None:
    """Set the spacing and the classes that the pieces below use."""
    st.html(_CSS)


@cache
def icon() -> Image.Image:
    """The sign of the program: sound arriving at a point. An emoji or a named icon would be fetched from elsewhere."""
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    for radius in (14, 24):
        pen.arc((28 - radius, 32 - radius, 28 + radius, 32 + radius), -62, 62, fill=(230, 145, 0, 255), width=6)
    pen.ellipse((14, 22, 34, 42), fill=(33, 115, 128, 255))
    return picture


def dark() -> bool:
    """Whether the browser shows the dark theme."""
    return getattr(st.context.theme, "type", None) == "dark"


def clean(text: object, limit: int = 120) -> str:
    """Text from a file or a model, fit for one line of HTML: invisible characters out, bounded, escaped."""
    shown = "".join(" " if c in "\r\n\t" else c for c in str(text))
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs") else c for c in shown)
    return escape(shown if len(shown) <= limit else shown[: limit - 1] + "…")


def plain(text: object, limit: int = 120) -> str:
    """The same for Streamlit's labels, which read Markdown: what Markdown could read as markup is escaped with a backslash."""
    shown = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in str(text))[:limit]
    return "".join("\\" + c if c in "\\`*_{}[]()#+-.!|<>:$~&" else c for c in shown)


def tip(word: str, explanation: str) -> str:
    """A word with its one-line explanation on hover; both are escaped."""
    return f'<span class="ew-tip" title="{escape(explanation)}">{escape(word)}</span>'


def swatch(modality: str) -> str:
    """The mark of a modality: its own shape and colour, so that colour is never alone."""
    colour = MODALITY_COLOURS.get(modality, "#5b6670")
    shape = {"sound": "round", "picture": "square", "both": "diamond"}.get(modality, "square")
    return f'<span class="ew-mark ew-{shape}" style="background:{colour}"></span>'


_WORDMARK = """<svg xmlns="http://www.w3.org/2000/svg" width="190" height="40" viewBox="0 0 190 40">
<g fill="none" stroke="#e69100" stroke-width="4" stroke-linecap="round">
<path d="M22 10.5a12 12 0 0 1 0 19"/><path d="M27 4a20 20 0 0 1 0 32"/></g>
<circle cx="14" cy="20" r="7" fill="{dot}"/>
<text x="47" y="27.5" font-family="Source Sans, Source Sans Pro, Segoe UI, Helvetica, sans-serif" font-size="23" font-weight="650"
 fill="{ink}">Earwitness</text></svg>"""


def wordmark() -> str:
    """The program's name as a picture, for the ground it stands on."""
    ink, dot = ("#f0f2f4", "#63b0ab") if dark() else ("#20262c", "#217380")
    return _WORDMARK.format(ink=ink, dot=dot)
