"""A clue that fails takes nobody with it, is named, and runs again, alone, when the clip is perceived next."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.analysis import edits as hand
from engine.analysis.judge import examples, judge, perception_key, result_key
from engine.analysis.perceive import perceive
from engine.case.jobs import batch, pool
from engine.case.jobs.outcome import Outcome, examine, from_json, to_json_text
from engine.case.jobs.results import Results
from engine.case.record import codec
from engine.case.record.store import Case
from engine.cli import main
from engine.clues import registry
from engine.clues.hum.observe import HumObserver
from engine.clues.species.observe import SpeciesObserver
from engine.clues.text.observe import TextObserver
from engine.core.clip import Interval
from engine.core.errors import Cancelled, DecoderError, MediaError, WeightsError
from engine.core.perception import Perception
from engine.core.progress import Progress
from engine.core.settings import Settings
from engine.media import open_clip

pytestmark = pytest.mark.timeout(180)
QUICK = Settings(quick=True)
SHORT = QUICK.but(interval=Interval(9.0, 15.0))  # Great Tits call, and a sign is read


class Broken:
    """A clue's `observe`, at the boundary to its model, that fails as often as it is told to and counts how often it is asked."""

    def __init__(self, patch: pytest.MonkeyPatch, clue: type, error: Exception | None = None) -> None:
        self.error, self.asked = error, 0
        real: Callable[..., Any] = clue.observe  # type: ignore[attr-defined]

        def observe(own: Any, *given: Any, **named: Any) -> Any:
            self.asked += 1
            if self.error is not None:
                raise self.error
            return real(own, *given, **named)

        patch.setattr(clue, "observe", observe)


@pytest.fixture
def film() -> str:
    """A clip of twenty seconds with sound and picture."""
    found = [e for e in examples() if e.path.stem == "golf_georgia"]
    if not found:
        pytest.skip("needs the examples; make them with: python examples/make_examples.py")
    return str(found[0].path)


def keys(found: Perception) -> list[tuple[str, float]]:
    return [(o.key, o.start_s) for o in found.observations]


def test_what_failed_runs_again_alone_and_all_is_then_as_if_it_had_not(
    film: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    species = Broken(monkeypatch, SpeciesObserver)
    reading, hum = (
        Broken(monkeypatch, TextObserver, MemoryError()),
        Broken(monkeypatch, HumObserver, RuntimeError("[ONNX] nonsense")),
    )
    results = Results(tmp_path)
    with open_clip(film) as reader:
        whole = perception_key(reader.clip, SHORT)
        part, first, kept = results.perceive(reader, SHORT)
        assert (kept, first) == (False, result_key(reader.clip, SHORT, ["hum", "text"])) and first != whole
        assert part.failed["text"] == (
            "Reading what is written in the picture failed: the memory ran out. Close other programs, then examine the "
            "clip again."
        )
        assert "inside Earwitness (RuntimeError), not in the file. Examine the clip again." in part.failed["hum"]
        assert any(o.clue == "species" for o in part.observations) and not any(o.clue == "text" for o in part.observations)
        said = {e.clue: e.abstained for e in judge(part, SHORT).evidence}
        assert said["text"] == "reading what is written in the picture failed; examine the clip again" and said["species"] is None
        assert results.get(whole) is None and codec.loads(codec.dumps(part)).failed == part.failed

        hum.error = None
        less, second, kept = results.perceive(reader, SHORT)
        assert set(less.failed) == {"text"} and second not in (first, whole) and not kept
        reading.error = None
        found, third, kept = results.perceive(reader, SHORT)
        assert (third, kept, dict(found.failed)) == (whole, False, {})
        assert (species.asked, hum.asked, reading.asked) == (1, 2, 3), "what did not fail ran once"
        _, _, kept = results.perceive(reader, SHORT)
        assert kept and reading.asked == 3 and not list(tmp_path.glob("*.without"))

        anew = perceive(reader, SHORT)
        assert keys(found) == keys(anew) and found.models == anew.models and found.silent == anew.silent
        assert len(found.shots) == len(anew.shots) and (found.ambience is None) == (anew.ambience is None)
        one, other = judge(found, SHORT), judge(anew, SHORT)
        assert [c.log10_factor for c in one.comparisons] == [c.log10_factor for c in other.comparisons]
        for a, b in zip(one.located, other.located, strict=True):
            np.testing.assert_array_equal(a.posterior.mass, b.posterior.mass)


@pytest.mark.parametrize(
    ("error", "tried_again"),
    [
        (DecoderError("The decoder crashed on x (SIGKILL); leave it out."), True),
        (WeightsError("BirdNET's weights are damaged; get them again with: make models"), True),
        (MediaError("The sound of x cannot be decoded; copy it again."), False),
    ],
)
def test_what_can_never_be_decoded_is_not_tried_again(
    film: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, tried_again: bool
) -> None:
    hum, results = Broken(monkeypatch, HumObserver, error), Results(tmp_path)
    with open_clip(film) as reader:
        found, _, _ = results.perceive(reader, SHORT)
        assert list(found.failed) == (["hum"] if tried_again else [])
        assert not tried_again or found.failed["hum"].endswith(str(error))
        hum.error = None
        _, key, kept = results.perceive(reader, SHORT)
    assert (hum.asked, kept) == ((2, False) if tried_again else (1, True))
    assert key == perception_key(found.clip, SHORT)


@pytest.mark.slow
def test_shots_that_failed_take_all_that_looks_at_frames_along(
    film: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.media import shots

    real, reading, species = shots.cut, Broken(monkeypatch, TextObserver), Broken(monkeypatch, SpeciesObserver)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    results = Results(tmp_path)
    with open_clip(film) as reader:
        monkeypatch.setattr(shots, "cut", fail)
        part, _, _ = results.perceive(reader, SHORT)
        assert list(part.failed) == ["shots"] and part.shots == ()
        monkeypatch.setattr(shots, "cut", real)
        found, key, _ = results.perceive(reader, SHORT)
    assert found.shots and not found.failed and key == perception_key(found.clip, SHORT)
    assert (reading.asked, species.asked) == (2, 1)


def test_whoever_stops_the_work_is_obeyed(film: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Enough(Exception):
        pass

    def stop(step: Progress) -> None:
        if step.stage.startswith("listening"):
            raise Enough

    def cancel(step: Progress) -> None:
        raise Cancelled("Stopped as asked; nothing was kept.")

    with open_clip(film) as reader:
        for callback, error in ((stop, Enough), (cancel, Cancelled)):
            with pytest.raises(error):
                Results(tmp_path).perceive(reader, SHORT, callback)
    assert not list(tmp_path.iterdir())


def test_a_clip_of_which_everything_failed_is_not_kept(film: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    observers = [type(clue.observe.__self__) for clue in registry.clues(SHORT) if hasattr(clue.observe, "__self__")]
    assert len(observers) > 5
    for observer in observers:
        Broken(monkeypatch, observer, MemoryError())
    with open_clip(film) as reader, pytest.raises(MemoryError):
        Results(tmp_path).perceive(reader, SHORT)
    assert not list(tmp_path.iterdir())


def test_judged_blind_a_failure_tells_nothing_of_the_picture_or_the_name(film: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Broken(monkeypatch, TextObserver, MemoryError())
    Broken(monkeypatch, HumObserver, DecoderError("Decoding golf_georgia.mp4 took too long and was ended; convert it."))
    with open_clip(film) as reader:
        sealed = hand.sound_alone(perceive(reader, SHORT))
    assert list(sealed.failed) == ["hum"] and "Decoding the clip took too long" in sealed.failed["hum"]


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips are examined without worker processes, which would not know the double."""

    def one_by_one(paths: list[str], settings: str, results: Results, workers: int) -> Iterator[Outcome]:
        quick = codec.settings_to_json(codec.settings_from_json(settings))
        yield from (from_json(to_json_text(examine(p, quick, str(results.folder)))) for p in paths)

    monkeypatch.setattr(pool, "outcomes", one_by_one)


@pytest.mark.slow
def test_a_batch_tries_again_what_failed_and_its_tables_show_the_newest(
    film: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_this_process: None, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas

    reading, species = Broken(monkeypatch, TextObserver, MemoryError()), Broken(monkeypatch, SpeciesObserver)
    results, folder = Results(tmp_path / "results"), tmp_path / "case"
    with Case.create(folder) as case:
        first = batch.run([film], case, QUICK, results)
        assert (first.examined, first.problems) == (1, ()) and "memory ran out" in first.failed[0][1]
        again = batch.run([film], case, QUICK, results)
        assert (again.there, again.examined, len(again.failed)) == (0, 1, 1) and len(case.findings()) == 1, (
            "nothing new, no new row"
        )
        reading.error = None
        last = batch.run([film], case, QUICK, results)
        assert (last.examined, last.failed, len(case.findings())) == (1, (), 2)
        assert batch.run([film], case, QUICK, results).there == 1
        clips, _, windows = (pandas.read_parquet(p) for p in batch.tables(case, folder))
    assert len(clips) == 1 and bool(clips["picture_spoke"][0]) and "text" in set(windows["clue"])
    assert (species.asked, reading.asked) == (1, 3)


@pytest.mark.slow
def test_the_command_for_batches_says_what_failed(
    film: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_this_process: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Broken(monkeypatch, TextObserver, MemoryError())
    command = ["batch", film, "-o", str(tmp_path / "other"), "--results", str(tmp_path / "more"), "--workers", "1"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "1 of them was judged without a clue that failed" in said and "Reading what is written in the picture failed" in said


@pytest.mark.slow
def test_the_command_line_says_what_failed_and_tries_it_again(
    film: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EARWITNESS_KEPT", str(tmp_path / "kept"))
    reading, species = Broken(monkeypatch, TextObserver, MemoryError()), Broken(monkeypatch, SpeciesObserver)
    assert main(["locate", film, "--quick", "--interval", "9-15", "--html", str(tmp_path / "r.html")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Reading what is written in the picture failed: the memory ran out. Close other programs" in told
    assert "Reading what is written in the picture failed" in (tmp_path / "r.html").read_text()
    reading.error = None
    assert main(["locate", film, "--quick", "--interval", "9-15", "--json", str(tmp_path / "r.json")]) == 0
    assert "failed" not in capsys.readouterr().out
    evidence = json.loads((tmp_path / "r.json").read_text())["evidence"]
    assert next(e["spoke"] for e in evidence if e["clue"] == "text") and (species.asked, reading.asked) == (1, 2)
