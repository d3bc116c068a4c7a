"""What a clip's vectors say of the map, before anything is learned about flows: a coarse posterior with its finer lie of the
land.

Every modality that was given scores every cell of the grid,

    sound      f · place(cell) / T_s      f of AG-CLIP, place(cell) its 768 numbers of a place (`nets.agclip`)
    picture    T_p cos(e, g(cell))        e of GeoCLIP, or of a place, degraded; g GeoCLIP's vector of a place
    reasoning  T_r cos(r, g(cell))        r the GeoCLIP vector expected under an opinion
    atoms      log of the chance of sea and town sounds there (an assumption, see `lab.flow_data`)

and the scores are added to the log of the cell's area. Cells are gathered into anchors (their H3 ancestors of resolution 1): the
mass of each, and of the heaviest MOST the mean point and the spread about it. The field starts from these: see `field`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core.grid import Grid
from engine.models import agclip, birdnet
from engine.models.geoclip_location import DIMENSIONS, grid_embeddings

ANCHOR_RESOLUTION = 1
MOST = 128
INPUTS = ("sound", "picture", "atoms", "reasoning")
SOUND = agclip.RANGE_PART.stop
ATOMS = ("sea", "town")
LEAST_SPREAD_RAD = 0.006  # about 40 km: half a cell


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """The vectors that describe a clip; each may be missing.

    Attributes:
        sound: (768,) of AG-CLIP.
        picture: (512,) in GeoCLIP's location space, of any length.
        atoms: (2,) chance 0..1 that sounds of ATOMS are heard.
        reasoning: (512,) GeoCLIP vector expected under an opinion, not of unit length.

    Raises:
        ValueError: a vector has the wrong size or a number that is not finite.
    """

    sound: NDArray[np.float32] | None = None
    picture: NDArray[np.float32] | None = None
    atoms: NDArray[np.float32] | None = None
    reasoning: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        for name, size in zip(INPUTS, (SOUND, DIMENSIONS, len(ATOMS), DIMENSIONS), strict=True):
            v = getattr(self, name)
            if v is not None and (np.shape(v) != (size,) or not np.isfinite(v).all()):
                raise ValueError(f"the flow's {name} vector must be {size} finite numbers")

    @property
    def given(self) -> tuple[str, ...]:
        """The inputs that are present."""
        return tuple(s for s in INPUTS if getattr(self, s) is not None)

    def without(self, *inputs: str) -> Condition:
        """The same without these inputs."""
        return Condition(**{s: None if s in inputs else getattr(self, s) for s in INPUTS})


@dataclass(frozen=True, slots=True)
class Heat:
    """How much each modality's scores are worth; fitted on simulated clips by `earwitness lab train-flow`."""

    sound: float = 1.0
    picture: float = 25.0
    atoms: float = 1.0
    reasoning: float = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """What n conditions say of the map, as tensors.

    Attributes:
        share: (n, anchors) log mass of each anchor, as given by the inputs alone.
        index: (n, MOST) the heaviest anchors; centre (n, MOST, 3) unit mean point; spread (n, MOST) radians;
            log_mass (n, MOST).
        raw: (n, 1794) the vectors themselves, sound and pictures scaled to about unit size, zeros where missing.
        given: (n, 4) 1 where a modality is there.
    """

    share: Tensor
    index: Tensor
    centre: Tensor
    spread: Tensor
    log_mass: Tensor
    raw: Tensor
    given: Tensor

    def __len__(self) -> int:
        return len(self.share)

    def rows(self, which: Tensor | slice) -> Sketch:
        """Some of them."""
        return Sketch(*(getattr(self, f.name)[which] for f in fields(self)))

    def floats(self) -> Sketch:
        """In single precision, whatever they were kept in."""
        return Sketch(*(getattr(self, f.name) if f.name == "index" else getattr(self, f.name).float() for f in fields(self)))


class Atlas:
    """The tables of places that vectors are compared with.

    Args:
        grid: cells of one resolution, finer than ANCHOR_RESOLUTION.
        atom_rates: (cells, 2) chance that sea and town are heard in a recording made in a cell.
    """

    def __init__(self, grid: Grid, atom_rates: NDArray[np.float32]) -> None:
        lat, lon = grid.lat_lon_deg
        self.grid = grid
        self.xyz = torch.from_numpy(grid.xyz.astype(np.float32))
        self.log_area = torch.from_numpy(np.log(grid.area_km2 / grid.area_km2.sum()).astype(np.float32))
        parents = grid.parents(ANCHOR_RESOLUTION)  # in H3's order the children of a cell lie together
        self.starts = np.flatnonzero(np.concatenate([[True], parents[1:] != parents[:-1]]))
        self.anchors = parents[self.starts]
        of_cell = np.repeat(np.arange(len(self.starts)), np.diff([*self.starts, len(grid)]))
        self.anchor_of = torch.from_numpy(of_cell)
        self.geo = torch.from_numpy(np.array(grid_embeddings(grid)))
        model, projection = birdnet.RangeModel(), agclip.agclip().range_projection
        hidden = [model.hidden(lat[a : a + 2048], lon[a : a + 2048]) @ projection for a in range(0, len(grid), 2048)]
        places = np.concatenate([np.float32(agclip.GEOCLIP_WEIGHT) * self.geo.numpy(), np.concatenate(hidden)], axis=1)
        self.places = torch.from_numpy(places.astype(np.float32))
        self.atom_rates = torch.from_numpy(np.asarray(atom_rates, dtype=np.float32))

    def scores(self, conditions: Sequence[Condition], heat: Heat) -> Tensor:
        """(n, cells) sum of all inputs' scores; zeros where none is given."""
        out = torch.zeros(len(conditions), len(self.grid))
        for name, table in (("sound", self.places), ("picture", self.geo), ("reasoning", self.geo)):
            at = [i for i, c in enumerate(conditions) if getattr(c, name) is not None]
            if at:
                v = torch.from_numpy(np.stack([getattr(conditions[i], name) for i in at]).astype(np.float32))
                if name != "sound":
                    v = torch.nn.functional.normalize(v, dim=1)
                out[at] += getattr(heat, name) * (v @ table.T)
        for i, c in enumerate(conditions):
            if c.atoms is not None:
                heard = torch.from_numpy(np.asarray(c.atoms, dtype=np.float32))
                like = heard * self.atom_rates + (1 - heard) * (1 - self.atom_rates)
                out[i] += heat.atoms * like.log().sum(1)
        return out

    def log_mass(self, conditions: Sequence[Condition], heat: Heat) -> NDArray[np.float64]:
        """(n, cells) log mass of every cell by the inputs' scores alone, no flow."""
        return torch.log_softmax(self.scores(conditions, heat) + self.log_area, dim=1).double().numpy()

    def sketch(self, conditions: Sequence[Condition], heat: Heat) -> Sketch:
        """Gather the scores of conditions into anchors."""
        log_p = torch.log_softmax(self.scores(conditions, heat) + self.log_area, dim=1)
        p = log_p.exp()
        n, a = len(conditions), len(self.anchors)
        into = self.anchor_of.expand(n, -1)
        mass = torch.zeros(n, a).scatter_add_(1, into, p)
        point = torch.stack([torch.zeros(n, a).scatter_add_(1, into, p * self.xyz[:, k]) for k in range(3)], dim=-1)
        point = point / mass.clamp(min=1e-30)[..., None]
        share = mass.clamp(min=1e-12).log()
        log_mass, index = share.topk(min(MOST, a), dim=1)
        mean = point.gather(1, index[..., None].expand(-1, -1, 3))
        length = mean.norm(dim=-1).clamp(1e-6, 1.0)
        # of points with angular variance s² in each of two directions the mean has length 1 - s²
        spread = (1.0 - length).clamp(min=0.0).sqrt().clamp(min=LEAST_SPREAD_RAD)
        empty = log_mass <= np.log(1e-12) + 1e-3
        centre = torch.where(empty[..., None], torch.tensor([0.0, 0.0, 1.0]), mean / length[..., None])
        raw, given = raw_vectors(conditions)
        return Sketch(share, index, centre, spread, log_mass, raw, given)


def raw_vectors(conditions: Sequence[Condition]) -> tuple[Tensor, Tensor]:
    """(n, 1794) the vectors side by side in the order of SENSES, about unit size, and (n, 4) which are there."""
    rows, given = [], []
    for c in conditions:
        scaled = (
            np.zeros(SOUND) if c.sound is None else c.sound / max(1.0, float(np.linalg.norm(c.sound)) / 4),
            np.zeros(DIMENSIONS) if c.picture is None else c.picture / max(1e-9, float(np.linalg.norm(c.picture))) * 4,
            np.zeros(len(ATOMS)) if c.atoms is None else c.atoms,
            np.zeros(DIMENSIONS) if c.reasoning is None else c.reasoning * 4,
        )
        rows.append(np.concatenate(scaled).astype(np.float32))
        given.append([float(getattr(c, s) is not None) for s in INPUTS])
    return torch.from_numpy(np.stack(rows)), torch.tensor(given)
