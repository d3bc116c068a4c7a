"""Where a file comes from, as far as the file itself tells: credentials, structure, encoder, compression.

Facts about the file, each with what it is worth. None of them says that something was faked: a picture that was cropped for a
newspaper and one that was forged look alike here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from engine.core.clip import Clip
from engine.media import credentials, exif, jpeg, still
from engine.media.credentials import Fact
from engine.media.source import Source, shown

MOST_FACTS, MOST_LABEL, MOST_NOTE = 60, 300, 600
_MOST_BOXES, _ENCODER_BYTES = 200, 4_000_000
_X264 = re.compile(rb"(x26[45])[^\x20-\x7e]?[ -]{1,4}(?:core|H\.26[45]/HEVC codec)[ -~]{0,60}")
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    KeyError,
    IndexError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    EOFError,
)


def facts(source: Source, clip: Clip) -> list[Fact]:
    """(name, what, what it is worth) of what the file tells of its making; at most MOST_FACTS, bounded and fit for one line.

    Raises:
        MemoryError: there is not enough of it.
    """
    found = credentials.facts(source, clip.container)
    for look in (_boxes, _encoder, _tables, _before, _small) if clip.is_still or "mov" in clip.container else ():
        try:
            found += list(look(source, clip))
        except MemoryError:
            raise
        except _DAMAGE:
            continue  # a damaged part tells nothing
    return [(shown(n, 40), shown(what, MOST_LABEL), shown(note, MOST_NOTE)) for n, what, note in found[:MOST_FACTS]]


def _boxes(source: Source, clip: Clip) -> Iterator[Fact]:
    """The order of an ISO file's outermost boxes, and its brand."""
    if clip.container != "heif" and "mov" not in clip.container:
        return
    at, names, brand = 0, [], ""
    for _ in range(_MOST_BOXES):
        head = source.pread(16, at)
        if len(head) < 8:
            break
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:16], "big")
        if kind == b"ftyp" and not brand:
            brand = head[8:12].decode("latin-1").strip()
        names.append(kind.decode("latin-1"))
        if size < 8:
            break
        at += size
    grouped = [name for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    note = (
        "the order in which the writing program laid the file out; many write alike, and copying with another program changes it"
    )
    if "moov" in grouped and "mdat" in grouped:
        first = grouped.index("moov") < grouped.index("mdat")
        note = (
            "the index (moov) stands before the media: moved there for streaming, as qt-faststart does, or written in pieces"
            if first
            else "the index (moov) stands after the media: written in one go and closed at its end, as many recorders do"
        )
    if "moof" in grouped:
        note = "written in fragments (moof), as for streaming or by recorders that must survive a power cut"
    yield "box order", f"{' '.join(grouped[:20])}{f'; brand {brand}' if brand else ''}", note


def _encoder(source: Source, clip: Clip) -> Iterator[Fact]:
    """The name that x264 and x265 write into the stream itself."""
    if clip.is_still:
        return
    tail = max(0, source.size_bytes - _ENCODER_BYTES)
    for at in dict.fromkeys((0, tail)):
        match = _X264.search(source.pread(_ENCODER_BYTES, at))
        if match:
            text = match[0].decode("latin-1")
            note = "written by the encoder into the pictures' stream: a program encoded it last, not a camera's chip"
            yield "video encoder", " ".join(text.split()), note
            return


def _tables(source: Source, clip: Clip) -> Iterator[Fact]:
    """A JPEG's steps, against those of libjpeg."""
    if clip.container != "jpeg":
        return
    with still.opened(source) as image:
        tables = getattr(image, "quantization", {})
        layers: list[tuple[int, ...]] = list(getattr(image, "layer", ()))
        progressive = bool(image.info.get("progressive"))
    if 0 not in tables or len(tables[0]) != 64:
        return
    quality, exact = jpeg.quality_of(np.array(tables[0], dtype=np.int64).reshape(8, 8))
    parts = [
        f"libjpeg's table of quality {quality}" if exact else f"a table of its own, nearest to libjpeg's of quality {quality}"
    ]
    if len(layers) >= 3:
        sampled = (layers[0][1], layers[0][2])  # of the brightness, across and down
        named = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"}.get(sampled)
        parts += [f"chroma {named}"] if named else []
    parts.append("progressive" if progressive else "baseline")
    note = (
        "many programs and services compress with libjpeg; the quality is that of the last compression"
        if exact
        else "cameras and some programs have tables of their own; which one wrote this cannot be said from the table alone"
    )
    yield "JPEG tables", ", ".join(parts), note


def _before(source: Source, clip: Clip) -> Iterator[Fact]:
    """Whether a JPEG was compressed before."""
    if clip.container != "jpeg":
        return
    read = jpeg.read(source.pread(min(source.size_bytes, still.MOST_BYTES), 0))
    result = jpeg.generations(*read) if read is not None else None
    if result is None:
        note = f"the picture is below {jpeg.LEAST_SIDE_PX} px a side, too plain, or in colours that are not tested"
        yield "JPEG generations", "cannot be known", note
    elif result.several:
        steps = ", ".join(f"{step}" for _, _, step in result.earlier[:4])
        earlier = f" (earlier steps of low frequencies: {steps})" if steps else ""
        what = f"compressed as JPEG before{earlier}; score {result.score:.3f}"
        yield (
            "JPEG generations",
            what,
            f"{jpeg.FALSE_ALARMS}; saving again is what every service and editor does",
        )
    else:
        note = f"this is no sign of a single compression: a weaker one before, scaling or cropping leaves no trace; {jpeg.MISSES}"
        yield "JPEG generations", f"no trace of an earlier compression; score {result.score:.3f}", note


def _small(source: Source, clip: Clip) -> Iterator[Fact]:
    """The thumbnail beside the picture, against the picture."""
    if not clip.is_still:
        return
    with still.opened(source) as image:
        data, turn = exif.thumbnail(image), exif.orientation(image)
    small = still.of_bytes(data) if data else None
    if small is None:
        return
    large = still.pixels(source, 320).astype(np.float64).mean(axis=2)
    tiny = np.asarray(still.turned(small, turn), dtype=np.float64).mean(axis=2)
    likeness = _likeness(large, tiny)
    shape = f"{tiny.shape[1]}×{tiny.shape[0]} px"
    note = "correlation of brightness, 1 for the same picture; some programs keep the old thumbnail, and borders lower it"
    yield "thumbnail", f"{shape}, correlation with the picture {likeness:.2f}", note


def _likeness(
    large: np.ndarray[tuple[int, ...], np.dtype[np.float64]], tiny: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> float:
    """Correlation of two pictures laid over one another, the second without the black bars that fill it up to 4:3."""
    rows, columns = tiny.max(axis=1) > 16, tiny.max(axis=0) > 16
    if rows.any() and columns.any():
        tiny = tiny[
            np.argmax(rows) : len(rows) - np.argmax(rows[::-1]), np.argmax(columns) : len(columns) - np.argmax(columns[::-1])
        ]
    grid = [np.linspace(0, 1, 48), np.linspace(0, 1, 48)]
    looked = []
    for picture in (large, tiny):
        row, column = ((g * (n - 1)).round().astype(int) for g, n in zip(grid, picture.shape, strict=True))
        looked.append(picture[row][:, column])
    a, b = (x - x.mean() for x in looked)
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-9))
