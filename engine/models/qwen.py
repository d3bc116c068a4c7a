"""A multimodal language model of the Qwen2.5-VL class from a local folder: pictures and text in, constrained JSON out.

Loads through transformers, with LoRA adapters through peft where a folder `adapter` lies beside the weights, in 4 or 8 bit
through bitsandbytes where a CUDA device asks for it. Decoding is greedy and held to a JSON schema by lm-format-enforcer, so that
an answer can be cut short but not be anything else. Nothing is fetched.

Sources: Bai et al. 2025, "Qwen2.5-VL Technical Report" (arXiv 2502.13923).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import MissingWeights, WeightsError
from engine.core.paths import models_dir
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import catalog
from engine.models.offline import go_offline

SIZES = {"small": "qwen2.5-vl-3b", "large": "qwen2.5-vl-7b"}
BITS = (4, 8, 16)
ADAPTER = "adapter"
MOST_TOKENS = 1200
_NEEDED = ("config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json")
_LEAST_GB = {"small": 9.0, "large": 18.0}  # of GPU memory for 16 bit, with room for pictures


def folder_of(size: str, folder: Path | None = None) -> Path:
    """The folder that holds a model, complete.

    Args:
        size: "small" or "large" of the catalogue; means nothing when a folder is given.

    Raises:
        WeightsError: it or one of its files is missing; the text says how to get it.
    """
    if size not in SIZES:
        raise WeightsError(f"There is no language model of size {size!r}; choose {' or '.join(SIZES)}.")
    here = folder or models_dir() / SIZES[size]
    missing = [name for name in _NEEDED if not (here / name).is_file()]
    if not missing and not list(here.glob("*.safetensors")):
        missing = ["model.safetensors"]
    if missing:
        lacking = missing[0] if len(missing) < len(_NEEDED) else ""
        raise MissingWeights(SIZES[size], catalog.entry(SIZES[size]).card.absent, lacking)
    return here


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a model said.

    Attributes:
        text: as decoded; JSON, or the beginning of it where it was cut short.
        finished: whether the model ended by itself.
        pooled: (hidden,) float32, mean of the last layer over the prompt.
        tokens_in, tokens_out: lengths.
    """

    text: str
    finished: bool
    pooled: NDArray[np.float32] = field(repr=False)
    tokens_in: int
    tokens_out: int


class Reasoner:
    """A model, loaded on first use.

    Args:
        size: "small" or "large".
        folder: where it lies; None takes the models folder.
        bits: 4, 8 or 16; None takes what fits the GPU, and 16 (32 on a CPU) where there is none.
        adapter: folder of LoRA weights; None takes `adapter` beside the model where it is there.
        device: "cpu", "cuda", "mps", or None for the best there is.
    """

    def __init__(
        self,
        size: str = "small",
        folder: Path | None = None,
        bits: int | None = None,
        adapter: Path | None = None,
        device: str | None = None,
    ) -> None:
        if bits is not None and bits not in BITS:
            raise WeightsError(f"Weights of {bits} bits are not known here; choose 4, 8 or 16.")
        self.size, self.folder, self.bits, self.adapter, self.device = size, folder, bits, adapter, device

    @property
    def model_id(self) -> str:
        """Id under which it speaks; an adapter is named."""
        here = folder_of(self.size, self.folder)
        name = SIZES[self.size] if self.folder is None else here.name
        return f"{name} with adapter" if self._adapter(here) else name

    def _adapter(self, here: Path) -> Path | None:
        if self.adapter is not None:
            if not (self.adapter / "adapter_config.json").is_file():
                raise WeightsError(f"There is no adapter_config.json in {self.adapter}; give the folder of a LoRA adapter.")
            return self.adapter
        beside = here / ADAPTER
        return beside if (beside / "adapter_config.json").is_file() else None

    @cached_property
    def _parts(self) -> tuple[Any, Any, str]:
        """(model, processor, device)."""
        go_offline()
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForImageTextToText, AutoProcessor

        here = folder_of(self.size, self.folder)
        catalog.vouch(SIZES[self.size], self.folder)
        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        bits = self.bits or self._fitting_bits(device)
        given: dict[str, Any] = {"local_files_only": True, "use_safetensors": True}
        given |= {"dtype": torch.float32 if device == "cpu" else torch.bfloat16}
        if bits < 16:
            given |= {"quantization_config": _quantised(bits, device), "device_map": {"": device}}
        try:
            processor = AutoProcessor.from_pretrained(here, local_files_only=True)
            model = AutoModelForImageTextToText.from_pretrained(here, **given)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise WeightsError(f"The language model in {here} cannot be loaded ({_first_line(error)}); get it again.") from None
        model = _with_adapter(model, self._adapter(here))
        if bits >= 16:
            model = model.to(device)
        return model.eval(), processor, device

    def _fitting_bits(self, device: str) -> int:
        if device != "cuda" or importlib.util.find_spec("bitsandbytes") is None:
            return 16
        import torch

        free_gb = torch.cuda.mem_get_info()[0] / 1e9
        need = _LEAST_GB.get(self.size, 18.0)
        return 16 if free_gb >= need else 8 if free_gb >= 0.6 * need else 4

    @cached_property
    def _vocabulary(self) -> Any:
        """The tokenizer's words as the format enforcer wants them; made once (seconds for 150,000 words)."""
        from lmformatenforcer import TokenEnforcerTokenizerData

        _, processor, _ = self._parts
        tokenizer = processor.tokenizer
        zero = tokenizer.encode("0", add_special_tokens=False)[-1]
        special, words = set(tokenizer.all_special_ids), []
        for token in range(len(tokenizer)):
            if token in special:
                continue
            after, alone = tokenizer.decode([zero, token])[1:], tokenizer.decode([token])
            words.append((token, after, len(after) > len(alone)))
        return TokenEnforcerTokenizerData(
            words,
            lambda t: tokenizer.decode(t).rstrip("\N{REPLACEMENT CHARACTER}"),
            tokenizer.eos_token_id,
            False,
            len(tokenizer),
        )

    def _held_to(self, schema: Mapping[str, Any], prompt_tokens: int) -> Callable[[int, Any], list[int]]:
        """Which tokens may come next, for `generate`."""
        from lmformatenforcer import JsonSchemaParser, TokenEnforcer

        enforcer = TokenEnforcer(self._vocabulary, JsonSchemaParser(dict(schema)))

        def allowed(_: int, tokens: Any) -> list[int]:
            found = enforcer.get_allowed_tokens(tokens.tolist()[prompt_tokens:])
            return list(getattr(found, "allowed_tokens", found))

        return allowed

    def answer(
        self,
        system: str,
        user: str,
        frames: Sequence[NDArray[np.uint8]],
        schema: Mapping[str, Any],
        most_tokens: int = MOST_TOKENS,
        progress: ProgressCallback = silent,
    ) -> Answer:
        """Ask once, greedily.

        Args:
            system, user: texts; what looks like a control token in them is not taken for one (see `inert`).
            frames: (h, w, 3) uint8 pictures, shown before the text.
            schema: JSON schema that the answer is held to.

        Raises:
            WeightsError: the model is missing or cannot be loaded.
        """
        import torch

        progress(Progress("loading the language model"))
        model, processor, device = self._parts
        content = [{"type": "image", "image": _picture(f)} for f in frames] + [{"type": "text", "text": inert(user)}]
        messages = [
            {"role": "system", "content": [{"type": "text", "text": inert(system)}]},
            {"role": "user", "content": content},
        ]
        inputs = processor.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        ).to(device)
        length = int(inputs["input_ids"].shape[1])
        progress(Progress("the language model reads", 0, most_tokens, "tokens"))
        with torch.inference_mode():
            seen = model(**inputs, output_hidden_states=True)
            pooled = seen.hidden_states[-1][0].float().mean(dim=0).cpu().numpy()
            del seen
            out = model.generate(
                **inputs,
                max_new_tokens=most_tokens,
                do_sample=False,
                num_beams=1,
                prefix_allowed_tokens_fn=self._held_to(schema, length),
                stopping_criteria=[_Watch(length, most_tokens, progress)],
            )
        new = out[0, length:].tolist()
        ends = model.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends]) | {processor.tokenizer.eos_token_id}
        text = processor.tokenizer.decode(new, skip_special_tokens=True)
        return Answer(text, bool(new) and new[-1] in ends, pooled.astype(np.float32), length, len(new))


class _Watch:
    """Progress while tokens come; raising in it stops the work."""

    def __init__(self, length: int, most: int, progress: ProgressCallback) -> None:
        self.length, self.most, self.progress = length, most, progress

    def __call__(self, tokens: Any, scores: Any, **_: Any) -> Any:
        import torch

        done = int(tokens.shape[1]) - self.length
        if done % 8 == 0:
            self.progress(Progress("the language model answers", done, self.most, "tokens"))
        return torch.zeros(tokens.shape[0], dtype=torch.bool, device=tokens.device)


def inert(text: str) -> str:
    """Text in which nothing can be taken for a control token of a chat format."""
    return text.replace("<|", "< |").replace("|>", "| >").replace("<tool_call>", "< tool_call >")


def _picture(rgb: NDArray[np.uint8]) -> Any:
    from PIL import Image

    return Image.fromarray(rgb)


def _with_adapter(model: Any, adapter: Path | None) -> Any:
    if adapter is None:
        return model
    from peft import PeftModel
    from safetensors import SafetensorError

    if not (adapter / "adapter_model.safetensors").is_file():  # peft would take a pickle instead
        raise WeightsError(f"There is no adapter_model.safetensors in {adapter}; train the adapter again.")
    try:
        return PeftModel.from_pretrained(model, str(adapter), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise WeightsError(f"The adapter in {adapter} does not fit the model ({_first_line(error)}); train it again.") from None


def _quantised(bits: int, device: str) -> Any:
    if device != "cuda" or importlib.util.find_spec("bitsandbytes") is None:
        raise WeightsError(f"Weights of {bits} bits need a CUDA device and bitsandbytes; install it, or ask for 16 bits.")
    go_offline()
    import torch
    from transformers import BitsAndBytesConfig

    if bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
