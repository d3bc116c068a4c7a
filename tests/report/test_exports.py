"""What other programs read: CSV that no spreadsheet runs, Raven's table that our own importer reads back, ELAN's tiers."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import itertools

import made

from engine.analysis import edits as hand
from engine.core.clip import Interval, Shot
from engine.core.edit import Edit, Effect, Step
from engine.core.observation import Observation
from engine.core.perceived import HEARD_SCORE
from engine.report import to_csv, to_elan, to_raven
from engine.report.formats import csv as table
from engine.report.view.against import speaks_against

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "=cmd|' /C calc'!A0")


def rows(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def test_csv_has_every_observation_and_plain_numbers() -> None:
    finding = made.finding()
    head, *lines = rows(to_csv(finding))
    assert len(lines) == len(finding.perception.observations) and all(len(line) == len(head) for line in lines)
    assert [float(line[0]) for line in lines] == sorted(float(line[0]) for line in lines)
    told = next(line for line in lines if line[4] == "Cuculus canorus")
    assert told[head.index("score")] == "0.94" and told[head.index("counts")] == "yes"
    text = next(line for line in lines if line[2] == "text")
    assert [float(x) for x in text[9:13]] == [0.1, 0.1, 0.5, 0.3]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    finding = made.finding(text=text)
    edit = Edit("note", text, author=text, note=text, title=text)
    hostile = replace(finding, settings=finding.settings.but(edits=(edit,)), history=(Step(edit, None, None),))
    for made_ in (to_csv(hostile), table.places_csv(hostile), table.edits_csv(hostile)):
        for line in rows(made_)[1:]:
            for cell in line:
                try:
                    float(cell)  # a number of ours, which may be negative
                except ValueError:
                    assert not cell.lstrip(" \t\r\n").startswith(("=", "+", "-", "@", "＝")), cell


def test_places_and_edits_are_told() -> None:
    finding = replace(made.finding(two_speak=True), comparisons=(made.COMPARISON,))
    head, *lines = rows(table.places_csv(finding))
    assert [line[0] for line in lines] == ["sound", "picture", "sound with picture"] and all(len(x) == len(head) for x in lines)
    assert lines[2][head.index("verdict")] == "different places" and lines[2][head.index("log10_factor")] == "-1.954"
    step = Step(Edit("drop", "species/species/Parus major", author="Ann"), -1.5, -0.4, "different places", "cannot tell")
    head, line = rows(table.edits_csv(replace(finding, history=(step,))))
    assert line[head.index("log10_before")] == "-1.5" and line[head.index("log10_after")] == "-0.4" and "Ann" in line


def test_raven_reads_back_as_what_was_heard() -> None:
    finding = made.finding(text="Common Cuckoo")
    text = to_raven(finding)
    head = text.splitlines()[0].split("\t")
    assert head[:7] == ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"]
    assert all(len(line.split("\t")) == len(head) for line in text.splitlines())
    edit, read = hand.read_table(text.encode(), "selections.txt", finding.perception, "Ann", alone=True)
    wanted = [o for o in finding.perception.observations if o.clue == "species" and o.score >= HEARD_SCORE]
    key = sorted((o.label, o.start_s, o.end_s, round(o.score, 4)) for o in wanted)
    assert sorted((o.label, o.start_s, o.end_s, o.score) for o in read.observations) == key and not read.unknown
    assert edit.alone == made.MODELS[0]


def test_raven_leaves_out_what_the_analyst_left_out_and_keeps_lines_whole() -> None:
    text = to_raven(made.finding(text="a\tb\nc", dropped=frozenset({"species/species/Parus major"})))
    assert "Parus" not in text and len({line.count("\t") for line in text.splitlines()}) == 1 and len(text.splitlines()) == 3


CHILDREN = {  # of EAF 3.0's schema, in its order, those that are used here
    "ANNOTATION_DOCUMENT": ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE"],
    "HEADER": ["MEDIA_DESCRIPTOR", "PROPERTY"],
    "TIME_ORDER": ["TIME_SLOT"],
    "TIER": ["ANNOTATION"],
    "ANNOTATION": ["ALIGNABLE_ANNOTATION"],
    "ALIGNABLE_ANNOTATION": ["ANNOTATION_VALUE"],
}
REQUIRED = {
    "ANNOTATION_DOCUMENT": {"AUTHOR", "DATE", "VERSION"},
    "HEADER": {"TIME_UNITS"},
    "MEDIA_DESCRIPTOR": {"MEDIA_URL", "MIME_TYPE"},
    "TIME_SLOT": {"TIME_SLOT_ID"},
    "TIER": {"TIER_ID", "LINGUISTIC_TYPE_REF"},
    "ALIGNABLE_ANNOTATION": {"ANNOTATION_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2"},
    "LINGUISTIC_TYPE": {"LINGUISTIC_TYPE_ID"},
}


def check(element: xml.Element) -> None:
    """Order of children and required attributes, as the schema has them."""
    order = CHILDREN.get(element.tag, [])
    at = [order.index(child.tag) for child in element]
    assert at == sorted(at), element.tag
    assert REQUIRED.get(element.tag, set()) <= set(element.attrib), element.tag
    for child in element:
        check(child)


@pytest.mark.parametrize("text", ["ordinary", made.HOSTILE + "]]>&\x00\ud800"])
def test_elan_is_as_its_schema_has_it(text: str) -> None:
    finding = made.finding(text=text, path=f"/x/{text[:20]} ä#?.mp4")
    shots = (Shot(0.0, 8.0, (1.0,)), Shot(8.0, 24.0, (9.0,)))
    finding = replace(finding, perception=replace(finding.perception, shots=shots))
    root = xml.fromstring(to_elan(finding))
    check(root)
    ids = [e.attrib[k] for e in root.iter() for k in ("TIME_SLOT_ID", "ANNOTATION_ID") if k in e.attrib]
    assert len(ids) == len(set(ids)), "xsd:ID is unique in the document"
    tiers = [t.attrib["TIER_ID"] for t in root.iter("TIER")]
    assert len(tiers) == len(set(tiers)) and "shots" in tiers and "species: Great Tit" in tiers
    time = {s.attrib["TIME_SLOT_ID"]: int(s.attrib["TIME_VALUE"]) for s in root.iter("TIME_SLOT")}
    assert list(time.values()) == sorted(time.values())
    for tier in root.iter("TIER"):
        own = [(time[a.attrib["TIME_SLOT_REF1"]], time[a.attrib["TIME_SLOT_REF2"]]) for a in tier.iter("ALIGNABLE_ANNOTATION")]
        assert own and all(a < b for a, b in own) and all(x[1] <= y[0] for x, y in itertools.pairwise(own))
    url = next(root.iter("MEDIA_DESCRIPTOR")).attrib["MEDIA_URL"]
    assert url.isascii() and " " not in url and "#" not in url
    tit = next(t for t in root.iter("TIER") if t.attrib["TIER_ID"] == "species: Great Tit")
    assert [a.findtext("ANNOTATION_VALUE") for a in tit.iter("ALIGNABLE_ANNOTATION")] == ["Great Tit (0.99)"]


def test_what_speaks_against_is_found() -> None:
    effects = (
        Effect("species", "species/species/Cuculus canorus", "Cuckoo", "sound", 0.8, 0.0, None, 0.0),
        Effect("species", "species/species/Parus major", "Great Tit", "sound", -3.0, 0.0, None, 0.0),
        Effect("text", "text/text/X", "X", "picture", None, 0.0, None, 0.0, True),
    )
    finding = replace(made.finding(two_speak=True), comparisons=(made.COMPARISON,), effects=effects, claims=(made.CLAIM_TEST,))
    told = " ".join(speaks_against(finding))
    assert "Cuckoo points the other way: +0.80" in told and "Great Tit points" not in told
    assert "X is the only evidence" in told and "about 25 : 1" in told and "a false alarm" in told
    same = replace(made.COMPARISON, verdict="same place", log10_factor=1.0, log10_low=-0.1, log10_high=1.2)
    told = " ".join(speaks_against(replace(finding, comparisons=(same,))))
    assert "includes 1" in told and "7,640 km apart" in told and "Great Tit points the other way" in told
    unsure = replace(made.COMPARISON, verdict="cannot tell")
    assert not any("way" in t for t in speaks_against(replace(finding, comparisons=(unsure,), claims=())))


def test_no_row_and_no_annotation_ends_after_the_clip() -> None:
    """Rounded to the millisecond, given a frame's length, or put in by whoever: the clip's end is the end."""
    base = made.finding()
    end_s = 5.0999
    seen = (
        made.species("Parus major", "Great Tit", 0.9, 0.0),
        replace(made.species("Cuculus canorus", "Common Cuckoo", 0.9, 3.0), end_s=end_s),
        Observation("text", "text", "AUGUSTA GA", 0.9, end_s, end_s, box=(0.1, 0.1, 0.5, 0.3)),
        Observation("text", "text", "AUGUSTA GA", 0.9, end_s - 0.01, end_s - 0.01, box=(0.1, 0.1, 0.5, 0.3)),
    )
    added = replace(made.species("Turdus merula", "Blackbird", 0.9, 4.0), author="analyst")
    clip, interval = replace(base.clip, duration_s=end_s), Interval(0.0, end_s)
    found = replace(
        base, clip=clip, interval=interval, settings=base.settings.but(added=(added,)),
        perception=replace(base.perception, clip=clip, interval=interval, observations=seen, shots=(Shot(0.0, end_s, (0.0,)),)),
    )  # fmt: skip
    ends = [float(line.split("\t")[4]) for line in to_raven(found).splitlines()[1:]]
    assert len(ends) == 3 and max(ends) == 5.099, "never rounded up"
    root = xml.fromstring(to_elan(found))
    times = {s.get("TIME_SLOT_ID"): int(str(s.get("TIME_VALUE"))) for s in root.iter("TIME_SLOT")}
    spans = [(times[a.get("TIME_SLOT_REF1")], times[a.get("TIME_SLOT_REF2")]) for a in root.iter("ALIGNABLE_ANNOTATION")]
    assert len(spans) >= 4 and all(0 <= a < b <= 5099 for a, b in spans)
    lasts = [float(line[1]) for line in rows(to_csv(found))[1:]]
    assert max(lasts) <= end_s and len(lasts) == 5


def test_a_scene_is_judged_on_what_ends_with_it() -> None:
    perception = made.finding().perception
    part = perception.within(Interval(0.0, 8.0))
    assert {(o.start_s, o.end_s) for o in part.observations if o.label == "Cuculus canorus"} == {(6.0, 8.0)}
    assert all(o.end_s <= 8.0 for o in part.observations) and len(part.observations) == len(perception.observations) - 1
