"""Damaged and hostile pictures and credentials: no crash, no hang, one sentence."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
import signing
from mutating import mutated

from engine.core.errors import MediaError
from engine.core.paths import ROOT
from engine.media import open_clip

SEED, SLOWEST_S = 5, 20.0


def run(seed: int, count: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("mutating.py")), str(seed), str(count)],
        env={"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60 + 2 * count,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"died after {lines[-1:]}: {done.stderr[-2_000:]}"
    return lines


def check(seed: int, count: int) -> None:
    *answers, slowest = run(seed, count)
    assert len(answers) == count
    said = [a.split()[1] for a in answers]
    assert set(said) <= {"read", "refused", "memory"}
    assert said.count("read") > count / 5 and said.count("refused") > count / 50
    assert float(slowest.split()[1]) < SLOWEST_S


def test_a_hundred_changed_pictures_crash_nothing() -> None:
    check(SEED, 102)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_five_thousand_changed_pictures_crash_nothing() -> None:
    check(SEED + 1, 5_000)


def test_changed_pictures_pass_through_the_child(tmp_path: Path) -> None:
    data = signing.signed(signing.picture(), "image/jpeg", signing.chain())
    rng = random.Random(SEED)
    for _ in range(12):
        path = signing.written(tmp_path / "a.jpg", mutated(data, rng))
        try:
            with open_clip(path) as reader:
                assert reader.origin()
                assert len(list(reader.frames([0.0], max_side_px=200))) == 1
        except MediaError as error:
            assert str(error).endswith(".")
