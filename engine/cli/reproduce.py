"""`earwitness reproduce BUNDLE CLIP`: run an examination again and say what differs."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.cli.bar import bar
from engine.cli.terminal import plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness reproduce`."""
    parser.add_argument("bundle", metavar="BUNDLE", help="a zip written by: earwitness locate CLIP --bundle F.zip")
    parser.add_argument("clip", metavar="CLIP", help="the clip that was examined; it is never changed")
    parser.add_argument("--any-file", action="store_true", help="compare even if the clip is not the file that was examined")


def run(args: argparse.Namespace) -> int:
    """Examine again, compare, say what differs; exit code 0 the same, 1 different."""
    from engine.case.record import reproduce
    from engine.case.record.bundle import read_bundle

    bundle = read_bundle(args.bundle)
    with bar() as progress:
        found = reproduce.reproduce(bundle, args.clip, args.any_file, progress)
    print(f"bundle {plain(Path(args.bundle).name)}: sha256 {bundle.sha256}, as its manifest says")
    if bundle.manifest.head:
        print(f"from the case {plain(bundle.manifest.case)}, head of its log {plain(bundle.manifest.head)}")
    for remark in found.remarks:
        print(plain(remark))
    for d in found.differences:
        print(f"DIFFERS  {plain(d.what)}: {plain(d.then)} then, {plain(d.now)} now")
    for what, count, wrong in found.groups:
        print(f"{what:<32} {count:>4,} compared, {'the same' if not wrong else f'{wrong:,} differ'}")
    within = (
        f"places {reproduce.PLACE_KM:g} km, log10 {reproduce.LOG10:g}, probability {reproduce.MASS:.0%}, "
        f"regions {reproduce.AREA:.0%}, scores {reproduce.SCORE:g}"
    )
    said = "the same" if found.same else f"{len(found.differences):,} differ"
    print(f"{found.compared:,} results compared (within {within}): {said}.")
    print(reproduce.NOT_COMPARED)
    return 0 if found.same else 1
