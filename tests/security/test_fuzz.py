"""Damaged and hostile files by the thousand: a parent that lives, answers in time, and nothing written anywhere."""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest

from engine.core.clip import Interval
from engine.core.errors import DecoderFault, EarwitnessError
from engine.core.paths import data_dir
from engine.media import open_clip
from engine.media.metadata import container_observations
from engine.media.shots import cut

LONGEST_S = 60.0  # for one file, of which at most MOST_BYTES are kept
MOST_BYTES = 300_000


@dataclass
class Tally:
    """What became of the files."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    escaped: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{count:5}  {what}" for what, count in self.outcomes.most_common()]
        return "\n".join([*lines, f"slowest file: {self.slowest_s:.1f} s"])


def mutations(sources: list[Path], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Copies of files with bytes changed, cut out, put in or cut off; the same for the same seed."""
    rng = random.Random(seed)
    for number in range(count):
        source = rng.choice(sources)
        data = bytearray(source.read_bytes()[:MOST_BYTES])
        for _ in range(rng.choice((1, 4, 32, 256))):
            # Half of the changes hit the first 4 kB, where most of a container's structure is.
            at = rng.randrange(min(4096, len(data)) if rng.random() < 0.5 else len(data)) if data else 0
            kind = rng.randrange(5)
            if kind == 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            elif kind == 1:
                del data[at : at + rng.randrange(1, 64)]
            elif kind == 2:
                data[at:at] = rng.randbytes(rng.randrange(1, 64))
            elif kind == 3:
                data[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1"))
            else:
                other = rng.randrange(len(data)) if data else 0
                data[at : at + 32] = data[other : other + 32]
        if rng.random() < 0.2:
            del data[rng.randrange(max(1, len(data))) :]
        yield f"m{number}{source.suffix}", bytes(data)


def read(path: Path) -> str:
    """Everything that examining a clip reads of it, in small; returns what happened, in words without names and numbers."""
    try:
        with open_clip(path) as reader:
            if any(s.decodable for s in reader.clip.audio_tracks):
                for _ in reader.audio(16_000, Interval(0.0, 5.0)):
                    pass
            if any(s.decodable for s in reader.clip.video_tracks):
                for _ in reader.frames([0.0, 1.0, 4.0], max_side_px=160):
                    pass
                cut(reader, Interval(0.0, 3.0))
            container_observations(reader.clip, reader)
        return "read"
    except DecoderFault:
        raise  # our own code failed in the child
    except EarwitnessError as error:
        said = str(error)
        assert said.isprintable() and len(said) < 700
        crash = re.search(
            r"crashed on .* \((\S+)\)|wanted more memory|stopped answering|took longer|make no sense|was ended|ended by itself",
            said,
        )
        return f"refused: {crash.group(1) or crash.group(0)}" if crash else "refused: damaged"


def fuzz(folder: Path, sources: list[Path], count: int, seed: int, most_s: float) -> Tally:
    """Open and read mutated files, two at a time, for so long; anything but an EarwitnessError ends the test."""
    tally = Tally()

    def one(made: tuple[str, bytes]) -> None:
        name, data = made
        path = folder / "in" / name
        path.write_bytes(data)
        began = time.monotonic()
        try:
            tally.outcomes[read(path)] += 1
        except BaseException as error:
            tally.escaped.append(f"{name}: {type(error).__name__}: {error}")
        tally.slowest_s = max(tally.slowest_s, time.monotonic() - began)
        path.unlink()

    (folder / "in").mkdir()
    ends = time.monotonic() + most_s
    with ThreadPoolExecutor(2) as pool, closing(mutations(sources, count, seed)) as made:
        while time.monotonic() < ends and (batch := list(islice(made, 20))):
            list(pool.map(one, batch))
            assert not tally.escaped, tally.escaped
    return tally


def sources_of_fuzzing() -> list[Path]:
    if not (data_dir() / "clips").is_dir():
        pytest.skip("needs EARWITNESS_DATA/clips: set it to a folder with clips of many formats")
    return sorted(p for p in (data_dir() / "clips").iterdir() if p.suffix not in (".csv", ".md"))


def check(count: int, seed: int, most_s: float, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Fuzz with home, temporary and working folders of our own, in which nothing may be afterwards; returns how many."""
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        (folder / name).mkdir()
        monkeypatch.setenv(name, str(folder / name))
    (folder / "work").mkdir()
    monkeypatch.chdir(folder / "work")
    tally = fuzz(folder, sources_of_fuzzing(), count, seed, most_s)
    done = sum(tally.outcomes.values())
    print(f"\n{done:,} files, seed {seed}\n{tally}")
    assert tally.slowest_s < LONGEST_S * (1 + os.getloadavg()[0])
    assert tally.outcomes["read"] > done // 10, "most changes must leave something to decode, or decoders are not tried"
    assert [p for p in folder.rglob("*") if p.is_file()] == [], "something was written"
    assert not any("sense" in outcome for outcome in tally.outcomes), "the guard refused what its own child said"
    return done


@pytest.mark.timeout(290)
def test_hundreds_of_mutated_files_crash_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many of 300 as a quarter of a minute allows."""
    assert check(300, 1, 15.0, tmp_path, monkeypatch) >= 20


@pytest.mark.slow
@pytest.mark.timeout(14_400)
def test_five_thousand_mutated_files_crash_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(5000, 0, 14_000.0, tmp_path, monkeypatch) == 5000
