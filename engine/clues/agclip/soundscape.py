"""Soundscapes: what a sound has in common with every place, with words, and with pictures. For looking, not for placing.

A sound's affinity to a place is the product of AG-CLIP's vector f with the vector of the place, in GeoCLIP's space and the range
model's together (see `nets/agclip.py`), less its mean over the land: nats. A species' vector is AG-CLIP's answer to that species
alone, heard clearly: one score of SPECIES_SCORE, all others nothing; no recording is behind it. A clip's is the mean over those
of its windows of 3 s in which BirdNET hears anything.

Words and pictures live in GeoCLIP's space alone, where half of f says little by itself. To compare them with a sound, the places
that sound like it are averaged there: v = Σ w(x) g(x) − Σ a(x) g(x), with w ∝ a exp(affinity) and a the area.

Source: Chasmai et al. 2025, arXiv 2505.18726, appendix A.10 to A.12 (affinity maps; text, sound and picture retrieval).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.clues.species.observe import SpeciesObserver
from engine.clues.species.ranges import ranges
from engine.clues.species.score import log_likelihood
from engine.clues.species.tones import TONE
from engine.core.affinity import Affinity, Match
from engine.core.clip import Interval, Reader
from engine.core.errors import MediaError, SettingError, WeightsError
from engine.core.grid import Grid
from engine.core.observation import ANALYST, Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import agclip, birdnet, clip_text, geoclip_picture
from engine.models.geoclip_location import DIMENSIONS, grid_embeddings
from engine.models.geoclip_location import MODEL_ID as LOCATION_ID
from engine.world import countries, places
from engine.world.grid import world

SPECIES_SCORE = 0.95
APART_KM = 400.0  # between two of the best places
LEAST_LAND = 0.5  # share of a cell that is land, for its centre to be named
LEAST_AREA_KM2 = 3_000.0  # a smaller country is a cell or less, whose affinity is its neighbour's
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MOST_PICTURES = 2000
_SOUND_MODELS = (birdnet.MODEL_ID, agclip.MODEL_ID, LOCATION_ID)


@dataclass(frozen=True, slots=True)
class SpeciesName:
    """A species that BirdNET knows: its Latin and its common name."""

    latin: str
    common: str


@cache
def species_names() -> tuple[SpeciesName, ...]:
    """All species that can be asked for, by common name."""
    known = [SpeciesName(x.latin, x.common) for x in birdnet.labels() if x.is_species]
    return tuple(sorted(known, key=lambda s: (s.common.casefold(), s.latin)))


@cache
def land_grid() -> Grid:
    """The world grid's cells that hold land."""
    w = world()
    lat, lon = w.grid.lat_lon_deg
    own = w.land_share > 0
    return Grid.known(w.grid.cells[own], lat[own], lon[own], w.grid.area_km2[own])


# --- vectors ------------------------------------------------------------------------------------------------------------


def species_vector(latin: str) -> NDArray[np.float32]:
    """(768,) AG-CLIP's vector f of one species heard clearly.

    Raises:
        SettingError: BirdNET has no such species.
    """
    try:
        at = birdnet.index_of(latin)
    except KeyError:
        raise SettingError(f"BirdNET knows no species called {latin!r}; use its Latin name as listed.") from None
    scores = np.zeros(len(birdnet.labels()), dtype=np.float32)
    scores[at] = SPECIES_SCORE
    said: NDArray[np.float32] = agclip.agclip().embed(scores)[0]
    return said


def sound_vector(observations: Sequence[Observation]) -> NDArray[np.float32]:
    """(768,) mean of AG-CLIP's vectors f of windows, of what the species clue took down.

    Raises:
        MediaError: nothing was recognised in any window.
    """
    named = [o for o in observations if o.clue == "species" and o.kind in ("species", "sound")]
    own = [o for o in named if o.label != TONE]
    starts = sorted({o.start_s for o in own})
    if not starts:
        raise MediaError("Nothing that BirdNET knows is heard in this clip; choose one with animals calling.")
    at = {start_s: row for row, start_s in enumerate(starts)}
    scores = np.zeros((len(starts), len(birdnet.labels())), dtype=np.float32)
    for o in own:
        row, column = at[o.start_s], birdnet.index_of(o.label)
        scores[row, column] = max(scores[row, column], min(1.0, o.score))
    mean: NDArray[np.float32] = agclip.agclip().embed(scores).mean(axis=0)
    return mean


@cache
def _text_encoder() -> clip_text.TextEncoder:
    return clip_text.TextEncoder()


@cache
def _picture_encoder() -> geoclip_picture.PictureEncoder:
    return geoclip_picture.PictureEncoder()


# --- maps ---------------------------------------------------------------------------------------------------------------


def cosines(vector: NDArray[np.floating], grid: Grid) -> NDArray[np.float64]:
    """(cells,) cosine, −1..1, of a vector (512,) in GeoCLIP's space with every place.

    Raises:
        ValueError: another length, not finite, or zero.
    """
    v = np.asarray(vector, dtype=np.float64)
    if v.shape != (DIMENSIONS,) or not np.isfinite(v).all() or not np.linalg.norm(v):
        raise ValueError("an affinity map needs a vector of 512 numbers that is not zero")
    unit: NDArray[np.float64] = v / np.linalg.norm(v)
    said: NDArray[np.float64] = np.asarray(grid_embeddings(grid)) @ unit
    return said


def affinity_of_species(latin: str) -> Affinity:
    """What a species has in common with every place.

    Raises:
        SettingError: BirdNET has no such species.
    """
    vector = species_vector(latin)
    common = birdnet.labels()[birdnet.index_of(latin)].common
    how = f"AG-CLIP's answer to a score of {SPECIES_SCORE:g} for {latin} alone; no recording is behind it."
    named = Observation("species", "species", latin, SPECIES_SCORE, 0.0, 3.0, author=ANALYST)
    return _of_sound(common, "species", how, vector, (named,))


def affinity_of_clip(
    reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent, title: str = ""
) -> Affinity:
    """What a clip's sound has in common with every place; listens to it first.

    Args:
        reader: from `open_clip`.
        title: what the map is called; "" takes the file's name.

    Raises:
        MediaError: no sound, or nothing recognised in it.
    """
    if not reader.clip.audio_tracks:
        raise MediaError("The clip has no sound; choose one with an audio track.")
    found = SpeciesObserver().observe(reader.clip, reader, interval, progress)
    progress(Progress("drawing the map"))
    windows = len({o.start_s for o in found if o.kind in ("species", "sound")})
    how = (
        f"the mean of AG-CLIP's vectors of {windows} window{'s' if windows != 1 else ''} of 3 s in which BirdNET heard something."
    )
    return _of_sound(title or Path(reader.clip.path).name, "clip", how, sound_vector(found), found)


def affinity_of_text(text: str) -> Affinity:
    """What words have in common with every place.

    Raises:
        SettingError: no words.
        WeightsError: CLIP is not installed; the text says how to get it.
    """
    wanted = " ".join(text.split())
    vector = _text_encoder().embed([wanted])[0]
    how = "CLIP's vector of the words, brought into the space of places by GeoCLIP's perceptron."
    grid = land_grid()
    return Affinity(wanted, "text", how, grid, cosines(vector, grid), "cosine", vector, (clip_text.MODEL_ID, LOCATION_ID))


def _of_sound(title: str, kind: str, how: str, f: NDArray[np.float32], heard: tuple[Observation, ...]) -> Affinity:
    grid = land_grid()
    value = nats(f, grid)
    by_ranges = log_likelihood(heard, grid)
    beside = by_ranges.log_likelihood if by_ranges.abstained is None else None
    return Affinity(title, kind, how, grid, value, "nats", likeness(value, grid), _SOUND_MODELS, beside)


def nats(f: NDArray[np.float32], grid: Grid) -> NDArray[np.float64]:
    """(cells,) AG-CLIP's product of a sound's vector f (768,) with every place, less its mean over the land.

    Raises:
        ValueError: another length, or not finite.
    """
    if f.shape != (agclip.RANGE_PART.stop,) or not np.isfinite(f).all():
        raise ValueError(f"a sound's vector has {agclip.RANGE_PART.stop} finite numbers")
    said = agclip.agclip().logits(f, grid_embeddings(grid), ranges().hidden(grid, None)).astype(np.float64)
    return said - np.average(said, weights=grid.area_km2)


def likeness(value: NDArray[np.float64], grid: Grid) -> NDArray[np.float32]:
    """(512,) the places of an affinity in nats, averaged in GeoCLIP's space as the module's text says."""
    area = grid.area_km2 / grid.area_km2.sum()
    weight = area * np.exp(value - value.max())
    said: NDArray[np.float32] = ((weight / weight.sum() - area) @ np.asarray(grid_embeddings(grid))).astype(np.float32)
    return said


# --- what is nearest ----------------------------------------------------------------------------------------------------


def affinity_places(affinity: Affinity, most: int = 6, apart_km: float = APART_KM) -> tuple[Match, ...]:
    """The best places, each at least `apart_km` from those before it."""
    lat, lon = affinity.grid.lat_lon_deg
    near = np.cos(apart_km / 6371.0)
    share = world().land_share[world().grid.index_of(affinity.grid.cells)]
    left = np.argsort(-affinity.value, kind="stable")
    left = left[share[left] >= LEAST_LAND]
    found: list[Match] = []
    while len(left) and len(found) < most:
        at = left[0]
        name = places.describe(float(lat[at]), float(lon[at]))
        found.append(Match(name, float(affinity.value[at]), float(lat[at]), float(lon[at])))
        left = left[affinity.grid.xyz[left] @ affinity.grid.xyz[at] < near]
    return tuple(found)


def affinity_countries(affinity: Affinity, most: int = 6) -> tuple[Match, ...]:
    """Countries by the mean affinity of their land, best first; those of less than LEAST_AREA_KM2 are left out."""
    own = countries.of(affinity.grid)
    area = affinity.grid.area_km2
    inside = own >= 0
    size = len(countries.table())
    total = np.bincount(own[inside], weights=area[inside], minlength=size)
    mean = np.bincount(own[inside], weights=(area * affinity.value)[inside], minlength=size) / np.maximum(total, 1e-9)
    large = [i for i in np.argsort(-mean) if total[i] > 0 and countries.table()[i].area_km2 >= LEAST_AREA_KM2]
    return tuple(Match(countries.table()[i].name, float(mean[i])) for i in large[:most])


def texts_for_sound(
    vector: NDArray[np.floating], texts: Sequence[str] | None = None, most: int | None = None
) -> tuple[Match, ...]:
    """Words ranked by what they have in common with a sound's vector (512,), best first.

    Args:
        vector: an Affinity's.
        texts: None takes the names of all countries.

    Raises:
        WeightsError: CLIP is not installed; the text says how to get it.
    """
    asked = list(texts) if texts is not None else [c.name for c in countries.table()]
    return _ranked(asked, _text_encoder().embed(asked), vector, most)


def pictures_for_sound(
    vector: NDArray[np.floating], folder: Path, most: int | None = None, progress: ProgressCallback = silent
) -> tuple[Match, ...]:
    """The pictures of a folder (flags, species, scenes) ranked by what they have in common with a sound's vector (512,).

    Pictures that cannot be read are passed over; at most MOST_PICTURES are looked at, in the order of their names.

    Raises:
        SettingError: no such folder, or no picture in it.
        WeightsError: CLIP is not installed; the text says how to get it.
    """
    if not folder.is_dir():
        raise SettingError(f"There is no folder {folder}; give one with pictures.")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES and p.is_file())[:MOST_PICTURES]
    kept: list[str] = []
    rows: list[NDArray[np.float32]] = []
    for number, file in enumerate(files):
        progress(Progress("looking at pictures", number, len(files), "pictures"))
        rgb = _read_picture(file)
        if rgb is not None:
            kept.append(str(file))
            rows.append(_picture_encoder().embed([rgb])[0])
    if not kept:
        raise SettingError(f"There is no picture that can be read in {folder}; give a folder with some.")
    return _ranked(kept, np.stack(rows), vector, most)


def _read_picture(file: Path) -> NDArray[np.uint8] | None:
    """(height, width, 3) uint8, made small; None for what is no picture."""
    from PIL import Image

    try:
        with Image.open(file) as picture:
            picture.draft("RGB", (448, 448))
            picture.thumbnail((448, 448))
            return np.array(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _ranked(names: Sequence[str], held: NDArray[np.float32], vector: NDArray[np.floating], most: int | None) -> tuple[Match, ...]:
    v = np.asarray(vector, dtype=np.float64)
    if v.shape != (DIMENSIONS,) or not np.isfinite(v).all() or not np.linalg.norm(v):
        raise ValueError("a sound's vector has 512 numbers and is not zero")
    said = held @ (v / np.linalg.norm(v))
    order = np.argsort(-said, kind="stable")[: len(names) if most is None else most]
    return tuple(Match(names[i], float(said[i])) for i in order)


def words_missing() -> str:
    """Why words cannot be looked for, in a sentence that ends with the remedy; "" when they can."""
    try:
        clip_text.clip_folder()
        clip_text.merges_path()
    except WeightsError as missing:
        return str(missing)
    return ""


def pictures_missing() -> str:
    """The same for pictures."""
    try:
        geoclip_picture.clip_folder()
    except WeightsError as missing:
        return str(missing)
    return ""
