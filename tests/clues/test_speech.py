"""Speech is found where it is, and the language speaks only where Whisper is installed and the analyst asks for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.analysis.judge import judge
from engine.clues.speech import observe, score
from engine.clues.speech.codes import SPEECH
from engine.clues.speech.observe import SpeechObserver, runs, windows_with_speech
from engine.clues.speech.score import language_chances, shares
from engine.core.clip import AudioBlock, Clip, Interval
from engine.core.errors import TooShortError, WeightsError
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.media import open_clip
from engine.models import voice, whisper
from engine.models.offline import go_offline
from engine.world import countries
from engine.world.grid import world_grid

RATE = 16_000


@pytest.fixture(scope="module")
def whisper_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper with the real vocabulary and features and a small inside, with random weights, in the real files."""
    go_offline()
    import torch
    from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    torch.manual_seed(1)
    inside = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    model = WhisperForConditionalGeneration(WhisperConfig(d_model=16, encoder_ffn_dim=32, decoder_ffn_dim=32, **inside))
    tokens = {f"<|{code}|>": 50_259 + i for i, code in enumerate(LANGUAGES) if code != "yue"}
    model.generation_config = GenerationConfig(decoder_start_token_id=50_258, is_multilingual=True, lang_to_id=tokens)
    with torch.no_grad():  # a random model is sure of nothing: make it lean on one token more
        model.proj_out.weight[tokens["<|fi|>"]] *= 40
    folder = tmp_path_factory.mktemp("whisper")
    model.save_pretrained(folder, safe_serialization=True)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    return folder


class Sounds:
    """A reader of one array at 16 kHz, in blocks that fit nothing."""

    def __init__(self, samples: NDArray[np.floating]) -> None:
        self.samples = np.asarray(samples, dtype=np.float32)
        self.clip = Clip("x.wav", "0" * 64, 1, "wav", len(samples) / RATE)
        self.skipped: dict[str, int] = {}

    def audio(
        self, rate_hz: int, interval: Interval | None = None, track: int | None = None, block_s: float = 10.0
    ) -> Iterator[AudioBlock]:
        samples = self.samples[:: RATE // rate_hz]  # 8 kHz where only how much sound there is counts
        start = int((interval.start_s if interval else 0.0) * rate_hz)
        end = min(int(interval.end_s * rate_hz) if interval else len(samples), len(samples))
        for at in range(start, end, 71_237):
            yield AudioBlock(at / rate_hz, rate_hz, samples[at : min(at + 71_237, end)])

    def frames(self, *args: object, **kwargs: object) -> Iterator[None]:
        return iter(())

    def close(self) -> None:
        pass


def said(start_s: float, end_s: float, label: str = SPEECH, score: float = 0.9, author: str = "model") -> Observation:
    return Observation("speech", "speech", label, score, start_s, end_s, author=author)


# --- where there is speech --------------------------------------------------------------------------------------------


def test_blocks_do_not_change_the_scores() -> None:
    x = np.random.default_rng(0).normal(0, 0.1, 41_000).astype(np.float32)
    whole = np.concatenate(list(voice.VoiceDetector().scores([x])))
    parts = np.concatenate(list(voice.VoiceDetector().scores([x[:100], x[100:7_000], x[7_000:]])))
    assert len(whole) == 81 and np.allclose(whole, parts, atol=1e-4)
    assert list(voice.VoiceDetector().scores([])) == []
    with pytest.raises(ValueError, match="finite"):
        list(voice.VoiceDetector().scores([np.full(600, np.nan, dtype=np.float32)]))


def test_the_numbers_are_those_of_the_package_itself() -> None:
    """In a process of its own: importing the package sets torch to one thread."""
    code = """
import numpy as np
from silero_vad.sequence_vad import SileroVADSequence
from engine.models import voice
x = np.random.default_rng(2).normal(0, 0.05, 50_000).astype(np.float32)
x[10_000:30_000] *= np.sin(np.arange(20_000) / 16_000 * 2 * np.pi * 4)
theirs = SileroVADSequence(str(voice.path())).audio_forward(x)
ours = np.concatenate(list(voice.VoiceDetector().scores([x])))
assert theirs.shape == ours.shape and np.allclose(theirs, ours, atol=1e-5), np.abs(theirs - ours).max()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr


def test_listening_leaves_torch_alone() -> None:
    code = """
import sys, numpy as np
from engine.models import voice
list(voice.VoiceDetector().scores([np.zeros(5_000, dtype=np.float32)]))
assert not {"torch", "silero_vad"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0 and done.stdout == "", done.stderr


def test_a_presenter_speaks_and_animals_do_not(data_dir: Path) -> None:
    with open_clip(data_dir / "clips" / "cl0128.ts") as reader:
        spoken = SpeechObserver().observe(reader.clip, reader)
    assert sum(o.end_s - o.start_s for o in spoken) > 4.0
    assert all(0.0 <= o.start_s < o.end_s <= 6.1 and o.score > 0.5 for o in spoken)
    with open_clip(data_dir / "clips" / "cl0165.webm") as reader:
        assert SpeechObserver().observe(reader.clip, reader) == ()


def test_silence_and_noise_are_no_speech(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 20 * RATE)
    for samples in (np.zeros(5 * RATE), noise):
        reader = Sounds(samples)
        assert SpeechObserver(folder=tmp_path).observe(reader.clip, reader) == ()
    nothing = Sounds(np.zeros(0))
    with pytest.raises(TooShortError, match="at least 1 s is needed"):
        SpeechObserver(folder=tmp_path).observe(nothing.clip, nothing)


def test_runs_bridge_breaths_and_drop_clicks() -> None:
    scores = np.zeros(200, dtype=np.float32)
    scores[10:40] = 0.9
    scores[45:80] = 0.9  # after a breath of 0.16 s
    scores[120:125] = 0.9  # 0.16 s: a click
    scores[180:] = 0.9
    assert runs(scores) == [(10, 80), (180, 200)]
    assert runs(np.zeros(0, dtype=np.float32)) == []


def test_windows_follow_the_speech() -> None:
    assert windows_with_speech(()) == []
    assert windows_with_speech((said(0, 1),)) == []  # too little to tell a language
    assert windows_with_speech((said(5, 9), said(100, 145))) == [Interval(5, 35), Interval(100, 130), Interval(130, 160)]
    many = tuple(said(t, t + 10 + t / 100) for t in range(0, 1000, 50))
    chosen = windows_with_speech(many)
    assert len(chosen) == observe.MOST_WINDOWS and chosen[-1].start_s == 950.0


# --- which language ---------------------------------------------------------------------------------------------------


def test_chances_are_those_of_the_model_itself(whisper_weights: Path) -> None:
    go_offline()
    import torch
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    x = np.random.default_rng(3).normal(0, 0.1, 30 * RATE).astype(np.float32)
    listener = whisper.LanguageListener(whisper_weights, "cpu")
    chances = listener.chances([x, x[: 4 * RATE]])
    assert chances.shape == (2, 99) and np.allclose(chances.sum(axis=1), 1.0, atol=1e-5)
    model = WhisperForConditionalGeneration.from_pretrained(whisper_weights, local_files_only=True).eval()
    features = WhisperFeatureExtractor.from_pretrained(whisper_weights)(x, sampling_rate=RATE, return_tensors="pt").input_features
    token = int(model.detect_language(features)[0])
    assert (
        f"<|{listener.languages[int(chances[0].argmax())]}|>"
        == {v: k for k, v in model.generation_config.lang_to_id.items()}[token]
    )
    assert torch.is_grad_enabled()
    for bad in (np.empty(0, np.float32), np.zeros(31 * RATE, np.float32), np.full(RATE, np.nan, np.float32)):
        with pytest.raises(ValueError, match="windows of up to"):
            listener.chances([bad])


def test_the_clue_asks_whisper_where_there_is_speech(whisper_weights: Path, data_dir: Path) -> None:
    with open_clip(data_dir / "clips" / "cl0128.ts") as reader:
        found = SpeechObserver(folder=whisper_weights).observe(reader.clip, reader)
    spoken = [o for o in found if o.label != SPEECH]
    assert all(o.author == whisper.MODEL_ID and 0.1 <= o.score <= 1.0 and o.end_s - o.start_s == 30.0 for o in spoken)
    assert {o.label for o in spoken} <= set(whisper.LanguageListener(whisper_weights).languages)


def test_without_whisper_it_abstains_by_name(tmp_path: Path) -> None:
    grid = world_grid()
    assert "no speech" in str(score.log_likelihood((), grid, folder=tmp_path).abstained)
    assert score.log_likelihood((said(0, 9),), grid, folder=tmp_path).abstained == "Whisper small is not installed"


def test_damaged_weights_are_refused(whisper_weights: Path, tmp_path: Path) -> None:
    for file in whisper_weights.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        whisper.LanguageListener(tmp_path, "cpu").chances([np.zeros(RATE, np.float32)])


# --- what it is worth -------------------------------------------------------------------------------------------------


def mean_by_country(log_l: NDArray[np.float64]) -> dict[str, float]:
    number = countries.of(world_grid())
    return {c.code: float(log_l[number == i].mean()) for i, c in enumerate(countries.table()) if (number == i).any()}


def test_the_language_points_where_it_is_spoken_and_is_bounded() -> None:
    spoken = (said(0, 30, "de", 0.97), said(60, 90, "de", 0.95), said(60, 90, "nl", 0.04))
    evidence = score.log_likelihood(spoken, world_grid())
    by = mean_by_country(evidence.log_likelihood)
    assert by["DE"] > by["CH"] > by["FR"]
    assert np.isclose(by["FR"], by["BR"])
    plain = score.likelihood(language_chances(spoken), world_grid())
    by_country = mean_by_country(plain)
    assert by_country["CH"] > by_country["BE"] > by_country["NL"] > by_country["FR"]
    assert np.ptp(evidence.log_likelihood) <= np.log(score.MOST_FACTOR) + 1e-9
    twice = score.log_likelihood((*spoken, *(said(t, t + 30, "de", 0.96) for t in (120, 180))), world_grid())
    assert np.allclose(twice.log_likelihood, evidence.log_likelihood, atol=0.05)  # averaged, not multiplied


def test_an_unclear_language_says_nothing_and_the_analyst_overrules() -> None:
    unclear = tuple(said(0, 30, code, 0.3) for code in ("de", "nl", "sv"))
    assert "unclear" in str(score.log_likelihood(unclear, world_grid()).abstained)
    corrected = (*unclear, said(0, 0, "pt-BR", 1.0, author="analyst"))
    assert language_chances(corrected) == {"pt": 1.0}
    by = mean_by_country(score.log_likelihood(corrected, world_grid()).log_likelihood)
    assert np.isclose(by["BR"], by["PT"]) and by["PT"] > by["DE"]


def test_shares_are_shares() -> None:
    for code in ("en", "de", "fr", "zh", "xx"):
        assert ((shares(code) > 0) & (shares(code) <= 1)).all()
    code_of = {c.code: i for i, c in enumerate(countries.table())}
    assert shares("fr")[code_of["CH"]] == 0.23 and shares("no")[code_of["NO"]] > 0.5
    rows = score._stated()
    assert len({(a, b) for a, b, _ in rows}) == len(rows)
    for country in {b for _, b, _ in rows}:
        countries.by_code(country)
        assert sum(s for _, b, s in rows if b == country) <= 1.05  # many speak two


def test_it_has_no_vote_unless_asked() -> None:
    clip = Clip("x.wav", "0" * 64, 1, "wav", 30.0)
    perception = Perception(clip, Interval(0.0, 30.0), (said(0, 30), said(0, 30, "de", 0.99)))
    quiet = judge(perception)
    asked = judge(perception, Settings(included=frozenset({"speech"})))
    own = {e.clue: e for e in quiet.evidence}["speech"]
    assert own.abstained and "production" in own.abstained
    assert quiet.by("sound") is not None and not quiet.by("sound").spoke
    assert asked.by("sound").spoke and asked.by("sound").countries[0][0] == "Germany"
