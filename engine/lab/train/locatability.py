"""`earwitness lab locatability`: train the head that says how locatable a view is, and filter street views with it.

    earwitness lab locatability train --images DIR --labels labels.csv
    earwitness lab locatability filter --images DIR --out kept.csv --least 0.5

Labels are a CSV with the columns file and locatable (1 or 0). GeoReasoner (Li et al. 2024) kept the highly locatable street
views of a large collection in this way to train on.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.core.errors import DataError
from engine.core.file import opened, read_csv
from engine.models.geoclip_picture import PictureEncoder
from engine.models.locatability import Head, fit, head_file

FOLDS = 5
_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp"))
_LONGEST_PX = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab locatability`."""
    parser.add_argument("what", choices=("train", "filter"), help="train the head, or filter a folder with it")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of images, and its folders")
    parser.add_argument("--labels", type=Path, default=None, metavar="CSV", help="train: columns file and locatable (1 or 0)")
    parser.add_argument("--clip", type=Path, default=None, metavar="DIR", help="CLIP's folder (default: the models folder)")
    parser.add_argument("--head", type=Path, default=None, metavar="F", help="the head's file (default: in the models folder)")
    parser.add_argument("--out", type=Path, default=None, metavar="CSV", help="filter: file and score of the images kept")
    parser.add_argument("--least", type=float, default=0.5, help="filter: least score kept (default: 0.5)")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    """Train or filter."""
    if args.what == "train":
        return _train(args)
    return _filter(args)


def _train(args: argparse.Namespace) -> int:
    if args.labels is None:
        raise DataError("Training needs labels; give --labels, a CSV with the columns file and locatable.")
    labelled = read_labels(args.labels, args.images)
    features = features_of([p for p, _ in labelled], args.clip)
    labels = np.array([y for _, y in labelled])
    print(f"images       {len(labels)} ({int(labels.sum())} locatable)")
    print(f"AUC          {cross_validated_auc(features, labels, args.seed):.3f} ({FOLDS} folds)")
    path = args.head or head_file()
    fit(features, labels).save(path)
    print(f"wrote        {path}")
    return 0


def _filter(args: argparse.Namespace) -> int:
    head = Head.load(args.head)
    paths = images_in(args.images)
    scores = head.scores(features_of(paths, args.clip))
    kept = [(p, s) for p, s in sorted(zip(paths, scores, strict=True), key=lambda x: -x[1]) if s >= args.least]
    if args.out:
        with args.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "score"])
            writer.writerows([str(p.relative_to(args.images)), f"{s:.4f}"] for p, s in kept)
    print(f"{len(kept)} of {len(paths)} images score at least {args.least:g}" + (f"; wrote {args.out}" if args.out else ""))
    return 0


def images_in(folder: Path) -> list[Path]:
    """All images of a folder and its folders, by name.

    Raises:
        DataError: there are none.
    """
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
    if not found:
        raise DataError(f"There is no image in {folder}; give a folder of JPEG, PNG or WebP files.")
    return found


def read_labels(table: Path, folder: Path) -> list[tuple[Path, bool]]:
    """(image, whether it is locatable) of every row whose image is there.

    Raises:
        DataError: the table cannot be read, lacks a column, or names no image that is there.
    """
    rows = read_csv(table)
    if not rows or not {"file", "locatable"} <= rows[0].keys():
        raise DataError(f"{table} lacks a column; it needs file and locatable (1 or 0).")
    inside = folder.resolve()
    out = []
    for row in rows:
        path = (folder / (row["file"] or "")).resolve()
        if path.is_file() and path.is_relative_to(inside) and (row["locatable"] or "").strip() in ("0", "1"):
            out.append((path, row["locatable"].strip() == "1"))
    if not out:
        raise DataError(f"No image named in {table} is in {folder}; write the names as they are below that folder.")
    return out


def features_of(paths: Sequence[Path], clip: Path | None) -> NDArray[np.float32]:
    """(n, 768) unit CLIP features.

    Raises:
        WeightsError: CLIP is not installed.
        DataError: an image cannot be read.
    """
    return PictureEncoder(clip).clip_features(_pictures(paths))


def cross_validated_auc(features: NDArray[np.floating], labels: NDArray[np.bool_], seed: int = 0) -> float:
    """Area under the ROC curve of scores made by heads that did not see the image; NaN when a class is too small for folds."""
    fold = np.random.default_rng(seed).permutation(len(labels)) % FOLDS
    scores = np.full(len(labels), np.nan)
    for k in range(FOLDS):
        known = fold != k
        if labels[known].any() and not labels[known].all():
            scores[~known] = fit(features[known], labels[known]).scores(features[~known])
    seen = np.isfinite(scores)
    good, bad = scores[seen & labels], scores[seen & ~labels]
    if not len(good) or not len(bad):
        return float("nan")
    above = (good[:, None] > bad[None]).mean() + 0.5 * (good[:, None] == bad[None]).mean()
    return float(above)


def _pictures(paths: Sequence[Path]) -> Iterator[NDArray[np.uint8]]:
    for path in paths:
        try:
            with opened(path, what="picture") as file, Image.open(file) as image:
                image.draft("RGB", (_LONGEST_PX, _LONGEST_PX))
                yield np.asarray(image.convert("RGB"))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(f"{path.name} cannot be read as a picture; take it out of the folder.") from error
