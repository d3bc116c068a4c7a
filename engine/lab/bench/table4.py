"""`earwitness bench table4`; see `paper_table`."""

from __future__ import annotations

import argparse

from engine.lab.bench import paper_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that all tables share."""
    paper_table.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the table, print it, write it."""
    return paper_table.run_table("table4", args)
