"""Which containers are read and which never: the list is closed, and what it holds opens nothing but the file itself."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from joining import written

from engine.core.errors import MediaError
from engine.media.container import DEMUXERS
from engine.media.reader import open_clip

FORBIDDEN = (
    "hls", "dash", "concat", "concatf", "image2", "image2pipe", "lavfi", "sdp", "rtsp", "rtp", "sap", "imf", "ffmetadata",
    "tedcaptions",
    "applehttp", "libopenmpt", "vobsub", "webm_dash_manifest", "fbdev", "x11grab", "kmsgrab", "alsa", "oss", "video4linux2",
    "v4l2",
    "mmsh", "data", "bin", "rawvideo", "s16le", "avisynth", "vapoursynth", "srt", "ass", "smil", "asx", "xwd_pipe", "svg_pipe",
)  # fmt: skip


def test_nothing_that_opens_other_things_is_on_the_list() -> None:
    assert not set(DEMUXERS) & set(FORBIDDEN)
    assert len(set(DEMUXERS)) == len(DEMUXERS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n"),
        ("a.ts", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n"),
        ("a.dav", "ffconcat version 1.0\nfile '{}'\n"),
        ("a.mpd", '<?xml version="1.0"?><MPD><BaseURL>{}</BaseURL></MPD>'),
        ("a.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 1 RTP/AVP 96\n"),
        ("a.mxf", ";FFMETADATA1\ntitle={}\n"),
        ("a%03d.avi", "anullsrc {}"),
        ("a.y4m", "testsrc=d=1 {}"),
    ],
)
def test_playlists_and_scripts_are_refused_under_any_name(name: str, text: str, tmp_path: Path) -> None:
    secret = written(tmp_path / "secret.ts", (50,), length_s=0.5)
    path = tmp_path / name
    path.write_text(text.format(secret))
    with pytest.raises(MediaError):
        open_clip(path)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("x.vob", {"container": "vob"}),
        ("x.m2ts", {"mpegts_m2ts_mode": "1"}),
        ("x.mxf", {"audio_codec": "pcm_s16le"}),
        ("x.asf", {}),
        ("x.wmv", {"container": "asf", "video_codec": "wmv2", "audio_codec": "mp2"}),
        ("x.3gp", {"video_codec": "mpeg4", "audio_codec": "aac"}),
        ("x.flv", {"video_codec": "flv1", "audio_codec": "aac"}),
        ("x.f4v", {"video_codec": "libx264", "audio_codec": "aac"}),
        ("x.nut", {}),
        ("x.avi", {"video_codec": "mpeg4"}),
        ("x.y4m", {"container": "yuv4mpegpipe", "video_codec": "wrapped_avframe", "tones": ()}),
        ("x.h264", {"video_codec": "libx264", "tones": ()}),
        ("x.264", {"container": "h264", "video_codec": "libx264", "tones": ()}),
        ("x.ivf", {"video_codec": "libvpx", "tones": ()}),
        ("x.m2v", {"container": "mpeg2video", "tones": ()}),
    ],
)
def test_containers_that_are_met(name: str, how: dict[str, object], tmp_path: Path) -> None:
    if how.get("video_codec", "mpeg2video") not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {how['video_codec']}")
    path = written(tmp_path / name, (50, 200), length_s=2.0, **how)  # type: ignore[arg-type]
    with open_clip(path) as reader:
        frames = [f.rgb.mean() > 125 for f in reader.frames([0.3, 1.7], max_side_px=64)]
        assert frames == [False, True]
        if how.get("tones") != ():
            assert sum(len(b.samples) for b in reader.audio(8_000)) == pytest.approx(16_000, rel=0.1)


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("x.caf", "pcm_s16le", "caf"), ("x.w64", "pcm_s16le", "w64"), ("x.aiff", "pcm_s16be", "aiff"),
        ("x.au", "pcm_s16be", "au"),
        ("x.ac3", "ac3", "ac3"), ("x.tta", "tta", "tta"), ("x.wv", "wavpack", "wv"), ("x.opus", "libopus", "opus"),
        ("x.spx", "libspeex", "spx"), ("x.voc", "pcm_s16le", "voc"), ("x.eac3", "eac3", "eac3"), ("x.flac", "flac", "flac"),
    ],
)  # fmt: skip
def test_sound_files_that_are_met(name: str, codec: str, container: str, tmp_path: Path) -> None:
    if codec not in av.codecs_available or container not in av.formats_available:
        pytest.skip(f"this build of PyAV cannot write {codec} in {container}")
    plain = tmp_path / "plain.wav"
    with wave.open(str(plain), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes((9_000 * np.sin(np.arange(96_000) * 0.06)).astype("<i2").tobytes())
    path = tmp_path / name
    with av.open(str(plain)) as source, av.open(str(path), "w", format=container) as sink:
        stream = sink.add_stream(codec, rate=48_000, layout="mono")
        if codec == "tta" or codec == "wavpack":
            stream.codec_context.format = stream.codec_context.codec.audio_formats[0]
        resampler = av.AudioResampler(
            stream.codec_context.format, "mono", 48_000, frame_size=stream.codec_context.frame_size or 1024
        )
        for frame in [*source.decode(audio=0), None]:
            for made in resampler.resample(frame):
                sink.mux(stream.encode(made))
        sink.mux(stream.encode(None))
    with open_clip(path) as reader:
        samples = np.concatenate([b.samples for b in reader.audio(8_000)])
        assert len(samples) == pytest.approx(16_000, rel=0.1) and np.abs(samples).max() > 0.1


def test_a_security_camera_s_file() -> None:
    from engine.core.paths import data_dir

    path = data_dir() / "faults" / "cctv.dav"
    if not path.is_file():
        pytest.skip(f"real material not found: {path} (set EARWITNESS_DATA)")
    with open_clip(path) as reader:
        assert reader.clip.container == "dhav" and reader.clip.duration_s == pytest.approx(6.0, abs=0.25)
        assert len(list(reader.frames(max_side_px=64))) == 30
