"""Soundscapes: how similar a species, a clip or words are to every place, according to the networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

import engine
from app.figures.ground import land_layer, line_layer, sea_layer
from app.figures.layers import affinity_layer
from app.figures.marks import spot_layers
from app.figures.view import View, deck
from app.panels.legend import affinity_legend
from app.panels.style import clean, dark, plain, tip
from app.session import caches, soundscape, widgets
from engine import Affinity, Match, Progress
from engine.clues import affinity_of_text, pictures_for_sound, pictures_missing, species_names, texts_for_sound, words_missing
from engine.report import affinity_csv, affinity_geojson
from engine.report.view import words

MAP_HEIGHT = 450
WORLD = View(28.0, 8.0, 0.6)  # from Cape Horn to Svalbard in that height
SHIFT_DEG = 60.0  # towards the best place: a wide screen still shows the whole world, a narrow one shows that place
KINDS = ("Species", "Clip", "Words")
_ABOUT = (
    "How similar a sound is to every place, according to the networks. To place a clip, use Examine, which has priors and "
    "calibration."
)


def page() -> None:
    """Chooser beside the map."""
    caches.warm_up()
    s = soundscape.current()
    if s.work is not None and not s.work.running:
        soundscape.take_work(s)
    st.html(f"<span class='ew-h' style='font-size:1.25rem'>Soundscapes</span> <span class='ew-dim'>{clean(_ABOUT, 300)}</span>")
    left, right = st.columns([0.24, 0.76], gap="medium")
    with left:
        chooser(s)
        if s.error:
            st.error(plain(s.error, 600), icon=":material/error:")
        elif s.note:
            st.info(plain(s.note, 200), icon=":material/info:")
    with right:
        if s.work is not None:
            waiting()
        elif s.seen is not None:
            shown(s.seen)
            nearest(s.seen)
            if s.seen.affinity.kind != "text":
                compared(s, s.seen.affinity)
        else:
            nothing_yet()


# --- choosing -----------------------------------------------------------------------------------------------------------


@cache
def _species() -> dict[str, str]:
    """Latin name to what the list shows."""
    return {s.latin: f"{s.common} · {s.latin}" for s in species_names()}


def chooser(s: soundscape.Soundscape) -> None:
    """A species, a clip or words."""
    widgets.default("scape_kind", KINDS[0])
    kind = st.segmented_control("Of what", KINDS, key="scape_kind", label_visibility="collapsed", required=True)
    if kind == "Clip":
        _clip()
    elif kind == "Words":
        _words()
    else:
        known = _species()
        st.selectbox(
            "Species",
            list(known),
            index=None,
            key="scape_species",
            format_func=lambda latin: known[latin],
            placeholder=f"Type a name: {len(known):,} animals",
            on_change=_see_species,
        )


def _see_species() -> None:
    latin = widgets.value("scape_species")
    if latin:
        soundscape.see(_species()[latin], lambda report: engine.affinity_of_species(latin))


def _clip() -> None:
    with st.form("scape-open", border=False):
        path = st.text_input("Path of a file on this machine", placeholder="/home/me/clips/dawn.wav", key="scape_path")
        go = st.form_submit_button("Listen", type="primary", width="stretch")
    if go:
        asked = Path(path.strip().strip("'\"").removeprefix("file://")).expanduser()
        if not path.strip():
            _say("No path was given; paste the full path of a recording or a film.")
        elif not asked.is_file():
            _say(f"There is no file at {asked}; check the path, or drop the file onto the page.")
        else:
            _listen(asked, asked.name)
        st.rerun()
    upload = st.file_uploader("Or drop a recording here", key="scape_upload")
    if upload is not None and widgets.value("scape_seen_upload") != upload.file_id:
        widgets.put("scape_seen_upload", upload.file_id)
        _listen(soundscape.kept_upload(upload), upload.name)
        st.rerun()
    for example in engine.examples():
        st.button(plain(example.title), key=f"scape-{example.path.stem}", width="stretch",
                  **widgets.callback(_listen, example.path, example.path.name))  # fmt: skip


def _say(error: str) -> None:
    s = soundscape.current()
    s.error, s.note = error, ""


def _listen(path: Path, title: str) -> None:
    def make(report: Callable[[Progress], None]) -> Affinity:
        with engine.open_clip(path, report) as reader:
            return engine.affinity_of_clip(reader, None, report, title)

    soundscape.see(title, make)


def _words() -> None:
    missing = words_missing()
    with st.form("scape-words", border=False):
        asked = st.text_input(
            "A place in words", placeholder="dawn in a rainforest by a river", key="scape_words", disabled=bool(missing)
        )
        go = st.form_submit_button("Find it", type="primary", width="stretch", disabled=bool(missing))
    if missing:
        _missing("Words need a model that is not on this machine.", missing)
    elif go:
        soundscape.see(asked or "words", lambda report: affinity_of_text(asked))
        st.rerun()


def _missing(head: str, remedy: str) -> None:
    """What is missing and how to get it, in a plain box."""
    said = f"<b>{clean(head, 120)}</b><br><span class='ew-dim'>{clean(remedy, 500)}</span>"
    st.html(f"<div class='ew-edits' style='overflow-wrap:anywhere'>{said}</div>")


# --- waiting and nothing ------------------------------------------------------------------------------------------------


@st.fragment(run_every=0.4)
def waiting() -> None:
    """Progress, and a way to stop."""
    s = soundscape.current()
    work = s.work
    if work is None or not work.running:
        st.rerun(scope="app")
        return
    p = work.progress
    text = p.stage if p else "starting"
    if p and p.total and p.unit == "s":
        text = f"{p.stage}: {words.clock(p.done)} of {words.clock(p.total)}"
    st.html(f"<div class='ew-facts' style='margin-top:1rem'><b>{clean(work.title, 80)}</b></div>")
    st.progress((p.fraction or 0.0) if p else 0.0, text=plain(text, 120))
    st.button("Cancel", icon=":material/close:", key="scape_cancel", **widgets.callback(work.cancel))


def nothing_yet() -> None:
    """An empty map with one sentence."""
    _draw([], "An empty map of the world.")
    st.caption("Choose a species or a clip: the map shows which places the network finds most similar.")


# --- the map ------------------------------------------------------------------------------------------------------------


def shown(seen: soundscape.Seen) -> None:
    """Map, legend, how it was made, export."""
    a = seen.affinity
    head, out = st.columns([6, 1], vertical_alignment="center")
    head.html(
        f"<div class='ew-facts'><b>{clean(a.title, 80)}</b><span title='{clean(a.how, 300)}'>{clean(a.how, 200)}</span></div>"
    )
    with out.popover("Export", icon=":material/download:", width="stretch"):
        stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in a.title)[:60] or "affinity"
        _download("GeoJSON, best tenth of the land", lambda: affinity_geojson(a, 0.1), f"{stem}.geojson", "application/geo+json")
        _download("GeoJSON, all land", lambda: affinity_geojson(a), f"{stem}_all.geojson", "application/geo+json")
        _download("CSV, all land", lambda: affinity_csv(a), f"{stem}.csv", "text/csv")
    night = dark()
    best = seen.places[0].name if seen.places else ""
    beside = a.of_ranges
    if beside is None:
        _draw([affinity_layer(a, night)], f"Map of affinity of {a.title}; most similar: {best}.", seen.places)
    else:
        one, two = st.columns(2, gap="small")
        with one:
            st.html("<span class='ew-h'>The soundscape as a whole (AG-CLIP)</span>")
            _draw([affinity_layer(a, night)], f"Map of affinity of {a.title}; most similar: {best}.", seen.places)
        with two:
            st.html("<span class='ew-h'>Ranges of the species heard</span>")
            _draw(
                [affinity_layer(beside, night)],
                f"Map of where {a.title} is likely by the ranges of its species.",
                towards=seen.places,
                key="scape_ranges",
            )
    affinity_legend()


def _download(label: str, write: Callable[[], str], name: str, mime: str) -> None:
    st.download_button(label, write, name, mime, key=f"scape-{name}-{label}", on_click="ignore", width="stretch")


def _draw(
    between: Sequence[Any], alt: str, spots: tuple[Match, ...] = (), towards: tuple[Match, ...] = (), key: str = "scape_map"
) -> None:
    night, urls = dark(), caches.ground_urls()
    layers = [sea_layer(night, 180.0), land_layer(urls["land"], night), *between]
    layers += [line_layer("border", urls["border"], night), line_layer("coast", urls["coast"], night)]
    layers += spot_layers(spots, night, False)
    towards = towards or spots
    shift = min(SHIFT_DEG, max(-SHIFT_DEG, (towards[0].lon_deg or 0.0) - WORLD.lon_deg)) if towards else 0.0
    view = replace(WORLD, lon_deg=WORLD.lon_deg + shift)
    st.pydeck_chart(deck(layers, view, False), height=MAP_HEIGHT, key=key, alt=alt)


# --- what is nearest ----------------------------------------------------------------------------------------------------


def nearest(seen: soundscape.Seen) -> None:
    """The best places and countries."""
    one, two = st.columns([1.5, 1], gap="large")
    numbered = [f"{n}. {m.name}" for n, m in enumerate(seen.places, 1)]
    one.html(_table("Most similar places", numbered, seen.places, seen.affinity))
    two.html(_table("Countries, by the mean of their land", [m.name for m in seen.countries], seen.countries, seen.affinity))


def _table(head: str, names: Sequence[str], matches: Sequence[Match], a: Affinity) -> str:
    digits = 1 if a.unit == "nats" else 3
    rows = "".join(
        f"<tr><td>{clean(name, 90)}</td><td class='ew-num'>{m.value:+.{digits}f}</td></tr>"
        for name, m in zip(names, matches, strict=True)
    )
    about = "natural log of how much likelier the sound is there than at an average place" if a.unit == "nats" else "cosine"
    return (
        f"<div class='ew-h' style='margin-top:.4rem'>{clean(head)} <small class='ew-dim'>{tip(a.unit, about)}</small></div>"
        f"<table class='ew-stages' style='width:100%'>{rows}</table>"
    )


def compared(s: soundscape.Soundscape, a: Affinity) -> None:
    """Sound to words and to pictures, where CLIP is there; else what is missing."""
    with st.expander("Compare this sound with words or pictures", expanded=bool(s.ranked)):
        missing = words_missing()
        one, two = st.columns(2, gap="large")
        with one:
            if missing:
                _missing("Words: which country names are nearest.", missing)
            else:
                st.button("Rank the names of countries", key="scape_rank_words", **widgets.callback(_rank_words, a))
        with two:
            missing = pictures_missing()
            if missing:
                _missing("Pictures: which of a folder's pictures (flags, animals) are nearest.", missing)
            else:
                folder = st.text_input("Folder with pictures", key="scape_pictures", placeholder="/home/me/flags")
                st.button("Rank its pictures", key="scape_rank_pictures", disabled=not folder.strip(),
                          **widgets.callback(_rank_pictures, a, folder))  # fmt: skip
        if s.ranked:
            rows = "".join(
                f"<tr><td>{clean(Path(m.name).name, 90)}</td><td class='ew-num'>{m.value:+.3f}</td></tr>" for m in s.ranked[:20]
            )
            st.html(f"<table class='ew-stages'>{rows}</table>")


def _rank_words(a: Affinity) -> None:
    soundscape.start_work("ranking names", lambda report: texts_for_sound(a.vector))


def _rank_pictures(a: Affinity, folder: str) -> None:
    path = Path(folder.strip().strip("'\"")).expanduser()
    soundscape.start_work("ranking pictures", lambda report: pictures_for_sound(a.vector, path, None, report))


page()
