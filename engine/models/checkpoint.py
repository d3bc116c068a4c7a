"""Tensors out of PyTorch's own files (.pt, .pth, .ckpt), read as data: nothing in them is run.

Such a file is a pickle, that is a program for a small machine that may call any function there is. Here the program is only read:
its instructions are taken apart (`pickletools.genops`) and their effect on a stack is noted, but the one thing that is ever made
is a tensor from raw numbers in the same file; whatever else the program wants to call or build becomes an empty token. Both of
PyTorch's formats are known: the zip archive since 1.6, its members not compressed, and the older plain file.

Why not `torch.load(weights_only=True)`, be it in a child: of files of 600 bytes PyTorch 2.11 makes a bytearray of 2 GB and a
tensor of 4 TB (by a stride of nothing), and never ends hashing a nested key; and it refuses whole checkpoints over the settings
that trainers put beside the weights. A child would need limits, all the checks of tensors below, and a way back for the numbers:
more code than this.

Source: PyTorch, torch/serialization.py and torch/_utils.py (what is written); Python, Lib/pickletools.py (the instructions).
"""

from __future__ import annotations

import io
import math
import pickletools
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.core.errors import WeightsError

if TYPE_CHECKING:
    import torch

MOST_PROGRAM_BYTES = 10_000_000  # thousands of tensors take less than one million
MOST_DIMENSIONS = 64
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {
    "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16", "DoubleStorage": "float64",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8",
    "BoolStorage": "bool",
}  # fmt: skip
_PLAIN = (str, int, float, bool, bytes, type(None))  # what may be a key
_MARK = object()
_DAMAGE = (
    *(OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, OverflowError, NotImplementedError),
    *(MemoryError, RuntimeError, struct.error, zipfile.BadZipFile),
)


@dataclass(frozen=True, slots=True)
class _Name:
    """Something that the program would import."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class _Token:
    """Something that the program would have made by a call."""

    of: object


@dataclass(frozen=True, slots=True)
class _Storage:
    """Raw numbers in the file: PyTorch's name for their type, key, how many."""

    kind: str
    key: str
    count: int


Numbers = Callable[[_Storage], bytes]


def read(path: Path) -> Any:
    """What the file holds, as far as it is tensors, dicts, lists, numbers and texts.

    Raises:
        WeightsError: the file is damaged, or not of PyTorch.
    """
    try:
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _from_archive(archive, size)
        with path.open("rb") as file:
            return _from_plain(file, size)
    except _DAMAGE as wrong:
        raise WeightsError(f"{path.name} is not a checkpoint that can be read; download it again.") from wrong


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """A state dict from a .pt/.pth or .safetensors file, tensors only: nothing in the file is executed.

    Raises:
        WeightsError: missing, unreadable, or not a state dict.
    """
    import torch
    from safetensors import SafetensorError

    if not path.is_file():
        raise WeightsError(f"There is no checkpoint at {path}; download AG-CLIP's weights and give their path.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: object = load_file(path)
        else:
            state = read(path)
    except (OSError, RuntimeError, ValueError, SafetensorError) as wrong:
        raise WeightsError(f"{path.name} is not a checkpoint that can be read; download it again.") from wrong
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise WeightsError(f"{path.name} holds no state dict; give a checkpoint that AG-CLIP's training wrote.")
    return {k.removeprefix("module."): v for k, v in state.items()}


def _from_archive(archive: zipfile.ZipFile, size: int) -> Any:
    (program,) = (i for i in archive.infolist() if i.filename.count("/") == 1 and i.filename.endswith("/data.pkl"))
    folder = program.filename.rpartition("/")[0]
    if any(m.compress_type != zipfile.ZIP_STORED for m in archive.infolist()):  # PyTorch compresses nothing: nothing can swell
        raise ValueError("compressed members")
    if program.file_size > MOST_PROGRAM_BYTES:
        raise ValueError("too long a program")
    if f"{folder}/byteorder" in archive.namelist() and archive.read(f"{folder}/byteorder") != b"little":
        raise ValueError("bytes in the order of another machine")

    def numbers(storage: _Storage) -> bytes:
        return archive.read(f"{folder}/data/{storage.key}")

    return _Machine(numbers, size).run(io.BytesIO(archive.read(program)))


def _from_plain(file: BinaryIO, size: int) -> Any:
    surveyed = _Machine(None, size)  # the numbers come after the program that says how many there are
    programs = io.BytesIO(file.read(MOST_PROGRAM_BYTES))
    if _Machine(None, size).run(programs) != _LEGACY_MAGIC:
        raise ValueError("no checkpoint")
    for _ in ("protocol", "sizes of the machine's types"):
        _Machine(None, size).run(programs)
    begins = programs.tell()
    surveyed.run(programs)
    keys = _Machine(None, size).run(programs)
    file.seek(programs.tell())
    held: dict[str, bytes] = {}
    for key in keys:
        if not isinstance(key, str):
            raise TypeError("no key")
        storage = surveyed.storages[key]
        if struct.unpack("<q", file.read(8)) != (storage.count,):
            raise ValueError("another length than was said")
        if storage.count * _kind(storage).itemsize > size:
            raise ValueError("more numbers than the file has")
        held[key] = file.read(storage.count * _kind(storage).itemsize)
    programs.seek(begins)
    return _Machine(lambda storage: held[storage.key], size).run(programs)


def _kind(storage: _Storage) -> torch.dtype:
    import torch

    kind: torch.dtype = getattr(torch, _TYPES[storage.kind])
    return kind


class _Machine:
    """The stack of the small machine, on which nothing happens but tensors being made.

    Args:
        numbers: gives a storage's bytes; None makes tokens instead of tensors.
        most_bytes: of numbers altogether, the file's length: members of an archive may lie over one another.
    """

    def __init__(self, numbers: Numbers | None, most_bytes: int) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, _Storage] = {}
        self._numbers, self._bytes_left = numbers, most_bytes
        self._loaded: dict[_Storage, torch.Tensor] = {}

    def run(self, file: BinaryIO) -> Any:
        """What one program would leave behind."""
        for instruction, value, _ in pickletools.genops(file):
            name = instruction.name
            if name == "STOP":
                return self.pop(1)[0]
            if name in _PUSH_VALUE:
                self.stack.append(value)
            elif name in _PUSH_NEW:
                self.stack.append(_PUSH_NEW[name]())
            elif name in _DO:
                _DO[name](self, value)
            elif name not in ("PROTO", "FRAME"):
                raise ValueError(f"an instruction {name}")
        raise ValueError("no end")

    def pop(self, count: int) -> list[Any]:
        """The last so many of the stack, taken off."""
        if len(self.stack) < count:
            raise ValueError("an empty stack")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def above_mark(self) -> list[Any]:
        """All above the last mark, taken off with it."""
        at = len(self.stack) - 1
        while at >= 0 and self.stack[at] is not _MARK:
            at -= 1
        if at < 0:
            raise ValueError("no mark")
        taken = self.stack[at + 1 :]
        del self.stack[at:]
        return taken

    def set_items(self, pairs: list[Any]) -> None:
        target = self.stack[-1]
        if not all(isinstance(key, _PLAIN) for key in pairs[::2]):  # a tuple in tuples may take for ever to be hashed
            raise TypeError("a key that is no plain value")
        if isinstance(target, dict):
            target.update(zip(pairs[::2], pairs[1::2], strict=True))

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)

    def put(self, at: int | None) -> None:
        self.memo[len(self.memo) if at is None else at] = self.stack[-1]

    def note_storage(self) -> None:
        what, kind, key, _, count = self.pop(1)[0][:5]
        if what != "storage" or not isinstance(kind, _Name) or kind.name not in _TYPES or type(count) is not int or count < 0:
            raise TypeError("no storage")
        if not isinstance(key, str):
            raise TypeError("no key")
        self.storages[key] = _Storage(kind.name, key, count)
        self.stack.append(self.storages[key])

    def name(self) -> None:
        module, name = self.pop(2)
        if not isinstance(module, str) or not isinstance(name, str):  # lists in lists may be text without end
            raise TypeError("no name")
        self.stack.append(_Name(module, name))

    def call(self) -> None:
        function, given = self.pop(2)
        if function == _Name("torch._utils", "_rebuild_tensor_v2"):
            made = self._tensor(*given[:4])
        elif function == _Name("torch._utils", "_rebuild_parameter"):
            made = given[0]
        else:
            made = {} if function == _Name("collections", "OrderedDict") else _Token(function)
        self.stack.append(made)

    def _tensor(self, storage: Any, offset: Any, shape: Any, stride: Any) -> Any:
        import torch

        if not isinstance(storage, _Storage) or not all(type(n) is int and 0 <= n < 1 << 63 for n in (offset, *shape, *stride)):
            raise TypeError("no tensor")
        if len(shape) > MOST_DIMENSIONS:
            raise ValueError("too many dimensions")
        last = offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))
        if math.prod(shape) > storage.count or (0 not in shape and last >= storage.count):
            raise ValueError("a tensor beyond its numbers")
        if self._numbers is None:
            return _Token(storage)
        if storage not in self._loaded:
            kind = _kind(storage)
            self._bytes_left -= storage.count * kind.itemsize
            if self._bytes_left < 0:
                raise ValueError("more numbers than the file has")
            raw = self._numbers(storage)
            if len(raw) != storage.count * kind.itemsize:
                raise ValueError("another length than was said")
            self._loaded[storage] = torch.frombuffer(bytearray(raw), dtype=kind) if raw else torch.zeros(0, dtype=kind)
        return self._loaded[storage].as_strided(tuple(shape), tuple(stride), offset)


_PUSH_VALUE = frozenset(
    {
        *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "INT", "LONG", "FLOAT", "UNICODE", "STRING", "BINSTRING"),
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "SHORT_BINSTRING"),
    }
)
_PUSH_NEW: dict[str, Callable[[], Any]] = {
    "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "NONE": lambda: None, "EMPTY_TUPLE": tuple, "EMPTY_LIST": list,
    "EMPTY_DICT": dict, "EMPTY_SET": lambda: _Token("set"), "MARK": lambda: _MARK,
}  # fmt: skip
_DO: dict[str, Callable[[_Machine, Any], Any]] = {
    "GLOBAL": lambda m, v: m.stack.append(_Name(*v.split(" ", 1))),
    "STACK_GLOBAL": lambda m, _: m.name(),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.above_mark())),
    "TUPLE1": lambda m, _: m.stack.append(tuple(m.pop(1))),
    "TUPLE2": lambda m, _: m.stack.append(tuple(m.pop(2))),
    "TUPLE3": lambda m, _: m.stack.append(tuple(m.pop(3))),
    "LIST": lambda m, _: m.stack.append(m.above_mark()),
    "APPEND": lambda m, _: m.extend(m.pop(1)),
    "APPENDS": lambda m, _: m.extend(m.above_mark()),
    "ADDITEMS": lambda m, _: m.above_mark(),
    "SETITEM": lambda m, _: m.set_items(m.pop(2)),
    "SETITEMS": lambda m, _: m.set_items(m.above_mark()),
    "REDUCE": lambda m, _: m.call(),
    "NEWOBJ": lambda m, _: m.call(),
    "NEWOBJ_EX": lambda m, _: m.stack.append(_Token(m.pop(3)[0])),
    "BUILD": lambda m, _: m.pop(1),
    "BINPERSID": lambda m, _: m.note_storage(),
    "POP": lambda m, _: m.pop(1),
    "DUP": lambda m, _: m.stack.append(m.stack[-1]),
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.put,
    "BINGET": lambda m, at: m.stack.append(m.memo[at]),
    "LONG_BINGET": lambda m, at: m.stack.append(m.memo[at]),
}
