"""A finding in the terminal: the location of each modality, the evidence and the models."""

from __future__ import annotations

import textwrap

from engine.cli.terminal import Pen, columns, plain
from engine.clues.text import mirror
from engine.core.claim import LIVES, ClaimTest
from engine.core.finding import Finding, Located
from engine.core.modality import Modality
from engine.core.perceived import HEARD_SCORE, Perceived, clear, gather, species_behind
from engine.report.formats.record import clip_name
from engine.report.view import claim, edits, film, lead, origin, words
from engine.report.view.credit import credits, licence_note
from engine.report.view.scope import heard_track
from engine.report.view.verdict import headline

_STATED = {
    "location": "place", "timed location": "place", "location in doubt": "in doubt", "creation time": "time", "year": "year",
    "place named": "place named",
}  # fmt: skip
_MOST_LISTED = 12
_MOST_COUNTRIES = 5
_MOST_SPANS = 4


def summarise(finding: Finding, pen: Pen) -> None:
    """Write the finding as text; everything that comes from the file is made harmless first."""
    pen.line(pen.styled(clip_name(finding.clip), "bold") + pen.styled(" · " + _about(finding), "dim"))
    if finding.film:
        _film(finding, pen)
        _stated(finding, pen)
        _origin(finding, pen)
        _silent(finding, pen)
        _made_by(finding, pen)
        return
    first = lead.lead(finding)
    banner = headline(finding)
    if first:
        _lead(first, pen)
    elif banner:
        pen.line()
        pen.line(pen.styled(plain(banner.title, 200), "bold"))
        _paragraph(pen, banner.sentence)
    for located in finding.located:
        pen.line()
        _located(located, pen)
    _edited(finding, pen)
    for test in finding.claims:
        _claim(test, pen)
    _perceived(finding, pen)
    _stated(finding, pen)
    _origin(finding, pen)
    _silent(finding, pen)
    _made_by(finding, pen)


def _lead(first: lead.Lead, pen: Pen) -> None:
    """What can be tested where a side is silent, and what would help."""
    pen.line()
    for n, line in enumerate(textwrap.wrap(plain(first.title, 300), columns())):
        pen.line(pen.styled(line if n == 0 else f"  {line}", "bold"))
    for what, result in first.lines:
        _paragraph(pen, f"{what}: {plain(result, 400)}")
    for sentence in (first.compared, first.help):
        if sentence:
            _paragraph(pen, plain(sentence, 600))


def _film(finding: Finding, pen: Pen) -> None:
    """The scenes of a film with their verdicts: a film has many places, and no verdict of its own."""
    pen.line()
    pen.line(pen.styled(film.headline(finding), "bold"))
    pen.line(pen.styled(f"  {'scene':>5}  {'when':<15} {'sound and picture':<42} where sound | picture point", "dim"))
    for scene in finding.film:
        row = film.scene_row(scene)
        each = f"{plain(row.sound, 60)} | {plain(row.picture, 60)}"
        pen.line(f"  {row.number:>5}  {row.when:<15} {plain(row.verdict, 42):<42} {each}")
    pen.line()
    pen.line(pen.styled("One scene in full: --scene N; the film as one place: --scene whole.", "dim"))


def _about(finding: Finding) -> str:
    clip = finding.clip
    parts = [
        "still picture" if clip.is_still else words.clock(clip.duration_s) if clip.duration_s else "length unknown",
        *_tracks(finding),
    ]
    if finding.settings.interval:
        parts.append(f"examined {words.span(finding.interval.start_s, finding.interval.end_s)}")
    parts.append(f"sha256 {clip.sha256[:8]}…{clip.sha256[-4:]}")
    return plain(" · ".join(parts), 240)


def _tracks(finding: Finding) -> list[str]:
    clip, parts = finding.clip, list[str]()
    if clip.programmes:
        parts += [f"programme {p.label}" for p in clip.programmes if p.number == clip.programme]
    choice = clip.choice("video")
    if clip.video_tracks:
        v = choice.stream if choice else clip.video_tracks[0]
        parts.append(f"{v.width_px}×{v.height_px} {v.codec}" if v.width_px else v.codec)
    if clip.audio_tracks:
        a = heard_track(finding) or clip.audio_tracks[0]
        rate = f" {a.rate_hz / 1000:g} kHz" if a.rate_hz else ""
        more = f" (track {a.track} of {len(clip.audio_tracks)})" if len(clip.audio_tracks) > 1 else ""
        parts.append(f"{a.codec}{rate}{more}")
    return parts


def _located(x: Located, pen: Pen) -> None:
    name = words.modality(x.modality)
    if x.place is None:
        pen.line(pen.styled(f"{name}: cannot tell", x.modality))
        _paragraph(pen, x.cannot_tell or "")
        return
    pen.line(pen.styled(f"{name}: ", x.modality) + pen.styled(plain(x.where, 200), "bold"))
    within = f"{words.share(x.place.mass)} of the probability within {words.km(x.place.radius_km)}"
    is_region = x.where_is == "region"
    named = f"{words.point(x.where_is)} {plain(x.place.name, 200)}, " if is_region else ""
    _field(pen, "place", f"{named}{words.place(x.place.lat_deg, x.place.lon_deg)}; {within}")
    for share, area_km2 in sorted(x.regions_km2.items()):
        there = f", in {plain(x.region, 200)}" if share == 0.9 and x.region else ""
        _field(pen, f"{share:.0%} region", words.area_beside(area_km2) + there)
    listed = [f"{plain(n, 60)} {words.share(s)}" for n, s in x.countries[:_MOST_COUNTRIES] if s >= 0.005]
    if listed:
        _field(pen, "countries", ", ".join(listed))
    _field(pen, "info gain", f"{x.gain_nats:.1f} nats over the prior")


def _claim(test: ClaimTest, pen: Pen) -> None:
    shown_claim = claim.headline(test)
    pen.line()
    pen.line(pen.styled(plain(f"{claim.who(test.claim)}: {claim.stated(test)}", 200), "bold"))
    _paragraph(pen, f"{shown_claim.title}. {shown_claim.sentence}")
    for f in test.factors:
        if f.distance_km is not None:
            _field(pen, words.modality(f.modality).lower(), f"{words.km(f.distance_km)} away; {claim.inside(f)}")
    if test.sun is not None:
        _field(pen, "sun", claim.sun_words(test))
    listed = [r for r in test.heard if not r.doubt or r.home != LIVES][:_MOST_LISTED]
    width = min(36, max((len(plain(r.name, 36)) for r in listed), default=0))
    for r in listed:
        said = f"{claim.home_words(r, test.claim.when is not None)}{f'; {r.doubt}' if r.doubt else ''}"
        for n, line in enumerate(textwrap.wrap(said, columns() - width - 4)):
            pen.line(f"  {plain(r.name, 36) if n == 0 else '':<{width}}  {line}")
    if test.expected:
        _paragraph(pen, claim.absent_words(test))


def _perceived(finding: Finding, pen: Pen) -> None:
    everything = gather(finding)
    for kind in (k for k in finding.registry.kinds if k.listed and k.modality is not Modality.CONTAINER):
        listed = species_behind(finding, everything) if kind.name == "species" else clear(everything, kind.name)
        if not listed:
            continue
        pen.line()
        pen.line(pen.styled(kind.heading, "bold") + pen.styled("  best score, when", "dim"))
        titles = [plain(p.title, 72) if kind.coded else _title(p) for p in listed[:_MOST_LISTED]]
        width = min(44, max(len(t) for t in titles))
        for p, title in zip(listed, titles, strict=False):
            mark = (
                "  dropped"
                if p.dropped
                else "  added by the analyst"
                if p.added
                else "  faint"
                if p.best.score < HEARD_SCORE
                else ""
            )
            mark += "  the picture is mirrored" if p.best.note.startswith(mirror.NOTE) else ""
            pen.line(f"  {title:<{width}}  {p.best.score:.2f}  {_spans(p)}{mark}")
        if len(listed) > _MOST_LISTED:
            pen.line(pen.styled(f"  and {len(listed) - _MOST_LISTED} more", "dim"))


def _edited(finding: Finding, pen: Pen) -> None:
    if finding.history:
        pen.line()
        pen.line(
            pen.styled("Edits by the analyst", "bold")
            + pen.styled("  log₁₀ of the factor for one place, before and after", "dim")
        )
    for step in finding.history:
        shown_claim = edits.change(step)
        _paragraph(pen, f"{edits.said(step.edit)}{f' · {shown_claim}' if shown_claim else ''}")
    if finding.choices:
        pen.line()
        pen.line(
            pen.styled("Settings chosen", "bold") + pen.styled("  log₁₀ of the factor with the default, and as chosen", "dim")
        )
    for choice in finding.choices:
        _paragraph(pen, " · ".join(t for t in (edits.setting(choice), edits.setting_change(choice)) if t))


def _title(p: Perceived) -> str:
    latin = f" ({plain(p.best.label, 40)})" if p.best.name and p.best.name != p.best.label else ""
    return plain(f"{plain(p.title, 60)}{latin}", 72)


def _spans(p: Perceived) -> str:
    listed = ", ".join(words.span(a, b) for a, b in p.spans[:_MOST_SPANS])
    return listed + (f" and {len(p.spans) - _MOST_SPANS} more" if len(p.spans) > _MOST_SPANS else "")


def _stated(finding: Finding, pen: Pen) -> None:
    """Places and times that the file itself states, and where in it; of a track of timed places the first."""
    own = [o for o in finding.perception.observations if o.clue == "container" and o.name in _STATED]
    timed = [o for o in own if o.name == "timed location"]
    own = [o for o in own if o not in timed[1:]]
    if not own:
        return
    pen.line()
    pen.line(pen.styled("Stated in the file (anybody can edit this)", "bold"))
    for o in own[:_MOST_LISTED]:
        more = f"; the first of {len(timed)}" if o in timed and len(timed) > 1 else ""
        _field(pen, _STATED[o.name], plain(f"{o.label} {o.note}{more}", 400))
    if len(own) > _MOST_LISTED:
        _field(pen, "", f"and {len(own) - _MOST_LISTED} more: --json, --html")


def _origin(finding: Finding, pen: Pen) -> None:
    """Where the file comes from, as far as it tells."""
    listed = origin.rows(finding)
    if not listed:
        return
    pen.line()
    pen.line(pen.styled(origin.TITLE, "bold") + pen.styled("  nothing here counts for or against a place", "dim"))
    for name, what, worth in listed[:_MOST_LISTED]:
        _paragraph(pen, f"{name}: {what} ({worth})" if worth else f"{name}: {what}")
    if len(listed) > _MOST_LISTED:
        _paragraph(pen, f"and {len(listed) - _MOST_LISTED} more: --json, --html")


def _silent(finding: Finding, pen: Pen) -> None:
    mute = [(e.clue, e.abstained) for e in finding.evidence if e.abstained]
    notes = [*finding.perception.failed.values(), *finding.clip.problems, *_skipped(finding)]
    if not mute and not notes:
        return
    pen.line()
    pen.line(pen.styled("Not judged", "bold"))
    for clue, why in mute:
        _paragraph(pen, f"{finding.registry.title(clue)}: {why}")
    for note in notes:
        _paragraph(pen, note)


def _skipped(finding: Finding) -> list[str]:
    return [words.skipped(kind, n) for kind, n in finding.perception.skipped.items() if n]


def _made_by(finding: Finding, pen: Pen) -> None:
    p = finding.provenance
    pen.line()
    names = ", ".join(c.title for c in credits(p.models, finding.registry)) or "no model contributed"
    when = f"date {finding.settings.when}" if finding.settings.when else "any time of the year"
    prior = words.PRIOR_NAMES.get(finding.settings.prior, finding.settings.prior)
    made = f"Earwitness {p.version} in {p.elapsed_s:.1f} s; models: {names}; prior: {prior}; {when}."
    for text in (made, licence_note(p.models, finding.registry)):
        for line in textwrap.wrap(plain(text, 600), columns()):
            pen.line(pen.styled(line, "dim"))


def _field(pen: Pen, name: str, text: str) -> None:
    lines = textwrap.wrap(text, columns() - 14) or [""]
    pen.line(f"  {name:<12}{lines[0]}")
    for line in lines[1:]:
        pen.line(" " * 14 + line)


def _paragraph(pen: Pen, text: str) -> None:
    for line in textwrap.wrap(plain(text, 800), columns() - 2):
        pen.line("  " + line)
