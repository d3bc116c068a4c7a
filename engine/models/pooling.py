"""From vectors of windows to one vector of a recording: average, maximum, the largest of five clusters, or a transformer.

Source: Chasmai et al. 2025, arXiv 2505.18726, appendix (pooling): k-means with k = 5, of which the largest cluster's centre is
taken; a transformer of 6 layers, 8 heads, width 128, on up to 32 windows, trained by Adam at 1e-3 with weight decay 1e-3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SettingError

if TYPE_CHECKING:
    import torch

POOLINGS = ("average", "max", "kmeans")
CLUSTERS = 5
LAYERS, HEADS, WIDTH, MOST_WINDOWS = 6, 8, 128, 32


def pooled(windows: NDArray[np.floating], how: str = "average", seed: int = 0) -> NDArray[np.float32]:
    """One vector (d,) of windows (n, d).

    Args:
        how: one of POOLINGS. "kmeans" is the mean of the largest of up to five clusters.

    Raises:
        SettingError: no such pooling.
        ValueError: there is no window, or a number is not finite.
    """
    x = np.asarray(windows, dtype=np.float64)
    if x.ndim != 2 or len(x) == 0:
        raise ValueError("pooling needs at least one window")
    if not np.isfinite(x).all():
        raise ValueError("a window's vector is not finite")
    if how == "average":
        return x.mean(axis=0).astype(np.float32)
    if how == "max":
        return x.max(axis=0).astype(np.float32)
    if how == "kmeans":
        return _largest_cluster(x, seed).astype(np.float32)
    raise SettingError(f"There is no pooling called {how!r}; choose one of {', '.join(POOLINGS)} or transformer.")


def _largest_cluster(x: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    distinct = len(np.unique(x, axis=0))
    if distinct == 1:
        return x[0]
    from sklearn.cluster import KMeans

    label = KMeans(min(CLUSTERS, distinct), n_init=4, random_state=seed).fit_predict(x)
    return x[label == np.bincount(label).argmax()].mean(axis=0)


def transformer(inputs: int, outputs: int) -> torch.nn.Module:
    """Windows (n, up to 32, inputs) and a mask (n, windows), True where there is none, to (n, outputs)."""
    import torch
    from torch import nn

    class Pooler(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.enter = nn.Linear(inputs, WIDTH)
            self.place = nn.Parameter(torch.zeros(1, MOST_WINDOWS + 1, WIDTH))
            self.summary = nn.Parameter(torch.zeros(1, 1, WIDTH))
            layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, dropout=0.1, batch_first=True, norm_first=True)
            self.encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
            self.leave = nn.Linear(WIDTH, outputs)
            nn.init.normal_(self.place, std=0.02)
            nn.init.normal_(self.summary, std=0.02)

        def forward(self, windows: torch.Tensor, absent: torch.Tensor) -> torch.Tensor:
            windows, absent = windows[:, :MOST_WINDOWS], absent[:, :MOST_WINDOWS]
            x = torch.cat([self.summary.expand(len(windows), -1, -1), self.enter(windows)], dim=1)
            never = torch.zeros(len(absent), 1, dtype=torch.bool, device=absent.device)
            x = self.encoder(x + self.place[:, : x.shape[1]], src_key_padding_mask=torch.cat([never, absent], dim=1))
            return self.leave(x[:, 0])

    return Pooler()
