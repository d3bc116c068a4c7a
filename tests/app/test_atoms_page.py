"""The page Atoms without a browser: open a sound, step through it, browse the dictionary, and what it says to wrong input."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engine.models import atoms, decomposer
from engine.models import atoms as nets

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    not (nets.FOLDER / "weights.safetensors").is_file(), reason="the model is not there: earwitness lab train-atoms"
)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Ten seconds of noise that beats, the last of them copied from the first."""
    rng = np.random.default_rng(0)
    t = np.arange(10 * 32_000) / 32_000
    samples = 0.1 * rng.normal(size=len(t)) * (1 + np.sin(2 * np.pi * 3 * t))
    samples[7 * 32_000 : 9 * 32_000] = samples[: 2 * 32_000]
    path = tmp_path / "beats <b>&.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(32_000)
        out.writeframes((20_000 * np.clip(samples, -1, 1)).astype("<i2").tobytes())
    return path


@pytest.fixture
def page() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app" / "pages" / "atoms.py"), default_timeout=120)
    at.run()
    assert not at.exception
    return at


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def opened(page: AppTest, path: str) -> AppTest:
    next(t for t in page.text_input if t.key == "atoms_path_first").input(path)
    return next(b for b in page.button if b.label == "Take it apart" and "first" in str(b.proto.form_id)).click().run()


def test_with_nothing_open_it_says_how_to_begin_and_shows_the_dictionary(page: AppTest) -> None:
    assert any("Open a clip in Examine" in m.value for m in page.markdown)
    entry = page.selectbox(key="atoms_entry")
    assert tuple(entry.options) == decomposer().labels
    assert html(page).count("Kernel ") == atoms.KERNELS
    entry.select("Dog").run()
    assert not page.exception


def test_a_sound_is_taken_apart_and_its_copy_is_told(page: AppTest, sound: Path) -> None:
    at = opened(page, str(sound))
    assert not at.exception and not at.error
    said = html(at)
    assert "copied passage" in said and "7.00 s later" in said
    assert "beats &lt;b&gt;&amp;.wav" in said and "<b>&.wav" not in said
    assert at.slider(key="atoms_moment").max == 6.0
    at.slider(key="atoms_moment").set_value(3.0).run()
    assert not at.exception
    at.toggle(key="atoms_beyond").set_value(True).run()
    assert not at.exception and html(at).count("What is left") == 1
    steps = next(b for b in at.get("button_group") if b.key == "atoms_step")
    assert len(steps.options) == 4


def test_a_path_that_is_none_gets_one_sentence(page: AppTest, tmp_path: Path) -> None:
    at = opened(page, str(tmp_path / "nothing.wav"))
    assert len(at.error) == 1 and "There is no file" in at.error[0].value.replace("\\", "")


def test_what_is_no_sound_is_refused_in_a_sentence(page: AppTest, tmp_path: Path) -> None:
    path = tmp_path / "text.wav"
    path.write_text("this is no sound")
    at = opened(page, str(path))
    assert len(at.error) == 1 and not at.exception
