"""Soundscapes from Python, with nothing but the public list of `engine`.

    .venv/bin/python -m examples.soundscapes                 the chickadee that comes with the program
    .venv/bin/python -m examples.soundscapes CLIP -o FOLDER  a clip of yours; maps are written to the folder

What is printed: where a species and a clip sound like, the countries, and, where CLIP is installed, which words and pictures are
nearest. An affinity is no probability of a place: for that there is `engine.locate`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import engine
from engine.clues import (
    affinity_countries,
    affinity_of_text,
    affinity_places,
    pictures_for_sound,
    pictures_missing,
    texts_for_sound,
    words_missing,
)
from engine.report import affinity_csv, affinity_geojson

SPECIES = "Poecile atricapillus"  # Black-capped Chickadee


def describe(affinity: engine.Affinity) -> None:
    """Print where a map is highest."""
    print(f"\n{affinity.title} ({affinity.kind}): {affinity.how}")
    for number, place in enumerate(affinity_places(affinity, most=3), 1):
        print(f"  {number}. {place.name}  {place.value:+.2f} {affinity.unit}")
    print("  countries:", ", ".join(m.name for m in affinity_countries(affinity, most=5)))


def write(affinity: engine.Affinity, folder: Path, stem: str) -> None:
    """Write a map: the best tenth of the land as GeoJSON, all of it as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.geojson").write_text(affinity_geojson(affinity, 0.1), encoding="utf-8")
    (folder / f"{stem}.csv").write_text(affinity_csv(affinity), encoding="utf-8")


def compared(affinity: engine.Affinity, pictures: Path | None) -> None:
    """Words and pictures nearest to a sound, or why they cannot be looked for."""
    if missing := words_missing():
        print(f"\nno words: {missing}")
    else:
        print("\nnearest countries by name:", ", ".join(m.name for m in texts_for_sound(affinity.vector, most=5)))
        describe(affinity_of_text("a snowy forest"))
    if pictures is not None and not pictures_missing():
        print("nearest pictures:", ", ".join(Path(m.name).name for m in pictures_for_sound(affinity.vector, pictures, 5)))


def main(arguments: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    own = next((e.path for e in engine.examples() if "chickadee" in e.path.name), None)
    parser.add_argument("clip", nargs="?", type=Path, default=own)
    parser.add_argument("--species", default=SPECIES, help=f"Latin name (default: {SPECIES})")
    parser.add_argument("--pictures", type=Path, default=None, help="folder of pictures to rank, such as flags")
    parser.add_argument("-o", "--output", type=Path, default=None, help="folder for GeoJSON and CSV")
    args = parser.parse_args(arguments)

    species = engine.affinity_of_species(args.species)
    describe(species)
    with engine.open_clip(args.clip) as reader:
        clip = engine.affinity_of_clip(reader)
    describe(clip)
    if args.output:
        write(species, args.output, "species")
        write(clip, args.output, "clip")
        print(f"\nmaps are in {args.output}")
    compared(clip, args.pictures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
