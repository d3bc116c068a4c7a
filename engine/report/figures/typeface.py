"""Which fonts a PDF is set in: those that come with the program and no other, so that it looks the same on every machine. A
character that none of them has is spelled by its code point, never left out."""

from __future__ import annotations

import importlib.util
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from pathlib import Path

from engine.core import scratch
from engine.core.errors import DataError

FAMILIES = ("Libertinus Serif", "DejaVu Sans")  # the first lies inside the typesetter
# No oblique: it lacks letters that upright ones have (Arabic), and the typesetter would rather take it than them.
_FILES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf")
_ASCII = frozenset(range(0x20, 0x7F))


@cache
def covered() -> frozenset[int]:
    """Code points that are set as they are: those that the second family has in both weights.

    The first family has some that the second lacks. They do not count: a letter and the marks on it have to come from one font.
    """
    both = frozenset.intersection(*(_characters(_folder() / name) for name in _FILES[:2]))
    return both - frozenset(range(0xE000, 0xF900))  # glyphs of private use, which mean nothing outside the font


def spelled(text: str, plain: bool = False) -> str:
    """The text with each run of characters that cannot be set spelled out: "日本" becomes "⟨U+65E5 672C⟩".

    Args:
        plain: only ASCII is set as it is.
    """
    known = _ASCII if plain else covered()
    opening, closing = ("<", ">") if plain else ("\N{MATHEMATICAL LEFT ANGLE BRACKET}", "\N{MATHEMATICAL RIGHT ANGLE BRACKET}")
    out = []
    for can, run in groupby(text, key=lambda c: ord(c) in known or c in "\n\t "):
        characters = "".join(run)
        out.append(characters if can else f"{opening}U+{' '.join(f'{ord(c):04X}' for c in characters)}{closing}")
    return "".join(out)


def drawable(text: str, plain: bool = False) -> str:
    """The text with a box in place of each character that drawings cannot show, where a code would not fit.

    A mark that makes no letter with the one before it is a box too: within a drawing the typesetter loses what it stands for.

    Args:
        plain: only ASCII is shown as it is.
    """
    known = _ASCII if plain else covered()
    whole = unicodedata.normalize("NFC", text)
    return "".join(
        c if c in "\n\t " or (ord(c) in known and unicodedata.category(c)[0] != "M") else "\N{WHITE SQUARE}" for c in whole
    )


@contextmanager
def folder_of_fonts() -> Iterator[Path]:
    """A folder that holds the program's font files and no other, while it is needed: the typesetter takes folders only."""
    with scratch.scratch_folder() as name:
        for file in _FILES:
            (Path(name) / file).symlink_to((_folder() / file).resolve())
        yield Path(name)


def _folder() -> Path:
    """Where matplotlib keeps DejaVu (free, Bitstream Vera licence); it is not imported."""
    spec = importlib.util.find_spec("matplotlib")
    assert spec is not None and spec.origin is not None, "a package of requirements.lock"
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


def _characters(path: Path) -> frozenset[int]:
    """Code points that a font file has.

    Raises:
        DataError: it cannot be read.
    """
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (OSError, TTLibError, KeyError, AssertionError, ValueError):
        raise DataError(f"The font {path.name} of matplotlib cannot be read; install the program again.") from None
