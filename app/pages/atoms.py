"""Atoms: take a sound apart, step by step, and listen to each part."""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

import engine
from app.figures.ground import land_layer, line_layer, sea_layer
from app.figures.layers import mass_layer
from app.figures.spectrogram import levels_db, spectrogram
from app.figures.view import deck, fit, world_view
from app.panels.legend import map_legend
from app.panels.style import clean, dark, plain
from app.session import caches, opening, widgets
from app.session.session import current
from engine import EarwitnessError, Finding, Interval, Observation, Perception, Progress, Settings
from engine.clues import atoms as engine_atoms
from engine.core import apart_km
from engine.media import to_wav
from engine.models import decomposer
from engine.models.atoms import KERNELS, RATE_HZ, WINDOW_S
from engine.report.view import words

COLOURS = ("#e69100", "#2f8fd0", "#00966d", "#c25f95", "#d55e00", "#7a6fd0")  # fit for colour-blind eyes; numbered too
TOP_HZ = 12_000
MOST_AGAIN_S = 60.0
MAP_HEIGHT = 300
_KEY = "atoms_sound"
_ABOUT = "A sound as its parts, loudest first: in each step the most active kernel is chosen, its sound is taken out, and so on."


@dataclass
class Sound:
    """What this page works on.

    Attributes:
        reader: the open file.
        track: audio track, or None.
        borrowed: whether it is the clip of Examine, which stays open.
        heard: atoms and remarks of the whole, or None before it was listened to.
        windows: decompositions by the start of their window.
        again: what listening again without some atoms came to.
    """

    title: str
    reader: Any
    track: int | None
    length_s: float
    borrowed: bool
    heard: tuple[Observation, ...] | None = None
    windows: dict[tuple[float, bool], tuple[NDArray[np.float32], Any]] = field(default_factory=dict)
    again: tuple[tuple[str, ...], Finding, Finding] | None = None
    error: str = ""


def page() -> None:
    """The sound chosen, taken apart; or ways to choose one."""
    caches.warm_up()
    session = current()
    if session.job is not None and not session.job.running:
        opening.take(session)
    if session.blind:
        st.info("The sound of this clip is being judged blind; it can be taken apart once the judgement is given in Examine.")
        return
    sound = _sound(session)
    left, right = st.columns([8, 1.3], vertical_alignment="center")
    named = f"<b>{clean(sound.title, 60)}</b>" if sound else ""
    about = f"<span class='ew-dim'>{clean(_ABOUT, 300)}</span>"
    left.html(f"<span class='ew-h' style='font-size:1.25rem'>Atoms</span> {named} {about}")
    with right.popover("Open a sound", icon=":material/folder_open:", width="stretch"):
        _opening("pop")
    try:
        if sound is None:
            _empty()
        else:
            _apart(sound)
    except EarwitnessError as error:
        st.error(plain(error, 600), icon=":material/error:")
    _dictionary(sound)


# --- choosing a sound ---------------------------------------------------------------------------------------------------


def _sound(session: Any) -> Sound | None:
    own: Sound | None = widgets.value(_KEY)
    if own is not None and not (own.borrowed and own.reader is not session.reader):
        return own
    if session.perception is None or session.reader is None or not session.perception.clip.audio_tracks:
        widgets.put(_KEY, None)
        return None
    observed = tuple(o for o in session.perception.observations if o.clue == "atoms") or None
    made = Sound(session.title, session.reader, session.settings.track, session.perception.clip.duration_s or 0.0, True, observed)
    widgets.put(_KEY, made)
    return made


def _empty() -> None:
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        st.write("Open a clip in Examine and come back, or give a sound here. It stays on this machine.")
        error = widgets.value("atoms_error")
        if error:
            st.error(plain(error, 400), icon=":material/error:")
        _opening("first")


def _opening(where: str) -> None:
    """By path, by dropping a file, by microphone, or an example."""
    with st.form(f"atoms-open-{where}", border=False):
        path = st.text_input("Path of a file on this machine", placeholder="/home/me/clips/street.wav", key=f"atoms_path_{where}")
        go = st.form_submit_button("Take it apart", type="primary", width="stretch")
    if go:
        asked = Path(path.strip().strip("'\"").removeprefix("file://")).expanduser()
        if not path.strip() or not asked.is_file():
            widgets.put(
                "atoms_error",
                f"There is no file at {asked}; check the path." if path.strip() else "No path was given; paste one.",
            )
        else:
            _open(asked, asked.name)
        st.rerun()
    upload = st.file_uploader("Or drop a sound here", key=f"atoms_upload_{where}")
    said = st.audio_input("Or record one", key=f"atoms_record_{where}")
    for given, title in ((upload, getattr(upload, "name", "")), (said, "what you recorded")):
        if given is not None and widgets.value("atoms_seen") != given.file_id:
            widgets.put("atoms_seen", given.file_id)
            _open(_kept(given), title)
            st.rerun()
    for example in engine.examples():
        st.button(plain(example.title), key=f"atoms-{where}-{example.path.stem}", width="stretch",
                  **widgets.callback(_open, example.path, example.path.name))  # fmt: skip
    own: Sound | None = widgets.value(_KEY)
    if own is not None and not own.borrowed and current().perception is not None:
        st.button("Back to the clip in Examine", key=f"atoms-back-{where}", width="stretch", **widgets.callback(_back))


def _kept(upload: Any) -> Path:
    """The upload in this session's folder, which goes away with it; only one is kept."""
    folder = current().folder / "atoms"
    folder.mkdir(parents=True, exist_ok=True)
    suffix = "".join(c for c in Path(upload.name).suffix[:12] if c.isalnum() or c == ".") or ".wav"
    for old in folder.iterdir():
        old.unlink()
    path = folder / f"sound{suffix}"
    path.write_bytes(upload.getbuffer())
    return path


def _close_own() -> None:
    own: Sound | None = widgets.value(_KEY)
    if own is not None and not own.borrowed:
        own.reader.close()
    widgets.put(_KEY, None)
    for key in ("atoms_moment", "atoms_step"):
        widgets.put(key, None)
    widgets.put("atoms_out", [])


def _back() -> None:
    _close_own()


def _open(path: Path, title: str) -> None:
    _close_own()
    widgets.put("atoms_error", "")
    try:
        reader = engine.open_clip(path).__enter__()
    except EarwitnessError as error:
        widgets.put("atoms_error", str(error))
        return
    if not reader.clip.audio_tracks:
        reader.close()
        widgets.put("atoms_error", "The file holds no sound; open a recording, or a film with sound.")
        return
    widgets.put(_KEY, Sound(title, reader, None, reader.clip.duration_s or WINDOW_S, False))


# --- taken apart --------------------------------------------------------------------------------------------------------


def _apart(s: Sound) -> None:
    """Spectrogram and time above, the steps below, then what changes without an atom."""
    if s.heard is None:
        s.heard = _listened(s)
    last = max(0.0, s.length_s - WINDOW_S)
    if widgets.value("atoms_moment") is None:
        widgets.put("atoms_moment", _first_moment(s.heard, last))
    widgets.put("atoms_moment", float(min(widgets.value("atoms_moment"), last)))
    left, right = st.columns([0.56, 0.44], gap="medium")
    with left:
        at_s = 0.0
        if last > 0:
            at_s = float(
                st.slider("Window of 4 s from", 0.0, last, step=0.5 if last > 0.5 else 0.1, key="atoms_moment", format="%.1f s")
            )
        window, taken = _window(s, at_s)
        _painted(window, taken, at_s)
    with right:
        _timeline(s)
    _steps(window, taken, at_s)
    with st.expander("Leave an atom out: what changes on the map", expanded=s.again is not None):
        _without(s, taken)


def _first_moment(heard: Sequence[Observation], last: float) -> float:
    """Half a second before the window with the most different atoms, on the slider's steps."""
    starts = sorted({o.start_s for o in heard if o.kind == "atom"})
    if not starts:
        return 0.0
    size = WINDOW_S

    def variety(at: float) -> float:
        inside = [o for o in heard if o.kind == "atom" and o.start_s < at + size - 0.5 and o.end_s > at + 0.5]
        return len({o.label for o in inside}) + 0.1 * sum(o.score for o in inside)

    return min(last, max(0.0, round(2 * (max(starts, key=variety) - 0.5)) / 2))


def _listened(s: Sound) -> tuple[Observation, ...]:
    bar = st.progress(0.0, text="listening")

    def report(p: Progress) -> None:
        text = f"{p.stage}: {words.clock(p.done)} of {words.clock(p.total)}" if p.total and p.unit == "s" else p.stage
        bar.progress(p.fraction or 0.0, text=plain(text))

    try:
        return engine_atoms.AtomsObserver(s.track).observe(s.reader.clip, s.reader, None, report)
    finally:
        bar.empty()


def _window(s: Sound, at_s: float) -> tuple[NDArray[np.float32], Any]:
    beyond = bool(widgets.value("atoms_beyond"))
    if (at_s, beyond) not in s.windows:
        while len(s.windows) >= 24:
            s.windows.pop(next(iter(s.windows)))
        _, window = engine_atoms.window_at(s.reader, at_s, s.track)
        net = decomposer()
        s.windows[at_s, beyond] = (window, net.decompose(window[None], most=4 if beyond else 6, stopping=not beyond)[0])
    return s.windows[at_s, beyond]


def _painted(window: NDArray[np.float32], taken: Any, at_s: float) -> None:
    """The window's spectrogram, every atom in its colour where it is loud."""
    figure = spectrogram(window, RATE_HZ, at_s, dark(), height_px=250)
    top = min(TOP_HZ, RATE_HZ / 2)
    for number, step in enumerate(taken.steps):
        figure.add_layout_image(
            source=_tinted(_loud(step.wave, window, top), COLOURS[number % len(COLOURS)]),
            x=at_s, y=top / 1000, sizex=WINDOW_S, sizey=top / 1000,
            xref="x", yref="y", sizing="stretch", layer="above",
        )  # fmt: skip
    st.plotly_chart(figure, key="atoms_painted", config={"displayModeBar": False})
    st.html(_chips(taken))


def _loud(part: NDArray[np.float32], window: NDArray[np.float32], top_hz: float) -> NDArray[np.float64]:
    """(frequencies, times) 0 to 1: how loud a part is at each point, from 40 dB below the window's peak to 10 dB below it."""
    peaks = [max(float(np.abs(x).max()), 1e-9) for x in (part, window)]
    level = levels_db(part) + 20.0 * np.log10(peaks[0] / peaks[1])
    level = level[: max(2, round(level.shape[0] * top_hz / (RATE_HZ / 2)))]
    return np.clip((level + 40.0) / 30.0, 0.0, 1.0)


def _tinted(loud: NDArray[np.float64], colour: str) -> str:
    rgba = np.zeros((*loud.shape, 4), np.uint8)
    rgba[..., :3] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    rgba[..., 3] = (235 * loud**0.7).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(rgba[::-1]).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _chips(taken: Any) -> str:
    if not taken.steps:
        return "<div class='ew-edits ew-dim'>Nothing that the model knows was found in this window.</div>"
    chips = "".join(
        f"<span class='ew-chip'><span class='ew-mark ew-round' style='background:{COLOURS[n % len(COLOURS)]}'></span> "
        f"{n + 1} {clean(step.label, 50)} <span class='ew-dim'>{step.chance:.0%}</span></span>"
        for n, step in enumerate(taken.steps)
    )
    return f"<div class='ew-edits'>{chips}</div>"


# --- over time ----------------------------------------------------------------------------------------------------------


def merged(heard: Sequence[Observation], gap_s: float = 1.0) -> list[tuple[str, str, float, float, float]]:
    """(kind, label, start_s, end_s, best score) of what is heard on end, in order of label and time."""
    by: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for o in heard:
        by[(o.kind, o.label)].append(o)
    out: list[tuple[str, str, float, float, float]] = []
    for (kind, label), own in by.items():
        run: tuple[float, float, float] | None = None
        for o in sorted(own, key=lambda o: o.start_s):
            if run and o.start_s <= run[1] + gap_s:
                run = (run[0], max(run[1], o.end_s), max(run[2], o.score))
                continue
            if run:
                out.append((kind, label, *run))
            run = (o.start_s, o.end_s, o.score)
        if run:
            out.append((kind, label, *run))
    return out


def _timeline(s: Sound) -> None:
    """Bars of what is heard when; a click goes there. Remarks on the soundtrack below."""
    assert s.heard is not None
    rows = merged(s.heard)
    atoms = [r for r in rows if r[0] == "atom"]
    total: dict[str, float] = defaultdict(float)
    for _, label, a, b, score in atoms:
        total[label] += (b - a) * score
    names = sorted(total, key=lambda k: total[k])[-9:]
    if names:
        shown = [r for r in atoms if r[1] in names]
        figure = go.Figure(
            go.Bar(
                y=[_short(r[1]) for r in shown],
                x=[max(r[3] - r[2], s.length_s / 250) for r in shown],
                base=[r[2] for r in shown],
                orientation="h",
                marker={"color": "#63b0ab" if dark() else "#217380", "opacity": [0.35 + 0.65 * r[4] for r in shown]},
                customdata=[r[2] for r in shown],
                hovertemplate="%{y}, from %{base:.1f} s<extra></extra>",
            )
        )
        figure.update_xaxes(
            title="time in the clip (s)", range=[0, s.length_s], title_standoff=4, fixedrange=True, zeroline=False
        )
        figure.update_yaxes(categoryorder="array", categoryarray=[_short(n) for n in names], fixedrange=True, automargin=True)
        figure.update_layout(
            height=max(130, 66 + 24 * len(names)), margin={"l": 8, "r": 8, "t": 6, "b": 36}, font={"size": 11},
            bargap=0.25, dragmode=False,
            plot_bgcolor="rgba(0,0,0,0)", paper_bgcolor="rgba(0,0,0,0)", showlegend=False,
        )  # fmt: skip
        st.plotly_chart(figure, key="atoms_time", on_select=_go_to, selection_mode="points", config={"displayModeBar": False})
    else:
        st.caption("No atom stands out in this clip.")
    remarks = [o for o in s.heard if o.kind == "sound"]
    for o in remarks[:8]:
        st.html(
            f"<div class='ew-edits' style='white-space:normal'><span class='ew-chip'>{clean(o.label)}</span>"
            f"{words.clock(o.start_s)} to {words.clock(o.end_s)} <span class='ew-dim'>{clean(o.note, 220)}</span></div>"
        )
    if len(remarks) > 8:
        st.caption(f"and {len(remarks) - 8} more remarks on the soundtrack")
    if not remarks:
        st.caption("Nothing remarkable in how the soundtrack was made: no copies, no digital silence.")


def _short(label: str) -> str:
    return label.split(",")[0]


def _go_to() -> None:
    chosen = (widgets.value("atoms_time") or {}).get("selection", {}).get("points", [])
    at = chosen[0].get("customdata") if chosen else None
    at = at[0] if isinstance(at, list) else at
    if isinstance(at, int | float) and np.isfinite(at):
        widgets.put("atoms_moment", max(0.0, round(2 * (float(at) - 0.5)) / 2))


# --- step by step -------------------------------------------------------------------------------------------------------


def _steps(window: NDArray[np.float32], taken: Any, at_s: float) -> None:
    """One step at a time: what there was, the atom chosen, what is left; each to be heard."""
    left, right = st.columns([3, 1], vertical_alignment="center")
    about = "Always four steps: atoms chosen after the model's own stop may not be there at all."
    right.toggle("Continue past the model's stop", key="atoms_beyond", help=about)
    if not taken.steps:
        left.audio(to_wav(_audible(window, window), RATE_HZ))
        return
    names = [f"Step {n + 1}: {_short(s.label)}" for n, s in enumerate(taken.steps)]
    if widgets.value("atoms_step") not in names:
        widgets.put("atoms_step", names[0])
    chosen = left.segmented_control("Step", names, key="atoms_step", label_visibility="collapsed", required=True)
    at = names.index(chosen) if chosen in names else 0
    step = taken.steps[at]
    before = window - sum((s.wave for s in taken.steps[:at]), np.zeros_like(window))
    after = before - step.wave
    st.html(
        f"<div class='ew-edits' style='white-space:normal'>Of what was there, <b>{clean(step.label, 60)}</b> was the likeliest "
        f"({step.chance:.0%}; that nothing was left: {step.stop:.0%}). "
        f"Its kernel {step.kernel % KERNELS + 1} was the most active. "
        f"It is {_db(step.wave, before)} of what was there. <span class='ew-dim'>Each picture is drawn to its own loudest point; "
        f"the sounds keep their loudness to each other.</span></div>"
    )
    titles = ("The mixture" if at == 0 else "What was left so far", f"The atom: {step.label}", "What is left")
    for n, (column, title, wave) in enumerate(zip(st.columns(3, gap="medium"), titles, (before, step.wave, after), strict=True)):
        with column:
            st.html(f"<span class='ew-h'>{clean(title, 60)}</span>")
            picture = spectrogram(wave, RATE_HZ, at_s, dark(), height_px=150)
            st.plotly_chart(picture, key=f"atoms_step_{n}", config={"displayModeBar": False})
            st.audio(to_wav(_audible(wave, window), RATE_HZ))


def _audible(wave: NDArray[np.float32], window: NDArray[np.float32]) -> NDArray[np.float32]:
    """All parts by the same gain, so that they keep their loudness to each other."""
    return (wave * (0.9 / max(float(np.abs(window).max()), 1e-6))).astype(np.float32)


def _db(part: NDArray[np.float32], whole: NDArray[np.float32]) -> str:
    share = float((part**2).sum()) / max(float((whole**2).sum()), 1e-12)
    return f"{min(1.0, share):.0%} of the energy"


# --- leaving an atom out ------------------------------------------------------------------------------------------------


def _without(s: Sound, taken: Any) -> None:
    """The species heard, and the place they point to, with and without some atoms."""
    assert s.heard is not None
    found = [r[1] for r in sorted(merged(s.heard), key=lambda r: -r[4]) if r[0] == "atom"]
    present = list(dict.fromkeys([*found, *(step.label for step in taken.steps)]))
    if not present:
        st.caption("There is no atom to leave out.")
        return
    widgets.put("atoms_out", [k for k in widgets.value("atoms_out") or [] if k in present])
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    out = left.multiselect("Atoms to leave out", present, key="atoms_out", placeholder="Choose one or more")
    part = _part(s)
    about = f"Takes them out and listens for species again, {words.clock(part.start_s)} to {words.clock(part.end_s)}"
    if right.button("Listen again", key="atoms_again", disabled=not out, width="stretch", help=about):
        s.again = _again(s, tuple(out), part)
    if s.again is None:
        st.caption("The map is drawn twice: from the sound as it is, and from what is left when these atoms are taken out of it.")
        return
    labels, full, less = s.again
    columns = st.columns(2, gap="medium")
    for n, (column, title, heard) in enumerate(
        zip(columns, ("As it is", "Without " + ", ".join(map(_short, labels))), (full, less), strict=True)
    ):
        with column:
            _map(n, title, heard)
    st.html(_changes(full, less))


def _part(s: Sound) -> Interval:
    if s.length_s <= MOST_AGAIN_S:
        return Interval(0.0, max(s.length_s, 0.1))
    at = float(widgets.value("atoms_moment") or 0.0)
    start = min(max(0.0, at - MOST_AGAIN_S / 2), s.length_s - MOST_AGAIN_S)
    return Interval(start, start + MOST_AGAIN_S)


def _again(s: Sound, out: tuple[str, ...], part: Interval) -> tuple[tuple[str, ...], Finding, Finding]:
    bar = st.progress(0.0, text="listening")
    findings = []
    for n, labels in enumerate(((), out)):
        heard = engine_atoms.heard_without(
            s.reader, labels, part, s.track, None,
            partial(_note, bar, n),
        )  # fmt: skip
        findings.append(engine.judge(Perception(s.reader.clip, part, heard), Settings()))
    bar.empty()
    return out, findings[0], findings[1]


def _note(bar: DeltaGenerator, n: int, p: Progress) -> None:
    bar.progress(min(1.0, (n + (p.fraction or 0.0)) / 2), text=plain(p.stage))


def _map(number: int, title: str, found: Finding) -> None:
    night, urls = dark(), caches.ground_urls()
    sound = found.by("sound")
    st.html(f"<span class='ew-h'>{clean(title, 80)}</span> <span class='ew-dim'>{clean(_where(found), 200)}</span>")
    between = [mass_layer(sound, night)] if sound is not None and sound.spoke else []
    layers = [sea_layer(night), land_layer(urls["land"], night), *between]
    layers += [line_layer(kind, urls[kind], night) for kind in ("border", "coast")]
    view = fit([sound], 640, MAP_HEIGHT) if sound is not None and sound.spoke else world_view(640, MAP_HEIGHT)
    st.pydeck_chart(deck(layers, view, False), height=MAP_HEIGHT, key=f"atoms_map_{number}", alt=f"Map, {title}: {_where(found)}")
    if sound is not None and sound.spoke:
        map_legend([sound], found.settings.prior)


def _where(found: Finding) -> str:
    sound = found.by("sound")
    if sound is None or not sound.spoke:
        return "the sound gives no usable location"
    return f"{sound.where}; gain {sound.gain_nats:.1f} nats"


def _changes(full: Finding, less: Finding) -> str:
    best: list[dict[str, tuple[float, str]]] = []
    for found in (full, less):
        own: dict[str, tuple[float, str]] = {}
        for o in found.perception.observations:
            if o.kind in ("species", "sound") and o.score > own.get(o.label, (0.0, ""))[0]:
                own[o.label] = (o.score, o.name or o.label)
        best.append(own)
    labels = sorted({k for own in best for k in own}, key=lambda k: -max(own.get(k, (0.0, ""))[0] for own in best))[:8]
    rows = "".join(
        f"<tr><td>{clean((best[0].get(k) or best[1][k])[1], 60)}</td>"
        f"<td class='ew-num'>{best[0].get(k, (0.0, ''))[0]:.2f}</td>"
        f"<td class='ew-num'>{best[1].get(k, (0.0, ''))[0]:.2f}</td></tr>"
        for k in labels
        if max(own.get(k, (0.0, ""))[0] for own in best) >= 0.05
    )
    moved = ""
    a, b = full.by("sound"), less.by("sound")
    if (km := apart_km(a, b)) is not None:
        moved = f"The place moves by {words.km(km)}."
    head = "<tr><td>heard</td><td class='ew-num'>as it is</td><td class='ew-num'>without</td></tr>"
    return f"<div class='ew-edits'>{clean(moved)}</div><table class='ew-stages'>{head}{rows}</table>" if rows else clean(moved)


# --- the dictionary -----------------------------------------------------------------------------------------------------


def _dictionary(sound: Sound | None) -> None:
    """What the kernels look and sound like, what excites them, and where such sounds were recorded."""
    with st.expander("The dictionary: what each atom is made of", expanded=sound is None):
        try:
            labels = decomposer().labels
        except EarwitnessError as error:
            st.error(plain(error, 400), icon=":material/error:")
            return
        label = st.selectbox("Atom", labels, key="atoms_entry")
        if label is None:
            return
        entry = engine_atoms.entry(label)
        for n, column in enumerate(st.columns(KERNELS, gap="medium")):
            with column:
                st.html(f"<span class='ew-h'>Kernel {n + 1}</span>")
                st.image(_kernel_picture(entry.kernels[n]), width="stretch")
                st.audio(to_wav(engine_atoms.kernel_wave(label, n), RATE_HZ))
                if n < len(entry.excited) and entry.excited[n]:
                    rows = "<br>".join(clean(f"{a}, by {b or 'unknown'} ({c})", 120) for a, b, c in entry.excited[n])
                    st.html(f"<div class='ew-edits ew-dim' style='white-space:normal'>Excited most by<br>{rows}</div>")
        st.caption(
            "Low frequencies at the bottom, a quarter of a second wide. "
            "What you hear is made from the picture alone: nothing recorded is in it."
        )
        if entry.recordings:
            where = "; ".join(dict.fromkeys(engine.describe_place(a, b) for a, b, _ in entry.places[:6]))
            head = f"Heard in {len(entry.places)} of {entry.recordings} field recordings of known place"
            st.html(f"<div class='ew-edits' style='white-space:normal'>{clean(head)}: {clean(where, 500) or 'none'}</div>")


def _kernel_picture(levels: NDArray[np.float32]) -> Image.Image:
    shown = levels / max(float(levels.max()), 1e-9)
    grey = (255 * (shown if dark() else 1.0 - shown)).astype(np.uint8)[::-1]
    return Image.fromarray(grey).resize((320, 160), Image.Resampling.BICUBIC)


page()
