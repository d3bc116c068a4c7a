"""The example clips hold what their README says, and their scripts make such clips."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from engine import open_clip
from engine.core.paths import EXAMPLES
from engine.models import birdnet
from engine.models.ocr import TextReader
from examples import birdsong, golf_georgia, make_examples, scenery, vermont_chickadee

HEARD = {"golf_georgia.mp4": {"Great Tit", "Common Cuckoo"}, "vermont_chickadee.mp4": {"Black-capped Chickadee"}}


@pytest.fixture(scope="module")
def listener() -> birdnet.Listener:
    return birdnet.Listener(1)


def windows_of(samples: np.ndarray, stride_s: float = 1.5) -> np.ndarray:
    """(n, 144000) windows of mono samples at 48 kHz."""
    starts = np.arange(0, len(samples) - birdnet.WINDOW_SAMPLES + 1, round(stride_s * birdnet.RATE_HZ))
    return np.stack([samples[i : i + birdnet.WINDOW_SAMPLES] for i in starts]).astype(np.float32)


def best_by_name(scores: np.ndarray) -> dict[str, np.ndarray]:
    """Common name -> scores in all windows, of every class that reaches 0.3 somewhere."""
    return {birdnet.labels()[k].common: scores[:, k] for k in np.flatnonzero(scores.max(axis=0) >= 0.3)}


@pytest.mark.parametrize("name", sorted(HEARD))
def test_birdnet_names_the_birds_and_no_others(name: str, listener: birdnet.Listener) -> None:
    with open_clip(EXAMPLES / name) as reader:
        samples = np.concatenate([block.samples for block in reader.audio(birdnet.RATE_HZ)])
    found = best_by_name(listener.scores(windows_of(samples)))
    assert set(found) == HEARD[name]
    for bird, scores in found.items():
        assert (scores >= 0.8).sum() >= 4, f"{bird} is heard in {(scores >= 0.8).sum()} windows"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("golf_georgia.mp4", {"PINEMARROW", "AUGUSTA,GA30904USA", "TEL.+17065550143"}),
        ("vermont_chickadee.mp4", {"Welcometo", "MONTPELIER", "VERMONT05602USA"}),
    ],
)
def test_the_sign_is_read(name: str, lines: set[str]) -> None:
    with open_clip(EXAMPLES / name) as reader:
        times_s = [4.0, 9.5, 13.0, 16.0, 21.0]
        read = [{line.text.replace(" ", "") for line in text_reader().read(f.rgb)} for f in reader.frames(times_s=times_s)]
    for nothing_written in (read[0], read[-1]):
        assert all(len(word) < 2 for word in nothing_written), nothing_written
    for words in read[1:-1]:
        assert lines <= words


@cache
def text_reader() -> TextReader:
    return TextReader(1)


@pytest.mark.parametrize("name", sorted(HEARD))
def test_form_of_the_clips(name: str) -> None:
    path = EXAMPLES / name
    assert path.stat().st_size < 3_000_000
    with open_clip(path) as reader:
        (video,), (audio,) = reader.clip.video_tracks, reader.clip.audio_tracks
        assert (video.codec, video.width_px, video.height_px, video.fps) == ("h264", 1280, 720, 25.0)
        assert (audio.codec, audio.rate_hz, audio.channels) == ("aac", 48_000, 2)
        assert reader.clip.duration_s == pytest.approx(24.0, abs=0.1)
        assert not reader.clip.problems


@pytest.mark.parametrize(
    ("phrase", "bird"),
    [(birdsong.great_tit, "Great Tit"), (birdsong.cuckoo, "Common Cuckoo"), (birdsong.chickadee, "Black-capped Chickadee")],
)
@pytest.mark.parametrize("distance", [0.2, 0.5])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_song_from_its_description_is_recognised(
    phrase, bird: str, distance: float, seed: int, listener: birdnet.Listener
) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    song = birdsong.outdoors(phrase(rng), rng, distance)
    samples = birdsong.stereo(3.0, [(0.2, song, 0.3, 0.0)], 0.006 * birdsong.wind(3.0, rng)).mean(axis=1)
    scores = listener.scores(windows_of(samples))[0]
    assert birdnet.labels()[int(scores.argmax())].common == bird
    assert scores.max() >= 0.8


@pytest.mark.parametrize("scene", [golf_georgia, vermont_chickadee])
def test_sound_is_seeded_and_fits_the_clip(scene) -> None:  # type: ignore[no-untyped-def]
    first, again, other = (scene.sound(np.random.default_rng(s)) for s in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first.shape == (round(scene.LENGTH_S * birdsong.RATE_HZ), 2)
    assert 0.1 < np.abs(first).max() < 0.98, "too quiet, or clipped"
    assert sum(scene.SHOT_S) == scene.LENGTH_S


def test_tone_has_its_pitch() -> None:
    wave = birdsong.tone(690, 690, 1.0, 0.05, 0.05)
    peak_hz = np.abs(np.fft.rfft(wave)).argmax()  # one second: bins are hertz
    assert peak_hz == 690
    assert wave[0] == 0 and abs(wave[-1]) < 0.01


def test_camera_holds_the_middle_and_never_shows_an_edge() -> None:
    empty = np.zeros((scenery.HEIGHT, scenery.WIDTH, 4), np.float32)
    shot = scenery.Shot((scenery.Layer(empty, 1.0),), (90, 14), (1.0, 1.1))
    for along in np.linspace(0, 1, 11):
        camera = scenery.camera(shot, float(along), 1.0)
        left, top = camera.see(0, 0)
        right, bottom = camera.see(scenery.WIDTH, scenery.HEIGHT)
        assert left <= 0 and top <= 0 and right >= scenery.FRAME_WIDTH and bottom >= scenery.FRAME_HEIGHT
    assert scenery.camera(shot, 0.5, 1.0).see(scenery.WIDTH / 2, scenery.HEIGHT / 2) == pytest.approx((640, 360))


def test_drawing_surfaces() -> None:
    rng = np.random.default_rng(5)
    field = scenery.clouds(rng, 60, 90, (30, 20))
    assert field.shape == (60, 90) and field.min() == 0.0 and field.max() == 1.0
    sheet = scenery.Sheet()
    sheet.box(100, 100, 200, 200, (255, 0, 0, 255))
    pixels = sheet.done()
    assert pixels[150, 150].tolist() == pytest.approx([1, 0, 0, 1]) and pixels[50, 50].tolist() == [0, 0, 0, 0]
    assert scenery.over(np.ones_like(pixels), pixels)[50, 50].tolist() == [1, 1, 1, 1]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(make_examples.CLIPS))
def test_the_script_makes_the_same_clip_twice(name: str, tmp_path: Path) -> None:
    digests = set()
    for turn in ("a", "b"):
        (tmp_path / turn).mkdir()
        path = make_examples.make(name, tmp_path / turn, length_s=0.6)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
        with av.open(str(path)) as made, av.open(str(EXAMPLES / name)) as shipped:
            new = next(made.decode(video=0)).to_ndarray(format="rgb24").astype(int)
            old = next(shipped.decode(video=0)).to_ndarray(format="rgb24").astype(int)
            assert np.abs(new - old).mean() < 3.0, "the shipped clip is not what the script draws"
    assert len(digests) == 1
