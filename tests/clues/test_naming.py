"""Names of species that BirdNET knows under another, and the table of the package birdnet."""

from __future__ import annotations

import csv

import pytest

from engine.analysis import edits as hand
from engine.clues.species import detections, naming
from engine.core.errors import DataError, SettingError
from engine.core.paths import ASSETS
from engine.models import birdnet

HEADER = "input,start_time,end_time,species_name,confidence\n"


@pytest.mark.parametrize(
    ("name", "latin"),
    [
        ("Coloeus monedula", "Corvus monedula"),
        ("Leuconotopicus villosus", "Dryobates villosus"),
        ("Pyrocephalus obscurus", "Pyrocephalus rubinus"),
        ("Zanda funerea", "Calyptorhynchus funereus"),
        ("Astur gentilis_Eurasian Goshawk", "Accipiter gentilis"),
        ("Great Northern Diver", "Gavia immer"),
        ("rock dove", "Columba livia"),
        ("Eurasian Collared Dove", "Streptopelia decaocto"),
        ("Great Gray Shrike", "Lanius excubitor"),
        ("Ruppells Warbler", None),
        ("Nonsensia absurda", None),
    ],
)
def test_known_under_another_name(name: str, latin: str | None) -> None:
    found = naming.known(name)
    assert (found.latin if found else None) == latin


def test_every_synonym_leads_to_a_class_has_a_source_and_hides_none() -> None:
    own = {naming.folded(n) for label in birdnet.labels() for n in (label.latin, label.common)}
    with (ASSETS / "species" / "synonyms.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(naming.synonyms()) > 250
    for row in rows:
        assert naming.folded(row["name"]) not in own, row
        assert naming.known(row["name"]).latin == row["birdnet"]
        assert row["source"] and row["change"] in ("renamed", "split", "lumped")


def test_a_name_of_a_part_is_said_to_be_one() -> None:
    edit = hand.add_species("Setophaga auduboni", 0.0, 3.0, 0.9)
    assert edit.target == "species/species/Setophaga coronata" and "part of what BirdNET calls" in edit.note
    assert hand.add_species("Coloeus monedula", 0.0, 3.0, 0.9).note == ""
    table = detections.read((HEADER + "a.wav,0,3,Setophaga auduboni,0.9\n").encode(), "t.csv")
    assert any("part of" in r for r in table.remarks)


def test_the_species_box_finds_it_too() -> None:
    assert hand.find_species("Coloeus")[0][0] == "Corvus monedula"
    assert hand.find_species("great northern diver")[0][0] == "Gavia immer"
    with pytest.raises(SettingError, match="Great Tit"):
        hand.add_species("Graet Tit", 0.0, 3.0, 0.9)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_the_table_of_the_package_birdnet(encoding: str) -> None:
    rows = (
        '"/d/q.wav","00:00:00.00","00:00:03.00","Turdus merula_Common Blackbird",0.87\n'
        '"/d/q.wav","01:02:03.50","01:02:06.50","Parus major_Great Tit",0.76\n'
    )
    table = detections.read((HEADER + rows).encode(encoding), "birdnet.csv")
    assert table.form == "table of the package birdnet"
    assert [(o.label, o.start_s, o.end_s, o.score) for o in table.observations] == [
        ("Turdus merula", 0.0, 3.0, 0.87),
        ("Parus major", 3723.5, 3726.5, 0.76),
    ]
    assert not table.unknown and not table.remarks


@pytest.mark.parametrize("time", ["00:61:00.00", "1:2:3:4", "00:00:60", "::", "-1:00", "a:b"])
def test_a_time_that_is_none(time: str) -> None:
    with pytest.raises(DataError, match="Line 2"):
        detections.read(f"{HEADER}q.wav,{time},99:00:00,Parus major,0.9\n".encode(), "t.csv")


def test_a_line_for_excel_and_decimal_commas() -> None:
    data = 'sep=;\nStart (s);End (s);Common name;Confidence\n"1,5";"4,5";Great Tit;"0,9"\n'.encode("cp1252")
    table = detections.read(data, "t.csv")
    assert [(o.label, o.start_s, o.score) for o in table.observations] == [("Parus major", 1.5, 0.9)]
