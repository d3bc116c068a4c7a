"""Whisper for tests: a small one of random weights in the real form, and the real one with real speech where it can be had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SIZE = 51_865  # of the vocabulary of a Whisper of many languages


def languages() -> tuple[str, ...]:
    """The codes of Whisper base's 99 languages, in its order."""
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    return tuple(code for code in LANGUAGES if code != "yue")


def tokens() -> list[str]:
    """A vocabulary as Whisper's: bytes, words, then what ends and begins a text, languages, tasks and moments."""
    from tokenizers.pre_tokenizers import ByteLevel

    marks = ("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")
    moments = tuple(f"<|{i * 0.02:.2f}|>" for i in range(1501))
    own = ("<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in languages()), *marks, *moments)
    letters = sorted(ByteLevel.alphabet())
    fillers = (f"word{i}" for i in range(SIZE - len(letters) - len(own) - 1))
    return [*letters, *fillers, "", *own]  # by the empty one CTranslate2 tells that it knows many languages


def small_model(leaning: str = "fi") -> Any:
    """A Whisper of one layer and random weights, as transformers holds it, that leans to one language."""
    from engine.models.offline import go_offline

    go_offline()
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    ids = {token: i for i, token in enumerate(tokens())}
    end, begin = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    inside = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    special = {"pad_token_id": end, "bos_token_id": end, "eos_token_id": end, "decoder_start_token_id": begin}
    torch.manual_seed(1)
    model = WhisperForConditionalGeneration(
        WhisperConfig(vocab_size=SIZE, d_model=16, encoder_ffn_dim=32, decoder_ffn_dim=32, **inside, **special)
    )
    with torch.no_grad():  # a random model is sure of nothing
        model.model.decoder.layer_norm.bias += 0.5
        model.proj_out.weight *= 5.0
        model.proj_out.weight[ids[f"<|{leaning}|>"]] += 0.6
    return model.eval()


def small_whisper(folder: Path, model: Any = None) -> Path:
    """Write a small model into a folder in CTranslate2's form, by its own writer."""
    model = model or small_model()
    from ctranslate2.converters.transformers import WhisperLoader

    known = tokens()
    ids = {token: i for i, token in enumerate(known)}
    spec = WhisperLoader().get_model_spec(model)
    spec.register_vocabulary(known)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.alignment_heads = [[0, 0]]
    spec.config.lang_ids = [ids[f"<|{code}|>"] for code in languages()]
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    (folder / "vocabulary.json").unlink()
    (folder / "vocabulary.txt").write_text("".join(f"{token}\n" for token in known), encoding="utf-8")
    return folder


def fetched() -> Path:
    """The folder of `scripts/fetch_speech.py`, which is run once; tests are skipped, with the reason, where it fails."""
    folder = Path(os.environ.get("EARWITNESS_SPEECH", ROOT / "build" / "speech"))
    if not ((folder / "whisper-base").is_dir() and (folder / "prompts").is_dir()):
        command = [sys.executable, str(ROOT / "scripts" / "fetch_speech.py"), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=280)
        if done.returncode:
            pytest.skip(
                f"needs Whisper base and speech by people: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
            )
    return folder
