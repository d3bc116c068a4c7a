"""Transport and programme streams made for tests, and joined, cut or given several programmes byte by byte."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE_HZ = 48_000


def written(
    path: Path,
    levels: tuple[int, ...],
    tones: tuple[float, ...] = (440.0,),
    length_s: float = 4.0,
    size: tuple[int, int] = (128, 96),
    video_codec: str = "mpeg2video",
    audio_codec: str = "mp2",
    flags: tuple[int, ...] = (),
    titles: tuple[str, ...] = (),
    container: str | None = None,
    gap: tuple[float, float] | None = None,
    pictures_gap_only: bool = False,
    at_s: float = 0.0,
    **options: str,
) -> Path:
    """A clip whose picture shows each grey level for an equal time and whose audio tracks hold a tone each (0 for silence).

    Args:
        flags: of the audio tracks (av.stream.Disposition).
        gap: (at, seconds): nothing is sent for so long from there; of the picture alone if asked for.
        at_s: added to all times.
    """
    with av.open(str(path), "w", format=container, options=options) as out:
        video = out.add_stream(video_codec, rate=25) if levels else None
        if video is not None:
            video.width, video.height, video.pix_fmt, video.bit_rate = *size, "yuv420p", 1_000_000
            video.gop_size, video.max_b_frames = 12, 0
        audio = [out.add_stream(audio_codec, rate=RATE_HZ, layout="mono") for _ in tones]
        for stream, flag in zip(audio, flags, strict=False):
            stream.disposition = flag
        for stream, title in zip(audio, titles, strict=False):
            stream.metadata["title"] = title
        n = 0
        whole = round(length_s * 25)
        for number in range(whole):
            time_s = number / 25
            if video is not None and not (gap and gap[0] <= time_s < gap[0] + gap[1]):
                grey = levels[min(len(levels) - 1, number * len(levels) // whole)]
                rgb = np.full((size[1], size[0], 3), grey, np.uint8)
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = round((time_s + at_s) * 25), Fraction(1, 25)
                out.mux(video.encode(frame))
            while n < (number + 1) * RATE_HZ // 25:
                size_n = audio[0].codec_context.frame_size or 1152 if audio else 1152
                for stream, hz in zip(audio, tones, strict=True):
                    if gap and not pictures_gap_only and gap[0] <= n / RATE_HZ < gap[0] + gap[1]:
                        continue
                    wave = 0.5 * np.sin(2 * np.pi * hz * (n + np.arange(size_n)) / RATE_HZ)
                    planar = stream.codec_context.format.name
                    data = (wave * 32767).astype(np.int16)[None] if planar.startswith("s16") else wave.astype(np.float32)[None]
                    frame = av.AudioFrame.from_ndarray(data, format=planar, layout="mono")
                    frame.sample_rate, frame.pts = RATE_HZ, n + round(at_s * RATE_HZ)
                    frame.time_base = Fraction(1, RATE_HZ)
                    out.mux(stream.encode(frame))
                n += size_n
        for stream in (*([video] if video is not None else []), *audio):
            out.mux(stream.encode(None))
    return path


def joined(path: Path, *parts: Path) -> Path:
    """The files one behind the other."""
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    return path


def woven(path: Path, parts: tuple[Path, ...], numbers: tuple[int, ...]) -> Path:
    """Transport streams with different ids as the programmes of one: their packets by turns, and one table of programmes."""
    rows = [[d[i : i + 188] for i in range(0, len(d), 188)] for d in (p.read_bytes() for p in parts)]
    pmt = [next((r[1] & 0x1F) << 8 | r[2] for r in own if _is_pmt(r)) for own in rows]
    table = _pat(tuple(zip(numbers, pmt, strict=True)))
    out, places = [table], [0] * len(rows)
    total = sum(len(r) for r in rows)
    while len(out) < 2 * total and any(p < len(r) for p, r in zip(places, rows, strict=True)):
        which = min(range(len(rows)), key=lambda i: places[i] / len(rows[i]) if places[i] < len(rows[i]) else 2.0)
        row = rows[which][places[which]]
        places[which] += 1
        pid = (row[1] & 0x1F) << 8 | row[2]
        out.append(table if pid == 0 else row)
    path.write_bytes(b"".join(out))
    return path


def _is_pmt(row: bytes) -> bool:
    pid = (row[1] & 0x1F) << 8 | row[2]
    return pid not in (0, 0x11, 0x1FFF) and bool(row[1] & 0x40) and row[4] == 0 and row[5] == 2


def _pat(programmes: tuple[tuple[int, int], ...]) -> bytes:
    body = b"".join(n.to_bytes(2, "big") + (0xE000 | p).to_bytes(2, "big") for n, p in programmes)
    section = b"\x00" + (0xB000 | len(body) + 9).to_bytes(2, "big") + b"\x00\x01\xc1\x00\x00" + body
    packet = b"\x47\x40\x00\x10\x00" + section + _crc(section).to_bytes(4, "big")
    return packet + b"\xff" * (188 - len(packet))


def _crc(data: bytes) -> int:
    """CRC-32 of MPEG-2 sections (ISO/IEC 13818-1, annex A)."""
    crc = 0xFFFFFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            carry = (crc >> 31) ^ (byte >> bit & 1)
            crc = (crc << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if carry else 0)
    return crc
