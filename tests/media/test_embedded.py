"""Metadata that FFmpeg leaves in the file: XMP, recorders' chunks, ID3, places of MP4's user data; whole, odd and hostile."""

from __future__ import annotations

import io
import random
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from engine.core.clip import Clip
from engine.media import embedded, id3, markup, open_clip, recorder_tags, xmp
from engine.media.metadata import container_observations, stated_places
from engine.media.source import Source

GUANO = (
    b"GUANO|Version: 1.0\nTimestamp: 2019-06-14T22:04:31-06:00\nMake: Titley Scientific\nModel: Anabat Swift\n"
    b"Loc Position: 35.1983 -111.6513\nLoc Elevation: 2106.5\nNote: bridge\\nover the wash\n"
)


def chunk(kind: bytes, body: bytes, order: str = "<", pad: bool = True) -> bytes:
    return kind + struct.pack(order + "I", len(body)) + body + (b"\0" * (len(body) & 1) if pad else b"")


def wav(*chunks: bytes, form: bytes = b"RIFF", before: bytes = b"") -> bytes:
    """A second of a tone, 8 kHz, with chunks behind its sound."""
    made = io.BytesIO()
    with wave.open(made, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        out.writeframes((np.sin(np.arange(8_000) / 5) * 9_000).astype("<i2").tobytes())
    body = b"WAVE" + before + made.getvalue()[12:] + b"".join(chunks)
    return form + struct.pack("<I", len(body)) + body


def bext(day: bytes = b"2018-02-03", time: bytes = b"04-05-06") -> bytes:
    return (
        b"dawn chorus".ljust(256, b"\0") + b"SoundDev 702T".ljust(32, b"\0") + bytes(32) + day + time + bytes(8 + 2 + 254)
        + b"A=PCM,F=48000\r\n"
    )  # fmt: skip


def seven(number: int) -> bytes:
    return bytes((number >> s) & 0x7F for s in (21, 14, 7, 0))


def id3_tag(*frames: tuple[bytes, bytes], version: int = 3) -> bytes:
    size = seven if version == 4 else lambda n: struct.pack(">I", n)
    body = b"".join(name + size(len(data)) + b"\0\0" + data for name, data in frames) + bytes(20)
    return b"ID3" + bytes([version, 0, 0]) + seven(len(body)) + body


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def packet(inner: str, more: str = "", head: str = "") -> bytes:
    return (
        f"<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>{head}<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
        "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' "
        "xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:xmp='http://ns.adobe.com/xap/1.0/' "
        "xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' xmlns:tiff='http://ns.adobe.com/tiff/1.0/' "
        "xmlns:Iptc4xmpExt='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' xmlns:d='http://www.dji.com/drone-dji/1.0/' "
        f"xmlns:Iptc4xmpCore='http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/' {more}>{inner}</rdf:Description></rdf:RDF>"
        "</x:xmpmeta><?xpacket end='w'?>"
    ).encode()


BY_ELEMENTS = packet(
    "<exif:GPSLatitude>64,8.796N</exif:GPSLatitude><exif:GPSLongitude>21,56,33W</exif:GPSLongitude>"
    "<exif:GPSAltitude>305/10</exif:GPSAltitude><xmp:CreateDate>2020-07-08T09:10:11+02:00</xmp:CreateDate>"
    "<photoshop:City>Reykjavík</photoshop:City><photoshop:Country>Iceland</photoshop:Country>"
)
BY_ATTRIBUTES = packet("", "exif:GPSLatitude='64.1466' exif:GPSLongitude='-21.9425' photoshop:DateCreated='2020-07-08'")


def tags_in(data: bytes, tmp_path: Path, name: str = "clip.bin") -> dict[str, str]:
    path = tmp_path / name
    path.write_bytes(data)
    source = Source(path)
    source.open()
    try:
        return dict(embedded.tags(source))
    finally:
        source.close()


def claims(path: Path) -> list[tuple[str, str, str]]:
    with open_clip(path) as reader:
        return [(o.name, o.label, o.note) for o in container_observations(reader.clip, reader)]


def place_of(tags: dict[str, str]) -> tuple[float, float]:
    (fix,) = stated_places(Clip("x", "0" * 64, 1, "x", 1.0, tags=tuple(tags.items())))
    return fix.lat_deg, fix.lon_deg


def test_guano_of_a_wav_is_a_claim_of_place_and_time(tmp_path: Path) -> None:
    path = tmp_path / "bat.wav"
    path.write_bytes(wav(chunk(b"guan", GUANO)))
    said = claims(path)
    assert ("location", "+35.19830-111.65130+2106.5/", "from GUANO Loc Position") in said
    ((label, note),) = [(label, note) for name, label, note in said if name == "creation time"]
    assert label == "2019-06-14T22:04:31-06:00" and "GUANO Timestamp" in note and "UTC-6" in note
    assert {label for name, label, _ in said if name == "device"} == {"Titley Scientific", "Anabat Swift"}


@pytest.mark.parametrize("form", [b"RIFF", b"RF64", b"BW64"])
def test_chunks_of_large_files(form: bytes, tmp_path: Path) -> None:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, 16_000, 8_000, 0))
    data = wav(chunk(b"guan", GUANO), form=form, before=b"" if form == b"RIFF" else ds64)
    if form != b"RIFF":  # the length of the sound stands in ds64
        at = data.index(b"data") + 4
        data = data[:4] + b"\xff" * 4 + data[8:at] + b"\xff" * 4 + data[at + 4 :]
    assert tags_in(data, tmp_path)["GUANO Loc Position"] == "35.1983 -111.6513"


def test_wave64_and_odd_chunks_without_padding(tmp_path: Path) -> None:
    tail = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
    w64 = embedded._W64 + struct.pack("<Q", 0) + b"wave" + tail
    for kind, body in ((b"junk", b"odd"), (b"bext", bext()), (b"guan", GUANO)):
        part = kind + tail + struct.pack("<Q", len(body) + 24) + body
        w64 += part + bytes(-len(part) % 8)
    found = tags_in(w64, tmp_path)
    assert found["bext OriginationDate"] == "2018-02-03 04:05:06"
    assert found["GUANO Loc Position"] == "35.1983 -111.6513"
    for pad in (True, False):
        data = wav(chunk(b"odd ", b"xxx", pad=pad), chunk(b"guan", GUANO[:-1] if len(GUANO) % 2 == 0 else GUANO, pad=pad))
        assert "GUANO Loc Position" in tags_in(data, tmp_path)


def test_a_recorder_that_never_wrote_its_length_is_read_to_the_sound(tmp_path: Path) -> None:
    data = wav(before=chunk(b"guan", GUANO))
    at = data.index(b"data") + 4
    assert "GUANO Loc Position" in tags_in(data[:at] + b"\xff" * 4 + data[at + 4 :], tmp_path)


def test_broadcast_wave_and_info_are_both_listed_and_said_to_disagree(tmp_path: Path) -> None:
    comment = b"Recorded at 19:17:30 14/12/2019 (UTC-3:30) by AudioMoth 24F31901603710E3 at gain setting 2\0"
    info = b"INFO" + chunk(b"ICMT", comment) + chunk(b"ICRD", b"2018-02-03\0")
    path = tmp_path / "field.wav"
    path.write_bytes(wav(chunk(b"bext", bext()), chunk(b"LIST", info)))
    times = {label: note for name, label, note in claims(path) if name == "creation time"}
    assert set(times) == {"2018-02-03T04:05:06", "2018-02-03", "2019-12-14T19:17:30-03:30"}
    assert "offset from UTC is not stated" in times["2018-02-03T04:05:06"]
    assert all("another day than" in note for note in times.values())
    devices = {label for name, label, _ in claims(path) if name == "device"}
    assert devices == {"SoundDev 702T", "AudioMoth 24F31901603710E3"}


def test_ixml_states_a_location(tmp_path: Path) -> None:
    text = (
        "<?xml version='1.0' encoding='UTF-16'?><BWFXML><PROJECT>Delta</PROJECT><LOCATION><LOCATION_NAME>Camargue</LOCATION_NAME>"
        "<LOCATION_GPS>43.4530, 4.5670</LOCATION_GPS><LOCATION_ALTITUDE>2</LOCATION_ALTITUDE></LOCATION><BEXT>"
        "<BWF_ORIGINATION_DATE>2017-05-06</BWF_ORIGINATION_DATE><BWF_ORIGINATION_TIME>07:08:09</BWF_ORIGINATION_TIME></BEXT></BWFXML>"
    )
    for data in (text.encode("utf-16"), text.replace("UTF-16", "UTF-8").encode() + bytes(7)):
        path = tmp_path / "i.wav"
        path.write_bytes(wav(chunk(b"iXML", data)))
        said = claims(path)
        assert ("location", "+43.45300+004.56700+2.0/", "from iXML LOCATION_GPS") in said
        assert ("place named", "Camargue", "from iXML LOCATION_NAME") in said
        assert "2017-05-06T07:08:09" in {label for name, label, _ in said if name == "creation time"}


@pytest.mark.parametrize(
    ("gps", "lat", "lon"),
    [("WGS84,33.4735,N,81.9748,W,45", 33.4735, -81.9748), ("WGS84, 12.5000, S, 130.9000, E", -12.5, 130.9),
     ("WGS84,-33.47,151.2,10", -33.47, 151.2)],
)  # fmt: skip
def test_wildlife_acoustics_chunk(gps: str, lat: float, lon: float, tmp_path: Path) -> None:
    fields = ((0, b"\1\0"), (1, b"SM4"), (2, b"S4A00123"), (5, b"2014-04-02 22:59:14-05:00"), (6, gps.encode()), (0xFFFF, b"\0"))
    data = b"".join(struct.pack("<HI", n, len(v)) + v for n, v in fields)
    found = tags_in(wav(chunk(b"wamd", data)), tmp_path)
    assert place_of(found) == pytest.approx((lat, lon))
    assert found["wamd start"] == "2014-04-02 22:59:14-05:00" and found["wamd model"] == "SM4"


def test_id3_in_its_versions_and_writings(tmp_path: Path) -> None:
    wide = "\ufeffGEO\0\ufeff-12.5, 130.9".encode("utf-16-le")
    frames = ((b"TXXX", b"\1" + wide), (b"TDRC", b"\0" + b"2021-04-10T06:30:00\0"), (b"PRIV", b"XMP\0" + BY_ELEMENTS))
    for version in (3, 4):
        found = dict(id3.read(id3_tag(*frames, version=version)))
        assert found["ID3 TXXX:GEO"] == "-12.5, 130.9" and found["ID3 TDRC"] == "2021-04-10T06:30:00"
        assert found["XMP exif:GPSLatitude"] == "64,8.796N"
    old = id3_tag((b"TYER", b"\0" + b"1999"), (b"TDAT", b"\0" + b"3112"), (b"TIME", b"\0" + b"2359"))
    assert id3.read(old) == [("ID3 TYER, TDAT, TIME", "1999-12-31 23:59")]
    short = b"TYE\0\0\5\0" + b"1999" + b"TXX\0\0\x0b\0" + b"geo\0" + b"1.5,2." + bytes(9)
    assert ("ID3 TXXX:geo", "1.5,2.") in id3.read(b"ID3\2\0\0" + seven(len(short)) + short)
    tag = id3_tag(*frames[:2])
    assert place_of(tags_in(wav(chunk(b"id3 ", tag)), tmp_path)) == (-12.5, 130.9)
    aiff = b"AIFF" + chunk(b"ANNO", b"odd", ">") + chunk(b"ID3 ", tag, ">") + chunk(b"APPL", b"XMP " + BY_ATTRIBUTES, ">")
    found = tags_in(b"FORM" + struct.pack(">I", len(aiff)) + aiff, tmp_path)
    assert found["ID3 TXXX:GEO"] == "-12.5, 130.9" and found["XMP exif:GPSLatitude"] == "64.1466"


@pytest.mark.parametrize(("data", "lat", "lon"), [(BY_ELEMENTS, 64.1466, -21.9425), (BY_ATTRIBUTES, 64.1466, -21.9425)])
@pytest.mark.parametrize("where", ["uuid at the end", "uuid in moov", "user data"])
def test_xmp_of_mp4(where: str, data: bytes, lat: float, lon: float, make_clip) -> None:
    path = make_clip("x.mp4", levels=np.arange(5) * 9)
    whole = path.read_bytes()
    packed = box(b"uuid", xmp.UUID + data)
    if where == "uuid at the end":
        whole += packed
    else:
        at = whole.rindex(b"moov") - 4
        inner = packed if where == "uuid in moov" else box(b"udta", box(b"XMP_", data))
        whole = whole[:at] + box(b"moov", whole[at + 8 :] + inner)
    path.write_bytes(whole)
    with open_clip(path) as reader:
        (fix,) = stated_places(reader.clip)
        times = [o.label for o in container_observations(reader.clip, reader) if o.name == "creation time"]
        words = [o.label for o in container_observations(reader.clip, reader) if o.name == "place named"]
    assert (fix.lat_deg, fix.lon_deg) == pytest.approx((lat, lon), abs=1e-4) and fix.source == "XMP exif:GPSLatitude"
    assert times == (["2020-07-08T09:10:11+02:00"] if data is BY_ELEMENTS else ["2020-07-08"])
    assert words == (["Reykjavík, Iceland"] if data is BY_ELEMENTS else [])


def test_structures_of_xmp_are_kept_apart() -> None:
    inner = (
        "<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li rdf:parseType='Resource'><Iptc4xmpExt:City>Oslo</Iptc4xmpExt:City>"
        "<exif:GPSLatitude>59,54N</exif:GPSLatitude><exif:GPSLongitude>10,44E</exif:GPSLongitude></rdf:li></rdf:Bag>"
        "</Iptc4xmpExt:LocationShown><d:GpsLatitude>+36.6146</d:GpsLatitude><d:GpsLongtitude>-6.1120</d:GpsLongtitude>"
    )
    clip = Clip("x", "0" * 64, 1, "x", 1.0, tags=tuple(xmp.read(packet(inner))))
    found = {(round(f.lat_deg, 4), round(f.lon_deg, 4)): f.source for f in stated_places(clip)}
    assert found == {
        (59.9, 10.7333): "XMP Iptc4xmpExt:LocationShown/exif:GPSLatitude",
        (36.6146, -6.112): "XMP drone-dji:GpsLatitude",
    }
    notes = [o.note for o in container_observations(clip) if o.name == "location"]
    assert all("km from the place stated in" in note for note in notes)


@pytest.mark.parametrize("code", ["utf-8", "utf-16"])
def test_xmp_of_any_writing_and_cut_off(code: str) -> None:
    data = BY_ELEMENTS.decode().encode(code)
    assert dict(xmp.read(data + bytes(40)))["XMP exif:GPSLatitude"] == "64,8.796N"
    assert dict(xmp.read(data[: int(len(data) * 0.8)]))["XMP exif:GPSLatitude"] == "64,8.796N"


def test_xml_expands_nothing_opens_nothing_and_ends(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("52.1, 5.1")
    lines = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10 if i else 'lol'}'>" for i in range(12))
    for head, value in (
        (f"<!DOCTYPE x [{lines}]>", "&e11;"),
        (f"<!DOCTYPE x [<!ENTITY e SYSTEM 'file://{secret}'>]>", "&e;"),
        ("<!DOCTYPE x SYSTEM 'http://127.0.0.1/x.dtd'>", "1"),
    ):
        assert xmp.read(packet(f"<photoshop:City>{value}</photoshop:City>", head=head)) == []
    deep = b"<a>" * 100_000
    assert list(markup.leaves(deep)) == []
    assert len(list(markup.leaves(b"<a>" + b"<b>x</b>" * 100_000 + b"</a>"))) <= markup.MOST_LEAVES
    (_, long), *_ = markup.leaves(b"<a>" + b"x" * 2_000_000 + b"</a>")
    assert len(long) <= markup.MOST_CHARACTERS
    assert list(markup.leaves(b"<?xml version='1.0' encoding='no-such-code'?><a>b</a>")) == []


def test_user_data_of_mp4_states_both_of_its_places(make_clip) -> None:
    path = make_clip("u.mp4", levels=np.arange(5) * 9)
    whole = path.read_bytes()
    at = whole.rindex(b"moov") - 4
    xyz = b"-33.8568+151.2153/"
    fixed = (int(v * 65_536) for v in (4.8952, 52.3702, 2.0))
    loci = bytes(4) + struct.pack(">H", 0x15C7) + b"Amsterdam\0" + b"\0" + struct.pack(">3i", *fixed) + b"Earth\0\0"
    both = box(b"\xa9xyz", struct.pack(">HH", len(xyz), 0x15C7) + xyz) + box(b"loci", loci)
    path.write_bytes(whole[:at] + box(b"moov", whole[at + 8 :] + box(b"udta", both)))
    with open_clip(path) as reader:
        found = sorted((round(f.lat_deg, 2), round(f.lon_deg, 2)) for f in stated_places(reader.clip))
    assert found == [(-33.86, 151.22), (52.37, 4.9)]


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mka"])
def test_comments_of_other_containers(suffix: str, tmp_path: Path) -> None:
    import av

    path = tmp_path / f"c.{suffix}"
    names = {"flac": "flac", "ogg": "libopus", "mka": "pcm_s16le"}
    with av.open(str(path), "w") as out:
        out.metadata.update({"LATITUDE": "48,8584", "LONGITUDE": "-2.2945", "DATE": "2016-02-29", "LOCATION": "Carnac"})
        stream = out.add_stream(names[suffix], rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray((np.sin(np.arange(48_000) / 9) * 9_000).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(stream.codec_context.format, "mono", 48_000, stream.codec_context.frame_size or 4_096)
        for made in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(made))
        out.mux(stream.encode(None))
    said = {(name, label) for name, label, _ in claims(path)}
    assert ("location", "+48.85840-002.29450/") in said
    assert ("creation time", "2016-02-29") in said and ("place named", "Carnac") in said


def test_hostile_lengths_cost_nothing(tmp_path: Path) -> None:
    for data in (
        wav(chunk(b"guan", GUANO))[:-60],
        b"RIFF\xff\xff\xff\xffWAVE" + b"guan\xff\xff\xff\xff" + GUANO,
        b"RIFF\0\0\0\0WAVE" + b"xxxx\0\0\0\0" * 200_000,
        box(b"ftyp", b"isom") + b"\0\0\0\1moov" + b"\xff" * 8 + box(b"udta", b"") * 9,
        box(b"ftyp", b"isom") + box(b"moov", box(b"udta", box(b"meta", box(b"udta", box(b"meta", b"x" * 50))))),
        embedded._W64 + bytes(24) + b"guan" + bytes(12) + b"\xff" * 8 + GUANO,
        b"ID3\4\0\x40" + seven(200) + b"\x7f" * 200,
        b"FORM\0\0\0\0AIFFID3 \x7f\xff\xff\xffID3\3\0\0\0\0\0\x7f" + b"TXXX\xff\xff\xff\xff" * 9,
    ):
        assert isinstance(tags_in(data, tmp_path), dict)


def test_damaged_metadata_is_left_out_and_never_an_error(tmp_path: Path) -> None:
    rng = random.Random(0)
    tag = id3_tag((b"TXXX", b"\1" + "\ufeffGEO\0-12.5, 130.9".encode("utf-16-le")), (b"PRIV", b"XMP\0" + BY_ELEMENTS), version=4)
    info = (
        b"INFO"
        + chunk(b"ICMT", b"Recorded at 1:02:03 04/05/2019 (UTC+14) by AudioMoth 24F31901603710E3")
        + chunk(b"ICRD", b"2018")
    )
    wamd = b"".join(struct.pack("<HI", n, len(v)) + v for n, v in ((5, b"2014-04-02 22:59:14"), (6, b"WGS84,1,N,2,W")))
    ixml = b"<BWFXML><LOCATION_GPS>43.4, 4.5</LOCATION_GPS><NOTE>&#x41;</NOTE></BWFXML>"
    moov = box(
        b"moov", box(b"udta", box(b"XMP_", BY_ATTRIBUTES) + box(b"loci", bytes(30)) + box(b"\xa9xyz", b"\0\x12\0\0+1.5+2.5/"))
    )
    wholes = [
        wav(*(chunk(k, v) for k, v in ((b"guan", GUANO), (b"bext", bext()), (b"LIST", info), (b"wamd", wamd), (b"iXML", ixml))))[
            16_000:
        ],
        tag,
        box(b"ftyp", b"isom") + moov + box(b"uuid", xmp.UUID + BY_ELEMENTS),
        b"FORM\0\0\0\0AIFF" + chunk(b"ID3 ", tag, ">"),
    ]
    wholes[0] = b"RIFF\0\0\0\0WAVE" + chunk(b"data", wholes[0][:1]) + wholes[0][wholes[0].index(b"guan") :]
    for number in range(1_200):
        data = bytearray(wholes[number % len(wholes)])
        for _ in range(rng.choice((1, 3, 20))):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] = rng.randrange(256)
                case 1:
                    del data[at : at + rng.randrange(1, 9)]
                case 2:
                    data[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1"))
                case _:
                    data[at:at] = rng.randbytes(rng.randrange(1, 9))
            if not data:
                break
        found = tags_in(bytes(data), tmp_path)
        clip = Clip("x", "0" * 64, 1, "x", 1.0, tags=tuple(found.items()))
        for observation in container_observations(clip):
            assert observation.label.isprintable() and observation.note.isprintable()


def test_each_reader_takes_any_bytes() -> None:
    rng = random.Random(1)
    for _ in range(400):
        data = rng.randbytes(rng.randrange(0, 700))
        for read in (*recorder_tags.READERS.values(), id3.read, xmp.read):
            assert isinstance(read(data), list)
        assert isinstance(recorder_tags.info(b"INFO" + data, "<"), list)
        assert id3.read(b"ID3" + bytes([rng.choice((2, 3, 4)), 0, rng.randrange(256)]) + seven(len(data)) + data) is not None


def test_half_a_place_is_no_place_in_doubt(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    place = "<exif:GPSLatitude>48,51,30.24N</exif:GPSLatitude><exif:GPSLongitude>2,17,40.2E</exif:GPSLongitude>"
    path.write_bytes(wav(chunk(b"_PMX", packet(place))))
    assert [(name, label) for name, label, _ in claims(path) if "location" in name] == [("location", "+48.85840+002.29450/")]
