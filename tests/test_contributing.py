"""CONTRIBUTING's table of where each fact stands names files and names that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def rows() -> list[list[str]]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("### Where a fact stands")[1].split("\n## ")[0]
    cells = [line.split("|")[2] for line in text.splitlines() if line.startswith("| ") and "`" in line]
    return [re.findall(r"`([^`]+)`", cell) for cell in cells]


def test_every_fact_stands_where_the_table_says() -> None:
    found = rows()
    assert len(found) >= 15
    for named in found:
        folder, file, wanted = ROOT, ROOT, []
        for name in named:
            if "/" not in name and "." not in name:
                wanted.append(name)  # stands in the file that is named next
                continue
            path = ROOT / name.replace("NAME", "species") if "/" in name else folder / name
            if not path.exists() and name == "scoring.py":
                path = ROOT / "engine/clues/text" / name
            assert path.exists(), f"{name} of CONTRIBUTING's table is not there"
            folder, file = path.parent, path
            text = file.read_text(encoding="utf-8") if file.is_file() and file.suffix == ".py" else ""
            for own in wanted:
                assert own in text, f"{own} is not in {name}"
            wanted = []
