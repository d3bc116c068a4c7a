"""The outer door: `earwitness COMMAND …`.

Exit codes: 0 an answer was given ("cannot tell" is one), 1 stopped by the person or failed inside, 2 bad input, with one
sentence and no traceback. `--debug` prints the traceback as well.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Sequence

from engine import __version__
from engine.cli import stop
from engine.cli.parser import parser_for
from engine.cli.terminal import plain, say
from engine.core.errors import EarwitnessError
from engine.core.secret import hidden

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


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
        return _whole(words)
    except KeyboardInterrupt:
        _trace(debug)
        stop.say()
        return stop.EXIT_CODE
    except BrokenPipeError:  # whoever read our output went away
        _silence()
        return 1
    except EarwitnessError as error:
        _trace(debug)
        say(f"earwitness: {plain(hidden(str(error)), limit=600)}")
        return error.exit_code
    except OSError as error:
        _trace(debug)
        _silence()
        if error.errno not in _NO_ROOM:
            say(f"earwitness: Something failed outside the program ({_reason(error)}); check the disk, then run it again.")
            return 1
        say(f"earwitness: The output cannot be written ({_reason(error)}); make room where it goes, or choose another place.")
        return 2
    except Exception as error:
        _trace(debug)
        hint = "" if debug else " Run it again with --debug for the details."
        why = f"{type(error).__name__}: {plain(hidden(str(error)), limit=300)}"
        say(f"earwitness: Something failed inside the program ({why}).{hint}")
        return 1


def _whole(words: list[str]) -> int:
    """Run the command until all it prints is where it goes: a full disk shows at the last flush, when nobody would say it."""
    try:
        code = _run(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else (0 if end.code is None else 2)
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()
    return code


def _silence() -> None:
    """Point stdout elsewhere, so that the interpreter's last flush of what could not be written is quiet."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reason(error: OSError) -> str:
    return plain(hidden((error.strerror or type(error).__name__).lower()), limit=100)


def _run(words: list[str]) -> int:
    parser = parser_for(words, __version__)
    if not words:
        parser.print_help()
        return 2
    args = parser.parse_args(words)
    return int(args.run(args))


def _trace(debug: bool) -> None:
    if debug:
        with contextlib.suppress(OSError):
            print(hidden(traceback.format_exc()), file=sys.stderr, end="")


if __name__ == "__main__":
    sys.exit(main())
