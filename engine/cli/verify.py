"""`earwitness verify CASE`: whether a case is as its log says; or a bundle as its manifest."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from engine.cli.bar import bar
from engine.cli.terminal import plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness verify`."""
    parser.add_argument("case", metavar="CASE", help="case folder, postgresql://…, or a bundle (.zip)")
    parser.add_argument("--head", default="", metavar="HASH", help="an earlier head of the log, as printed in a report")
    parser.add_argument("--no-files", action="store_true", help="do not hash clips and exported files again")


def run(args: argparse.Namespace) -> int:
    """Print what is wrong; exit code 1 when anything is."""
    if os.path.lexists(args.case) and not Path(args.case).is_dir():
        return _bundle(args)
    from engine.case.record.store import Case
    from engine.case.record.verify import CANNOT, verify

    with Case(args.case, reading=True, whatever=True) as case, bar() as progress:
        found = verify(case, args.head, not args.no_files, progress)
    for fault in found.faults:
        print(plain(fault, limit=2000))
    for absent in found.absent:
        print(f"Not checked: {plain(absent, limit=2000)}")
    said = "nothing altered" if found.well else f"{len(found.faults):,} faults"
    print(f"{found.entries:,} log entries, {found.rows:,} rows, {found.files:,} files: {said}. Head: {plain(found.head)}")
    if found.known_at is not None:
        print(f"The head given is that of entry {found.known_at:,} of {found.entries:,}; the log is unchanged up to there.")
    print(CANNOT)
    return 0 if found.well else 1


def _bundle(args: argparse.Namespace) -> int:
    from engine.case.record.bundle import CANNOT, read_bundle

    bundle = read_bundle(args.case)
    for fault in bundle.faults:
        print(plain(fault, limit=2000))
    m = bundle.manifest
    said = "nothing altered" if not bundle.faults else f"{len(bundle.faults):,} faults"
    print(f"Bundle of {plain(m.clip)} (sha256 {m.clip_sha256}), {len(m.entries):,} files: {said}.")
    print(f"sha256 of the bundle: {bundle.sha256}")
    if m.head:
        print(f"From the case {plain(m.case)}; to check it against the case: earwitness verify CASE --head {plain(m.head)}")
    if args.head and args.head.strip().lower() != m.head:
        print("The head given is not the one stated in this bundle.")
        return 1
    print(CANNOT)
    return 1 if bundle.faults else 0
