"""Which fonts a PDF is set in: those that come with the program, so that it looks the same everywhere, and a font of this machine
only where a text needs one for its script. A character that no font has is drawn as the box of its script, never left out."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.core import scratch

BODY, PLAIN, LAST = "Libertinus Serif", "DejaVu Sans", "Last Resort High-Efficiency"
_OWN = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSansMono.ttf")
_LAST = "LastResortHE-Regular.ttf"


@dataclass(frozen=True, slots=True)
class Typefaces:
    """What a text is set in.

    Attributes:
        families: in the order in which a character is looked for.
        files: font files to be loaded beside those inside the typesetter.
        covered: characters that the fonts for drawings (families after the first, without the last resort) have.
        missing: characters of the text that no font has.
    """

    families: tuple[str, ...]
    files: tuple[Path, ...]
    covered: frozenset[int]
    missing: frozenset[str]


def typefaces_for(text: str) -> Typefaces:
    """The fonts that a text needs; deterministic on one machine, and on all where the program's own fonts suffice."""
    folder = _folder()
    own = tuple(folder / name for name in _OWN)
    covered = _characters(own[0])
    needed = {ord(c) for c in text if not c.isspace()} - covered
    families, files = [BODY, PLAIN], list(own)
    for family, path, index in _installed() if needed else ():
        more = _characters(path, index) & needed
        if more:
            families.append(family)
            files.append(path)
            covered, needed = covered | more, needed - more
        if not needed:
            break
    if needed:
        families.append(LAST)
        files.append(folder / _LAST)
    return Typefaces(tuple(families), tuple(files), covered, frozenset(map(chr, needed)))


def drawable(text: str, covered: frozenset[int]) -> str:
    """The text with a box in place of each character that drawings cannot show."""
    return "".join(c if c.isspace() or ord(c) in covered else "\N{WHITE SQUARE}" for c in text)


@contextmanager
def folder_of(faces: Typefaces) -> Iterator[Path]:
    """A folder that holds these font files and no other, for as long as it is needed: the typesetter takes folders only."""
    with scratch.scratch() as name:
        for i, path in enumerate(faces.files):
            (Path(name) / f"{i:02d}{path.suffix}").symlink_to(path.resolve())
        yield Path(name)


def _folder() -> Path:
    """Where matplotlib keeps DejaVu (free, Bitstream Vera licence) and Unicode's Last Resort (OFL); it is not imported."""
    spec = importlib.util.find_spec("matplotlib")
    assert spec is not None and spec.origin is not None, "a package of requirements.lock"
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


@cache
def _characters(path: Path, index: int = 0) -> frozenset[int]:
    """Code points that a font file has; none where it cannot be read."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, fontNumber=index, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (OSError, TTLibError, KeyError, AssertionError, ValueError):
        return frozenset()


@cache
def _installed() -> tuple[tuple[str, Path, int], ...]:
    """(family, file, index) of this machine's upright fonts of ordinary weight, by name."""
    import typst

    found = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False).fonts()
    return tuple(_upright(found))


def _upright(found: Iterable[object]) -> list[tuple[str, Path, int]]:
    kept = {}
    for f in found:
        if f.path and f.weight == 400 and f.style == "normal" and f.family != LAST:  # type: ignore[attr-defined]
            kept.setdefault(f.family, (f.family, Path(f.path), f.index))  # type: ignore[attr-defined]
    return [kept[name] for name in sorted(kept)]
