"""Changes pictures and credentials at random and reads them, all in one process: `python mutating.py SEED COUNT`.

Prints one line a file read, so that whoever started it sees where it died, and the slowest at the end. Everything that the
decoder's child does with a still is done here, without the child, whose start would take most of the time.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import signing

from engine.core.errors import MediaError
from engine.media import origin, still
from engine.media.contents import describe
from engine.media.source import Source

MEMORY = 6_000_000_000


def originals() -> list[bytes]:
    """One of each format, most of them signed."""
    who = signing.chain()
    signed = [
        signing.signed(signing.picture(kind), mime, who)
        for kind, mime in (("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("TIFF", "image/tiff"))
    ]
    heic = (Path(__file__).parent / "quarters.heic").read_bytes()
    return [*signed, heic, signing.picture("JPEG", seed=5)]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut out, doubled or cut off; half of the changes lie in the first kilobytes, where the structure is."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16, 64))):
        reach = min(len(made), 3_000) if rng.random() < 0.5 else len(made)
        at = rng.randrange(max(1, reach))
        what = rng.random()
        if what < 0.6:
            made[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif what < 0.75:
            made[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", rng.randbytes(4)))
        elif what < 0.85:
            del made[at : at + rng.randrange(1, 200)]
        elif what < 0.95:
            made[at:at] = made[at : at + rng.randrange(1, 200)]
        else:
            del made[max(20, at) :]
        if len(made) < 20:
            break
    return bytes(made)


def read(path: Path) -> str:
    """What came of it: "read", or "refused" with one sentence."""
    source = Source(path)
    try:
        source.open()
        contents = describe(source)
        if still.is_still(source):
            still.frame(source, 640)
        origin.facts(source, contents.clip(source))
        return "read"
    except MediaError:
        return "refused"
    finally:
        source.close()


def main() -> None:
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    rng, pool = random.Random(seed), originals()
    slowest_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        for number in range(count):
            path.write_bytes(mutated(pool[number % len(pool)], rng))
            began = time.monotonic()
            try:
                said = read(path)
            except MemoryError:
                said = "memory"
            slowest_s = max(slowest_s, time.monotonic() - began)
            print(number, said, flush=True)
    print(f"slowest {slowest_s:.2f}", flush=True)


if __name__ == "__main__":
    main()
