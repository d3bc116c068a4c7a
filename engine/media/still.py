"""Still pictures: JPEG, PNG, WebP, HEIC and TIFF, read as a clip of one frame without sound.

Pillow decodes them (pi-heif for HEIC), in the decoder's child like everything else. What a file is goes by its first bytes,
never by its name; its size in pixels is looked at before a pixel is decoded.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.clip import STILL_CONTAINERS, Frame, Stream
from engine.core.errors import MediaError
from engine.media import exif, xmp
from engine.media.container import MAX_PIXELS, MAX_SIDE_PX, MAX_TAG_CHARACTERS, MAX_TAGS, check_size
from engine.media.picture import fitted
from engine.media.source import Source

if TYPE_CHECKING:
    from PIL import Image

MOST_BYTES = 500_000_000
_NAMES = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp", "TIFF": "tiff", "HEIF": "heif"}
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")  # ISO/IEC 23008-12, Annex B: single pictures
_TURNS_DEG = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}  # clockwise, of Exif's orientation (CIPA DC-008, Orientation)
_DAMAGE = (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, OverflowError, EOFError, ArithmeticError,
           AttributeError, RuntimeError, NotImplementedError, AssertionError)  # fmt: skip
assert set(_NAMES.values()) == set(STILL_CONTAINERS)


def kind_of(head: bytes) -> str:
    """The format that the first 16 bytes announce, as in core.clip.STILL_CONTAINERS; "" when it is none of these."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    return "heif" if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS else ""


def is_still(source: Source) -> bool:
    """Whether a file announces itself as a still picture."""
    return bool(kind_of(source.pread(16, 0)))


def describe(source: Source) -> tuple[str, Stream, tuple[tuple[str, str], ...], tuple[str, ...]]:
    """(format, its one stream, tags, remarks), after decoding it once.

    Raises:
        MediaError: it is too large, or nothing in it can be decoded.
    """
    remarks = ["A still picture: one frame and no sound, so that nothing is heard and nothing changes over time."]
    with opened(source) as image:
        name, (width, height) = _NAMES[image.format or ""], image.size
        tags = _tags(image)
        turn_deg = _TURNS_DEG.get(exif.orientation(image), 0)
        damaged = _load(image, source)
        if damaged:
            remarks.append("The picture is damaged or cut off: what could be decoded is looked at, the rest is grey.")
        if _is_one_of_several(image):
            remarks.append(
                "The file holds more than one picture (an animation, pages or a depth map): the first alone is looked at."
            )
    stream = Stream(index=0, track=1, kind="video", codec=name, default=True, width_px=width, height_px=height,
                    rotation_deg=turn_deg, still=True)  # fmt: skip
    return name, stream, tags, tuple(remarks)


def frame(source: Source, max_side_px: int | None) -> Frame:
    """The picture, turned upright, at time 0.

    Raises:
        MediaError: as for `describe`.
    """
    return Frame(0.0, pixels(source, max_side_px))


def pixels(source: Source, max_side_px: int | None = None) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 sRGB, upright, the longer side at most max_side_px.

    Raises:
        MediaError: as for `describe`.
    """
    from PIL import Image

    with opened(source) as image:
        _load(image, source)
        size = fitted(*image.size, max_side_px)
        plain = _rgb(image)
        if size != plain.size:
            plain = plain.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        return np.array(turned(plain, exif.orientation(image)), dtype=np.uint8)


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """A picture turned upright by Exif's orientation, 1 to 8."""
    from PIL import Image

    turn = Image.Transpose
    how = {2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE, 6: turn.ROTATE_270,
           7: turn.TRANSVERSE, 8: turn.ROTATE_90}.get(orientation)  # fmt: skip
    return image if how is None else image.transpose(how)


def of_bytes(data: bytes) -> Image.Image | None:
    """A small picture inside another file, such as a thumbnail; None when it is damaged or no JPEG."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG",))
        if max(image.size) > 2_000:
            return None
        return image.convert("RGB")
    except _DAMAGE:
        return None


@contextmanager
def opened(source: Source) -> Iterator[Image.Image]:
    """The picture with its head read and its size looked at, nothing decoded yet."""
    from PIL import Image, ImageFile

    if source.size_bytes > MOST_BYTES:
        raise MediaError(f"{source.name} is a picture of {source.size_bytes / 1e6:,.0f} MB; save it smaller and open the copy.")
    kind = kind_of(source.pread(16, 0))
    if kind == "heif":
        _with_heif(source)
    Image.MAX_IMAGE_PIXELS = None  # looked at here, in the same terms as for films
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(
                io.BytesIO(source.pread(source.size_bytes, 0)), formats=[n for n, k in _NAMES.items() if k == kind]
            )
        except _DAMAGE:
            raise MediaError(_damaged(source)) from None
        try:
            check_size(*image.size, source.name)
            yield image
        finally:
            image.close()


def _with_heif(source: Source) -> None:
    try:
        import pi_heif

        pi_heif.options.DISABLE_SECURITY_LIMITS = False
        pi_heif.options.THUMBNAILS = False
        pi_heif.options.DECODE_THREADS = 1
        pi_heif.register_heif_opener()
    except (ImportError, OSError):
        raise MediaError(f"{source.name} is a HEIC picture, for which pi-heif is missing; save it as JPEG or PNG.") from None


def _load(image: Image.Image, source: Source) -> bool:
    """Decode it; True when some of it is missing.

    Raises:
        MediaError: nothing can be decoded.
    """
    from PIL import ImageFile

    try:
        image.load()
        return False
    except MemoryError:
        raise
    except _DAMAGE:
        pass
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        image.load()
        return True
    except MemoryError:
        raise
    except _DAMAGE:
        raise MediaError(_damaged(source)) from None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _is_one_of_several(image: Image.Image) -> bool:
    try:
        at = image.tell()
        image.seek(at + 1)
        image.seek(at)
        return True
    except _DAMAGE:
        return False


def _rgb(image: Image.Image) -> Image.Image:
    """In three bytes a point; what has more bits keeps the upper ones, what is transparent lies on white."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float32)
        most = float(np.nanmax(values, initial=0.0))
        scale = 255.0 / (65_535.0 if image.mode.startswith("I;16") or 255.0 < most <= 65_535.0 else max(most, 1e-6))
        return Image.fromarray(np.nan_to_num(np.clip(values * scale, 0, 255)).astype(np.uint8)).convert("RGB")
    if "A" in image.mode or "transparency" in image.info:
        own = image.convert("RGBA")
        white = Image.new("RGBA", own.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, own).convert("RGB")
    return image.convert("RGB")


def _tags(image: Image.Image) -> tuple[tuple[str, str], ...]:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    if image.format == "TIFF":
        packet = getattr(image, "tag_v2", {}).get(700, b"")
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    found = [*exif.tags(image), *(xmp.read(bytes(packet)) if isinstance(packet, bytes | bytearray) else ())]
    for key in ("Software", "Comment", "Description", "Author", "Copyright", "Creation Time", "Title"):  # PNG, tEXt keywords
        if image.format == "PNG" and isinstance(image.info.get(key), str):
            found.append((f"PNG {key}", str(image.info[key])))
    lines = ((key, " ".join(value.replace("\0", " ").split())) for key, value in found)
    return tuple(dict.fromkeys((k[:100], v[:MAX_TAG_CHARACTERS]) for k, v in lines if v))[:MAX_TAGS]


def _damaged(source: Source) -> str:
    return (
        f"{source.name} is a still picture that cannot be decoded: it is damaged, cut off, or beyond {MAX_SIDE_PX:,} px "
        f"a side or {MAX_PIXELS // 10**6} megapixels; copy it again from where it came from."
    )
