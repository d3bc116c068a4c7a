"""A machine's tone in a window of sound: found and removed, so that the rest can be analysed.

A generator holds its pitch to parts in ten thousand and its level to tenths of a decibel, from a sudden start to a sudden end;
a throat, a wing and the air between them do neither. So the partials of a window are followed through short spectra (sinusoidal
tracks), and a track is a machine's when

    its frequency is constant to within STEADY (0.15%) and its level to within LEVEL_DB (0.5 dB) for LEAST_S (0.15 s), or
    its level alone is constant, ever closer the shorter it lasts, whatever its frequency does (sweep, warble, siren), or
    its frequency alone is constant to within HELD (0.05%) for HELD_S (1 s), whatever its level does (tremolo, beats, a fade), or
    it is a short beep that comes again, REPEATS times or more, at the same frequency.

The numbers were chosen on windows of real recordings in which BirdNET hears an animal, all of those at hand (LOG.md): no track of
0.15 s there is as constant, and how often one is elsewhere has not been measured. They allow for what a codec and some noise do
to a tone.

The tracks: McAulay and Quatieri 1986, "Speech analysis/synthesis based on a sinusoidal representation", IEEE Trans. ASSP 34(4).
Frequencies between bins by a parabola through the logarithms: Smith and Serra 1987, "PARSHL". What tones are to be expected:
ITU-T Recommendations E.180 (telephone tones: frequencies within 1%, cadences), Q.23 (push buttons), ISO 8201 (fire alarms), EBU
R 49 (line-up and identification tones), BBC time signal (five pips of 0.1 s and one of 0.5 s at 1 kHz).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft

TONE, TONE_MODEL = "machine tone", "steady-lines"  # the label of the remark, and its author

LEAST_S = 0.15
STEADY = 0.0015
LEVEL_DB = 0.5
PIP_S, PIP_STEADY, PIP_DB = 0.09, 0.0003, 0.1  # what a single beep has to keep that is shorter than LEAST_S
FLAT = ((0.5, 0.5), (0.3, 0.4), (0.2, 0.2))  # (s, dB): a track that lasts so long may vary by so much, whatever its pitch does
HELD_S, HELD = 1.0, 0.0005  # a track that lasts so long and keeps its pitch so closely may be of any level
REPEATS, ALIKE = 4, 0.0015  # short beeps, and how near each other their frequencies lie
SHORTEST_S = 0.03
LOUD_DB = 45.0  # a line may lie so far below the loudest of its window
CLEAR_DB = 16.0  # and has to stand so far above the middle of its spectrum
NAMED_DB = 40.0  # what lies further below the loudest line is taken out too, and not named: it may come of the taking out

LEAST_SPECTRA = 6
_NEAR_HZ = 1.5  # what a parabola between bins may be off by
_FEWEST = 5  # spectra of a plateau, for its spread to mean anything
_LOBE = 3  # bins on either side of a peak that hold its power (Hann)
_REACH = 1.5  # bins that a track may move from one spectrum to the next


@dataclass(frozen=True, slots=True)
class _Scale:
    """Lengths of spectra and of the step between them, in s, and what is sought with them."""

    size_s: float
    hop_s: float
    steady_s: float | None
    flat: bool = False
    short: bool = False


# The ordinary one; a quick one for yelps and dialling; two fine ones for tones 16 Hz apart (Japan's ring) and 50 Hz (Britain's).
_SCALES = (
    _Scale(0.0427, 0.010, LEAST_S, flat=True),
    _Scale(0.0213, 0.005, None, flat=True, short=True),
    _Scale(0.1707, 0.020, 0.5),
    _Scale(0.0853, 0.010, 0.25),
)
_ORDINARY = _SCALES[0]
_LONG = _Scale(0.6827, 0.040, 1.0)  # where the others found nothing: two tones so near that their beats are slow


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One track of a machine's tone within a window.

    Attributes:
        times_s: (n,) from the window's start, the middles of the spectra.
        hz: (n,) its frequency.
        level_db: its median level, relative to nothing in particular.
        steady: whether its frequency is constant.
    """

    times_s: NDArray[np.float64]
    hz: NDArray[np.float64]
    level_db: float
    steady: bool

    @property
    def middle_hz(self) -> float:
        return float(np.median(self.hz))


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """A window taken apart.

    Attributes:
        lines: what a machine's tones are made of; empty where there are none.
        rest: (n,) float32 the window without them.
        share: of the window's power that the lines hold, 0 to 1.
    """

    lines: tuple[Line, ...]
    rest: NDArray[np.float32]
    share: float


def take_apart(window: NDArray[np.float32], rate_hz: int, known_hz: Sequence[float] = ()) -> Apart:
    """The machine's tones of a window, and the window without them.

    Args:
        window: (n,) float32 samples, mono.
        rate_hz: of the samples.
        known_hz: frequencies of steady tones elsewhere in the clip; at these a short piece is enough, such as the end of a ring.

    Raises:
        ValueError: not a flat array of finite numbers.
    """
    if window.ndim != 1 or not np.isfinite(window).all():
        raise ValueError("a window of sound must be a flat array of finite numbers")
    power = float(np.square(window, dtype=np.float64).sum())
    if power == 0.0 or not (len(known_hz) or _may_hold(window, rate_hz)):
        return Apart((), window, 0.0)
    found: list[Line] = []
    rest = window
    for scale in (*_SCALES, *_SCALES[:1]):  # what is left of a loud tone, such as faint multiples, is sought once more
        lines = tuple(_lines_at(rest, rate_hz, scale, known_hz))
        if lines:
            found.extend(lines)
            rest = without(rest, lines, rate_hz)
    if not found and (lines := tuple(_lines_at(window, rate_hz, _LONG))):
        found.extend(lines)
        rest = without(window, lines, rate_hz)
    if not found:
        return Apart((), window, 0.0)
    left = float(np.square(rest, dtype=np.float64).sum()) / power
    loudest_db = max(line.level_db for line in found)
    named = tuple(line for line in found if line.level_db >= loudest_db - NAMED_DB)
    return Apart(named, rest, min(1.0, max(0.0, 1.0 - left)))


def lines_of(window: NDArray[np.float32], rate_hz: int) -> Iterator[Line]:
    """The tracks of a window that only a machine makes; see the module's text."""
    for scale in _SCALES:
        yield from _lines_at(window, rate_hz, scale)


def _lines_at(window: NDArray[np.float32], rate_hz: int, scale: _Scale, known_hz: Sequence[float] = ()) -> Iterator[Line]:
    tracks = [_plateau(t) for t in _tracks(window, rate_hz, scale)]
    for track in tracks:
        if _is_steady(track, scale) or (scale.flat and _is_flat(track, scale)) or _is_known(track, known_hz):
            yield _line(track, scale)
    if scale.short:
        yield from (_line(t, scale) for t in _repeated(tracks, scale))


def without(window: NDArray[np.float32], lines: Sequence[Line], rate_hz: int) -> NDArray[np.float32]:
    """A window in which the lines are no louder than what lies beside them in each spectrum."""
    size = _even(_ORDINARY.size_s * rate_hz)
    hop = size // 4
    spectra = _transform(np.pad(window, (size, size + hop), mode="reflect"), size, hop)
    level = np.abs(spectra)
    middles_s = (np.arange(len(spectra)) * hop - size / 2) / rate_hz
    gain = np.ones_like(level)
    for line in lines:
        at, bins = _footprint(line, level, middles_s, size / rate_hz)
        reach = _LOBE + 1
        own = np.clip(bins[:, None] + np.arange(-reach, reach + 1), 1, level.shape[1] - 1)
        aside = np.concatenate([np.arange(-reach - 6, -reach), np.arange(reach + 1, reach + 7)])
        usual = np.median(level[at[:, None], np.clip(bins[:, None] + aside, 1, level.shape[1] - 1)], axis=1)
        less = usual[:, None] / np.maximum(level[at[:, None], own], 1e-12)
        gain[at[:, None], own] = np.minimum(gain[at[:, None], own], less)
    rest = _inverse(spectra * gain, size, hop)[size : size + len(window)]
    ramp = np.linspace(0.0, 1.0, size // 2, dtype=np.float32)  # a tone that is cut off by the window's end clicks
    rest[: len(ramp)] *= ramp
    rest[-len(ramp) :] *= ramp[::-1]
    return rest


def _footprint(
    line: Line, level: NDArray[np.float32], middles_s: NDArray[np.float64], size_s: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Spectra and bins of a line: while it sounds, starts and ends; a steady one wherever else it sounds about as loud."""
    inside = (middles_s >= line.times_s[0] - size_s) & (middles_s <= line.times_s[-1] + size_s)
    bins = np.rint(np.interp(middles_s, line.times_s, line.hz) * size_s).astype(np.int64)
    bins = np.clip(bins, 1, level.shape[1] - 2)
    if line.steady and inside.any():
        here = level[np.arange(len(bins)), bins]
        inside |= here > np.median(here[inside]) / 20.0
    at = np.flatnonzero(inside)
    return at, bins[at]


# --- tracks -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """Spectra (n,) it runs through, bins (n,) with fractions, power (n,) in dB."""

    at: NDArray[np.int64]
    bins: NDArray[np.float64]
    db: NDArray[np.float64]
    size: int
    rate_hz: int

    @property
    def hz(self) -> NDArray[np.float64]:
        return self.bins * (self.rate_hz / self.size)

    def part(self, a: int, b: int) -> _Track:
        return _Track(self.at[a:b], self.bins[a:b], self.db[a:b], self.size, self.rate_hz)


@dataclass(frozen=True, slots=True, eq=False)
class _Peaks:
    """Peaks (n,) of a window's spectra, in order of time: the spectrum, the bin with its fraction, the power of the lobe in dB,
    and the number of the peak that goes on with it in the next spectrum, -1 where there is none."""

    at: NDArray[np.int64]
    bins: NDArray[np.float64]
    db: NDArray[np.float64]
    after: NDArray[np.int64]


def _peaks(window: NDArray[np.float32], size: int, hop: int) -> _Peaks:
    """Peaks LOUD_DB and CLEAR_DB being kept, each joined with the nearest within _REACH bins in the next spectrum."""
    spectra = _transform(window, size, hop)
    power = np.maximum(spectra.real**2 + spectra.imag**2, 1e-20)
    usual = np.median(power[:, 4 : max(5, power.shape[1] // 2) : 3], axis=1)
    least = np.maximum(power.max() * 10.0 ** (-LOUD_DB / 10.0), usual * 10.0 ** (CLEAR_DB / 10.0))
    edge = _LOBE + 1
    inner = power[:, edge:-edge]
    is_peak = (inner > least[:, None]) & (inner > power[:, edge - 1 : -edge - 1]) & (inner >= power[:, edge + 1 : -edge + 1])
    at, column = np.nonzero(is_peak)
    column += edge
    lobe = power[at[:, None], column[:, None] + np.arange(-_LOBE, _LOBE + 1)].astype(np.float64)
    left, middle, right = (np.log(lobe[:, _LOBE + k]) for k in (-1, 0, 1))
    bend = left - 2.0 * middle + right  # a parabola through three logarithms
    bins = column + 0.5 * (left - right) / np.where(bend < 0.0, bend, -1e-9)
    number = np.full((len(power) + 1, power.shape[1]), -1, dtype=np.int64)
    number[at, column] = np.arange(len(at))
    return _Peaks(at, bins, 10.0 * np.log10(lobe.sum(axis=1)), _joined(number, at, column, bins))


def _joined(
    number: NDArray[np.int64], at: NDArray[np.int64], column: NDArray[np.int64], bins: NDArray[np.float64]
) -> NDArray[np.int64]:
    """(n,) which peak goes on with each; each goes on with one, and one with each."""
    after = np.full(len(at), -1, dtype=np.int64)
    way = np.full(len(at), np.inf)
    for step in (0, -1, 1, -2, 2):
        other = number[at + 1, np.clip(column + step, 0, number.shape[1] - 1)]
        far = np.where(other >= 0, np.abs(bins[other] - bins), np.inf)
        near = (far < way) & (far < _REACH)
        after[near], way[near] = other[near], far[near]
    order = np.argsort(-way, kind="stable")  # the nearest comes last, and stays
    first = np.full(len(at) + 1, -1, dtype=np.int64)
    first[after[order]] = order
    own = np.arange(len(at))
    return np.where((after >= 0) & (first[after] == own), after, -1)


def _tracks(window: NDArray[np.float32], rate_hz: int, scale: _Scale) -> Iterator[_Track]:
    """Peaks joined to tracks that are long enough for their scale."""
    size, hop = _even(scale.size_s * rate_hz), round(scale.hop_s * rate_hz)
    if len(window) < size:
        return
    peaks = _peaks(window, size, hop)
    root = np.arange(len(peaks.at))
    least = (
        LEAST_SPECTRA
        if scale.short
        else int(PIP_S / scale.hop_s)
        if scale is _ORDINARY
        else int((scale.steady_s or 0.0) / scale.hop_s)
    )
    goes_on = np.flatnonzero(peaks.after >= 0)
    root[peaks.after[goes_on]] = goes_on
    for _ in range(int(peaks.at[-1] if len(root) else 0).bit_length() + 1):
        root = root[root]
    order = np.lexsort((peaks.at, root))
    bounds = np.flatnonzero(np.diff(root[order], prepend=-1, append=-1))
    for a, b in itertools.pairwise(bounds):
        if b - a >= least:
            own = order[a:b]
            yield _Track(peaks.at[own], peaks.bins[own], peaks.db[own], size, rate_hz)


def _plateau(track: _Track) -> _Track:
    """The part of a track from where it first comes within 3 dB of its level to where it last does, without the two spectra at
    either end that hold its start and end."""
    level = float(np.sort(track.db)[3 * len(track.db) // 4])
    on = np.flatnonzero(track.db > level - 3.0)
    a, b = int(on[0]), int(on[-1]) + 1
    return track.part(a + 2, b - 2) if b - a > 8 else track.part(a, b)


def _lasts_s(track: _Track, scale: _Scale) -> float:
    return (len(track.at) + 4) * scale.hop_s


def _is_steady(track: _Track, scale: _Scale) -> bool:
    lasts_s = _lasts_s(track, scale)
    if scale.steady_s is None or len(track.at) < _FEWEST:
        return False
    if scale is _ORDINARY and lasts_s >= HELD_S and _pitch_spread(track) <= HELD:
        return True
    if lasts_s >= scale.steady_s:
        most, most_db = STEADY, LEVEL_DB
    elif scale is _ORDINARY and lasts_s >= PIP_S:
        most, most_db = PIP_STEADY, PIP_DB
    else:
        return False
    return _spread(track.bins) <= most * float(np.median(track.bins)) and _spread(track.db) <= most_db


def _pitch_spread(track: _Track) -> float:
    """Relative spread of a track's frequency, each spectrum counting by its power: where it is faint it is noise's."""
    power = 10.0 ** ((track.db - track.db.max()) / 10.0)
    middle = float(np.average(track.bins, weights=power))
    return float(np.sqrt(np.average((track.bins - middle) ** 2, weights=power))) / middle


def _is_known(track: _Track, known_hz: Sequence[float]) -> bool:
    """Whether a track, however short, lies at a frequency that a machine holds elsewhere."""
    hz = track.hz
    middle_hz = float(np.median(hz))
    near = any(abs(middle_hz - known) <= max(2 * ALIKE * known, _NEAR_HZ) for known in known_hz)
    return near and _spread(hz) <= max(2 * STEADY * middle_hz, _NEAR_HZ)


def _is_flat(track: _Track, scale: _Scale) -> bool:
    lasts_s = _lasts_s(track, scale)
    return any(lasts_s >= least_s and _spread(track.db) <= most_db for least_s, most_db in FLAT)


def _repeated(tracks: list[_Track], scale: _Scale) -> Iterator[_Track]:
    """Short beeps at one frequency, REPEATS of them or more, each of them steady and alike in level."""
    beeps = [
        t for t in tracks
        if len(t.at) * scale.hop_s >= SHORTEST_S
        and _spread(t.bins) <= 2 * STEADY * float(np.median(t.bins))
        and _spread(t.db) <= LEVEL_DB
    ]  # fmt: skip
    beeps.sort(key=lambda t: float(np.median(t.bins)))
    run: list[_Track] = []
    for t in (*beeps, None):
        if t is not None and run and float(np.median(t.bins)) <= float(np.median(run[0].bins)) * (1.0 + ALIKE):
            run.append(t)
            continue
        levels = np.array([np.median(r.db) for r in run])
        if len(run) >= REPEATS and _spread(levels) <= LEVEL_DB:
            yield from run
        run = [] if t is None else [t]


def _spread(values: NDArray[np.float64]) -> float:
    return float(values.std()) if len(values) else np.inf


def _line(track: _Track, scale: _Scale) -> Line:
    times_s: NDArray[np.float64] = np.asarray(track.at * scale.hop_s + scale.size_s / 2, dtype=np.float64)
    steady = _spread(track.bins) <= 2 * STEADY * float(np.median(track.bins))
    return Line(times_s, track.hz, float(np.median(track.db)), steady)


def _may_hold(window: NDArray[np.float32], rate_hz: int) -> bool:
    """A quick look, for next to no window holds a tone: whether some peak keeps its level, or nearly its level and its
    frequency, from spectrum to spectrum for 0.1 s, or, for beeps, often enough in all at one frequency."""
    quick, fine = _SCALES[1], _SCALES[2]
    hop = 2 * round(quick.hop_s * rate_hz)
    if len(window) < _even(fine.size_s * rate_hz):
        return False
    if _keeps(_peaks(window, _even(quick.size_s * rate_hz), hop), 8, 12):
        return True
    low = _lower(window, rate_hz)  # two tones near each other beat in short spectra; telephones have them below 2 kHz
    rate_hz = round(rate_hz * len(low) / len(window))
    return _keeps(_peaks(low, _even(fine.size_s * rate_hz), round(fine.hop_s * rate_hz)), None, 16)


def _keeps(peaks: _Peaks, steps: int | None, times: int) -> bool:
    """Whether a peak is quiet for so many steps on end, or so many times in all within half a bin."""
    after = peaks.after
    if not len(after):
        return False
    louder = np.abs(peaks.db[after] - peaks.db)
    higher = np.abs(peaks.bins[after] - peaks.bins) / peaks.bins
    still = (after >= 0) & (louder < 0.3) & (higher < STEADY)
    if still.any() and int(np.bincount(np.rint(2 * peaks.bins[still]).astype(np.int64)).max()) >= times:
        return True
    if steps is None:
        return False
    runs = quiet = (after >= 0) & ((louder < 0.3) | ((louder < 1.2) & (higher < 3 * STEADY)))
    for _ in range(steps - 1):
        runs = quiet & np.append(runs, False)[after]
    return bool(runs.any())


def _lower(window: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """The window below 2 kHz, at a twelfth of the rate."""
    most = len(window) // 12 // 2
    low: NDArray[np.float32] = fft.irfft(fft.rfft(window)[: most + 1], 2 * most)
    return low / 12.0


# --- spectra ------------------------------------------------------------------------------------------------------------


def _even(x: float) -> int:
    return 2 * round(x / 2)


@cache
def _hann(size: int) -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


def _transform(x: NDArray[np.float32], size: int, hop: int) -> NDArray[np.complex64]:
    """(spectra, size / 2 + 1) of pieces under a Hann window."""
    pieces = sliding_window_view(np.asarray(x, dtype=np.float32), size)[::hop]
    spectra: NDArray[np.complex64] = fft.rfft(pieces * _hann(size), axis=1)
    return spectra


def _inverse(spectra: NDArray[np.complex64], size: int, hop: int) -> NDArray[np.float32]:
    """Overlap and add, the analysis window squared being divided out."""
    pieces = fft.irfft(spectra, size, axis=1).astype(np.float32) * _hann(size)
    out = np.zeros((len(pieces) - 1) * hop + size, dtype=np.float32)
    weight = np.zeros_like(out)
    square = _hann(size) ** 2
    for number, piece in enumerate(pieces):
        out[number * hop : number * hop + size] += piece
        weight[number * hop : number * hop + size] += square
    out /= np.maximum(weight, np.float32(1e-3))
    return out
