"""`earwitness models`: what can be installed besides the packages, whether it is there, and how it gets here."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.cli.bar import bar
from engine.core.errors import Cancelled
from engine.core.paths import models_dir
from engine.core.progress import ProgressCallback
from engine.models import catalog, fetch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness models`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="list all models and whether they are installed (default)")
    for name, text in (
        ("pull", "fetch a model from its source; the only command that uses the network"),
        ("verify", "check a model's files against the catalogue; all without a name"),
    ):
        branch = actions.add_parser(name, help=text)
        branch.add_argument("model", nargs=None if name == "pull" else "?", help="its id")
        if name == "pull":
            branch.add_argument(
                "--from",
                dest="source",
                default="",
                metavar="WHERE",
                help="address of a mirror or web folder, or a folder such as a stick or a file share (default: the hub)",
            )
    bring = actions.add_parser("import", help="import models from a folder, such as a USB stick")
    bring.add_argument("folder", type=Path)


def run(args: argparse.Namespace) -> int:
    """Run one action."""
    with bar() as draw:
        if args.action == "pull":
            _pull(args.model, args.source, draw)
        elif args.action == "import":
            for known in catalog.import_weights(args.folder, draw):
                print(f"imported and checked: {known.card.title} ({known.card.licence})")
        elif args.action == "verify":
            chosen = (
                [catalog.entry(args.model)]
                if args.model
                else [e for e in catalog.CATALOGUE if catalog.weights_state(e) != "missing"]
            )
            for known in chosen:
                catalog.verify_weights(known, progress=draw)
                print(f"{known.id}: every file matches the catalogue")
            if not chosen:
                print("no model of the catalogue is installed; there is nothing to verify")
        else:
            _list()
    return 0


def _pull(name: str, source: str, draw: ProgressCallback) -> None:
    known = catalog.entry(name)
    terms = f"{known.card.licence}{', non-commercial' if known.card.non_commercial else ''}"
    brings = f"; it brings {known.card.brings}" if known.card.brings else ""
    print(f"{known.card.title}, {known.size_bytes / 1e9:.1f} GB, {terms}{brings}.", flush=True)
    try:
        print(f"fetched and checked: {fetch.pull(known, draw, source)}")
    except (KeyboardInterrupt, Cancelled):
        arrived = fetch.arrived_bytes(known) / 1e6
        print(f"Stopped; {arrived:,.0f} MB have arrived and are kept: the same command goes on from there.", flush=True)
        raise


def _list() -> None:
    from engine.media import decoding_protection

    print(decoding_protection())
    print(f"models folder: {models_dir()}\n")
    for known in catalog.CATALOGUE:
        terms = f"{known.card.licence}{', non-commercial' if known.card.non_commercial else ''}"
        print(f"{known.id}  [{catalog.weights_state(known)}]")
        print(f"  {known.card.title}: {known.card.purpose}")
        print(f"  {known.source} at {known.revision[:12]}, {known.size_bytes / 1e9:.1f} GB, {terms}")
        if not known.vouched:
            print("  no hashes in the catalogue: format checked on import, hashes recorded then and compared from then on")
        if known.card.brings:
            print(f"  brings {known.card.brings}{f'; {known.card.figure}' if known.card.figure else ''}")
        if catalog.weights_state(known) != "present":
            print(f"  get it: earwitness models pull {known.id}   or, without a network: earwitness models import FOLDER")
