"""The analyst's hand: what was dropped, added, confirmed, relabelled, imported or weighed otherwise, by whom and how surely.

Edits are a list in `Settings`, in the order in which they were made. `apply` puts one at the end of it and lets the fields that
scoring reads (dropped, added, left_out, included, weights) follow, so that `steps` can go through them again one by one and
show what each did. Nothing perceived is ever changed: an edit only says what counts.

A stated confidence is read as the chance that the analyst is right. A species that the analyst heard or confirms counts with
that chance, or with the model's own calibrated one where that is higher; neither exceeds what calibration allows for vagrants,
cages and playback. A sign that the analyst read or confirms counts as read with that score, a place chosen for it as one that
the sign is about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core.errors import SettingError
from engine.core.observation import ANALYST, Observation

if TYPE_CHECKING:
    from engine.core.perception import Perception
    from engine.core.settings import Settings

# What an analyst may say of their own certainty, and the chance of being right that it is read as.
CONFIDENCES = (("certain", 0.99), ("probable", 0.9), ("possible", 0.6), ("a guess", 0.3))

WHATS = (
    "drop",
    "restore",
    "add",
    "confirm",
    "relabel",
    "note",
    "import",
    "weight",
    "leave out",
    "include",
    "judgement",
)
MOST_TEXT = 2000
MOST_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing the analyst did.

    Attributes:
        what: one of WHATS.
        target: key of the observation (Observation.key); the name of a clue or modality for weights and switches; the file's
            name for an import; the modality for a judgement.
        replacement: observations put in by it: the one added or relabelled, the confirmed copy, a table's detections.
        author: the analyst's name, or "analyst".
        confidence: chance of being right, as stated, or None where it means nothing.
        note: the analyst's remark; the stated opinion of a judgement.
        created: when, ISO 8601.
        weight: the new weight, for what = "weight".
        alone: id of a model whose observations stop counting with this edit (an import that replaces it), or "".
        digest: for a judgement, sha256 of what was judged.
        title: what people call the target, or "".
    """

    what: str
    target: str
    replacement: tuple[Observation, ...] = ()
    author: str = ANALYST
    confidence: float | None = None
    note: str = ""
    created: str = ""
    weight: float | None = None
    alone: str = ""
    digest: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        if self.what not in WHATS:
            raise ValueError(f"there is no edit called {self.what!r}; one of {', '.join(WHATS)}")
        if self.confidence is not None and not 0.0 < self.confidence <= 1.0:
            raise SettingError(f"A confidence of {self.confidence:g} is out of range; choose more than 0 and at most 1.")
        if self.weight is not None and not (math.isfinite(self.weight) and 0.0 <= self.weight <= MOST_WEIGHT):
            raise SettingError(f"A weight of {self.weight:g} is out of range; choose 0 to {MOST_WEIGHT:g}.")
        if self.what == "weight" and self.weight is None:
            raise SettingError(f"No weight is given for {self.target}; choose 0 to {MOST_WEIGHT:g}.")

    @property
    def scores(self) -> bool:
        """Whether it can change a result at all: a note and a judgement cannot."""
        return self.what not in ("note", "judgement")


def signed(author: str) -> str:
    """The author of observations that an analyst of this name makes."""
    name = " ".join(author.split())[:80]
    return ANALYST if not name or name == ANALYST else f"{ANALYST}:{name}"


def apply_edit(settings: Settings, edit: Edit) -> Settings:
    """The settings after one more edit."""
    s = settings.but(edits=(*settings.edits, replace(edit, note=edit.note[:MOST_TEXT])))
    if edit.what == "drop":
        return s.but(dropped=s.dropped | {edit.target}, added=_without(s.added, edit.target))
    if edit.what == "restore":
        held = {o.value for o in s.added}
        back = tuple(o for e in settings.edits for o in e.replacement if o.key == edit.target and o.value not in held)
        return s.but(dropped=s.dropped - {edit.target}, added=s.added + back)
    if edit.what in ("add", "confirm"):
        return s.but(added=s.added + edit.replacement)
    if edit.what == "relabel":
        return s.but(dropped=s.dropped | {edit.target}, added=_without(s.added, edit.target) + edit.replacement)
    if edit.what == "import":
        return s.but(added=s.added + edit.replacement, left_out=s.left_out | ({edit.alone} if edit.alone else set()))
    if edit.what == "weight":
        weights = {name: w for name, w in s.weights if name != edit.target}
        if edit.weight is not None and edit.weight != 1.0:
            weights[edit.target] = float(edit.weight)
        return s.but(weights=tuple(sorted(weights.items())))
    if edit.what == "leave out":
        return s.but(left_out=s.left_out | {edit.target}, included=s.included - {edit.target})
    if edit.what == "include":
        return s.but(left_out=s.left_out - {edit.target}, included=s.included | {edit.target})
    return s


def _without(added: tuple[Observation, ...], key: str) -> tuple[Observation, ...]:
    return tuple(o for o in added if o.key != key)


def untouched(settings: Settings) -> Settings:
    """The same settings as they were before the analyst's hand: for the result "as first computed"."""
    return settings.but(edits=(), dropped=frozenset(), added=(), left_out=frozenset(), included=frozenset(), weights=())


def edited(settings: Settings) -> bool:
    """Whether the analyst's hand changed what is scored."""
    s = settings
    return bool(s.dropped or s.added or s.left_out or s.included or s.weights)


def edit_steps(settings: Settings) -> tuple[tuple[Edit, Settings, Settings], ...]:
    """Every edit with the settings before and after it, first to last.

    What is dropped, added or switched without an edit (settings made by hand) comes first, as edits without time.
    """
    at = untouched(settings)
    out = []
    for edit in (*_implied(settings), *settings.edits):
        after = apply_edit(at, edit)
        out.append((edit, at, after))
        at = after
    return tuple(out)


def _implied(settings: Settings) -> tuple[Edit, ...]:
    s = untouched(settings)
    for edit in settings.edits:
        s = apply_edit(s, edit)
    known = {e.target for e in settings.edits}
    added = {o.value for o in s.added}
    return (
        *(Edit("drop", key) for key in sorted(settings.dropped - s.dropped)),
        *(Edit("add", o.key, (o,), o.author) for o in settings.added if o.value not in added),
        *(Edit("leave out", name) for name in sorted(settings.left_out - s.left_out)),
        *(Edit("include", name) for name in sorted(settings.included - s.included)),
        *(Edit("weight", name, weight=w) for name, w in settings.weights if (name, w) not in s.weights and name not in known),
    )


def counts(observation: Observation, settings: Settings) -> bool:
    """Whether something perceived still counts."""
    return observation.key not in settings.dropped and observation.author not in settings.left_out


def counting(perception: Perception, settings: Settings) -> tuple[Observation, ...]:
    """What is scored: what was perceived and not left out, and what the analyst put in, of the interval that is judged."""
    interval = perception.interval
    own = tuple(o for o in settings.added if o.start_s < interval.end_s and o.end_s >= interval.start_s)
    return tuple(o for o in perception.observations if counts(o, settings)) + own


@dataclass(frozen=True, slots=True)
class Step:
    """One edit and what it did.

    Attributes:
        edit: the edit.
        log10_before, log10_after: calibrated log10 factor for one place against two, or None where nothing was compared.
        words_before, words_after: the verdict and its support in words.
        moved_km: (modality, kilometres) by which places reported moved, for the modalities that spoke before and after.
        bounded: both factors are at the bound that validation supports, and hide what changed beyond it.
    """

    edit: Edit
    log10_before: float | None
    log10_after: float | None
    words_before: str = ""
    words_after: str = ""
    moved_km: tuple[tuple[str, float], ...] = ()
    bounded: bool = False


def chosen_settings(settings: Settings) -> tuple[tuple[str, str, str, Settings], ...]:
    """The settings of scoring that the analyst chose, beside the edits.

    Returns:
        (name, what was chosen, the default, the settings with the default in its place) of each that is not the default; no
        date is "".
    """
    default = type(settings)()
    differ = [n for n in ("prior", "when", "radius_km", "same_place_km") if getattr(settings, n) != getattr(default, n)]
    return tuple((n, _text(settings, n), _text(default, n), settings.but(**{n: getattr(default, n)})) for n in differ)


def _text(settings: Settings, name: str) -> str:
    held = getattr(settings, name)
    return "" if held is None else f"{held:g}" if isinstance(held, float | int) else str(held)


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting that the analyst chose, and what it does: the result with it beside the result with the default in its place.

    Attributes:
        name: field of Settings: prior, when, radius_km or same_place_km.
        chosen, default: the values as text: a prior's name, a day in ISO 8601 or "", kilometres.
        log10_default, log10_chosen: calibrated log10 factor for one place against two, or None where nothing was compared.
        words_default, words_chosen: the verdict and its support in words.
        moved_km: (modality, kilometres) by which places reported differ, for the modalities that speak both times.
        bounded: both factors are at the bound that validation supports, and hide what differs beyond it.
    """

    name: str
    chosen: str
    default: str
    log10_default: float | None
    log10_chosen: float | None
    words_default: str = ""
    words_chosen: str = ""
    moved_km: tuple[tuple[str, float], ...] = ()
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """What one clue or one observation does to the result: the result with it less the result without it.

    Attributes:
        clue: which clue.
        key: Observation.key, or "" for the clue as a whole.
        title: what people call it.
        modality: the modality it belongs to.
        log10_change: change of the calibrated log10 factor under the analyst's prior before it is bounded; above 0 it speaks
            for one place. None where nothing can be compared with it or without it.
        moved_km: by how far the place of its own modality lies elsewhere without it.
        moved_both_km: the same for both modalities together, or None where only one is judged.
        gain_change: change of its modality's gain over the prior, nats.
        alone: True when its modality says nothing without it.
    """

    clue: str
    key: str
    title: str
    modality: str
    log10_change: float | None
    moved_km: float
    moved_both_km: float | None
    gain_change: float
    alone: bool = False
