"""What the steps come to: the chance of each label at a step, how many steps count, and every label's score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.models.atoms.separation import Rule, Trace


def chances_of(trace: Trace, step: int, rule: Rule) -> NDArray[np.float32]:
    """(n, labels + 1) chance of each label, and of "stop" last, to be this step's."""
    label = np.where(trace.taken[step], -np.inf, trace.label[step] + rule.presence * trace.present[step])
    z = np.concatenate([label, (trace.stop[step] + rule.stop)[:, None]], axis=1)
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return (z / z.sum(axis=1, keepdims=True)).astype(np.float32)


def counts_of(trace: Trace, rule: Rule) -> list[int]:
    """How many steps each window takes before "stop" is the likeliest."""
    going = np.ones(len(trace.stop[0]), dtype=bool)
    count = np.zeros(len(going), dtype=int)
    for k in range(len(trace.label)):
        going &= chances_of(trace, k, rule).argmax(axis=1) < trace.label[k].shape[1]
        count += going
    return [int(c) for c in count]


def scores_of(trace: Trace, rule: Rule) -> NDArray[np.float32]:
    """(n, labels) score of each label, 0 to 1.

    The steps' own say is the chance that the label is chosen at one of them, each step counting as much as it is likely to be
    reached. The presence head's is the mean of its log-odds at all steps before the label was taken. Both are joined as log-odds.
    """
    reached = np.ones((len(trace.stop[0]), 1))
    never = np.ones(trace.label[0].shape)
    total, seen = np.zeros(trace.label[0].shape), np.zeros(trace.label[0].shape)
    for k in range(len(trace.label)):
        chance = chances_of(trace, k, rule)
        never *= 1.0 - reached * chance[:, :-1]
        weight = np.where(trace.taken[k], 0.0, reached)
        total += weight * trace.present[k]
        seen += weight
        reached = reached * (1.0 - chance[:, -1:])
    said = np.clip(1.0 - never, 1e-6, 1.0 - 1e-6)
    z = rule.choice * np.log(said / (1.0 - said)) + total / np.maximum(seen, 1e-9)
    return (1.0 / (1.0 + np.exp(-z / (1.0 + rule.choice)))).astype(np.float32)
