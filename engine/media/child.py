"""The parent's side of a decoding child: starting it, asking it, and ending it when it crashes, hangs or runs wild."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.core import environment, errors, memory
from engine.core.errors import DecoderError, MediaError
from engine.media import ending
from engine.media.jail import NEITHER
from engine.media.source import Source, shown
from engine.media.wire import EXIT_MEMORY, HEADER

SILENCE_S = 120.0  # without an answer for so long, a child is taken to hang
MOST_PAYLOAD, MOST_FACTS = 1_000_000_000, 64_000_000
MOST_FREE = 1  # children kept for the next request: one takes 60 MB and more, and is started in a fifth of a second
MODULE = "engine.media.decoder"  # what a child runs
_ENDING_S = 5.0  # for a child that closed its answers to end by itself, before it is ended
_MESSAGE_BYTES, _READ_BYTES = 100, 1 << 20
ROOT = str(Path(__file__).resolve().parents[2])
_KINDS = {"MediaError": errors.MediaError, "SettingError": errors.SettingError}


@dataclass(frozen=True, slots=True)
class Bound:
    """What one request may cost: seconds spent waiting for its answers, and bytes of answers altogether."""

    wait_s: float
    answer_bytes: int


@cache
def decoding_protection() -> str:
    """How decoding is fenced in on this system, in words; asked of a process that fences itself in."""
    code = f"from engine.media import jail; print(jail.confine({environment.decoder_mb()}))"
    own = dict(os.environ, PYTHONPATH=ROOT)
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=own, cwd="/", timeout=60)
    return fenced(asked.stdout.strip())


def fenced(how: str) -> str:
    """The same for a child that says how it is cut off from the network."""
    how = how or NEITHER
    memory = f"at most {environment.decoder_mb() / 1000:g} GB of memory, ended after {SILENCE_S:.0f} s without an answer"
    network = f"no network: {how}" if how != NEITHER else f"no isolation from the network on this system, {NEITHER}"
    return f"Clips are decoded in a process of their own; {network}; it writes no file; {memory}."


class Decoder:
    """One child process, and the messages to and from it."""

    def __init__(self, source: Source) -> None:
        self._name = source.name
        self._stopped = False
        fd = source.descriptor()
        own = {**memory.environment(), "PYTHONPATH": ROOT, "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", MODULE, str(fd), source.path, str(source.size_bytes)]
        try:
            self._child = subprocess.Popen(
                [*command, source.sha256, str(environment.decoder_mb()), str(os.getpid())],
                bufsize=0,  # what has come in can be waited for
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if environment.debugging() else subprocess.DEVNULL,
                pass_fds=(fd,),
                env=own,
                cwd="/",
                start_new_session=True,  # the interrupt key stops the parent, which then stops the child
            )
        except OSError as error:
            raise DecoderError(
                f"No process to decode {self._name} can be started ({error.strerror}); close other programs and clips, then try "
                "it again."
            ) from None
        assert self._child.stdin is not None and self._child.stdout is not None
        self._to, self._from = self._child.stdin, self._child.stdout
        self._waited_s, self._bound = 0.0, Bound(SILENCE_S, MOST_FACTS)
        try:
            facts, _ = self._receive()
            if facts["is"] == "error":
                raise self._refusal(facts)
        except BaseException:
            self.stop()
            raise
        self.network = str(facts.get("network", ""))

    def ask(self, request: dict[str, Any], bound: Bound) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Answers to a request, until it is done.

        Raises:
            MediaError: the child says so, died, went silent, or goes beyond the bound.
        """
        self._waited_s, self._bound, sent = 0.0, bound, 0
        text = json.dumps(request).encode()
        try:
            self._write(HEADER.pack(len(text), 0) + text)
        except OSError:
            raise self._died() from None
        while True:
            facts, payload = self._receive()
            if facts["is"] == "done":
                return
            if facts["is"] == "error":
                raise self._refusal(facts)
            sent += len(payload) + _MESSAGE_BYTES
            if sent > bound.answer_bytes:
                raise self.wild()
            yield facts, payload

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._child.poll() is None

    def idle(self) -> bool:
        """Whether the last request is answered to its end, or just about to be: whether it can be asked again."""
        with contextlib.suppress(MediaError, ValueError):
            for _ in range(3):
                if self._child.poll() is not None or not _readable(self._from.fileno(), 0.05):
                    return False
                if self._receive()[0]["is"] == "done":
                    return True
        return False

    def stop(self) -> None:
        """End the child; doing so again does nothing."""
        if self._stopped:
            return
        self._stopped = True
        with contextlib.suppress(OSError):
            self._child.kill()
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError):
                pipe.close()
        self._child.wait()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._to.fileno(), view) :]

    def _receive(self) -> tuple[dict[str, Any], bytes]:
        length, size = HEADER.unpack(self._exactly(HEADER.size))
        if length > MOST_FACTS or size > MOST_PAYLOAD:
            raise self.wild()
        try:
            facts = json.loads(self._exactly(length))
        except (ValueError, RecursionError):
            raise self.wild() from None
        if not isinstance(facts, dict) or not isinstance(facts.get("is"), str):
            raise self.wild()
        return facts, self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        parts, held = [], 0
        silent_s = 0.0
        while held < size:
            began = time.monotonic()
            most_s = max(0.0, min(SILENCE_S - silent_s, self._bound.wait_s - self._waited_s))
            there = _readable(self._from.fileno(), most_s)
            waited_s = time.monotonic() - began
            self._waited_s, silent_s = self._waited_s + waited_s, 0.0 if there else silent_s + waited_s
            if not there:
                self.stop()
                how = f"stopped answering for {SILENCE_S:.0f} s" if silent_s >= SILENCE_S else "took longer than it ever should"
                raise DecoderError(
                    f"Decoding {self._name} {how} and was ended; the file may be damaged, or this machine too busy. Try it "
                    "again, convert it with another program, or leave it out."
                )
            data = os.read(self._from.fileno(), min(size - held, _READ_BYTES))
            if not data:
                raise self._died()
            parts.append(data)
            held += len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _died(self) -> MediaError:
        """Why the child answers no more, as far as its end proves it: that is read before the child is ended from here."""
        try:
            code: int | None = self._child.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            code = None
        self.stop()
        return ending.proved(self._name, code, environment.decoder_mb())

    def _refusal(self, facts: dict[str, Any]) -> errors.InputError:
        """The error that a child says: a refusal of the file, or a failure of its own, after which it is asked no more."""
        kind, text = str(facts.get("kind")), str(facts.get("text", ""))
        if kind == "memory":
            self.stop()
            return ending.proved(self._name, EXIT_MEMORY, environment.decoder_mb())
        if kind == "fault":
            self.stop()
            error = ending.fault(self._name, text if re.fullmatch(r"[A-Za-z_]\w{0,60}", text) else "an error without a name")
            trace = str(facts.get("trace", ""))[:16_000].splitlines()
            error.add_note("\n".join(["In the process that decodes:", *(shown(line, 200) for line in trace)]))
            return error
        return _KINDS.get(kind, MediaError)(shown(text, 600))

    def wild(self) -> MediaError:
        """End the child; the error to raise when an answer cannot be one."""
        self.stop()
        return DecoderError(f"The decoder gave answers to {self._name} that are not valid and was stopped; leave the file out.")


def _readable(fd: int, most_s: float) -> bool:
    """Whether something can be read within so many seconds; for a descriptor of any number, as select(2) is not."""
    with _Selector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        return bool(selector.select(most_s))


_Selector: Callable[[], selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.DefaultSelector)  # no descriptor


@cache
def _starter() -> ThreadPoolExecutor:
    """The one thread that starts children; it lives as long as the program."""
    return ThreadPoolExecutor(1, thread_name_prefix="decoders")


class Pool:
    """The children of one clip; they end with it, also when nobody closes it, and at the program's end."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._free: list[Decoder] = []
        self._all: set[Decoder] = set()
        self._lock = threading.Lock()
        self.network = ""
        weakref.finalize(self, _end, self._all)

    @contextlib.contextmanager
    def decoder(self) -> Iterator[Decoder]:
        """A child that is free, or a new one; it goes back when its stream was read to the end."""
        with self._lock:
            decoder = next((d for d in iter(lambda: self._free.pop() if self._free else None, None) if d.alive), None)
        if decoder is None:
            # A child is bound to the life of the thread that starts it (PR_SET_PDEATHSIG), and a page's threads are short-lived.
            started = _starter().submit(Decoder, self._source)
            try:
                decoder = started.result()
            except BaseException:
                started.add_done_callback(_unwanted)  # whoever waited was interrupted, and the child may still come
                raise
            with self._lock:
                self._all.add(decoder)
                self.network = decoder.network
        finished = False
        try:
            yield decoder
            finished = True
        except errors.EarwitnessError:
            finished = decoder.alive  # a refusal leaves the child as it was
            raise
        except GeneratorExit:
            finished = decoder.idle()
            raise
        finally:
            with self._lock:
                kept = finished and decoder in self._all and len(self._free) < MOST_FREE
                if kept:
                    self._free.append(decoder)
                else:
                    self._all.discard(decoder)
            if not kept:
                decoder.stop()

    def rest(self) -> None:
        """End the children that have nothing to do; others come when they are wanted."""
        with self._lock:
            idle, self._free = self._free, []
            self._all -= set(idle)
        for decoder in idle:
            decoder.stop()

    def close(self) -> None:
        """End all children."""
        with self._lock:
            ended, self._free = list(self._all), []
            self._all.clear()
        for decoder in ended:
            decoder.stop()


def _end(decoders: set[Decoder]) -> None:
    while decoders:
        decoders.pop().stop()


def _unwanted(started: Future[Decoder]) -> None:
    if not started.cancelled() and started.exception() is None:
        started.result().stop()
