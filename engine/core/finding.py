"""What is handed to app, command line and report: settings in, finding out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from engine.core.claim import Claim, ClaimTest
from engine.core.clip import Ambience, Clip, Interval, Shot
from engine.core.comparison import Comparison
from engine.core.edit import MOST_WEIGHT, Choice, Edit, Effect, Step
from engine.core.errors import SettingError
from engine.core.evidence import Evidence
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.posterior import Place, Posterior, Prior
from engine.core.rationale import Rationale
from engine.core.spec import Registry
from engine.core.timeline import Timeline

PRIORS = ("mixture", "land", "observer", "population")
FUSED = Modality.BOTH


@dataclass(frozen=True, slots=True)
class Settings:
    """What the analyst chose. Perceiving uses track, programme, interval, stride_s and quick; all else is used in scoring only.

    Attributes:
        prior: one of PRIORS: an even mixture of land and observer (default), land by area, observers, population.
        when: the date of the recording, or None for any time of the year.
        track: audio track, from 1; None for the main one (`Clip.choice`).
        programme: number or name of the programme of a transport stream that is read; None for the track's, or the main one.
        interval: the interval looked at; None for the whole clip.
        stride_s: step between sound windows; None chooses 1.5 s up to 60 s of sound, 3 s beyond.
        radius_km: the place reported has the most mass within this radius.
        same_place_km: radius of the kernel that says what "the same place" is.
        dropped: keys of observations (Observation.key) left out of the scoring.
        added: observations the analyst made.
        left_out: clues that are not to be scored; also ids of models whose observations are not.
        included: clues that are off unless asked for (container, agclip, speech, scene, streetclip).
        claim: a place, and perhaps a day, that the clip is said to come from, to be tested.
        seed: for whatever is sampled.
        weights: (clue or modality, weight of its log-likelihood) where it is not 1; a modality's counts in "both" alone.
        edits: what the analyst did, first to last; made by `engine.core.edit.apply`, which lets the fields above follow.
        quick: perceive only what has a vote; clues that are off unless asked for are not run.
    """

    prior: str = "mixture"
    when: date | None = None
    track: int | None = None
    interval: Interval | None = None
    stride_s: float | None = None
    radius_km: float = 100.0
    same_place_km: float = 50.0
    dropped: frozenset[str] = frozenset()
    added: tuple[Observation, ...] = ()
    left_out: frozenset[str] = frozenset()
    included: frozenset[str] = frozenset()
    claim: Claim | None = None
    seed: int = 0
    weights: tuple[tuple[str, float], ...] = ()
    edits: tuple[Edit, ...] = ()
    quick: bool = False
    programme: str | None = None

    def __post_init__(self) -> None:
        if self.prior not in PRIORS:
            raise SettingError(f"There is no prior called {self.prior!r}; choose one of {', '.join(PRIORS)}.")
        if not 1.0 <= self.radius_km <= 5000.0:
            raise SettingError(f"A radius of {self.radius_km:g} km is out of range; choose 1 to 5,000 km.")
        if not 1.0 <= self.same_place_km <= 2000.0:
            raise SettingError(f"A same-place radius of {self.same_place_km:g} km is out of range; choose 1 to 2,000 km.")
        if self.stride_s is not None and not 0.1 <= self.stride_s <= 60.0:
            raise SettingError(f"A stride of {self.stride_s:g} s is out of range; choose 0.1 to 60 s.")
        for name, weight in self.weights:
            if not 0.0 <= weight <= MOST_WEIGHT:
                raise SettingError(f"A weight of {weight:g} for {name} is out of range; choose 0 to {MOST_WEIGHT:g}.")

    def but(self, **changes: object) -> Settings:
        """A copy with these fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class Perception:
    """All that was heard, read and seen in one interval of a clip: made once, scored as often as the analyst likes.

    Attributes:
        clip: the file.
        interval: the interval perceived.
        observations: from all clues, in order of time within each clue.
        silent: clue name to the reason why it perceived nothing ("the clip has no sound").
        models: ids of the models that ran.
        skipped: packets that could not be decoded, by kind.
        elapsed_s: wall-clock seconds by clue, and for finding the shots.
        shots: takes of the picture in order, covering the interval; empty without pictures.
        ambience: the background of the sound, or None without sound.
        failed: clue name ("shots" and "background" among them) to a sentence that says why it failed, so that another try may
            go otherwise; what cannot be perceived whoever tries is in `silent` alone.
        decoding: how decoding was fenced in, in a sentence, or "" where nobody knows.
    """

    clip: Clip
    interval: Interval
    observations: tuple[Observation, ...] = field(repr=False)
    silent: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    elapsed_s: Mapping[str, float] = field(default_factory=dict)
    shots: tuple[Shot, ...] = field(default=(), repr=False)
    ambience: Ambience | None = field(default=None, repr=False)
    failed: Mapping[str, str] = field(default_factory=dict)
    decoding: str = ""

    def within(self, interval: Interval | None) -> Perception:
        """What was perceived in an interval: observations whose middle lies in it, none longer than it, and the shots it shares
        time with.
        """
        if interval is None or interval == self.interval:
            return self
        low, high = interval.start_s, interval.end_s
        inside = (o for o in self.observations if low <= (o.start_s + o.end_s) / 2 < high or _timeless(o))
        kept = tuple(o if o.end_s <= high else replace(o, end_s=high) for o in inside)
        shots = tuple(s for s in self.shots if interval.overlaps(s.start_s, s.end_s))
        return replace(self, interval=interval, observations=kept, shots=shots)

    def adding(self, observations: tuple[Observation, ...]) -> Perception:
        """The same with further observations at its end."""
        return replace(self, observations=self.observations + observations)


def _timeless(o: Observation) -> bool:
    """Whether it speaks of the file as a whole: a tag without a time of its own."""
    return o.kind == "tag" and o.start_s == 0.0 and o.end_s == 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Where one modality points, or why it cannot tell.

    Attributes:
        modality: "sound", "picture", "container" or "both".
        posterior: posterior over the map; the prior itself when nothing was said.
        prior: the prior on the same grid.
        place: the point reported, with its name; None when it cannot tell.
        gain_nats: Kullback-Leibler divergence of the posterior from the prior.
        cannot_tell: the reason in a sentence, or None when the modality speaks.
        regions_km2: area of the region that holds each share of the mass (0.5, 0.9, 0.95).
        countries: (name, share of mass), largest first.
        region: where its 90% region lies, in words ("Central Europe").

    A modality that cannot tell has no place, no regions and no countries, whatever is handed in: what could be read off its
    posterior would be the prior's, and is nothing that the clip says.
    """

    modality: str
    posterior: Posterior
    prior: Prior
    place: Place | None
    gain_nats: float
    cannot_tell: str | None
    regions_km2: Mapping[float, float]
    countries: tuple[tuple[str, float], ...] = ()
    region: str = ""

    def __post_init__(self) -> None:
        if not self.spoke:
            for name, nothing in (("place", None), ("regions_km2", {}), ("countries", ()), ("region", "")):
                object.__setattr__(self, name, nothing)
        elif self.place is None:
            raise ValueError(f"{self.modality} has a location and must report a place")

    @property
    def spoke(self) -> bool:
        """Whether it says where the clip is from; where it does not, `cannot_tell` says why. Every output asks this."""
        return self.cannot_tell is None


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made a finding: program version, model ids, file hashes and when; `decoding` as in Perception."""

    version: str
    models: tuple[str, ...]
    created: str
    elapsed_s: float
    seed: int
    decoding: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One scene of one clip, judged: all that app, command line and report read.

    Beside what the fields' own types say:
        scene: number of the scene, from 1; 0 when it is about a film of several scenes as a whole, or an interval that is none.
        scenes: scenes in what was perceived.
        film: about a film of several scenes, each of them judged by itself (`engine.judge_film`).
        timeline: where each modality points as time goes by, when a report asks for it (`engine.analysis.timeline`).
        before: where each modality pointed as first computed, before any edit; empty when nothing was edited.
        history: what each edit did, `choices`: what each setting chosen does, and `effects`: what each clue and observation
            does; all worked out only when a report asks for them (`engine.explained`).
        rationale: the argument, likewise (`engine.rationale` makes it at any time, in milliseconds).
        registry: the clues and models of the program that judged it, by which everything in it is named.
    """

    clip: Clip
    interval: Interval
    settings: Settings
    perception: Perception = field(repr=False)
    evidence: tuple[Evidence, ...] = field(repr=False)
    located: tuple[Located, ...]
    provenance: Provenance
    registry: Registry = field(repr=False)
    comparisons: tuple[Comparison, ...] = ()
    claims: tuple[ClaimTest, ...] = ()
    scene: int = 1
    scenes: int = 1
    before: tuple[Located, ...] = ()
    history: tuple[Step, ...] = ()
    choices: tuple[Choice, ...] = ()
    effects: tuple[Effect, ...] = ()
    film: tuple[Finding, ...] = field(default=(), repr=False)
    timeline: Timeline | None = field(default=None, repr=False)
    rationale: Rationale | None = field(default=None, repr=False)

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The shots of the interval, in order."""
        return self.perception.shots

    def by(self, modality: str) -> Located | None:
        """Where this modality points, or None when it was not judged at all."""
        return next((x for x in self.located if x.modality == modality), None)
