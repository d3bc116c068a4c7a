"""What is handed to app, command line and report: where each modality points, and all else of one scene judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.claim import ClaimTest
from engine.core.clip import Clip, Interval, Shot
from engine.core.comparison import Comparison
from engine.core.edit import Choice, Effect, Step
from engine.core.evidence import Evidence
from engine.core.modality import Modality
from engine.core.perception import Perception
from engine.core.posterior import Place, Posterior, Prior
from engine.core.rationale import Rationale
from engine.core.settings import Settings
from engine.core.spec import Registry
from engine.core.sphere import distance_km
from engine.core.timeline import Timeline

FUSED = Modality.BOTH
NEAR_KM = 100.0
LEAST_NEAR = 0.3  # below this share of the mass within NEAR_KM of the place, the location is a region and no place


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Where one modality points, or why it cannot tell.

    Attributes:
        modality: which; "both" is all that are fused.
        posterior: posterior over the map; the prior itself when nothing was said.
        prior: the prior on the same grid.
        place: the point reported, with its name; None when it cannot tell.
        gain_nats: Kullback-Leibler divergence of the posterior from the prior.
        cannot_tell: the reason in a sentence, or None when the modality speaks.
        regions_km2: area of the region that holds each share of the mass (0.5, 0.9, 0.95).
        countries: (name, share of mass), largest first.
        region: where its 90% region lies, in words ("Central Europe").
        half: the same of its 50% region ("southern England, UK").
        near: share of the mass within NEAR_KM of the place reported.

    A modality that cannot tell has no place, no regions and no countries, whatever is handed in: what could be read off its
    posterior would be the prior's, and is nothing that the clip says.
    """

    modality: Modality
    posterior: Posterior
    prior: Prior
    place: Place | None
    gain_nats: float
    cannot_tell: str | None
    regions_km2: Mapping[float, float]
    countries: tuple[tuple[str, float], ...] = ()
    region: str = ""
    half: str = ""
    near: float = 1.0

    def __post_init__(self) -> None:
        if not self.spoke:
            for name, nothing in (
                ("place", None),
                ("regions_km2", {}),
                ("countries", ()),
                ("region", ""),
                ("half", ""),
                ("near", 0.0),
            ):
                object.__setattr__(self, name, nothing)
        elif self.place is None:
            raise ValueError(f"{self.modality} has a location and must report a place")

    @property
    def spoke(self) -> bool:
        """Whether it says where the clip is from; where it does not, `cannot_tell` says why. Every output asks this."""
        return self.cannot_tell is None

    @property
    def where_is(self) -> str:
        """What `where` names: "place" where the place reported is worth naming, else "region"; "" where it cannot tell."""
        if self.place is None:
            return ""
        return "place" if self.near >= LEAST_NEAR or not (self.half or self.region) else "region"

    @property
    def where(self) -> str:
        """Where it points, in words: "in Augusta, Georgia, USA", or "in southern England, UK" where it points to no place; ""
        where it cannot tell. Every output says this.
        """
        if self.place is None:
            return ""
        return self.place.name if self.where_is == "place" else f"in {self.half or self.region}"


def apart_km(a: Located | None, b: Located | None) -> float | None:
    """Great-circle distance between two places reported; None where one of them reports none."""
    if a is None or b is None or a.place is None or b.place is None:
        return None
    return float(distance_km(a.place.lat_deg, a.place.lon_deg, b.place.lat_deg, b.place.lon_deg))


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
