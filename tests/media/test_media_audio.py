"""Audio blocks: known signals, true time, little memory."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from engine.core.clip import Interval
from engine.core.errors import Cancelled, MediaError, SettingError
from engine.core.paths import ROOT
from engine.core.progress import Progress
from engine.media import excerpt_wav
from engine.media.reader import open_clip


def heard(reader, rate_hz: int = 48_000, **wanted) -> np.ndarray:
    return np.concatenate([b.samples for b in reader.audio(rate_hz, **wanted)])


def chirp(length_s: float, rate_hz: int = 48_000) -> np.ndarray:
    t = np.arange(round(length_s * rate_hz)) / rate_hz
    return 0.5 * np.sin(2 * np.pi * (200 * t + 100 * t**2))


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 32_000, 48_000])
def test_tone_keeps_its_pitch_level_and_length(rate_hz: int, tone_wav) -> None:
    with open_clip(tone_wav(hz=1_000, length_s=3.0, rate_hz=44_100)) as reader:
        samples = heard(reader, rate_hz)
    assert len(samples) == pytest.approx(3.0 * rate_hz, abs=2)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * rate_hz / len(samples) == pytest.approx(1_000, abs=1)
    assert np.sqrt(np.mean(samples[1_000:-1_000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_blocks_follow_each_other(tone_wav) -> None:
    with open_clip(tone_wav(length_s=3.3)) as reader:
        blocks = list(reader.audio(16_000, block_s=1.0))
    assert [b.start_s for b in blocks] == [0.0, 1.0, 2.0, 3.0]
    assert [len(b.samples) for b in blocks] == [16_000, 16_000, 16_000, 4_800]


def test_interval_is_the_same_slice(make_clip) -> None:
    for name, codec in (("c.mkv", "flac"), ("c.wav", "pcm_s16le"), ("c.ts", "aac"), ("c.mp4", "aac"), ("c.mp3", "mp3")):
        with open_clip(make_clip(name, sounds=(chirp(12.0)[None],), codec=codec)) as reader:
            whole = heard(reader)
            for start_s, end_s in ((0.5, 1.5), (7.3, 9.1), (11.0, 20.0)):
                part = heard(reader, interval=Interval(start_s, end_s))
                expected = whole[round(start_s * 48_000) : round(end_s * 48_000)]
                assert len(part) == pytest.approx(len(expected), abs=1), name
                n = min(len(part), len(expected))
                assert np.abs(part[:n] - expected[:n]).max() < 0.02, name


def test_late_start_and_gap_are_silence(make_clip) -> None:
    tone = chirp(4.0)[None]
    path = make_clip("late.mkv", sounds=(tone,), codec="pcm_s16le", levels=np.zeros(200), sound_at_s=1.5, gap=(3.5, 2.0))
    with open_clip(path) as reader:
        samples = heard(reader)
    assert len(samples) == pytest.approx(7.5 * 48_000, abs=100)
    loud = np.array([np.abs(part).max() > 0.1 for part in np.array_split(samples, 75)])  # tenths of a second
    assert not loud[:15].any() and loud[16:35].all() and not loud[36:55].any() and loud[56:].all()


def test_a_clock_that_jumps_by_years_makes_no_years_of_silence(make_clip) -> None:
    path = make_clip("mad.mkv", sounds=(chirp(2.0)[None],), codec="pcm_s16le", gap=(1.0, 3e7))
    with open_clip(path) as reader:
        samples = heard(reader, 16_000)
        assert len(samples) == pytest.approx(2.0 * 16_000, rel=0.01)
        assert reader.skipped["clock"] == 1
        assert reader.clip.duration_s < 20 * 86_400


def test_sound_said_to_start_in_years_starts_now(make_clip) -> None:
    path = make_clip("mad.mkv", sounds=(chirp(1.0)[None],), codec="pcm_s16le", levels=np.zeros(25), sound_at_s=2e6)
    with open_clip(path) as reader:
        assert len(heard(reader, 16_000)) == pytest.approx(16_000, rel=0.01)
        assert reader.skipped["clock"] == 1


@pytest.mark.parametrize("layout", ["stereo", "5.1", "7.1"])
def test_many_channels_become_one(layout: str, make_clip) -> None:
    channels = av.AudioLayout(layout).nb_channels
    with open_clip(make_clip("m.wav", sounds=(np.tile(chirp(1.0), (channels, 1)),), layout=layout, codec="pcm_s16le")) as reader:
        samples = heard(reader)
    assert len(samples) == 48_000
    wanted = chirp(1.0)
    assert np.corrcoef(samples, wanted)[0, 1] > 0.999
    assert np.abs(samples).max() <= 1.0
    if layout == "stereo":
        assert np.abs(samples - wanted).max() < 1e-3


def test_float_and_integer_stereo_are_mixed_alike(make_clip) -> None:
    sound = np.tile(chirp(1.0), (2, 1))
    with open_clip(make_clip("i.mkv", sounds=(sound,), layout="stereo", codec="pcm_s16le")) as reader:
        whole = heard(reader)
    with open_clip(make_clip("f.mkv", sounds=(sound,), layout="stereo", codec="aac")) as reader:
        lossy = heard(reader)
    assert np.std(lossy) == pytest.approx(np.std(whole), rel=0.02)


def test_unnamed_layouts_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "array.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(11)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes((np.tile(chirp(1.0)[:, None], (1, 11)) * 32767).astype("<i2").tobytes())
    with open_clip(path) as reader:
        samples = heard(reader)
    assert np.abs(samples - chirp(1.0)).max() < 1e-3


def test_rate_may_change_in_the_middle(make_clip, tmp_path: Path) -> None:
    """Two MPEG transport streams in a row, as a splice in a broadcast leaves them; the second one's clock starts anew."""
    low = tmp_path / "low.ts"
    with av.open(str(low), "w") as out:
        stream = out.add_stream("aac", rate=32_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.tile(chirp(2.0, 32_000), (2, 1)).astype(np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 32_000, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    high = make_clip("high.ts", sounds=(chirp(2.0)[None],), codec="aac")
    both = tmp_path / "both.ts"
    both.write_bytes(low.read_bytes() + high.read_bytes())
    with open_clip(both) as reader:
        samples = heard(reader)
    assert len(samples) == pytest.approx(4.05 * 48_000, rel=0.02)
    loud = np.array([np.abs(part).max() > 0.3 for part in np.array_split(samples[2_400:-2_400], 39)])
    assert loud.sum() >= 37


def test_default_track_is_chosen(make_clip, tmp_path: Path) -> None:
    path = make_clip("two.mkv", sounds=(chirp(1.0)[None], 0.1 * chirp(1.0)[None]), codec="flac")
    with open_clip(path) as reader:
        assert [s.track for s in reader.clip.audio_tracks] == [1, 2]
        levels = [np.abs(heard(reader, track=t)).max() for t in (None, 1, 2)]
    assert levels[0] == levels[1] == pytest.approx(0.5, rel=0.01) and levels[2] == pytest.approx(0.05, rel=0.02)


def test_nan_in_a_float_track_is_silence(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    values = np.full(16_000, 0.25, "<f4")
    values[100:200], values[300] = np.nan, np.inf
    header = b"RIFF" + (36 + values.nbytes).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += (3).to_bytes(2, "little") + (1).to_bytes(2, "little") + (16_000).to_bytes(4, "little")
    header += (64_000).to_bytes(4, "little") + (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
    path.write_bytes(header + b"data" + values.nbytes.to_bytes(4, "little") + values.tobytes())
    with open_clip(path) as reader:
        samples = heard(reader, 16_000)
    assert np.isfinite(samples).all() and samples[250] == 0.25 and not samples[100:200].any()


MEMORY = """
import resource, sys
from engine.media import open_clip
with open_clip(sys.argv[1]) as reader:
    next(reader.audio(48_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(len(b.samples) for b in reader.audio(48_000))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
scale = 1024 if sys.platform == "linux" else 1
print(count, (after - before) * scale / 1e6)
"""


@pytest.mark.slow
def test_half_an_hour_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    minute = (0.3 * np.sin(np.arange(60 * 16_000) * 0.2) * 32767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        for _ in range(30):
            out.writeframes(minute)
    done = subprocess.run([sys.executable, "-c", MEMORY, str(path)], cwd=ROOT, capture_output=True, text=True, check=True)
    count, grown_mb = done.stdout.split()
    assert int(count) == pytest.approx(1_800 * 48_000, abs=48)
    assert float(grown_mb) < 40


def test_excerpt_is_a_wav_of_the_stretch(tone_wav) -> None:
    with open_clip(tone_wav(hz=500, length_s=3.0)) as reader:
        data = excerpt_wav(reader, Interval(1.0, 2.5))
        with pytest.raises(MediaError, match="no sound from 5 to 6"):
            excerpt_wav(reader, Interval(5.0, 6.0))
        with pytest.raises(MediaError, match="too long"):
            excerpt_wav(reader, Interval(0.0, 500.0))
    assert data[:4] == b"RIFF" and int.from_bytes(data[24:28], "little") == 16_000
    assert (len(data) - 44) // 2 == 24_000


def test_senseless_requests_are_refused(tone_wav) -> None:
    with open_clip(tone_wav()) as reader:
        with pytest.raises(SettingError):
            reader.audio(10)
        with pytest.raises(SettingError):
            reader.audio(16_000, block_s=0.0)
        with pytest.raises(MediaError, match="has no pictures"):
            reader.frames([0.0])


def test_hashing_tells_and_stops(tone_wav) -> None:
    told: list[Progress] = []
    with open_clip(tone_wav(), told.append) as reader:
        import hashlib

        assert reader.clip.sha256 == hashlib.sha256(Path(reader.clip.path).read_bytes()).hexdigest()
    assert told and told[-1].fraction == 1.0

    def stop(_: Progress) -> None:
        raise Cancelled("Stopped; nothing was written.")

    with pytest.raises(Cancelled):
        open_clip(tone_wav(), stop)
