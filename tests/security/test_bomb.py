"""Small files that would be large: archives, tracks, frames of 100,000 pixels a side."""

from __future__ import annotations

import io
import resource
import struct
import time
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.case.jobs.results import Results
from engine.case.record import codec
from engine.core.clip import Interval
from engine.core.errors import DataError, MediaError
from engine.media import open_clip


def swollen(member: str, size: int) -> bytes:
    """A zip whose one member unpacks to so many zeros; made piece by piece."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(member, "w", force_zip64=True) as file:
        for _ in range(size // 2**24):
            file.write(bytes(2**24))
    return out.getvalue()


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def test_a_kept_result_that_swells_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert codec.LARGEST_BYTES == 2_000_000_000
    monkeypatch.setattr(codec, "LARGEST_BYTES", 100_000_000)
    bomb = swollen("a0.npy", 2**28)
    assert len(bomb) < 400_000
    before = peak_mb()
    with pytest.raises(DataError, match="2 GB"):
        codec.loads(bomb)
    results = Results(tmp_path)
    (tmp_path / f"{'0' * 64}.npz").write_bytes(bomb)
    assert results.get("0" * 64) is None and not list(tmp_path.glob("*.npz")), "it is removed, and the clip examined again"
    assert peak_mb() - before < 200


def test_a_result_whose_size_lies_is_refused() -> None:
    bomb = bytearray(swollen("a0.npy", 2**26))
    for signature, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        bomb[bomb.index(signature) + at :][:4] = b"\x10\0\0\0"
        where = bomb.index(signature) + at
        bomb[where : where + 4] = struct.pack("<I", 16)
    with pytest.raises(DataError):
        codec.loads(bytes(bomb))


def film(path: Path, size: tuple[int, int], codec_name: str = "rawvideo", frames: int = 3) -> Path:
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec_name, 25)
        video.width, video.height, video.pix_fmt, video.time_base = *size, "yuv420p", Fraction(1, 25)
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.zeros((size[1], size[0], 3), np.uint8), "rgb24").reformat(format="yuv420p")
            frame.pts = i
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def claims(path: Path, side: int) -> Path:
    """The same film with another size written in its header."""
    data = bytearray(path.read_bytes())
    if path.suffix == ".avi":
        at = data.index(b"strf") + 12
        data[at : at + 8] = struct.pack("<ii", side, side)
    else:
        where = data.index(struct.pack(">HH", 64, 48), data.index(b"stsd"))
        data[where : where + 4] = struct.pack(">HH", min(side, 65_535), min(side, 65_535))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["wide.avi", "wide.mov"])
@pytest.mark.parametrize("side", [100_000, 65_535, 20_000])
def test_frames_of_a_hundred_thousand_pixels_are_refused(name: str, side: int, tmp_path: Path) -> None:
    path = claims(film(tmp_path / name, (64, 48)), side)
    began = time.monotonic()
    with pytest.raises(MediaError) as caught:
        open_clip(path)
    assert str(caught.value).isprintable() and time.monotonic() - began < 30


def test_a_picture_whose_stream_says_another_size_than_its_container(tmp_path: Path) -> None:
    """PNG frames in a film: the container says 64 by 48, the picture inside 100,000 a side, of nothing but zeros deflated."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    squeezed = zlib.compressobj(9)
    rows = b"".join(squeezed.compress(bytes(2**20)) for _ in range(300)) + squeezed.flush()
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0))
    bomb += chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    path = tmp_path / "bomb.mov"
    with av.open(str(path), "w") as out:
        video = out.add_stream("png", 25)
        video.width, video.height, video.pix_fmt = 64, 48, "rgb24"
        first = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
        out.mux(video.encode(first))
        for i in range(1, 4):
            packet = av.Packet(bomb)
            packet.stream, packet.pts, packet.dts, packet.time_base = video, i * 40, i * 40, Fraction(1, 1000)
            out.mux(packet)
    with open_clip(path) as reader:
        seen = list(reader.frames(max_side_px=64))
        assert all(f.rgb.shape == (48, 64, 3) for f in seen) and reader.skipped["video"] >= 1


def test_sound_that_goes_on_for_days_is_read_in_blocks(tmp_path: Path) -> None:
    """A gap of nine days between two packets of a small file: silence is made a block at a time, and can be stopped."""
    path = tmp_path / "long.mkv"
    with av.open(str(path), "w") as out:
        audio = out.add_stream("pcm_s16le", 8_000, layout="mono")
        for second in (0, 1, 9 * 86_400):
            block = av.AudioFrame.from_ndarray(np.ones((1, 8_000), np.int16), "s16", "mono")
            block.sample_rate, block.pts, block.time_base = 8_000, second * 8_000, Fraction(1, 8_000)
            out.mux(audio.encode(block))
        out.mux(audio.encode(None))
    assert path.stat().st_size < 100_000
    before = peak_mb()
    with open_clip(path) as reader:
        for count, block in enumerate(reader.audio(8_000)):
            assert len(block.samples) <= 8_000 * 600
            if count == 50:
                break
        heard = sum(len(b.samples) for b in reader.audio(8_000, Interval(0.0, 20.0)))
        assert heard <= 8_000 * 21
    assert peak_mb() - before < 500


def test_deflated_tracks_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a child unpacks beyond its memory ends the child, in a sentence."""

    monkeypatch.setenv("EARWITNESS_DECODER_MB", "400")
    path = film(tmp_path / "large.avi", (8_000, 8_000), "mpeg4", 1)
    with pytest.raises(MediaError) as caught, open_clip(path) as reader:
        list(reader.frames([0.0]))
    assert any(word in str(caught.value) for word in ("memory", "crashed", "decoded")), caught.value
