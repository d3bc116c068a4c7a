"""The outer door: `earwitness COMMAND …`.

Exit codes: 0 an answer was given ("cannot tell" is one), 1 stopped by the person or failed inside, 2 bad input, with one
sentence and no traceback. `--debug` prints the traceback as well.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from engine import __version__
from engine._cli import stop
from engine._cli.parser import parser_for
from engine._cli.terminal import plain, say
from engine.core.errors import EarwitnessError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; for `sys.exit`."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with stop.stoppable(to_the_end=argv is None):
        return _ended(words, "--debug" in words)


def _ended(words: list[str], debug: bool) -> int:
    """Run a command; however it ends, it is an exit code and a sentence."""
    try:
        return _run(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else (0 if end.code is None else 2)
    except KeyboardInterrupt:
        _trace(debug)
        stop.say()
        return stop.EXIT_CODE
    except BrokenPipeError:
        # Whoever read our output went away; point stdout elsewhere so that the interpreter's last flush is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except EarwitnessError as error:
        _trace(debug)
        say(f"earwitness: {plain(str(error), limit=600)}")
        return error.exit_code
    except Exception as error:
        _trace(debug)
        hint = "" if debug else " Run it again with --debug for the details."
        say(f"earwitness: Something failed inside the program ({type(error).__name__}: {plain(str(error), limit=300)}).{hint}")
        return 1


def _run(words: list[str]) -> int:
    parser = parser_for(words, __version__)
    if not words:
        parser.print_help()
        return 2
    args = parser.parse_args(words)
    return int(args.run(args))


def _trace(debug: bool) -> None:
    if debug:
        traceback.print_exc()


if __name__ == "__main__":
    sys.exit(main())
