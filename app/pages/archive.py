"""Archive: all findings of a case on one map, to be filtered, opened and compared; clips whose ambience is the same recording."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import engine
from app.figures.findings import finding_layers, findings_view
from app.figures.ground import land_layer, line_layer, sea_layer
from app.figures.layers import posterior_layer
from app.figures.placename import spot_place
from app.figures.view import deck, fit_posteriors
from app.panels.queue import job_rows
from app.panels.style import clean, dark, plain, swatch, tip
from app.session import archive, caches, jobs, navigation, widgets
from engine import EarwitnessError
from engine.case import ArchiveEntry, ArchiveQuery
from engine.case.record import archive as records
from engine.core import Verdict, without_password
from engine.media import SharedSound
from engine.report.view import edits as edit_words
from engine.report.view import words

MAP_HEIGHT, MAP_WIDTH = 380, 760
PAIR_HEIGHT, PAIR_WIDTH = 260, 640
_MODALITIES = {"sound": "Sound", "picture": "Picture", "both": "Both"}
_VERDICTS = tuple(str(v) for v in Verdict)
_SAME = (
    "The same peaks of the spectrogram at one and the same lag: the same recording, whatever was said over it, however it was "
    "cut or coded. Not found: recordings whose speed or pitch was changed. Two recordings of one place are two recordings."
)

_FACTOR = "The calibrated factor for one place against two, before and after the decision; none without two locations."


def page() -> None:
    """Show the case that is open, or the ways to open one."""
    opened = archive.current()
    archive.take(opened)
    if opened.work is not None:
        reading(opened)
    elif opened.archive is not None:
        case(opened)
    else:
        empty(opened)


# --- no case yet --------------------------------------------------------------------------------------------------------


def empty(opened: archive.ArchiveSession) -> None:
    """What a case is, those opened before, and how to make one."""
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        st.html("<div style='height:2.5vh'></div>")
        st.title("Many clips at once", anchor=False)
        st.write(
            "A case is a folder that holds the findings of many clips, with a log of who did what when. Here they are on one "
            "map, to be filtered and compared."
        )
        messages(opened)
        open_form(opened, "first")
        found = records.recent()
        if found:
            st.html("<div class='ew-h' style='margin-top:.8rem'>Opened before</div>")
            for place in found:
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    name = clean(place.rpartition("/")[2], 60)
                    st.html(f"<div class='ew-clip'><b>{name}</b> <small>{clean(place, 200)}</small></div>")
                    st.space("stretch")
                    st.button("Open", key=f"case-{place}", **widgets.callback(archive.open_case, opened, place))
                    st.button("", key=f"case-forget-{place}", icon=":material/close:", help="Off this list; the case is kept",
                              **widgets.callback(records.forget, place))  # fmt: skip
        batches()
        making(opened)


def messages(opened: archive.ArchiveSession) -> None:
    if opened.error:
        st.error(plain(opened.error, 600), icon=":material/error:")
    elif opened.note:
        st.info(plain(opened.note, 300), icon=":material/info:")


def open_form(opened: archive.ArchiveSession, where: str) -> None:
    """Open a case by its folder."""
    with st.form(f"case-open-{where}", border=False, enter_to_submit=True):
        left, right = st.columns([5, 1], vertical_alignment="bottom")
        place = left.text_input("Folder of a case", placeholder="/home/me/cases/golf", key=f"case-path-{where}",
                                help="Or the address of a team's database: postgresql://…")  # fmt: skip
        if right.form_submit_button("Open", type="primary", width="stretch"):
            archive.open_case(opened, place)
            st.rerun()


def making(opened: archive.ArchiveSession) -> None:
    """Make a case from a folder of clips, in the worker."""
    with st.expander("Make a case from a folder of clips", icon=":material/create_new_folder:", expanded=not records.recent()):
        with st.form("case-make", border=False):
            source = st.text_input("Folder, file or pattern", placeholder="/home/me/films/2024", key="case-inputs")
            target = st.text_input(
                "Folder of the case; created if it does not exist", placeholder="/home/me/cases/golf", key="case-target"
            )
            if st.form_submit_button("Examine them all", type="primary"):
                archive.start_batch(opened, source, target)
                st.rerun()
        st.caption("The same as `earwitness batch FOLDER -o CASE`. It goes on when the browser is closed, and can be resumed.")


def batches() -> None:
    """Batches that are going on or have ended, with ways to stop, resume and open them."""
    found = [(t, jobs.queue().status(t.id)) for t in jobs.queue().tickets() if t.inputs]
    if found:
        st.html("<div class='ew-h' style='margin-top:.8rem'>Batches</div>")
        (_moving if any(not s.ended for _, s in found) else job_rows)(found)


@st.fragment(run_every=1.0)
def _moving(_: Any) -> None:
    found = [(t, jobs.queue().status(t.id)) for t in jobs.queue().tickets() if t.inputs]
    if widgets.value(navigation.CASE) or all(s.ended for _, s in found):
        st.rerun(scope="app")
    job_rows(found)


@st.fragment(run_every=0.4)
def reading(opened: archive.ArchiveSession) -> None:
    """While a large case is read for the first time."""
    if opened.work is None or not opened.work.running:
        st.rerun(scope="app")
        return
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        progress = opened.work.progress
        count = f", {progress.done:,.0f} findings" if progress and progress.done else ""
        st.progress(0.0, text=plain(f"{progress.stage if progress else 'opening'}{count}"))
        st.button("Cancel", key="case-cancel", icon=":material/close:", **widgets.callback(archive.close, opened))


# --- a case -------------------------------------------------------------------------------------------------------------


def case(opened: archive.ArchiveSession) -> None:
    """Filters, map and table, then what is chosen, then the ambiences."""
    assert opened.archive is not None
    header(opened)
    messages(opened)
    filters(opened)
    found = archive.listed(opened)
    left, right = st.columns([0.54, 0.46], gap="medium")
    with right:
        table(opened, found)
    with left:
        all_on_one(opened, found)
    looked_at(opened)
    same_ambience(opened)
    unexamined(opened)


def header(opened: archive.ArchiveSession) -> None:
    """The case's facts and the ways in and out."""
    a = opened.archive
    assert a is not None
    left, again, out = st.columns([9, 1.2, 1.1], vertical_alignment="center")
    clips = len({e.sha256 for e in a.entries})
    facts = [f"{_many(clips, 'clip')}", _many(len(a.entries), "finding"), f"head of the log {a.head[:12]}…"]
    if a.problems:
        facts.insert(2, f"{len(a.problems):,} not examined")
    said = "".join(f"<span>{clean(x)}</span>" for x in facts)
    where = clean(without_password(a.place), 300)
    left.html(f"<div class='ew-facts'><b title='{where}'>{clean(a.title, 70)}</b>{said}</div>")
    again.button("Read again", key="case-again", icon=":material/refresh:", width="stretch", help="As the case is now",
                 **widgets.callback(archive.read_again, opened))  # fmt: skip
    with out.popover("Open", icon=":material/folder_open:", width="stretch"):
        open_form(opened, "again")
        making(opened)
        batches()
        st.button("Close this case", key="case-close", icon=":material/close:", **widgets.callback(archive.close, opened))


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def filters(opened: archive.ArchiveSession) -> None:
    """What is asked for; every change answers at once."""
    with st.container(key="case-filters"):
        st.html(_CSS)
        _filters(opened)


_CSS = """<style>@media (max-width: 640px) {
.st-key-case-filters [data-testid="stColumn"] {min-width: calc(50% - 1rem); width: calc(50% - 1rem); flex: 1 1 calc(50% - 1rem);}
.st-key-case-filters [data-testid="stHorizontalBlock"] {gap: .4rem 1rem;}}</style>"""


def _filters(opened: archive.ArchiveSession) -> None:
    one = st.columns([1.6, 1.2, 1.2, 1.2, 1.2])
    one[0].multiselect("Verdict", _VERDICTS, key="case-verdict", placeholder="any", on_change=_ask, args=(opened,))
    for column, key, label in (
        (one[1], "species", "Species heard"),
        (one[2], "atom", "Sound heard (atom)"),
        (one[3], "text", "Text read"),
        (one[4], "name", "File name"),
    ):
        column.text_input(label, key=f"case-{key}", placeholder="any", on_change=_ask, args=(opened,))
    two = st.columns([1.6, 1.2, 1.2, 1.2, 1.2])
    two[0].text_input(
        "Points to near", key="case-near", placeholder="Augusta, Georgia · 33.47, -81.97", on_change=_ask, args=(opened,)
    )
    widgets.default("case-km", 300)
    two[1].number_input("Within, km", 10, 5000, step=50, key="case-km", on_change=_ask, args=(opened,))
    two[2].selectbox("By which modality", ["any", *_MODALITIES], key="case-near-modality", on_change=_ask, args=(opened,),
                     format_func=lambda s: _MODALITIES.get(s, "any"))  # fmt: skip
    two[3].date_input(
        "Recorded since", value=None, key="case-since", format="YYYY-MM-DD", on_change=_ask, args=(opened,), help=_DATED
    )
    two[4].date_input(
        "Recorded until", value=None, key="case-until", format="YYYY-MM-DD", on_change=_ask, args=(opened,), help=_DATED
    )


_DATED = "The day the analyst set, else the one the file itself states; clips without one are then left out."


def _ask(opened: archive.ArchiveSession) -> None:
    """Take over the filters. A place that means several or none leaves the others as they are, with a sentence."""
    text = (widgets.value("case-near") or "").strip()
    near, opened.error, opened.note = None, "", ""
    if text:
        try:
            found = engine.find_places(text)
        except EarwitnessError as error:
            opened.error, found = str(error), ()
        if found:
            place = found[0]
            near = (place.lat_deg, place.lon_deg, float(widgets.value("case-km") or 300))
            opened.note = f"Near {place.name}, the largest of {len(found)} places of that name." if len(found) > 1 else ""
    modality = widgets.value("case-near-modality") or "any"
    opened.query = ArchiveQuery(
        verdicts=frozenset(widgets.value("case-verdict") or ()),
        near=near,
        modality="" if modality == "any" else modality,
        since=widgets.value("case-since"),
        until=widgets.value("case-until"),
        **{k: (widgets.value(f"case-{k}") or "").strip() for k in ("species", "atom", "text", "name")},
    )
    opened.turn += 1


def all_on_one(opened: archive.ArchiveSession, found: tuple[ArchiveEntry, ...]) -> None:
    """The map of all findings that are asked for."""
    widgets.default("case-modalities", list(_MODALITIES))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.pills("Modalities", list(_MODALITIES), selection_mode="multi", key="case-modalities",
                 format_func=_MODALITIES.__getitem__, label_visibility="collapsed")  # fmt: skip
        st.space("stretch")
        st.html(f"<span class='ew-edits ew-dim'>{_counted(found)}</span>")
    modalities = [s for s in _MODALITIES if s in (widgets.value("case-modalities") or ())]
    night, urls = dark(), caches.ground_urls()
    layers = [sea_layer(night, 90.0), land_layer(urls["land"], night)]
    layers += [line_layer("border", urls["border"], night), line_layer("coast", urls["coast"], night)]
    layers += finding_layers(found, modalities, opened.chosen, night)
    view = findings_view(found, modalities, MAP_WIDTH, MAP_HEIGHT, opened.turn)
    st.pydeck_chart(
        deck(layers, view, False),
        height=MAP_HEIGHT,
        key="case-map",
        on_select=lambda: _picked(opened),
        selection_mode="single-object",
        alt=f"Map of {len(found)} findings",
    )
    keys = "".join(f"<span class='ew-key'>{swatch(s)} {clean(n)}</span>" for s, n in _MODALITIES.items() if s in modalities)
    st.html(f"<div class='ew-legend'>{keys}<span class='ew-dim'>click a mark to look at it, then another to compare</span></div>")


def _counted(found: tuple[ArchiveEntry, ...]) -> str:
    count = {v: sum(e.verdict == v for e in found) for v in _VERDICTS}
    counts = ", ".join(f"{n:,} {v}" for v, n in count.items() if n)
    return clean(f"{_many(len(found), 'finding')}: {counts}" if found else "no finding matches", 200)


def _picked(opened: archive.ArchiveSession) -> None:
    picked = widgets.value("case-map")
    objects = picked.get("selection", {}).get("objects", {}) if hasattr(picked, "get") else {}
    for rows in objects.values():
        for row in rows:
            finding = row.get("id") if isinstance(row, dict) else None
            if isinstance(finding, str) and archive.entry(opened, finding) is not None:
                archive.choose(opened, (*(x for x in opened.chosen if x != finding), finding))
                return


def table(opened: archive.ArchiveSession, found: tuple[ArchiveEntry, ...]) -> None:
    """The findings as rows; one ticked is looked at, two are compared."""
    rows = pd.DataFrame([_row(e) for e in found], columns=["clip", "verdict", "sound", "picture", "heard", "read", "recorded"])
    ids = [e.id for e in found]
    key = f"case-table-{opened.turn}"
    st.dataframe(
        rows,
        key=key,
        height=MAP_HEIGHT + 62,
        hide_index=True,
        on_select=lambda: _ticked(opened, key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(i) for i in opened.chosen if i in ids]}},
        column_config={"clip": st.column_config.TextColumn(pinned=True, width="medium")},
    )


def _ticked(opened: archive.ArchiveSession, key: str, ids: list[str]) -> None:
    picked = widgets.value(key)
    ticked = picked.get("selection", {}).get("rows", []) if hasattr(picked, "get") else []
    now = [ids[i] for i in ticked if isinstance(i, int) and 0 <= i < len(ids)]
    kept = [i for i in opened.chosen if i in now]
    both = (*kept, *(i for i in now if i not in kept))
    opened.chosen = tuple(both[-archive.MOST_COMPARED :])
    if len(both) > archive.MOST_COMPARED:
        opened.turn += 1


def _row(e: ArchiveEntry) -> dict[str, object]:
    return {
        "clip": e.title,
        "verdict": e.verdict if len(e.spots) else str(Verdict.CANNOT_TELL),
        **{s: spot_place(x) if (x := e.spot(s)) else "cannot tell" for s in ("sound", "picture")},
        "heard": ", ".join(t.name or t.label for t in e.of("species")[:3]),
        "read": " · ".join(t.label for t in e.of("text")[:3]),
        "recorded": e.recorded.isoformat() if e.recorded else "",
    }


# --- what is chosen -----------------------------------------------------------------------------------------------------


def looked_at(opened: archive.ArchiveSession) -> None:
    """One finding, or two side by side."""
    pair = archive.chosen(opened)
    if not pair:
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f"<span class='ew-h'>{'Side by side' if len(pair) == 2 else 'Selected'}</span>")
            if len(pair) == 2:
                st.html(f"<span class='ew-edits'>{_apart(opened, *pair)}</span>")
            else:
                st.html("<span class='ew-edits ew-dim'>choose a second one to compare</span>")
            st.space("stretch")
            widgets.default("case-pair-modality", "sound")
            st.segmented_control("Map of", list(_MODALITIES), key="case-pair-modality", required=True,
                                 format_func=_MODALITIES.__getitem__, label_visibility="collapsed")  # fmt: skip
            st.button(
                "",
                key="case-none",
                icon=":material/close:",
                help="Clear the selection",
                **widgets.callback(archive.choose, opened, ()),
            )
        for column, e, other in zip(st.columns(2), pair, (*pair[1:], None), strict=False):
            with column:
                beside = other or next((x for x in pair if x is not e), None)
                finding(opened, e, beside)


def finding(opened: archive.ArchiveSession, e: ArchiveEntry, beside: ArchiveEntry | None) -> None:
    """One finding: what it says, its map and its lists; what both have is marked."""
    modality = widgets.value("case-pair-modality") or "sound"
    left, right = st.columns([3, 1], vertical_alignment="center")
    facts = [words.span(round(e.start_s), round(e.end_s)), ", ".join(x for x in (e.verdict, e.odds) if x)]
    left.html(f"<b>{clean(e.title, 70)}</b><span class='ew-dim'> · {clean(' · '.join(facts), 160)}</span>")
    right.button("Open in Examine", key=f"case-examine-{e.id}", width="stretch", **widgets.callback(archive.examine, opened, e))
    spot = e.spot(modality)
    if spot is None:
        st.caption(f"{_MODALITIES[modality]}: cannot tell.")
    else:
        _posterior(opened, e, modality)
        st.html(
            f"<div class='ew-edits'>{swatch(modality)} {clean(spot_place(spot), 120)} "
            f"<span class='ew-dim'>· 90% in {clean(words.area(spot.area_km2))}</span></div>"
        )
    for kind, label in (("species", "heard"), ("text", "read"), ("atom", "sounds")):
        _things(e, beside, kind, label)
    _decided(opened, e)


def _decided(opened: archive.ArchiveSession, e: ArchiveEntry) -> None:
    """Who decided what about it, with the factor before and after."""
    made = opened.archive.decided(e) if opened.archive else ()
    if not made:
        return
    rows = ""
    for d in made:
        when, factors = d.when[:16].replace("T", " "), [edit_words.factor(x) for x in (d.log10_before, d.log10_after)]
        moved = " → ".join(factors) if factors != ["none", "none"] else ""
        why = f" <span class='ew-dim'>{clean(d.why, 300)}</span>" if d.why else ""
        rows += f"<tr><td>{clean(when)}</td><td>{clean(d.who, 40)}</td><td>{clean(d.what, 120)}{why}</td><td>{moved}</td></tr>"
    with st.expander(f"{_many(len(made), 'decision')} in the log", icon=":material/edit_note:"):
        head = f"<tr><th>when, UTC</th><th>who</th><th>what</th><th>{tip('log₁₀ factor', _FACTOR)}</th></tr>"
        st.html(f"<table class='ew-stages'>{head}{rows}</table>")


def _posterior(opened: archive.ArchiveSession, e: ArchiveEntry, modality: str) -> None:
    """The map of one finding, in a view that contains both, so that they can be compared side by side."""
    try:
        found = {x.id: records.posteriors(archive.document(opened, x)).get(modality) for x in archive.chosen(opened)}
    except EarwitnessError as error:
        st.caption(plain(error, 300))
        return
    posterior = found.get(e.id)
    view = fit_posteriors([x for x in found.values() if x is not None], PAIR_WIDTH, PAIR_HEIGHT)
    night, urls = dark(), caches.ground_urls()
    layers = [sea_layer(night, 90.0), land_layer(urls["land"], night)]
    if posterior is not None:
        layers.append(posterior_layer(posterior, modality, night))
    layers += [line_layer("border", urls["border"], night), line_layer("coast", urls["coast"], night)]
    layers += finding_layers([e], [modality], [e.id], night)
    st.pydeck_chart(
        deck(layers, view, False),
        height=PAIR_HEIGHT,
        key=f"case-posterior-{e.id}-{modality}",
        alt=f"Where the {modality} of {e.title} points",
    )


def _things(e: ArchiveEntry, beside: ArchiveEntry | None, kind: str, label: str) -> None:
    own = e.of(kind)
    if not own:
        return
    common = {t.label for t in beside.of(kind)} if beside else set()
    chips = "".join(
        f"<span class='ew-chip' title='score {t.score:.2f}'>{'<b>' if t.label in common else ''}{clean(t.name or t.label, 40)}"
        f"{' ✓ both</b>' if t.label in common else ''}</span>"
        for t in own[:14]
    )
    more = f"<span class='ew-dim'>and {len(own) - 14} more</span>" if len(own) > 14 else ""
    st.html(f"<div class='ew-edits'><span class='ew-dim'>{label}</span> {chips}{more}</div>")


def _apart(opened: archive.ArchiveSession, one: ArchiveEntry, other: ArchiveEntry) -> str:
    """How far the two lie apart by each modality, and whether their ambience is the same recording."""
    said = []
    for modality, name in _MODALITIES.items():
        a, c = one.spot(modality), other.spot(modality)
        if a and c:
            km = float(engine.distance_km(a.lat_deg, a.lon_deg, c.lat_deg, c.lon_deg))
            said.append(f"{swatch(modality)} {name.lower()} {clean(words.km(km))} apart")
    shared = _shared(opened, one.sha256, other.sha256)
    if one.sha256 == other.sha256:
        said.append("the same file")
    elif shared is not None:
        said.append(f"<b>{tip('the same recording in both', _SAME)}</b>: {clean(_lag(shared), 160)}")
    elif opened.archive and opened.archive.unprinted == 0:
        said.append("no recording in common")
    return " · ".join(said)


def _shared(opened: archive.ArchiveSession, one: str, other: str) -> SharedSound | None:
    for a, c, shared in opened.archive.same if opened.archive else ():
        if (a, c) == (one, other):
            return shared
        if (c, a) == (one, other):
            return records.turned(shared)
    return None


def _lag(shared: SharedSound) -> str:
    there = shared.start_s + shared.lag_s
    return (
        f"{words.span(round(shared.start_s), round(shared.end_s))} is heard there from {words.clock(max(0.0, there))} "
        f"({shared.marks:,} marks, {shared.share:.0%})"
    )


# --- ambiences, and what could not be examined --------------------------------------------------------------------------


def same_ambience(opened: archive.ArchiveSession) -> None:
    """Pairs of clips that hold the same recording."""
    a = opened.archive
    assert a is not None
    names = {e.sha256: e.path.rpartition("/")[2] for e in a.entries}
    pairs = [(x, y, s) for x, y, s in a.same if x in names and y in names]
    title = f"The same ambience: {_many(len(pairs), 'pair')} of clips" if pairs else "No two clips have the same ambience"
    with st.expander(title, icon=":material/graphic_eq:", expanded=bool(pairs)):
        st.caption(_SAME)
        if a.unprinted:
            st.caption(
                f"{_many(a.unprinted, 'clip')} of this case ha{'s' if a.unprinted == 1 else 've'} no fingerprint, since an "
                "earlier version examined them. Run the batch again to take it."
            )
        for number, (x, y, s) in enumerate(pairs[:60]):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.html(
                    f"<div class='ew-clip'><b>{clean(names[x], 50)}</b> and <b>{clean(names[y], 50)}</b> "
                    f"<small>{clean(_lag(s), 160)}</small></div>"
                )
                st.space("stretch")
                st.button("Compare", key=f"case-same-{number}", **widgets.callback(archive.compare_clips, opened, x, y))


def unexamined(opened: archive.ArchiveSession) -> None:
    """Clips that could not be examined, and why."""
    a = opened.archive
    if a is None or not a.problems:
        return
    with st.expander(f"{_many(len(a.problems), 'clip')} could not be examined", icon=":material/error:"):
        lines = "".join(f"<tr><td>{clean(p, 120)}</td><td>{clean(why, 300)}</td></tr>" for p, why in a.problems[:200])
        st.html(f"<table class='ew-stages'>{lines}</table>")


page()
