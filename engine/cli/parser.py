"""The command line's parser: errors are one sentence, and only the command asked for is imported."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from engine.cli.commands import COMMANDS, Command
from engine.cli.terminal import plain, say
from engine.core.secret import hidden

_DEBUG_HELP = "print the full traceback when something goes wrong"

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that takes no abbreviations and says what is wrong in one sentence (exit code 2)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Help, not swallowing that it cannot be written, as argparse does."""
        if message:
            (file or sys.stderr).write(message)

    def error(self, message: str) -> NoReturn:
        sentence = plain(hidden(message[:1].upper() + message[1:]), limit=400).rstrip(".")
        say(f"earwitness: {sentence}; see: {self.prog} --help")
        raise SystemExit(2)


def parser_for(argv: Sequence[str], version: str) -> Parser:
    """The parser for this command line; of all commands only the one named in it is loaded."""
    top = Parser(
        prog="earwitness",
        description=(
            "Locates the sound and the picture of a clip and compares them: do they come from the same place? Works without a "
            "network."
        ),
        epilog="Exit codes: 0 success (including 'cannot tell'), 1 stopped or internal error, 2 bad input.",
    )
    top.add_argument("--version", action="version", version=f"earwitness {version}")
    words = [word for word in argv if not word.startswith("-")]
    _add(top, COMMANDS, words)
    return top


def _add(parser: argparse.ArgumentParser, commands: Sequence[Command], words: Sequence[str]) -> None:
    branches = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in commands:
        if not command.present:
            continue
        branch = branches.add_parser(command.name, help=command.summary, description=_sentence(command.summary))
        if not words or words[0] != command.name:
            continue
        if command.commands:
            _add(branch, command.commands, words[1:])
        else:
            branch.add_argument("--debug", action="store_true", help=_DEBUG_HELP)
            module = command.load()
            module.add_arguments(branch)
            branch.set_defaults(run=module.run)
            if command.table:
                branch.set_defaults(table=command.table)


def _sentence(summary: str) -> str:
    return summary[:1].upper() + summary[1:] + "."
