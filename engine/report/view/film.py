"""A film of several scenes in words: the list of its scenes with their verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.comparison import Verdict
from engine.core.finding import Finding, Located
from engine.report.view import words
from engine.report.view.verdict import Headline, comparisons
from engine.report.view.verdict import headline as taken_as_one


@dataclass(frozen=True, slots=True)
class SceneRow:
    """One scene of a film, in words; what comes from the file is not escaped here."""

    number: int
    when: str
    verdict: str
    sound: str
    picture: str


def scene_row(scene: Finding) -> SceneRow:
    """A scene's line in the list."""
    compared = next((c for c in comparisons(scene) if {c.a, c.b} == {"sound", "picture"}), None)
    verdict = "not compared" if compared is None else compared.said
    when = words.span(round(scene.interval.start_s), round(scene.interval.end_s))
    return SceneRow(scene.scene, when, verdict, _said(scene.by("sound")), _said(scene.by("picture")))


def headline(finding: Finding) -> str:
    """How many scenes a film has, and how many of each verdict."""
    return scenes_summary(finding.film)


def banner(finding: Finding) -> Headline:
    """What stands on top of a film's report: the count of its scenes' verdicts, for it has no verdict of its own."""
    whole = taken_as_one(finding)
    one = f" Taken as one place, which it may not be: {whole.title}." if whole is not None else ""
    return Headline("cannot_tell", headline(finding), f"A film shows many places, so each scene is judged separately.{one}")


def scenes_summary(scenes: Sequence[Finding]) -> str:
    """How many scenes there are, and how many of each verdict."""
    counted = Counter(c.verdict for scene in scenes for c in comparisons(scene)[:1])
    order = (Verdict.DIFFERENT, Verdict.SAME, Verdict.REGION, Verdict.CANNOT_TELL)
    counts = [f"{counted[v]} {v}" for v in order if counted[v]]
    return f"{len(scenes)} scenes" + (f": {', '.join(counts)}" if counts else "")


def _said(x: Located | None) -> str:
    if x is None:
        return "none"
    return x.where or "cannot tell"
