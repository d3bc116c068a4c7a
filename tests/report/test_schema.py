"""The document's schema: as it was agreed on, and as documents are."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import made

from engine.core.finding import Finding
from engine.report import json_schema, to_json

GOLDEN = Path(__file__).parent / "finding.schema.json"


def changes(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs: records, keys and types, each as one line."""
    then_of, now_of = (
        {
            f"{record}.{key}": {k: v for k, v in kind.items() if k != "description"}
            for record, described in x["$defs"].items()
            for key, kind in described["properties"].items()
        }
        for x in (then, now)
    )
    gone, new = sorted(then_of.keys() - now_of.keys()), sorted(now_of.keys() - then_of.keys())
    other = [k for k in then_of if k in now_of and then_of[k] != now_of[k]]
    return [f"gone: {k}" for k in gone] + [f"new: {k}" for k in new] + [f"another type: {k}" for k in other]


def test_the_schema_is_the_one_agreed_on() -> None:
    """Within version 1 a key may be new; none may go or change its meaning. What is agreed on is written by `make schema`."""
    golden, now = json.loads(GOLDEN.read_text(encoding="utf-8")), json_schema()
    assert changes(golden, now) == []
    assert json.dumps(golden) == json.dumps(now), "descriptions or the order of keys differ; write them anew: make schema"


@pytest.mark.parametrize("what", ["gone", "new", "another type"])
def test_a_changed_key_is_noticed(what: str) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    changed = json.loads(GOLDEN.read_text(encoding="utf-8"))
    keys = changed["$defs"]["PlaceRecord"]["properties"]
    if what == "gone":
        del keys["mass"]
    elif what == "new":
        keys["extra"] = {"type": "string"}
    else:
        keys["mass"] = {"type": "integer"}
    assert changes(golden, changed) == [f"{what}: PlaceRecord.{'extra' if what == 'new' else 'mass'}"]


def closed(schema: Any) -> Any:
    """The schema with no key allowed that it does not name."""
    if isinstance(schema, dict):
        own = {k: closed(v) for k, v in schema.items()}
        return {**own, "additionalProperties": False} if schema.get("type") == "object" else own
    return [closed(x) for x in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize(
    "finding",
    [
        made.finding(),
        made.finding(text=made.HOSTILE),
        replace(made.finding(two_speak=True), comparisons=(made.COMPARISON,), claims=(made.CLAIM_TEST,)),
        replace(made.finding(), film=(made.finding(), made.finding(two=False)), scenes=2, scene=0),
    ],
    ids=["plain", "hostile", "compared", "film"],
)
def test_a_document_has_the_schemas_keys_and_no_others(finding: Finding) -> None:
    jsonschema.validate(json.loads(to_json(finding)), closed(json_schema()))


def test_infinities_are_words_and_numbers_have_seven_digits() -> None:
    comparison = replace(made.COMPARISON, log10_raw=float("-inf"), overlap=0.123456789, pairs=1234567890)
    document = json.loads(to_json(replace(made.finding(), comparisons=(comparison,))))
    (found,) = document["comparisons"]
    assert (found["log10_raw"], found["overlap"], found["pairs"]) == ("-inf", 0.1234568, 1234567890)
