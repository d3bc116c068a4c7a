"""Batches: every clip once, whatever is killed in the middle."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from engine.case.jobs import batch, pool
from engine.case.jobs.outcome import Outcome, examine
from engine.case.jobs.results import Results
from engine.case.record.store import Case, Scene
from engine.case.record.verify import verify
from engine.cli import main
from engine.core.clip import Clip
from engine.core.errors import DataError, InputError
from engine.core.settings import Settings


def noise(path: Path, seconds: float, seed: int) -> Path:
    samples = np.random.default_rng(seed).normal(0, 2000, int(48_000 * seconds)).astype("<i2")
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(samples.tobytes())
    return path


@pytest.fixture(autouse=True)
def no_main_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes start by running the main file again; tests of pages leave a page of the app in its place."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for i in range(3):
        noise(tmp_path / "clips" / f"deep{i}" / f"{i}.wav", 3.0, i)
    (tmp_path / "clips" / "letter.mp4").write_text("Dear Sir or Madam")
    (tmp_path / "clips" / "notes.txt").write_text("not looked at")
    return tmp_path / "clips"


def test_inputs_are_folders_patterns_files_and_lists(clips: Path, tmp_path: Path) -> None:
    assert [Path(p).name for p in batch.batch_inputs([str(clips)])] == ["letter.mp4", "0.wav", "1.wav", "2.wav"]
    assert len(batch.batch_inputs([str(clips / "**" / "*.wav"), str(clips)])) == 4
    (tmp_path / "list").write_text("# a remark\nclips/deep1/1.wav\n\n")
    assert batch.batch_inputs([f"@{tmp_path / 'list'}"]) == (str(clips / "deep1" / "1.wav"),)
    for nothing in (str(tmp_path / "none"), f"@{tmp_path / 'none'}"):
        with pytest.raises(InputError):
            batch.batch_inputs([nothing])


def test_a_batch_is_done_once_and_its_tables_can_be_read(clips: Path, tmp_path: Path) -> None:
    import geopandas
    import pandas

    results = Results(tmp_path / "results")
    with Case.create(tmp_path / "case") as case:
        first = batch.run([str(clips)], case, Settings(), results, workers=1)
        assert (first.clips, first.examined, len(first.problems)) == (4, 3, 1), first.problems
        assert "letter.mp4" in first.problems[0][1]
        again = batch.run([str(clips)], case, Settings(), results, workers=1)
        assert (again.examined, again.there) == (0, 3)
        assert len(case.findings()) == 3
        where, _, windows = batch.tables(case, tmp_path / "case")
        assert verify(case).well
    table = geopandas.read_parquet(where)
    assert len(table) == 4 and table.crs.to_epsg() == 4326
    assert set(table["verdict"]) == {"cannot tell"}
    assert {"sha256", "clue", "start_s", "score"} <= set(pandas.read_parquet(windows).columns)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips are examined without workers, which take seconds to start."""

    def one_by_one(paths: Sequence[str], settings: str, results: Results, workers: int) -> Iterator[Outcome]:
        yield from (examine(p, settings, str(results.folder)) for p in paths)

    monkeypatch.setattr(pool, "outcomes", one_by_one)


@pytest.mark.slow
def test_another_prior_is_another_batch(clips: Path, tmp_path: Path, in_this_process: None) -> None:
    results = Results(tmp_path / "results")
    with Case.create(tmp_path / "case") as case:
        one = [str(clips / "deep0")]
        batch.run(one, case, Settings(), results, workers=1)
        again = batch.run(one, case, Settings(prior="land"), results, workers=1)
        assert (again.kept, again.there) == (1, 0)
        assert batch.run(one, case, Settings(prior="land"), results, workers=1).there == 1
        assert len(case.findings()) == 2


def test_findings_of_all_scenes_are_kept_or_none(tmp_path: Path) -> None:
    """A driver that dies between two scenes must not leave a clip that looks done."""
    film = Clip(str(tmp_path / "film.mp4"), "0" * 64, 1, "mov", 3.0)
    whole = [Scene(n, "{}", "{}", "cannot tell", None, ()) for n in (1, 2)]
    with Case.create(tmp_path / "case") as case:
        with pytest.raises(DataError):
            case.add_findings(film, "0" * 64, [*whole, Scene(3, "{}", "{}", "cannot tell", object(), ())])  # type: ignore[arg-type]
        assert case.findings() == () and case.clips() == () and case.results() == ()
        case.add_findings(film, "0" * 64, whole)
        assert len(case.findings()) == 2 and verify(case, files=False).well


def test_names_that_are_no_text_are_kept_and_verified(tmp_path: Path, place: str, in_this_process: None) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfcn\x1b[31m.mp4"))
    path.write_text("Dear Sir or Madam")
    with Case.create(place) as case:
        summary = batch.run([str(path)], case, Settings(), Results(tmp_path / "results"), workers=1)
        assert len(summary.problems) == 1
        assert r"gr\udcfcn" in case.clips()[0].path
        batch.tables(case, tmp_path / "tables")
        assert verify(case).well


def deadly(path: str, settings: str, results: str) -> Outcome:
    """A worker's work that dies on one clip."""
    if path.endswith("/1.wav"):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return Outcome(path, Clip(path, hashlib.sha256(path.encode()).hexdigest(), 1, "wav", 3.0), "0" * 64)


def test_a_clip_that_kills_its_worker_is_named_and_the_others_are_done(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clips / "later").mkdir()
    for i in range(8):
        (clips / "later" / f"{i}0.wav").touch()
    monkeypatch.setattr(pool, "examine", deadly)
    counts = []
    started = pool.ProcessPoolExecutor
    monkeypatch.setattr(pool, "ProcessPoolExecutor", lambda count, *rest: counts.append(count) or started(count, *rest))
    paths = batch.batch_inputs([str(clips)])
    found = list(pool.outcomes(paths, "{}", Results(tmp_path / "results"), 2))
    assert sorted(o.path for o in found) == sorted(paths)
    assert [Path(o.path).name for o in found if o.problem] == ["1.wav"]
    assert counts[0] == counts[-1] == 2, "both workers go on once the clip that kills is known"


def children(pid: int) -> list[int]:
    """Processes started by a process, theirs not among them."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            found += [int(x) for x in thread.read_text().split()]
    return found


def command(clips: Path, tmp_path: Path, *more: str) -> list[str]:
    words = [sys.executable, "-m", "engine.cli", "batch", str(clips), "-o", str(tmp_path / "case")]
    return [*words, "--results", str(tmp_path / "results"), *more]


def until(true: Callable[[], bool], driver: subprocess.Popen[bytes], most_s: float = 120.0) -> None:
    ends = time.monotonic() + most_s
    while not true():
        assert driver.poll() is None, "it ended before anything could be killed"
        assert time.monotonic() < ends
        time.sleep(0.1)


def each_once(place: Path, count: int) -> None:
    """Every clip has its findings, none twice, and the case is as its log says."""
    with Case(place) as case:
        kept = [(f.clip_sha256, f.scene) for f in case.findings()]
        assert len(set(kept)) == len(kept) == count
        assert not [c.problem for c in case.clips() if c.problem and "letter.mp4" not in c.path]
        assert verify(case).well


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("victim", ["driver", "worker", "decoder"])
def test_a_kill_in_the_middle_loses_nothing_and_repeats_nothing(clips: Path, tmp_path: Path, victim: str) -> None:
    for i in range(3, 9):
        noise(clips / f"{i}.wav", 20.0, i)
    words = command(clips, tmp_path, "--workers", "2")
    driver = subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
    until(lambda: _findings(tmp_path / "case") >= 2, driver)
    workers = [p for p in children(driver.pid) if b"spawn_main" in Path(f"/proc/{p}/cmdline").read_bytes()]
    if victim == "driver":
        driver.kill()
        driver.wait()
        ends = time.monotonic() + 10
        while any(Path(f"/proc/{w}").exists() for w in workers):
            assert time.monotonic() < ends, "workers outlived their driver"
            time.sleep(0.1)
        assert 2 <= _findings(tmp_path / "case") < 9
    elif victim == "worker":
        os.kill(workers[0], signal.SIGKILL)
        assert driver.wait(240) == 0
        each_once(tmp_path / "case", 9)
    else:
        until(lambda: any(children(w) for w in workers), driver)
        with contextlib.suppress(ProcessLookupError, StopIteration):
            os.kill(next(c for w in workers for c in children(w)), signal.SIGKILL)
        assert driver.wait(240) == 0  # the clip it was at has a sentence for a problem, and is examined by the next run
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    each_once(tmp_path / "case", 9)


def _findings(place: Path) -> int:
    if not Case.exists(place):
        return 0
    try:
        with Case(place) as case:
            return len(case.results())
    except (InputError, DataError):
        return 0


RAY = "Ray is an extra; install it with: make ray"


@pytest.fixture
def ray_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes of one core each on this machine; a driver joins it from a process of its own."""
    pytest.importorskip("ray", reason=RAY)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.second = made.add_node(num_cpus=1)
    try:
        yield made
    finally:
        made.shutdown()


def ray_workers() -> list[int]:
    """Processes of Ray that are at a clip."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if (folder / "cmdline").read_bytes().startswith(b"ray::_examine"):
                    found.append(int(folder.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("victim", ["driver", "worker", "node"])
def test_a_cluster_of_two_nodes_survives_a_kill(ray_cluster: Any, clips: Path, tmp_path: Path, victim: str) -> None:
    for i in range(3, 9):
        noise(clips / f"{i}.wav", 20.0, i)
    words = command(clips, tmp_path, "--ray", ray_cluster.address)
    driver = subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
    until(lambda: _findings(tmp_path / "case") >= 2 and bool(ray_workers()), driver, 300)
    if victim == "driver":
        driver.kill()
        driver.wait()
        assert 2 <= _findings(tmp_path / "case") < 9
    elif victim == "worker":
        os.kill(ray_workers()[0], signal.SIGKILL)
        assert driver.wait(300) == 0
        each_once(tmp_path / "case", 9)
    else:
        ray_cluster.remove_node(ray_cluster.second, allow_graceful=False)  # kill -9 of all its processes
        assert driver.wait(300) == 0
        each_once(tmp_path / "case", 9)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    each_once(tmp_path / "case", 9)


def test_without_ray_or_a_cluster_it_says_so(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ["batch", str(clips), "-o", str(tmp_path / "case"), "--results", str(tmp_path / "r"), "--ray", "auto"]
    assert main(words) == 2
    assert "make ray" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["127.0.0.1:1", "auto", "no.such.host.invalid:6379"])
@pytest.mark.tries_the_network
def test_no_cluster_at_an_address_is_one_sentence(
    address: str, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray", reason=RAY)
    words = ["batch", str(clips), "-o", str(tmp_path / "case"), "--results", str(tmp_path / "r"), "--ray", address]
    assert main(words) == 2
    assert f"no Ray cluster at {address}" in capsys.readouterr().err
