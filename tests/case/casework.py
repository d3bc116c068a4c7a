"""A case made by hand: three clips of made-up findings, two of which hold the same recording."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from engine.case.record import codec
from engine.case.record.store import Case, Scene
from engine.core.comparison import Comparison
from engine.core.finding import Finding
from engine.media.fingerprint import METHOD, RATE_HZ, of_samples
from engine.report import to_json
from tests.report import made

HOSTILE = "<script>alert(1)</script>"


def compared(verdict: str, log10: float) -> Comparison:
    return Comparison(
        "sound", "picture", verdict, "moderate support", 6800.0, 6900.0, 0.01, 0.0, log10, log10, log10, log10, True, 107, 50.0
    )


def noise(seed: int, seconds: float = 20.0) -> np.ndarray:
    """Rain of short chirps: what a fingerprint takes hold of."""
    rng = np.random.default_rng(seed)
    out = 0.01 * rng.standard_normal(int(seconds * RATE_HZ))
    for _ in range(int(5 * seconds)):
        n = int(RATE_HZ * rng.uniform(0.05, 0.2))
        start = int(rng.integers(0, len(out) - n))
        t = np.arange(n) / RATE_HZ
        out[start : start + n] += 0.3 * np.hanning(n) * np.sin(2 * np.pi * rng.uniform(500, 6000) * t)
    return out.astype(np.float32)


def marks(samples: np.ndarray) -> tuple[str, str]:
    return METHOD, base64.b64encode(of_samples(samples).to_bytes()).decode()


def put(case: Case, found: Finding, name: str, digit: str, fingerprint: tuple[str, str] | None, verdict: str) -> str:
    found = replace(found, clip=replace(found.clip, path=name, sha256=digit * 64))
    factor = found.comparisons[0].log10_factor if found.comparisons else None
    scene = Scene(1, codec.settings_to_json(found.settings), to_json(found), verdict, factor, ("birdnet-v2.4",))
    return case.add_findings(found.clip, digit * 64, [scene], fingerprint)[0]


def make(place: Path) -> Path:
    """A case of three clips in this folder; the second holds ten seconds of the first, from its fifth second."""
    first = noise(1)
    with Case.create(place, "Golf <b>") as case:
        far = replace(made.finding(two_speak=True, when=date(2024, 5, 3)), comparisons=(compared("different places", -1.2),))
        put(case, far, str(place / "course.mp4"), "a", marks(first), "different places")
        near = replace(made.finding(two_speak=True, text=HOSTILE), comparisons=(compared("same place", 1.1),))
        put(
            case,
            near,
            str(place / f"{HOSTILE.replace('/', '')}.mp4"),
            "b",
            marks(first[5 * RATE_HZ : 15 * RATE_HZ]),
            "same place",
        )
        put(case, made.finding(), str(place / "quiet.wav"), "c", marks(noise(2)), "cannot tell")
        case.add_clip(replace(far.clip, path=str(place / "broken.mp4"), sha256="d" * 64), "It cannot be read; convert it.")
    return place
