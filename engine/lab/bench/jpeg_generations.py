"""How often the test for an earlier JPEG compression is right: `python -m engine.lab.bench.jpeg_generations`.

Pictures are made, compressed once or twice at known qualities, and tested. Two kinds: drawn ones (noise whose spectrum falls like
that of photographs, with edges), made from the seed, and, with --photos, photographs in a folder shrunk to a third, which leaves
nothing of their own compression. The threshold was chosen on the drawn ones of seed 0.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from engine.media import jpeg

ONCE = (50, 60, 70, 75, 80, 85, 90, 95)
TWICE = ((50, 75), (60, 85), (70, 90), (75, 85), (75, 90), (75, 95), (85, 90), (85, 95), (80, 75), (90, 85), (90, 75), (95, 85))
_Z = 1.96


def drawn(seed: int, side_px: int = 512) -> NDArray[np.uint8]:
    """(side, side) noise whose amplitude falls with frequency, and rectangles over it."""
    rng = np.random.default_rng(seed)
    steps = np.fft.fftfreq(side_px)
    radius = np.hypot(steps[:, None], steps[None])
    radius[0, 0] = 1.0
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side_px, side_px))) / radius ** rng.uniform(0.9, 1.4)).real
    field = (field - field.mean()) / field.std() * rng.uniform(25, 60) + 128
    for _ in range(12):
        y, x = rng.integers(0, side_px - 40, 2)
        height, width = rng.integers(20, 160, 2)
        field[y : y + height, x : x + width] += rng.normal(0, 30)
    return np.clip(field, 0, 255).astype(np.uint8)


def photos(folder: Path, most: int) -> Iterator[NDArray[np.uint8]]:
    """Grey photographs at a third of their size, at least 256 px a side."""
    taken = 0
    for path in sorted(folder.rglob("*.jpg")):
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("L")
        small = upright.resize((upright.width // 3, upright.height // 3), Image.Resampling.BOX)
        if min(small.size) >= jpeg.LEAST_SIDE_PX:
            taken += 1
            yield np.asarray(small)
        if taken >= most:
            return


def compressed(picture: NDArray[np.uint8], quality: int) -> bytes:
    """A JPEG file of it."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality)
    return out.getvalue()


def said(data: bytes) -> bool | None:
    """Whether a file is said to have been compressed before; None where it cannot be known."""
    read = jpeg.read(data)
    result = jpeg.generations(*read) if read is not None else None
    return None if result is None else result.several


def interval(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share (E. B. Wilson, JASA 22, 1927)."""
    if not count:
        return 0.0, 1.0
    share, spread = hits / count, _Z * _Z / count
    half = _Z * np.sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, float((share + spread / 2 - half) / (1 + spread))), float((share + spread / 2 + half) / (1 + spread))


def line(what: str, answers: list[bool | None]) -> str:
    """One row: how many were said to be compressed before, of those that could be tested."""
    tested = [a for a in answers if a is not None]
    low, high = interval(sum(tested), len(tested))
    share = sum(tested) / max(len(tested), 1)
    bounds = f"95% {low:.1%} to {high:.1%}"
    return f"{what:<28} {sum(tested):>4} of {len(tested):>4}  {share:6.1%}  {bounds}  not testable {answers.count(None)}"


def measure(name: str, pictures: list[NDArray[np.uint8]]) -> list[str]:
    """All rows for some pictures."""
    rows = [f"{name}: {len(pictures)} pictures; said to have been compressed before"]
    once: list[bool | None] = []
    for quality in ONCE:
        found = [said(compressed(p, quality)) for p in pictures]
        once += found
        rows.append(line(f"once, quality {quality}", found))
    rows.append(line("once, all", once))
    stronger: list[bool | None] = []
    weaker: list[bool | None] = []
    for first, last in TWICE:
        found = [said(compressed(np.asarray(Image.open(io.BytesIO(compressed(p, first)))), last)) for p in pictures]
        (stronger if first < last else weaker).extend(found)
        rows.append(line(f"twice, {first} then {last}", found))
    return [*rows, line("twice, the first stronger", stronger), line("twice, the first weaker", weaker)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawn", type=int, default=60, help="how many pictures are drawn")
    parser.add_argument("--seed", type=int, default=1_000, help="of the first one drawn")
    parser.add_argument("--photos", type=Path, help="folder of photographs")
    parser.add_argument("--most", type=int, default=60, help="how many photographs at most")
    args = parser.parse_args()
    for row in measure("drawn", [drawn(args.seed + n) for n in range(args.drawn)]):
        print(row)
    if args.photos:
        for row in measure("photographs", list(photos(args.photos, args.most))):
            print(row)


if __name__ == "__main__":
    main()
