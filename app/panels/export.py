"""The documents that a finding is exported as, behind buttons: written when asked for, not on every redraw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

import engine
from app.panels.style import plain
from app.session import case, judging, media, widgets
from app.session.session import Session, current
from app.session.work import Work
from engine import Finding, Progress
from engine.analysis import species_range


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A report that takes seconds: made on a button, with progress and a way to stop, then to be taken away."""

    kind: str
    label: str
    mime: str
    help: str
    write: Callable[[Session, Finding, engine.Custody | None, Callback], str | bytes]


Callback = Callable[[Progress], None]


def export_menu(found: Finding) -> None:
    """A button for each kind of document."""
    session = current()  # bound here: what is deferred runs in a thread that knows no session
    stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in session.title.rsplit(".", 1)[0])[:60] or "clip"
    for p in REPORTS:
        report_button(session, found, p, stem)
    kinds: tuple[tuple[str, str, str, Callable[[engine.Custody | None], str]], ...] = (
        ("JSON, all numbers", "json", "application/json", lambda custody: engine.to_json(_whole(session, found), custody)),
        ("GeoJSON, for GIS", "geojson", "application/geo+json", lambda _: engine.to_geojson(found)),
        ("KML, for globes", "kml", "application/vnd.google-earth.kml+xml", lambda _: engine.to_kml(found)),
        ("CSV, for spreadsheets", "csv", "text/csv", lambda _: engine.to_csv(found)),
        ("Selection table, for Raven", "txt", "text/tab-separated-values", lambda _: engine.to_raven(found)),
        ("Tiers, for ELAN", "eaf", "application/xml", lambda _: engine.to_elan(found)),
    )
    for label, suffix, mime, make in kinds:
        write = partial(case.exported, session, found, suffix, stem, make)
        st.download_button(label, write, f"{stem}.{suffix}", mime, key=f"export-{suffix}", on_click="ignore", width="stretch")
    reel_button(found, stem)


def report_button(session: Session, found: Finding, p: ReportKind, stem: str) -> None:
    """One report: to be made, being made, or ready."""
    about, work = session.reports.get(p.kind, (None, None))
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
        f"Make the {p.label}", key=f"make-{p.kind}", help=p.help, width="stretch", disabled=session.blind,
        **widgets.callback(_start, session, found, p, stem),
    )  # fmt: skip


def _start(session: Session, found: Finding, p: ReportKind, stem: str) -> None:
    def write(report: Callback) -> str | bytes:
        whole = _whole(session, found, report)
        return case.exported(session, whole, p.kind, stem, lambda custody: p.write(session, whole, custody, report))

    session.reports[p.kind] = (found, Work(p.label, write))


@st.fragment(run_every=0.6)
def _making(kind: str, label: str) -> None:
    _, work = current().reports.get(kind, (None, None))
    if work is None or not work.running:
        st.rerun(scope="app")
        return
    progress = work.progress
    st.progress((progress.fraction or 0.0) if progress else 0.0, text=f"{label}: {progress.stage if progress else 'starting'}")
    st.button("Stop", key=f"stop-{kind}", icon=":material/close:", **widgets.callback(work.cancel))


def reel_button(found: Finding, stem: str) -> None:
    """The evidence reel: made on a button, with progress and a way to stop, then to be taken away."""
    session = current()
    made = session.reel
    if made is not None and made.running:
        _working()
        return
    if made is not None and made.path is not None and made.found.settings == found.settings:
        st.download_button(
            "Evidence reel, MP4", partial(case.exported, session, found, "mp4", f"{stem}-reel", partial(_read, made.path)),
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
        help="A film of the moments that matter: picture with boxes, spectrogram, map and verdict burnt in.",
        disabled=session.blind,
        **widgets.callback(media.start_reel),
    )


def _read(path: Path, _: engine.Custody | None) -> bytes:
    return path.read_bytes()


@st.fragment(run_every=0.6)
def _working() -> None:
    made = current().reel
    if made is None or not made.running:
        st.rerun(scope="app")
        return
    st.progress(made.fraction, text="making the evidence reel")
    st.button("Stop", key="stop-reel", icon=":material/close:", **widgets.callback(made.cancel))


def _html(session: Session, found: Finding, custody: engine.Custody | None, report: Callback) -> str:
    return engine.to_html(found, session.reader, species_range, custody, progress=report)


def _pdf(session: Session, found: Finding, custody: engine.Custody | None, report: Callback) -> bytes:
    return engine.to_pdf(found, session.reader, species_range, custody, progress=report)


def _bundle(session: Session, found: Finding, custody: engine.Custody | None, report: Callback) -> bytes:
    return engine.to_bundle(found, session.reader, species_range, custody, progress=report)


REPORTS = (
    ReportKind("pdf", "PDF report", "application/pdf", "For printing; the clip's hash stands in every footer.", _pdf),
    ReportKind("html", "HTML report", "text/html", "One file that needs nothing else and plays the excerpts.", _html),
    ReportKind(
        "zip", "bundle", "application/zip",
        "All documents in a zip that can be checked (earwitness verify) and run again (earwitness reproduce).", _bundle,
    ),
)  # fmt: skip


def _whole(session: Session, found: Finding, report: Callback = lambda _: None) -> Finding:
    """With what each edit, clue and observation did, the timeline and a film's scenes."""
    report(Progress("weighing each piece of evidence"))
    return engine.explained(judging.for_report(session, found))
