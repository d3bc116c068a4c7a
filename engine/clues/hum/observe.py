"""Mains hum.

Intervals of up to a minute at 2 kHz, in segments of 8 s. A supply of nominally F Hz sounds at F and its
multiples, all of which drift together and slowly. So for each trial frequency within 0.3 Hz of F the spectrum at all its
multiples up to 800 Hz is compared with the noise around each (median within 4 Hz), every multiple counting with a cap, so
that one loud tone does not pass for a hum; the best smooth track of the frequency through the segments is taken (Viterbi).
Multiples of 300 Hz belong to 50 and 60 Hz alike and are left out. The same is done for frequencies that are nobody's supply:
a drone, an engine or a comb of lines that fits those as well is no hum.

An interval speaks for F when at least LEAST_MULTIPLES multiples stand LEAST_DB above the noise around them in LEAST_SHARE of
the segments, they are no comb of a higher frequency than 2 F (what is rectified hums at 2 F; lines at 250, 500 and 750 Hz
come from a circuit), and its score is LEAST_LEAD times that of the other supply and of every frequency that is nobody's.

What a hum can tell: Grigoras 2005, "Digital audio recording analysis: the electric network frequency criterion".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.hum.spec import SPEC
from engine.core.clip import Clip, Interval, Reader
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import cards

MODEL_ID = cards.HUM.id
RATE_HZ = 2000
SEGMENT_S, HOP_S = 8.0, 4.0
BLOCK_S = 60.0
LEAST_LENGTH_S = 16.0
SUPPLIES_HZ = (50.0, 60.0)
# Nobody's supply: away from 50 and 60 Hz and from those played 4% faster or slower (film to television).
NOBODYS_HZ = (46.3, 47.3, 53.4, 54.3, 55.7, 56.6, 63.6, 64.5, 65.7, 67.1)
HIGHEST_HZ = 800.0
SEARCH_HZ, STEP_HZ = 0.3, 0.01
LEAST_DB = 6.0
LEAST_SHARE = 0.6
LEAST_MULTIPLES = 2
LEAST_LEAD = 2.0

_FFT = 1 << 15
_BIN_HZ = RATE_HZ / _FFT
_AROUND_HZ = 4.0
_CAP = 3.0  # natural log of power above LEAST_DB at which a multiple counts no more
_DRIFT_STEPS = 2  # steps of STEP_HZ that the supply may move from one segment to the next
_SILENCE = 1e-5


@dataclass(frozen=True, slots=True)
class Comb:
    """How well one frequency and its multiples fit an interval.

    Attributes:
        nominal_hz: the frequency tried.
        frequency_hz: the mean of the best track.
        score: excess over the noise per segment, summed over multiples, natural log, capped.
        multiples: multiples that stand LEAST_DB above the noise in LEAST_SHARE of the segments.
        loudest_db: median over segments of the clearest multiple's power over the noise around it, in its 0.25 Hz.
    """

    nominal_hz: float
    frequency_hz: float
    score: float
    multiples: tuple[int, ...]
    loudest_db: float


class HumObserver:
    """Which power supply hums in the sound."""

    def __init__(self, track: int | None = None) -> None:
        self.track = track

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """One observation per interval that hums, labelled "50 Hz" or "60 Hz"; none where it is too short, too quiet or unclear.

        Raises:
            MediaError: the clip has no sound, or none that can be decoded.
        """
        length_s = interval.length_s if interval else clip.duration_s
        start_s = interval.start_s if interval else 0.0
        found = []
        for at_s, samples in blocks_of(reader, interval, self.track):
            comb = hum_in(samples)
            end_s = at_s + len(samples) / RATE_HZ
            if comb is not None:
                found.append(_observation(comb, at_s, end_s))
            progress(Progress("listening for mains hum", end_s - start_s, length_s, "s"))
        return tuple(found)


def _observation(comb: Comb, start_s: float, end_s: float) -> Observation:
    label = f"{comb.nominal_hz:.0f} Hz"
    lines = ", ".join(f"{m * comb.nominal_hz:.0f}" for m in comb.multiples[:5])
    return Observation(
        clue=SPEC.name,
        kind="hum",
        label=label,
        score=float(1.0 - np.exp(-comb.score / 5.0)),
        start_s=start_s,
        end_s=end_s,
        name="mains hum",
        author=MODEL_ID,
        note=f"{comb.frequency_hz:.2f} Hz; lines at {lines} Hz, the strongest {comb.loudest_db:.0f} dB above the noise around it",
    )


def hum_in(samples: NDArray[np.floating]) -> Comb | None:
    """The hum of an interval (n,) at RATE_HZ, or None where there is none that can be distinguished from noise, music and
    engines.

    Raises:
        ValueError: not a flat array of finite numbers.
    """
    spectra = _spectra(samples)
    if len(spectra) * HOP_S + SEGMENT_S - HOP_S < LEAST_LENGTH_S:
        return None
    combs = sorted((comb_of(spectra, hz) for hz in SUPPLIES_HZ), key=lambda c: -c.score)
    best, other = combs
    if len(best.multiples) < LEAST_MULTIPLES or math.gcd(*best.multiples) > 2 or best.score < LEAST_LEAD * other.score:
        return None
    nobodys = max(comb_of(spectra, hz).score for hz in NOBODYS_HZ)
    return best if best.score >= LEAST_LEAD * nobodys else None


def comb_of(spectra: NDArray[np.float64], nominal_hz: float) -> Comb:
    """Fit of one frequency and its multiples to power spectra (segments, bins)."""
    offsets, number, bins, around = _plan(nominal_hz)
    # (segments, multiples, offsets): power over the median of the noise around each multiple
    noise = np.stack([np.median(spectra[:, a:b], axis=1) for a, b in around], axis=1)
    ratio = spectra[:, bins] / np.maximum(noise, 1e-30)[:, :, None]
    log_excess = np.log(np.maximum(ratio, 1e-30)) - LEAST_DB * np.log(10.0) / 10.0
    track = _smoothest(np.clip(log_excess, 0.0, _CAP).sum(axis=1))
    along = np.take_along_axis(log_excess, track[:, None, None], axis=2)[:, :, 0]
    share = (along > 0.0).mean(axis=0)
    clearest = float(np.median(along, axis=0).max()) * 10.0 / np.log(10.0) + LEAST_DB
    return Comb(
        nominal_hz,
        nominal_hz + float(offsets[track].mean()),
        float(np.clip(along, 0.0, _CAP).sum(axis=1).mean()),
        tuple(int(m) for m in number[share >= LEAST_SHARE]),
        clearest,
    )


@cache
def _plan(
    nominal_hz: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], tuple[tuple[int, int], ...]]:
    """Offsets tried (o,), multiples used (m,), their bins (m, o), and the bins around each that tell its noise."""
    offsets = np.arange(-SEARCH_HZ, SEARCH_HZ + STEP_HZ / 2, STEP_HZ)
    number = np.arange(1, int(HIGHEST_HZ / nominal_hz) + 1)
    centre = number * nominal_hz
    # what another family shares says nothing: 300 Hz for 50 and 60, and where a trial frequency meets a supply
    others = [hz for hz in SUPPLIES_HZ if hz != nominal_hz]
    apart = [all(abs(c - hz * round(c / hz)) > 0.5 + SEARCH_HZ * c / nominal_hz for hz in others) for c in centre]
    number, centre = number[apart], centre[apart]
    bins = np.rint(number[:, None] * (nominal_hz + offsets) / _BIN_HZ).astype(np.int64)
    reach = _AROUND_HZ + SEARCH_HZ * number
    around = tuple((int((c - r) / _BIN_HZ), int((c + r) / _BIN_HZ)) for c, r in zip(centre, reach, strict=True))
    return offsets, number, bins, around


def _smoothest(score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Viterbi: column (segments,) of the best path through (segments, offsets) that moves at most _DRIFT_STEPS a segment."""
    total = score[0].copy()
    came = np.zeros(score.shape, dtype=np.int64)
    at = np.arange(score.shape[1])
    for t in range(1, len(score)):
        padded = np.pad(total, _DRIFT_STEPS, constant_values=-np.inf)
        near = np.stack([padded[i : i + len(at)] for i in range(2 * _DRIFT_STEPS + 1)])
        best = near.argmax(axis=0)
        came[t] = at + best - _DRIFT_STEPS
        total = near[best, at] + score[t]
    path = np.empty(len(score), dtype=np.int64)
    path[-1] = int(total.argmax())
    for t in range(len(score) - 1, 0, -1):
        path[t - 1] = came[t, path[t]]
    return path


def _spectra(samples: NDArray[np.floating]) -> NDArray[np.float64]:
    """(segments, bins) power spectra of segments that are not digital silence."""
    x = np.asarray(samples, dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError("a block of sound must be a flat array of finite numbers")
    size, hop = int(SEGMENT_S * RATE_HZ), int(HOP_S * RATE_HZ)
    starts = range(0, len(x) - size + 1, hop)
    # a hole in the sound is a click in the spectrum: a segment that is silent for a whole second is passed over
    rows = [x[s : s + size] for s in starts]
    rows = [r for r in rows if (np.abs(r).reshape(-1, RATE_HZ).max(axis=1) > _SILENCE).all()]
    if not rows:
        return np.empty((0, _FFT // 2 + 1))
    return np.abs(np.fft.rfft(np.stack(rows) * np.hanning(size), _FFT, axis=1)) ** 2


def blocks_of(
    reader: Reader, interval: Interval | None = None, track: int | None = None
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """(start_s, samples at RATE_HZ) of each BLOCK_S; a short rest joins the last, so that up to 1.5 intervals are held."""
    size = int(BLOCK_S * RATE_HZ)
    held: list[NDArray[np.float32]] = []
    count, at_s = 0, None
    for block in reader.audio(RATE_HZ, interval, track):
        at_s = block.start_s if at_s is None else at_s
        held.append(block.samples)
        count += len(block.samples)
        if count >= size + size // 2:
            whole = np.concatenate(held)
            yield at_s, whole[:size]
            held, count, at_s = [whole[size:]], count - size, at_s + BLOCK_S
    if at_s is not None and count:
        yield at_s, np.concatenate(held)
