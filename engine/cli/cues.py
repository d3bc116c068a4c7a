"""`earwitness cues`: what an analyst can note of a picture or a sound, for `locate --cue` and for tables of marks."""

from __future__ import annotations

import argparse
import json
import shutil
import textwrap
from pathlib import Path

from engine.cli.terminal import plain
from engine.core.errors import SettingError
from engine.core.modality import Modality


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness cues`."""
    parser.add_argument("word", nargs="?", default="", help="list only cues with this word in id, group or meaning")
    parser.add_argument("--sound", action="store_true", help="only what is heard")
    parser.add_argument("--picture", action="store_true", help="only what is seen")
    parser.add_argument("--where", action="store_true", help="also where each is found, by how much, and who says so")
    parser.add_argument("--json", type=Path, default=None, metavar="F", help="write the list to this file")


def run(args: argparse.Namespace) -> int:
    """Print the cues by group.

    Raises:
        SettingError: no cue has the word.
    """
    from engine.analysis import cue_groups
    from engine.clues.cues import table

    wanted = {m for m, asked in ((Modality.SOUND, args.sound), (Modality.PICTURE, args.picture)) if asked}
    word = args.word.casefold()
    listed = [
        (group, cue)
        for group, own in cue_groups()
        for cue in own
        if (not wanted or cue.modality in wanted) and any(word in x.casefold() for x in (cue.id, group, cue.what, cue.meaning))
    ]
    if not listed:
        raise SettingError(f"No cue has the word {plain(args.word)!r}; `earwitness cues` lists all.")
    width = max(len(cue.id) for _, cue in listed)
    columns = shutil.get_terminal_size((120, 24)).columns
    for number, (group, cue) in enumerate(listed):
        if number == 0 or listed[number - 1][0] != group:
            print(f"{'' if number == 0 else chr(10)}{group}")
        said = cue.what + (f" ({cue.meaning})" if cue.meaning else "")
        if args.where:
            said += f". Found in {table.cue_where(cue)}; ratio {cue.ratio:g}. Source: {cue.source}."
        indent = " " * (width + 4)
        print(textwrap.fill(f"  {cue.id:<{width}}  {said}", max(columns, width + 40), subsequent_indent=indent))
    if args.json:
        rows = [
            {"id": c.id, "group": group, "what": c.what, "meaning": c.meaning, "modality": str(c.modality)}
            | {"where": table.cue_where(c), "ratio": c.ratio, "source": c.source}
            for group, c in listed
        ]
        args.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0
