"""Perceptions and settings written down and read back: JSON beside plain arrays, nothing pickled.

The frozen dataclasses of `core` are walked by their type hints (cattrs), so that a new field needs no code here. A file is a zip
archive as numpy writes it: `facts`, the JSON, and `a0`, `a1`, …, the arrays that the JSON refers to by number.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from contextvars import ContextVar
from datetime import date, datetime
from typing import Any, TypeVar, get_origin

import cattrs
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError, SettingError
from engine.core.file import json_of
from engine.core.perception import Perception
from engine.core.settings import Settings

LARGEST_BYTES = 2_000_000_000
T = TypeVar("T")
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError),
    *(ValueError, KeyError, TypeError, AttributeError, RecursionError, cattrs.BaseValidationError),
)
_arrays: ContextVar[list[NDArray[Any]]] = ContextVar("arrays")


def dumps(perception: Perception) -> bytes:
    """A perception as bytes."""
    return _dumps(perception, Perception)


def loads(data: bytes) -> Perception:
    """The perception of these bytes.

    Raises:
        DataError: they are damaged, too large, or written by a version of the program that knew other fields.
    """
    return _loads(data, Perception)


def settings_to_json(settings: Settings) -> str:
    """Settings as JSON; the few small arrays they may hold (a sign's place) stand beside the fields as lists."""
    facts, arrays = _jsonable(settings, Settings)
    if arrays:
        facts["arrays"] = [a.astype(np.float64).ravel().tolist() for a in arrays]
    return json.dumps(facts, sort_keys=True)


def settings_from_json(text: str) -> Settings:
    """The settings of this JSON; errors as for `loads`."""
    try:
        facts = json_of(text, "What is written of the settings")
        arrays = [np.array(a, dtype=np.float64) for a in facts.pop("arrays", [])]
        return _structure(facts, arrays, Settings)
    except (SettingError, DataError):
        raise
    except Exception as error:  # cattrs raises what the field's own type raised
        raise DataError(f"These settings cannot be read ({type(error).__name__}); set them anew.") from None


def _dumps(value: Any, kind: type) -> bytes:
    facts, arrays = _jsonable(value, kind)
    held: dict[str, Any] = {f"a{i}": a for i, a in enumerate(arrays)}
    held["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, **held)
    return out.getvalue()


def _loads(data: bytes, kind: type[T]) -> T:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(x.file_size for x in archive.infolist()) > LARGEST_BYTES:
                raise DataError("A kept result unpacks to more than 2 GB and was not read; examine the clip again.")
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            facts = json.loads(held["facts"].tobytes())
            arrays = [held[f"a{i}"] for i in range(len(held.files) - 1)]
        return _structure(facts, arrays, kind)
    except _DAMAGE as error:
        raise DataError(f"A kept result cannot be read ({type(error).__name__}); examine the clip again.") from None


def _jsonable(value: Any, kind: type) -> tuple[Any, list[NDArray[Any]]]:
    arrays: list[NDArray[Any]] = []
    token = _arrays.set(arrays)
    try:
        return _CONVERTER.unstructure(value, unstructure_as=kind), arrays
    finally:
        _arrays.reset(token)


def _structure(facts: Any, arrays: list[NDArray[Any]], kind: type[T]) -> T:
    token = _arrays.set(arrays)
    try:
        return _CONVERTER.structure(facts, kind)
    finally:
        _arrays.reset(token)


def _keep_array(value: NDArray[Any]) -> dict[str, int]:
    held = _arrays.get()
    held.append(np.asarray(value))
    return {"array": len(held) - 1}


def _is_array(kind: object) -> bool:
    return kind is np.ndarray or get_origin(kind) is np.ndarray


def _is_frozenset(kind: object) -> bool:
    origin: object = get_origin(kind)
    return origin is frozenset


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook_func(_is_array, _keep_array)
    converter.register_structure_hook_func(_is_array, lambda v, _: _arrays.get()[int(v["array"])])
    for kind in (date, datetime):
        converter.register_unstructure_hook(kind, lambda v: v.isoformat())
    converter.register_structure_hook(datetime, lambda v, _: datetime.fromisoformat(v))
    converter.register_structure_hook(date, lambda v, _: date.fromisoformat(v))
    converter.register_unstructure_hook_func(_is_frozenset, lambda v: sorted(v))
    return converter


_CONVERTER = _converter()
