"""The child process that decodes: everything that touches the bytes of a stranger's file happens here.

It is given one open descriptor and nothing else; what else it gives up is in `jail`. Requests come in on standard input and
answers go out on standard output, each a header of two lengths, a line of JSON and raw bytes; nothing is pickled, so that a
decoder that was taken over can send numbers and text and no more. Run by `engine.media.child`.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any, BinaryIO

from engine.media import jail
from engine.media.wire import EXIT_FAULT, EXIT_MEMORY, HEADER

_MOST_TRACE = 8_000
# PyAV's objects are cycles: codecs, their threads and frames would pile up over a film to gigabytes. A collection takes a
# millisecond.
_COLLECTED_EVERY = 16  # answers, and after each request


def send(out: BinaryIO, facts: dict[str, Any], payload: bytes | memoryview = b"") -> None:
    """One message; ends the process when nobody reads it any more."""
    head = json.dumps(facts, separators=(",", ":"), allow_nan=False).encode()
    try:
        out.write(HEADER.pack(len(head), len(payload)) + head)
        if len(payload):
            out.write(payload)
        out.flush()
    except BrokenPipeError:
        os._exit(0)


def main() -> int:
    """Serve requests until standard input ends: `python -m engine.media.decoder FD PATH SIZE SHA256 MEMORY_MB PARENT`.

    What fails here is said in a last message, so that the parent need not guess from how the process ended.
    """
    fd, path, size, sha256, memory_mb, parent = sys.argv[1:7]
    requests, out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=1 << 18)
    os.dup2(2, 1)  # a library that prints doesn't get between the messages
    how = jail.confine(int(memory_mb))
    jail.end_with(int(parent))
    try:
        _serve(requests, out, int(fd), path, int(size), sha256, how)
    except Exception as error:
        return _last_words(out, error)
    return 0


def _serve(requests: BinaryIO, out: BinaryIO, fd: int, path: str, size: int, sha256: str, how: str) -> None:
    from engine.core import memory
    from engine.core.errors import EarwitnessError
    from engine.media import serving

    source = serving.adopt(fd, path, size, sha256)
    send(out, {"is": "ready", "network": how})
    gc.freeze()  # what is there now stays, and is not looked through again
    while head := requests.read(HEADER.size):
        length, _ = HEADER.unpack(head)
        request = json.loads(requests.read(length))
        try:
            for number, (facts, payload) in enumerate(serving.serve(source, request), 1):
                send(out, facts, payload)
                if number % _COLLECTED_EVERY == 0:
                    gc.collect()
            send(out, {"is": "done"})
        except EarwitnessError as error:
            send(out, {"is": "error", "kind": type(error).__name__, "text": str(error)})
        except Exception as error:
            send(out, said(error))
        gc.collect()
        memory.give_back()  # it may not be asked again for an hour


def said(error: BaseException) -> dict[str, Any]:
    """What is said of a failure that is no refusal: that the memory ran out, or where our own code failed."""
    if of_memory(error):
        return {"is": "error", "kind": "memory", "text": ""}
    trace = "".join(traceback.format_exception(error))[-_MOST_TRACE:]
    return {"is": "error", "kind": "fault", "text": type(error).__name__, "trace": trace}


def of_memory(error: BaseException | None) -> bool:
    """Whether an exception, or one that led to it, says that there was no memory."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if any(words in str(error).lower() for words in ("cannot allocate memory", "failed to map segment", "bad_alloc")):
            return True  # of libraries that could not be loaded
        error = error.__cause__ or error.__context__
    return False


def _last_words(out: BinaryIO, error: Exception) -> int:
    code = EXIT_MEMORY if of_memory(error) else EXIT_FAULT
    try:
        send(out, said(error))
    except Exception:
        os._exit(code)  # the buffer may hold half a message, which must not be sent now
    traceback.print_exc()
    return code


def messages(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """(JSON, payload) of each message until the stream ends; used by tests."""
    while head := stream.read(HEADER.size):
        facts, payload = HEADER.unpack(head)
        yield stream.read(facts), stream.read(payload)


if __name__ == "__main__":
    sys.exit(main())
