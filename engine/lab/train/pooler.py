"""The transformer that makes one vector of many windows, trained and tested on recordings by cross-validation.

Its input are AG-CLIP's vectors of single windows, its loss the contrastive one against GeoCLIP's location encoder. Each fold of
places is answered by a network that has seen none of its neighbourhood.

Source: Chasmai et al. 2025, arXiv 2505.18726, appendix (6 layers, 8 heads, width 128, up to 32 windows; Adam 1e-3, weight decay
1e-3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError
from engine.models.geoclip_location import LOGIT_SCALE, location_encoder
from engine.models.pooling import MOST_WINDOWS, transformer

if TYPE_CHECKING:
    import torch

EPOCHS = 12
BATCH = 64
RATE = DECAY = 1e-3


def padded(vectors: Sequence[NDArray[np.floating]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Windows (n, most, d), zeros where there is none, and whether there is none (n, most); of more than 32 an even choice."""
    kept = [_chosen(np.asarray(v, dtype=np.float32)) for v in vectors]
    most = max(len(v) for v in kept)
    out = np.zeros((len(kept), most, kept[0].shape[1]), dtype=np.float32)
    absent = np.ones((len(kept), most), dtype=bool)
    for i, v in enumerate(kept):
        out[i, : len(v)], absent[i, : len(v)] = v, False
    return out, absent


def _chosen(v: NDArray[np.float32]) -> NDArray[np.float32]:
    return v if len(v) <= MOST_WINDOWS else v[np.linspace(0, len(v) - 1, MOST_WINDOWS).round().astype(int)]


def train(
    vectors: Sequence[NDArray[np.floating]],
    lat_deg: NDArray[np.float64],
    lon_deg: NDArray[np.float64],
    seed: int = 0,
    epochs: int = EPOCHS,
) -> torch.nn.Module:
    """Train on recordings' windows; returns the network in evaluation mode.

    Args:
        vectors: one (windows, d) for each recording.

    Raises:
        DataError: fewer than two recordings.
    """
    import torch
    from torch.nn.functional import cross_entropy, normalize

    if len(vectors) < 2:
        raise DataError("A pooling transformer needs at least two recordings to train on; give more.")
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    windows, absent = (torch.from_numpy(x) for x in padded(vectors))
    place = torch.from_numpy(location_encoder().embed(lat_deg, lon_deg))
    net = transformer(windows.shape[2], place.shape[1])
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE, weight_decay=DECAY)
    net.train()
    for _ in range(epochs):
        order = rng.permutation(len(windows))
        for at in range(0, len(order), BATCH):
            rows = order[at : at + BATCH]
            if len(rows) < 2:
                continue
            said = normalize(net(windows[rows], absent[rows]), dim=1)
            loss = cross_entropy(LOGIT_SCALE * said @ place[rows].T, torch.arange(len(rows)))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    return net.eval()


def pooled(net: torch.nn.Module, vectors: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    """(n, 512) vectors of recordings, raw."""
    import torch

    windows, absent = (torch.from_numpy(x) for x in padded(vectors))
    with torch.inference_mode():
        said: NDArray[np.float32] = net(windows, absent).numpy()
    return said


def crossvalidated(
    vectors: Sequence[NDArray[np.floating]],
    lat_deg: NDArray[np.float64],
    lon_deg: NDArray[np.float64],
    fold: NDArray[np.int64],
    seed: int = 0,
    epochs: int = EPOCHS,
) -> NDArray[np.float32]:
    """(n, 512) vectors, each from a network trained on the other folds (n,)."""
    out: NDArray[np.float32] | None = None
    for f in np.unique(fold):
        inside = np.flatnonzero(fold == f)
        others = np.flatnonzero(fold != f)
        net = train([vectors[i] for i in others.tolist()], lat_deg[others], lon_deg[others], seed, epochs)
        said = pooled(net, [vectors[i] for i in inside.tolist()])
        out = np.empty((len(vectors), said.shape[1]), dtype=np.float32) if out is None else out
        out[inside] = said
    assert out is not None
    return out
