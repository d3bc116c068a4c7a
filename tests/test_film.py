"""The whole way of a film of several places: shots, scenes, verdicts, timeline, reports, command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.analysis.judge import judge, judge_film, scenes
from engine.analysis.perceive import perceive
from engine.analysis.timeline import timeline_of
from engine.cli import main
from engine.core.clip import Interval
from engine.core.errors import Cancelled
from engine.core.finding import Finding
from engine.core.progress import Progress
from engine.core.settings import Settings
from engine.report import to_html, to_json
from tests import films

PLACES = ((3, "Ajuntament de Sitges", 0.02), (8, "WELCOME TO BURLINGTON VERMONT", 0.4), (15, "Gemeente Utrecht", 0.05))
STARTS_S = [0.0, 21.0, 42.0]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return films.write(tmp_path_factory.mktemp("film") / "travels.mp4", PLACES)


@pytest.fixture(scope="module")
def found(film: Path) -> Iterator[Finding]:
    told: list[Progress] = []
    perception = perceive(film, Settings(), told.append)
    assert {p.task for p in told} >= {"sound", "picture"}
    yield judge_film(perception)


def test_the_scenes_are_the_places(found: Finding) -> None:
    assert [s.start_s for s in scenes(found.perception)] == pytest.approx(STARTS_S, abs=0.2)
    assert found.scene == 0 and found.scenes == 3
    assert [f.scene for f in found.film] == [1, 2, 3] and {f.scenes for f in found.film} == {3}


def test_every_scene_is_about_its_own_place(found: Finding) -> None:
    said = [[name for name, _ in (f.by("picture").countries[:1])] for f in found.film]  # type: ignore[union-attr]
    assert said == [["Spain"], ["United States"], ["Netherlands"]] or said == [["Spain"], ["USA"], ["Netherlands"]]


def test_a_scene_rests_on_what_was_perceived_in_it_alone(found: Finding) -> None:
    second = found.film[1]
    texts = {o.label for o in second.perception.observations if o.kind == "text"}
    assert any("BURLINGTON" in t for t in texts) and not any("Sitges" in t or "Utrecht" in t for t in texts)
    assert all(21.0 - 0.3 <= s.start_s < 42.3 for s in second.shots)


def test_choosing_a_stretch_filters_what_counts(found: Finding) -> None:
    part = judge(found.perception, Settings(interval=Interval(42.0, 63.0)))
    assert part.interval == Interval(42.0, 63.0)
    assert part.by("picture").spoke  # type: ignore[union-attr]
    nothing = judge(found.perception, Settings(interval=Interval(0.0, 4.0)))
    assert not nothing.by("picture").spoke and nothing.scene == 0  # type: ignore[union-attr]


def test_the_timeline_points_where_the_signs_do(found: Finding) -> None:
    line = timeline_of(found)
    spoke = [m for m in line.of("picture") if m.spoke]
    assert len({m.place.rsplit(", ", 1)[-1] for m in spoke}) == 3
    assert all(m.start_s <= m.look_s <= m.end_s for m in line.moments)
    assert line.of("sound")[0].start_s == 0.0 and line.of("sound")[-1].end_s == pytest.approx(63.0, abs=0.2)
    assert line.scenes_s == pytest.approx(tuple(STARTS_S[1:]), abs=0.2)
    assert any("Sitges" in label for m in spoke for label in m.labels)


def test_reports_show_scenes_and_timeline(found: Finding) -> None:
    whole = replace(found, timeline=timeline_of(found))
    page = to_html(whole)
    assert 'id="scenes"' in page and "3 scenes" in page and "scene-edge" in page
    record = json.loads(to_json(whole))
    assert [s["scene"] for s in record["film"]] == [1, 2, 3] and record["scene"] == 0
    assert record["timeline"]["moments"] and len(record["shots"]) == len(found.shots)


def test_a_name_in_the_timeline_cannot_become_markup(found: Finding) -> None:
    line = timeline_of(found)
    hostile = replace(line, moments=tuple(replace(m, labels=("<script>x</script>",), place="<b>x") for m in line.moments))
    page = to_html(replace(found, timeline=hostile))
    assert "<script>x" not in page and "<b>x" not in page


def test_one_sense_failing_to_stop_is_impossible(film: Path) -> None:
    def stop(step: Progress) -> None:
        if step.task == "picture" and step.done > 1:
            raise Cancelled("Stopped as asked; nothing was kept.")

    with pytest.raises(Cancelled):
        perceive(film, Settings(), stop)


@pytest.mark.slow
def test_the_command_line_lists_the_scenes(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["locate", str(film), "--json", str(tmp_path / "x.json")]) == 0
    said = capsys.readouterr().out
    assert "3 scenes" in said and "0:21–0:42" in said and "Spain" in said and "USA" in said
    assert len(json.loads((tmp_path / "x.json").read_text())["film"]) == 3
    assert main(["locate", str(film), "--scene", "4"]) == 2
    assert "3 scenes" in capsys.readouterr().err
