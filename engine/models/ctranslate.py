"""The form of CTranslate2's files (model.bin): named arrays of numbers one after the other, nothing that is run.

Version 6, little-endian: version, name and revision of the kind of model; number of variables, each with name, rank, sizes, type,
bytes and data; number of aliases, each with its two names. A name is its length with a closing zero, in two bytes, then itself.

Source: CTranslate2 4.8, ctranslate2/specs/model_spec.py (ModelSpec._serialize).
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import BinaryIO

VERSION = 6
_ITEM_BYTES = (4, 1, 2, 4, 2, 2)  # float32, int8, int16, int32, float16, bfloat16
_MOST_RANK = 8


def check(path: Path, kind: str = "WhisperSpec") -> None:
    """Look that a file describes all its bytes, as a model of this kind; no array is read.

    Raises:
        ValueError: it doesn't.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if _number(file, "<I") != VERSION or _name(file) != kind:
            raise ValueError(f"not a {kind} of version {VERSION}")
        _number(file, "<I")
        for _ in range(_number(file, "<I")):
            _name(file)
            rank = _number(file, "<B")
            if rank > _MOST_RANK:
                raise ValueError("a variable of too many dimensions")
            items = math.prod(_number(file, "<I") for _ in range(rank))
            type_ = _number(file, "<B")
            held = _number(file, "<I")
            if type_ >= len(_ITEM_BYTES) or held != items * _ITEM_BYTES[type_] or file.tell() + held > size:
                raise ValueError("a variable of the wrong size")
            file.seek(held, 1)
        for _ in range(_number(file, "<I")):
            _name(file), _name(file)
        if file.tell() != size:
            raise ValueError("bytes that nothing describes")


def _number(file: BinaryIO, form: str) -> int:
    return int(struct.unpack(form, _read(file, struct.calcsize(form)))[0])


def _name(file: BinaryIO) -> str:
    text = _read(file, _number(file, "<H"))
    if not text.endswith(b"\0"):
        raise ValueError("a name without an end")
    return text[:-1].decode("utf-8")


def _read(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise ValueError("the file ends early")
    return data
