"""Pieces of the Examine page that say things: facts of the file, verdict, legend, edits. Every text is escaped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import streamlit as st

from app import maps
from app.frame import clean, dark, plain, swatch, tip
from app.state import Edit
from engine import Clip, Finding, Interval, Located, Place, Settings, credits, headline
from engine.case import JobStage
from engine.core import apart_km
from engine.report import comparison_rows, comparisons, licence_note, scene_row
from engine.report import scenes_summary as scenes_said
from engine.report.view import words

NATS = "How much was learnt over the prior: the Kullback-Leibler divergence of the belief from the prior, in nats."
REGION = "The smallest area that holds this share of the belief. In tests, the truth lay inside about as often."
PINNED_KM2 = 60_000.0  # a 90% region wider than this (about Ireland's size) is named as a region, not as a town
PRIOR = "What is believed before anything is heard: where recordings come from at all."

_PRIORS = {
    "mixture": "Even mixture: half land, half observers",
    "land": "Land: every square kilometre alike",
    "observer": "Observers: where people take pictures",
    "population": "Population: where people live",
}


def prior_label(name: str) -> str:
    """A prior in words, for a menu."""
    return _PRIORS.get(name, name)


def facts(clip: Clip, title: str, settings: Settings, sealed: bool = False) -> None:
    """One line on the file; a sealed one has neither name nor picture."""
    said = [f"<b title='{clean(clip.path, 400)}'>{clean('Sealed clip' if sealed else title, 70)}</b>"]
    if clip.duration_s is not None:
        said.append(f"<span>{words.clock(clip.duration_s)}</span>")
    looked_at = clip.choice("video")
    for s in [looked_at.stream] if looked_at else clip.video_tracks[:1]:
        fps = f", {s.fps:.3g} fps" if s.fps else ""
        said.append(f"<span>{s.width_px or '?'}×{s.height_px or '?'}{fps}, {clean(s.codec, 12)}</span>")
    if not clip.video_tracks and not sealed:
        said.append("<span>no pictures</span>")
    tracks = clip.audio_tracks
    if tracks:
        main = clip.choice("audio")
        track = next((s for s in tracks if s.track == settings.track), main.stream if main else tracks[0])
        rate = f" {track.rate_hz / 1000:g} kHz" if track.rate_hz else ""
        said.append(
            f"<span>{clean(track.codec, 12)} {clean(track.layout or '', 12)}{rate} (track {track.track} of {len(tracks)})</span>"
        )
    else:
        said.append("<span>no sound</span>")
    if not sealed:
        said.append(f"<span>{words.size(clip.size_bytes)}</span>")
    said.append(f"<span title='SHA-256 {clean(clip.sha256)}'>sha256 {clean(clip.sha256[:4])}…{clean(clip.sha256[-3:])}</span>")
    if clip.problems:
        told = clean(" ".join(clip.problems), 600)
        count = f"{len(clip.problems)} remark{'s' if len(clip.problems) > 1 else ''}"
        said.append(f"<span><span class='ew-tip' title='{told}'>⚠ {count} on the file</span></span>")
    st.html(f"<div class='ew-facts'>{said[0]}{''.join(said[1:])}</div>")


def banner(finding: Finding) -> None:
    """The verdict where senses were compared, and where each sense points."""
    verdict = headline(finding)
    spoke = [x for x in finding.located if x.spoke]
    if verdict is not None:
        title, rest = verdict.title, verdict.sentence
        colour = {"same": "#217380", "different": "#b3261e"}.get(verdict.verdict, "#8a8f98")
    elif spoke:
        first = next((x for x in spoke if x.modality == "both"), spoke[0])
        title, rest = (
            f"{'Sound and picture' if first.modality == 'both' else words.modality(first.modality)}: {where(first)}",
            _best(first.place) if first.place else "",
        )
        colour = _colour(first.modality)
    else:
        title, rest, colour = "Cannot tell where this is", "", "#8a8f98"
    alone = verdict is None and len(finding.located) == 1 and bool(spoke)
    senses = "".join(_sense(x, alone) for x in finding.located if x.modality != "both" or verdict is None)
    apart = _apart(finding) if verdict is not None or len(spoke) > 1 else ""
    st.html(
        f"<div class='ew-banner' style='border-left-color:{colour}'>"
        f"<div class='ew-title'>{clean(title, 160)}<small>{clean(rest, 300)}</small></div>{senses}{apart}</div>"
    )


def _colour(modality: str) -> str:
    return "rgb({}, {}, {})".format(*maps.modality_rgb(modality, dark()))


def where(x: Located) -> str:
    """The place where it is pinned down, the region where it is not."""
    if x.region and x.regions_km2.get(0.9, 0.0) > PINNED_KM2:
        return x.region
    return (x.place.name or words.place(x.place.lat_deg, x.place.lon_deg)) if x.place else ""


def _best(place: Place) -> str:
    return f"best single place: {place.name}, with {words.share(place.mass)} of the belief within {words.km(place.radius_km)}"


def _sense(x: Located, named_above: bool) -> str:
    name = "Together" if x.modality == "both" else words.modality(x.modality)
    head = f"<span class='ew-sense'>{swatch(x.modality)} " + ("" if named_above else f"<b>{clean(name)}</b> ")
    if x.place is None:
        return f"{head}<span class='ew-dim'>cannot tell. {clean(x.cannot_tell, 300)}</span></span>"
    area = x.regions_km2.get(0.9, x.posterior.region_area_km2(0.9))
    half = x.regions_km2.get(0.5, x.posterior.region_area_km2(0.5))
    exact = f"50% in {half:,.0f} km², 90% in {area:,.0f} km²; {words.place(x.place.lat_deg, x.place.lon_deg)}. {REGION}"
    countries = ", ".join(f"{clean(n, 40)} {words.share(s)}" for n, s in x.countries[:4])
    return (
        f"{head}{'' if named_above else clean(where(x), 90) + ' · '}<span class='ew-tip' title='{clean(exact, 400)}'>90%: "
        f"{clean(words.area_beside(area))}</span> · <span class='ew-tip' title='{clean(NATS)}'>gain {x.gain_nats:.1f} nats</span>"
        f"<span class='ew-dim'>{' · ' + countries if countries else ''}</span></span>"
    )


def _apart(finding: Finding) -> str:
    sound, picture = finding.by("sound"), finding.by("picture")
    km = apart_km(sound, picture)
    if km is None:
        return ""
    exact = f"great-circle distance {km:,.1f} km"
    return f"<span class='ew-sense' title='{exact}'>◀— <b>{words.km(km)}</b> between the two places —▶</span>"


def film(scenes: Sequence[Finding], chosen: int) -> None:
    """The scenes of a film with their verdicts, folded away behind how many there are of each."""
    if len(scenes) < 2:
        return
    rows = [scene_row(x) for x in scenes]
    lines = "".join(
        f"<tr{' class=ew-now' if r.number == chosen else ''}><td class='ew-num'>{r.number}</td><td>{clean(r.when, 20)}</td>"
        f"<td>{clean(r.verdict, 60)}</td><td>{clean(r.sound, 60)}</td><td>{clean(r.picture, 60)}</td></tr>"
        for r in rows
    )
    head = "<tr><th></th><th>when</th><th>sound and picture</th><th>sound</th><th>picture</th></tr>"
    with st.expander(scenes_said(scenes), icon=":material/movie:"):
        st.html(f"<table class='ew-stages'>{head}{lines}</table>")


def scene_label(number: int, parts: Sequence[Interval], judged: Sequence[Finding]) -> str:
    """A scene in the chooser: its number, its time and, when it has been judged, its verdict."""
    if number == 0:
        return f"All {len(parts)} scenes as one"
    if number < 0:
        return "A stretch of your own"
    part = parts[number - 1]
    said = next((scene_row(x).verdict for x in judged if x.scene == number), "")
    when = words.span(round(part.start_s), round(part.end_s))
    return f"Scene {number} of {len(parts)} · {when}" + (f" · {said}" if said else "")


def failed(finding: Finding, again: Callable[[], None]) -> None:
    """Which clues failed, why, and a way to try them again; nothing when none did."""
    why = list(finding.perception.failed.values())
    if not why:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        many = "This was" if len(why) == 1 else "These were"
        listed = "  \n".join(plain(x, 400) for x in why)
        st.warning(f"{listed}  \n{many} left out of the result.", icon=":material/sync_problem:", width="stretch")
        st.button(
            "Examine again",
            key="examine-again",
            icon=":material/refresh:",
            help="Only what failed runs again; your edits stay.",
            on_click=again,
        )


def legend(located: Sequence[Located], prior: str) -> None:
    """What the colours and lines of the map mean."""
    about = "The same steps on every map. A place drawn at random on land has 0.007%."
    keys = "".join(
        f"<span class='ew-key'>{swatch(x.modality)} {clean(words.modality(x.modality))}: place</span>"
        f"<span class='ew-key'>{_line(x.modality, False)}{tip('50%', REGION)}"
        f"{_line(x.modality, True)}{tip('90% region', REGION)}</span>"
        for x in located
        if x.spoke
    )
    st.html(f"<div class='ew-legend'>{_scale(maps.MASS_STOPS)}{tip('belief per 10,000 km²', about)}{keys}</div>")


def range_legend() -> None:
    """The same for a range map."""
    about = "Chance that a checklist from there names the species, by BirdNET's range model."
    st.html(f"<div class='ew-legend'>{_scale(maps.RANGE_STOPS)}{tip('chance of being recorded', about)}</div>")


def affinity_legend() -> None:
    """The same for an affinity map."""
    about = "Each step holds that share of the world's land; the half that is least alike is not coloured."
    st.html(f"<div class='ew-legend'>{_scale(maps.AFFINITY_STOPS)}{tip('of land most alike', about)}</div>")


def _scale(stops: Sequence[float]) -> str:
    boxes = "".join(f"<i style='background:rgb{c}'></i>" for c in maps.palette(dark()))
    ticks = "".join(f"<i>{t}</i>" for t in maps.legend_ticks(stops))
    return f"<span class='ew-scale'><span class='ew-boxes'>{boxes}</span><span class='ew-ticks'>{ticks}</span></span>"


def _line(modality: str, thin: bool) -> str:
    return f"<span class='ew-rule{' ew-thin' if thin else ''}' style='border-color:{_colour(modality)}'></span>"


def edits(made: Sequence[Edit]) -> None:
    """What the analyst changed, oldest first."""
    chips = "".join(f"<span class='ew-chip'>{clean(e.said, 70)}</span>" for e in made[-8:])
    more = f"<span class='ew-dim'>{len(made) - 8} earlier, </span>" if len(made) > 8 else ""
    st.html(f"<div class='ew-edits'>Your edits: {more}{chips}</div>")


def stages(done: Sequence[JobStage]) -> None:
    """The stages a job went through, with times and how far it is."""
    rows = []
    for s in done:
        share = f"{min(1.0, s.done / s.total):.0%}" if s.total and s.ended is None else ""
        mark = "✓" if s.ended is not None else "…"
        seconds = max(0.0, (s.ended or time.time()) - s.began)
        rows.append(
            f"<tr><td>{mark} {clean(s.name, 60)}</td><td class='ew-num'>{share}</td><td class='ew-num'>{seconds:.1f} s</td></tr>"
        )
    st.html(f"<table class='ew-stages'>{''.join(rows)}</table>")


def compared(finding: Finding) -> None:
    """Every comparison between senses, in numbers."""
    for c in comparisons(finding):
        lines = "".join(f"<tr><td>{clean(name, 60)}</td><td>{clean(told, 300)}</td></tr>" for name, told in comparison_rows(c))
        st.html(f"<table class='ew-stages'>{lines}</table>")


def models(finding: Finding) -> None:
    """Which models spoke, and what their licences mean for the use of the result."""
    said = ", ".join(
        tip(c.title, f"{c.purpose}; {c.licence}; {c.source}; sha256 {c.sha256[:16] or 'unknown'}")
        for c in credits(finding.provenance.models, finding.registry)
    )
    note = licence_note(finding.provenance.models, finding.registry)
    silent = ", ".join(tip(finding.registry.title(e.clue), e.abstained) for e in finding.evidence if e.abstained is not None)
    spoke = f"Models that spoke: {said}. {clean(note, 300)}" if said else ""
    quiet = f" Nothing to say (why: hover): {silent}." if silent else ""
    if spoke or quiet:
        st.html(f"<div class='ew-edits ew-dim'>{spoke}{quiet}</div>")
