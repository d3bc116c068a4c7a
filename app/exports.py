"""The documents that a finding is exported as, behind buttons: written when asked for, not on every redraw."""

from __future__ import annotations

import streamlit as st

import engine
from app import state
from app.frame import plain
from engine import Finding


def exports(found: Finding) -> None:
    """A download button for each kind of document."""
    b = state.bench()  # held here: what is deferred runs in a thread that knows no session
    stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in b.title.rsplit(".", 1)[0])[:60] or "clip"
    kinds = (
        ("PDF report", "pdf", "application/pdf", lambda: _pdf(b, found)),
        ("HTML report, one file that plays sounds", "html", "text/html", lambda: _html(b, found)),
        ("Bundle, all of these to be checked and run again", "zip", "application/zip", lambda: _bundle(b, found)),
        ("JSON, all numbers", "json", "application/json", lambda: engine.to_json(_whole(b, found))),
        ("GeoJSON, for GIS", "geojson", "application/geo+json", lambda: engine.to_geojson(found)),
        ("KML, for globes", "kml", "application/vnd.google-earth.kml+xml", lambda: engine.to_kml(found)),
        ("CSV, for spreadsheets", "csv", "text/csv", lambda: engine.to_csv(found)),
        ("Selection table, for Raven", "txt", "text/tab-separated-values", lambda: engine.to_raven(found)),
        ("Tiers, for ELAN", "eaf", "application/xml", lambda: engine.to_elan(found)),
    )
    for label, suffix, mime, write in kinds:
        st.download_button(label, write, f"{stem}.{suffix}", mime, key=f"export-{suffix}", on_click="ignore", width="stretch")
    reel(found, stem)


def reel(found: Finding, stem: str) -> None:
    """The evidence reel: made on a button, with progress and a way to stop, then to be taken away."""
    b = state.bench()
    made = b.reel
    if made is not None and made.running:
        _working()
        return
    if made is not None and made.path is not None and made.found.settings == found.settings:
        st.download_button(
            "Evidence reel, MP4", made.path.read_bytes(), f"{stem}-reel.mp4", "video/mp4", key="export-reel", on_click="ignore",
            width="stretch",
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


@st.fragment(run_every=0.6)
def _working() -> None:
    made = state.bench().reel
    if made is None or not made.running:
        st.rerun(scope="app")
        return
    st.progress(made.fraction, text="making the evidence reel")
    st.button("Stop", key="stop-reel", icon=":material/close:", **state.callback(made.cancel))


def _html(b: state.Bench, found: Finding) -> str:
    return engine.to_html(_whole(b, found), b.reader, engine.species_range)


def _pdf(b: state.Bench, found: Finding) -> bytes:
    return engine.to_pdf(_whole(b, found), b.reader, engine.species_range)


def _bundle(b: state.Bench, found: Finding) -> bytes:
    return engine.to_bundle(_whole(b, found), b.reader, engine.species_range)


def _whole(b: state.Bench, found: Finding) -> Finding:
    """With what each edit, clue and observation did, the timeline and a film's scenes."""
    return engine.explained(state.for_report(b, found))
