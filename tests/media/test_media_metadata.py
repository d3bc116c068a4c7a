"""Places, times and names in containers, true, absent and hostile."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from engine.core.clip import Clip
from engine.media import metadata
from engine.media.camera_track import positions
from engine.media.metadata import container_observations, parse_iso6709, stated_places, timed_places
from engine.media.reader import open_clip


def clip_with(*tags: tuple[str, str]) -> Clip:
    return Clip("x.mp4", "0" * 64, 1, "mov", 10.0, tags=tags)


@pytest.mark.parametrize(
    ("text", "lat", "lon", "alt"),
    [
        ("+40.7388-074.0002+035.880/", 40.7388, -74.0002, 35.88),
        ("-33.8568+151.2153/", -33.8568, 151.2153, None),
        ("+27.5916+086.5640+8850CRSWGS_84/", 27.5916, 86.5640, 8850.0),
        ("+4012.22-07500.25/", 40.20367, -75.00417, None),
        ("+401213.1-0750015.1/", 40.20364, -75.00419, None),
        ("+48.3896+011.0470", 48.3896, 11.0470, None),
        ("+90.0000+000.0000/", 90.0, 0.0, None),
        ("-00.5000+000.0000/", -0.5, 0.0, None),
        ("+52.3702+004.8952/Amsterdam", 52.3702, 4.8952, None),
    ],
)
def test_iso_6709_in_its_forms(text: str, lat: float, lon: float, alt: float | None) -> None:
    fix = parse_iso6709(text)
    assert fix is not None
    assert (fix.lat_deg, fix.lon_deg) == pytest.approx((lat, lon), abs=1e-4)
    assert fix.alt_m == alt


@pytest.mark.parametrize(
    "text",
    ["+00.0000+000.0000/", "-00.0000-000.0000+000.000/", "+91.0+010.0/", "+45.0+181.0/", "+4075.0-07400.0/", "", "nowhere",
     "+1e5+2/", "+45.0", "45.0 9.0 7", "+٤٥.٠+٠٩٠.٠/", "+" + "9" * 5_000],
)  # fmt: skip
def test_what_is_no_place(text: str) -> None:
    assert parse_iso6709(text) is None


def test_a_place_stated_twice_counts_once() -> None:
    clip = clip_with(("location", "+40.7388-074.0002/"), ("location-eng", "+40.7388-074.0002/New York"), ("title", "x"))
    (fix,) = stated_places(clip)
    assert fix.name == "New York"


def test_tags_that_are_no_places_are_not_read_as_such() -> None:
    assert stated_places(clip_with(("title", "+40.7388-074.0002/"), ("comment", "1.0, 2.0"))) == ()
    (fix,) = stated_places(clip_with(("GPS_COORDINATES", "48.8583, 2.2945")))
    assert (fix.lat_deg, fix.lon_deg) == (48.8583, 2.2945)


def test_observations_say_what_where_from() -> None:
    clip = clip_with(
        ("location", "+40.7388-074.0002+035.880/"),
        ("creation_time", "2012-05-09T18:46:38.000000Z"),
        ("date", "2012-05-09T14:46:38-0400"),
        ("com.apple.quicktime.model", "iPhone 4S"),
        ("encoder", "Lavf58"),
        ("video 1/handler_name", "Core Media Video"),
    )
    told = {(o.name, o.label): o for o in container_observations(clip)}
    place = told[("location", "+40.73880-074.00020+35.9/")]
    assert place.clue == "container" and place.kind == "tag" and (place.start_s, place.end_s) == (0.0, 10.0)
    assert place.vector == pytest.approx([40.7388, -74.0002], abs=1e-4)
    assert "UTC-4" in told[("creation time", "2012-05-09T14:46:38-04:00")].note
    assert ("creation time", "2012-05-09T18:46:38+00:00") in told
    assert ("device", "iPhone 4S") in told and ("encoder", "Lavf58") in told
    assert len(told) == 5


def test_hostile_tags_are_escaped_and_bounded() -> None:
    clip = clip_with(
        ("title", "\x1b[2Jnice\u202egnp.exe\n" + "A" * 10_000),
        ("location", "+40.7+074.0/" + "\u202e<script>" * 1_000),
        ("creation_time", "0000-99-99T99:99"),
        ("date", "1904-01-01T00:00:00Z"),
    )
    for observation in container_observations(clip):
        assert observation.label.isprintable() and observation.note.isprintable()
        assert len(observation.label) <= 200 and len(observation.note) <= 320
    assert not [o for o in container_observations(clip) if o.name == "creation time"]


@pytest.mark.parametrize(
    ("name", "lat", "lon"),
    [("cl0014.mov", 40.7388, -74.0002), ("cl0015.mov", 40.7248, -73.9883), ("cl0017.mov", 33.9951, -118.4762),
     ("cl0019.mp4", 54.1843, -2.7189), ("cl0021.mp4", 48.3896, 11.0470), ("cl0022.mp4", 37.5002, 127.0362)],
)  # fmt: skip
def test_real_phones_say_where_they_were(name: str, lat: float, lon: float, clip_path) -> None:
    with open_clip(clip_path(name)) as reader:
        (fix,) = stated_places(reader.clip)
    assert (fix.lat_deg, fix.lon_deg) == pytest.approx((lat, lon), abs=1e-4)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def with_user_data(path: Path, udta: bytes) -> Path:
    """Append a user data box to a file whose moov comes last."""
    data = path.read_bytes()
    at = data.rindex(b"moov") - 4
    assert at + struct.unpack(">I", data[at : at + 4])[0] == len(data)
    path.write_bytes(data[:at] + box(b"moov", data[at + 8 :] + box(b"udta", udta)))
    return path


def test_quicktime_and_3gpp_location_boxes(make_clip) -> None:
    xyz = b"-33.8568+151.2153/"
    quicktime = with_user_data(
        make_clip("q.mov", levels=np.arange(5) * 9), box(b"\xa9xyz", struct.pack(">HH", len(xyz), 0x15C7) + xyz)
    )
    fixed = (int(v * 65536) for v in (4.8952, 52.3702, 2.0))
    loci = bytes(4) + struct.pack(">H", 0x15C7) + b"Amsterdam\0" + b"\0" + struct.pack(">3i", *fixed) + b"Earth\0\0"
    third = with_user_data(make_clip("g.mp4", levels=np.arange(5) * 9), box(b"loci", loci))
    for path, lat, lon in ((quicktime, -33.8568, 151.2153), (third, 52.3702, 4.8952)):
        with open_clip(path) as reader:
            (fix,) = stated_places(reader.clip)
        assert (fix.lat_deg, fix.lon_deg) == pytest.approx((lat, lon), abs=1e-3)


def gopro(lat: float, lon: float, lock: int = 3) -> bytes:
    def klv(key: bytes, kind: bytes, size: int, count: int, body: bytes) -> bytes:
        return key + kind + struct.pack(">BH", size, count) + body + bytes(-len(body) % 4)

    scale = klv(b"SCAL", b"l", 4, 5, struct.pack(">5i", 10**7, 10**7, 1000, 1000, 100))
    row = struct.pack(">5i", round(lat * 1e7), round(lon * 1e7), 120_000, 0, 0)
    stream = klv(b"GPSF", b"L", 4, 1, struct.pack(">I", lock)) + scale + klv(b"GPS5", b"l", 20, 3, row * 3)
    inner = klv(b"STRM", b"\0", 1, len(stream), stream)
    return klv(b"DEVC", b"\0", 1, len(inner), inner)


def test_timed_positions_of_cameras() -> None:
    assert positions(gopro(47.5, -122.25)) == ("GoPro track", (pytest.approx((47.5, -122.25, 120.0)),))
    assert positions(gopro(47.5, -122.25, lock=0)) == ("GoPro track", ())
    ((fix,), _) = metadata._in_packet(1.0, b"\0\0" + struct.pack("<H3d", 5, -1.5, 36.8, 1_700.0))
    assert (fix.lat_deg, fix.lon_deg, fix.time_s) == (-1.5, 36.8, 1.0)
    assert metadata._in_packet(4.0, gopro(0.0, 0.0))[0] == []


def test_damaged_timed_tracks_say_nothing() -> None:
    rng = np.random.default_rng(0)
    whole = gopro(47.5, -122.25)
    for _ in range(300):
        data = bytearray(whole)
        for at in rng.integers(4, len(data), 3):
            data[at] = rng.integers(256)
        for fix in metadata._in_packet(0.0, bytes(data[: rng.integers(4, len(data))]))[0]:
            assert abs(fix.lat_deg) <= 90 and abs(fix.lon_deg) <= 180


def test_drone_subtitles_are_read_from_the_file(tmp_path: Path, make_clip) -> None:
    path, subtitles = tmp_path / "drone.mkv", tmp_path / "drone.srt"
    lines = (f"{s + 1}\n00:00:0{s},000 --> 00:00:0{s + 1},000\n[latitude: {64 + s}.5] [longitude: -21.5]\n" for s in range(2))
    subtitles.write_text("\n".join(lines))
    film = make_clip("v.mp4", levels=np.arange(50))
    with av.open(str(film)) as pictures, av.open(str(subtitles)) as words, av.open(str(path), "w") as out:
        waiting: list[av.Packet] = []
        for source in (pictures.streams[0], words.streams[0]):
            stream = out.add_stream_from_template(source)
            kept = [p for p in source.container.demux(source) if p.dts is not None]
            for packet in kept:
                packet.stream = stream
            waiting += kept
        for packet in waiting:  # a container takes packets only when all its streams are known
            out.mux(packet)
    with open_clip(path) as reader:
        fixes = timed_places(reader)
        assert [f.lat_deg for f in fixes] == [64.5, 65.5]
        told = [o for o in container_observations(reader.clip, reader) if o.name == "timed location"]
        assert [o.start_s for o in told] == pytest.approx([0.0, 1.0], abs=0.01)
