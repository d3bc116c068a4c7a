"""`earwitness lab reason-tune`: GeoReasoner's two stages, LoRA through peft, for a model of the Qwen2.5-VL class.

First reasoning tuning: from a picture to a country with the reasons for it. Then location tuning: from a picture to country and
city. As in the paper each stage trains LoRA matrices on the attention; here the second stage goes on with the first one's, so
that one adapter holds both.

The data are JSONL, one picture a line; other keys are ignored:

    {"image": "a.jpg", "reasoning": "The stop sign says PARE …", "country": "BR", "city": "Manaus"}

`image` is a path below the folder of the file; `reasoning` is needed in the first stage, `city` in the second; `country` is an
ISO 3166 code.

Source: Li et al. 2024, "GeoReasoner" (arXiv 2406.18572), section 3.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError, SettingError
from engine.core.file import DATA_BYTES, opened, read_text
from engine.models import qwen
from engine.models.offline import go_offline
from engine.world import countries

STAGES = ("reasoning", "location")
ASK = {
    "reasoning": "In which country was this picture taken? Argue from what is seen, then name it.",
    "location": "In which country and city was this picture taken? Answer in JSON with country (ISO 3166 code) and city.",
}
_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj"]
_MOST_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Example:
    """One picture with what is to be said of it."""

    image: Path
    country: str
    city: str
    reasoning: str

    def target(self, stage: str) -> str:
        if stage == "reasoning":
            return f"{self.reasoning} Therefore: {countries.by_code(self.country).name}."
        return json.dumps({"country": self.country, "city": self.city}, ensure_ascii=False)


def read(path: Path, stage: str) -> list[Example]:
    """The lines of a JSONL file.

    Raises:
        DataError: the file or a picture is missing, or a line lacks what its stage needs; the sentence names the line.
    """
    if stage not in STAGES:
        raise SettingError(f"There is no stage {stage!r}; choose {' or '.join(STAGES)}.")
    if not path.is_file():
        raise DataError(
            f"There is no file {path}; give JSONL with image, country, and {'reasoning' if stage == STAGES[0] else 'city'}."
        )
    lines = enumerate(read_text(path, DATA_BYTES).splitlines(), 1)
    found = [_example(path, n, line, stage) for n, line in lines if line.strip()]
    if not found:
        raise DataError(f"{path} holds no line; give one for each picture.")
    return found


def _example(path: Path, number: int, line: str, stage: str) -> Example:
    need = "reasoning" if stage == "reasoning" else "city"
    try:
        row = json.loads(line)
        image = (path.parent / str(row["image"])).resolve()
        code, text = str(row["country"]).upper(), str(row[need]).strip()[:_MOST_CHARACTERS]
        countries.by_code(code)
    except (ValueError, KeyError, TypeError, RecursionError, SettingError) as error:
        raise DataError(f"Line {number} of {path} is no example ({error}); it needs image, country and {need}.") from None
    if path.parent.resolve() not in image.parents or not image.is_file():
        raise DataError(f"Line {number} of {path} names a picture that is not below {path.parent}; correct its path.")
    if not text:
        raise DataError(f"Line {number} of {path} has an empty {need}; write it.")
    return Example(image, code, text if need == "city" else "", text if need == "reasoning" else "")


def picture(path: Path, most_px: int = 560) -> NDArray[np.uint8]:
    """An upright picture (h, w, 3) uint8, at most so large.

    Raises:
        DataError: it cannot be read.
    """
    from PIL import Image, ImageOps

    try:
        with opened(path, what="picture") as file, Image.open(file) as held:
            upright = ImageOps.exif_transpose(held).convert("RGB")
            upright.thumbnail((most_px, most_px))
            return np.asarray(upright)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"The picture {path.name} cannot be read ({error}); take it out or save it as JPEG.") from None


def tune(
    folder: Path,
    examples: Sequence[Example],
    stage: str,
    out: Path,
    adapter: Path | None = None,
    epochs: int = 1,
    rank: int = 8,
    rate: float = 1e-4,
    seed: int = 0,
    report: Callable[[int, int, float], None] = lambda done, total, loss: None,
) -> list[float]:
    """Train one stage and write the adapter.

    Args:
        folder: the model; adapter: what the stage before left, to go on with.
        report: called with step, steps and loss.

    Returns:
        The loss of every step.

    Raises:
        WeightsError: the model or the adapter is missing or cannot be loaded.
        DataError: a picture cannot be read.
    """
    go_offline()
    import torch

    torch.manual_seed(seed)
    base, processor, device = qwen.Reasoner(folder=folder)._parts
    model = _with_lora(base, adapter, rank)
    model.train()
    own = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(own, lr=rate)
    order = np.concatenate([np.random.default_rng([seed, e]).permutation(len(examples)) for e in range(epochs)])
    losses = []
    for step, i in enumerate(order, 1):
        inputs = encode(processor, picture(examples[i].image), ASK[stage], examples[i].target(stage), device)
        loss = model(**inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(own, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(loss.detach()))
        report(step, len(order), losses[-1])
    model.eval()
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(out))
    return losses


def _with_lora(base: Any, adapter: Path | None, rank: int) -> Any:
    from peft import LoraConfig, PeftModel, get_peft_model

    if adapter is not None:
        return PeftModel.from_pretrained(base, str(adapter), is_trainable=True, local_files_only=True)
    return get_peft_model(
        base, LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules=_TARGETS, task_type="CAUSAL_LM")
    )


def encode(processor: Any, rgb: NDArray[np.uint8], ask: str, target: str, device: str) -> dict[str, Any]:
    """A turn of question and answer as the model's inputs; only the answer is learned (labels of the rest are −100)."""
    import torch
    from PIL import Image

    content = [{"type": "image", "image": Image.fromarray(rgb)}, {"type": "text", "text": qwen.inert(ask)}]
    asked = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    words = processor.tokenizer
    answer = torch.tensor([[*words.encode(qwen.inert(target), add_special_tokens=False), words.eos_token_id]])
    ids = torch.cat([asked["input_ids"], answer], dim=1)
    labels = ids.clone()
    labels[:, : asked["input_ids"].shape[1]] = -100
    given = {k: v for k, v in asked.items() if k not in ("input_ids", "attention_mask")}
    for key in ("mm_token_type_ids", "token_type_ids"):
        if key in given:
            given[key] = torch.cat([given[key], torch.zeros_like(answer)], dim=1)
    given |= {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    return {k: v.to(device) for k, v in given.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab reason-tune`."""
    parser.add_argument("data", type=Path, metavar="DATA.jsonl", help="one picture a line: image, country, reasoning or city")
    parser.add_argument("--stage", choices=STAGES, required=True, help="reasoning first, then location")
    parser.add_argument("--model", default="small", help="small, large, or the folder of a model (default: small)")
    parser.add_argument("--adapter", type=Path, default=None, metavar="FOLDER", help="go on with what the stage before left")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the adapter goes")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)


def model_folder(name: str) -> Path:
    """The folder of a model named by size or path.

    Raises:
        WeightsError: it is not complete.
    """
    return qwen.folder_of(name) if name in qwen.SIZES else qwen.folder_of("small", Path(name).expanduser())


def run(args: argparse.Namespace) -> int:
    """Train one stage and say how the loss went."""
    began = time.monotonic()
    examples = read(args.data, args.stage)
    losses = tune(
        model_folder(args.model), examples, args.stage, args.out, args.adapter, args.epochs, args.rank, args.rate, args.seed
    )
    for share, part in _parts(losses):
        print(f"{share:>4.0%}  loss {np.mean(part):.3f}")
    took = f"{time.monotonic() - began:.0f} s; seed {args.seed}"
    print(f"{len(examples)} pictures, {len(losses)} steps, {took}; adapter in {args.out}")
    return 0


def _parts(losses: Sequence[float], n: int = 5) -> Iterator[tuple[float, Sequence[float]]]:
    for k in range(n):
        part = losses[k * len(losses) // n : (k + 1) * len(losses) // n]
        if part:
            yield (k + 1) / n, part
