"""Everything a report says of a Finding, ready to be shown: made once, set as HTML or as PDF.

Texts of the file are made fit to be shown (`shown`) and not yet escaped; what is Markup is SVG made here, whose own texts are
escaped where they are put in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from markupsafe import Markup

from engine.core.card import Card as ModelCard
from engine.core.claim import LIVES, ClaimTest
from engine.core.clip import Reader
from engine.core.comparison import Verdict
from engine.core.custody import Custody
from engine.core.finding import FUSED, Finding, Located
from engine.core.modality import Modality
from engine.core.perceived import Perceived, clear, gather, species_behind
from engine.core.posterior import Place
from engine.core.progress import Progress, ProgressCallback, silent
from engine.core.rationale import Sentence
from engine.media.source import shown
from engine.report.figures import map as maps
from engine.report.figures.colour import modality_colour
from engine.report.figures.timeline import moments, timeline
from engine.report.formats.digest import digest
from engine.report.formats.record import clip_name
from engine.report.view import claim, fact, film, lead, origin, scope, verdict, words
from engine.report.view.against import speaks_against
from engine.report.view.credit import credits, licence_note
from engine.report.view.decision import EditRow, EffectRow, chosen, decided, decisions, effects, first
from engine.report.view.exhibit import Card, Ranges, Row, Still, card, row, stills
from engine.report.view.likeness import Condition, conditions
from engine.report.view.proposition import SCALE_SOURCE, claim_propositions, propositions, scale
from engine.report.view.term import TERMS
from engine.report.view.validation import Sheet, regions_hold, sheets
from engine.report.view.versions import Versions, versions

_MOST_CARDS = 8  # species with spectrogram, sound and range map: bounds the page to a few MB
_MOST_ROWS = 60
_OUTLINED = (0.5, 0.9)
_NOTHING = Markup("")


@dataclass(frozen=True, slots=True)
class ModalityView:
    """One modality's part of the page."""

    name: str
    modality: str
    colour: str
    located: Located
    title: str
    point: str
    place: str
    coordinates: str
    mass: str
    regions: tuple[tuple[str, str], ...]
    top_countries: str
    countries: tuple[tuple[str, str, float], ...]
    world: Markup = _NOTHING
    near: Markup = _NOTHING
    near_km: str = ""
    note: str = ""
    cannot_tell: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One species at a claimed place, for the table."""

    name: str
    latin: str
    score: str
    home: str
    tone: str
    doubt: str
    weeks: Markup


@dataclass(frozen=True, slots=True)
class Tested:
    """A claim tested."""

    banner: claim.ClaimHeadline
    said: str
    propositions: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str], ...]
    heard: tuple[Neighbour, ...]
    absent: str
    strangers: str


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of the argument; `anchor` leads to where it can be heard or seen on the page."""

    text: str
    kind: str
    when: str
    anchor: str
    source: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template shows."""

    finding: Finding
    name: str
    facts: tuple[tuple[str, str], ...]
    lead: lead.Lead | None
    banner: verdict.Headline | None
    modalities: tuple[ModalityView, ...]
    together: Markup
    comparisons: tuple[tuple[tuple[str, str], ...], ...]
    claims: tuple[Tested, ...]
    timeline: Markup
    moments: Markup
    reference: str
    film: tuple[film.SceneRow, ...]
    cards: tuple[Card, ...]
    species: tuple[Row, ...]
    sounds: tuple[Row, ...]
    others: tuple[Row, ...]
    stills: tuple[Still, ...]
    silent: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...]
    origin: tuple[tuple[str, str, str], ...]
    origin_lead: str
    credits: tuple[ModelCard, ...]
    licence: str
    range_when: str
    ground: Markup
    argument: tuple[tuple[str, tuple[Said, ...]], ...] = ()
    argued_by: str = ""
    edits: tuple[EditRow, ...] = ()
    chosen: tuple[tuple[str, str, str, str], ...] = ()
    first: tuple[tuple[str, str], ...] = ()
    effects: tuple[EffectRow, ...] = ()
    propositions: tuple[tuple[str, str], ...] = ()
    scale: tuple[tuple[str, str], ...] = ()
    scale_source: str = SCALE_SOURCE
    against: tuple[str, ...] = ()
    validation: tuple[Sheet, ...] = ()
    purpose: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    unexamined: tuple[str, ...] = ()
    regions_hold: str = ""
    terms: tuple[tuple[str, str], ...] = TERMS
    digest: str = ""
    versions: Versions | None = None
    custody: Custody | None = None
    decided: tuple[tuple[str, ...], ...] = ()


def page_of(
    finding: Finding,
    reader: Reader | None = None,
    ranges: Ranges | None = None,
    custody: Custody | None = None,
    progress: ProgressCallback = silent,
) -> Page:
    """The content of a report; arguments as for `html.to_html`."""
    numbers = digest(finding)
    progress(Progress("drawing maps"))
    everything = gather(finding)
    species = species_behind(finding, everything)
    sounds = clear(everything, "sound")
    others = tuple(p for p in everything if p.best.kind not in ("species", "sound", "embedding"))[:_MOST_ROWS]
    seen = tuple(o for o in others if o.best.kind in ("text", "scene"))
    modalities, together = _modalities(finding)
    return Page(
        finding=finding,
        name=clip_name(finding.clip),
        facts=(*fact.facts(finding), *scope.examiner(finding, custody, versions()), ("Numbers SHA-256", numbers)),
        lead=_lead(finding),
        banner=film.banner(finding) if finding.film else verdict.headline(finding),
        modalities=modalities,
        together=together,
        comparisons=tuple(_safe_rows(verdict.comparison_rows(c)) for c in verdict.comparisons(finding)),
        claims=tuple(_tested(t) for t in finding.claims),
        timeline=_timeline(finding, (*species[:12], *sounds[:5], *seen[:8])),
        moments=Markup(moments(finding.timeline, finding.interval)) if finding.timeline else _NOTHING,
        reference=shown(finding.timeline.reference, 160) if finding.timeline else "",
        film=tuple(_scene_row(x) for x in finding.film),
        cards=_cards(species[:_MOST_CARDS], finding, reader, ranges, progress),
        species=tuple(row(p) for p in species[_MOST_CARDS:_MOST_ROWS]),
        sounds=tuple(row(p) for p in sounds[:_MOST_ROWS]),
        others=tuple(row(p) for p in others),
        stills=stills(finding, reader),
        silent=scope.silent(finding),
        problems=fact.problems(finding),
        settings=fact.settings(finding),
        tags=tuple((shown(k, 80), shown(v, 300)) for k, v in finding.clip.tags[:_MOST_ROWS]),
        origin=origin.rows(finding),
        origin_lead=origin.LEAD,
        credits=credits(finding.provenance.models, finding.registry),
        licence=licence_note(finding.provenance.models, finding.registry),
        range_when=_season(finding.settings.when),
        ground=Markup(maps.ground_symbols()),
        argument=_argument(finding),
        argued_by=_argued_by(finding),
        edits=decisions(finding),
        chosen=chosen(finding),
        first=first(finding),
        effects=effects(finding),
        propositions=propositions(finding),
        scale=scale(),
        against=speaks_against(finding),
        validation=sheets(),
        purpose=scope.purpose(),
        conditions=conditions(finding),
        unexamined=scope.unexamined(finding),
        regions_hold=regions_hold(),
        digest=numbers,
        versions=versions(),
        custody=_bounded(custody) if custody else None,
        decided=tuple(decided(d) for d in custody.decisions) if custody else (),
    )


def _lead(finding: Finding) -> lead.Lead | None:
    """What the report leads with where a side is silent, fit to be shown."""
    first = lead.lead(finding)
    if first is None:
        return None
    lines = tuple((shown(what, 200), shown(scope.homeless(result), 400)) for what, result in first.lines)
    return lead.Lead(first.tone, shown(first.title, 300), lines, first.compared, shown(first.help, 600))


def _bounded(c: Custody) -> Custody:
    """A custody whose texts are fit for the head of a report."""
    return replace(c, case=shown(c.case, 200), who=shown(c.who, 200), remarks=tuple(shown(t, 600) for t in c.remarks))


def _cards(
    species: tuple[Perceived, ...], finding: Finding, reader: Reader | None, ranges: Ranges | None, progress: ProgressCallback
) -> tuple[Card, ...]:
    made = []
    for number, p in enumerate(species):
        progress(Progress("drawing species", number, len(species), "species"))
        made.append(card(p, finding, reader, ranges))
    return tuple(made)


def _argument(finding: Finding) -> tuple[tuple[str, tuple[Said, ...]], ...]:
    """The argument by modality; empty when it was not worked out."""
    r = finding.rationale
    if r is None:
        return ()
    modalities = dict.fromkeys(s.modality for s in r.sentences)
    return tuple((words.modality(m), tuple(_sentence(s) for s in r.of(m))) for m in modalities)


def _sentence(s: Sentence) -> Said:
    anchor = {"sound": "species", "picture": "frames"}.get(s.modality, "") if s.start_s is not None else ""
    when = words.span(s.start_s, s.end_s or s.start_s) if s.start_s is not None else ""
    return Said(shown(s.text, 700), s.kind, when, anchor, shown(s.source, 200), tuple(shown(str(a), 400) for a in s.alternatives))


def _argued_by(finding: Finding) -> str:
    r = finding.rationale
    if r is None:
        return ""
    who = "rules and a table of cues" if r.author == "rules" else f"the language model {r.author}"
    return shown(
        f"Reasoning by {who}{f' ({r.stands_in})' if r.stands_in else ''}. The reasoning does not change the result.", 400
    )


def _safe_rows(rows: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((shown(k, 80), shown(v, 600)) for k, v in rows)


def _tested(t: ClaimTest) -> Tested:
    dated = t.claim.when is not None
    return Tested(
        banner=claim.headline(t),
        said=shown(f"{claim.who(t.claim)}: {claim.stated(t)}", 300),
        propositions=claim_propositions(t),
        rows=_safe_rows(claim.factor_rows(t)),
        heard=tuple(
            Neighbour(
                shown(r.name or r.latin, 80),
                shown(r.latin, 80),
                f"{r.score:.2f}",
                claim.home_words(r, dated),
                "quiet" if r.doubt else "stranger" if r.home != LIVES else "home",
                shown(r.doubt, 200),
                Markup(claim.week_bars(r.weeks, t.week)),
            )
            for r in t.heard[:_MOST_ROWS]
        ),
        absent=shown(claim.absent_words(t), 900),
        strangers=claim.STRANGERS,
    )


def _season(when: date | None) -> str:
    return f"in the week of {when.isoformat()}" if when else "at any time of the year"


# --- where ----------------------------------------------------------------------------------------------------------------


def _modalities(finding: Finding) -> tuple[tuple[ModalityView, ...], Markup]:
    """The modalities with their maps, and one map of all outlines when several spoke."""
    outlines = {x.modality: maps.outlines_of(x, _OUTLINED) for x in finding.located if x.spoke}
    marks = {x.modality: _mark(x.modality, x.place) for x in finding.located if x.place}
    modalities = tuple(_modality_view(x, outlines.get(x.modality, []), marks.get(x.modality), finding) for x in finding.located)
    claimed = [maps.Mark(t.claim.lat_deg, t.claim.lon_deg, "claim", shown(f"claimed: {t.place}", 60)) for t in finding.claims]
    if len(outlines) < 2 and not claimed:
        return modalities, Markup("")
    all_outlines = [o for own in outlines.values() for o in own]
    title = "All credible regions and places reported" + (", and the place claimed" if claimed else "")
    sound, picture = marks.get(Modality.SOUND), marks.get(Modality.PICTURE)
    link = (sound, picture) if sound and picture else None
    return modalities, Markup(maps.world_map(None, all_outlines, [*marks.values(), *claimed], title, link))


def _mark(modality: str, place: Place) -> maps.Mark:
    return maps.Mark(place.lat_deg, place.lon_deg, modality, shown(place.name, 60))


def _note(x: Located, finding: Finding) -> str:
    """What a place of sound and picture together takes for granted."""
    if x.modality != FUSED or not x.spoke:
        return ""
    c = verdict.compared(finding)
    against = ", which the factor above contradicts" if c is not None and c.verdict == Verdict.DIFFERENT else ""
    return f"This assumes that sound and picture come from one place{against}."


def _region(x: Located, share: float, area_km2: float) -> tuple[str, str]:
    """A region's share and its size; that of 90% with where it lies."""
    there = f", in {shown(x.region, 200)}" if share == 0.9 and x.region else ""
    return f"{share:.0%}", words.area_beside(area_km2) + there


def _modality_view(x: Located, outlines: list[maps.Outline], mark: maps.Mark | None, finding: Finding) -> ModalityView:
    name = words.modality(x.modality)
    world = near = Markup("")
    near_km = ""
    p = x.place
    if mark is not None:
        world = Markup(maps.world_map(x, outlines, [mark], f"{name}: probability over the world"))
        near = Markup(maps.near_map(x, outlines, [mark], f"{name}: surroundings of the reported place"))
        near_km = words.km(2 * maps.near_radius_km(x))
    return ModalityView(
        name=name,
        modality=x.modality,
        colour=modality_colour(x.modality),
        located=x,
        title=shown(x.where, 200),
        point=words.point(x.where_is).capitalize(),
        place=shown(p.name, 200) if p else "",
        coordinates=words.place(p.lat_deg, p.lon_deg) if p else "",
        mass=f"{words.share(p.mass)} of the probability within {words.km(p.radius_km)}" if p else "",
        regions=tuple(_region(x, share, a) for share, a in sorted(x.regions_km2.items())),
        top_countries=", ".join(f"{shown(n, 60)} {words.share(s)}" for n, s in x.countries[:3] if s >= 0.005),
        countries=tuple((shown(n, 60), words.share(s), min(100.0, 100 * s)) for n, s in x.countries[:8] if s >= 0.005),
        world=world,
        near=near,
        near_km=near_km,
        note=_note(x, finding),
        cannot_tell=scope.cannot_tell(x),
    )


def _scene_row(scene: Finding) -> film.SceneRow:
    r, c = film.scene_row(scene), verdict.compared(scene)
    factor = f", {c.odds} ({verdict.interval(c)})" if c is not None and c.verdict != Verdict.CANNOT_TELL else ""
    return film.SceneRow(r.number, r.when, shown(r.verdict + factor, 160), shown(r.sound, 120), shown(r.picture, 120))


def _timeline(finding: Finding, rows: tuple[Perceived, ...]) -> Markup:
    cuts = [float(getattr(s, "start_s", s)) for s in getattr(finding, "shots", ()) or ()]
    return Markup(timeline(rows, finding.interval, finding.registry, cuts)) if rows else Markup("")
