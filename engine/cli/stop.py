"""Ctrl-C and SIGTERM: a command ends within seconds whatever it is at, and at once when it is asked a second time.

The first signal raises KeyboardInterrupt in the main thread, so that files are closed and half-written ones removed. That takes
effect when the thread comes back from a library, and other threads may be at a model for long. So a thread of its own is woken by
the signal itself (`signal.set_wakeup_fd`, which needs no Python code to run) and ends the process when the time is up. Children
end with it: decoders and workers are bound to their parent's life.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from engine.cli.terminal import plain

WITHIN_S = 2.5  # from the first signal to the end
EXIT_CODE = 1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Stop:
    """What is to be said when the command is stopped, and whether it was said."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.sentence: Callable[[], str] = self._files
        self.heeded = True
        self.raised = self.said = False
        self.written: list[str] = []

    def _files(self) -> str:
        there = ", ".join(plain(path, limit=200) for path in self.written)
        return f"Stopped; written before that: {there}." if there else "Stopped; nothing was written."


_stop = _Stop()


def wrote(path: str) -> None:
    """A file was written, which is said when the command is stopped later."""
    _stop.written.append(path)


@contextmanager
def saying(sentence: Callable[[], str]) -> Iterator[None]:
    """What is said when the command is stopped meanwhile: what is finished and how to go on, in a sentence or two."""
    before, _stop.sentence = _stop.sentence, sentence
    try:
        yield
    except KeyboardInterrupt:
        say()  # while it is still known
        raise
    finally:
        _stop.sentence = before


def say() -> None:
    """Say that the command was stopped, once."""
    if _stop.said:
        return
    _stop.said = True
    with suppress(Exception):
        text = f"earwitness: {_stop.sentence()}\n"
        try:
            print(text, end="", file=sys.stderr, flush=True)
        except (OSError, ValueError, RuntimeError):  # closed, or in the middle of another message
            os.write(2, text.encode("utf-8", "backslashreplace"))


def check() -> None:
    """Nothing goes on after the command was stopped, whatever a library did with the interrupt.

    Raises:
        KeyboardInterrupt: it was stopped, and this is the main thread.
    """
    if _stop.raised and _stop.heeded and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


def leave_alone() -> None:
    """Of a command that has its own way to end: nothing but the ordinary KeyboardInterrupt from now on."""
    _stop.heeded = False


@contextmanager
def stoppable(to_the_end: bool) -> Iterator[None]:
    """Both signals stop what is done within, in the main thread; elsewhere whoever runs it handles signals.

    Args:
        to_the_end: the process is the command's own, so it is ended in time also when it is through but threads still work.
    """
    _stop.begin()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    hears, wakes = os.pipe()
    os.set_blocking(wakes, False)
    over = threading.Event()
    threading.Thread(target=_watch, args=(hears, over), name="stop", daemon=True).start()
    woken_before = signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # as in the background of a shell
                signal.signal(number, _raise)
        yield
    finally:
        if not (to_the_end and _stop.said):
            over.set()
            signal.set_wakeup_fd(woken_before)
            os.close(wakes)
            for number, handler in before.items():
                signal.signal(number, handler)
            if _stop.raised:
                logging.disable(logging.NOTSET)
            _stop.begin()


def _raise(_signal: int, _frame: FrameType | None) -> NoReturn:
    if _stop.raised and _stop.heeded:
        _end()
    _stop.raised = True
    logging.disable()  # what fails for being stopped is no news
    raise KeyboardInterrupt


def _watch(hears: int, over: threading.Event) -> None:
    """Wait for a signal; then for the next one, or until the time is up; end the process unless it is through."""
    until: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(hears, selectors.EVENT_READ)
        while not over.is_set():
            if not selector.select(None if until is None else max(0.0, until - time.monotonic())):
                break
            number = os.read(hears, 1)
            if not number:
                break  # it is through
            if number[0] in _SIGNALS and _stop.heeded:
                if until is not None:
                    break
                until = time.monotonic() + WITHIN_S
    os.close(hears)
    if not over.is_set() and until is not None:
        _end()


def _end() -> NoReturn:
    say()
    with suppress(Exception):
        sys.stdout.flush()
    os._exit(EXIT_CODE)
