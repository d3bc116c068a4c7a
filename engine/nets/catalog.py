"""Weights that are not in a package: where they come from, what they should be, and under which licence.

Nothing is fetched unless `earwitness models pull` asks for it. Every file is checked against its hash, when it is fetched,
when it is imported from
a folder (a USB stick), and by `earwitness models verify`. Only safetensors and JSON are taken, never pickles.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import WeightsError
from engine.core.paths import models_dir
from engine.core.progress import Progress, ProgressCallback, silent
from engine.nets.offline import online_on_explicit_command

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of an entry."""

    name: str
    sha256: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model that can be fetched.

    Attributes:
        id: its folder below the models folder, and its name on the command line.
        purpose: what it is for, in a sentence.
        source: repository on the Hugging Face hub; revision: the commit that is fetched.
        non_commercial: whether its licence forbids commercial use.
    """

    id: str
    title: str
    purpose: str
    source: str
    revision: str
    licence: str
    non_commercial: bool
    files: tuple[WeightFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(f.size_bytes or 0 for f in self.files)


CATALOGUE = (
    Entry(
        id="clip-vit-large-patch14",
        title="CLIP ViT-L/14",
        purpose="places pictures by what they look like, through GeoCLIP",
        source="openai/clip-vit-large-patch14",
        revision="32bd64288804d66eefd0ccbe215aa642df71cc41",
        licence="MIT",
        non_commercial=False,
        files=(
            WeightFile("config.json", "8a09b467700c58138c29d53c605b34ebc69beaadd13274a8a2af8ad2c2f4032a"),
            WeightFile("preprocessor_config.json", "910e70b3956ac9879ebc90b22fb3bc8a75b6a0677814500101a4c072bd7857bd"),
            WeightFile("model.safetensors", "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb", 1_710_540_580),
        ),
    ),
)


def entry(name: str) -> Entry:
    """The entry of this id.

    Raises:
        WeightsError: there is none.
    """
    for known in CATALOGUE:
        if known.id == name:
            return known
    raise WeightsError(f"There is no model called {name!r}; earwitness models lists those there are.")


def state(known: Entry, folder: Path | None = None) -> str:
    """ "missing", "incomplete" or "present"; hashes are not read, see `verify`."""
    here = (folder or models_dir()) / known.id
    there = [(here / f.name).is_file() for f in known.files]
    return "present" if all(there) else "incomplete" if any(there) else "missing"


def verify(known: Entry, folder: Path | None = None, progress: ProgressCallback = silent) -> None:
    """Read every file and compare its hash.

    Raises:
        WeightsError: a file is missing or is not the one of the catalogue.
    """
    here = (folder or models_dir()) / known.id
    for f in known.files:
        if not (here / f.name).is_file():
            raise WeightsError(f"{f.name} of {known.id} is missing in {here}; fetch it with: earwitness models pull {known.id}")
        _check(here / f.name, f, progress)


def pull(known: Entry, progress: ProgressCallback = silent) -> Path:
    """Fetch an entry from its source, check it, and put it into the models folder: the one thing here that uses the network.

    Raises:
        WeightsError: the source cannot be reached, or a file is not the one of the catalogue.
    """
    models_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models_dir(), prefix=".pull-") as beside:
        with online_on_explicit_command():
            from huggingface_hub import hf_hub_download

            for f in known.files:
                progress(Progress(f"fetching {f.name} of {known.title}"))
                try:
                    hf_hub_download(known.source, f.name, revision=known.revision, local_dir=beside)
                except Exception as error:  # the hub's library raises a dozen kinds
                    raise WeightsError(
                        f"{known.source} cannot be reached ({type(error).__name__}); fetch it on a machine with a network "
                        f"and bring it: earwitness models import FOLDER"
                    ) from error
        return _take(known, Path(beside), progress)


def import_folder(folder: Path, progress: ProgressCallback = silent) -> tuple[Entry, ...]:
    """Copy every entry found in a folder, or in its subfolders named like an entry, into the models folder.

    Only the catalogue's own file names are read, and only regular files whose hash fits are taken.

    Raises:
        WeightsError: the folder holds no entry, or a file is not the one of the catalogue.
    """
    taken = []
    for known in CATALOGUE:
        for candidate in (folder / known.id, folder):
            if all((candidate / f.name).is_file() for f in known.files):
                _take(known, candidate, progress)
                taken.append(known)
                break
    if not taken:
        names = ", ".join(f.name for f in CATALOGUE[0].files)
        raise WeightsError(f"{folder} holds no model of the catalogue; a folder of {CATALOGUE[0].id} holds {names}.")
    return tuple(taken)


def _take(known: Entry, source: Path, progress: ProgressCallback) -> Path:
    """Copy checked files beside the target and move them in whole."""
    target = models_dir() / known.id
    models_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models_dir(), prefix=".take-") as beside:
        for f in known.files:
            if not stat.S_ISREG((source / f.name).stat().st_mode):
                raise WeightsError(f"{f.name} in {source} is not a plain file; bring the files themselves.")
            shutil.copyfile(source / f.name, Path(beside) / f.name)
            _check(Path(beside) / f.name, f, progress)
        target.mkdir(exist_ok=True)
        for f in known.files:
            (Path(beside) / f.name).replace(target / f.name)
    return target


def _check(path: Path, f: WeightFile, progress: ProgressCallback) -> None:
    total = path.stat().st_size
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(Progress(f"checking {f.name}", done / 1e6, total / 1e6, "MB"))
    if digest.hexdigest() != f.sha256:
        raise WeightsError(f"{path.name} is not the file of the catalogue (its hash differs); fetch it again.")
