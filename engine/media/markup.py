"""Text and attributes of a small XML document from a stranger's file, without anything that XML can be made to do.

Expat alone, fed until the first fault: what came before a fault stays good. A document type is refused before any entity can be
declared, so nothing is expanded and nothing else is opened.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import NoReturn
from xml.parsers import expat

MOST_BYTES, MOST_DEPTH, MOST_LEAVES, MOST_CHARACTERS = 3_000_000, 40, 2_000, 1_000
_MOST_ELEMENTS = 100_000
_SPACE = " "  # parts a namespace from a name


class _Enough(Exception):
    """The document is refused, or has given all that is taken of it."""


def leaves(data: bytes) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path, text) of every attribute and of every element with text, in order.

    A step of the path is "namespace name", or "name" outside of a namespace; an attribute is the last step.
    """
    yield from _Reader().read(data[:MOST_BYTES].strip(b"\0"))


class _Reader:
    def __init__(self) -> None:
        self.found: list[tuple[tuple[str, ...], str]] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = self._elements = 0

    def read(self, data: bytes) -> list[tuple[tuple[str, ...], str]]:
        parser = expat.ParserCreate(namespace_separator=_SPACE)
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._more
        with contextlib.suppress(expat.ExpatError, ValueError, LookupError, _Enough):  # LookupError: an unknown encoding
            parser.Parse(data, True)
        return self.found

    def _refuse(self, *_: object) -> NoReturn:
        raise _Enough

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._path) >= MOST_DEPTH or self._elements > _MOST_ELEMENTS:
            raise _Enough
        self._path.append(name[:200])
        self._text, self._length = [], 0
        for key, value in attributes.items():
            self._keep((*self._path, key[:200]), value)

    def _more(self, text: str) -> None:
        if self._length < MOST_CHARACTERS:
            self._text.append(text[: MOST_CHARACTERS - self._length])
            self._length += len(text)

    def _end(self, name: str) -> None:
        self._keep(tuple(self._path), "".join(self._text))
        self._path.pop()
        self._text, self._length = [], 0

    def _keep(self, path: tuple[str, ...], text: str) -> None:
        text = re.sub(r"\s+", " ", text[:MOST_CHARACTERS]).strip()
        if text:
            self.found.append((path, text))
        if len(self.found) >= MOST_LEAVES:
            raise _Enough
