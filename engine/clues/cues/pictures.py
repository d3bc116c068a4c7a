"""A drawing of each cue that can be seen, assets/cues/pictures.json (scripts/cue_pictures): 96 by 64, SVG, ours (Apache-2.0)."""

from __future__ import annotations

import json
from functools import cache

from engine.core.errors import DataError
from engine.core.paths import ASSETS

WIDTH, HEIGHT = 96, 64


@cache
def pictures() -> dict[str, str]:
    """Id of a cue to its drawing, an svg element.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = ASSETS / "cues" / "pictures.json"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(svg) for name, svg in held.items()}
    except (OSError, ValueError, AttributeError):
        raise DataError(f"The drawings {path} cannot be read; get the program's assets again.") from None


def cue_sheet(ids: tuple[str, ...], columns: int) -> str:
    """One SVG with the drawings of these cues in rows of so many, an empty tile where there is none."""
    held = pictures()
    rows = -(-len(ids) // columns)
    parts = [
        f'<svg x="{WIDTH * (i % columns)}" y="{HEIGHT * (i // columns)}" width="{WIDTH}" height="{HEIGHT}">{held[name]}</svg>'
        for i, name in enumerate(ids)
        if name in held
    ]
    width, height = WIDTH * columns, HEIGHT * rows
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{2 * width}" height="{2 * height}">'
        f"{''.join(parts)}</svg>"
    )
