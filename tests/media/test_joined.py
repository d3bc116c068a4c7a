"""Recordings that were joined, programmes, tracks: every moment is read when it plays, and what is chosen is said."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

sys.path.insert(0, str(Path(__file__).parent))
import itertools

from joining import joined, woven, written

from engine.core.clip import Clip, Interval, Stream
from engine.core.errors import SettingError
from engine.core.settings import Settings
from engine.media import transport
from engine.media.reader import FileReader, open_clip
from engine.media.shots import cut

WRAP_S = transport.WRAP / transport.CLOCK_HZ
DARK, BRIGHT = 50, 200


def greys(reader: FileReader, times_s: list[float]) -> list[bool]:
    """Whether the picture shown at each time is the bright one."""
    return [f.rgb.mean() > 125 for f in reader.frames(times_s, max_side_px=64)]


def tone(reader: FileReader, start_s: float, end_s: float, track: int | None = None) -> int:
    """Frequency of the loudest tone of an interval to 10 Hz, 0 for silence."""
    samples = np.concatenate([b.samples for b in reader.audio(8_000, Interval(start_s, end_s), track)])
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return round(float(spectrum.argmax()) * 8_000 / len(samples) / 10) * 10 if spectrum.max() > 5 else 0


def check_halves(reader: FileReader, first_s: float = 4.0, length_s: float = 8.0) -> None:
    """Dark with 440 Hz, then bright with 1,000 Hz, by seeking, walking and cutting."""
    assert reader.clip.duration_s == pytest.approx(length_s, abs=0.15)
    times_s = [0.5, length_s - 0.5, first_s - 0.4, first_s + 0.6, 1.0]
    assert greys(reader, times_s) == [False, True, False, True, False]
    walked = [(f.time_s, f.rgb.mean() > 125) for f in reader.frames(max_side_px=32)]
    assert all(b > a for (a, _), (b, _) in itertools.pairwise(walked))
    assert len(walked) >= length_s * 25 - 3
    assert [bright for at_s, bright in walked if abs(at_s - first_s) > 0.15] == [
        at_s > first_s for at_s, _ in walked if abs(at_s - first_s) > 0.15
    ]
    assert tone(reader, 0.5, 1.5) == tone(reader, first_s - 1.2, first_s - 0.3) == 440
    assert tone(reader, first_s + 0.3, first_s + 1.2) == tone(reader, length_s - 1.5, length_s - 0.5) == 1_000
    heard_s = sum(len(b.samples) for b in reader.audio(8_000)) / 8_000
    assert heard_s == pytest.approx(length_s, abs=0.15)
    shots = cut(reader)
    assert [round(s.start_s, 1) for s in shots] == [0.0, pytest.approx(first_s, abs=0.15)]
    assert reader.skipped["video"] == 0 and "clock" not in reader.skipped


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("halves")
    second = {"levels": (BRIGHT,), "tones": (1000.0,)}
    return {
        "first": written(folder / "first.ts", (DARK,)),
        "again": written(folder / "again.ts", **second),
        "ahead": written(folder / "ahead.ts", **second, output_ts_offset="5000"),
        "before_wrap": written(folder / "wrap.ts", (DARK,), output_ts_offset=str(WRAP_S - 2)),
        "ids": written(folder / "ids.ts", **second, mpegts_start_pid="0x300"),
        "codec": written(
            folder / "codec.ts", **second, mpegts_start_pid="0x300", mpegts_service_id="9", mpegts_pmt_start_pid="0x500",
            size=(320, 180), video_codec="mpeg4", audio_codec="aac",
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("second", "says"),
    [("again", "set back at 0:04"), ("ahead", "ahead by 1:23:16 at 0:04"), ("ids", "other ids at 0:04"), ("codec", "other ids")],
)
def test_both_halves_of_a_joined_transport_stream(halves: dict[str, Path], tmp_path: Path, second: str, says: str) -> None:
    with open_clip(joined(tmp_path / "both.ts", halves["first"], halves[second])) as reader:
        assert any(says in p for p in reader.clip.problems)
        assert len(reader.clip.streams) == 2
        check_halves(reader)


def test_a_splice_at_which_sound_follows_later(halves: dict[str, Path], tmp_path: Path) -> None:
    """The last of the old sound comes after the first of the new picture, as broadcasters' splices have it."""
    rows, after = ([d[i : i + 188] for i in range(0, len(d), 188)] for d in (halves[n].read_bytes() for n in ("first", "again")))
    with av.open(str(halves["first"])) as container:
        sound = container.streams.audio[0].id
    late = [n for n in range(len(rows) - 120, len(rows)) if (rows[n][1] & 0x1F) << 8 | rows[n][2] == sound]
    kept = [r for n, r in enumerate(rows) if n not in late]
    at = next(n for n, r in enumerate(after) if (r[1] & 0x1F) << 8 | r[2] == sound and r[1] & 0x40)
    path = tmp_path / "splice.ts"
    path.write_bytes(b"".join([*kept, *after[:at], *(rows[n] for n in late), *after[at:]]))
    with open_clip(path) as reader:
        check_halves(reader)


def test_a_clock_far_from_zero_goes_on_at_zero(halves: dict[str, Path], tmp_path: Path) -> None:
    with open_clip(joined(tmp_path / "back.ts", halves["before_wrap"], halves["again"])) as reader:
        check_halves(reader)


def test_the_clock_that_begins_again_is_no_break(tmp_path: Path) -> None:
    path = written(tmp_path / "wrap.ts", (DARK, BRIGHT), length_s=8, output_ts_offset=str(WRAP_S - 5.4))
    with open_clip(path) as reader:
        assert reader.clip.problems == () and reader.clip.duration_s == pytest.approx(8.0, abs=0.05)
        assert greys(reader, [1.0, 7.0, 3.6, 4.4]) == [False, True, False, True]
        assert tone(reader, 3.0, 6.0) == 440


def test_a_pause_in_reception_stays_and_a_long_one_is_closed(tmp_path: Path) -> None:
    with open_clip(written(tmp_path / "short.ts", (DARK,), length_s=10, gap=(3, 4))) as reader:
        assert reader.clip.problems == () and reader.clip.duration_s == pytest.approx(10.0, abs=0.05)
        assert tone(reader, 4.0, 6.0) == 0
    with open_clip(written(tmp_path / "long.ts", (DARK,), length_s=26, gap=(3, 20))) as reader:
        assert reader.clip.duration_s == pytest.approx(6.0, abs=0.15) and "ahead by 0:20" in reader.clip.problems[0]
    with open_clip(written(tmp_path / "one.ts", (DARK,), length_s=18, gap=(3, 12), pictures_gap_only=True)) as reader:
        assert reader.clip.problems == () and reader.clip.duration_s == pytest.approx(18.0, abs=0.05)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("x.m2ts", {"mpegts_m2ts_mode": "1"}),
        ("x.vob", {"container": "vob"}),
        ("x.mpg", {"container": "mpeg", "video_codec": "mpeg1video"}),
    ],
)
def test_other_kinds_of_stream_with_the_clock_set_back(name: str, options: dict[str, str], tmp_path: Path) -> None:
    first = written(tmp_path / f"a-{name}", (DARK,), **options)
    second = written(tmp_path / f"b-{name}", (BRIGHT,), (1000.0,), **options)
    with open_clip(joined(tmp_path / name, first, second)) as reader:
        assert any("set back" in p for p in reader.clip.problems)
        check_halves(reader, first_s=4.0)


@pytest.mark.parametrize(
    ("name", "codecs"), [("x.mp4", ("mpeg4", "aac")), ("x.mkv", ("mpeg4", "flac")), ("x.mov", ("mpeg4", "aac"))]
)
def test_files_joined_end_to_end(name: str, codecs: tuple[str, str], tmp_path: Path) -> None:
    how = {"video_codec": codecs[0], "audio_codec": codecs[1]}
    first = written(tmp_path / f"a-{name}", (DARK,), **how)
    second = written(tmp_path / f"b-{name}", (BRIGHT,), (1000.0,), size=(160, 120), **how)
    with open_clip(joined(tmp_path / name, first, second)) as reader:
        assert any("Another recording begins in the file at 0:04" in p for p in reader.clip.problems)
        check_halves(reader)
    with open_clip(first) as reader:
        assert reader.clip.problems == ()


def test_sound_files_joined_end_to_end(tone_wav, tmp_path: Path) -> None:
    first, second = tone_wav("a.wav", 440.0), tone_wav("b.wav", 1000.0)
    with open_clip(joined(tmp_path / "x.wav", first, second)) as reader:
        assert reader.clip.duration_s == pytest.approx(4.0, abs=0.01)
        assert tone(reader, 0.5, 1.5) == 440 and tone(reader, 2.5, 3.5) == 1_000


def test_a_child_reads_joined_parts_as_the_process_itself(halves: dict[str, Path], tmp_path: Path) -> None:
    from engine.media import open_clip as guarded

    path = joined(tmp_path / "both.ts", halves["first"], halves["ids"])
    with open_clip(path) as here, guarded(path) as there:
        assert here.clip == there.clip
        check_halves(there)


def test_sound_alone_changes_its_id(tmp_path: Path) -> None:
    """The picture goes on without a hole where only the sound's id changes and one clock runs on."""
    whole = written(tmp_path / "a.ts", (DARK, BRIGHT), (440.0, 1000.0), length_s=8)
    rows = [whole.read_bytes()[i : i + 188] for i in range(0, whole.stat().st_size, 188)]
    with av.open(str(whole)) as container:
        _video, first, second = (s.id for s in container.streams)
    half = len(rows) // 2
    out = []
    for number, row in enumerate(rows):
        pid = (row[1] & 0x1F) << 8 | row[2]
        if pid == (second if number < half else first):
            continue
        out.append(_pmt_without(row, second if number < half else first) if row[4:6] == b"\0\2" and row[1] & 0x40 else row)
    path = tmp_path / "b.ts"
    path.write_bytes(b"".join(out))
    with open_clip(path) as reader:
        assert reader.clip.duration_s == pytest.approx(8.0, abs=0.1)
        assert any("other ids" in p for p in reader.clip.problems)
        assert tone(reader, 1.0, 2.0) == 440 and tone(reader, 6.0, 7.0) == 1_000
        times_s = [f.time_s for f in reader.frames(max_side_px=32)]
        assert len(times_s) == 200 and max(np.diff(times_s)) < 0.05


def _pmt_without(row: bytes, pid: int) -> bytes:
    """A table of a programme without one of its streams."""
    from joining import _crc

    section = row[5 : 5 + 3 + ((row[6] & 0x0F) << 8 | row[7])]
    at, body = 12, section[:12]
    while at < len(section) - 4:
        size = 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
        if (section[at + 1] & 0x1F) << 8 | section[at + 2] != pid:
            body += section[at : at + size]
        at += size
    body = body[:1] + (0xB000 | len(body) + 4 - 3).to_bytes(2, "big") + body[3:]
    made = row[:5] + body + _crc(body).to_bytes(4, "big")
    return made + b"\xff" * (188 - len(made))


@pytest.fixture
def two_programmes(tmp_path: Path) -> Path:
    radio = written(tmp_path / "r.ts", (), (700.0,), length_s=8, mpegts_service_id="7", mpegts_start_pid="0x400",
                    mpegts_pmt_start_pid="0x1f0")  # fmt: skip
    film = written(tmp_path / "tv.ts", (DARK, BRIGHT), (440.0,), mpegts_service_id="3", mpegts_start_pid="0x200",
                   output_ts_offset="300")  # fmt: skip
    return woven(tmp_path / "both.ts", (radio, film), (7, 3))


def test_sound_and_pictures_come_from_one_programme(two_programmes: Path) -> None:
    with open_clip(two_programmes) as reader:
        clip = reader.clip
        assert [p.number for p in clip.programmes] == [7, 3] and clip.programme == 3
        assert any("programme 3" in p and "also holds programme 7" in p for p in clip.problems)
        assert clip.duration_s == pytest.approx(4.0, abs=0.05)
        assert tone(reader, 1.0, 2.0) == 440 and greys(reader, [1.0, 3.0]) == [False, True]
        other = reader.of_programme("7")
        assert other.clip.duration_s == pytest.approx(8.0, abs=0.05) and other.clip.video_tracks == ()
        assert tone(other, 6.0, 7.0) == 700
        assert any("Sound of programme 7" in p for p in other.clip.problems)
        assert not any("programme 3 (" in p and "are read" in p for p in other.clip.problems)
        (heard,) = other.clip.audio_tracks
        assert reader.of_programme(None, heard.track).clip == other.clip
        assert reader.of_programme(3) is reader
        for wrong in ("8", "no such"):
            with pytest.raises(SettingError, match="choose one of 7"):
                reader.of_programme(wrong)
        with pytest.raises(SettingError, match="not of programme 3"):
            reader.of_programme("3", heard.track)


def test_a_programme_by_settings_and_by_name(two_programmes: Path) -> None:
    with open_clip(two_programmes, settings=Settings(programme="7")) as reader:
        assert reader.clip.programme == 7
    data = two_programmes.read_bytes()
    with open_clip(two_programmes) as reader, pytest.raises(SettingError):
        reader.of_programme("")
    assert data == two_programmes.read_bytes()


def test_no_programme_can_be_chosen_where_there_is_one(halves: dict[str, Path]) -> None:
    with open_clip(halves["first"]) as reader, pytest.raises(SettingError, match="one programme only"):
        reader.of_programme("1")


# --- tracks -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.ts", "x.mkv", "x.mov"])
def test_a_silent_first_track_gives_way(name: str, tmp_path: Path) -> None:
    with open_clip(written(tmp_path / name, (DARK,), (0.0, 440.0), audio_codec="mp2" if name != "x.mov" else "aac")) as reader:
        assert [s.silent for s in reader.clip.audio_tracks] == [True, False]
        assert tone(reader, 1.0, 2.0) == 440
        assert any("Audio track 2" in p and "track 1 is silent" in p for p in reader.clip.problems)
        assert tone(reader, 1.0, 2.0, track=1) == 0


def test_an_offset_is_as_silent_as_zero(tmp_path: Path) -> None:
    levels = np.stack([np.full(8_000, 0.2), 0.3 * np.sin(np.arange(8_000) / 3)]).astype(np.float32)
    with av.open(str(tmp_path / "x.mkv"), "w") as out:
        streams = [out.add_stream("pcm_s16le", rate=8_000, layout="mono") for _ in levels]
        for stream, level in zip(streams, levels, strict=True):
            frame = av.AudioFrame.from_ndarray((level * 32767).astype(np.int16)[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8_000, 0
            out.mux(stream.encode(frame))
    with open_clip(tmp_path / "x.mkv") as reader:
        assert [s.silent for s in reader.clip.audio_tracks] == [True, False]


def test_all_tracks_silent_is_no_choice(tmp_path: Path) -> None:
    with open_clip(written(tmp_path / "x.mkv", (DARK,), (0.0, 0.0))) as reader:
        choice = reader.clip.choice("audio")
        assert choice is not None and choice.stream.track == 1 and choice.why == ""


def test_a_track_that_sounds_late_is_not_silent(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as out:
        tracks = [out.add_stream("pcm_s16le", rate=8_000, layout="mono") for _ in range(2)]
        for second in range(40):
            for number, stream in enumerate(tracks):
                wave = np.zeros(8_000) if number == 0 and second < 30 else 0.5 * np.sin(np.arange(8_000) * (0.2 + 0.1 * number))
                frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
                frame.sample_rate, frame.pts = 8_000, second * 8_000
                out.mux(stream.encode(frame))
        for stream in tracks:
            out.mux(stream.encode(None))
    with open_clip(path) as reader:
        choice = reader.clip.choice("audio")
        assert choice is not None and choice.stream.track == 1 and not choice.stream.silent


@pytest.mark.parametrize(
    ("flag", "name"),
    [(Disposition.comment, "comment"), (Disposition.hearing_impaired, "hearing impaired"),
     (Disposition.visual_impaired, "visual impaired")],
)  # fmt: skip
def test_a_flagged_first_track_gives_way(flag: Disposition, name: str, tmp_path: Path) -> None:
    with open_clip(written(tmp_path / "x.mkv", (DARK,), (700.0, 440.0), flags=(flag.value, 0))) as reader:
        assert name in reader.clip.audio_tracks[0].flags
        assert tone(reader, 1.0, 2.0) == 440
        assert any(f"track 1 is flagged “{name}”" in p for p in reader.clip.problems)


def test_a_commentary_is_known_by_its_title(tmp_path: Path) -> None:
    with open_clip(written(tmp_path / "x.mkv", (DARK,), (700.0, 440.0), titles=("Director's Commentary",))) as reader:
        assert tone(reader, 1.0, 2.0) == 440


def track(number: int, **facts: object) -> Stream:
    return Stream(number, number, "audio", "aac", **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tracks", "chosen"),
    [
        ((track(1), track(2)), 1),
        ((track(1), track(2, default=True)), 2),
        ((track(1, default=True, flags=("comment",)), track(2)), 2),
        ((track(1, flags=("dub",)), track(2, flags=("original",))), 2),
        ((track(1, flags=("dub",)), track(2)), 1),
        ((track(1, silent=True, default=True), track(2, flags=("comment",))), 2),
        ((track(1, language="nar"), track(2, language="eng")), 2),
        ((track(1, decodable=False, default=True), track(2)), 2),
        ((track(1, flags=("clean effects",)), track(2, flags=("karaoke",)), track(3)), 3),
    ],
)
def test_the_main_track(tracks: tuple[Stream, ...], chosen: int) -> None:
    choice = Clip("x", "", 1, "mov", 1.0, tracks).choice("audio")
    assert choice is not None and choice.stream.track == chosen


def test_a_clip_survives_its_facts(two_programmes: Path) -> None:
    import json
    from dataclasses import asdict

    with open_clip(two_programmes) as reader:
        assert Clip.of(json.loads(json.dumps(asdict(reader.clip)))) == reader.clip


# --- hostile tables ---------------------------------------------------------------------------------------------------------


def test_damaged_tables_never_escape(halves: dict[str, Path], tmp_path: Path) -> None:
    from engine.core.errors import MediaError

    rng = np.random.default_rng(5)
    whole = joined(tmp_path / "both.ts", halves["first"], halves["ids"]).read_bytes()
    for trial in range(15):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 400):
            data[at] = rng.integers(256)
        if trial % 3 == 0:
            del data[1000 : 1000 + int(rng.integers(1, 400))]
        path = tmp_path / "damaged.ts"
        path.write_bytes(data)
        try:
            with open_clip(path) as reader:
                assert (reader.clip.duration_s or 0.0) < 900_000
        except MediaError:
            pass
