"""`earwitness bench memory`: roles, table, and a film of seconds through the real server and worker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.lab.bench import memory
from engine.lab.bench.memory import Course, Sample


def test_the_table_tells_the_most_of_each_role_and_of_all_together() -> None:
    samples = (
        Sample(1.0, {"server": 300.0, "worker": 0.0, "decoders": 0.0}),
        Sample(2.0, {"server": 310.0, "worker": 900.0, "decoders": 50.0}, "reading text"),
        Sample(3.0, {"server": 500.0, "worker": 100.0, "decoders": 90.0}, "judging, in the server"),
    )
    course = Course(60.0, 3.5, samples, "done", 4)
    assert memory.data(course)["peak_mb"] == {"server": 500.0, "worker": 900.0, "decoders": 90.0, "together": 1260.0}
    lines = memory.table(course).splitlines()
    assert lines[0] == "60 s of film, 4 scenes, 4 s"
    assert next(line for line in lines if line.startswith("together")).split()[:3] == ["together", "1,260", "2"]
    assert [line.split()[0] for line in lines[-3:]] == ["300", "1,260", "690"]


def test_a_page_is_asked_for_in_streamlits_own_words() -> None:
    words = pytest.importorskip("streamlit.proto.BackMsg_pb2").BackMsg()
    words.rerun_script.SetInParent()
    assert words.SerializeToString() == memory.RERUN


def test_a_film_of_no_length_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "memory", "0"]) != 0
    assert "above zero" in capsys.readouterr().err


@pytest.mark.slow
def test_a_film_of_seconds_through_the_app(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("websockets")
    out = tmp_path / "memory.json"
    assert main(["bench", "memory", "0.1", "--json", str(out)]) == 0
    told = json.loads(out.read_text(encoding="utf-8"))
    assert told["film_s"] == pytest.approx(6.0, abs=0.2) and told["scenes"] == 1
    peak = told["peak_mb"]
    assert peak["server"] > 100 and peak["worker"] > 100 and peak["decoders"] > 10
    assert max(peak["server"], peak["worker"]) < peak["together"] < sum(peak[r] for r in memory.ROLES) + 1
    assert "together" in capsys.readouterr().out
