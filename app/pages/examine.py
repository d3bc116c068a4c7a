"""Examine: open a clip, see where its sound and picture point, and what that rests on."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

import engine
from app import by_hand, charts, filing, flow_panel, maps, panels, reasoning, state
from app.desk import desk, listed, modality_of
from app.exports import exports
from app.frame import clean, dark, plain, tip
from app.shelf import shelf
from app.upload import upload
from engine import PRIORS, Finding, Interval, Located, Perceived
from engine.analysis import edits
from engine.case import JobStage, JobStatus
from engine.core import apart_km
from engine.media import annotate, marks_of
from engine.report import comparisons
from engine.report.view import words

OVER_TIME = (
    "Amber circles: stretches of sound with their neighbourhood. Blue squares: shots. Grey: says nothing of a place. "
    "Dotted lines part scenes. On a coarse map, for looking only."
)
MAP_HEIGHT = 372
MAP_WIDTH = 820  # about what it has at 1440; only the first view is fitted to it


def page() -> None:
    """Show whichever state the bench is in."""
    state.warm_up()
    b = state.bench()
    if b.job is not None and not b.job.running:
        state.take(b)
    if b.job is not None:
        working(b)
    elif b.perception is not None:
        bench()
    else:
        empty(b)


# --- empty and working --------------------------------------------------------------------------------------------------


def empty(b: state.Bench) -> None:
    """Nothing on the bench yet: one sentence, the ways to put something there, and what was there before."""
    state.queue().ensure_worker()  # it loads the models while the analyst chooses
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        st.html("<div style='height:2.5vh'></div>")
        st.title("Where was this recorded?", anchor=False)
        st.write(
            "Open a film, a broadcast or a recording: Earwitness hears what calls in it, and shows on the map where such a "
            "soundscape is found. The file stays on this machine and is only read."
        )
        if b.error:
            st.error(plain(b.error, 600), icon=":material/error:")
        elif b.note:
            st.info(plain(b.note, 300), icon=":material/info:")
        opening("first")
        found = engine.examples()
        if found:
            st.html("<div class='ew-h' style='margin-top:.8rem'>Or look at an example</div>")
            for column, example in zip(st.columns(len(found)), found, strict=True):
                with column.container(border=True):
                    st.markdown(f"**{plain(example.title)}**")
                    st.caption(plain(example.sentence, 300))
                    st.button("Examine it", key=f"example-{example.path.stem}", **state.callback(_example, example))
        shelf()


def opening(where: str) -> None:
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
    if go:
        state.open_path(path)
        st.rerun(scope="app")
    upload(where)
    st.checkbox(
        "Blind: judge the sound before the picture is shown",
        key=f"blind-{where}",
        help="Picture, signs, verdict, name and tags of the file stay hidden until you have recorded where you place the sound.",
    )


def _example(example: Any) -> None:
    state.examine(example.path, example.path.name)


@st.fragment(run_every=0.4)
def working(b: state.Bench) -> None:
    """Stages with times, what is known already, and a way to stop."""
    job = b.job
    if job is None or not job.running:
        st.rerun(scope="app")
        return
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        st.html("<div style='height:4vh'></div>")
        if b.blind:
            st.html("<div class='ew-facts'><b>Sealed clip</b></div>")
        elif job.clip is not None:
            panels.facts(job.clip, job.title, job.settings)
        else:
            st.html(f"<div class='ew-facts'><b>{clean(job.title, 80)}</b></div>")
        if job.interrupted:
            interrupted(job)
            return
        now = next((s for s in reversed(job.stages) if s.ended is None), None)
        st.progress(min(1.0, now.done / now.total) if now and now.total else 0.0, text=plain(_doing(now, job.status)))
        panels.stages(job.stages)
        with st.container(horizontal=True, gap="small"):
            st.button("Cancel", icon=":material/close:", key="cancel", **state.callback(job.cancel))
            st.button(
                "Leave it running",
                icon=":material/list:",
                key="leave",
                help="Back to the list; it goes on in its own process, also when the browser is closed",
                **state.callback(state.leave_running, b),
            )


def interrupted(job: Any) -> None:
    """The worker died over it: say so, and offer to take it up again."""
    st.error(
        "The process that examined this clip ended before it was through: it was killed, or the machine ran out of memory. The "
        "file is untouched. Take it up again, or go back to the list.",
        icon=":material/power_off:",
    )
    with st.container(horizontal=True, gap="small"):
        st.button("Resume", type="primary", key="resume", icon=":material/play_arrow:", **state.callback(job.resume))
        st.button("Back to the list", key="leave", **state.callback(state.leave_running, state.bench()))


def _doing(stage: JobStage | None, status: JobStatus) -> str:
    if stage is None:
        return f"waits for {status.ahead} before it" if status.ahead else "starting"
    if stage.total and stage.unit == "s":
        return f"{stage.name}: {words.clock(stage.done)} of {words.clock(stage.total)}"
    if stage.total:
        return f"{stage.name}: {stage.done:,.0f} of {stage.total:,.0f} {stage.unit}"
    return stage.name


# --- the bench ----------------------------------------------------------------------------------------------------------


@st.fragment
def bench() -> None:
    """Everything about one clip; an edit redraws this and nothing else."""
    b = state.bench()
    if b.perception is None:
        st.rerun(scope="app")
        return
    found = state.finding(b)
    filing.enter(b)
    rows, left_out = listed(found)
    if b.selected not in {p.key for p in rows}:
        b.selected = next((p.key for p in rows if p.best.kind != "sound"), rows[0].key if rows else None)
        chosen = next((p for p in rows if p.key == b.selected), None)
        b.moment_s = chosen.best.start_s if chosen else 0.0
    header(b, found)
    panels.banner(found)
    panels.film(state.film(b), found.scene)
    panels.failed(found, state.examine_again)
    if b.error:
        st.error(plain(b.error, 600), icon=":material/error:")
    if b.note:
        st.info(plain(b.note, 300), icon=":material/info:")
    left, right = st.columns([0.4, 0.6], gap="medium")
    with right:
        map_panel(b, found)
    with left:
        player(b, found, rows, left_out)
        over_time(b, found)
        by_hand.bar(b, found)
        if b.edits:
            panels.edits(b.edits)
        if b.blind:
            by_hand.judge_blind(b)
        by_hand.history(b)
        panels.models(found)
    with right:
        selected = next((p for p in rows if p.key == b.selected), None)
        if selected is not None:
            evidence_panel(b, found, selected)
        reasoning.panel(b, found)
        by_hand.effects(b)


def header(b: state.Bench, found: Finding) -> None:
    """The file's facts, its audio track, and the ways in and out."""
    several = len(found.clip.audio_tracks) > 1 or len(found.clip.programmes) > 1
    compared = bool(comparisons(found))
    parts = state.parts(b)
    cut_up = len(parts) > 1
    facts = 9.0 - 2.8 * cut_up - 1.6 * several  # what is in the row besides must not cut the buttons' words short
    columns = st.columns([facts, *([3.0] if cut_up else []), *([1.8] if several else []), 4.3], vertical_alignment="center")
    buttons = columns[-1].container(horizontal=True, horizontal_alignment="right", gap="small")
    if compared:
        with buttons.popover("Why", icon=":material/help:", help="The comparison in numbers"):
            panels.compared(found)
    with columns[0]:
        panels.facts(found.clip, b.title, b.settings, b.blind)
    if cut_up:
        state.put("set_scene", found.scene if found.scene or b.settings.interval is None else -1)
        columns[1].selectbox(
            "Scene",
            [0, *range(1, len(parts) + 1), *([-1] if not found.scene and b.settings.interval else [])],
            key="set_scene",
            format_func=lambda n: panels.scene_label(n, parts, state.film(b)),
            label_visibility="collapsed",
            on_change=_set_scene,
            help="A film has many places: choose the scene that is judged.",
        )
    if several:
        with columns[2 if cut_up else 1]:
            _streams(b, found)
    with buttons.popover("Open", icon=":material/folder_open:"):
        opening("again")
        for example in engine.examples() if not b.blind else ():  # their titles say what is in them
            st.button(plain(example.title), key=f"again-{example.path.stem}", **state.callback(_example, example))
        st.button("Close this clip", key="close", icon=":material/close:", **state.callback(_close))
    with buttons.popover(filing.label(b), icon=":material/cases:", disabled=b.blind, key="case-of-clip"):
        if not b.blind:
            filing.popover(b, found)
    with buttons.popover("Export", icon=":material/download:", disabled=b.blind):
        if not b.blind:
            exports(found)


def _streams(b: state.Bench, found: Finding) -> None:
    """The programme and the audio track that are read, where there is a choice."""
    clip, now = found.clip, b.settings.track
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
    told = ", ".join(plain(x, 24) for x in (s.language, s.title, s.layout, s.aside) if x)
    return f"Audio track {track}" + (f": {told}" if told else "")


def _track() -> None:
    b = state.bench()
    _read_as(b, engine.Settings(track=state.value("set_track"), programme=b.settings.programme))


def _programme() -> None:
    b = state.bench()
    _read_as(b, engine.Settings(programme=str(state.value("set_programme"))))


def _read_as(b: state.Bench, settings: engine.Settings) -> None:
    """Examine the clip again as another track or programme of it; a blind judgement made before stays on record."""
    assert b.path is not None
    judged = tuple(e for e in b.settings.edits if e.what == "judgement")
    state.examine(b.path, b.title, settings.but(edits=judged), b.blind)


def _close() -> None:
    state.clear(state.bench())


# --- player and list ----------------------------------------------------------------------------------------------------


def player(b: state.Bench, found: Finding, rows: tuple[Perceived, ...], left_out: int) -> None:
    """Player, timeline and list; while a preview is being made, look again from time to time."""
    playable = state.playable(b) if b.path is not None else None
    waiting = ""
    if playable is None and b.preview is not None:
        waiting = b.preview.error or "Preparing a copy that the browser can play…"
    elif b.preview is not None and b.preview.running:
        waiting = "Preparing this stretch…"
    desk(found, rows, left_out, playable, waiting, b.selected, b.moment_s, b.seek, b.peaks, state.act, b.play)
    if b.preview is not None and b.preview.running:
        _watch_preview(b)


@st.fragment(run_every=0.6)
def _watch_preview(b: state.Bench) -> None:
    if b.preview is None or not b.preview.running:
        st.rerun(scope="app")
        return
    st.caption(f"preparing the player: {b.preview.fraction:.0%}")


def over_time(b: state.Bench, found: Finding) -> None:
    """Where each sense points as time goes by; a click on a moment goes there."""
    line = state.timeline(b)
    if len(line.moments) < 2:
        return
    st.plotly_chart(
        charts.timeline(line, b.moment_s, dark()),
        key="timeline",
        config={"displayModeBar": False},
        on_select=_moment_chosen,
        selection_mode="points",
    )
    if line.reference:
        st.html(
            f"<div class='ew-edits ew-dim'>How far each sense points from {clean(line.reference, 120)}; "
            f"{tip('click a moment to go there', OVER_TIME)}</div>"
        )


def _moment_chosen() -> None:
    held = state.value("timeline")
    points = held.get("selection", {}).get("points", []) if hasattr(held, "get") else []
    at_s = points[0].get("customdata") if points else None
    at_s = at_s[0] if isinstance(at_s, list | tuple) and at_s else at_s
    if isinstance(at_s, int | float) and at_s >= 0:
        state.go_to(float(at_s))


# --- map ----------------------------------------------------------------------------------------------------------------


def _focus(b: state.Bench, on: list[Located]) -> None:
    turn = (b.view.turn if b.view else 0) + 1
    b.view = maps.fit(on, MAP_WIDTH, MAP_HEIGHT, turn)


def _focus_claim(b: state.Bench, claim: engine.Claim) -> None:
    turn = (b.view.turn if b.view else 0) + 1
    b.view = maps.fit([], MAP_WIDTH, MAP_HEIGHT, turn, [claim])


def map_panel(b: state.Bench, found: Finding) -> None:
    """Which map, the map, its legend, and the assumptions behind it."""
    names = state.layers_of(found)
    if b.layer not in names:
        b.layer = next(iter(names))
    state.default("set_layer", b.layer)
    state.default("set_shape", "Globe" if b.globe else "Flat")
    spoke = [x for x in found.located if x.spoke]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Map", list(names), key="set_layer", format_func=lambda n: names[n], label_visibility="collapsed", required=True
        )
        st.segmented_control("Shape", ["Flat", "Globe"], key="set_shape", label_visibility="collapsed", required=True)
        st.space("stretch")
        st.button(
            "World", key="focus-world", icon=":material/public:", help="Show the whole world", **state.callback(_focus, b, [])
        )
        for x in spoke:
            if x.modality != "both":
                st.button(
                    words.modality(x.modality),
                    key=f"focus-{x.modality}",
                    icon=":material/my_location:",
                    help=f"Move to where the {x.modality} points",
                    **state.callback(_focus, b, [x]),
                )
        if found.claims:
            st.button(
                "Claim",
                key="focus-claim",
                icon=":material/fact_check:",
                help="Move to the claimed place",
                **state.callback(_focus_claim, b, found.claims[0].claim),
            )
    b.layer = state.value("set_layer") or b.layer
    b.globe = state.value("set_shape") == "Globe"
    if b.view is None:
        b.view = maps.fit(spoke, MAP_WIDTH, MAP_HEIGHT)
    shown = found.located if b.layer == state.OUTLINES else tuple(x for x in found.located if x.modality == b.layer)
    flow = flow_panel.switch(b, found)
    shown = (flow.located,) if flow else shown
    drawn = _layers(found, shown, flow is not None or b.layer != state.OUTLINES, b.globe)
    drawn += [maps.flow_layer(flow, dark(), b.globe)] if flow else []
    st.pydeck_chart(
        maps.deck(drawn, b.view, b.globe), height=MAP_HEIGHT, key=f"map-{'globe' if b.globe else 'flat'}", alt=_alt(shown)
    )
    panels.legend(shown, found.settings.prior)
    if flow:
        flow_panel.told(flow, dark())
    assumptions(b, found)


def _layers(found: Finding, shown: tuple[Located, ...], with_mass: bool, globe: bool) -> list[Any]:
    night, urls = dark(), state.ground_urls()
    layers = [maps.sea_layer(night, 0.0 if globe else 90.0), maps.land_layer(urls["land"], night)]
    if with_mass:
        layers += [maps.mass_layer(x, night) for x in shown if x.spoke]
    layers += [maps.line_layer("border", urls["border"], night), maps.line_layer("coast", urls["coast"], night)]
    spoke = [x for x in shown if x.spoke]
    for x in spoke:
        layers += maps.outline_layers(x, night, globe)
    sound, picture = found.by("sound"), found.by("picture")
    marked = spoke
    if sound and picture and sound.place and picture.place:
        km = float(engine.distance_km(sound.place.lat_deg, sound.place.lon_deg, picture.place.lat_deg, picture.place.lon_deg))
        if km >= 1.0:
            layers += maps.arrow_layers(sound.place, picture.place, km, night, globe)
        marked = list({x.modality: x for x in (*spoke, sound, picture)}.values())
    return layers + maps.place_layers(marked, night, globe) + maps.claim_layers(found.claims, night, globe)


def _alt(shown: tuple[Located, ...]) -> str:
    said = [f"{words.modality(x.modality)}: {x.where if x.spoke else x.cannot_tell}" for x in shown]
    return "Map of belief. " + ". ".join(said)


def assumptions(b: state.Bench, found: Finding) -> None:
    """Prior, date, radius and interval: each answers at once, without running a model."""
    s = b.settings
    state.default("set_prior", s.prior)
    state.default("set_when", s.when)
    state.default("set_radius", round(s.radius_km))
    one, two, three, four = st.columns([1.5, 1, 0.8, 1.7])
    one.selectbox("Prior", PRIORS, key="set_prior", format_func=panels.prior_label, help=panels.PRIOR, on_change=_set_prior)
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
        help="The place reported is the one with the most belief within this distance.",
    )
    with four:
        whole = b.perception.interval if b.perception else found.interval
        if whole.length_s >= 6.0:
            now = s.interval or whole
            state.default("set_interval", (now.start_s, now.end_s))
            st.slider(
                "Stretch looked at, s",
                whole.start_s,
                whole.end_s,
                key="set_interval",
                step=_slider_step(whole.length_s),
                format="%.1f" if whole.length_s < 600 else "%.0f",
                on_change=_set_interval,
                help="Only what was heard and seen in this stretch counts.",
            )
        else:
            st.caption("The clip is too short to choose a stretch of it.")


def _set_scene() -> None:
    b = state.bench()
    number, parts = state.value("set_scene"), state.parts(b)
    if number == 0:
        state.change("all scenes", interval=None)
    elif 1 <= number <= len(parts):
        part = parts[number - 1]
        state.change(f"scene {number}: {words.span(part.start_s, part.end_s)}", interval=part)
        b.moment_s, b.seek = part.start_s, b.seek + 1
    state.show_settings(b.settings)


def _slider_step(length_s: float) -> float:
    return 0.5 if length_s < 600 else 5.0


def _set_prior() -> None:
    prior = state.value("set_prior")
    state.change(f"prior: {panels.prior_label(prior).split(':')[0].lower()}", prior=prior)


def _set_when() -> None:
    when = state.value("set_when")
    state.change(f"date: {when:%d %b %Y}" if when else "date: any", when=when)


def _set_radius() -> None:
    radius = state.value("set_radius")
    state.change(f"radius: {radius:g} km", radius_km=float(radius))


def _set_interval() -> None:
    b = state.bench()
    assert b.perception is not None
    start_s, end_s = state.value("set_interval")
    whole = b.perception.interval
    if end_s - start_s < 1.0:
        end_s = min(whole.end_s, start_s + 1.0)
        start_s = end_s - 1.0
        state.put("set_interval", (start_s, end_s))
    everything = start_s <= whole.start_s + 0.25 and end_s >= whole.end_s - 0.51
    interval = None if everything else Interval(start_s, end_s)
    state.change("stretch: all of it" if everything else f"stretch: {words.span(start_s, end_s)}", interval=interval)


# --- the selected piece of evidence -------------------------------------------------------------------------------------


def evidence_panel(b: state.Bench, found: Finding, p: Perceived) -> None:
    """The selected piece: seen and heard as the model did, where it is at home, and what it does to the verdict."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            label = f" <i>{clean(p.best.label, 80)}</i>" if p.best.label != p.title else ""
            st.html(
                f"<span class='ew-h'>{clean(p.title, 80)}</span>{label} <span class='ew-dim'>· score {p.best.score:.2f} · "
                f"{p.windows} window{'s' if p.windows != 1 else ''} · "
                f"best at {clean(words.span(p.best.start_s, p.best.end_s))}</span>"
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            by_hand.buttons(b, found, p)
        by_hand.remarks(b, p)
        left, right = st.columns([1, 1])
        with left:
            if modality_of(p.best.kind, found.registry) == "sound":
                _window(b, p)
            elif modality_of(p.best.kind, found.registry) == "picture":
                _frame(b, found, p)
            else:
                st.caption("Stated by the file itself, and the easiest of all evidence to forge.")
        with right:
            if p.best.kind == "species":
                _range(b, p)
            elif p.best.kind == "sound":
                st.caption("A sound that is no animal's range: it is listed and never scored.")
            elif p.best.note:
                st.caption(plain(p.best.note, 400))
        if p.best.kind != "sound":
            _effect(b, found, p)


def _window(b: state.Bench, p: Perceived) -> None:
    window = next((o for o in p.observations if abs(o.start_s - b.moment_s) < 0.01), p.best)
    end_s = window.end_s if window.end_s > window.start_s else window.start_s + 3.0
    length_s = b.perception.clip.duration_s if b.perception else None
    stretch = Interval(
        max(0.0, window.start_s - 0.5), min(end_s + 0.5, length_s) if length_s and length_s > window.start_s else end_s + 0.5
    )
    try:
        sound, rate_hz = state.samples(b, stretch)
        st.plotly_chart(
            charts.spectrogram(sound, rate_hz, stretch.start_s, dark(), (window.start_s, end_s)),
            key="spectrogram",
            config={"displayModeBar": False},
        )
        st.audio(state.excerpt(b, stretch), format="audio/wav")
    except engine.EarwitnessError as error:
        st.error(plain(error, 400))


def _frame(b: state.Bench, found: Finding, p: Perceived) -> None:
    seen = min(p.observations, key=lambda o: abs(o.start_s - b.moment_s))
    beside = tuple(o for o in p.observations if abs(o.start_s - seen.start_s) < 0.05)
    try:
        picture = state.frame(b, seen.start_s)
    except engine.EarwitnessError as error:
        st.error(plain(error, 400))
        return
    if picture is None:
        st.caption("No picture can be decoded at that moment.")
        return
    st.image(annotate(picture, marks_of(beside, found.settings.dropped)), caption=f"at {words.clock(seen.start_s)}")


def _range(b: state.Bench, p: Perceived) -> None:
    try:
        grid, chance = state.species_range(p.best.label, b.settings.when)
    except engine.EarwitnessError as error:
        st.caption(plain(error, 300))
        return
    night, urls = dark(), state.ground_urls()
    drawn = [
        maps.sea_layer(night),
        maps.land_layer(urls["land"], night),
        maps.range_layer(grid, chance, night),
        maps.line_layer("coast", urls["coast"], night),
    ]
    st.pydeck_chart(maps.deck(drawn, b.range_view, False), height=200, key="range", alt=f"Where {p.title} is recorded")
    panels.range_legend()


def _effect(b: state.Bench, found: Finding, p: Perceived) -> None:
    """Where its sense points with it and without it."""
    sense = modality_of(p.best.kind, found.registry)
    author = state.analyst()
    made = edits.restore(p.key, author) if p.dropped else edits.drop(p.key, author)
    other = engine.apply_edit(b.settings, made).but(edits=b.settings.edits)  # whoever does it, it scores alike
    here, there = found.by(sense), state.judged(b, other).by(sense)
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
    return f"{clean(panels.where(x), 70)} (90%: {clean(words.area(x.regions_km2.get(0.9, 0.0)))})"


page()
