"""GRPO through trl: a language model learns to place evidence by what its answers earn (`reward`).

`earwitness lab grpo` tunes a model from a local folder (LoRA) on JSONL rows of facts and places. `earwitness lab grpo-demo` shows
on a tiny text model and simulated evidence that the held-out distance reward rises, and writes the curve.

Source: Shao et al. 2024, "DeepSeekMath" (arXiv 2402.03300), section 4.1, as in trl.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.core.errors import DataError
from engine.core.file import DATA_BYTES, read_text
from engine.lab.train import reward
from engine.models.offline import go_offline

# How much each reward counts; the distance most.
WEIGHTS = {"format": 0.5, "distance": 1.0, "hierarchy": 0.5, "grounding": 0.5, "length": 0.25}
COLUMNS = ("prompt", "lat_deg", "lon_deg", "evidence")
RewardFunction = Callable[..., list[float]]


def reward_functions() -> list[RewardFunction]:
    """The rewards in the form that trl calls, in the order of WEIGHTS."""

    def format_(completions: list[Any], **_: Any) -> list[float]:
        return reward.format_reward(texts_of(completions))

    def distance(completions: list[Any], lat_deg: list[float], lon_deg: list[float], **_: Any) -> list[float]:
        return reward.distance_reward(texts_of(completions), lat_deg, lon_deg)

    def hierarchy(completions: list[Any], lat_deg: list[float], lon_deg: list[float], **_: Any) -> list[float]:
        return reward.hierarchy_reward(texts_of(completions), lat_deg, lon_deg)

    def grounding(completions: list[Any], evidence: list[list[str]], **_: Any) -> list[float]:
        return reward.grounding_reward(texts_of(completions), evidence)

    def length(completions: list[Any], **_: Any) -> list[float]:
        return reward.length_reward(texts_of(completions))

    return [format_, distance, hierarchy, grounding, length]


def texts_of(completions: Sequence[Any]) -> list[str]:
    """Completions as text; trl gives strings, or lists of chat messages."""
    return [c if isinstance(c, str) else "".join(str(m.get("content", "")) for m in c) for c in completions]


def settings(folder: Path, seed: int, **changes: Any) -> Any:
    """trl's settings, with everything off that would write or call elsewhere.

    Args:
        changes: fields of trl.GRPOConfig.
    """
    go_offline()
    import torch
    from trl import GRPOConfig

    cpu = not torch.cuda.is_available()
    given: dict[str, Any] = {
        "output_dir": str(folder),
        "seed": seed,
        "report_to": [],
        "save_strategy": "no",
        "logging_strategy": "no",
        "use_cpu": cpu,
        "bf16": not cpu,
        "reward_weights": list(WEIGHTS.values()),
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "beta": 0.0,
    }
    return GRPOConfig(**(given | changes))


def trainer(
    model: Any,
    words: Any,
    rows: Sequence[Mapping[str, Any]],
    config: Any,
    callbacks: Sequence[Any] = (),
    lora_rank: int | None = None,
) -> Any:
    """A trl trainer over rows of COLUMNS.

    Args:
        model: a transformers model.
        words: its tokenizer or processor.
        lora_rank: None trains every weight; else LoRA on the attention.

    Raises:
        DataError: there are no rows, or one lacks a column.
    """
    go_offline()
    from datasets import Dataset
    from trl import GRPOTrainer

    if not rows:
        raise DataError("There is nothing to train on; give rows with the columns " + ", ".join(COLUMNS) + ".")
    for number, row in enumerate(rows, 1):
        missing = [c for c in COLUMNS if c not in row]
        if missing:
            raise DataError(f"Row {number} has no {missing[0]}; each needs {', '.join(COLUMNS)}.")
    peft = None
    if lora_rank:
        from peft import LoraConfig

        peft = LoraConfig(r=lora_rank, lora_alpha=2 * lora_rank, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"])
    held = Dataset.from_list([{c: row[c] for c in COLUMNS} for row in rows])
    return GRPOTrainer(
        model=model,
        reward_funcs=list[Any](reward_functions()),
        args=config,
        train_dataset=held,
        processing_class=words,
        callbacks=list(callbacks),
        peft_config=peft,
    )


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSONL file with the columns COLUMNS; prompt is text or a list of chat messages, evidence a list of texts.

    Raises:
        DataError: the file is missing or a line is no such row; the sentence names the line.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}; give JSONL with the columns {', '.join(COLUMNS)}.")
    rows = []
    for number, line in enumerate(read_text(path, DATA_BYTES).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not (-90 <= float(row["lat_deg"]) <= 90 and -180 <= float(row["lon_deg"]) <= 180):
                raise ValueError("no place on Earth")
            rows.append({"prompt": row["prompt"], "lat_deg": float(row["lat_deg"]), "lon_deg": float(row["lon_deg"]),
                         "evidence": [str(e) for e in row["evidence"]]})  # fmt: skip
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(f"Line {number} of {path} is no row ({error}); it needs {', '.join(COLUMNS)}.") from None
    return rows
