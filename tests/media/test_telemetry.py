"""Places in drones' subtitles: every known form, and the order of two numbers that nothing names."""

from __future__ import annotations

import random

import pytest

from engine.core.clip import Clip, Stream
from engine.media import telemetry
from engine.media.metadata import container_observations
from engine.media.telemetry import LATITUDE_FIRST, LONGITUDE_FIRST


class FakeReader:
    """A clip with one track of subtitles, a second each."""

    def __init__(self, *texts: str | bytes, tags: tuple[tuple[str, str], ...] = ()) -> None:
        self.clip = Clip("d.mp4", "0" * 64, 1, "mov", 9.0, streams=(Stream(0, 1, "subtitle", "mov_text"),), tags=tags)
        self._packets = [(float(i), t if isinstance(t, bytes) else t.encode()) for i, t in enumerate(texts)]

    def origin(self) -> list[tuple[str, str, str]]:
        return []

    def raw_packets(self, index: int):
        yield from self._packets


def said(*texts: str | bytes, tags: tuple[tuple[str, str], ...] = ()) -> list[tuple[str, str, str]]:
    reader = FakeReader(*texts, tags=tags)
    found = container_observations(reader.clip, reader)  # type: ignore[arg-type]
    return [(o.name, o.label, o.note) for o in found]


def where(*texts: str | bytes, tags: tuple[tuple[str, str], ...] = ()) -> set[str]:
    return {label for name, label, _ in said(*texts, tags=tags) if name == "timed location"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[iso : 110] [latitude: 64.1466] [longitude: -21.9426] [rel_alt: 1.3 abs_alt: 61.0]", "+64.14660-021.94260/"),
        ("[latitude : 31.4512] [longtitude : 74.4012] [altitude: 213.98]", "+31.45120+074.40120/"),
        ("<font size=\"36\">FrameCnt: 1\n2024-01-15 14:30:22\n[latitude: -33.86] [longitude: 151.21]", "-33.86000+151.21000/"),
        ("F/2.8, SS 206.14, ISO 150, EV 0, GPS (8.2090, 47.4692, 18), D 24.26m, H 6.00m", "+47.46920+008.20900/"),
        ("HOME(149.0251,-20.2532) 2017.08.05 14:11:51\nGPS(149.0251,-20.2533,16) BAROMETER:1.9", "-20.25330+149.02510/"),
        ("F/5.6, SS 400, GPS (-58.851745, -34.237922, 15), HOME (-58.847509, -34.232707, -57.98m)", "-34.23792-058.85175/"),
        ("2022.06.21 16:06:17\nGPS(36.6146,-6.1120,0.0M) BAROMETER:0.3M", "+36.61460-006.11200/"),
        ("GPS(-12.0464, -77.0428, 154.2 M)", "-12.04640-077.04280/"),
        ("HOME(W: 109.3186, N: 40.7693) 2023-09-12 10:28:07\nGPS(W: 109.339287, N: 40.768574, 2371.76m)", "+40.76857-109.33929/"),
        ("HOME(-117.9606, 33.6324) 2019.9.8 16:49:24\\NGPS(W: -117.-9605, N: 33.6323, -37) ReH:0", "+33.63230-117.96050/"),
        ("GPS(E: 144.96, S: 37.81, 30m)", "-37.81000+144.96000/"),
        ("[altitude: 5] [longitude: 2.2945] [iso: 100] [latitude: -48.8584]", "-48.85840+002.29450/"),
        ("Lat 48.8584° S  Lng 2.2945° W", "-48.85840-002.29450/"),
        ("[lat: 52,5163] [lon: -13,3777] [alt: 30]", "+52.51630-013.37770/"),
        ("GPS(-122.4194°, 37.7749°, 52m)", "+37.77490-122.41940/"),
        ("GPS (48°51'30\"N, 2°17'40\"E) 12 m", "+48.85833+002.29444/"),
        ("Lat: 45.5017 Lon: -73.5673 Alt: 30m", "+45.50170-073.56730/"),
        ("$GPRMC,081836.00,A,3751.6500,S,14507.3600,E,000.0,360.0,130998,011.3,E*62", "-37.86083+145.12267/"),
        ("$GNGGA,134658.00,5106.9792,N,11402.3003,W,2,09,1.0,1048.47,M,-16.27,M,08,AAAA*60", "+51.11632-114.03834/"),
    ],
)  # fmt: skip
def test_every_known_form(text: str, place: str) -> None:
    assert where(text) == {place}


def test_mp4_and_utf_16_wrap_the_text() -> None:
    text = "GPS(36.6146,-6.1120,0.0M)"
    for data in (
        text.encode(),
        "\ufeff".encode("utf-16-be") + text.encode("utf-16-be"),
        text.encode() + b"\0\0\0\x0cstyl\0\0\0\0",
    ):
        wrapped = len(data).to_bytes(2, "big") + data
        assert where(wrapped) == {"+36.61460-006.11200/"}


@pytest.mark.parametrize(
    "text",
    ["GPS(0.0000,0.0000,0.0M)", "[latitude: 0.000000] [longitude: 0.000000]", "GPS(0,0,0)", "GPS(200.5,95.1,3)", "no place here",
     "$GPRMC,081836,V,3751.65,S,14507.36,E,0,0,130998,,*62", "$GPGGA,1,5106.9,N,11402.3,W,0,00,,,M,,M,,*60", "GPS(nan,inf,1)",
     "GPS(N: -36.5, E: 6.1, 10m)", "GPS(N: 36.5, S: 6.1, 10m)", "[latitude: 95.5] [longitude: 12.0]",
     "Lat: -33.8 N Lon: 151.2", "Lat: 33.8 E Lon: 151.2"],
)  # fmt: skip
def test_what_states_no_place(text: str) -> None:
    assert [name for name, _, _ in said(text)] == []


def test_a_number_beyond_90_settles_the_whole_track() -> None:
    assert where("GPS(89.9991,45.2,10m)", "GPS(90.0004,45.2,10m)") == {"+45.20000+089.99910/", "+45.20000+090.00040/"}
    assert where("GPS(36.1,139.7,10)") == {"+36.10000+139.70000/"}, "against the form of the altitude"


def test_another_place_in_the_file_settles_it() -> None:
    doubtful = "GPS(48.8584,2.2945,35.1m)"
    assert where(doubtful, tags=(("location", "+48.8580+002.2940/"),)) == {"+48.85840+002.29450/"}
    assert where(doubtful, tags=(("location", "+02.2940+048.8580/"),)) == {"+02.29450+048.85840/"}
    assert where("[latitude: 48.85] [longitude: 2.29]", doubtful) == {"+48.85000+002.29000/", "+48.85840+002.29450/"}
    assert where("HOME(151.1,-33.8)\nGPS(-33.81,151.1,1m)") == {"-33.81000+151.10000/"}


@pytest.mark.parametrize(
    ("texts", "tags"),
    [
        (("GPS(48.8584,2.2945,35.1m)",), ()),
        (("GPS: 48.8584, 2.2945 12:00",), ()),
        (("GPS(48.8584,2.2945,35.0M)", "GPS(48.8585,2.2946,12)"), ()),
        (("GPS(48.8584,2.2945,35.0M)",), (("location", "+02.2940+048.8580/"),)),
        (("GPS(148.8,2.2,1)", "GPS(2.2,148.8,1)", "GPS(48.8584,2.2945,1)"), ()),
    ],
)
def test_where_the_order_is_in_doubt_both_are_listed_and_none_is_drawn(texts: tuple[str, ...], tags) -> None:
    found = said(*texts, tags=tags)
    assert not [1 for name, _, _ in found if name == "timed location"]
    ((label, note),) = [(label, note) for name, label, note in found if name == "location in doubt"]
    assert {"+48.85840+002.29450/", "+02.29450+048.85840/"} == set(label.split(" or ")) or "148.8" in texts[0]
    assert "not drawn" in note


def test_radians_are_no_place_in_the_gulf_of_guinea() -> None:
    radians = "[latitude : 0.549164] [longtitude : 1.298544]"  # 31.465 N, 74.401 E
    ((label, note),) = [(label, note) for name, label, note in said(radians) if name == "location in doubt"]
    assert "+31.46478+074.40109/" in label and "radians" in note
    assert where(radians, tags=(("location", "+31.46+074.40/"),)) == {"+31.46478+074.40109/"}


def test_the_date_beside_it_is_a_claim_of_time() -> None:
    found = said("2022.06.21 16:06:17\nGPS(36.6146,-6.1120,0.0M)", "2022.06.21 16:06:18\nGPS(36.6146,-6.1120,0.0M)")
    ((label, note),) = [(label, note) for name, label, note in found if name == "creation time"]
    assert label == "2022-06-21T16:06:17" and "offset from UTC is not stated" in note


def test_orders_say_why() -> None:
    bare = telemetry.read(0.0, "GPS(36.6,-6.1,0.0M)")
    assert bare is not None and not bare.named
    assert telemetry.order_of([bare]).order == LATITUDE_FIRST and telemetry.order_of([bare]).why
    other = telemetry.read(0.0, "GPS(-6.1,36.6,14)")
    assert other is not None and telemetry.order_of([other]).order == LONGITUDE_FIRST


def test_damaged_records_are_left_out_and_never_an_error() -> None:
    rng = random.Random(0)
    wholes = [
        "HOME(-122.1,47.4) 2017.07.09 14:59:45\nGPS(-122.1,47.4,16) BAROMETER:1.8",
        "GPS(W: -117.-9605, N: 33.6323, -37) $GPRMC,081836,A,3751.65,S,14507.36,E,0,0,130998,,*62",
        "[latitude: 64.1466] [longitude: -21.9426]",
    ]
    for _ in range(600):
        data = bytearray(rng.choice(wholes).encode())
        for _ in range(rng.choice((1, 3, 9))):
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(3)] = rng.choice((b"-", b".", b"9" * 12, b"\0", b"\xff", b"(", b"e5", rng.randbytes(3)))
        for name, label, _ in said(bytes(data), bytes(data[::-1])):
            assert label.isprintable()
            if name == "timed location":
                assert abs(float(label[:9])) <= 90 and abs(float(label[9:19])) <= 180
