"""`earwitness lab grpo-demo`: a tiny text model learns by GRPO where simulated evidence comes from; its held-out curve.

Evidence: four species drawn by BirdNET's range model at a random place in one of 24 countries. The model (Qwen2 class, two
layers, random weights, one token a word) is first taught the form of an answer with answers drawn at random, so that it knows
how to speak and nothing of places. Then GRPO pays it for what it says. Held out are other places: whole H3 cells of resolution 2.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.lab.data import tiny
from engine.lab.train import grpo, reward
from engine.models import birdnet
from engine.models.offline import go_offline
from engine.world import countries
from engine.world.grid import world_grid

CODES = tuple("US CA MX BR AR PE CO GB FR ES SE PL TR ZA KE NG MA EG IN CN JP ID AU NZ".split())  # noqa: SIM905
PER_COUNTRY = 6  # species in the vocabulary
HEARD = 4  # species in one prompt
OPEN, MIDDLE, LAST, CLOSE = '{"continent":"', '","country":"', '","rests_on":"', '"}'


@dataclass(frozen=True, slots=True)
class Row:
    """A piece of simulated evidence: species at a place."""

    species: tuple[str, ...]
    lat_deg: float
    lon_deg: float
    country: str

    @property
    def prompt(self) -> str:
        return " ".join([*self.species, "where?"])

    def columns(self) -> dict[str, Any]:
        return {"prompt": self.prompt, "lat_deg": self.lat_deg, "lon_deg": self.lon_deg, "evidence": list(self.species)}


def simulate(n: int, seed: int, held_out: bool) -> list[Row]:
    """Rows of evidence from places that are held out or are not: a sixth of the H3 cells of resolution 2 are."""
    grid = world_grid()
    number = countries.of(grid)
    parents = grid.parents(2)
    is_out = (parents // np.uint64(1 << 43)) % np.uint64(6) == 0  # digits of the resolution-2 index, below it only ones
    rng = np.random.default_rng([seed, held_out])
    species, occurrence = vocabulary()
    rows: list[Row] = []
    by_code = {c: np.flatnonzero((number == countries.number_of(c)) & (is_out == held_out)) for c in CODES}
    usable = [c for c in CODES if len(by_code[c])]
    lat, lon = grid.lat_lon_deg
    while len(rows) < n:
        code = usable[rng.integers(len(usable))]
        cell = int(rng.choice(by_code[code]))
        there = np.flatnonzero(rng.random(len(species)) < occurrence[cell])
        if len(there) >= HEARD:
            heard = tuple(species[i] for i in rng.choice(there, HEARD, replace=False))
            rows.append(Row(heard, float(lat[cell]), float(lon[cell]), code))
    return rows


def vocabulary() -> tuple[list[str], np.ndarray]:
    """Species that tell the countries apart, as one word each, and their chance in every world cell (cells, s)."""
    grid = world_grid()
    lat, lon = grid.lat_lon_deg
    number = countries.of(grid)
    model = birdnet.RangeModel()
    hidden = model.hidden(lat, lon, None)
    every = np.flatnonzero(birdnet.is_species())
    chosen: dict[int, None] = {}
    means = np.stack([_mean(model, hidden[number == countries.number_of(c)], every) for c in CODES])
    telling = means * np.log1p(means / (means.mean(axis=0) + 0.01))
    for row in telling:
        chosen.update(dict.fromkeys(every[np.argsort(-row)[:PER_COUNTRY]].tolist()))
    index = np.array(list(chosen))
    labels = birdnet.labels()
    return [labels[i].latin.replace(" ", "_") for i in index], model.occurrence_from(hidden, index)


def _mean(model: birdnet.RangeModel, hidden: np.ndarray, every: np.ndarray) -> np.ndarray:
    some = hidden[:: max(1, len(hidden) // 60)]
    return np.asarray(model.occurrence_from(some, every).mean(axis=0))


def word_tokenizer(species: Sequence[str]) -> Any:
    """One token a word: species, continents, countries and the pieces of an answer."""
    go_offline()
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    continents = sorted({reward._continent(c) for c in CODES})
    words = ["<pad>", "<end>", "<unknown>", "where?", OPEN, MIDDLE, LAST, CLOSE, *continents_words(continents), *CODES, *species]
    made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(dict.fromkeys(words))}, unk_token="<unknown>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="<end>", unk_token="<unknown>", padding_side="left"
    )


def continents_words(names: Sequence[str]) -> list[str]:
    """Names of continents as one word each."""
    return [n.replace(" ", "_") for n in names]


def answer_of(code: str, species: str) -> str:
    """An answer in the form asked for, word by word."""
    continent = reward._continent(code).replace(" ", "_")
    return f"{OPEN} {continent} {MIDDLE} {code} {LAST} {species} {CLOSE}"


def plain(text: str) -> str:
    """The words of an answer as JSON: spaces out, those in names in."""
    body = text.replace(" ", "").replace("<end>", "").replace("<pad>", "")
    for name in ("North_America", "South_America"):
        body = body.replace(name, name.replace("_", " "))
    return body


def warm_up(model: Any, words: Any, rows: Sequence[Row], steps: int, seed: int) -> None:
    """Teach the form with answers drawn at random: the model then speaks, and knows nothing of places."""
    import torch

    rng = np.random.default_rng([seed, 7])
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(steps):
        batch = [rows[i] for i in rng.integers(len(rows), size=32)]
        asked = [r.prompt for r in batch]
        answers = [answer_of(CODES[rng.integers(len(CODES))], r.species[rng.integers(HEARD)]) + " <end>" for r in batch]
        ids = torch.tensor([words.encode(f"{a} {b}") for a, b in zip(asked, answers, strict=True)])
        labels = ids.clone()
        labels[:, : HEARD + 1] = -100
        loss = model(input_ids=ids, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval()


@dataclass(frozen=True, slots=True)
class Point:
    """The held-out rewards at a step: means over rows and samples, with the 95% interval of the distance reward by rows."""

    step: int
    distance: float
    low: float
    high: float
    form: float
    hierarchy: float
    grounding: float


def measure(model: Any, words: Any, rows: Sequence[Row], step: int, seed: int, samples: int = 4) -> Point:
    """Sampled answers to held-out evidence and what they earn."""
    import torch

    torch.manual_seed(seed)
    asked = [r for r in rows for _ in range(samples)]
    ids = torch.tensor([words.encode(r.prompt) for r in asked], device=model.device)
    model.eval()
    with torch.inference_mode():
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=9, do_sample=True, top_k=0)
    texts = [plain(words.decode(t)) for t in out[:, ids.shape[1] :]]
    lat, lon = [r.lat_deg for r in asked], [r.lon_deg for r in asked]
    distance = np.array(reward.distance_reward(texts, lat, lon)).reshape(len(rows), samples).mean(axis=1)
    rng = np.random.default_rng(seed)
    drawn = distance[rng.integers(len(rows), size=(1000, len(rows)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Point(
        step,
        float(distance.mean()),
        float(low),
        float(high),
        float(np.mean(reward.format_reward(texts))),
        float(np.mean(reward.hierarchy_reward(texts, lat, lon))),
        float(np.mean(reward.grounding_reward(texts, [list(r.species) for r in asked]))),
    )


def demonstrate(steps: int = 200, every: int = 20, seed: int = 0, tests: int = 120, warm: int = 250) -> list[Point]:
    """Train and measure; the first point is the model that only knows the form."""
    go_offline()
    import torch
    from transformers import TrainerCallback

    torch.manual_seed(seed)
    species, _ = vocabulary()
    train, test = simulate(2000, seed, False), simulate(tests, seed, True)
    words = word_tokenizer(species)
    model = tiny.text_model(words, hidden=96, seed=seed)
    warm_up(model, words, train, warm, seed)
    points = [measure(model, words, test, 0, seed)]

    class Watch(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
            if state.global_step % every == 0:
                points.append(measure(model, words, test, state.global_step, seed))
                model.train()

    with tempfile.TemporaryDirectory() as folder:
        config = grpo.settings(
            Path(folder),
            seed,
            max_steps=steps,
            learning_rate=1e-3,
            lr_scheduler_type="constant",
            per_device_train_batch_size=128,
            num_generations=16,
            max_completion_length=9,
            temperature=1.0,
            top_k=0,
            max_grad_norm=1.0,
        )
        done = _spoken_plainly(grpo.trainer(model, words, [r.columns() for r in train], config, [Watch()]))
        done.train()
    return points


def _spoken_plainly(trainer: Any) -> Any:
    """Let the rewards read the words as JSON."""

    def reading(function: Any) -> Any:
        def read(completions: list[Any], **given: Any) -> list[float]:
            return function([plain(t) for t in grpo.texts_of(completions)], **given)

        read.__name__ = function.__name__
        return read

    trainer.reward_funcs = [reading(f) for f in trainer.reward_funcs]
    return trainer


def write(points: Sequence[Point], folder: Path) -> None:
    """curve.csv and curve.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "grpo_curve.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        names = list(Point.__dataclass_fields__)
        writer.writerow(names)
        writer.writerows([[f"{getattr(p, n):.4g}" for n in names] for p in points])
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "earwitness"
    from matplotlib import pyplot as plt

    steps = [p.step for p in points]
    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    axes.fill_between(steps, [p.low for p in points], [p.high for p in points], alpha=0.18, color="#217380", linewidth=0)
    axes.plot(steps, [p.distance for p in points], color="#217380", marker="o", label="distance")
    for name, label, style in (
        ("hierarchy", "region hierarchy", "--"),
        ("grounding", "grounding", ":"),
        ("form", "format", "-."),
    ):
        axes.plot(steps, [getattr(p, name) for p in points], style, color="#5b6670", label=label)
    axes.set(xlabel="GRPO step", ylabel="held-out reward", ylim=(0, 1.02))
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "grpo_curve.svg", metadata={"Date": None})
    plt.close(figure)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab grpo-demo`."""
    parser.add_argument("--steps", type=int, default=200, help="of GRPO (default: 200)")
    parser.add_argument("--every", type=int, default=20, help="steps between two measurements (default: 20)")
    parser.add_argument("--out", type=Path, default=None, metavar="FOLDER", help="write grpo_curve.csv and grpo_curve.svg there")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    """Train, print the curve, write it."""
    began = time.monotonic()
    points = demonstrate(args.steps, args.every, args.seed)
    print(f"{'step':>5}  {'distance':>8}  {'95%':>13}  {'format':>6}  {'hierarchy':>9}  {'grounding':>9}")
    for p in points:
        print(f"{p.step:>5}  {p.distance:8.3f}  {p.low:.3f}–{p.high:.3f}  {p.form:6.3f}  {p.hierarchy:9.3f}  {p.grounding:9.3f}")
    print(f"Held-out places: cells of which no part was trained on. {time.monotonic() - began:.0f} s; seed {args.seed}.")
    if args.out:
        write(points, args.out)
    return 0
