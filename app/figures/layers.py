"""Posteriors, ranges and regions as map layers, on one colour scale with the same steps everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pydeck as pdk
from numpy.typing import NDArray

from app.figures.ground import DARK, LIGHT
from app.figures.outline import edge_paths
from engine import Affinity, FlowMap, Grid, Located, Posterior
from engine.report import MASS_COLOURS, MODALITY_COLOURS
from engine.report.view import words

# Probability per 10,000 km². A place drawn at random on land has 0.007% of it: the first two steps are "no news".
MASS_STOPS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
LEAST_DRAWN = 2e-5
# Chance that a species is recorded in a place, for range maps.
RANGE_STOPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
LEAST_RANGE = 0.005
# Share of the land with at least as much affinity, for affinity maps; the rest is left out.
AFFINITY_STOPS = (0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.02, 0.01)
REGION_WIDTHS = ((0.9, 1.2), (0.5, 2.2))  # px
FINE_OUTLINE_KM2 = 60_000.0
_ALPHA = (95, 120, 145, 160, 172, 182, 192, 202, 212)


def palette(dark: bool) -> tuple[tuple[int, int, int], ...]:
    """The scale from least to most; on a dark ground it runs the other way, so that most is always what stands out."""
    colours = tuple(rgb(c) for c in MASS_COLOURS)
    return colours[::-1] if dark else colours


def rgb(colour: str) -> tuple[int, int, int]:
    """(red, green, blue) of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def modality_rgb(modality: str, dark: bool) -> tuple[int, int, int]:
    """A modality's colour, lightened where the ground is dark."""
    colour = rgb(MODALITY_COLOURS.get(modality, "#5b6670"))
    if not dark:
        return colour
    red, green, blue = (round(c + (255 - c) * 0.28) for c in colour)
    return red, green, blue


def mass_layer(located: Located, dark: bool) -> pdk.Layer:
    """Cells coloured by the density of the posterior; cells with next to none are left out."""
    return posterior_layer(located.posterior, located.modality, dark)


def posterior_layer(posterior: Posterior, modality: str, dark: bool) -> pdk.Layer:
    """The same of a posterior alone."""
    share = np.exp(posterior.log_density) * 1e4
    drawn = np.flatnonzero(share >= LEAST_DRAWN)
    step = np.searchsorted(MASS_STOPS, share[drawn], side="right")
    texts = [f"{_per_cent(m)} probability" for m in posterior.mass[drawn]]
    return _cells(f"mass-{modality}", posterior.grid.cells[drawn], step, texts, dark)


def range_layer(grid: Grid, chance: NDArray[np.floating], dark: bool) -> pdk.Layer:
    """Cells coloured by the chance, 0 to 1, that a species is recorded there (cells,)."""
    drawn = np.flatnonzero(chance >= LEAST_RANGE)
    step = np.searchsorted(RANGE_STOPS, chance[drawn], side="right")
    texts = [f"recorded here: {_per_cent(c)}" for c in chance[drawn]]
    return _cells("range", grid.cells[drawn], step, texts, dark)


def affinity_layer(affinity: Affinity, dark: bool) -> pdk.Layer:
    """Cells coloured by the share of land that has at least as much affinity; the lesser half is left out."""
    above = affinity.land_above
    drawn = np.flatnonzero(above <= AFFINITY_STOPS[0])
    step = (above[drawn][:, None] <= np.array(AFFINITY_STOPS)).sum(axis=1)
    texts = [f"among the most similar {_per_cent(max(a, 0.001))} of land" for a in above[drawn]]
    return _cells("affinity", affinity.grid.cells[drawn], step, texts, dark)


def flow_layer(flow: FlowMap, dark: bool, globe: bool) -> pdk.Layer:
    """Places drawn from the flow, as points."""
    height = 60_000.0 if globe else 0.0
    texts = f"{len(flow.lat_deg)} samples of the flow ({flow.label})"
    places = zip(flow.lat_deg.tolist(), flow.lon_deg.tolist(), strict=True)
    return pdk.Layer(
        "ScatterplotLayer",
        id=f"samples-{flow.located.modality}",
        data=[{"p": [round(lon, 4), round(lat, 4), height], "t": texts} for lat, lon in places],
        get_position="p",
        get_fill_color=[*modality_rgb(flow.located.modality, dark), 190],
        get_line_color=[*(DARK if dark else LIGHT).halo, 220],
        stroked=True,
        get_radius=3.2,
        radius_units=pdk.types.String("pixels"),
        line_width_min_pixels=1,
        billboard=True,
        pickable=True,
        parameters={"cullMode": "none"} if globe else {},
    )


def _cells(layer_id: str, cells: NDArray[np.uint64], step: NDArray[np.int64], texts: Sequence[str], dark: bool) -> pdk.Layer:
    fills = [[*c, a] for c, a in zip(palette(dark), _ALPHA, strict=True)]
    rows = [{"h": f"{c:x}", "f": fills[s], "t": t} for c, s, t in zip(cells.tolist(), step.tolist(), texts, strict=True)]
    return pdk.Layer(
        "H3HexagonLayer",
        id=layer_id,
        data=rows,
        get_hexagon="h",
        get_fill_color="f",
        stroked=False,
        filled=True,
        extruded=False,
        high_precision=True,
        pickable=True,
        auto_highlight=True,
        highlight_color=[255, 255, 255, 60],
    )


def outline_layers(located: Located, dark: bool, globe: bool) -> list[pdk.Layer]:
    """The edges of the 90% (thin) and 50% (thick) regions in the modality's colour, each on a halo."""
    ground = DARK if dark else LIGHT
    colour = modality_rgb(located.modality, dark)
    layers = []
    whole = _at_world_resolution(located.posterior)
    for share, width in REGION_WIDTHS:
        texts = f"{words.modality(located.modality)}: edge of the {share:.0%} region"
        fine = located.regions_km2.get(share, 0.0) < FINE_OUTLINE_KM2
        posterior = located.posterior if fine else whole
        runs = edge_paths(posterior.grid, posterior.region(share))
        paths = [{"p": lifted(run, globe), "t": texts} for run in runs]
        name = f"{located.modality}-{share:.0%}"
        if not globe:  # two lines at one height flicker on a sphere
            layers.append(path_layer(f"halo-{name}", paths, [*ground.halo, 130], width + 1.4))
        layers.append(path_layer(f"edge-{name}", paths, [*colour, 255], width, pickable=True))
    return layers


def _at_world_resolution(posterior: Posterior) -> Posterior:
    """The same posterior on cells of one size: the outline of a wide region would else break up into specks around towns."""
    cells, log_mass = posterior.at_resolution()
    return Posterior(Grid(cells), log_mass)


def lifted(run: Iterable[Sequence[float]], globe: bool, height_m: float = 12_000.0) -> list[list[float]]:
    """Points lifted above a globe, whose facets would else swallow lines."""
    return [[*p[:2], height_m] for p in run] if globe else [list(p) for p in run]


def path_layer(
    layer_id: str, paths: list[dict[str, Any]], colour: list[int], width_px: float, pickable: bool = False
) -> pdk.Layer:
    return pdk.Layer(
        "PathLayer",
        id=layer_id,
        data=paths,
        get_path="p",
        get_color=colour,
        get_width=width_px,
        width_units=pdk.types.String("pixels"),
        joint_rounded=True,
        cap_rounded=True,
        pickable=pickable,
    )


def _per_cent(share: float) -> str:
    percent = 100 * share
    return (
        f"{percent:.0f}%"
        if percent >= 10
        else f"{percent:.1f}%"
        if percent >= 0.1
        else f"{percent:.2g}%"
        if percent >= 0.01
        else "<0.01%"
    )


def legend_ticks(stops: Sequence[float]) -> list[str]:
    """The stops of a scale in per cent."""
    return [f"{100 * s:g}%" for s in stops]
