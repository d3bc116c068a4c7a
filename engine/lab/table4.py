"""`earwitness bench table4`; see `paper_table`."""

from __future__ import annotations

import argparse

from engine.lab import paper_table
from engine.lab.paper_table import add_arguments

__all__ = ["add_arguments", "run"]


def run(args: argparse.Namespace) -> int:
    """Run the table, print it, write it."""
    return paper_table.run_table("table4", args)
