"""Archive: all findings of a case on one map, to be filtered, opened and compared; clips whose ambience is the same recording."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import engine
from app import archive_map, casebook, maps, shelf, state
from app.casebook import Book
from app.frame import clean, dark, plain, swatch, tip
from engine import EarwitnessError
from engine.case import ArchiveEntry, ArchiveQuery
from engine.case.record import archive
from engine.core import without_password
from engine.media import SharedSound
from engine.report.view import edits as edit_words
from engine.report.view import words

MAP_HEIGHT, MAP_WIDTH = 380, 760
PAIR_HEIGHT, PAIR_WIDTH = 260, 640
_SENSES = {"sound": "Sound", "picture": "Picture", "both": "Both"}
_VERDICTS = ("same place", "different places", "cannot tell")
_SAME = (
    "The same peaks of the spectrogram at one and the same lag: the same recording, whatever was said over it, however it was "
    "cut or coded. Not found: recordings whose speed or pitch was changed. Two recordings of one place are two recordings."
)

_FACTOR = "The calibrated factor for one place against two, before and after the decision; none where a sense says nothing."


def page() -> None:
    """Show the case that is open, or the ways to open one."""
    b = casebook.book()
    casebook.take(b)
    if b.work is not None:
        reading(b)
    elif b.archive is not None:
        case(b)
    else:
        empty(b)


# --- no case yet --------------------------------------------------------------------------------------------------------


def empty(b: Book) -> None:
    """What a case is, those opened before, and how to make one."""
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        st.html("<div style='height:2.5vh'></div>")
        st.title("Many clips at once", anchor=False)
        st.write(
            "A case is a folder that holds the findings of many clips, with a log of who did what when. Here they lie on one "
            "map, to be filtered and compared."
        )
        told(b)
        opening(b, "first")
        found = archive.recent()
        if found:
            st.html("<div class='ew-h' style='margin-top:.8rem'>Opened before</div>")
            for place in found:
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    name = clean(place.rpartition("/")[2], 60)
                    st.html(f"<div class='ew-shelf'><b>{name}</b> <small>{clean(place, 200)}</small></div>")
                    st.space("stretch")
                    st.button("Open", key=f"case-{place}", **state.callback(casebook.open_case, b, place))
                    st.button("", key=f"case-forget-{place}", icon=":material/close:", help="Off this list; the case stays",
                              **state.callback(archive.forget, place))  # fmt: skip
        batches()
        making(b)


def told(b: Book) -> None:
    if b.error:
        st.error(plain(b.error, 600), icon=":material/error:")
    elif b.note:
        st.info(plain(b.note, 300), icon=":material/info:")


def opening(b: Book, where: str) -> None:
    """Open a case by its folder."""
    with st.form(f"case-open-{where}", border=False, enter_to_submit=True):
        left, right = st.columns([5, 1], vertical_alignment="bottom")
        place = left.text_input("Folder of a case", placeholder="/home/me/cases/golf", key=f"case-path-{where}",
                                help="Or the address of a team's database: postgresql://…")  # fmt: skip
        if right.form_submit_button("Open", type="primary", width="stretch"):
            casebook.open_case(b, place)
            st.rerun()


def making(b: Book) -> None:
    """Make a case from a folder of clips, in the worker."""
    with st.expander("Make a case from a folder of clips", icon=":material/create_new_folder:", expanded=not archive.recent()):
        with st.form("case-make", border=False):
            source = st.text_input("Folder, file or pattern", placeholder="/home/me/films/2024", key="case-inputs")
            target = st.text_input(
                "Folder of the case, made when it is not there", placeholder="/home/me/cases/golf", key="case-target"
            )
            if st.form_submit_button("Examine them all", type="primary"):
                casebook.start_batch(b, source, target)
                st.rerun()
        st.caption("The same as `earwitness batch FOLDER -o CASE`. It goes on when the browser is closed, and can be resumed.")


def batches() -> None:
    """Batches that are going on or have ended, with ways to stop, resume and open them."""
    found = [(t, state.queue().status(t.id)) for t in state.queue().tickets() if t.inputs]
    if found:
        st.html("<div class='ew-h' style='margin-top:.8rem'>Batches</div>")
        (_moving if any(not s.ended for _, s in found) else shelf.rows)(found)


@st.fragment(run_every=1.0)
def _moving(_: Any) -> None:
    found = [(t, state.queue().status(t.id)) for t in state.queue().tickets() if t.inputs]
    if state.value(state.CASE) or all(s.ended for _, s in found):
        st.rerun(scope="app")
    shelf.rows(found)


@st.fragment(run_every=0.4)
def reading(b: Book) -> None:
    """While a large case is read for the first time."""
    if b.work is None or not b.work.running:
        st.rerun(scope="app")
        return
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        progress = b.work.progress
        count = f", {progress.done:,.0f} findings" if progress and progress.done else ""
        st.progress(0.0, text=plain(f"{progress.stage if progress else 'opening'}{count}"))
        st.button("Cancel", key="case-cancel", icon=":material/close:", **state.callback(casebook.close, b))


# --- a case -------------------------------------------------------------------------------------------------------------


def case(b: Book) -> None:
    """Filters, map and table, then what is chosen, then the ambiences."""
    assert b.archive is not None
    header(b)
    told(b)
    filters(b)
    found = casebook.listed(b)
    left, right = st.columns([0.54, 0.46], gap="medium")
    with right:
        table(b, found)
    with left:
        all_on_one(b, found)
    looked_at(b)
    same_ambience(b)
    unexamined(b)


def header(b: Book) -> None:
    """The case's facts and the ways in and out."""
    a = b.archive
    assert a is not None
    left, again, out = st.columns([9, 1.2, 1.1], vertical_alignment="center")
    clips = len({e.sha256 for e in a.entries})
    facts = [f"{_many(clips, 'clip')}", _many(len(a.entries), "finding"), f"head of the log {a.head[:12]}…"]
    if a.problems:
        facts.insert(2, f"{len(a.problems):,} not examined")
    said = "".join(f"<span>{clean(x)}</span>" for x in facts)
    where = clean(without_password(a.place), 300)
    left.html(f"<div class='ew-facts'><b title='{where}'>{clean(a.title, 70)}</b>{said}</div>")
    again.button("Read again", key="case-again", icon=":material/refresh:", width="stretch", help="As the case is by now",
                 **state.callback(casebook.read_again, b))  # fmt: skip
    with out.popover("Open", icon=":material/folder_open:", width="stretch"):
        opening(b, "again")
        making(b)
        batches()
        st.button("Close this case", key="case-close", icon=":material/close:", **state.callback(casebook.close, b))


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def filters(b: Book) -> None:
    """What is asked for; every change answers at once."""
    with st.container(key="case-filters"):
        st.html(_CSS)
        _filters(b)


_CSS = """<style>@media (max-width: 640px) {
.st-key-case-filters [data-testid="stColumn"] {min-width: calc(50% - 1rem); width: calc(50% - 1rem); flex: 1 1 calc(50% - 1rem);}
.st-key-case-filters [data-testid="stHorizontalBlock"] {gap: .4rem 1rem;}}</style>"""


def _filters(b: Book) -> None:
    one = st.columns([1.6, 1.2, 1.2, 1.2, 1.2])
    one[0].multiselect("Verdict", _VERDICTS, key="case-verdict", placeholder="any", on_change=_ask, args=(b,))
    for column, key, label in (
        (one[1], "species", "Species heard"),
        (one[2], "atom", "Sound heard (atom)"),
        (one[3], "text", "Text read"),
        (one[4], "name", "File name"),
    ):
        column.text_input(label, key=f"case-{key}", placeholder="any", on_change=_ask, args=(b,))
    two = st.columns([1.6, 1.2, 1.2, 1.2, 1.2])
    two[0].text_input(
        "Points to near", key="case-near", placeholder="Augusta, Georgia · 33.47, -81.97", on_change=_ask, args=(b,)
    )
    state.default("case-km", 300)
    two[1].number_input("Within, km", 10, 5000, step=50, key="case-km", on_change=_ask, args=(b,))
    two[2].selectbox("By which sense", ["any", *_SENSES], key="case-near-sense", on_change=_ask, args=(b,),
                     format_func=lambda s: _SENSES.get(s, "any"))  # fmt: skip
    two[3].date_input("Recorded since", value=None, key="case-since", format="YYYY-MM-DD", on_change=_ask, args=(b,), help=_DATED)
    two[4].date_input("Recorded until", value=None, key="case-until", format="YYYY-MM-DD", on_change=_ask, args=(b,), help=_DATED)


_DATED = "The day the analyst set, else the one the file itself states; clips without one are then left out."


def _ask(b: Book) -> None:
    """Take over the filters. A place that means several or none leaves the others as they are, with a sentence."""
    text = (state.value("case-near") or "").strip()
    near, b.error, b.note = None, "", ""
    if text:
        try:
            found = engine.find_places(text)
        except EarwitnessError as error:
            b.error, found = str(error), ()
        if found:
            place = found[0]
            near = (place.lat_deg, place.lon_deg, float(state.value("case-km") or 300))
            b.note = f"Near {place.name}, the largest of {len(found)} places of that name." if len(found) > 1 else ""
    sense = state.value("case-near-sense") or "any"
    b.query = ArchiveQuery(
        verdicts=frozenset(state.value("case-verdict") or ()),
        near=near,
        modality="" if sense == "any" else sense,
        since=state.value("case-since"),
        until=state.value("case-until"),
        **{k: (state.value(f"case-{k}") or "").strip() for k in ("species", "atom", "text", "name")},
    )
    b.turn += 1


def all_on_one(b: Book, found: tuple[ArchiveEntry, ...]) -> None:
    """The map of all findings that are asked for."""
    state.default("case-senses", list(_SENSES))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.pills("Senses", list(_SENSES), selection_mode="multi", key="case-senses", format_func=_SENSES.get,
                 label_visibility="collapsed")  # fmt: skip
        st.space("stretch")
        st.html(f"<span class='ew-edits ew-dim'>{_counted(found)}</span>")
    senses = [s for s in _SENSES if s in (state.value("case-senses") or ())]
    night, urls = dark(), state.ground_urls()
    layers = [maps.sea_layer(night, 90.0), maps.land_layer(urls["land"], night)]
    layers += [maps.line_layer("border", urls["border"], night), maps.line_layer("coast", urls["coast"], night)]
    layers += archive_map.finding_layers(found, senses, b.chosen, night)
    view = archive_map.view_of(found, senses, MAP_WIDTH, MAP_HEIGHT, b.turn)
    st.pydeck_chart(
        maps.deck(layers, view, False),
        height=MAP_HEIGHT,
        key="case-map",
        on_select=lambda: _picked(b),
        selection_mode="single-object",
        alt=f"Map of {len(found)} findings",
    )
    keys = "".join(f"<span class='ew-key'>{swatch(s)} {clean(n)}</span>" for s, n in _SENSES.items() if s in senses)
    st.html(f"<div class='ew-legend'>{keys}<span class='ew-dim'>click a mark to look at it, then another to compare</span></div>")


def _counted(found: tuple[ArchiveEntry, ...]) -> str:
    count = {v: sum(e.verdict == v for e in found) for v in _VERDICTS}
    told = ", ".join(f"{n:,} {v}" for v, n in count.items() if n)
    return clean(f"{_many(len(found), 'finding')}: {told}" if found else "nothing fits what is asked for", 200)


def _picked(b: Book) -> None:
    held = state.value("case-map")
    objects = held.get("selection", {}).get("objects", {}) if hasattr(held, "get") else {}
    for rows in objects.values():
        for row in rows:
            finding = row.get("id") if isinstance(row, dict) else None
            if isinstance(finding, str) and casebook.entry(b, finding) is not None:
                casebook.choose(b, (*(x for x in b.chosen if x != finding), finding))
                return


def table(b: Book, found: tuple[ArchiveEntry, ...]) -> None:
    """The findings as rows; one ticked is looked at, two are compared."""
    rows = pd.DataFrame([_row(e) for e in found], columns=["clip", "verdict", "sound", "picture", "heard", "read", "recorded"])
    ids = [e.id for e in found]
    key = f"case-table-{b.turn}"
    st.dataframe(
        rows,
        key=key,
        height=MAP_HEIGHT + 62,
        hide_index=True,
        on_select=lambda: _ticked(b, key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(i) for i in b.chosen if i in ids]}},
        column_config={"clip": st.column_config.TextColumn(pinned=True, width="medium")},
    )


def _ticked(b: Book, key: str, ids: list[str]) -> None:
    held = state.value(key)
    ticked = held.get("selection", {}).get("rows", []) if hasattr(held, "get") else []
    now = [ids[i] for i in ticked if isinstance(i, int) and 0 <= i < len(ids)]
    kept = [i for i in b.chosen if i in now]
    both = (*kept, *(i for i in now if i not in kept))
    b.chosen = tuple(both[-casebook.MOST_COMPARED :])
    if len(both) > casebook.MOST_COMPARED:
        b.turn += 1


def _row(e: ArchiveEntry) -> dict[str, object]:
    return {
        "clip": e.title,
        "verdict": e.verdict if len(e.spots) else "cannot tell",
        **{s: archive_map.where(x) if (x := e.spot(s)) else "cannot tell" for s in ("sound", "picture")},
        "heard": ", ".join(t.name or t.label for t in e.of("species")[:3]),
        "read": " · ".join(t.label for t in e.of("text")[:3]),
        "recorded": e.recorded.isoformat() if e.recorded else "",
    }


# --- what is chosen -----------------------------------------------------------------------------------------------------


def looked_at(b: Book) -> None:
    """One finding, or two side by side."""
    pair = casebook.chosen(b)
    if not pair:
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f"<span class='ew-h'>{'Side by side' if len(pair) == 2 else 'Looked at'}</span>")
            if len(pair) == 2:
                st.html(f"<span class='ew-edits'>{_apart(b, *pair)}</span>")
            else:
                st.html("<span class='ew-edits ew-dim'>choose a second one to compare</span>")
            st.space("stretch")
            state.default("case-pair-sense", "sound")
            st.segmented_control("Map of", list(_SENSES), key="case-pair-sense", format_func=_SENSES.get, required=True,
                                 label_visibility="collapsed")  # fmt: skip
            st.button("", key="case-none", icon=":material/close:", help="Look at none", **state.callback(casebook.choose, b, ()))
        for column, e, other in zip(st.columns(2), pair, (*pair[1:], None), strict=False):
            with column:
                beside = other or next((x for x in pair if x is not e), None)
                finding(b, e, beside)


def finding(b: Book, e: ArchiveEntry, beside: ArchiveEntry | None) -> None:
    """One finding: what it says, its map and its lists; what both have is marked."""
    sense = state.value("case-pair-sense") or "sound"
    left, right = st.columns([3, 1], vertical_alignment="center")
    told_of = [words.span(round(e.start_s), round(e.end_s)), ", ".join(x for x in (e.verdict, e.odds) if x)]
    left.html(f"<b>{clean(e.title, 70)}</b><span class='ew-dim'> · {clean(' · '.join(told_of), 160)}</span>")
    right.button("Open in Examine", key=f"case-examine-{e.id}", width="stretch", **state.callback(casebook.examine, b, e))
    spot = e.spot(sense)
    if spot is None:
        st.caption(f"{_SENSES[sense]}: cannot tell.")
    else:
        _belief(b, e, sense)
        st.html(
            f"<div class='ew-edits'>{swatch(sense)} {clean(archive_map.where(spot), 120)} "
            f"<span class='ew-dim'>· 90% in {clean(words.area(spot.area_km2))}</span></div>"
        )
    for kind, label in (("species", "heard"), ("text", "read"), ("atom", "sounds")):
        _things(e, beside, kind, label)
    _decided(b, e)


def _decided(b: Book, e: ArchiveEntry) -> None:
    """Who decided what about it, with the factor before and after."""
    made = b.archive.decided(e) if b.archive else ()
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


def _belief(b: Book, e: ArchiveEntry, sense: str) -> None:
    """The map of one finding, in a view that holds those of both, so that they can be held side by side."""
    try:
        found = {x.id: archive.posteriors(casebook.document(b, x)).get(sense) for x in casebook.chosen(b)}
    except EarwitnessError as error:
        st.caption(plain(error, 300))
        return
    belief = found.get(e.id)
    view = maps.fit_beliefs([x for x in found.values() if x is not None], PAIR_WIDTH, PAIR_HEIGHT)
    night, urls = dark(), state.ground_urls()
    layers = [maps.sea_layer(night, 90.0), maps.land_layer(urls["land"], night)]
    if belief is not None:
        layers.append(maps.belief_layer(belief, sense, night))
    layers += [maps.line_layer("border", urls["border"], night), maps.line_layer("coast", urls["coast"], night)]
    layers += archive_map.finding_layers([e], [sense], [e.id], night)
    st.pydeck_chart(
        maps.deck(layers, view, False),
        height=PAIR_HEIGHT,
        key=f"case-belief-{e.id}-{sense}",
        alt=f"Where the {sense} of {e.title} points",
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


def _apart(b: Book, one: ArchiveEntry, other: ArchiveEntry) -> str:
    """How far the two lie apart by each sense, and whether their ambience is the same recording."""
    said = []
    for sense, name in _SENSES.items():
        a, c = one.spot(sense), other.spot(sense)
        if a and c:
            km = float(engine.distance_km(a.lat_deg, a.lon_deg, c.lat_deg, c.lon_deg))
            said.append(f"{swatch(sense)} {name.lower()} {clean(words.km(km))} apart")
    shared = _shared(b, one.sha256, other.sha256)
    if one.sha256 == other.sha256:
        said.append("the same file")
    elif shared is not None:
        said.append(f"<b>{tip('the same recording in both', _SAME)}</b>: {clean(_lag(shared), 160)}")
    elif b.archive and b.archive.unprinted == 0:
        said.append("no recording in common")
    return " · ".join(said)


def _shared(b: Book, one: str, other: str) -> SharedSound | None:
    for a, c, shared in b.archive.same if b.archive else ():
        if (a, c) == (one, other):
            return shared
        if (c, a) == (one, other):
            return archive.turned(shared)
    return None


def _lag(shared: SharedSound) -> str:
    there = shared.start_s + shared.lag_s
    return (
        f"{words.span(round(shared.start_s), round(shared.end_s))} is heard there from {words.clock(max(0.0, there))} "
        f"({shared.marks:,} marks, {shared.share:.0%})"
    )


# --- ambiences, and what could not be examined --------------------------------------------------------------------------


def same_ambience(b: Book) -> None:
    """Pairs of clips that hold the same recording."""
    a = b.archive
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
                    f"<div class='ew-shelf'><b>{clean(names[x], 50)}</b> and <b>{clean(names[y], 50)}</b> "
                    f"<small>{clean(_lag(s), 160)}</small></div>"
                )
                st.space("stretch")
                st.button("Compare", key=f"case-same-{number}", **state.callback(casebook.compare_clips, b, x, y))


def unexamined(b: Book) -> None:
    """Clips that could not be examined, and why."""
    a = b.archive
    if a is None or not a.problems:
        return
    with st.expander(f"{_many(len(a.problems), 'clip')} could not be examined", icon=":material/error:"):
        lines = "".join(f"<tr><td>{clean(p, 120)}</td><td>{clean(why, 300)}</td></tr>" for p, why in a.problems[:200])
        st.html(f"<table class='ew-stages'>{lines}</table>")


page()
