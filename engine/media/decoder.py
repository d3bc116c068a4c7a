"""The child process that decodes: everything that touches the bytes of a stranger's file happens here.

It is given one open descriptor and nothing else; what else it gives up is in `jail`. Requests come in on standard input and
answers go out on standard output, each a header of two lengths, a line of JSON and raw bytes; nothing is pickled, so that a
decoder that was taken over can send numbers and text and no more. Run by `engine.media.child`.
"""

from __future__ import annotations

import gc
import json
import os
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from engine.media import jail

HEADER = struct.Struct("<II")
# PyAV's objects are cycles: codecs, their threads and frames would pile up over a film to gigabytes. A collection takes a
# millisecond.
_COLLECTED_EVERY = 16  # answers, and after each request


def send(out: BinaryIO, facts: dict[str, Any], payload: bytes | memoryview = b"") -> None:
    """One message."""
    head = json.dumps(facts, separators=(",", ":"), allow_nan=False).encode()
    out.write(HEADER.pack(len(head), len(payload)))
    out.write(head)
    if len(payload):
        out.write(payload)
    out.flush()


def main() -> int:
    """Serve requests until standard input ends: `python -m engine.media.decoder FD PATH SIZE SHA256 MEMORY_MB`."""
    fd, path, size, sha256, memory_mb = sys.argv[1:6]
    requests, out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=1 << 18)
    os.dup2(2, 1)  # a library that prints doesn't get between the messages
    how = jail.confine(int(memory_mb))
    from engine.core import memory
    from engine.core.errors import EarwitnessError
    from engine.media import serving

    source = serving.adopt(int(fd), path, int(size), sha256)
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
        except MemoryError:
            send(out, {"is": "error", "kind": "memory", "text": ""})
        gc.collect()
        memory.give_back()  # it may not be asked again for an hour
    return 0


def messages(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """(JSON, payload) of each message until the stream ends; used by tests."""
    while head := stream.read(HEADER.size):
        facts, payload = HEADER.unpack(head)
        yield stream.read(facts), stream.read(payload)


if __name__ == "__main__":
    sys.exit(main())
