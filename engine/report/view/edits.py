"""The analyst's edits, and what each clue and observation does, in words."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.edit import CONFIDENCES, Choice, Edit, Effect, Step
from engine.media.source import shown
from engine.report.view import words

_DONE = {
    "drop": "dropped",
    "restore": "taken back in",
    "add": "added",
    "confirm": "confirmed",
    "relabel": "relabelled",
    "note": "noted",
    "import": "read in",
    "weight": "weighed",
    "leave out": "clue left out",
    "include": "clue asked for",
    "judgement": "judged blind",
}
SMALL = 0.005  # of a log10 factor: below it nothing changed that two digits show


def title(edit: Edit) -> str:
    """What an edit is about, as people call it."""
    named = edit.title or next((o.name for o in edit.replacement if o.key == edit.target and o.name), "")
    return shown(named or edit.target.split("/", 2)[-1].replace("modality:", ""), 120)


def sure(chance: float | None) -> str:
    """A stated confidence in words."""
    if chance is None:
        return ""
    return next((f"{name} ({value:g})" for name, value in CONFIDENCES if abs(value - chance) < 1e-9), f"{chance:g}")


def said(edit: Edit) -> str:
    """An edit in a line: "Great Tit relabelled as Coal Tit (probable (0.9)), by Ann: too thin"."""
    parts = [f"{title(edit)} {_done(edit)}"]
    if edit.what == "relabel" and not _weighed_anew(edit):
        parts.append(f"as {shown(edit.replacement[0].name or edit.replacement[0].label, 120)}")
    if edit.what == "weight":
        parts.append(f"{edit.weight:g}")
    if edit.what in ("add", "confirm", "relabel") and edit.replacement:
        first, last = edit.replacement[0], edit.replacement[-1]
        parts.append(f"at {words.span(first.start_s, max(last.end_s, first.start_s))}")
        if first.vector is not None and len(first.vector) == 2:
            parts.append(f"meaning {words.place(float(first.vector[0]), float(first.vector[1]))}")
    if edit.alone:
        parts.append("instead of the model's own detections")
    if edit.confidence is not None:
        parts.append(f"({sure(edit.confidence)})")
    line = " ".join(parts) + f", by {shown(edit.author, 80)}"
    return line + (f": {shown(edit.note, 400).rstrip('.')}" if edit.note else "")


def _weighed_anew(edit: Edit) -> bool:
    """Whether an edit changes only how sure the analyst is."""
    return edit.what == "relabel" and all(o.key == edit.target for o in edit.replacement)


def _done(edit: Edit) -> str:
    return "confidence changed" if _weighed_anew(edit) else _DONE[edit.what]


def brief(edit: Edit) -> str:
    """The same in a few words: "Great Tit dropped"."""
    if edit.what == "judgement":
        return "sound judged blind"
    renamed = edit.what == "relabel" and not _weighed_anew(edit)
    to = f" as {shown(edit.replacement[0].name or edit.replacement[0].label, 80)}" if renamed else ""
    return f"{title(edit)} {_done(edit)}{to}" + (f": {edit.weight:g}" if edit.what == "weight" else "")


def change(step: Step) -> str:
    """What an edit did to the factor and the places: "−1.42 → −0.95 (different places, weak support); sound moved 5,550 km"."""
    if not step.edit.scores:
        return ""
    turned = _turned(step.log10_before, step.log10_after, step.words_before, step.words_after, step.bounded)
    return "; ".join((*turned, *_moved(step.moved_km)))


def _turned(before: float | None, after: float | None, words_before: str, words_after: str, bounded: bool) -> list[str]:
    if before is None and after is None:
        return []
    said = words_after if words_before == words_after else f"{words_before} → {words_after}"
    parts = [f"{factor(before)} → {factor(after)} ({said})"]
    return [*parts, "both at the maximum that validation supports"] if bounded else parts


def _moved(moved_km: tuple[tuple[str, float], ...]) -> list[str]:
    moved = [f"{name} moved by {words.km(km)}" for name, km in moved_km if km >= 1.0]
    return moved or (["no place moved"] if moved_km else [])


def factor(log10: float | None) -> str:
    """A log10 factor with its sign, or why there is none."""
    return "none" if log10 is None else "0.00" if abs(log10) < SMALL else f"{log10:+.2f}".replace("-", "−")


def setting(choice: Choice) -> str:
    """A setting chosen, in a line: "Date of the recording: 2024-05-01, not any time of the year"."""
    name, value = _SETTINGS[choice.name]
    return f"{name}: {value(choice.chosen)}, not {value(choice.default)}"


def setting_change(choice: Choice) -> str:
    """What it does to the factor and the places, as `change` says it of an edit."""
    c = choice
    turned = _turned(c.log10_default, c.log10_chosen, c.words_default, c.words_chosen, c.bounded)
    return "; ".join((*turned, *_moved(c.moved_km)))


_SETTINGS: dict[str, tuple[str, Callable[[str], str]]] = {
    "prior": ("Prior", lambda name: words.PRIOR_NAMES.get(name, name)),
    "when": ("Date of the recording", lambda day: day or "any time of the year"),
    "radius_km": ("Radius of the reported place", lambda km: words.km(float(km))),
    "same_place_km": ("Radius of “the same place”", lambda km: words.km(float(km))),
}


def effect(e: Effect) -> str:
    """What one thing does: "−3.56 on log₁₀ for different places; without it, the place of the sound is 17 km away"."""
    parts = []
    if e.alone:
        parts.append(f"without it, the {e.modality} gives no location")
    elif e.log10_change is not None:
        way = "" if abs(e.log10_change) < SMALL else " for one place" if e.log10_change > 0 else " for different places"
        parts.append(f"{factor(e.log10_change)} on log₁₀{way}")
    if e.moved_km >= 1.0:
        parts.append(f"without it, the place of the {e.modality} is {words.km(e.moved_km)} away")
    if e.moved_both_km is not None and e.moved_both_km >= 1.0:
        parts.append(f"the joint place {words.km(e.moved_both_km)} away")
    return "; ".join(parts) or "almost no effect"
