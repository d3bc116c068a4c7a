"""What the end of a decoding child proves, in a sentence; nobody's file is accused of what our own code did."""

from __future__ import annotations

import signal

from engine.core.errors import DecoderError, DecoderFault
from engine.media.wire import EXIT_FAULT, EXIT_MEMORY

_CRASHES = frozenset({"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP"})


def proved(name: str, code: int | None, memory_mb: int) -> DecoderError:
    """The error for a child that ended.

    Args:
        name: of the file, fit to be shown.
        code: how it ended, as `subprocess` gives it: below 0 for a signal; None when it closed its answers and went on.
        memory_mb: what it was given.
    """
    if code is None:
        return DecoderError(f"The process that decodes {name} closed its answers and was ended; try it again, or leave it out.")
    if code == EXIT_MEMORY:
        return DecoderError(
            f"Decoding {name} wanted more memory than the {memory_mb:,} MB it may have and was stopped; convert it with another "
            "program, or leave it out."
        )
    if code == EXIT_FAULT:
        return fault(name)
    if code >= 0:
        return DecoderError(
            f"The process that decodes {name} ended by itself before it had answered (exit {code}), which says nothing about the "
            "file; try it again."
        )
    try:
        why = signal.Signals(-code).name
    except ValueError:  # real-time signals have numbers alone
        why = f"signal {-code}"
    return _signalled(name, why)


def _signalled(name: str, why: str) -> DecoderError:
    if why == "SIGSYS":
        return DecoderError(
            f"The process that decodes {name} was ended by its fence ({why}), since it asked the system for what decoding never "
            "needs; leave the file out."
        )
    if why == "SIGXCPU":
        return DecoderError(
            f"Decoding {name} took more processor time than it may have ({why}); raise the limit, or cut the file."
        )
    if why in _CRASHES:
        return DecoderError(
            f"The decoder crashed on {name} ({why}); the file may be damaged, or the decoder at fault. Convert it with another "
            "program, or leave it out."
        )
    hint = ", as the system does when memory runs out; close other programs, then" if why == "SIGKILL" else ";"
    return DecoderError(f"The process that decodes {name} was ended from outside ({why}){hint} try it again.")


def fault(name: str, kind: str = "") -> DecoderFault:
    """The error for a failure of our own code.

    Args:
        kind: name of the exception in the child, "" when nobody knows it.
    """
    return DecoderFault(
        f"Something went wrong inside Earwitness while it decoded {name}{f' ({kind})' if kind else ''}, not in the file; see the "
        "details with --debug, and report it.",
        kind,
    )
