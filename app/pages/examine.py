"""Examine: open a clip, see where its sound and picture point, and what that rests on."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

import engine
from app.components.evidence.component import evidence_list, is_scored, listed_evidence, modality_of
from app.components.upload.component import upload_field
from app.figures.ground import land_layer, line_layer, sea_layer
from app.figures.layers import flow_layer, mass_layer, outline_layers, range_layer
from app.figures.marks import arrow_layers, claim_layers, place_layers
from app.figures.placename import place_or_region
from app.figures.spectrogram import spectrogram
from app.figures.timeline import timeline
from app.figures.view import deck, fit
from app.panels.banner import comparison_table, verdict_banner
from app.panels.blind import blind_form
from app.panels.case import case_label, case_popover
from app.panels.checklist import checklist_panel
from app.panels.edits import edit_bar
from app.panels.effects import effects_panel
from app.panels.evidence import evidence_buttons, evidence_remarks
from app.panels.export import export_menu
from app.panels.facts import clip_facts, edit_chips, failed_clues, job_stages, models_used
from app.panels.flow import flow_caption, flow_switch
from app.panels.history import edit_history
from app.panels.legend import PRIOR, map_legend, prior_label, range_legend
from app.panels.origin import origin_panel
from app.panels.queue import clip_queue
from app.panels.reasoning import reasoning_panel
from app.panels.scenes import scene_label, scene_table
from app.panels.shadow import shadow_panel
from app.panels.style import clean, dark, plain, tip
from app.panels.weights import look_again, weights_card
from app.session import caches, case, editing, jobs, judging, media, opening, selecting, widgets
from app.session.session import Session, current
from engine import PRIORS, Finding, Interval, Located, Perceived
from engine.analysis import edits
from engine.case import JobStage, JobStatus
from engine.core import apart_km
from engine.media import annotate, marks_of
from engine.report import comparisons
from engine.report.view import words

OVER_TIME = (
    "Amber circles: windows of sound with their neighbours. Blue squares: shots. Grey: no usable location. Dotted lines "
    "separate scenes. Computed on a coarse map, for orientation only."
)
MAP_HEIGHT = 372
MAP_WIDTH = 820  # about what it has at 1440; only the first view is fitted to it


def page() -> None:
    """The open clip, the one being examined, or ways to open one."""
    caches.warm_up()
    session = current()
    if session.job is not None and not session.job.running:
        opening.take(session)
    if session.job is not None:
        working(session)
    elif session.perception is not None:
        opened_clip()
    else:
        empty(session)


# --- empty and working --------------------------------------------------------------------------------------------------


def empty(session: Session) -> None:
    """No clip is open: one sentence, ways to open one, and the clips opened before."""
    jobs.queue().ensure_worker()  # it loads the models while the analyst chooses
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        st.html("<div style='height:2.5vh'></div>")
        st.title("Where was this recorded?", anchor=False)
        st.write(
            "Open a film, a broadcast, a recording or a picture. Earwitness analyses its sound and its picture, and maps where "
            "each of them points. The file stays on this machine and is only read."
        )
        if session.error:
            st.error(plain(session.error, 600), icon=":material/error:")
        elif session.note:
            st.info(plain(session.note, 300), icon=":material/info:")
        open_form("first")
        found = engine.examples()
        if found:
            st.html("<div class='ew-h' style='margin-top:.8rem'>Or look at an example</div>")
            for column, example in zip(st.columns(len(found)), found, strict=True):
                with column.container(border=True):
                    st.markdown(f"**{plain(example.title)}**")
                    st.caption(plain(example.sentence, 300))
                    st.button("Examine it", key=f"example-{example.path.stem}", **widgets.callback(_example, example))
        weights_card()
        clip_queue()


def open_form(where: str) -> None:
    """Open by path, or drop a file."""
    with st.form(f"open-{where}", border=False, enter_to_submit=True):
        left, right = st.columns([5, 1], vertical_alignment="bottom")
        path = left.text_input(
            "Path of a file on this machine",
            placeholder="/home/me/clips/course.mp4",
            key=f"path-{where}",
            help="Nothing is copied: the way for films of any length.",
        )
        go = right.form_submit_button("Open", type="primary", width="stretch")
        still = st.text_input(
            "Still picture beside it (if it is a sound)",
            placeholder="/home/me/clips/place.jpg",
            key=f"still-{where}",
            help="Only for a sound without pictures of its own: both are examined together.",
        )
    if go:
        opening.open_path(path, still)
        st.rerun(scope="app")
    upload_field(where)
    st.checkbox(
        "Blind: judge the sound before the picture is shown",
        key=f"blind-{where}",
        help="Picture, signs, verdict, name and tags of the file stay hidden until you have recorded where you place the sound.",
    )


def _example(example: Any) -> None:
    opening.examine(example.path, example.path.name)


@st.fragment(run_every=0.4)
def working(session: Session) -> None:
    """Stages with times, what is known already, and a way to stop."""
    job = session.job
    if job is None or not job.running:
        st.rerun(scope="app")
        return
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        st.html("<div style='height:4vh'></div>")
        if session.blind:
            st.html("<div class='ew-facts'><b>Sealed clip</b></div>")
        elif job.clip is not None:
            clip_facts(job.clip, job.title, job.settings)
        else:
            st.html(f"<div class='ew-facts'><b>{clean(job.title, 80)}</b></div>")
        if job.interrupted:
            interrupted(job)
            return
        now = next((s for s in reversed(job.stages) if s.ended is None), None)
        st.progress(min(1.0, now.done / now.total) if now and now.total else 0.0, text=plain(_doing(now, job.status)))
        job_stages(job.stages)
        with st.container(horizontal=True, gap="small"):
            st.button("Cancel", icon=":material/close:", key="cancel", **widgets.callback(job.cancel))
            st.button(
                "Leave it running",
                icon=":material/list:",
                key="leave",
                help="Back to the list; it goes on in its own process, also when the browser is closed",
                **widgets.callback(opening.leave_running, session),
            )


def interrupted(job: Any) -> None:
    """The worker died over it: say so, and offer to take it up again."""
    st.error(
        "The process that examined this clip ended early: it was killed, or the machine ran out of memory. The file is "
        "untouched. Resume, or go back to the list.",
        icon=":material/power_off:",
    )
    with st.container(horizontal=True, gap="small"):
        st.button("Resume", type="primary", key="resume", icon=":material/play_arrow:", **widgets.callback(job.resume))
        st.button("Back to the list", key="leave", **widgets.callback(opening.leave_running, current()))


def _doing(stage: JobStage | None, status: JobStatus) -> str:
    if stage is None:
        return f"waiting for {status.ahead} before it" if status.ahead else "starting"
    if stage.total and stage.unit == "s":
        return f"{stage.name}: {words.clock(stage.done)} of {words.clock(stage.total)}"
    if stage.total:
        return f"{stage.name}: {stage.done:,.0f} of {stage.total:,.0f} {stage.unit}"
    return stage.name


# --- the clip ------------------------------------------------------------------------------------------------------------


@st.fragment
def opened_clip() -> None:
    """Everything about one clip; an edit redraws this and nothing else."""
    session = current()
    if session.perception is None:
        st.rerun(scope="app")
        return
    found = judging.finding(session)
    case.enter(session)
    rows, left_out = listed_evidence(found)
    if session.selected not in {p.key for p in rows}:
        session.selected = next((p.key for p in rows if is_scored(p.best.kind, found.registry)), rows[0].key if rows else None)
        chosen = next((p for p in rows if p.key == session.selected), None)
        session.moment_s = chosen.best.start_s if chosen else 0.0
    header(session, found)
    verdict_banner(found)
    scene_table(judging.judged_scenes(session), found.scene)
    failed_clues(found, opening.examine_again)
    look_again(found, opening.examine_again)
    if session.error:
        st.error(plain(session.error, 600), icon=":material/error:")
    if session.note:
        st.info(plain(session.note, 300), icon=":material/info:")
    left, right = st.columns([0.4, 0.6], gap="medium")
    with right:
        map_panel(session, found)
    with left:
        player(session, found, rows, left_out)
        over_time(session, found)
        edit_bar(session, found)
        if session.edits:
            edit_chips(session.edits)
        if session.blind:
            blind_form(session)
        edit_history(session)
        models_used(found)
    with right:
        selected = next((p for p in rows if p.key == session.selected), None)
        if selected is not None:
            evidence_panel(session, found, selected)
        checklist_panel(session, found)
        shadow_panel(session, found)
        reasoning_panel(session, found)
        effects_panel(session)
        origin_panel(session, found)


def header(session: Session, found: Finding) -> None:
    """The file's facts, its audio track, and the ways in and out."""
    several = len(found.clip.audio_tracks) > 1 or len(found.clip.programmes) > 1
    compared = bool(comparisons(found))
    parts = judging.scenes(session)
    cut_up = len(parts) > 1
    facts = 9.0 - 2.8 * cut_up - 1.6 * several  # what is in the row besides must not cut the buttons' words short
    columns = st.columns([facts, *([3.0] if cut_up else []), *([1.8] if several else []), 4.3], vertical_alignment="center")
    buttons = columns[-1].container(horizontal=True, horizontal_alignment="right", gap="small")
    if compared:
        with buttons.popover("Why", icon=":material/help:", help="The comparison in numbers"):
            comparison_table(found)
    with columns[0]:
        clip_facts(found.clip, session.title, session.settings, session.blind)
    if cut_up:
        widgets.put("set_scene", found.scene if found.scene or session.settings.interval is None else -1)
        columns[1].selectbox(
            "Scene",
            [0, *range(1, len(parts) + 1), *([-1] if not found.scene and session.settings.interval else [])],
            key="set_scene",
            format_func=lambda n: scene_label(n, parts, judging.judged_scenes(session)),
            label_visibility="collapsed",
            on_change=_set_scene,
            help="A film has many places: choose the scene that is judged.",
        )
    if several:
        with columns[2 if cut_up else 1]:
            _streams(session, found)
    with buttons.popover("Open", icon=":material/folder_open:"):
        open_form("again")
        for example in engine.examples() if not session.blind else ():  # their titles say what is in them
            st.button(plain(example.title), key=f"again-{example.path.stem}", **widgets.callback(_example, example))
        st.button("Close this clip", key="close", icon=":material/close:", **widgets.callback(_close))
    with buttons.popover(case_label(session), icon=":material/cases:", disabled=session.blind, key="case-of-clip"):
        if not session.blind:
            case_popover(session, found)
    with buttons.popover("Export", icon=":material/download:", disabled=session.blind):
        if not session.blind:
            export_menu(found)


def _streams(session: Session, found: Finding) -> None:
    """The programme and the audio track that are read, where there is a choice."""
    clip, now = found.clip, session.settings.track
    numbers = [p.number for p in clip.programmes]
    if len(numbers) > 1:
        st.selectbox(
            "Programme",
            numbers,
            index=numbers.index(clip.programme) if clip.programme in numbers else 0,
            key="set_programme",
            format_func=lambda n: "Programme " + plain(next(p.label for p in clip.programmes if p.number == n), 60),
            label_visibility="collapsed",
            on_change=_programme,
            help="The stream holds several programmes: sound and pictures of one of them are compared.",
        )
    tracks = [s.track for s in clip.audio_tracks if s.decodable]
    if len(tracks) > 1:
        choice = clip.choice("audio")
        now = now or (choice.stream.track if choice else tracks[0])
        st.selectbox(
            "Audio track",
            tracks,
            index=tracks.index(now) if now in tracks else 0,
            key="set_track",
            format_func=lambda t: _track_label(found, t),
            label_visibility="collapsed",
            on_change=_track,
        )


def _track_label(found: Finding, track: int) -> str:
    s = next(x for x in found.clip.audio_tracks if x.track == track)
    facts_ = ", ".join(plain(x, 24) for x in (s.language, s.title, s.layout, s.aside) if x)
    return f"Audio track {track}" + (f": {facts_}" if facts_ else "")


def _track() -> None:
    session = current()
    _read_as(session, engine.Settings(track=widgets.value("set_track"), programme=session.settings.programme))


def _programme() -> None:
    session = current()
    _read_as(session, engine.Settings(programme=str(widgets.value("set_programme"))))


def _read_as(session: Session, settings: engine.Settings) -> None:
    """Examine the clip again as another track or programme of it; a blind judgement made before stays on record."""
    assert session.path is not None
    judged = tuple(e for e in session.settings.edits if e.what == "judgement")
    opening.examine(session.path, session.title, settings.but(edits=judged), session.blind)


def _close() -> None:
    opening.clear(current())


# --- player and list ----------------------------------------------------------------------------------------------------


def player(session: Session, found: Finding, rows: tuple[Perceived, ...], left_out: int) -> None:
    """Player, timeline and list; while a preview is being made, look again from time to time."""
    playable = media.playable(session) if session.path is not None else None
    waiting = ""
    if playable is None and session.preview is not None:
        waiting = session.preview.error or "Preparing a copy that the browser can play…"
    elif session.preview is not None and session.preview.running:
        waiting = "Preparing this part…"
    evidence_list(
        found,
        rows,
        left_out,
        playable,
        waiting,
        session.selected,
        session.moment_s,
        session.seek,
        session.peaks,
        selecting.act,
        session.play,
    )
    if session.preview is not None and session.preview.running:
        _watch_preview(session)


@st.fragment(run_every=0.6)
def _watch_preview(session: Session) -> None:
    if session.preview is None or not session.preview.running:
        st.rerun(scope="app")
        return
    st.caption(f"preparing the player: {session.preview.fraction:.0%}")


def over_time(session: Session, found: Finding) -> None:
    """Where each modality points as time goes by; a click on a moment goes there."""
    line = judging.timeline(session)
    if len(line.moments) < 2:
        return
    st.plotly_chart(
        timeline(line, session.moment_s, dark()),
        key="timeline",
        config={"displayModeBar": False},
        on_select=_moment_chosen,
        selection_mode="points",
    )
    if line.reference:
        st.html(
            f"<div class='ew-edits ew-dim'>Where each modality points, as distance from {clean(line.reference, 120)}; "
            f"{tip('click a moment to go there', OVER_TIME)}</div>"
        )


def _moment_chosen() -> None:
    chosen = widgets.value("timeline")
    points = chosen.get("selection", {}).get("points", []) if hasattr(chosen, "get") else []
    at_s = points[0].get("customdata") if points else None
    at_s = at_s[0] if isinstance(at_s, list | tuple) and at_s else at_s
    if isinstance(at_s, int | float) and at_s >= 0:
        selecting.go_to(float(at_s))


# --- map ----------------------------------------------------------------------------------------------------------------


def _focus(session: Session, on: list[Located]) -> None:
    turn = (session.view.turn if session.view else 0) + 1
    session.view = fit(on, MAP_WIDTH, MAP_HEIGHT, turn)


def _focus_claim(session: Session, claim: engine.Claim) -> None:
    turn = (session.view.turn if session.view else 0) + 1
    session.view = fit([], MAP_WIDTH, MAP_HEIGHT, turn, [claim])


def map_panel(session: Session, found: Finding) -> None:
    """Which map, the map, its legend, and the assumptions behind it."""
    names = judging.layers_of(found)
    if session.layer not in names:
        session.layer = next(iter(names))
    widgets.default("set_layer", session.layer)
    widgets.default("set_shape", "Globe" if session.globe else "Flat")
    spoke = [x for x in found.located if x.spoke]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Map", list(names), key="set_layer", format_func=lambda n: names[n], label_visibility="collapsed", required=True
        )
        st.segmented_control("Shape", ["Flat", "Globe"], key="set_shape", label_visibility="collapsed", required=True)
        st.space("stretch")
        with st.container(horizontal=True, gap="small", width="content"):
            st.button(
                "World",
                key="focus-world",
                icon=":material/public:",
                help="Show the whole world",
                **widgets.callback(_focus, session, []),
            )
            for x in spoke:
                if x.modality != "both":
                    st.button(
                        words.modality(x.modality),
                        key=f"focus-{x.modality}",
                        icon=":material/my_location:",
                        help=f"Move to where the {x.modality} points",
                        **widgets.callback(_focus, session, [x]),
                    )
            if found.claims:
                st.button(
                    "Claim",
                    key="focus-claim",
                    icon=":material/fact_check:",
                    help="Move to the claimed place",
                    **widgets.callback(_focus_claim, session, found.claims[0].claim),
                )
    session.layer = widgets.value("set_layer") or session.layer
    session.globe = widgets.value("set_shape") == "Globe"
    if session.view is None:
        session.view = fit(spoke, MAP_WIDTH, MAP_HEIGHT)
    shown = found.located if session.layer == judging.OUTLINES else tuple(x for x in found.located if x.modality == session.layer)
    flow = flow_switch(session, found)
    shown = (flow.located,) if flow else shown
    drawn = _layers(found, shown, flow is not None or session.layer != judging.OUTLINES, session.globe)
    drawn += [flow_layer(flow, dark(), session.globe)] if flow else []
    st.pydeck_chart(
        deck(drawn, session.view, session.globe),
        height=MAP_HEIGHT,
        key=f"map-{'globe' if session.globe else 'flat'}",
        alt=_alt(shown),
    )
    map_legend(shown, found.settings.prior)
    if flow:
        flow_caption(flow, dark())
    assumptions(session, found)


def _layers(found: Finding, shown: tuple[Located, ...], with_mass: bool, globe: bool) -> list[Any]:
    night, urls = dark(), caches.ground_urls()
    layers = [sea_layer(night, 0.0 if globe else 90.0), land_layer(urls["land"], night)]
    if with_mass:
        layers += [mass_layer(x, night) for x in shown if x.spoke]
    layers += [line_layer("border", urls["border"], night), line_layer("coast", urls["coast"], night)]
    spoke = [x for x in shown if x.spoke]
    for x in spoke:
        layers += outline_layers(x, night, globe)
    sound, picture = found.by("sound"), found.by("picture")
    marked = spoke
    if sound and picture and sound.place and picture.place:
        km = float(engine.distance_km(sound.place.lat_deg, sound.place.lon_deg, picture.place.lat_deg, picture.place.lon_deg))
        if km >= 1.0:
            layers += arrow_layers(sound.place, picture.place, km, night, globe)
        marked = list({x.modality: x for x in (*spoke, sound, picture)}.values())
    return layers + place_layers(marked, night, globe) + claim_layers(found.claims, night, globe)


def _alt(shown: tuple[Located, ...]) -> str:
    said = [f"{words.modality(x.modality)}: {x.where if x.spoke else x.cannot_tell}" for x in shown]
    return "Map of the posterior. " + ". ".join(said)


def assumptions(session: Session, found: Finding) -> None:
    """Prior, date, radius and interval: each answers at once, without running a model."""
    s = session.settings
    widgets.default("set_prior", s.prior)
    widgets.default("set_when", s.when)
    widgets.default("set_radius", round(s.radius_km))
    one, two, three, four = st.columns([1.5, 1, 0.8, 1.7])
    one.selectbox("Prior", PRIORS, key="set_prior", format_func=prior_label, help=PRIOR, on_change=_set_prior)
    two.date_input(
        "Recorded on",
        key="set_when",
        format="YYYY-MM-DD",
        min_value=date(1900, 1, 1),
        on_change=_set_when,
        help="With a date, species are expected where they are in that week of the year; without one, at any time.",
    )
    three.number_input(
        "Radius, km",
        10,
        2000,
        step=50,
        key="set_radius",
        on_change=_set_radius,
        help="The reported place is the one with the highest probability within this distance.",
    )
    with four:
        whole = session.perception.interval if session.perception else found.interval
        if whole.length_s >= 6.0:
            now = s.interval or whole
            widgets.default("set_interval", (now.start_s, now.end_s))
            st.slider(
                "Interval, s",
                whole.start_s,
                whole.end_s,
                key="set_interval",
                step=_slider_step(whole.length_s),
                format="%.1f" if whole.length_s < 600 else "%.0f",
                on_change=_set_interval,
                help="Only what was heard and seen in this interval counts.",
            )
        else:
            st.caption("The clip is too short to choose an interval of it.")


def _set_scene() -> None:
    session = current()
    number, parts = widgets.value("set_scene"), judging.scenes(session)
    if number == 0:
        editing.change("all scenes", interval=None)
    elif 1 <= number <= len(parts):
        part = parts[number - 1]
        editing.change(f"scene {number}: {words.span(part.start_s, part.end_s)}", interval=part)
        session.moment_s, session.seek = part.start_s, session.seek + 1
    editing.show_settings(session.settings)


def _slider_step(length_s: float) -> float:
    return 0.5 if length_s < 600 else 5.0


def _set_prior() -> None:
    prior = widgets.value("set_prior")
    editing.change(f"prior: {prior_label(prior).split(':')[0].lower()}", prior=prior)


def _set_when() -> None:
    when = widgets.value("set_when")
    editing.change(f"date: {when:%d %b %Y}" if when else "date: any", when=when)


def _set_radius() -> None:
    radius = widgets.value("set_radius")
    editing.change(f"radius: {radius:g} km", radius_km=float(radius))


def _set_interval() -> None:
    session = current()
    assert session.perception is not None
    start_s, end_s = widgets.value("set_interval")
    whole = session.perception.interval
    if end_s - start_s < 1.0:
        end_s = min(whole.end_s, start_s + 1.0)
        start_s = end_s - 1.0
        widgets.put("set_interval", (start_s, end_s))
    everything = start_s <= whole.start_s + 0.25 and end_s >= whole.end_s - 0.51
    interval = None if everything else Interval(start_s, end_s)
    editing.change("interval: all of it" if everything else f"interval: {words.span(start_s, end_s)}", interval=interval)


# --- the selected piece of evidence -------------------------------------------------------------------------------------


def evidence_panel(session: Session, found: Finding, p: Perceived) -> None:
    """The selected piece: seen and heard as the model did, where it is at home, and what it does to the verdict."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            kind = found.registry.kind(p.best.kind)
            coded = kind is not None and kind.coded
            label = f" <i dir='auto'>{clean(p.best.label, 80)}</i>" if p.best.label != p.title and not coded else ""
            st.html(
                f"<span class='ew-h'>{clean(p.title, 80)}</span>{label} <span class='ew-dim'>· score {p.best.score:.2f} · "
                f"{p.windows} window{'s' if p.windows != 1 else ''} · "
                f"best at {clean(words.span(p.best.start_s, p.best.end_s))}</span>"
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            evidence_buttons(session, found, p)
        evidence_remarks(session, p)
        left, right = st.columns([1, 1])
        with left:
            if modality_of(p.best.kind, found.registry) == "sound":
                _window(session, p)
            elif modality_of(p.best.kind, found.registry) == "picture":
                _frame(session, found, p)
            else:
                st.caption("Stated by the file itself: the easiest evidence to forge.")
        with right:
            if p.best.kind == "species":
                _range(session, p)
            elif not is_scored(p.best.kind, found.registry):
                st.caption("A sound without a range: listed, never scored.")
            elif p.best.note:
                st.caption(plain(p.best.note, 400))
        if is_scored(p.best.kind, found.registry):
            _effect(session, found, p)


def _window(session: Session, p: Perceived) -> None:
    window = next((o for o in p.observations if abs(o.start_s - session.moment_s) < 0.01), p.best)
    end_s = window.end_s if window.end_s > window.start_s else window.start_s + 3.0
    length_s = session.perception.clip.duration_s if session.perception else None
    interval = Interval(
        max(0.0, window.start_s - 0.5), min(end_s + 0.5, length_s) if length_s and length_s > window.start_s else end_s + 0.5
    )
    try:
        sound, rate_hz = media.samples(session, interval)
        st.plotly_chart(
            spectrogram(sound, rate_hz, interval.start_s, dark(), (window.start_s, end_s)),
            key="spectrogram",
            config={"displayModeBar": False},
        )
        st.audio(media.excerpt(session, interval), format="audio/wav")
    except engine.EarwitnessError as error:
        st.error(plain(error, 400))


def _frame(session: Session, found: Finding, p: Perceived) -> None:
    seen = min(p.observations, key=lambda o: abs(o.start_s - session.moment_s))
    beside = tuple(o for o in p.observations if abs(o.start_s - seen.start_s) < 0.05)
    try:
        picture = media.frame(session, seen.start_s)
    except engine.EarwitnessError as error:
        st.error(plain(error, 400))
        return
    if picture is None:
        st.caption("No picture can be decoded at that moment.")
        return
    st.image(annotate(picture, marks_of(beside, found.settings.dropped)), caption=f"at {words.clock(seen.start_s)}")


def _range(session: Session, p: Perceived) -> None:
    try:
        grid, chance = caches.species_range(p.best.label, session.settings.when)
    except engine.EarwitnessError as error:
        st.caption(plain(error, 300))
        return
    night, urls = dark(), caches.ground_urls()
    drawn = [
        sea_layer(night),
        land_layer(urls["land"], night),
        range_layer(grid, chance, night),
        line_layer("coast", urls["coast"], night),
    ]
    st.pydeck_chart(deck(drawn, session.range_view, False), height=200, key="range", alt=f"Where {p.title} is recorded")
    range_legend()


def _effect(session: Session, found: Finding, p: Perceived) -> None:
    """Where its modality points with it and without it."""
    modality = modality_of(p.best.kind, found.registry)
    author = editing.analyst()
    made = edits.restore(p.key, author) if p.dropped else edits.drop(p.key, author)
    other = engine.apply_edit(session.settings, made).but(edits=session.settings.edits)  # whoever does it, it scores alike
    here, there = found.by(modality), judging.judged(session, other).by(modality)
    if here is None or there is None:
        return
    without, with_it = (here, there) if p.dropped else (there, here)
    moved = ""
    if (km := apart_km(here, there)) is not None:
        moved = f"; the places are {words.km(km)} apart"
    st.html(
        "<div class='ew-edits'>Its effect: <b>with it</b> "
        + _said(with_it)
        + " · <b>without it</b> "
        + _said(without)
        + moved
        + "</div>"
    )


def _said(x: Located) -> str:
    if not x.spoke:
        return "cannot tell"
    return f"{clean(place_or_region(x), 70)} (90%: {clean(words.area(x.regions_km2.get(0.9, 0.0)))})"


page()
