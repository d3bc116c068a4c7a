"""The analyst's hand on the page: add, confirm, relabel, read a table, switch and weigh clues, judge the sound blind.

Nothing here decides anything: it collects what the analyst says and hands it to `state`, which lets the engine make the edit.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

import engine
from app import maps, state
from app.frame import clean, dark, plain, tip
from engine import Finding, Perceived
from engine.analysis import clue_switches, edits, modality_weights
from engine.core import CONFIDENCES, MOST_WEIGHT, Effect, chosen_settings, edit_steps
from engine.report.view import edits as edit_words
from engine.report.view import words

_SURE = {name: chance for name, chance in CONFIDENCES}
_CONFIDENCE = "Read as the chance that you are right: " + ", ".join(f"{n} {p:g}" for n, p in CONFIDENCES) + "."
_RULE = (
    "A species counts with the model's calibrated chance or with your stated confidence, whichever is higher, and never above "
    "what is left for vagrants, cages and playback. Edits may weaken what was first computed; they never make it stronger."
)
_TABLES = ["txt", "csv", "tsv"]


def bar(b: state.Bench, found: Finding) -> None:
    """The row under the list: what can be put in by hand, and the way back and forth."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        with st.popover("Add", icon=":material/add:"):
            who("add")
            kinds = ["Species", "Sign"]
            kind = st.segmented_control("What", kinds, default="Species", key="add-kind", label_visibility="collapsed")
            if kind == "Sign" and not b.blind:
                _sign(b, found)
            elif kind == "Sign":
                st.caption("Signs are hidden until the sound is judged.")
            else:
                _species(b, found)
        with st.popover("Table", icon=":material/table_rows:"):
            _table(b)
        with st.popover("Clues", icon=":material/tune:"):
            _clues(b)
        st.space("stretch")
        st.button(
            "Undo", key="undo", icon=":material/undo:", help="Take back the last edit (U)", disabled=not b.edits,
            **state.callback(state.undo),
        )  # fmt: skip
        st.button(
            "Redo", key="redo", icon=":material/redo:", help="Do it again (R)", disabled=not b.undone,
            **state.callback(state.redo),
        )  # fmt: skip
    if b.told:
        st.info(plain(b.told, 1200), icon=":material/table_rows:")


def who(where: str, about: str | None = None) -> None:
    """The analyst's name, the same one everywhere; `about` explains it on hover."""
    key = f"name-{where}"
    state.put(key, state.analyst())
    st.text_input("Your name", key=key, max_chars=80, placeholder="for the record", help=about, on_change=_named, args=(key,))


def _named(key: str) -> None:
    state.put(state.NAME, str(state.value(key) or "").strip())


def _sure(key: str) -> str:
    return str(st.selectbox("How sure", list(_SURE), key=key, help=_CONFIDENCE))


def _stretch(b: state.Bench, key: str, length_s: float) -> tuple[float, float]:
    """Start and end in s, beginning at the moment looked at."""
    whole = b.perception.interval if b.perception else engine.Interval(0.0, 3.0)
    at = float(min(max(b.moment_s, whole.start_s), whole.end_s))
    left, right = st.columns(2)
    tag = f"{key}-{at:.1f}"  # the moment looked at is where it starts, until the analyst says otherwise
    start = left.number_input("From, s", whole.start_s, whole.end_s, at, 0.5, key=f"{tag}-from")
    end = right.number_input("To, s", whole.start_s, whole.end_s, min(whole.end_s, at + length_s), 0.5, key=f"{tag}-to")
    return float(start), float(max(start, end))


def _species(b: state.Bench, found: Finding) -> None:
    name = _search("add-species")
    start_s, end_s = _stretch(b, "add-species", 3.0)
    sure = _sure("add-species-sure")
    note = st.text_input("Note", key="add-species-note", max_chars=300)
    st.caption(_RULE)
    st.button(
        "Add it", key="add-species-go", type="primary", disabled=name is None,
        **state.callback(_add_species, name, start_s, end_s, _SURE[sure], note),
    )  # fmt: skip


def _search(key: str, label: str = "Species, Latin or English") -> str | None:
    """A species of BirdNET's, found by part of its name; its Latin name."""
    query = st.text_input(label, key=f"{key}-query", max_chars=80, placeholder="great tit, Parus…")
    hits = edits.find_species(query) if query.strip() else ()
    if query.strip() and not hits:
        st.caption("BirdNET knows none of that name; try another part of it.")
    if not hits:
        return None
    names = {latin: f"{common} ({latin})" if common != latin else latin for latin, common in hits}
    return st.selectbox("Which", list(names), key=f"{key}-which", format_func=lambda n: names[n], label_visibility="collapsed")


def _add_species(name: str, start_s: float, end_s: float, chance: float, note: str) -> None:
    if state.do(lambda: edits.add_species(name, start_s, end_s, chance, state.analyst(), note)):
        state.select(f"species/species/{name}", start_s)


def _sign(b: state.Bench, found: Finding) -> None:
    text = st.text_input("What the sign says", key="add-sign-text", max_chars=80, placeholder="AUGUSTA, GA 30904")
    place = _meaning(text, "add-sign")
    start_s, end_s = _stretch(b, "add-sign", 0.0)
    sure = _sure("add-sign-sure")
    note = st.text_input("Note", key="add-sign-note", max_chars=300)
    st.button(
        "Add it", key="add-sign-go", type="primary", disabled=not text.strip(),
        **state.callback(_add_sign, text, start_s, end_s, _SURE[sure], note, place),
    )  # fmt: skip


def _meaning(text: str, key: str) -> tuple[float, float] | None:
    """What a sign reads as, and the place it means where the analyst chooses one."""
    if not text.strip():
        return None
    notes, places = edits.sign_meanings(text)
    said = "; ".join(plain(n, 160) for n in notes[:4])
    st.caption(said[:1].upper() + said[1:] if said else "It reads as no place and no language that is known here.")
    if len(places) < 2:
        return None
    names = ["let the reading weigh them", *(f"{p.name} ({words.share(p.share)})" for p in places)]
    chosen = st.selectbox("Which of them", range(len(names)), key=f"{key}-place", format_func=lambda i: names[i])
    return None if not chosen else (places[chosen - 1].lat_deg, places[chosen - 1].lon_deg)


def _add_sign(text: str, start_s: float, end_s: float, chance: float, note: str, place: tuple[float, float] | None) -> None:
    if state.do(lambda: edits.add_sign(text, start_s, end_s, chance, state.analyst(), note, place)):
        state.select(f"text/text/{' '.join(text.split())}", start_s)


def _table(b: state.Bench) -> None:
    who("table")
    file = st.file_uploader("Raven selection table, BirdNET result table or Audacity labels", type=_TABLES, key="table-file")
    alone = st.checkbox("Count these instead of what BirdNET heard here", key="table-alone")
    st.caption("Rows with a score are taken as BirdNET's, rows without one as yours. Names BirdNET does not know are listed.")
    st.button("Read it", key="table-go", type="primary", disabled=file is None, **state.callback(_read, b, file, alone))


def _read(b: state.Bench, file: Any, alone: bool) -> None:
    said = []

    def make() -> engine.Edit:
        assert b.perception is not None
        edit, table = edits.read_table(file.getvalue(), file.name, b.perception, state.analyst(), alone=alone)
        said.append(edits.said_of(table))
        return edit

    if state.do(make):
        b.told = f"{file.name}. {said[0]}"


# --- clues and weights ------------------------------------------------------------------------------------------------------


def _clues(b: state.Bench) -> None:
    """Every clue with its switch and weight, and why they are as they are."""
    st.html("<div class='ew-h'>Clues that count, and their weights</div>")
    st.caption("A weight multiplies the logarithm of the likelihood: 1 as calibrated, 0 as if silent. Each change is an edit.")
    for c in clue_switches(b.settings):
        if b.blind and c.modality != "sound":
            continue
        left, right = st.columns([1.5, 1], vertical_alignment="center")
        state.put(f"clue-{c.name}", c.on)
        left.toggle(c.name, key=f"clue-{c.name}", help=c.why or c.reason, on_change=_switch, args=(c.name,))
        _weight(right, c.name, c.weight, c.reason, not c.on or c.name == "agclip")
    if not b.blind:
        st.html("<div class='ew-h'>Share of each sense in “both”</div>")
        for name, weight, reason in modality_weights(b.settings):
            left, right = st.columns([1.5, 1], vertical_alignment="center")
            left.markdown(words.modality(name), help=reason)
            _weight(right, f"modality:{name}", weight, reason, False)


def _weight(place: Any, name: str, weight: float, reason: str, disabled: bool) -> None:
    key = f"weight-{name}"
    state.put(key, float(weight))
    place.number_input(
        f"Weight of {name.replace('modality:', '')}", 0.0, MOST_WEIGHT, step=0.1, key=key, format="%.1f", help=reason,
        label_visibility="collapsed", disabled=disabled, on_change=_weigh, args=(name,),
    )  # fmt: skip


def _switch(name: str) -> None:
    what = "include" if state.value(f"clue-{name}") else "leave out"
    state.do(lambda: engine.Edit(what, name, author=state.analyst() or "analyst", created=edits.stamp()))


def _weigh(name: str) -> None:
    weight = float(state.value(f"weight-{name}"))
    author = state.analyst() or "analyst"
    state.do(lambda: engine.Edit("weight", name, author=author, created=edits.stamp(), weight=weight))


# --- on the selected piece ---------------------------------------------------------------------------------------------------


def buttons(b: state.Bench, found: Finding, p: Perceived) -> None:
    """Drop, confirm, relabel and note."""
    if p.best.kind == "sound":
        return
    tag = hashlib.md5(p.key.encode(), usedforsecurity=False).hexdigest()[:8]  # a widget's key must not hold a file's text
    st.button(
        "Take in again" if p.dropped else "Drop",
        key="drop",
        icon=":material/undo:" if p.dropped else ":material/block:",
        help="Leave it out of the scoring, as foley or a mistake (D)",
        **state.callback(state.drop, p.key, p.title),
    )
    if p.best.kind not in ("species", "text"):
        return
    own = p.observations
    if not p.dropped and not p.added:
        with st.popover("Confirm", icon=":material/check:"):
            who(f"confirm-{tag}")
            sure = _sure(f"confirm-sure-{tag}")
            note = st.text_input("Note", key=f"confirm-note-{tag}", max_chars=300)
            st.caption(_RULE)
            st.button("Confirm it", key="confirm-go", type="primary", **state.callback(_confirm, own, _SURE[sure], note))
    if not p.dropped:
        with st.popover("Relabel", icon=":material/edit:"):
            who(f"relabel-{tag}")
            place = None
            if p.best.kind == "text":
                text = st.text_input("What it says", p.best.label[:80], key=f"relabel-text-{tag}", max_chars=80)
                name: str | None = text
                place = _meaning(text, f"relabel-{tag}")
            else:
                name = _search(f"relabel-{tag}", "What it is")
            sure = _sure(f"relabel-sure-{tag}")
            note = st.text_input("Note", key=f"relabel-note-{tag}", max_chars=300)
            st.button(
                "Relabel it", key="relabel-go", type="primary", disabled=not name,
                **state.callback(_relabel, own, name, _SURE[sure], note, place),
            )  # fmt: skip
    with st.popover("Note", icon=":material/sticky_note_2:"):
        who(f"note-{tag}")
        text = st.text_area("What you noticed", key=f"note-text-{tag}", max_chars=1000, help="It changes no result.")
        st.button("Keep it", key="note-go", type="primary", **state.callback(_remark, p, text, f"note-text-{tag}"))


def _confirm(own: tuple[engine.Observation, ...], chance: float, note: str) -> None:
    state.do(lambda: edits.confirm(own, chance, state.analyst(), note))


def _relabel(own: tuple[engine.Observation, ...], name: str, chance: float, note: str, place: tuple[float, float] | None) -> None:
    b = state.bench()
    before = len(b.settings.edits)
    if state.do(lambda: edits.relabel(own, name, chance, state.analyst(), note, place)):
        made = b.settings.edits[before].replacement
        state.select(made[0].key, made[0].start_s)


def _remark(p: Perceived, text: str, key: str) -> None:
    if state.do(lambda: edits.remark(p.key, text, state.analyst(), p.title)):
        state.put(key, "")


def remarks(b: state.Bench, p: Perceived) -> None:
    """What the analyst wrote of it, and how it stands: confirmed, added, relabelled."""
    told = [edit_words.said(e) for e in b.settings.edits if p.key in (e.target, *(o.key for o in e.replacement[:1]))]
    if told:
        st.html(f"<div class='ew-edits'>{' · '.join(clean(t, 300) for t in told[-4:])}</div>")


# --- what the edits did ---------------------------------------------------------------------------------------------------------


def history(b: state.Bench) -> None:
    """The list of edits and settings with the factor before and after each; worked out when it is opened."""
    count = len(edit_steps(b.settings)) + len(chosen_settings(b.settings))
    if not count:
        return
    box = st.expander(f"Edits and what each did ({count})", key="edits-open", on_change="rerun", icon=":material/history_edu:")
    if not box.open:
        return
    rows = []
    for number, s in enumerate(state.steps(b), 1):
        change = edit_words.change(s)
        rows.append(
            f"<tr><td class='ew-num'>{number}</td><td>{clean(edit_words.said(s.edit), 500)}"
            f"<div class='ew-dim'>{clean(s.edit.created.replace('T', ' ').replace('+00:00', ' UTC'), 40)}"
            f"{_digest(s.edit)}</div></td><td>{clean(change, 300) or '–'}</td></tr>"
        )
    for c in state.choices(b):
        rows.append(
            f"<tr><td></td><td>{clean(edit_words.setting(c), 300)}<div class='ew-dim'>beside the default</div></td>"
            f"<td>{clean(edit_words.setting_change(c), 300) or '–'}</td></tr>"
        )
    what = tip("log₁₀ of the factor, before → after", "Above 0 for one place, below 0 for two")
    head = f"<tr><th></th><th>edit</th><th>{what}</th></tr>"
    box.html(f"<table class='ew-stages ew-history'>{head}{''.join(rows)}</table>")


def _digest(edit: engine.Edit) -> str:
    return f" · of a finding with sha256 {clean(edit.digest[:16])}…" if edit.digest else ""


# --- what each piece does ------------------------------------------------------------------------------------------------------


def effects(b: state.Bench) -> None:
    """What each clue and observation does to factor and place, as bars and as a table to be sorted."""
    box = st.expander("What each piece of evidence does", key="effects-open", on_change="rerun", icon=":material/balance:")
    if not box.open:
        return
    with box:
        with st.spinner("Judging again without each…"):
            found = state.effects(b)
        if not found:
            st.caption("No clue speaks, so nothing can be left out.")
            return
        compared = [e for e in found if e.log10_change is not None and abs(e.log10_change) >= edit_words.SMALL]
        if compared:
            st.plotly_chart(_bars(compared), key="effects-bars", config={"displayModeBar": False})
        st.dataframe(_sheet(found), key="effects-table", hide_index=True, height=min(330, 38 + 35 * len(found)))
        st.caption(
            "The result with it less the result without it, one at a time and on the same map. The factor is the calibrated one "
            "before it is bounded; above 0 speaks for one place."
        )


def _bars(found: list[Effect]) -> go.Figure:
    shown = sorted(found, key=lambda e: abs(e.log10_change or 0.0))[-12:]
    night = dark()
    colours = ["rgb({}, {}, {})".format(*maps.modality_rgb(e.modality, night)) for e in shown]
    names = [_short(e) for e in shown]
    figure = go.Figure(
        go.Bar(
            x=[e.log10_change for e in shown], y=list(range(len(shown))), orientation="h", marker_color=colours,
            text=[edit_words.factor(e.log10_change) for e in shown], textposition="outside", cliponaxis=False,
            hovertext=[clean(edit_words.effect(e), 200) for e in shown], hoverinfo="text",
        )
    )  # fmt: skip
    most = max(abs(e.log10_change or 0.0) for e in shown) * 1.25
    ink = "#e6e8ea" if night else "#30363c"
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(shown))), ticktext=names, fixedrange=True, showgrid=False)
    figure.update_xaxes(
        range=[-most, most], fixedrange=True, zeroline=True, zerolinecolor=ink, zerolinewidth=1, title_standoff=6,
        title="◀ different places    change of log₁₀ factor    one place ▶",
    )  # fmt: skip
    figure.update_layout(
        height=70 + 24 * len(shown), margin={"l": 8, "r": 8, "t": 6, "b": 40}, bargap=0.35, font={"size": 12, "color": ink},
        plot_bgcolor="rgba(0,0,0,0)", paper_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    return figure


def _short(e: Effect) -> str:
    name = "".join(c for c in e.title if c.isprintable())[:28]
    return clean(f"clue {name}" if not e.key else name, 40)


def _sheet(found: tuple[Effect, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "evidence": [f"clue: {e.title}" if not e.key else "".join(c for c in e.title if c.isprintable())[:80] for e in found],
            "sense": [e.modality for e in found],
            "log₁₀ factor": [None if e.log10_change is None else round(e.log10_change, 2) for e in found],
            "place moves, km": [round(e.moved_km) for e in found],
            "both move, km": [None if e.moved_both_km is None else round(e.moved_both_km) for e in found],
            "gain, nats": [round(e.gain_change, 2) for e in found],
            "remark": ["its sense is silent without it" if e.alone else "" for e in found],
        }
    )


# --- blind ---------------------------------------------------------------------------------------------------------------------


def judge_blind(b: state.Bench) -> None:
    """The form in which the sound is judged before anything else is shown."""
    with st.container(border=True):
        st.html(
            "<span class='ew-h'>Judge the sound first</span> <span class='ew-dim'>Picture, signs, verdict, name and tags of the "
            "file are hidden until you record what you think. That cannot be taken back.</span>"
        )
        opinion = st.text_area(
            "Where do you place the sound, and why?", key="blind-opinion", max_chars=1500, height=90,
            placeholder="Europe: Great Tit and Cuckoo together, in spring",
        )  # fmt: skip
        left, right = st.columns(2)
        with left:
            sure = _sure("blind-sure")
        with right:
            who("blind")
        st.button(
            "Record and reveal", key="blind-go", type="primary", icon=":material/visibility:",
            **state.callback(state.reveal, opinion, _SURE[sure]),
        )  # fmt: skip
