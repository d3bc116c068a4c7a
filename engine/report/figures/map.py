"""Maps as SVG, drawn here: nothing is fetched, and they print as sharp as the paper.

Mass is coloured by its density (share of the probability per area) on a logarithmic scale of three decades below the densest
cell; the same scale and colours on every map. Land stays light, in dark mode too, so that colours keep their meaning.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import h3.api.numpy_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from engine.core import sphere
from engine.core.finding import Located
from engine.core.grid import WORLD_RESOLUTION, Grid, parents_of
from engine.core.posterior import Place, Posterior
from engine.report.figures import colour, ground
from engine.report.figures.drawing import View, line_of, lines_of, near_view, path_of, ring_of, svg_of, world_view
from engine.report.figures.projection import equal_earth
from engine.report.figures.shape import cell_polygon, polygons_of, region_shape
from engine.report.view import words

DECADES = 3.0
_SMALL_WIDTH = 420.0
_SPECKLED_KM2 = 60_000.0
_SPECK_PX2 = 12.0
_LABEL_PX = 16.0  # height of a line of labels
_DRAWN_SHARE = 0.999


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The outline of a credible region."""

    shape: BaseGeometry
    modality: str
    share: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to be marked, with a short label."""

    lat_deg: float
    lon_deg: float
    modality: str
    label: str


def ground_symbols() -> str:
    """The ground that world and range maps share, to be put once on a page that shows any of them; draws nothing itself."""
    parts = "".join(ground_of(name) for name in ("world", "small"))
    return f'<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>{parts}</defs></svg>'


def ground_of(name: str) -> str:
    """The ground of the maps of one size, "world" or "small", as groups that `use` refers to."""
    view, detail = (world_view(), "medium") if name == "world" else (world_view(_SMALL_WIDTH), "coarse")
    return (
        f'<g id="ground-{name}">{_globe(view)}{_land(view, detail)}</g>'
        f'<g id="coast-{name}">{_coast(view, detail)}{_rim(view)}</g>'
    )


def outlines_of(located: Located, shares: Sequence[float]) -> list[Outline]:
    """Outlines of the credible regions. Regions larger than a few cells of the world grid are drawn by cells of that size, since
    single small cells within would only speckle the map; GeoJSON has every cell."""
    posterior = located.posterior
    if posterior.region_area_km2(min(shares)) > _SPECKLED_KM2:
        cells, log_mass = posterior.at_resolution(WORLD_RESOLUTION)
        posterior = Posterior(Grid(cells), log_mass)
    return [Outline(region_shape(posterior.grid.cells[posterior.region(s)]), located.modality, s) for s in shares]


def world_map(
    located: Located | None, outlines: Sequence[Outline], marks: Sequence[Mark], title: str, link: tuple[Mark, Mark] | None = None
) -> str:
    """The world with one posterior's mass (or none), outlines of regions, and marked places; needs `ground_symbols`.

    Args:
        link: two places to be joined by the shortest way, with its length.
    """
    view = world_view()
    parts = ['<use href="#ground-world"/>']
    legend = ""
    if located is not None:
        parts.append(_mass_world(view, located))
        legend = _mass_legend(located, view)
    parts += ['<use href="#coast-world"/>', *(_outline(view, o) for o in _widest_first(outlines))]
    if link is not None:
        parts.append(_link(view, *link))
    parts += _pins(view, marks)
    claimed = [m for m in marks if m.modality == "claim"][:1]
    if claimed:
        line = colour.modality_colour("claim")
        legend += f'<g transform="translate(28 {view.height + 66:g})">{_symbol("claim", line)}</g>'
        legend += f'<text x="42" y="{view.height + 70:g}" class="legend">Place claimed</text>'
    extra = 78.0 if claimed else 58.0
    return svg_of(view.width, view.height + extra, title, "".join(parts) + legend + _outline_legend(view, outlines))


def near_map(located: Located, outlines: Sequence[Outline], marks: Sequence[Mark], title: str) -> str:
    """The surroundings of the place reported, as wide as most of the probability, with a scale bar."""
    radius_km = near_radius_km(located)
    place = _place_of(located)
    view = near_view(place.lat_deg, place.lon_deg, radius_km)
    detail = "fine" if radius_km < 700 else "medium"
    name = f"frame-{located.modality}"
    clip = f'<clipPath id="{name}"><rect width="{view.width:g}" height="{view.height:g}"/></clipPath>'
    graticule, labels = _graticule_near(view, place, radius_km)
    parts = [
        f'<rect width="{view.width:g}" height="{view.height:g}" fill="{colour.SEA}"/>',
        _land_near(view, detail, place, radius_km),
        graticule,
        _mass_near(view, located, radius_km),
        _coast_near(view, detail, place, radius_km),
        *(_outline(view, o) for o in _widest_first(outlines)),
        *_pins(view, marks, labels=False),
        labels,
    ]
    frame = f'<rect width="{view.width:g}" height="{view.height:g}" fill="none" stroke="{colour.COAST}"/>'
    body = f'{clip}<g clip-path="url(#{name})">{"".join(parts)}{_scale_bar(view)}</g>{frame}'
    return svg_of(view.width, view.height, title, body)


def range_map(grid: Grid, occurrence: NDArray[np.floating], title: str) -> str:
    """A small world map of the chance, 0 to 1, that a species is recorded in each cell (cells,); needs `ground_symbols`."""
    view = world_view(_SMALL_WIDTH)
    cells, value = _coarse_mean(grid, np.asarray(occurrence, dtype=np.float64), 2)
    peak = float(value.max()) if len(value) else 0.0
    step = np.full(len(value), -1)
    if peak > 0:
        drawn = value >= max(0.02, 0.02 * peak)
        step[drawn] = np.clip((np.sqrt(value[drawn] / peak) * len(colour.MASS_COLOURS)).astype(int), 1, 8)
    body = f'<use href="#ground-small"/>{_cells(view, cells, step)}<use href="#coast-small"/>{_range_legend(view, peak)}'
    return svg_of(view.width, view.height + 16.0, f"{title}; at most {peak:.0%} in any part of the map", body)


def near_radius_km(located: Located) -> float:
    """How far the near map reaches: four fifths of the probability, and a quarter more, between 150 and 3,000 km."""
    grid, place = located.posterior.grid, _place_of(located)
    distance = sphere.pairwise_km(sphere.to_xyz(place.lat_deg, place.lon_deg)[None], grid.xyz)[0]
    order = np.argsort(distance)
    reach = distance[order][np.searchsorted(np.cumsum(located.posterior.mass[order]), 0.8)]
    return float(np.clip(1.25 * reach, 150.0, 3000.0))


def _place_of(located: Located) -> Place:
    if located.place is None:
        raise ValueError(f"the {located.modality} reports no place to draw the surroundings of")
    return located.place


# --- mass ---------------------------------------------------------------------------------------------------------------


def steps(log_density: NDArray[np.float64], peak: float) -> NDArray[np.int64]:
    """(n,) the colour of each density: DECADES below the peak are spread over the colours, below that -1."""
    depth = (peak - log_density) / math.log(10.0) / DECADES
    count = len(colour.MASS_COLOURS)
    return np.where(depth < 1.0, np.clip(((1.0 - depth) * count).astype(np.int64), 0, count - 1), -1)


def _mass_world(view: View, located: Located) -> str:
    cells, log_mass = located.posterior.at_resolution(3)
    area = np.array([h3.cell_area(c, unit="km^2") for c in cells])
    log_density = log_mass - np.log(area)
    kept = _heaviest(np.exp(log_mass))
    if kept.sum() > 5000:  # at this width a cell of resolution 3 is a pixel or two: the next size will do
        cells, log_mass = located.posterior.at_resolution(2)
        log_density = log_mass - np.log(np.array([h3.cell_area(c, unit="km^2") for c in cells]))
        kept = _heaviest(np.exp(log_mass))
    return _cells(view, cells[kept], steps(log_density[kept], _peak(located)))


def _mass_near(view: View, located: Located, radius_km: float) -> str:
    grid, place = located.posterior.grid, _place_of(located)
    reach_rad = min(2.2 * radius_km + 200.0, 15_000.0) / sphere.EARTH_RADIUS_KM
    near = (grid.xyz @ sphere.to_xyz(place.lat_deg, place.lon_deg)) > math.cos(reach_rad)
    kept = near & _heaviest(located.posterior.mass)
    # Small cells do not fill the large cell they replace to its very edge: it is drawn beneath them, with their mean.
    coarse = int(grid.resolution.min())
    whole, log_mass = located.posterior.at_resolution(coarse)
    under = np.isin(whole, parents_of(grid.cells[kept & (grid.resolution > coarse)], coarse))
    log_density = log_mass[under] - np.log([h3.cell_area(c, unit="km^2") for c in whole[under]])
    beneath = _cells(view, whole[under], steps(log_density, _peak(located)))
    return beneath + _cells(view, grid.cells[kept], steps(located.posterior.log_density[kept], _peak(located)))


def _peak(located: Located) -> float:
    """Natural log of the density, per km², that the scale starts from: the densest resolution-3 cell, as on the world map."""
    cells, log_mass = located.posterior.at_resolution(3)
    return float(np.max(log_mass - np.log(np.array([h3.cell_area(c, unit="km^2") for c in cells]))))


def _heaviest(mass: NDArray[np.float64]) -> NDArray[np.bool_]:
    order = np.argsort(-mass, kind="stable")
    kept = np.zeros(len(mass), dtype=bool)
    kept[order[: int(np.searchsorted(np.cumsum(mass[order]), _DRAWN_SHARE)) + 1]] = True
    return kept


def _coarse_mean(grid: Grid, value: NDArray[np.float64], resolution: int) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    cells, at = np.unique(parents_of(grid.cells, resolution), return_inverse=True)
    area = np.bincount(at, grid.area_km2)
    return cells, np.bincount(at, grid.area_km2 * value) / area


def _cells(view: View, cells: NDArray[np.uint64], step: NDArray[np.int64]) -> str:
    """One path per colour."""
    paths = []
    for s in range(len(colour.MASS_COLOURS)):
        own = cells[step == s]
        if len(own):
            d = "".join(_cell_path(view, int(c)) for c in own)
            fill = colour.MASS_COLOURS[s]
            paths.append(
                f'<path d="{d}" fill="{fill}" stroke="{fill}" stroke-width=".4" fill-opacity=".88" stroke-opacity=".88"/>'
            )
    return "".join(paths)


def _cell_path(view: View, cell: int) -> str:
    boundary = np.array(h3.cell_to_boundary(np.uint64(cell)))
    lat, lon = boundary[:, 0], boundary[:, 1]
    if view.project is equal_earth and (np.ptp(lon) > 180.0):
        return path_of(view, cell_polygon(cell))
    return ring_of(view.px(lat, lon))


# --- ground -------------------------------------------------------------------------------------------------------------


def _land(view: View, detail: str) -> str:
    return f'<path d="{"".join(path_of(view, g, 3.0) for g in ground.land(detail))}" fill="{colour.LAND}"/>'


def _coast(view: View, detail: str) -> str:
    width = view.width / 1800
    return (
        f'<path d="{"".join(lines_of(view, b) for b in ground.borders(detail))}" fill="none" stroke="{colour.BORDER}" '
        f'stroke-width="{width:.2f}"/>'
        f'<path d="{"".join(lines_of(view, c) for c in ground.coasts(detail))}" fill="none" stroke="{colour.COAST}" '
        f'stroke-width="{width:.2f}"/>'
    )


def _land_near(view: View, detail: str, place: Place, radius_km: float) -> str:
    pieces = [p for g in ground.land(detail) for p in _window(g, place, radius_km)]
    return f'<path d="{"".join(path_of(view, p, 2.0) for p in pieces)}" fill="{colour.LAND}"/>'


def _coast_near(view: View, detail: str, place: Place, radius_km: float) -> str:
    def drawn(shapes: Iterable[BaseGeometry]) -> str:
        return "".join(lines_of(view, p) for g in shapes for p in _window(g, place, radius_km))

    return (
        f'<path d="{drawn(ground.borders(detail))}" fill="none" stroke="#8f8c83" stroke-width=".8" stroke-dasharray="5 2"/>'
        f'<path d="{drawn(ground.coasts(detail))}" fill="none" stroke="#8f8c83" stroke-width=".8"/>'
    )


def _window(shape: BaseGeometry, place: Place, radius_km: float) -> list[BaseGeometry]:
    """What of a shape lies in a box of degrees a good deal larger than the near map, also across the antimeridian."""
    lat_deg, lon_deg = place.lat_deg, place.lon_deg
    reach = math.degrees(radius_km / sphere.EARTH_RADIUS_KM) * 1.8 + 1.0
    south, north = max(-90.0, lat_deg - reach), min(90.0, lat_deg + reach)
    widest = max(abs(south), abs(north))
    span = 180.0 if widest > 85.0 else min(180.0, reach / math.cos(math.radians(widest)))
    pieces = []
    for by in (-360.0, 0.0, 360.0):
        west, east = lon_deg - span - by, lon_deg + span - by
        if west > 180.0 or east < -180.0:
            continue
        part = shapely.clip_by_rect(shape, max(west, -180.0), south, min(east, 180.0), north)
        if not part.is_empty:
            pieces.append(part)
    return pieces


def _globe(view: View) -> str:
    rim = _rim_points(view)
    lines = []
    for lon in range(-150, 180, 30):
        lines.append(line_of(view.px(np.linspace(-90, 90, 61), np.full(61, float(lon)))))
    for lat in range(-60, 90, 30):
        lines.append(line_of(view.px(np.full(3, float(lat)), np.linspace(-180, 180, 3))))
    return (
        f'<path d="{ring_of(rim)}" fill="{colour.SEA}"/>'
        f'<path d="{"".join(lines)}" fill="none" stroke="{colour.GRATICULE}" stroke-width="{view.width / 1400:.2f}"/>'
    )


def _rim(view: View) -> str:
    return f'<path d="{ring_of(_rim_points(view))}" fill="none" stroke="{colour.COAST}" stroke-width="{view.width / 1200:.2f}"/>'


def _rim_points(view: View) -> NDArray[np.float64]:
    up = np.linspace(-90.0, 90.0, 61)
    return np.concatenate([view.px(up, np.full(61, 180.0)), view.px(up[::-1], np.full(61, -180.0))])


def _graticule_near(view: View, place: Place, radius_km: float) -> tuple[str, str]:
    """Parallels and meridians a round number of degrees apart, and their labels along the left and the upper edge."""
    lat_deg, lon_deg = place.lat_deg, place.lon_deg
    degrees = math.degrees(radius_km / sphere.EARTH_RADIUS_KM)
    step = next((s for s in (0.5, 1, 2, 5, 10, 15, 30) if degrees / s <= 3.5), 30)
    lon_step = step if abs(lat_deg) < 55 else min(30, step * 2) if abs(lat_deg) < 75 else 30
    lines, labels = [], []
    west = lon_deg - min(180.0, 2.2 * degrees / max(0.05, math.cos(math.radians(min(88.0, abs(lat_deg) + degrees)))))
    for lat in np.arange(math.ceil((lat_deg - 2 * degrees) / step) * step, lat_deg + 2 * degrees, step):
        if abs(lat) < 90:
            points = view.px(np.full(121, lat), np.linspace(west, 2 * lon_deg - west, 121))
            lines.append(line_of(points))
            labels += _edge_label(points, 0, view, f"{abs(lat):g}°{'N' if lat > 0 else 'S' if lat < 0 else ''}")
    for lon in np.arange(math.ceil(west / lon_step) * lon_step, 2 * lon_deg - west, lon_step):
        points = view.px(np.linspace(max(-90, lat_deg - 2 * degrees), min(90, lat_deg + 2 * degrees), 121), np.full(121, lon))
        lines.append(line_of(points))
        shown = (lon + 180.0) % 360.0 - 180.0
        labels += _edge_label(points, 1, view, f"{abs(shown):g}°{'E' if shown > 0 else 'W' if shown < 0 else ''}")
    return f'<path d="{"".join(lines)}" fill="none" stroke="#d9dde2" stroke-width=".8"/>', "".join(labels)


def _edge_label(points: NDArray[np.float64], axis: int, view: View, text: str) -> list[str]:
    """A label where a line meets the left (axis 0) or the upper (axis 1) edge."""
    at = points[:, axis]
    crossing = np.flatnonzero((at[:-1] > 0) != (at[1:] > 0))
    for i in crossing:
        other = float(points[i, 1 - axis])
        if 16 < other < (view.height if axis == 0 else view.width) - 30:
            x, y = (4.0, other - 3.0) if axis == 0 else (other + 3.0, 12.0)
            return [f'<text x="{x:.0f}" y="{y:.0f}" class="tick">{text}</text>']
    return []


# --- outlines, marks, legends ------------------------------------------------------------------------------------------


def _widest_first(outlines: Iterable[Outline]) -> list[Outline]:
    return sorted(outlines, key=lambda o: -o.share)


def _outline(view: View, outline: Outline) -> str:
    """A region's outline without the seams where it is cut at the antimeridian and closed at a pole, and without specks."""
    rings = [r for p in polygons_of(shapely.segmentize(outline.shape, 3.0)) for r in (p.exterior, *p.interiors)]
    drawn = [(np.array(r.coords)[:, :2], view.px(*np.array(r.coords)[:, 1::-1].T)) for r in rings]
    if not drawn:
        return ""
    sizes = [shapely.Polygon(points).area for _, points in drawn]
    least = min(_SPECK_PX2, max(sizes))
    d = "".join(_open(*ring) for ring, size in zip(drawn, sizes, strict=True) if size >= least)
    width, dash = (2.0, "") if outline.share <= 0.5 else (1.3, ' stroke-dasharray="5 2.5"')
    line = colour.modality_colour(outline.modality)
    return (
        f'<path d="{d}" fill="none" stroke="#fff" stroke-width="{width + 1.6:g}" stroke-opacity=".6"/>'
        f'<path d="{d}" fill="none" stroke="{line}" stroke-width="{width:g}"{dash}/>'
    )


def _open(degrees: NDArray[np.float64], points: NDArray[np.float64]) -> str:
    """The path of a ring (n, 2) in (lon, lat) and in pixels, broken where it runs along the antimeridian or through a pole."""
    edge = (np.abs(degrees[:, 0]) > 180.0 - 1e-6) | (np.abs(degrees[:, 1]) > 90.0 - 1e-6)
    seam = edge[:-1] & edge[1:]
    if not seam.any():
        return ring_of(points[:-1])
    cuts = np.flatnonzero(seam) + 1
    return "".join(line_of(part) for part in np.split(points, cuts))


def _link(view: View, a: Mark, b: Mark) -> str:
    """The great circle between two places, its kilometres beside its middle; cut where it leaves the map at one side."""
    lat, lon = sphere.great_circle(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg, 96)
    points = view.px(lat, lon)
    cuts = np.flatnonzero(np.abs(np.diff(lon)) > 180.0) + 1
    d = "".join(line_of(part) for part in np.split(points, cuts))
    x, y = points[len(points) // 2]
    text = words.km(float(sphere.distance_km(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)))
    return (
        f'<path d="{d}" fill="none" stroke="#fff" stroke-width="4" stroke-opacity=".8"/>'
        f'<path d="{d}" fill="none" stroke="#141414" stroke-width="1.6" stroke-dasharray="1 4" stroke-linecap="round"/>'
        f'<text x="{x:.0f}" y="{y - 8:.0f}" text-anchor="middle" class="pin">{text}</text>'
    )


def _pins(view: View, marks: Sequence[Mark], labels: bool = True) -> list[str]:
    """Marks: a different shape for each modality, so that colour is never the only difference."""
    out: list[str] = []
    said: list[tuple[float, float, str]] = []  # labels written so far, so that those of near places do not run into each other
    named: list[tuple[float, float, str]] = []  # places that bear one
    for mark in marks:
        ((x, y),) = view.px(np.array([mark.lat_deg]), np.array([mark.lon_deg]))
        fill = colour.modality_colour(mark.modality)
        out.append(f'<g transform="translate({x:.1f} {y:.1f})">{_symbol(mark.modality, fill)}</g>')
        if labels and not any(text == mark.label and math.hypot(x - a, y - b) < _LABEL_PX for a, b, text in named):
            anchor, dx = ("start", 11) if x < view.width * 0.62 else ("end", -11)
            at = y + 4
            while any(abs(at - b) < _LABEL_PX and abs(x - a) < 18 * _LABEL_PX for a, b, _ in said):
                at += _LABEL_PX
            said.append((x, at, mark.label))
            named.append((x, y, mark.label))
            out.append(f'<text x="{x + dx:.1f}" y="{at:.1f}" text-anchor="{anchor}" class="pin">{escape(mark.label)}</text>')
    return out


def _symbol(modality: str, fill: str) -> str:
    style = f'fill="{fill}" stroke="#fff" stroke-width="1.6"'
    shapes = {
        "sound": f'<circle r="6" {style}/>',
        "picture": f'<rect x="-5.5" y="-5.5" width="11" height="11" {style}/>',
        "both": f'<path d="M0-8L7.5 0 0 8-7.5 0z" {style}/>',
        "claim": f'<path d="M-2.4-8h4.8v5.6H8v4.8H2.4V8h-4.8V2.4H-8v-4.8h5.6z" {style}/>',
    }
    return shapes.get(modality, f'<path d="M0-7.5L7 5.5H-7z" {style}/>')


def _mass_legend(located: Located, view: View) -> str:
    x, y, width = 34.0, view.height + 26.0, 270.0
    count = len(colour.MASS_COLOURS)
    boxes = "".join(
        f'<rect x="{x + i * width / count:.1f}" y="{y:g}" width="{width / count + 0.5:.1f}" height="10" fill="{c}"/>'
        for i, c in enumerate(colour.MASS_COLOURS)
    )
    peak = math.exp(_peak(located)) * 10_000 * 100  # per cent of the probability in 10,000 km²
    ticks = "".join(
        f'<text x="{x + width * k / DECADES:.0f}" y="{y + 23:g}" class="tick" text-anchor="middle">'
        f"{_percent(peak * 10.0 ** (k - DECADES))}</text>"
        for k in range(int(DECADES) + 1)
    )
    return f'<text x="{x:g}" y="{y - 6:g}" class="legend">Probability per 10,000 km² (log scale)</text>{boxes}{ticks}'


def _percent(value: float) -> str:
    return f"{words.rounded(value):g}%"


def _range_legend(view: View, peak: float) -> str:
    """What pale and dark stand for, by the square root as `range_map` colours it."""
    if peak <= 0.0:
        return f'<text x="4" y="{view.height + 11:g}" class="tick">expected nowhere</text>'
    used, wide, y = colour.MASS_COLOURS[1:], 14.0, view.height + 3.0
    x = view.width - wide * len(used) - 44.0
    boxes = "".join(
        f'<rect x="{x + i * wide:.1f}" y="{y:g}" width="{wide + 0.5:g}" height="8" fill="{c}"/>' for i, c in enumerate(used)
    )
    least = max(0.02, 0.02 * peak)
    return (
        f'<text x="{x - 5:.1f}" y="{y + 8:g}" text-anchor="end" class="tick">chance recorded {least:.0%}</text>{boxes}'
        f'<text x="{x + wide * len(used) + 5:.1f}" y="{y + 8:g}" class="tick">{peak:.0%}</text>'
    )


def _outline_legend(view: View, outlines: Sequence[Outline]) -> str:
    """One line and its words per region and modality, to the right of the mass scale."""
    x, y, out = 360.0, view.height + 16.0, []
    for i, modality in enumerate(dict.fromkeys(o.modality for o in outlines)):
        line = colour.modality_colour(modality)
        at = x + i * 250 if len(outlines) < 5 else 20 + i * 320
        name = escape(words.modality(modality) if modality != "both" else "Both together")
        out.append(f'<g transform="translate({at + 8:g} {y:g})">{_symbol(modality, line)}</g>')
        out.append(f'<text x="{at + 22:g}" y="{y + 4:g}" class="legend">{name}: place reported</text>')
        for k, (share, width, dash) in enumerate(((0.5, 2.2, ""), (0.9, 1.4, ' stroke-dasharray="5 2.5"'))):
            left = at + k * 118
            out.append(
                f'<path d="M{left:g} {y + 24:g}h24" stroke="{line}" stroke-width="{width}"{dash}/>'
                f'<text x="{left + 29:g}" y="{y + 28:g}" class="legend">{share:.0%} region</text>'
            )
    return "".join(out)


def _scale_bar(view: View) -> str:
    longest = 0.3 * view.width / view.scale
    magnitude = 10 ** math.floor(math.log10(longest))
    length_km = max(m * magnitude for m in (1, 2, 5) if m * magnitude <= longest)
    px = length_km * view.scale
    x, y = view.width - px - 16, view.height - 16
    return (
        f'<rect x="{x - 10:.1f}" y="{y - 24:.1f}" width="{px + 20:.1f}" height="34" fill="#fff" fill-opacity=".82"/>'
        f'<path d="M{x:.1f} {y - 5:.1f}v5h{px:.1f}v-5" fill="none" stroke="#222" stroke-width="1.4"/>'
        f'<text x="{x + px / 2:.1f}" y="{y - 9:.1f}" text-anchor="middle" class="legend">{length_km:,.0f} km</text>'
    )
