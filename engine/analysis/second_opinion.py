"""The second opinion on a clip: the flow's posterior beside the Bayes posterior, from the same observations.

It is conditioned on vectors, not on likelihoods: AG-CLIP's of the species heard, GeoCLIP's of the frames where its weights are
installed, sea and town among the acoustic atoms, and as an opinion the GeoCLIP vector expected under what was read and seen. It
is shown instead of the fused Bayes map, never multiplied with it, and no Bayes factor rests on it: what one has scored, the other
looks at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.analysis import flow_density as flowing
from engine.clues.agclip.score import scores_of
from engine.clues.picture.score import mean_direction
from engine.core import edit, sphere
from engine.core.errors import SettingError
from engine.core.evidence import Evidence
from engine.core.finding import FUSED, Finding, Located
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.progress import ProgressCallback, silent
from engine.models import agclip, birdnet
from engine.verdict import fuse
from engine.world import priors, soundmarks
from engine.world.grid import world_grid

if TYPE_CHECKING:
    from engine.models.flow.model import Flow
    from engine.models.flow.sketch import Condition

LEAST_OPINION_NATS = 0.5
# AudioSet's names of the sounds that ATOMS of `nets.flow.sketch` stand for
HEARD_AS = {
    "sea": ("Waves, surf",),
    "town": ("Traffic noise, roadway noise", "Siren", "Vehicle horn, car horn, honking", "Car alarm", "Jackhammer"),
}


@dataclass(frozen=True, slots=True, eq=False)
class FlowMap:
    """What the flow says of one modality.

    Attributes:
        located: its posterior under the analyst's prior, on the world grid.
        inputs: what it was conditioned on ("sound", "picture", "atoms", "reasoning").
        lat_deg, lon_deg: (n,) places drawn; path_lat_deg, path_lon_deg: (stations, n) the geodesic ways there.
        guidance, label: 1 and "posterior", or more and "sharpened": then the samples are sharpened, the map is not.
        inside: mass that the flow puts on the grid; the rest lies at sea and is left out.
        models: ids of the models that spoke.
    """

    located: Located
    inputs: tuple[str, ...]
    lat_deg: NDArray[np.float64] = field(repr=False)
    lon_deg: NDArray[np.float64] = field(repr=False)
    path_lat_deg: NDArray[np.float64] = field(repr=False)
    path_lon_deg: NDArray[np.float64] = field(repr=False)
    guidance: float
    label: str
    inside: float
    models: tuple[str, ...]


def condition_of(
    observations: Sequence[Observation], evidence: Sequence[Evidence], week: int | None = None, modality: str = FUSED
) -> Condition:
    """The vectors that the flow is conditioned on.

    Args:
        observations: those that count, of all clues.
        evidence: the picture's clues on the world grid, for the opinion; the contrastive clue "picture" is passed over, since its
            vector is given by itself.
        modality: "sound", "picture" or "both".

    Raises:
        SettingError: no such modality.
    """
    from engine.models.flow.sketch import Condition

    if modality not in ("sound", "picture", FUSED):
        raise SettingError(f"The flow knows no modality called {modality!r}; choose sound, picture or {FUSED}.")
    sound = picture = atoms = reasoning = None
    if modality != "picture":
        scores = scores_of(tuple(o for o in observations if o.clue == "species"))
        if (scores[birdnet.is_species()] >= agclip.LEAST_SCORE).any():
            sound = agclip.agclip().embed(scores, week)[0]
        atoms = _atoms(observations)
    if modality != "sound":
        vectors = [o.vector for o in observations if o.clue == "picture" and o.kind == "embedding" and o.vector is not None]
        picture = mean_direction(np.stack(vectors)) if vectors else None
        reasoning = opinion_vector([e for e in evidence if e.modality == "picture" and e.clue != "picture"])
    return Condition(sound, picture, atoms, reasoning)


def _atoms(observations: Sequence[Observation]) -> NDArray[np.float32] | None:
    heard = [o for o in observations if o.kind == "atom"]
    if not heard:
        return None
    best = [max((o.score for o in heard if o.label in names), default=0.02) for names in HEARD_AS.values()]
    return np.clip(best, 0.02, 0.98).astype(np.float32)


def opinion_vector(evidence: Sequence[Evidence]) -> NDArray[np.float32] | None:
    """The GeoCLIP vector (512,) expected under what clues say together, places uniform by area; None when that is nothing."""
    from engine.analysis.rationale.opinion import expected_embedding

    speaking = [e for e in evidence if e.abstained is None]
    if not speaking:
        return None
    prior = flowing.uniform_prior(speaking[0].grid)
    posterior = fuse.posterior_of(speaking, prior)
    return expected_embedding(posterior) if posterior.gain_nats(prior) >= LEAST_OPINION_NATS else None


@cache
def shipped() -> Flow:
    """The one flow of this process, with the world's tables; loads torch.

    Raises:
        WeightsError: its weights are missing or damaged.
    """
    from engine.models.flow.model import Flow, Shipped
    from engine.models.flow.sketch import Atlas

    held = Shipped()
    return Flow(held.field(), Atlas(world_grid(), soundmarks.rates()), held.heat)


def opinion_by_flow(
    finding: Finding, modality: str = FUSED, samples: int = 200, guidance: float = 1.0, progress: ProgressCallback = silent
) -> FlowMap:
    """The flow's posterior on a finding's interval, some seconds of work; reproducible from the finding's seed.

    Args:
        samples: how many places are drawn.
        guidance: of the samples; the map is always the posterior itself.

    Raises:
        SettingError: nothing was detected that it can be conditioned on, or no such modality.
        WeightsError: its weights are missing.
        Cancelled: raised by `progress`.
    """
    settings, grid = finding.settings, world_grid()
    if (judged := finding.by(modality)) is not None and not judged.spoke:
        raise SettingError(f"The flow has no input. {judged.cannot_tell}")
    observations = edit.counting(finding.perception, settings)
    week = birdnet.week_of(settings.when.month, settings.when.day) if settings.when else None
    condition = condition_of(observations, on_world(finding, observations), week, modality)
    if not condition.given:
        raise SettingError("The flow has no input: no species was heard, and no picture or text indicates a place.")
    flow = shipped()
    charted = flowing.chart(flow, condition, progress)
    prior = priors.prior(settings.prior, grid)
    posterior = flowing.under(charted, prior)
    if posterior.gain_nats(prior) < fuse.LEAST_GAIN_NATS:
        raise SettingError("The flow gives no usable location: the evidence fits almost anywhere. Choose a longer interval.")
    located = fuse.describe(Modality(modality), posterior, prior, settings.radius_km, None)
    drawn = flow.sample(condition, samples, settings.seed, guidance, keep_path=True)
    assert drawn.path is not None
    from engine.models.flow.model import MODEL_ID

    return FlowMap(
        located,
        condition.given,
        *sphere.to_lat_lon(drawn.xyz),
        *sphere.to_lat_lon(drawn.path),
        guidance,
        drawn.label,
        charted.inside,
        (MODEL_ID, *((birdnet.MODEL_ID, agclip.MODEL_ID) if condition.sound is not None else ())),
    )


def on_world(finding: Finding, observations: tuple[Observation, ...]) -> tuple[Evidence, ...]:
    """The picture's clues that spoke, scored again on the world grid."""
    from engine.clues import registry

    spoke = {e.clue for e in finding.evidence if e.modality == "picture" and e.abstained is None}
    return tuple(
        clue.log_likelihood(tuple(o for o in observations if o.clue == clue.reads), world_grid(), finding.settings.when)
        for clue in registry.clues(finding.settings)
        if clue.name in spoke
    )
