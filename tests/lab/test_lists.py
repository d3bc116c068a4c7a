"""Lists of species: read, drawn the same way each time, judged as every clip is, scored by recordist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.parser import parser_for
from engine.core.errors import DataError
from engine.core.settings import Settings
from engine.lab.bench import lists

HEAD = "audio_id,latitude,longitude,recordist,date,all_scientific\n"
ROWS = (
    HEAD
    + "1,51.5,-0.1,a,2024-05-01,\"['Parus major', 'Turdus merula', 'Cyanistes caeruleus', 'Nobody knowsit']\"\n"
    + "2,-33.9,151.2,b,,\"['Gymnorhina tibicen', 'Dacelo novaeguineae']\"\n"
    + "3,44.0,-72.7,b,2020-06-01,Poecile atricapillus; Cyanocitta cristata; Parus atricapillus\n"
)


def table(tmp_path: Path, text: str = ROWS) -> Path:
    (tmp_path / "lists.csv").write_text(text)
    return tmp_path / "lists.csv"


def test_reads_names_places_and_what_birdnet_does_not_know(tmp_path: Path) -> None:
    first, second, third = lists.read(table(tmp_path))
    assert first.known == ("Parus major", "Turdus merula", "Cyanistes caeruleus") and first.unknown == ("Nobody knowsit",)
    assert (first.sample.lat_deg, first.sample.lon_deg, first.recordist) == (51.5, -0.1, "a")
    assert first.sample.date is not None and second.sample.date is None
    assert third.known[:2] == ("Poecile atricapillus", "Cyanocitta cristata")


def test_a_smaller_list_begins_a_larger_one_and_stays_the_same(tmp_path: Path) -> None:
    first = lists.read(table(tmp_path))[0]
    one, two = lists.drawn(first, "1", 0), lists.drawn(first, "2", 0)
    assert one is not None and two is not None and two[:1] == one == lists.drawn(first, "1", 0)
    assert lists.drawn(first, "5", 0) is None and lists.drawn(first, "all", 0) == first.known
    assert len({lists.drawn(first, "1", seed) for seed in range(20)}) > 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "needs the columns"),
        (HEAD + "1,north,0,a,,Parus major\n", "no number"),
        (HEAD + "1,nan,0,a,,Parus major\n", "beyond the Earth"),
        (HEAD + "1,0,0,a,,[]\n", "lists no species"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        lists.read(table(tmp_path, text))


def test_an_absent_table_and_a_wrong_size_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing"):
        lists.read(tmp_path / "none.csv")
    arguments = parser_for(["bench", "lists"], "0").parse_args(["bench", "lists", "--sizes", "0,all"])
    with pytest.raises(DataError, match="--sizes takes numbers"):
        lists.run(arguments)


def test_the_command_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "lists", "--data", str(table(tmp_path)), "--sizes", "1,3,all", "--json", str(tmp_path / "out.json")]
    assert lists.run(parser_for(words, "0").parse_args(words)) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["lists"], found["unknown_names"], found["unknown"]) == (3, 1, {"Nobody knowsit": 1})
    assert found["1"]["n"] == found["all"]["n"] == 3 and found["3"]["n"] == 1, "a list of two is no list of three"
    everything = found["all"]
    assert set(everything["coverage"]) >= {"50", "90"} and set(everything["within_km"]) >= {"200", "750", "2500"}
    assert {"median_km", "nll", "coverage.50", "coverage.90", "within_km.200"} <= set(everything["intervals"])
    assert everything["recordists"] == 2 and everything["spoke"] + everything["abstained"] == 3
    assert everything["by_continent"]["Oceania"]["n"] == 1
    assert everything["median_km"] < 2500 and everything["nll"] < everything["prior_only"]["nll"]
    out = capsys.readouterr().out
    assert "does not know 1 of 9 names" in out or "does not know 1 of 8 names" in out
    assert f"{everything['nll']:.2f}" in out


def test_an_analysts_species_counts_with_the_confidence_stated(tmp_path: Path) -> None:
    own = lists.read(table(tmp_path))[1:2]
    (_, sure), (_, unsure) = (lists.evaluate(own, "all", Settings(), confidence=c)[0] for c in (0.99, 0.02))
    assert sure.found.nll < unsure.found.nll <= unsure.prior.nll + 0.5


def test_real_lists_are_placed_better_than_the_prior(data_dir: Path) -> None:
    if not (data_dir / lists.TABLE).is_file():
        pytest.skip(f"needs {lists.TABLE} in the folder of real material")
    every = lists.read(data_dir / lists.TABLE)
    assert len(every) > 300 and len({x.recordist for x in every}) > 40
    assert sum(len(x.unknown) for x in every) < 0.01 * sum(len(x.known) for x in every)
    main, block = lists.block(lists.evaluate(every[::20], "all", Settings()), "all", 0)
    assert main.nll is not None and main.nll < block["prior_only"].nll - 1.0
