"""The JSON Schema of a finding's document, made from its records. Run as a module (`make schema`), it is written out."""

from __future__ import annotations

import json
import types
import typing
from dataclasses import fields
from typing import Any

from engine.report.formats.record.finding import SCHEMA, FindingRecord


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    definitions: dict[str, Any] = {}
    root = _schema_of(FindingRecord, definitions)
    definitions["FindingRecord"]["properties"]["schema"]["const"] = SCHEMA
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA}
    return {**head, **root, "$defs": definitions}


_PLAIN = {str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"}}


def _schema_of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind is Any:
        return {}
    if kind is types.NoneType:
        return {"type": "null"}
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if typing.get_origin(kind) is tuple:
        return {"type": "array", "items": _schema_of(typing.get_args(kind)[0], definitions)}
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return {"anyOf": [_schema_of(k, definitions) for k in typing.get_args(kind)]}
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # holds the place, should records ever nest in themselves
        hints = typing.get_type_hints(kind)
        properties = {f.name: {**_schema_of(hints[f.name], definitions), "description": f.metadata["doc"]} for f in fields(kind)}
        definitions[kind.__name__] = {
            "type": "object",
            "description": kind.__doc__,
            "properties": properties,
            "required": [f.name for f in fields(kind)],
        }
    return {"$ref": f"#/$defs/{kind.__name__}"}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2))
