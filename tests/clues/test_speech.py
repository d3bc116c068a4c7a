"""Speech is found where it is; its language counts only where Whisper is installed and the people heard are at the scene."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from engine.analysis import clue_switches
from engine.analysis.judge import judge
from engine.analysis.rationale.facts import facts
from engine.cli import edit_options
from engine.clues.registry import clue_registry
from engine.clues.speech import observe, score
from engine.clues.speech.codes import PLACE_SAID, SPEECH, language_name, normal
from engine.clues.speech.observe import SpeechObserver, runs, windows_with_speech
from engine.clues.speech.places import places_said
from engine.clues.speech.score import language_chances, shares
from engine.core.clip import AudioBlock, Clip, Interval
from engine.core.errors import TooShortError, WeightsError
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.lab.bench import speech as bench
from engine.media import open_clip
from engine.models import catalog, ctranslate, voice, whisper
from engine.models.offline import go_offline
from engine.models.whisper import Heard, Line
from engine.report import to_html, to_json
from engine.report.view import fact
from engine.world import countries
from engine.world.grid import world_grid
from scripts import make_speakers
from tests import spoken

RATE = 16_000


@pytest.fixture(scope="module")
def whisper_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Whisper of random weights in the real form, which leans to Finnish."""
    return spoken.small_whisper(tmp_path_factory.mktemp("whisper"))


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


def test_features_are_those_of_transformers() -> None:
    go_offline()
    from transformers import WhisperFeatureExtractor

    x = np.random.default_rng(4).normal(0, 0.1, 30 * RATE).astype(np.float32)
    x[5 * RATE : 9 * RATE] = 0.0
    extract = WhisperFeatureExtractor(feature_size=80)
    for window in (x, x[: 4 * RATE], x[:777], np.zeros(RATE, np.float32)):
        theirs = extract(window, sampling_rate=RATE, return_tensors="np").input_features[0]
        ours = whisper.log_mel(window)
        assert ours.shape == theirs.shape == (80, 3000) and ours.dtype == np.float32
        assert np.abs(ours - theirs).max() < 1e-4


def test_chances_are_those_of_the_model_itself(whisper_weights: Path) -> None:
    import torch

    x = np.random.default_rng(3).normal(0, 0.1, 30 * RATE).astype(np.float32)
    listener = whisper.Whisper(whisper_weights)
    assert len(listener.languages) == 99 and listener.languages[:2] == ("en", "zh")
    ids = {token: i for i, token in enumerate(spoken.tokens())}
    model = spoken.small_model()
    for window in (x, x[: 4 * RATE]):
        heard = listener.hear(window, words_from=2.0)
        start = torch.full((1, 1), ids["<|startoftranscript|>"])
        with torch.inference_mode():
            features = torch.from_numpy(whisper.log_mel(window))[None]
            logits = model(input_features=features, decoder_input_ids=start, use_cache=False).logits[0, -1]
        theirs = torch.softmax(logits[[ids[f"<|{code}|>"] for code in listener.languages]], dim=0).numpy()
        assert heard.lines == () and np.isclose(heard.chances.sum(), 1.0, atol=1e-4)
        assert np.abs(heard.chances - theirs).max() < 0.01  # its numbers have 8 bits
        assert listener.languages[int(heard.chances.argmax())] == "fi" and heard.chances.max() > 0.5
    for bad in (np.empty(0, np.float32), np.zeros(31 * RATE, np.float32), np.full(RATE, np.nan, np.float32)):
        with pytest.raises(ValueError, match="windows of up to"):
            listener.hear(bad)


def test_lines_end_where_a_timestamp_stands() -> None:
    known = spoken.tokens()
    ids = {token: i for i, token in enumerate(known)}
    words = ["<|0.00|>", *"Rom", "<|1.50|>", "<|2.00|>", *"ĠÃ¥rĠéĥ½", "<|fi|>"]  # the bytes of å and 都
    lines = whisper.written([ids[t] for t in words], known, 5.0)
    assert lines == (Line("Rom", 0.0, 1.5), Line("år 都", 2.0, 5.0))
    assert whisper.written([ids["é"], ids["ĥ"]], known, 5.0) == ()  # half a letter
    beyond = whisper.written([ids["<|29.00|>"], ids["R"], ids["<|3.00|>"]], known, 5.0)
    assert beyond == (Line("R", 5.0, 5.0),)  # no moment lies outside of the window, and none runs back
    assert whisper.written([], known, 5.0) == ()
    assert (
        whisper._repeats("thank you " * 50)
        and not whisper._repeats("Nous sommes à Lyon, en France.")
        and not whisper._repeats("")
    )


def test_the_clue_asks_whisper_where_there_is_speech(whisper_weights: Path, data_dir: Path) -> None:
    with open_clip(data_dir / "clips" / "cl0128.ts") as reader:
        found = SpeechObserver(folder=whisper_weights).observe(reader.clip, reader)
    named = [o for o in found if o.label != SPEECH]
    assert {o.label for o in named} == {"fi"} and {o.name for o in named} == {"Finnish, spoken"}
    assert all(o.author == "whisper-base" and 0.1 <= o.score <= 1.0 and o.end_s - o.start_s <= 30.0 for o in named)


def test_without_whisper_it_abstains_by_name(tmp_path: Path) -> None:
    grid = world_grid()
    assert "no speech" in str(score.log_likelihood((), grid, folder=tmp_path).abstained)
    assert score.log_likelihood((said(0, 9),), grid, folder=tmp_path).abstained == "Whisper base is not installed"


def test_the_better_one_of_those_that_are_there_listens(
    whisper_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path))
    with pytest.raises(WeightsError, match="pull whisper-base"):
        whisper.whisper_folder()
    shutil.copytree(whisper_weights, tmp_path / "whisper-base")
    assert whisper.Whisper().model_id == "whisper-base"
    shutil.copytree(whisper_weights, tmp_path / "whisper-small")
    (tmp_path / "whisper-small" / "vocabulary.txt").unlink()  # incomplete
    assert whisper.Whisper().model_id == "whisper-base"
    (tmp_path / "whisper-small" / "vocabulary.txt").write_text("not the catalogue's")
    assert whisper.Whisper().model_id == "whisper-small"
    with pytest.raises(WeightsError, match="not the file of the catalogue"):
        whisper.Whisper().hear(np.zeros(RATE, np.float32))  # among the models it is the catalogue's or none


@pytest.mark.parametrize("name", ["model.bin", "config.json", "vocabulary.txt"])
@pytest.mark.parametrize(
    "content", [b"", b"not weights", b"PK\x03\x04", b"\x80\x04}.", b'{"lang_ids": [0]}', b"\x06\0\0\0\xff\xff"]
)
def test_damaged_weights_are_refused(whisper_weights: Path, tmp_path: Path, name: str, content: bytes) -> None:
    for file in whisper_weights.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be loaded"):
        whisper.Whisper(tmp_path).hear(np.zeros(RATE, np.float32))


def test_a_file_of_ctranslate2_describes_all_its_bytes(whisper_weights: Path, tmp_path: Path) -> None:
    whole = (whisper_weights / "model.bin").read_bytes()
    changed = tmp_path / "model.bin"
    ctranslate.check(whisper_weights / "model.bin")
    first = whole.index(b"decoder/") + len(whole[whole.index(b"decoder/") :].partition(b"\0")[0]) + 1
    assert whole[first] <= 2  # the rank of the first variable
    bad = {
        "another kind": whole.replace(b"WhisperSpec", b"WhisterSpec", 1),
        "cut short": whole[:-5],
        "more than it says": whole + b"\0",
        "another version": b"\x07" + whole[1:],
        "many dimensions": whole[:first] + b"\xff" + whole[first + 1 :],
        "many variables": whole[:22] + b"\xff\xff\xff\xff" + whole[26:],
    }
    assert whole[6:18] == b"WhisperSpec\0"
    for what, data in bad.items():
        changed.write_bytes(data)
        with pytest.raises(ValueError):
            ctranslate.check(changed)
            pytest.fail(what)
        with pytest.raises(WeightsError, match="damaged"):
            catalog._check_form(changed)


# --- what it is worth -------------------------------------------------------------------------------------------------


def mean_by_country(log_l: NDArray[np.float64]) -> dict[str, float]:
    number = countries.of(world_grid())
    return {c.code: float(log_l[number == i].mean()) for i, c in enumerate(countries.table()) if (number == i).any()}


def test_the_language_points_where_it_is_spoken_and_is_bounded() -> None:
    heard = (said(0, 30, "de", 0.97), said(60, 90, "de", 0.95), said(60, 90, "nl", 0.04))
    evidence = score.log_likelihood(heard, world_grid())
    by = mean_by_country(evidence.log_likelihood)
    assert by["DE"] > by["CH"] > by["FR"]
    plain = mean_by_country(score.likelihood(language_chances(heard), world_grid()))
    assert plain["DE"] > plain["CH"] > plain["BE"] > plain["CN"]
    assert np.ptp(evidence.log_likelihood) <= np.log(score.MOST_FACTOR) + 1e-9
    danish = score.log_likelihood((said(0, 30, "da", 0.99),), world_grid())  # a small land: only the bound holds it
    assert np.isclose(np.ptp(danish.log_likelihood), np.log(score.MOST_FACTOR))
    once, more = heard[:1], tuple(said(t, t + 30, "de", 0.97) for t in (120, 180))
    evidence, twice = (score.log_likelihood(o, world_grid()) for o in (once, (*once, *more)))
    assert np.allclose(twice.log_likelihood, evidence.log_likelihood, atol=0.05)  # averaged, not multiplied


def test_the_likelihood_is_the_formula_of_the_module() -> None:
    grid = world_grid()
    weight = grid.area_km2 / grid.area_km2.sum()
    share = np.append(shares("fi"), score._FLOOR)[countries.of(grid)]
    expected = 1 - score.RIGHT * 0.8 + score.RIGHT * 0.8 * (score.DOUBT + (1 - score.DOUBT) * share / (share @ weight))
    found = score.likelihood({"fi": 0.8}, grid)
    assert np.allclose(found, expected) and np.isclose(found @ weight, 1.0)  # on the mean over the land it says nothing
    assert np.allclose(score.likelihood({}, grid), 1.0)


def test_a_surer_language_says_more() -> None:
    ranges = [np.ptp(score.likelihood({"hu": p}, world_grid())) for p in (0.5, 0.7, 0.99)]
    assert ranges == sorted(ranges) and ranges[0] > 0


def test_languages_of_different_windows_are_alternatives() -> None:
    mixed = (said(0, 30, "de", 0.99), said(30, 60, "ja", 0.99), said(60, 90, "pt", 0.99))
    chances = language_chances(mixed)
    assert chances == pytest.approx({"de": 0.33, "ja": 0.33, "pt": 0.33})
    by = mean_by_country(score.log_likelihood(mixed, world_grid()).log_likelihood)
    assert min(by["DE"], by["JP"], by["PT"]) > by["KE"]  # each of the three may be the place's, and nowhere is ruled out
    blurred = (said(0, 30, "de", 0.99), said(30, 60, "ja", 0.3), said(30, 60, "ko", 0.3))
    assert language_chances(blurred) == {"de": 0.99}  # a window whose language is unclear doesn't count
    alike = (said(0, 30, "bs", 0.3), said(0, 30, "sr", 0.3), said(0, 30, "hr", 0.3))
    assert language_chances(alike) == pytest.approx({"hr": 0.9})  # nobody tells them apart by ear


def test_an_unclear_language_says_nothing_and_the_analyst_overrules() -> None:
    unclear = tuple(said(0, 30, code, 0.3) for code in ("de", "nl", "sv"))
    assert "unclear" in str(score.log_likelihood(unclear, world_grid()).abstained)
    corrected = (*unclear, said(0, 0, "pt-BR", 1.0, author="analyst"))
    assert language_chances(corrected) == {"pt": 1.0}
    evidence = score.log_likelihood(corrected, world_grid())
    by = mean_by_country(evidence.log_likelihood)
    assert np.isclose(by["BR"], by["PT"], atol=0.1) and by["PT"] > by["DE"] and evidence.models == ()


def test_shares_are_shares() -> None:
    for code in ("en", "de", "fr", "zh", "hi", "xx"):
        assert ((shares(code) > 0) & (shares(code) <= 1)).all()
    at = {c.code: i for i, c in enumerate(countries.table())}
    assert shares("fr")[at["CH"]] == 0.23 and shares("no")[at["NO"]] > 0.5 and shares("es")[at["PY"]] == 0.64
    assert shares("uk")[at["UA"]] == 0.65 and shares("ru")[at["UA"]] == 0.46  # CLDR's, both with a status
    assert shares("en")[at["DE"]] < 0.1 < shares("en")[at["NG"]]  # learnt at school, and a language of the country
    assert shares("ru")[at["LV"]] == 0.12  # no status, but listed by GeoNames
    assert shares("hi")[at["PK"]] == shares("ur")[at["PK"]] and shares("id")[at["MY"]] > 0.5  # taken for one another
    rows = score._rows("spoken.csv")
    assert len({(r["language"], r["country"]) for r in rows}) == len(rows)
    for country in {r["country"] for r in rows}:
        countries.by_code(country)
        if country != "PY":  # where most use both
            assert sum(float(r["share"]) for r in rows if r["country"] == country) <= 1.05


def test_every_language_of_whisper_has_a_name_and_is_somebodys() -> None:
    for code in map(normal, spoken.languages()):
        assert language_name(code)[0].isupper(), code
        assert shares(code).max() >= 0.01 or code in ("la", "sa", "yi", "ba", "tt", "oc", "br", "haw", "bo"), code


def test_speakers_come_from_the_table_of_the_script(tmp_path: Path) -> None:
    xml = b"""<supplementalData><territoryInfo>
      <territory type="XA"><languagePopulation type="sr_Latn" populationPercent="40" officialStatus="official"/>
        <languagePopulation type="hr" populationPercent="60"/><languagePopulation type="en" populationPercent="0.01"/></territory>
      <territory type="XB"><languagePopulation type="gsw" populationPercent="66"/></territory>
    </territoryInfo></supplementalData>"""
    assert make_speakers.shares(xml) == {("hr", "XA"): (60.0, True), ("de", "XB"): (66.0, False)}


# --- the switch -------------------------------------------------------------------------------------------------------


def test_it_has_no_vote_unless_the_people_heard_are_at_the_scene() -> None:
    clip = Clip("x.wav", "0" * 64, 1, "wav", 30.0)
    perception = Perception(clip, Interval(0.0, 30.0), (said(0, 30), said(0, 30, "de", 0.99)))
    quiet = judge(perception)
    asked = judge(perception, Settings(included=frozenset({"speech"})))
    own = {e.clue: e for e in quiet.evidence}["speech"]
    assert own.abstained and "production" in own.abstained
    assert quiet.by("sound") is not None and not quiet.by("sound").spoke
    assert asked.by("sound").spoke and asked.by("sound").countries[0][0] == "Germany"
    assert dict(fact.settings(asked))["Clues asked for"] == "speech (stated: the people heard are at the scene)"


def test_the_option_is_the_clues_switch_and_the_statement_is_noted() -> None:
    parser = argparse.ArgumentParser()
    edit_options.add_arguments(parser)
    perception = Perception(Clip("x.wav", "0" * 64, 1, "wav", 30.0), Interval(0.0, 30.0), (said(0, 30, "de", 0.99),))
    for words in (["--people-at-scene"], ["--include", "speech"]):
        settings = edit_options.read(parser.parse_args(words)).apply(perception, Settings())
        assert settings.included == {"speech"}
        assert settings.edits[0].note == "stated: the people heard are at the scene"
    assert "people heard are at the scene" in " ".join(parser.format_help().split())
    (switch,) = [c for c in clue_switches() if c.name == "speech"]
    assert switch.label == "The people heard are at the scene" and not switch.on and "only if you know" in switch.help
    assert next(c for c in clue_switches() if c.name == "hum").label == "mains hum"


# --- places that are named --------------------------------------------------------------------------------------------


def named(text: str, language: str = "en") -> list[str]:
    heard = Heard(np.zeros(1, np.float32), (Line(text, 2.0, 4.5),), 0.8)
    return [o.label for o in places_said(heard, language, 60.0, "whisper-base")]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("We flew to Paris, and in London it rained.", "en", ["London", "Paris"]),
        ("Nice to see you. Reading is fun, and so is my mobile. Bath time!", "en", []),
        ("reading a book in nice weather, with mobile phones", "en", []),
        ("Press three. Sales, Monday, March, May.", "en", []),
        ("Nous sommes à Lyon, près de Lille.", "fr", ["Lille", "Lyon"]),
        ("Das Essen ist gut, die Halle ist groß.", "de", []),
        ("Wir sind in München.", "de", ["München"]),
        ("今日は東京都からお送りします。", "ja", ["東京都"]),
        ("", "en", []),
    ],
)
def test_places_are_listed_and_words_are_not(text: str, language: str, expected: list[str]) -> None:
    assert sorted(named(text, language)) == expected


def test_a_place_said_has_its_moment_and_what_it_was_heard_in() -> None:
    heard = Heard(np.zeros(1, np.float32), (Line("In Oslo <script>alert(1)</script>" + " or" * 100, 2.0, 4.5),), 0.8)
    (oslo,) = places_said(heard, "en", 60.0, "whisper-base")
    assert (oslo.kind, oslo.label, oslo.start_s, oslo.end_s, oslo.score) == (PLACE_SAID, "Oslo", 62.0, 64.5, 0.8)
    assert "Oslo, Norway" in oslo.note and "never scored" in oslo.note and len(oslo.note) < 300
    many = Heard(
        np.zeros(1, np.float32), tuple(Line("We flew from Oslo, Rome, Lima, Delhi and Cairo", i, i + 1) for i in range(30))
    )
    assert len(places_said(many, "en", 0.0, "x")) == 20


def test_a_place_said_never_counts_and_is_shown_escaped() -> None:
    clip = Clip("x.wav", "0" * 64, 1, "wav", 30.0)
    heard = Heard(np.zeros(1, np.float32), (Line("Over in Oslo <img src=x onerror=alert(1)> & so on", 2.0, 4.5),), 0.8)
    places = places_said(heard, "en", 0.0, "whisper-base")
    spoken_german = (said(0, 30), said(0, 30, "de", 0.99))
    asked = Settings(included=frozenset({"speech"}))
    without = judge(Perception(clip, Interval(0.0, 30.0), spoken_german), asked)
    with_places = judge(Perception(clip, Interval(0.0, 30.0), (*spoken_german, *places)), asked)
    for a, b in zip(without.evidence, with_places.evidence, strict=True):
        assert np.array_equal(a.log_likelihood, b.log_likelihood) and a.abstained == b.abstained
    assert score.log_likelihood(places, world_grid()).abstained is not None
    assert not clue_registry().kind(PLACE_SAID).scored
    page = to_html(with_places)
    assert "Oslo, said aloud" in page and "&lt;img src=x" in page and "<img src=x" not in page
    record = json.loads(to_json(with_places))
    assert [o["label"] for o in record["perceived"] if o["kind"] == PLACE_SAID] == ["Oslo"]
    assert any("said aloud" in f.said for f in facts(with_places))


# --- real speech, the real model ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_real_speech_in_five_languages(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = spoken.fetched()
    words = ["--spoken", str(folder / "prompts"), "--whisper", str(folder / "whisper-base"), "--windows", "2"]
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    assert bench.run(parser.parse_args([*words, "--seed", "0", "--json", str(tmp_path / "told.json")])) == 0
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["windows"] == 10 and told["right"] >= 9
    assert 0 < told["language_ms"] < told["words_ms"] < 1000.0
    assert "10 of 10" in (printed := capsys.readouterr().out) or "9 of 10" in printed


@pytest.mark.slow
def test_places_that_a_person_names_are_listed_with_their_moment(tmp_path: Path) -> None:
    """Of the spelling alphabet, two letters are called as places are."""
    folder = spoken.fetched()
    parts, at_s = [], {}
    for name in ("conf-onlyperson", "phonetic/l_p", "vm-goodbye", "phonetic/q_p"):
        at_s[name] = sum(map(len, parts)) / 8_000
        samples, rate = soundfile.read(folder / "prompts" / "en" / f"{name}.wav", dtype="float32")
        assert rate == 8_000
        parts += [samples, np.zeros(rate // 4, np.float32)]
    soundfile.write(tmp_path / "said.wav", np.concatenate(parts), 8_000)
    with open_clip(tmp_path / "said.wav") as reader:
        found = SpeechObserver(folder=folder / "whisper-base").observe(reader.clip, reader)
    assert {o.label: round(o.score) for o in found if o.kind == "speech"} == {SPEECH: 1, "en": 1}
    places = [o for o in found if o.kind == PLACE_SAID]
    assert [o.label for o in places] == ["Lima", "Quebec"]
    for o, name in zip(places, ("phonetic/l_p", "phonetic/q_p"), strict=True):
        assert abs(o.start_s - at_s[name]) < 1.5 and o.start_s < o.end_s
