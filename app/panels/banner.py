"""The verdict, where each modality points, and the comparison in numbers. Every text is escaped."""

from __future__ import annotations

import streamlit as st

from app.figures.layers import modality_rgb
from app.figures.placename import place_or_region
from app.panels.style import clean, dark, swatch
from engine import Finding, Located, headline
from engine.core import apart_km
from engine.report import comparison_rows, comparisons
from engine.report.view import lead, words

COLOURS = {"same": "#217380", "region": "#217380", "different": "#b3261e", "cannot_tell": "#8a8f98"}
NATS = "Information gain: the Kullback-Leibler divergence of the posterior from the prior, in nats."
REGION = "The smallest area that contains this share of the posterior. In tests, the true place was inside about as often."


def verdict_banner(finding: Finding) -> None:
    """The verdict, where sound and picture were compared, and where each modality points."""
    led_by = lead.lead(finding)
    if led_by is not None:
        _lead_banner(led_by, finding)
        return
    verdict = headline(finding)
    spoke = [x for x in finding.located if x.spoke]
    if verdict is not None:
        title, rest = verdict.title, verdict.sentence
        colour = COLOURS.get(verdict.verdict, COLOURS["cannot_tell"])
    elif spoke:
        first = next((x for x in spoke if x.modality == "both"), spoke[0])
        title, rest = (
            f"{'Sound and picture' if first.modality == 'both' else words.modality(first.modality)}: {place_or_region(first)}",
            _best(first),
        )
        colour = modality_colour(first.modality)
    else:
        title, rest, colour = "No usable location", "", COLOURS["cannot_tell"]
    alone = verdict is None and len(finding.located) == 1 and bool(spoke)
    lines = "".join(_modality(x, alone) for x in finding.located if x.modality != "both" or verdict is None)
    apart = _apart(finding) if verdict is not None or len(spoke) > 1 else ""
    st.html(
        f"<div class='ew-banner' style='border-left-color:{colour}'>"
        f"<div class='ew-title'>{clean(title, 160)}<small>{clean(rest, 300)}</small></div>{lines}{apart}</div>"
    )


def _lead_banner(first: lead.Lead, finding: Finding) -> None:
    """What can be tested where a side is silent, where each modality points, and what would help."""
    colour = COLOURS.get(first.tone, COLOURS["cannot_tell"])
    tested = "".join(
        f"<span class='ew-modality'><b>{clean(what, 120)}</b> {clean(result, 300)}</span>" for what, result in first.lines
    )
    sides = "".join(
        _modality(x, False) if x.spoke else _silent(x, lead.why_silent(finding, x))
        for x in finding.located
        if x.modality != "both"
    )
    st.html(
        f"<div class='ew-banner' style='border-left-color:{colour}'>"
        f"<div class='ew-title'>{clean(first.title, 300)}<small>{clean(first.compared, 200)}</small></div>{tested}{sides}"
        f"<span class='ew-modality ew-help'>{clean(first.help, 600)}</span></div>"
    )


def modality_colour(modality: str) -> str:
    return "rgb({}, {}, {})".format(*modality_rgb(modality, dark()))


def _best(x: Located) -> str:
    place = x.place
    if place is None:
        return ""
    name = f" {place.name}" if x.where_is == "region" else ""
    return (
        f"{words.point(x.where_is)}{name}, with {words.share(place.mass)} of the probability within {words.km(place.radius_km)}"
    )


def _modality(x: Located, named_above: bool) -> str:
    name = "Together" if x.modality == "both" else words.modality(x.modality)
    head = f"<span class='ew-modality'>{swatch(x.modality)} " + ("" if named_above else f"<b>{clean(name)}</b> ")
    if x.place is None:
        return f"{head}<span class='ew-dim'>cannot tell. {clean(x.cannot_tell, 300)}</span></span>"
    area = x.regions_km2.get(0.9, x.posterior.region_area_km2(0.9))
    half = x.regions_km2.get(0.5, x.posterior.region_area_km2(0.5))
    exact = f"50% in {half:,.0f} km², 90% in {area:,.0f} km²; {words.place(x.place.lat_deg, x.place.lon_deg)}. {REGION}"
    countries = ", ".join(f"{clean(n, 40)} {words.share(s)}" for n, s in x.countries[:4] if s >= 0.005)
    return (
        f"{head}{'' if named_above else clean(place_or_region(x), 90) + ' · '}"
        f"<span class='ew-tip' title='{clean(exact, 400)}'>90%: {clean(words.area_beside(area))}</span> · "
        f"<span class='ew-tip' title='{clean(NATS)}'>gain {x.gain_nats:.1f} nats</span>"
        f"<span class='ew-dim'>{' · ' + countries if countries else ''}</span></span>"
    )


def _silent(x: Located, why: str) -> str:
    """A modality without a location, with the reason in short; in full on hover."""
    full = clean(x.cannot_tell, 600)
    return (
        f"<span class='ew-modality'>{swatch(x.modality)} <b>{clean(words.modality(x.modality))}</b> "
        f"<span class='ew-dim ew-tip' title='{full}'>cannot tell: {clean(why, 200)}</span></span>"
    )


def _apart(finding: Finding) -> str:
    sound, picture = finding.by("sound"), finding.by("picture")
    km = apart_km(sound, picture)
    if km is None:
        return ""
    exact = f"great-circle distance {km:,.1f} km"
    return f"<span class='ew-modality' title='{exact}'>◀— <b>{words.km(km)}</b> between the two places —▶</span>"


def comparison_table(finding: Finding) -> None:
    """Every comparison between modalities, in numbers."""
    for c in comparisons(finding):
        lines = "".join(f"<tr><td>{clean(name, 60)}</td><td>{clean(value, 300)}</td></tr>" for name, value in comparison_rows(c))
        st.html(f"<table class='ew-stages'>{lines}</table>")
