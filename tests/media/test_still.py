"""Still pictures: one frame of a clip, whatever the format, and what Exif claims."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import signing
from PIL import Image

from engine.core.clip import Interval
from engine.core.errors import MediaError
from engine.core.settings import Settings
from engine.media import open_clip
from engine.media.metadata import container_observations
from engine.media.shots import cut

KINDS = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp", "TIFF": "tiff", "HEIF": "heif"}


def quarters(kind: str, orientation: int = 1, size: tuple[int, int] = (240, 160)) -> bytes:
    """Red, green, blue and white quarters, from the upper left."""
    width, height = size
    rgb = np.zeros((height, width, 3), np.uint8)
    for number, colour in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))):
        row, column = divmod(number, 2)
        rgb[row * height // 2 : (row + 1) * height // 2, column * width // 2 : (column + 1) * width // 2] = colour
    if kind == "HEIF" and (orientation, size) == (1, (240, 160)):
        return (Path(__file__).parent / "quarters.heic").read_bytes()  # this very picture; what the program installs writes none
    if kind == "HEIF":
        pytest.importorskip("pillow_heif", reason="writes HEIC, which the program only reads").register_heif_opener()
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, kind, exif=signing.exif(orientation), quality=95)
    return out.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_each_format_is_one_frame_without_sound(tmp_path: Path, kind: str) -> None:
    path = signing.written(tmp_path / "misnamed.mp4", quarters(kind))
    with open_clip(path) as reader:
        clip = reader.clip
        assert (clip.container, clip.is_still, clip.duration_s, clip.audio_tracks) == (KINDS[kind], True, None, ())
        assert clip.problems[0].startswith("A still picture: one frame and no sound")
        frames = list(reader.frames([0.0, 3.0], max_side_px=120))
        assert [f.rgb.shape for f in frames] == [(80, 120, 3)] * 2
        assert np.abs(frames[0].rgb[20, 30].astype(int) - (255, 0, 0)).max() < 30
        assert np.abs(frames[0].rgb[60, 90].astype(int) - 255).max() < 30
        with pytest.raises(MediaError, match="has no sound"):
            reader.audio(16_000)
        shots = cut(reader)
        assert len(shots) == 1 and shots[0].look is not None


@pytest.mark.parametrize(
    ("orientation", "upper_left"),
    [(1, (255, 0, 0)), (2, (0, 255, 0)), (3, (255, 255, 255)), (4, (0, 0, 255)), (6, (0, 0, 255)), (8, (0, 255, 0))],
)
def test_the_orientation_is_applied(tmp_path: Path, orientation: int, upper_left: tuple[int, int, int]) -> None:
    path = signing.written(tmp_path / "a.jpg", quarters("JPEG", orientation))
    with open_clip(path) as reader:
        (frame,) = reader.frames([0.0])
    assert frame.rgb.shape[:2] == ((240, 160) if orientation > 4 else (160, 240))
    assert np.abs(frame.rgb[30, 30].astype(int) - upper_left).max() < 30


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "TIFF"])  # Pillow writes no place into a TIFF
def test_exif_claims_place_time_and_lens(tmp_path: Path, kind: str) -> None:
    with open_clip(signing.written(tmp_path / "a", quarters(kind))) as reader:
        found = container_observations(reader.clip)
    said = {o.name: o for o in found}
    assert said["location"].label == "+51.50069-000.12456+20.0/"
    assert said["creation time"].label == "2024-05-17T12:30:00+01:00"
    assert (said["lens"].label, said["software"].label) == ("23 mm", "Editor 7")
    assert {o.label for o in found if o.name == "device"} == {"Fabrik", "Modell 1"}


def test_of_several_pictures_the_first_is_taken_and_that_is_said(tmp_path: Path) -> None:
    images = [Image.new("RGB", (64, 48), c) for c in ("red", "blue")]
    out = io.BytesIO()
    images[0].save(out, "WEBP", save_all=True, append_images=images[1:], lossless=True)
    with open_clip(signing.written(tmp_path / "a.webp", out.getvalue())) as reader:
        assert any("more than one picture" in p for p in reader.clip.problems)
        assert tuple(next(reader.frames([0.0])).rgb[5, 5]) == (255, 0, 0)


def test_sixteen_bits_and_transparency_become_eight_bits_on_white(tmp_path: Path) -> None:
    deep, clear = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.full((40, 40), 65_535 // 2, np.uint16)).save(deep, "PNG")
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(clear, "PNG")
    for data, value in ((deep, 127), (clear, 255)):
        with open_clip(signing.written(tmp_path / "a.png", data.getvalue())) as reader:
            assert abs(int(next(reader.frames([0.0])).rgb[5, 5, 0]) - value) <= 1


def bomb(side_px: int) -> bytes:
    """A PNG of a few kilobytes that says it is side × side."""
    head = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    parts = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(2_000_000))), (b"IEND", b"")):
        parts += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return parts


@pytest.mark.parametrize("side_px", [20_000, 100_000])
def test_a_decompression_bomb_is_refused_by_its_size(tmp_path: Path, side_px: int) -> None:
    with pytest.raises(MediaError, match=f"{side_px}×{side_px} px"):
        open_clip(signing.written(tmp_path / "a.png", bomb(side_px)))


def test_a_picture_cut_off_shows_what_is_there(tmp_path: Path) -> None:
    data = quarters("JPEG", size=(800, 600))
    with open_clip(signing.written(tmp_path / "a.jpg", data[: len(data) * 2 // 3])) as reader:
        assert any("damaged or cut off" in p for p in reader.clip.problems)
        assert np.abs(next(reader.frames([0.0])).rgb[30, 30].astype(int) - (255, 0, 0)).max() < 30


@pytest.mark.parametrize("data", [b"\xff\xd8\xff\xe0" + bytes(50), b"\x89PNG\r\n\x1a\n" + bytes(50),
                                  b"RIFF\x10\0\0\0WEBP" + bytes(20),
                                  b"II*\0" + bytes(40), bytes(4) + b"ftypheic" + bytes(40), b"BM" + bytes(60)])  # fmt: skip
def test_what_cannot_be_decoded_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MediaError, match=r"still picture (that cannot be decoded|of a kind that is not read)"):
        open_clip(signing.written(tmp_path / "a.jpg", data))


def test_a_picture_beside_a_sound_is_seen_all_the_time(tmp_path: Path, tone_wav) -> None:  # type: ignore[no-untyped-def]
    sound, picture = tone_wav(length_s=4.0), signing.written(tmp_path / "a.jpg", quarters("JPEG"))
    with open_clip(sound, settings=Settings(still=str(picture))) as reader:
        clip = reader.clip
        assert (clip.duration_s, len(clip.audio_tracks), len(clip.video_tracks)) == (4.0, 1, 1)
        assert clip.beside[0][0] == "a.jpg" and len(clip.beside[0][1]) == 64
        assert sum(len(b.samples) for b in reader.audio(16_000)) == 64_000
        assert [f.time_s for f in reader.frames([0.5, 3.5])] == [0.5, 3.5]
        assert [f.time_s for f in reader.frames(interval=Interval(1.0, 2.0))] == [1.0]
        assert [(s.start_s, s.length_s > 0) for s in cut(reader, Interval(0.0, 4.0))] == [(0.0, True)]
        assert {o.name: o for o in container_observations(clip)}["location"].label.startswith("+51.50069-000.12456")
        assert {what.partition(":")[0] for _, what, _ in reader.origin()} == {"sound", "picture"}


def test_only_a_picture_goes_beside_only_a_sound(tmp_path: Path, tone_wav) -> None:  # type: ignore[no-untyped-def]
    sound, picture = tone_wav(), signing.written(tmp_path / "a.jpg", quarters("JPEG"))
    with pytest.raises(MediaError, match="is not a still picture"):
        open_clip(sound, settings=Settings(still=str(sound)))
    with pytest.raises(MediaError, match="is not a sound alone"):
        open_clip(picture, settings=Settings(still=str(picture)))
