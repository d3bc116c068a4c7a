"""Claim: a place, and perhaps a day, that the clip is said to come from, compared with what is heard and seen in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import streamlit as st

import engine
from app.figures.ground import land_layer, line_layer, sea_layer
from app.figures.layers import outline_layers
from app.figures.marks import claim_layers, place_layers, way_layers
from app.figures.placename import place_or_region
from app.figures.view import deck, fit
from app.panels.export import export_menu
from app.panels.facts import clip_facts, job_stages
from app.panels.style import clean, dark, plain, swatch, tip
from app.session import caches, editing, judging, opening, widgets
from app.session.session import Session, current
from engine import Claim, ClaimTest, EarwitnessError, Finding
from engine.core import ClaimVerdict
from engine.report.view import claim as claim_words
from engine.report.view import words

MAP_HEIGHT = 400
MAP_WIDTH = 740
_ROOM_KM = 250.0
_TEXT, _WHEN, _TIME, _RADIUS, _FOUND, _ERROR, _WHICH = (
    f"set_claim_{x}" for x in ("text", "when", "time", "radius", "found", "error", "which")
)
_CSS = """
<style>
.ew-homes {border-collapse: collapse; font-size: .84rem; width: 100%;}
.ew-homes td, .ew-homes th {border: none; border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent);
  padding: .22rem .7rem .22rem 0; text-align: left; vertical-align: middle; font-weight: 400;}
.ew-homes th {opacity: .72; font-size: .76rem;}
.ew-homes td:nth-child(2) {text-align: right; font-variant-numeric: tabular-nums;}
.ew-homes i {opacity: .72;}
.ew-homes .ew-away {color: #b3261e; font-weight: 600;} .ew-homes .ew-here {color: #217380;}
@media (prefers-color-scheme: dark) {.ew-homes .ew-away {color: #f0968a;} .ew-homes .ew-here {color: #63b0ab;}}
.ew-weeks {display: flex; align-items: flex-end; width: 144px; height: 24px; gap: 0;}
.ew-weeks b {display: block; width: 3px; background: #6f9fa8; border-right: 1px solid transparent; background-clip: padding-box;}
.ew-weeks b.ew-now {background: currentColor; border-right-color: currentColor; background-clip: border-box;
  box-shadow: 0 0 0 .5px currentColor;}
</style>
"""


def page() -> None:
    """Ask for the claim and show what the evidence says to it, or say what is needed first."""
    caches.warm_up()
    st.html(_CSS)
    session = current()
    if session.job is not None and not session.job.running:
        opening.take(session)
    if session.job is not None:
        _working(session)
    elif session.perception is None:
        _empty(session)
    elif session.blind:
        st.info("The sound of this clip is being judged blind; a claim can be tested once the judgement is given in Examine.")
        _to_examine()
    else:
        _claim(session)


# --- before there is anything to test -----------------------------------------------------------------------------------


def _empty(session: Session) -> None:
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        st.html("<div style='height:2.5vh'></div>")
        st.title("Is it from where they say?", anchor=False)
        st.write(
            "Somebody says where a clip was made, and perhaps when. Open the clip in Examine; here you enter the claim, and see "
            "how much more, or less, likely its sound and its pictures are there and then than elsewhere."
        )
        if session.error:
            st.error(plain(session.error, 600), icon=":material/error:")
        _to_examine()
        found = engine.examples()
        if found:
            st.html("<div class='ew-h' style='margin-top:.8rem'>Or test a claim about an example</div>")
            for column, example in zip(st.columns(len(found)), found, strict=True):
                with column.container(border=True):
                    st.markdown(f"**{plain(example.title)}**")
                    st.caption(plain(example.sentence, 300))
                    st.button("Examine it", key=f"claim-{example.path.stem}", **widgets.callback(_example, example))


def _to_examine() -> None:
    if st.button("Go to Examine", key="to-examine", icon=":material/travel_explore:"):
        st.switch_page("pages/examine.py")


def _example(example: Any) -> None:
    opening.examine(example.path, example.path.name)


@st.fragment(run_every=0.4)
def _working(session: Session) -> None:
    job = session.job
    if job is None or not job.running:
        st.rerun(scope="app")
        return
    if job.interrupted:
        _to_examine()
        return
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        title = "The sealed clip" if session.blind else job.title
        st.html(f"<div style='height:4vh'></div><div class='ew-facts'><b>{clean(title, 80)}</b> is being examined</div>")
        job_stages(job.stages)
        st.button("Cancel", icon=":material/close:", key="cancel", **widgets.callback(job.cancel))


# --- the clip ------------------------------------------------------------------------------------------------------------


def _claim(session: Session) -> None:
    found = judging.finding(session)
    left, undo, out = st.columns([9.0, 1.1, 1.1], vertical_alignment="center")
    with left:
        clip_facts(found.clip, session.title, session.settings)
    undo.button(
        "Undo",
        key="claim-undo",
        icon=":material/undo:",
        width="stretch",
        disabled=not session.edits,
        help=_last(session),
        **widgets.callback(_undo),
    )
    with out.popover("Export", icon=":material/download:", width="stretch"):
        export_menu(found)
    _ask(session)
    if session.error:
        st.error(plain(session.error, 600), icon=":material/error:")
    tests = found.claims
    if not tests:
        one, two = st.columns([0.56, 0.44], gap="medium")
        with one:
            _map(session, found, ())
        two.markdown(_BEFORE)
        return
    shown = _chosen(tests)
    _banner(shown)
    one, two = st.columns([0.56, 0.44], gap="medium")
    with one:
        _map(session, found, tests)
    with two:
        _homes(shown)
    with st.expander("The test in numbers"):
        lines = "".join(f"<tr><td>{clean(k, 60)}</td><td>{clean(v, 300)}</td></tr>" for k, v in claim_words.factor_rows(shown))
        priors = "".join(
            f"<tr><td>{clean(words.modality(f.modality))}, prior “{clean(u.prior)}”</td>"
            f"<td>log₁₀ {u.log10_factor:+.2f}, {clean(u.words)}</td></tr>"
            for f in shown.factors
            for u in f.by_prior
        )
        st.html(f"<table class='ew-stages'>{lines}{priors}</table>")


_BEFORE = """
**Enter the place that is claimed, and the day if one is.** The file itself states no place.

- How much more, or less, likely are this sound and these pictures there than elsewhere?
- Which of the species heard do not live there, or not in that week of the year?
- Which easily heard ones are missing? That is weak evidence, and said so.

A town of at least 500 people is found by its name, any other place by its coordinates; where several are called so, you are
asked, unless one is a city far larger than the others. A whole country or region is no claim that can be tested: name a town in
it.
Nothing is looked up outside this machine.
"""


def _last(session: Session) -> str:
    return f"Undo: {session.edits[-1].said}" if session.edits else "Nothing to undo"


def _undo() -> None:
    editing.undo()
    for key in (_TEXT, _WHEN, _TIME, _RADIUS, _FOUND, _ERROR):
        widgets.forget(key)


def _ask(session: Session) -> None:
    """The form, and the candidates when several places bear the name."""
    now = session.settings.claim
    widgets.default(_TEXT, _written(now))
    widgets.default(_WHEN, now.when if now else None)
    widgets.default(_TIME, None if now is None or now.minute is None else time(now.minute // 60, now.minute % 60))
    widgets.default(_RADIUS, round(now.radius_km) if now else 50)
    with st.form("claim", border=False, enter_to_submit=True):
        place, when, clock, radius, test, clear = st.columns([3.6, 1.4, 1.0, 1.1, 0.9, 0.9], vertical_alignment="bottom")
        place.text_input(
            "Claimed place: a town, or latitude and longitude",
            key=_TEXT,
            placeholder="Augusta, Georgia · 33.47, -81.97 · 33°28′N 81°58′W",
            max_chars=120,
        )
        when.date_input("Claimed day, if any", key=_WHEN, format="YYYY-MM-DD", min_value=date(1900, 1, 1), help=_WHEN_HELP)
        clock.time_input("At, if known", key=_TIME, step=300, help=_TIME_HELP)
        radius.number_input("Within, km", 5, 500, step=25, key=_RADIUS, help="How closely the place is stated.")
        go = test.form_submit_button("Test", type="primary", width="stretch")
        clear.form_submit_button("Clear", width="stretch", disabled=now is None, **widgets.callback(_clear))
    if go:
        with st.spinner("Looking the place up; the first time a table of names is made, which takes half a minute"):
            _look_up()
        st.rerun()
    if widgets.value(_ERROR):
        st.error(plain(widgets.value(_ERROR), 700), icon=":material/wrong_location:")
    candidates: tuple[Claim, ...] = widgets.value(_FOUND) or ()
    if candidates:
        st.selectbox(
            f"This may be any of {len(candidates)} places. Which one is meant?",
            range(len(candidates)),
            index=None,
            key=_WHICH,
            placeholder="Choose one",
            format_func=lambda n: _offered(candidates[n]),
            on_change=_pick,
        )


_WHEN_HELP = "With a day, the species are asked for that week of the year: whether they live there at all, and whether then."

_TIME_HELP = "By the clocks of that place. With a day, they tell whether it was day, twilight or night there."


def _offered(claim: Claim) -> str:
    return " · ".join(filter(None, (claim.name, words.place(claim.lat_deg, claim.lon_deg))))


def _written(claim: Claim | None) -> str:
    if claim is None:
        return ""
    return claim.name or f"{claim.lat_deg:g}, {claim.lon_deg:g}"


def _look_up() -> None:
    now = current().settings.claim
    text, when, radius = widgets.value(_TEXT) or "", widgets.value(_WHEN), float(widgets.value(_RADIUS))
    clock = widgets.value(_TIME)
    minute = 60 * clock.hour + clock.minute if clock is not None else None
    widgets.forget(_FOUND)
    widgets.forget(_ERROR)
    try:
        if now is not None and text == _written(now):
            found: tuple[Claim, ...] = (Claim(now.lat_deg, now.lon_deg, when, now.name, radius),)
        else:
            found = engine.find_places(text, when, radius)
        found = tuple(replace(c, minute=minute) for c in found)
    except EarwitnessError as error:
        widgets.put(_ERROR, str(error))
        return
    if len(found) == 1:
        _set(found[0])
    else:
        widgets.put(_FOUND, found)


def _pick() -> None:
    candidates, at = widgets.value(_FOUND) or (), widgets.value(_WHICH)
    if at is not None and at < len(candidates):
        _set(candidates[at])
        widgets.put(_TEXT, _written(candidates[at]))
    widgets.forget(_FOUND)


def _set(claim: Claim) -> None:
    when = f", {claim.when:%d %b %Y}" if claim.when else ""
    when += f", {claim.minute // 60:02d}:{claim.minute % 60:02d}" if claim.minute is not None else ""
    editing.change(f"claim: {_written(claim)}{when}", claim=claim)
    current().view = None


def _clear() -> None:
    editing.change("claim cleared", claim=None)
    for key, empty in ((_TEXT, ""), (_WHEN, None), (_TIME, None)):
        widgets.put(key, empty)
    for key in (_FOUND, _ERROR):
        widgets.forget(key)


def _chosen(tests: tuple[ClaimTest, ...]) -> ClaimTest:
    """The test looked at, where the file states a place beside the analyst's."""
    if len(tests) == 1:
        return tests[0]
    widgets.default(_WHICH + "_test", 0)
    at = st.segmented_control(
        "Claim",
        range(len(tests)),
        key=_WHICH + "_test",
        format_func=lambda n: plain(
            f"{'The file' if tests[n].claim.source == 'container' else 'You'}: {claim_words.stated(tests[n])}", 80
        ),
        label_visibility="collapsed",
        required=True,
    )
    return tests[at] if at is not None and at < len(tests) else tests[0]


_COLOURS = {"same": "#217380", "region": "#217380", "different": "#b3261e"}
_RATIO = (
    "How many times likelier what was perceived is if the claim is true than if the clip is from elsewhere, or the other way "
    "round; calibrated on recordings and photos of known place, in the ENFSI guideline's words, bounded by what they support."
)


def _banner(test: ClaimTest) -> None:
    heading = claim_words.headline(test)
    lines = "".join(_factor(f) for f in test.factors if f.modality != "both")
    both = test.by("both")
    rest = ""
    spoke = [f for f in test.factors if f.modality in ("sound", "picture") and f.verdict != ClaimVerdict.CANNOT_TELL]
    if both is not None and not both.reason and len(spoke) > 1:
        rest = f"{tip('together', _RATIO)}: {clean(claim_words.odds(both).partition(': ')[2], 200)}"
    st.html(
        f"<div class='ew-banner' style='border-left-color:{_COLOURS.get(heading.tone, '#8a8f98')}'>"
        f"<div class='ew-title'>{clean(heading.title, 160)}<small>{clean(claim_words.who(test.claim))}: "
        f"{clean(claim_words.stated(test), 160)}{' · ' + rest if rest else ''}</small></div>{lines}{_sun(test)}</div>"
    )


def _sun(test: ClaimTest) -> str:
    """Where the sun stood then, marked where the picture contradicts it."""
    said = claim_words.sun_words(test)
    if not said or test.sun is None:
        return ""
    colour = " style='color:#b3261e'" if test.sun.contradicted else ""
    return f"<div{colour}>{tip('Sun', _SUN)}: {clean(said, 300)}</div>"


_SUN = (
    "Computed for the claimed place; in no ratio. A blue sky is all that is taken for daylight: grey skies, snow and lit rooms "
    "are not, and darkness is never taken for night."
)


def _factor(f: Any) -> str:
    name = "Week" if f.modality == "season" else words.modality(f.modality)
    mark = swatch("sound" if f.modality == "season" else f.modality)
    if f.verdict == ClaimVerdict.CANNOT_TELL:
        said = f"<span class='ew-dim'>cannot tell: {clean(f.reason, 200)}</span>"
    else:
        said = f"{tip(claim_words.odds(f).partition(': ')[2], _RATIO)}"
    away = f" <span class='ew-dim'>· it points {clean(words.km(f.distance_km))} away</span>" if f.distance_km is not None else ""
    return f"<span class='ew-modality'>{mark} <b>{clean(name)}</b> {said}{away}</span>"


def _map(session: Session, found: Finding, tests: tuple[ClaimTest, ...]) -> None:
    night, urls = dark(), caches.ground_urls()
    claims = [t.claim for t in tests]
    spoke = [x for x in found.located if x.spoke and x.modality in ("sound", "picture")]
    layers = [sea_layer(night), land_layer(urls["land"], night)]
    layers += [line_layer("border", urls["border"], night), line_layer("coast", urls["coast"], night)]
    places = [(x, x.place) for x in spoke if x.place is not None]
    for x, place in places:
        layers += outline_layers(x, night, False)
        for c in claims[:1]:
            km = float(engine.distance_km(place.lat_deg, place.lon_deg, c.lat_deg, c.lon_deg))
            if km >= 25.0:
                start, end = (place.lat_deg, place.lon_deg), (c.lat_deg, c.lon_deg)
                layers += way_layers(start, end, km, night, False, f"way-{x.modality}")
    layers += place_layers(spoke, night, False) + claim_layers(tests, night, False)
    # Fitted to the places, with room for their names: a 90% region may reach round the globe.
    ends = [Claim(place.lat_deg, place.lon_deg, radius_km=_ROOM_KM) for _, place in places]
    ends += [Claim(c.lat_deg, c.lon_deg, radius_km=_ROOM_KM) for c in claims]
    view = fit([], MAP_WIDTH, MAP_HEIGHT, claims=ends) if claims else fit(spoke, MAP_WIDTH, MAP_HEIGHT)
    said = [f"{words.modality(x.modality)}: {place_or_region(x)}" for x in spoke] + [f"claimed: {t.place}" for t in tests]
    st.pydeck_chart(deck(layers, view, False), height=MAP_HEIGHT, key="claim-map", alt="Map. " + ". ".join(said))
    keys = "".join(
        f"<span class='ew-key'>{swatch(x.modality)} {clean(words.modality(x.modality))}: place, 50% and 90% regions</span>"
        for x in spoke
    )
    ring = "<span class='ew-key'>✚ claimed place and its radius</span>" if tests else ""
    st.html(f"<div class='ew-legend'>{ring}{keys}</div>")


def _homes(test: ClaimTest) -> None:
    """Every species heard, and whether it lives there; then what is missing."""
    dated = test.claim.when is not None
    if test.heard:
        ordered = sorted(test.heard, key=lambda r: bool(r.doubt))
        rows = "".join(_home(r, dated, test.week) for r in ordered[:12])
        head = "<tr><th>heard</th><th>score</th><th>at the claimed place</th><th>recorded there, Jan to Dec</th></tr>"
        st.html(f"<table class='ew-homes'>{head}{rows}</table>")
        st.caption(claim_words.STRANGERS + (" Black: the week claimed." if dated else ""))
    else:
        st.caption("BirdNET heard no animal, so there is no range to compare with.")
    missing = claim_words.absent_words(test)
    if missing:
        st.caption(plain(missing, 900))


def _home(r: Any, dated: bool, week: int | None) -> str:
    tone = "ew-dim" if r.doubt else "ew-here" if r.home == "lives there" else "ew-away"
    mark = "✓" if r.home == "lives there" else "✕"
    doubt = f"<br><span class='ew-dim'>{clean(r.doubt, 120)}</span>" if r.doubt else ""
    bars = "".join(
        f"<b style='height:{max(2.0, 100 * min(1.0, w)):.0f}%'{' class=ew-now' if week == n else ''}></b>"
        for n, w in enumerate(r.weeks, 1)
    )
    return (
        f"<tr><td>{clean(r.name or r.latin, 40)}<br><i>{clean(r.latin, 40)}</i></td><td>{r.score:.2f}</td>"
        f"<td><span class='{tone}'>{mark} {clean(claim_words.home_words(r, dated), 120)}</span>{doubt}</td>"
        f"<td><div class='ew-weeks' title='highest chance {r.best_week:.0%}'>{bars}</div></td></tr>"
    )


page()
