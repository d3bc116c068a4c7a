"""Addresses of databases as they may be shown: without passwords, wherever in the address they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.I)
_PAIR = re.compile(r"(?i)\b((?:ssl)?password|passfile|pwd)(\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&;]+)")
_SECRET = re.compile(r"pass|pwd|secret|token|sslkey", re.I)
HIDDEN = "***"


def without_password(place: str) -> str:
    """A case's place as it is shown. A folder stays as it is; of an address everything goes that may be a password: between the
    name of the user and the last @, and in the query.

    More is hidden than need be where an @ or a colon stands unusually: never less.
    """
    scheme, mark, rest = place.partition("://")
    if not mark:
        return _PAIR.sub(rf"\1\2{HIDDEN}", place)
    before, at, after = rest.rpartition("@")
    if at:
        user, colon, _ = before.partition(":")
        clean = HIDDEN if set(user) & set("/?&=@") else user
        after = f"{clean}{':' + HIDDEN if colon else ''}@{after}"
    head, question, query = after.partition("?")
    shown = re.sub(r"[^&;]+", lambda m: _pair(m[0]), query)
    return f"{scheme}://{head}{question}{shown}"


def hidden(text: str, place: str = "") -> str:
    """A sentence, an error of a library or a command line, in which addresses and their passwords may be quoted.

    Args:
        place: an address whose password is to be hidden however it is quoted.
    """
    shown = _PAIR.sub(rf"\1\2{HIDDEN}", _ADDRESS.sub(lambda m: without_password(m[0]), text))
    for word in sorted(_secrets(place), key=len, reverse=True):
        shown = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", HIDDEN, shown)
    return shown


def _pair(text: str) -> str:
    key, equals, _ = text.partition("=")
    return f"{key}{equals}{HIDDEN}" if equals and _SECRET.search(unquote(key)) else text


def _secrets(place: str) -> Iterator[str]:
    """What may be a password in an address, whole and in the parts that a driver may take it for, as written and decoded."""
    _, mark, rest = place.partition("://")
    if not mark:
        return
    before, at, _ = rest.rpartition("@")
    found = [before.partition(":")[2]] if at else []
    found += [pair.partition("=")[2] for pair in re.split(r"[?&;]", rest) if _SECRET.search(unquote(pair.partition("=")[0]))]
    for word in found:
        for part in (word, *re.split(r"[@/:?#]", word)):
            yield from {p for p in (part, unquote(part)) if p}
