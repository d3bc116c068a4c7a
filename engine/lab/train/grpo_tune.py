"""`earwitness lab grpo`: tune a language model by what its answers earn, LoRA on the attention, from JSONL rows of facts.

Each line: {"prompt": text or chat messages, "lat_deg": …, "lon_deg": …, "evidence": ["1", "2", …]}; `evidence` lists what an
answer may rest on, as it names it under rests_on. Facts are text, and a model of the Qwen2.5-VL class takes text alone.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.lab.train import grpo
from engine.lab.train.reason_tune import model_folder
from engine.models.offline import go_offline
from engine.models.qwen import Reasoner


def tune(
    folder: Path,
    data: Path,
    out: Path,
    steps: int,
    group: int = 8,
    rank: int = 8,
    rate: float = 1e-5,
    most_tokens: int = 400,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Train, write the adapter, and give trl's log.

    Raises:
        WeightsError: the model cannot be loaded.
        DataError: the rows cannot be read.
    """
    go_offline()
    rows = grpo.read_rows(data)
    model, processor, _ = Reasoner(folder=folder)._parts
    with tempfile.TemporaryDirectory() as scratch:
        config = grpo.settings(
            Path(scratch),
            seed,
            max_steps=steps,
            learning_rate=rate,
            per_device_train_batch_size=group,
            num_generations=group,
            max_completion_length=most_tokens,
            logging_strategy="steps",
            logging_steps=1,
        )
        done = grpo.trainer(model, processor.tokenizer, rows, config, lora_rank=rank)
        done.train()
        out.mkdir(parents=True, exist_ok=True)
        done.model.save_pretrained(str(out))
        return list(done.state.log_history)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab grpo`."""
    parser.add_argument("data", type=Path, metavar="DATA.jsonl", help="prompt, lat_deg, lon_deg, evidence")
    parser.add_argument("--model", default="small", help="small, large, or the folder of a model (default: small)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the adapter goes")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--group", type=int, default=8, help="answers to one prompt (default: 8)")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-5)
    parser.add_argument("--tokens", type=int, default=400, help="longest answer (default: 400)")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    """Train and print what the answers earned."""
    began = time.monotonic()
    log = tune(
        model_folder(args.model), args.data, args.out, args.steps, args.group, args.rank, args.rate, args.tokens, args.seed
    )
    print(f"{'step':>5}  {'reward':>7}  {'distance':>8}  {'format':>7}")
    for row in log:
        if "reward" in row:
            distance, form = row.get("rewards/distance/mean", float("nan")), row.get("rewards/format_/mean", float("nan"))
            print(f"{row['step']:>5}  {float(row['reward']):7.3f}  {float(distance):8.3f}  {float(form):7.3f}")
    print(f"{time.monotonic() - began:.0f} s; adapter in {args.out}; seed {args.seed}")
    return 0
