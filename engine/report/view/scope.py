"""What a report is for, who made it on which machine, and what was not examined."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.core.clip import Clip, Stream
from engine.core.custody import Custody
from engine.core.edit import edited
from engine.core.finding import Finding, Located
from engine.core.observation import ANALYST
from engine.media.source import shown
from engine.report.view import words
from engine.report.view.versions import Versions

PURPOSE = (
    "Purpose: to assess whether the sound and the picture of a clip come from one place, and in which part of the world each "
    "was probably recorded.",
    "Not to be used to find people who do not want to be found, or to locate private recordings without the consent of those "
    "in them.",
    "One line of evidence among others, to be explained by a person who can be questioned about it. It does not decide a "
    "case, and does not show that a clip is genuine or forged.",
)


def homeless(text: str) -> str:
    """A text that may name the models' folder, without the name of whoever's machine it is."""
    return text.replace(str(Path.home()), "~")


def cannot_tell(x: Located) -> str:
    """Why a modality gives no location, fit to be shown."""
    return shown(homeless(x.cannot_tell or ""), 600)


def purpose() -> tuple[str, ...]:
    """What the report is for and what it is not for, sentences."""
    return PURPOSE


def examiner(finding: Finding, custody: Custody | None, made_with: Versions) -> tuple[tuple[str, str], ...]:
    """(name, value): who, when, on what machine."""
    authors = dict.fromkeys(e.author.removeprefix(f"{ANALYST}:") for e in finding.settings.edits if e.author != ANALYST)
    named = custody.who if custody and custody.who else ", ".join(authors)
    by = shown(named, 200) if named else "not named: the program was run without a case and without --author"
    return (
        ("Examined by", by),
        ("Examined on", f"{finding.provenance.created.replace('T', ' ').replace('+00:00', '')} UTC"),
        ("Program", f"Earwitness {finding.provenance.version}"),
        ("Machine", f"{made_with.system}, Python {made_with.python}; packages and hashes below"),
    )


def silent(finding: Finding) -> tuple[tuple[str, str], ...]:
    """(title of the clue, why it has no result)."""
    return tuple((finding.registry.title(e.clue), shown(homeless(e.abstained), 400)) for e in finding.evidence if e.abstained)


def unexamined(finding: Finding) -> tuple[str, ...]:
    """What of the file was not looked at, and what nobody checked; sentences, fit to be shown, not escaped."""
    return tuple(
        shown(t, 400)
        for t in (*_of_time(finding), *_of_tracks(finding.clip, finding), *_of_people(finding), _by_no_clue(finding))
    )


def _of_time(finding: Finding) -> Iterator[str]:
    whole = finding.clip.duration_s
    if whole and finding.interval.length_s < whole - 0.1:
        a, b = finding.interval.start_s, finding.interval.end_s
        yield f"Only {words.span(a, b)} of {words.clock(whole)} was analysed."
    if finding.settings.quick:
        idle = ", ".join(s.title for s in finding.registry.idle if not s.beside)
        yield f"Quick mode: clues that do not vote were not run ({idle})."


def _of_tracks(clip: Clip, finding: Finding) -> Iterator[str]:
    heard = heard_track(finding)
    for s in (s for s in clip.streams if s.kind == "audio"):
        if s is not heard:
            yield f"Audio track {s.track} ({_named(s, clip)}) was not analysed."
    if heard is not None and (heard.channels or 0) > 1:
        alone = any(f"udio track {heard.track}" in p and p.endswith("alone is heard.") for p in clip.problems)
        which = f"{heard.channels} channels of the sound"
        mixed = f"The {which} were mixed to one; differences between them were not examined."
        yield f"Of the {which} one was analysed; the others were not." if alone else mixed
    choice = clip.choice("video")
    for s in (s for s in clip.streams if s.kind == "video" and not s.attached_picture):
        if choice is None or s is not choice.stream:
            yield f"Video track {s.track} ({_named(s, clip)}) was not analysed."
    if clip.video_tracks:
        yield "The picture was analysed in single frames; what is visible only between them was not examined."
    for kind, plural in (("subtitle", "subtitle tracks"), ("data", "data tracks"), ("attachment", "attachments")):
        count = sum(s.kind == kind for s in clip.streams)
        if count:
            yield f"{count} {plural if count > 1 else plural.rstrip('s')} of the file {'were' if count > 1 else 'was'} not read."


def _of_people(finding: Finding) -> Iterator[str]:
    whats = {e.what for e in finding.settings.edits}
    if "confirm" not in whats and "relabel" not in whats:
        yield "No detection is recorded as confirmed by a person: species and texts are as the models reported them."
    if "judgement" not in whats and edited(finding.settings):
        yield "No blind judgement is recorded before the analyst's edits: the analyst may have known the picture."


def _named(s: Stream, clip: Clip) -> str:
    own = clip.programme_of(s)
    programme = f"programme {shown(own.label, 80)}" if own is not None else ""
    return ", ".join(x for x in (s.codec, f"language {shown(s.language, 20)}" if s.language else "", programme, s.aside) if x)


def _by_no_clue(finding: Finding) -> str:
    """What no clue that spoke looks at."""
    looked = any(e.clue == "picture" and e.abstained is None for e in finding.evidence)
    scenery = "" if looked else "buildings, vehicles, plants, landforms, "
    marked = any(e.clue == "sun" and e.abstained is None for e in finding.evidence)
    sky = "weather, or shadows that the analyst did not mark" if marked else "weather, sun or shadow"
    return (
        f"No clue examined faces, voices, what is said, {scenery}{sky}. Whether the file was generated or "
        f"manipulated was not examined."
    )


def heard_track(finding: Finding) -> Stream | None:
    """The audio track that was listened to: the one asked for, else the main one; None without."""
    tracks = [s for s in finding.clip.audio_tracks if s.decodable]
    choice = finding.clip.choice("audio")
    return next((s for s in tracks if s.track == finding.settings.track), choice.stream if choice else None)
