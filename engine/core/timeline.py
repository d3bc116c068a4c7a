"""Where each modality points as time goes by, on a coarse map: for looking, never for the verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """One interval of time in one modality: a shot, or some seconds of sound.

    Attributes:
        modality: "sound" or "picture".
        start_s, end_s: the interval.
        spoke: whether it says anything of the place; lat_deg and all that follow mean nothing otherwise.
        lat_deg, lon_deg: where most of the probability lies, to about a hundred kilometres.
        place: that in words.
        gain_nats: the information gain over the prior.
        away_km: mean distance of the posterior to the timeline's reference.
        labels: names of what it rests on, strongest first: species, signs.
        look_s: the moment to look at or listen to.
    """

    modality: str
    start_s: float
    end_s: float
    spoke: bool
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    place: str = ""
    gain_nats: float = 0.0
    away_km: float = 0.0
    labels: tuple[str, ...] = ()
    look_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """Moments of both modalities in order of time, and the place that their distances are taken to.

    Attributes:
        moments: those of the picture are the shots, those of the sound intervals of equal length; silent ones are listed too.
        reference: what the distances are taken to, in words ("the picture's place: Augusta, Georgia"), or "" when nothing
            speaks.
        lat_deg, lon_deg: that place.
        cuts_s: beginnings of shots.
        scenes_s: beginnings of scenes but the first.
    """

    moments: tuple[Moment, ...]
    reference: str = ""
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    cuts_s: tuple[float, ...] = ()
    scenes_s: tuple[float, ...] = ()

    def of(self, modality: str) -> tuple[Moment, ...]:
        """The moments of one modality."""
        return tuple(m for m in self.moments if m.modality == modality)
