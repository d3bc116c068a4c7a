"""`earwitness bench avg`: sound, picture and both, with and without reasoning, on clips of known place: the AVG protocol.

The published benchmark of this kind (20,000 clips from 1,000 places) is not public; this is the form in which such clips are
scored here, and the same command scores whoever's clips lie in that form:

    places.csv   place, lat, lon, split            one row a place; split is train, val or test: places are never shared
    clips.csv    clip, place, file                 a film, below the folder
              or clip, place, sound, picture       a recording and a photo of that place

Without a folder the recordings and photos of the data folder are paired: each photo in which something is read with the nearest
recordings less than PAIR_KM away, at most MOST_EACH, labelled "paired, not filmed". The truth of a pair is the place of what
is asked: the recording's for the sound, the photo's for the picture and for both.

Rows: sound, picture, both; "with reasoning" adds the cues that no clue has scored (`reasoning.evidence`); for the flow it adds
the opinion vector, which is all that it knows of what is written in a picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np

from engine.analysis.judge import judge
from engine.analysis.perceive import perceive as perceive_film
from engine.clues.cues.score import SPECS as CUES
from engine.core import edit, sphere
from engine.core.clip import Frame
from engine.core.errors import DataError
from engine.core.file import read_csv
from engine.core.finding import FUSED, Finding
from engine.core.paths import data_dir
from engine.core.perception import Perception
from engine.core.posterior import Posterior
from engine.core.settings import PRIORS, Settings
from engine.lab.bench.metrics import Outcome, Score, outcome, table, to_json_text
from engine.lab.bench.photos import read_photo
from engine.lab.bench.recordings import GROUP_RESOLUTION, Condition, perceive
from engine.lab.data.manifest import Sample, degrees_of, path_in, read_manifest
from engine.world import priors
from engine.world.grid import world_grid

SPLITS = ("train", "val", "test")
PAIR_KM = 200.0
MOST_EACH = 2
PAIRED = "paired, not filmed"
REASONING = frozenset(s.name for s in CUES)


@dataclass(frozen=True, slots=True)
class AvgClip:
    """A clip of the protocol.

    Attributes:
        film: its file, or None when it is a pair.
        sound, picture: files of a pair, or None.
        lat_deg, lon_deg: of the place.
        sound_lat_deg, sound_lon_deg: where the sound was recorded, when that is not quite the place.
    """

    id: str
    place: str
    lat_deg: float
    lon_deg: float
    film: Path | None = None
    sound: Path | None = None
    picture: Path | None = None
    sound_lat_deg: float | None = None
    sound_lon_deg: float | None = None

    def truth(self, modality: str) -> tuple[float, float]:
        """Latitude and longitude that an answer of this modality is held to."""
        if modality == "sound" and self.sound_lat_deg is not None and self.sound_lon_deg is not None:
            return self.sound_lat_deg, self.sound_lon_deg
        return self.lat_deg, self.lon_deg


def read(folder: Path, split: str = "test") -> tuple[AvgClip, ...]:
    """The clips of a split.

    Raises:
        DataError: a file or column is missing, a place is no place, stands in two splits or is not listed, a path leaves the
            folder, or the split has no clip.
    """
    if split not in SPLITS:
        raise DataError(f"There is no split called {split!r}; choose one of {', '.join(SPLITS)}.")
    where: dict[str, tuple[float, float, str]] = {}
    for line, row in enumerate(_rows(folder / "places.csv", {"place", "lat", "lon", "split"}), 2):
        if row["place"] in where:
            raise DataError(f"Line {line} of places.csv lists {row['place']!r} again; a place belongs to one split, once.")
        if row["split"] not in SPLITS:
            raise DataError(f"Line {line} of places.csv has the split {row['split']!r}; write one of {', '.join(SPLITS)}.")
        where[row["place"]] = (*_place(row, line), row["split"])
    out = []
    for line, row in enumerate(_rows(folder / "clips.csv", {"clip", "place"}), 2):
        if row["place"] not in where:
            raise DataError(f"Line {line} of clips.csv names the place {row['place']!r}, which places.csv does not list.")
        lat, lon, own = where[row["place"]]
        if own != split:
            continue
        film, sound, picture = (_inside(folder, row.get(k, ""), line) for k in ("file", "sound", "picture"))
        if film is None and (sound is None or picture is None):
            raise DataError(f"Line {line} of clips.csv names neither a film nor sound and picture; fill file, or both of them.")
        out.append(AvgClip(row["clip"], row["place"], lat, lon, film, sound, picture))
    if not out:
        raise DataError(f"{folder} has no clip in the split {split!r}; choose another with --split.")
    return tuple(out)


def _rows(table: Path, wanted: set[str]) -> list[dict[str, str]]:
    if not table.is_file():
        raise DataError(f"{table} is missing; `earwitness bench avg --help` says what the folder must hold.")
    rows = read_csv(table)
    if not rows or not wanted <= set(rows[0]):
        raise DataError(f"{table.name} needs the columns {', '.join(sorted(wanted))} and at least one row.")
    return rows


def _place(row: dict[str, str], line: int) -> tuple[float, float]:
    return degrees_of(row["lat"], row["lon"], f"Line {line} of places.csv")


def _inside(folder: Path, name: str, line: int) -> Path | None:
    if not name:
        return None
    path = path_in(folder, name, f"Line {line} of clips.csv")
    if not path.is_file():
        raise DataError(f"Line {line} of clips.csv names {name!r}, which is missing.")
    return path


def paired(recordings: Sequence[Sample], photos: Sequence[Sample]) -> tuple[AvgClip, ...]:
    """Recordings and photos less than PAIR_KM apart, as clips; a photo on which nothing is read is passed over.

    Raises:
        DataError: there is no such pair.
    """
    from engine.clues.text.score import log_likelihood

    grid, out = world_grid(), []
    places = sphere.to_xyz([r.lat_deg for r in recordings], [r.lon_deg for r in recordings])
    for p in photos:
        km = sphere.pairwise_km(places, sphere.to_xyz(p.lat_deg, p.lon_deg)[None])[:, 0]
        near = [int(i) for i in np.argsort(km, kind="stable")[:MOST_EACH] if km[i] < PAIR_KM]
        if not near or log_likelihood(read_photo(p.path), grid).abstained is not None:
            continue
        for i in near:
            r = recordings[i]
            name = f"{r.id}+{p.id}"
            out.append(AvgClip(name, p.id, p.lat_deg, p.lon_deg, None, r.path, p.path, r.lat_deg, r.lon_deg))
    if not out:
        raise DataError(
            f"No recording lies within {PAIR_KM:g} km of a photo in which something is read; give a folder with --data."
        )
    return tuple(out)


def perceived(clip: AvgClip, settings: Settings, seed: int = 0) -> Perception:
    """What is heard, read and seen in a clip: of a film the usual way, of a pair both put together."""
    if clip.film is not None:
        return perceive_film(clip.film, settings)
    assert clip.sound is not None and clip.picture is not None
    heard = perceive(Sample(clip.id, clip.sound, clip.lat_deg, clip.lon_deg), Condition(), settings, seed)
    return heard.adding((*read_photo(clip.picture), *_scenes(clip.picture)))


def _scenes(picture: Path) -> tuple[Any, ...]:
    from PIL import Image, ImageOps

    from engine.clues.scene.observe import SceneObserver

    with Image.open(picture) as image:
        rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    return SceneObserver().observe_frame(Frame(0.0, rgb))


@dataclass(frozen=True, slots=True)
class Judged:
    """One clip: row's name → what it was worth."""

    clip: AvgClip
    found: dict[str, Outcome]


def score(clip: AvgClip, perception: Perception, settings: Settings, flow: Any = None, seed: int = 0) -> Judged:
    """Score a clip by the Bayes posterior and, with a flow, by that too."""
    plain = judge(perception, settings.but(left_out=settings.left_out | REASONING))
    argued = judge(perception, settings)
    found = {}
    for reasoning, finding in (("", plain), (", with reasoning", argued)):
        for modality in ("sound", "picture", FUSED):
            found[f"{modality}{reasoning}"] = _of_finding(clip, finding, modality)
    if flow is not None:
        found |= _by_flow(clip, plain, flow, seed)
    return Judged(clip, found)


def _of_finding(clip: AvgClip, finding: Finding, modality: str) -> Outcome:
    located = finding.by(modality)
    truth = clip.truth(modality)
    if located is None or located.place is None:
        prior = priors.prior(finding.settings.prior, world_grid())
        return outcome(Posterior(prior.grid, prior.log_mass), *truth, spoke=False)
    return outcome(located.posterior, *truth, place=(located.place.lat_deg, located.place.lon_deg))


def _by_flow(clip: AvgClip, finding: Finding, flow: Any, seed: int) -> dict[str, Outcome]:
    from engine.analysis.second_opinion import condition_of, on_world
    from engine.lab.bench.flow import Case, by_flow

    settings = finding.settings
    observations = edit.counting(finding.perception, settings)
    evidence = on_world(finding, observations)
    prior = priors.prior(settings.prior, world_grid())
    out = {}
    for modality in ("sound", "picture", FUSED):
        conditioning = condition_of(observations, evidence, None, modality)
        for name, condition in (
            (f"flow: {modality}", conditioning.without("reasoning")),
            (f"flow: {modality}, with reasoning", conditioning),
        ):
            found = by_flow(flow, [Case(condition, *clip.truth(modality), None)], prior, seed)[0].found
            out[name] = found
    return out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench avg`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = __doc__
    parser.add_argument(
        "--data", type=Path, default=None, help="folder with places.csv and clips.csv (default: pairs, see above)"
    )
    parser.add_argument("--split", choices=SPLITS, default="test", help="of the folder's places (default: test)")
    parser.add_argument("--recordings", type=Path, default=None, help="to be paired (default: EARWITNESS_DATA/recordings)")
    parser.add_argument("--photos", type=Path, default=None, help="to be paired (default: EARWITNESS_DATA/photos)")
    parser.add_argument("--no-flow", action="store_true", help="leave the flow's rows out")
    parser.add_argument("--prior", choices=PRIORS, default=Settings().prior)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Score every clip and print the rows."""
    if args.data:
        clips, note = read(args.data, args.split), f"split {args.split}"
    else:
        held = (read_manifest(getattr(args, k) or data_dir() / k) for k in ("recordings", "photos"))
        clips, note = paired(*held), PAIRED
    flow = None
    if not args.no_flow:
        import torch

        from engine.analysis.second_opinion import shipped

        torch.set_num_threads(1)
        flow = shipped()
    settings = Settings(prior=args.prior, seed=args.seed)
    judged = [score(c, perceived(c, settings, args.seed), settings, flow, args.seed) for c in clips]
    groups = [int(h3.latlng_to_cell(c.lat_deg, c.lon_deg, GROUP_RESOLUTION)) for c in clips]
    rows = {
        name: Score.of_outcomes(name, [j.found[name] for j in judged], groups, args.seed, 500, note if k == 0 else "")
        for k, name in enumerate(judged[0].found)
    }
    print(table(list(rows.values())))
    places = len({c.place for c in clips})
    print(f"{len(clips)} clips of {places} places ({note}); prior {args.prior}; seed {args.seed}; intervals by place.")
    if args.json:
        head = rows[FUSED].to_json()
        args.json.write_text(to_json_text({**head, "rows": rows, "places": places, "note": note, "seed": args.seed}))
    return 0
