"""Which of the species heard live at a claimed place, week by week, and which easily heard ones are missing.

All of it is BirdNET's range model asked at one place: at its centre and on a ring around it, so that a place at the edge of a
range is not held against a claim. A species whose chance of being recorded stays below LEAST_CHANCE in every week does not
live there; one that reaches it in some week, but not in the claimed one or the two beside it, is not there then. The bench
(`earwitness bench claims`) tells how often species that were heard at a place are called strangers there.

Source of LEAST_CHANCE: BirdNET-Analyzer's default threshold for its own species lists ("sf_thresh", 0.03).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.species.ranges import ranges
from engine.clues.species.score import FITTED, HEARD_SCORE, chances, heard_in, information_of
from engine.core import sphere
from engine.core.claim import LIVES, NOT_THEN, NOT_THERE, Claim, Resident
from engine.core.observation import Observation
from engine.models import birdnet

LEAST_CHANCE = 0.03
EXPECTED_CHANCE = 0.5  # an easily heard species is expected where and when it is recorded at least this often
SURE_CHANCE = 0.8  # calibrated chance from which on a species is taken as heard
_RING = 6

# Species that BirdNET is known to report where they are not: loud, common, and with many calls that other sounds resemble.
# They are listed, and never decide about a claim unless an analyst stands for them.
FALSE_ALARMS = {
    "Cardinalis cardinalis": "Northern Cardinal",
    "Turdus merula": "Common Blackbird",
    "Turdus migratorius": "American Robin",
    "Fringilla coelebs": "Common Chaffinch",
}

# Loud, frequent singers and callers of towns and gardens, a few from each part of the world: where the range model expects
# one, a long recording outdoors should hear it now and then. Chosen for being widespread and easy to recognise.
EASILY_HEARD = (
    "Agelaius phoeniceus", "Cyanocitta cristata", "Corvus brachyrhynchos", "Cardinalis cardinalis", "Turdus migratorius",
    "Poecile atricapillus", "Baeolophus bicolor", "Thryothorus ludovicianus", "Melospiza melodia", "Zenaida macroura",
    "Mimus polyglottos", "Haemorhous mexicanus", "Charadrius vociferus", "Pitangus sulphuratus", "Zonotrichia capensis",
    "Troglodytes aedon", "Turdus rufiventris", "Vanellus chilensis", "Furnarius rufus", "Parus major", "Cyanistes caeruleus",
    "Turdus merula", "Erithacus rubecula", "Fringilla coelebs", "Phylloscopus collybita", "Sylvia atricapilla",
    "Columba palumbus", "Streptopelia decaocto", "Corvus corone", "Troglodytes troglodytes", "Cuculus canorus", "Apus apus",
    "Pica pica", "Hypsipetes amaurotis", "Corvus macrorhynchos", "Horornis diphone", "Acridotheres tristis",
    "Eudynamys scolopaceus", "Pycnonotus cafer", "Psilopogon haemacephalus", "Corvus splendens", "Copsychus saularis",
    "Pycnonotus barbatus", "Streptopelia semitorquata", "Bostrychia hagedash", "Cossypha caffra", "Gymnorhina tibicen",
    "Dacelo novaeguineae", "Manorina melanocephala", "Grallina cyanoleuca", "Rhipidura leucophrys", "Turdus philomelos",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """What lives at a place, week by week.

    Attributes:
        chance: (48, 6522) chance that each class is recorded at the centre in each week.
        log_richness: (48,) ln(N + 1), N how many species are to be expected.
    """

    chance: NDArray[np.float32]
    log_richness: NDArray[np.float64]


def residents(observations: Sequence[Observation], claim: Claim) -> tuple[Resident, ...]:
    """Every species heard, best first, with the chance of being recorded at the claimed place."""
    heard = heard_in(tuple(observations))
    if not heard:
        return ()
    right = chances(heard)
    weeks = _weeks(claim, np.array([h.index for h in heard]))
    said = {o.label for o in observations if o.by_analyst}
    rows = []
    for h, chance, own in zip(heard, right, weeks.T, strict=True):
        label = birdnet.labels()[h.index]
        if max(h.score, h.said) < HEARD_SCORE:
            continue
        doubt = ""
        if label.latin in FALSE_ALARMS and label.latin not in said:
            doubt = "a known false alarm of BirdNET; not decisive unless you confirm it by listening"
        elif chance < SURE_CHANCE:
            doubt = f"uncertain: correct with a probability of {chance:.0%}"
        rows.append(_resident(h.index, max(h.score, h.said), float(chance), own, claim, doubt))
    return tuple(rows)


def doubted(observations: Sequence[Observation]) -> tuple[str, ...]:
    """Latin names of the known false alarms among what was heard that no analyst stands for."""
    heard = {o.label for o in observations if o.kind == "species" and o.score >= HEARD_SCORE}
    said = {o.label for o in observations if o.by_analyst}
    return tuple(latin for latin in FALSE_ALARMS if latin in heard and latin not in said)


def absent(observations: Sequence[Observation], claim: Claim) -> tuple[tuple[Resident, ...], int]:
    """Easily heard species that are to be expected at the claimed place, then, and were not heard; and how many are expected.

    Without a date a species is expected when it reaches EXPECTED_CHANCE in every week.
    """
    index = np.array([birdnet.index_of(latin) for latin in EASILY_HEARD])
    heard = {o.label for o in observations if o.kind == "species" and o.score >= HEARD_SCORE}
    missing, expected = [], 0
    for i, own in zip(index.tolist(), _centre_weeks(claim, index).T, strict=True):
        there = float(own[_week(claim) - 1]) if claim.when else float(own.min())
        if there < EXPECTED_CHANCE:
            continue
        expected += 1
        if birdnet.labels()[i].latin not in heard:
            missing.append(_resident(i, 0.0, 0.0, own, claim, ""))
    return tuple(sorted(missing, key=lambda r: -(r.then or r.best_week))), expected


def week_log_likelihood(observations: Sequence[Observation], claim: Claim) -> NDArray[np.float64] | None:
    """(48,) natural log of how likely what was heard is in each week at the claimed place, mean likelihood over the year 1.

    The species' likelihood of `clues.species`, with the weeks in the place of the map's cells: a species that is there all the
    year says nothing of the week, and so does one that never is. Known false alarms are left out. None when no species remains.
    """
    said = {o.label for o in observations if o.by_analyst}
    heard = tuple(
        h
        for h in heard_in(tuple(observations))
        if (latin := birdnet.labels()[h.index].latin) not in FALSE_ALARMS or latin in said
    )
    heard = tuple(h for h in heard if float(_centre_weeks(claim, np.array([h.index])).max()) >= LEAST_CHANCE)
    if max((max(h.score, h.said) for h in heard), default=0.0) < HEARD_SCORE:
        return None
    k, chance = FITTED, chances(heard)
    r = _centre_weeks(claim, np.array([h.index for h in heard])).astype(np.float64)
    narrows = information_of(r, np.full(len(r), 1.0 / len(r)))
    # Between "hardly ever" and "never" lies only the range model's noise.
    log_q = k.a * np.log(r + LEAST_CHANCE / 3.0) - _calendar_of(claim).log_richness[:, None] * (1.0 - np.exp(-narrows))
    log_mean = np.log(np.exp(log_q - log_q.max(axis=0)).mean(axis=0)) + log_q.max(axis=0)
    log_l = np.logaddexp(np.log1p(-chance), np.log(chance) + log_q - log_mean).sum(axis=1)
    out: NDArray[np.float64] = k.t * (1.0 + float(chance @ narrows) / k.kappa) ** -k.d * log_l
    return out


def _resident(index: int, score: float, chance: float, weeks: NDArray[np.float32], claim: Claim, doubt: str) -> Resident:
    label = birdnet.labels()[index]
    best = float(weeks.max())
    then = None
    if claim.when:
        at = _week(claim) - 1
        then = float(max(weeks[(at + d) % birdnet.WEEKS] for d in (-1, 0, 1)))
    home = NOT_THERE if best < LEAST_CHANCE else NOT_THEN if then is not None and then < LEAST_CHANCE else LIVES
    return Resident(
        key=f"species/species/{label.latin}" if score > 0 else "",
        latin=label.latin,
        name=label.common,
        score=score,
        chance=chance,
        best_week=best,
        then=then,
        weeks=tuple(float(w) for w in weeks),
        home=home,
        doubt=doubt,
    )


def _week(claim: Claim) -> int:
    assert claim.when is not None
    return birdnet.week_of(claim.when.month, claim.when.day)


def _centre_weeks(claim: Claim, species: NDArray[np.int64]) -> NDArray[np.float32]:
    return _calendar_of(claim).chance[:, species]


def _weeks(claim: Claim, species: NDArray[np.int64]) -> NDArray[np.float32]:
    """(48, s) chance in each week: the highest at the place's centre and on a ring around it."""
    lat, lon = around(claim.lat_deg, claim.lon_deg, claim.radius_km)
    every = [
        ranges().model.occurrence(lat, lon, week, species).max(axis=0) if len(species) else np.zeros(0, np.float32)
        for week in range(1, birdnet.WEEKS + 1)
    ]
    out: NDArray[np.float32] = np.maximum(np.array(every), _centre_weeks(claim, species))
    return out


def around(lat_deg: float, lon_deg: float, radius_km: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places on a ring around one, each (6,) in degrees."""
    centre = sphere.to_xyz(lat_deg, lon_deg)
    aside = np.cross(centre, [0.0, 0.0, 1.0] if abs(centre[2]) < 0.9 else [1.0, 0.0, 0.0])
    aside /= np.linalg.norm(aside)
    up = np.cross(aside, centre)
    turn = np.linspace(0.0, 2.0 * np.pi, _RING, endpoint=False)[:, None]
    r = radius_km / sphere.EARTH_RADIUS_KM
    return sphere.to_lat_lon(np.cos(r) * centre + np.sin(r) * (np.cos(turn) * aside + np.sin(turn) * up))


def _calendar_of(claim: Claim) -> Calendar:
    return _calendar(round(claim.lat_deg, 3), round(claim.lon_deg, 3))


@lru_cache(maxsize=64)
def _calendar(lat_deg: float, lon_deg: float) -> Calendar:
    model = ranges().model
    lat, lon = np.array([lat_deg]), np.array([lon_deg])
    hidden = np.concatenate([model.hidden(lat, lon, week) for week in range(1, birdnet.WEEKS + 1)])
    chance = model.occurrence_from(hidden)
    return Calendar(chance, np.log1p(chance[:, birdnet.is_species()].sum(axis=1, dtype=np.float64)))
