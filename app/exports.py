"""The documents that a finding is exported as, behind buttons: written when asked for, not on every redraw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

import engine
from app import filing, state
from app.frame import plain
from engine import Finding, Progress
from engine.analysis import species_range


@dataclass(frozen=True, slots=True)
class Paper:
    """A report that takes seconds: made on a button, with progress and a way to stop, then to be taken away."""

    kind: str
    label: str
    mime: str
    help: str
    write: Callable[[state.Bench, Finding, engine.Custody | None, Report], str | bytes]


Report = Callable[[Progress], None]


def exports(found: Finding) -> None:
    """A button for each kind of document."""
    b = state.bench()  # held here: what is deferred runs in a thread that knows no session
    stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in b.title.rsplit(".", 1)[0])[:60] or "clip"
    for p in PAPERS:
        paper(b, found, p, stem)
    kinds: tuple[tuple[str, str, str, Callable[[engine.Custody | None], str]], ...] = (
        ("JSON, all numbers", "json", "application/json", lambda custody: engine.to_json(_whole(b, found), custody)),
        ("GeoJSON, for GIS", "geojson", "application/geo+json", lambda _: engine.to_geojson(found)),
        ("KML, for globes", "kml", "application/vnd.google-earth.kml+xml", lambda _: engine.to_kml(found)),
        ("CSV, for spreadsheets", "csv", "text/csv", lambda _: engine.to_csv(found)),
        ("Selection table, for Raven", "txt", "text/tab-separated-values", lambda _: engine.to_raven(found)),
        ("Tiers, for ELAN", "eaf", "application/xml", lambda _: engine.to_elan(found)),
    )
    for label, suffix, mime, make in kinds:
        write = partial(filing.handed_out, b, found, suffix, stem, make)
        st.download_button(label, write, f"{stem}.{suffix}", mime, key=f"export-{suffix}", on_click="ignore", width="stretch")
    reel(found, stem)


def paper(b: state.Bench, found: Finding, p: Paper, stem: str) -> None:
    """One report: to be made, being made, or ready."""
    about, work = b.papers.get(p.kind, (None, None))
    if work is not None and work.running:
        _making(p.kind, p.label)
        return
    if work is not None and work.made is not None and about is found:
        st.download_button(
            f"Save the {p.label}", work.made, f"{stem}.{p.kind}", p.mime, key=f"export-{p.kind}", on_click="ignore",
            type="primary", icon=":material/download:", width="stretch",
        )  # fmt: skip
        return
    if work is not None and work.error:
        st.caption(plain(work.error, 300))
    st.button(
        f"Make the {p.label}", key=f"make-{p.kind}", help=p.help, width="stretch", disabled=b.blind,
        **state.callback(_start, b, found, p, stem),
    )  # fmt: skip


def _start(b: state.Bench, found: Finding, p: Paper, stem: str) -> None:
    def write(report: Report) -> str | bytes:
        whole = _whole(b, found, report)
        return filing.handed_out(b, whole, p.kind, stem, lambda custody: p.write(b, whole, custody, report))

    b.papers[p.kind] = (found, state.Work(p.label, write))


@st.fragment(run_every=0.6)
def _making(kind: str, label: str) -> None:
    _, work = state.bench().papers.get(kind, (None, None))
    if work is None or not work.running:
        st.rerun(scope="app")
        return
    told = work.progress
    st.progress((told.fraction or 0.0) if told else 0.0, text=f"{label}: {told.stage if told else 'starting'}")
    st.button("Stop", key=f"stop-{kind}", icon=":material/close:", **state.callback(work.cancel))


def reel(found: Finding, stem: str) -> None:
    """The evidence reel: made on a button, with progress and a way to stop, then to be taken away."""
    b = state.bench()
    made = b.reel
    if made is not None and made.running:
        _working()
        return
    if made is not None and made.path is not None and made.found.settings == found.settings:
        st.download_button(
            "Evidence reel, MP4", partial(filing.handed_out, b, found, "mp4", f"{stem}-reel", partial(_read, made.path)),
            f"{stem}-reel.mp4", "video/mp4", key="export-reel", on_click="ignore", width="stretch",
        )  # fmt: skip
        return
    if made is not None and made.failed:
        st.caption(plain(made.failed, 300))
    st.button(
        "Make the evidence reel",
        key="make-reel",
        icon=":material/movie:",
        width="stretch",
        help="The moments the result rests on as a film: picture with boxes, spectrogram, map and verdict burnt in.",
        disabled=b.blind,
        **state.callback(state.start_reel),
    )


def _read(path: Path, _: engine.Custody | None) -> bytes:
    return path.read_bytes()


@st.fragment(run_every=0.6)
def _working() -> None:
    made = state.bench().reel
    if made is None or not made.running:
        st.rerun(scope="app")
        return
    st.progress(made.fraction, text="making the evidence reel")
    st.button("Stop", key="stop-reel", icon=":material/close:", **state.callback(made.cancel))


def _html(b: state.Bench, found: Finding, custody: engine.Custody | None, report: Report) -> str:
    return engine.to_html(found, b.reader, species_range, custody, progress=report)


def _pdf(b: state.Bench, found: Finding, custody: engine.Custody | None, report: Report) -> bytes:
    return engine.to_pdf(found, b.reader, species_range, custody, progress=report)


def _bundle(b: state.Bench, found: Finding, custody: engine.Custody | None, report: Report) -> bytes:
    return engine.to_bundle(found, b.reader, species_range, custody, progress=report)


PAPERS = (
    Paper("pdf", "PDF report", "application/pdf", "Pages with the clip's hash in the footer, fit to be printed and kept.", _pdf),
    Paper("html", "HTML report", "text/html", "One file that loads nothing from anywhere and plays the excerpts.", _html),
    Paper(
        "zip", "bundle", "application/zip",
        "All documents in a zip that can be checked (earwitness verify) and run again (earwitness reproduce).", _bundle,
    ),
)  # fmt: skip


def _whole(b: state.Bench, found: Finding, report: Report = lambda _: None) -> Finding:
    """With what each edit, clue and observation did, the timeline and a film's scenes."""
    report(Progress("weighing each piece of evidence"))
    return engine.explained(state.for_report(b, found))
