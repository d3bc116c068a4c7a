"""The sun, on Examine: a shadow marked on a frame, the map that follows, and the times that fit the claimed place.

Nothing counts before it is added; then it is an edit like any other.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any

import streamlit as st

from app.components.shadow.component import START, Points, shadow_marker
from app.figures.daytimes import daytimes
from app.panels.edits import SURE, confidence_field, name_field
from app.panels.style import clean, dark, plain, tip
from app.session import editing, media, selecting, widgets
from app.session.session import Session, current
from engine import EarwitnessError, Finding
from engine.analysis import sun

_POINTS = "shadow_points"
_CLOCKS = ["UTC", "Clock of the place", "UTC offset"]
_SHADOW = (
    "Drag the points, or move them with the arrow keys: the foot of something upright where it stands on level ground, its top, "
    "and the tip of that top's shadow."
)
_ASSUMED = (
    "Assumed where you do not say: a lens like a phone's or a camcorder's (24 to 40 mm, 35 mm equivalent), a camera that looks "
    "5° down give or take 10, ground that slopes by 2.5°, and points marked to half a percent of the frame. The map shows what "
    "remains after all of that."
)


def shadow_panel(session: Session, found: Finding) -> None:
    """Draw it; nothing where the clip has no pictures, or the sound is being judged blind."""
    if session.blind or not found.clip.video_tracks:
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html("<span class='ew-h'>The sun</span> <span class='ew-dim ew-edits'>where and when a shadow can fall</span>")
            st.space("stretch")
            st.toggle("Mark a shadow", key="shadow-on")
        if widgets.value("shadow-on"):
            _marking(session, found)


@st.fragment
def _marking(session: Session, found: Finding) -> None:
    if session.perception is None:
        return
    st.html(f"<div class='ew-edits'>{tip(_SHADOW, _ASSUMED)}</div>")
    whole = found.interval
    widgets.default("shadow-at", float(min(max(session.moment_s, whole.start_s), whole.end_s)))
    one, two = st.columns([1, 1.6], vertical_alignment="bottom")
    at_s = float(one.number_input("Frame at, s", whole.start_s, whole.end_s, step=0.5, key="shadow-at"))
    horizon = two.toggle("The horizon is seen", key="shadow-horizon", help="The line where sea or a far plain meets the sky.")
    try:
        frame = media.frame(session, at_s)
        aspect = sun.aspect_of(found.clip)
    except EarwitnessError as error:
        st.error(plain(error, 400))
        return
    if frame is None:
        st.caption("No picture can be decoded at that moment.")
        return
    points = _points(found, horizon)
    when = _when(session, found)
    fov, heading, spread = _camera()
    mark, seen, said = None, None, ""
    try:
        if when is None:
            said = "Give the day, and the time if it is known; then the map shows where this shadow can fall."
        else:
            mark = sun.Mark(
                points["foot"], points["top"], points["tip"], aspect, when,
                (points["left"], points["right"]) if horizon else None, fov, heading, spread,
            )  # fmt: skip
            seen = sun.preview(mark)
            said = (
                f"The sun {seen.elevation_deg:.0f}° up ({seen.low_deg:.0f} to {seen.high_deg:.0f}°, 90%); "
                f"90% of the likelihood on {seen.area_share:.0%} of the land."
            )
    except EarwitnessError as error:
        mark, said = None, str(error)
    wrong = when is not None and seen is None
    places = [{"lat": t.claim.lat_deg, "lon": t.claim.lon_deg, "colour": "#d1345b"} for t in found.claims]
    about = f"{found.clip.sha256[:16]}"
    shadow_marker(frame, about, points, seen.picture if seen else None, said, wrong, places, dark(), _moved)
    left, right = st.columns(2)
    with left:
        sure = confidence_field("shadow-sure")
    with right:
        name_field("shadow")
    if st.button("Add the shadow", key="shadow-go", type="primary", disabled=mark is None) and mark is not None:
        marked = mark
        if editing.do(lambda: sun.mark_shadow(marked, at_s, SURE[sure], editing.analyst())):
            selecting.select(session.settings.added[-1].key, at_s)
        st.rerun(scope="app")
    if mark is not None:
        _fitting(found, mark)


def _moved(points: Points) -> None:
    perception = current().perception
    if perception is not None:
        widgets.put(_POINTS, (perception.clip.sha256, points))


def _points(found: Finding, horizon: bool) -> Points:
    """Where the points are, those of this clip; else where they start."""
    kept = widgets.value(_POINTS)
    own: Points = dict(START)
    if isinstance(kept, tuple) and kept[0] == found.clip.sha256:
        own |= kept[1]
    return {name: p for name, p in own.items() if horizon or name not in ("left", "right")}


def _when(session: Session, found: Finding) -> sun.When | None:
    """The days and times, from the claim, the file or the date of the recording at first."""
    stated = sun.stated_when(session.perception.observations) if session.perception else None
    claim = found.settings.claim
    day = claim.when if claim and claim.when else stated.first if stated else found.settings.when
    widgets.default("shadow-day", day)
    widgets.default("shadow-last", None)
    widgets.default("shadow-clock", _CLOCKS[1] if stated is None or stated.offset_min is None else _CLOCKS[2])
    widgets.default("shadow-offset", (stated.offset_min or 0) / 60 if stated else 0.0)
    around: tuple[int, int] | None
    if claim and claim.when and claim.minute is not None:
        around = (max(0, claim.minute - 10), min(1439, claim.minute + 10))
    else:
        around = (stated.start_min, min(1439, stated.end_min)) if stated and stated.end_min - stated.start_min < 1440 else None
    widgets.default("shadow-from", _time(around[0]) if around else None)
    widgets.default("shadow-to", _time(around[1]) if around else None)
    one, two, three, four, five = st.columns([1.15, 1.15, 0.9, 0.9, 1.3], vertical_alignment="bottom")
    limits: dict[str, Any] = {"format": "YYYY-MM-DD", "min_value": date(1900, 1, 1), "max_value": date(2100, 12, 31)}
    first = one.date_input("Day", key="shadow-day", **limits)
    last = two.date_input("Last day", key="shadow-last", help="Where only a span of days is known.", **limits)
    start = three.time_input("From", key="shadow-from", step=300, help="Empty: at any time of the day.")
    end = four.time_input("To", key="shadow-to", step=300)
    clock = five.selectbox("By which clock", _CLOCKS, key="shadow-clock")
    offset = {"UTC": 0, "Clock of the place": None}.get(str(clock), 0)
    if clock == _CLOCKS[2]:
        hours = five.number_input("Hours ahead of UTC", -14.0, 14.0, step=0.5, key="shadow-offset")
        offset = round(60 * float(hours))
    if first is None:
        return None
    low = _minute(start) if start is not None else 0
    high = _minute(end) if end is not None else low + 20 if start is not None else 1440
    try:
        return sun.When(first, last or first, low, high if high > low else high + 1440, offset)
    except EarwitnessError as error:
        st.error(plain(error, 300))
        return None


def _time(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)


def _minute(at: time) -> int:
    return 60 * at.hour + at.minute


def _camera() -> tuple[float | None, float | None, float]:
    """Field of view, direction and its uncertainty, where they are known."""
    one, two, three = st.columns(3, vertical_alignment="bottom")
    fov = one.number_input("Field of view, °", 3.0, 150.0, None, 1.0, key="shadow-fov", placeholder="unknown",
                           help="Horizontal: 69° for a phone's main camera, less when zoomed.")  # fmt: skip
    heading = two.number_input("Camera looks towards, °", 0.0, 360.0, None, 5.0, key="shadow-heading", placeholder="unknown",
                               help="From north over east: 90 is east.")  # fmt: skip
    spread = three.number_input("give or take, °", 1.0, 90.0, 10.0, 5.0, key="shadow-spread", disabled=heading is None)
    return fov, heading, float(spread)


def _fitting(found: Finding, mark: sun.Mark) -> None:
    """The times that fit the claimed place, where one is claimed."""
    if not found.claims:
        return
    test = found.claims[0]
    fit = sun.fits(mark, test.claim.lat_deg, test.claim.lon_deg)
    st.html(f"<div class='ew-h' style='margin-top:.4rem'>Times that fit {clean(test.place, 80)}</div>")
    st.plotly_chart(daytimes(fit, dark()), key="shadow-times", config={"displayModeBar": False})
    st.caption(plain(fit.said, 300))
