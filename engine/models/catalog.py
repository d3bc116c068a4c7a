"""Weights that are not in a package: where they come from, what they should be, and under which licence.

Nothing is fetched unless `earwitness models pull` asks for it (`models.fetch`). Every file is checked against its hash, when it
is fetched, when it is imported from a folder (a USB stick), and by `earwitness models verify`. Only safetensors, JSON, plain text
and CTranslate2's model.bin are taken (its form, of which nothing is run, stands in `ctranslate`), never pickles. Where the
catalogue does not know a file's hash, it says so: the file is checked for its form alone when it is taken, its hash is then
written down beside it, and `verify` compares with that.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.core import scratch
from engine.core.card import Card
from engine.core.errors import MissingWeights, WeightsError
from engine.core.paths import made, models_dir
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import cards, ctranslate

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of an entry; sha256 is "" where the catalogue does not know it."""

    name: str
    sha256: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model that can be fetched.

    Attributes:
        card: what it is called, what it is for, its licence.
        source: repository on the Hugging Face hub; revision: the commit that is fetched.
    """

    card: Card
    source: str
    revision: str
    files: tuple[WeightFile, ...]

    @property
    def id(self) -> str:
        """Its folder below the models folder, and its name on the command line."""
        return self.card.id

    @property
    def size_bytes(self) -> int:
        return sum(f.size_bytes or 0 for f in self.files)

    @property
    def vouched(self) -> bool:
        """Whether the catalogue knows the hash of every file."""
        return all(f.sha256 for f in self.files)


CATALOGUE = (
    Entry(
        card=cards.CLIP,
        source="openai/clip-vit-large-patch14",
        revision="32bd64288804d66eefd0ccbe215aa642df71cc41",
        files=(
            WeightFile("config.json", "8a09b467700c58138c29d53c605b34ebc69beaadd13274a8a2af8ad2c2f4032a"),
            WeightFile("preprocessor_config.json", "910e70b3956ac9879ebc90b22fb3bc8a75b6a0677814500101a4c072bd7857bd"),
            WeightFile("model.safetensors", "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb", 1_710_540_580),
        ),
    ),
    Entry(
        card=cards.CLIP_TOKENS,
        source="openai/clip-vit-large-patch14",
        revision="32bd64288804d66eefd0ccbe215aa642df71cc41",
        files=(WeightFile("merges.txt", "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a", 524_619),),
    ),
    Entry(
        card=cards.STREETCLIP,
        source="geolocal/StreetCLIP",
        revision="e3561ba2ad9bf14c9efd6b0092607b8497efbfea",
        files=(
            WeightFile("config.json"),
            WeightFile("preprocessor_config.json"),
            WeightFile("tokenizer.json"),
            WeightFile("tokenizer_config.json"),
            WeightFile("model.safetensors", size_bytes=1_711_900_000),  # about, from the size of its network
        ),
    ),
    Entry(
        card=cards.WHISPER_BASE,
        source="Systran/faster-whisper-base",
        revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        files=(
            WeightFile("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2_309),
            WeightFile("model.bin", "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9", 145_217_532),
            WeightFile("vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913", 459_861),
        ),
    ),
    Entry(
        card=cards.WHISPER_SMALL,
        source="Systran/faster-whisper-small",
        revision="536b0662742c02347bc0e980a01041f333bce120",
        files=(
            WeightFile("config.json", "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828", 2_370),
            WeightFile("model.bin", "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671", 483_546_902),
            WeightFile("vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913", 459_861),
        ),
    ),
    Entry(
        card=cards.QWEN_3B,
        source="Qwen/Qwen2.5-VL-3B-Instruct",
        revision="66285546d2b821cf421d4f5eb2576359d3770cd3",
        files=(
            WeightFile("config.json"),
            WeightFile("generation_config.json"),
            WeightFile("preprocessor_config.json"),
            WeightFile("tokenizer.json"),
            WeightFile("tokenizer_config.json"),
            WeightFile("chat_template.json"),
            WeightFile("model.safetensors.index.json"),
            WeightFile("model-00001-of-00002.safetensors", size_bytes=4_000_000_000),
            WeightFile("model-00002-of-00002.safetensors", size_bytes=3_500_000_000),
        ),
    ),
    Entry(
        card=cards.QWEN_7B,
        source="Qwen/Qwen2.5-VL-7B-Instruct",
        revision="cc594898137f460bfe9f0759e9844b3ce807cfb5",
        files=(
            WeightFile("config.json"),
            WeightFile("generation_config.json"),
            WeightFile("preprocessor_config.json"),
            WeightFile("tokenizer.json"),
            WeightFile("tokenizer_config.json"),
            WeightFile("chat_template.json"),
            WeightFile("model.safetensors.index.json"),
            WeightFile("model-00001-of-00005.safetensors", size_bytes=3_900_000_000),
            WeightFile("model-00002-of-00005.safetensors", size_bytes=3_900_000_000),
            WeightFile("model-00003-of-00005.safetensors", size_bytes=3_900_000_000),
            WeightFile("model-00004-of-00005.safetensors", size_bytes=3_900_000_000),
            WeightFile("model-00005-of-00005.safetensors", size_bytes=1_100_000_000),
        ),
    ),
)
_NOTED = "sha256.json"  # hashes as taken, of files whose hash the catalogue doesn't know


def entry(name: str) -> Entry:
    """The entry of this id.

    Raises:
        WeightsError: there is none.
    """
    for known in CATALOGUE:
        if known.id == name:
            return known
    raise WeightsError(f"There is no model called {name!r}; earwitness models lists those there are.")


def weights_state(known: Entry, folder: Path | None = None) -> str:
    """ "missing", "incomplete" or "present"; hashes are not read, see `verify`."""
    here = (folder or models_dir()) / known.id
    there = [(here / f.name).is_file() for f in known.files]
    return "present" if all(there) else "incomplete" if any(there) else "missing"


def verify_weights(known: Entry, folder: Path | None = None, progress: ProgressCallback = silent) -> None:
    """Read every file and compare its hash with the catalogue's, or with the one noted when it was taken.

    Raises:
        WeightsError: a file is missing or is not the one of the catalogue.
    """
    here = (folder or models_dir()) / known.id
    noted = _noted(here)
    for f in known.files:
        if not (here / f.name).is_file():
            raise WeightsError(f"{f.name} of {known.id} is missing in {here}; fetch it with: earwitness models pull {known.id}")
        check_file(here / f.name, replace(f, sha256=f.sha256 or noted.get(f.name, "")), progress)


def folder_of(model: str, needed: Sequence[str], folder: Path | None = None) -> Path:
    """The folder of a model, complete.

    Args:
        needed: the files it must hold.
        folder: one that somebody named; None takes the models folder.

    Raises:
        MissingWeights: it, or one of its files, is missing.
    """
    here = folder or models_dir() / model
    missing = [name for name in needed if not (here / name).is_file()]
    if missing:
        raise MissingWeights(model, entry(model).card.absent, missing[0] if len(missing) < len(needed) else "")
    return here


def vouch(name: str, folder: Path | None = None) -> None:
    """Before a model is loaded: its files are still those of the catalogue, or those that were taken. A folder that somebody
    named is theirs to vouch for, and so is one put among the models by hand of which no hash is known: a model tuned here has
    other files than the one of the catalogue.

    Raises:
        WeightsError: a file is missing or is another.
    """
    known = entry(name)
    if folder is None and (known.vouched or _noted(models_dir() / known.id)):
        verify_weights(known)


def import_weights(folder: Path, progress: ProgressCallback = silent) -> tuple[Entry, ...]:
    """Copy every entry found in a folder, or in its subfolders named like an entry, into the models folder.

    Only the catalogue's own file names are read, and only regular files whose hash fits are taken. A model whose hashes the
    catalogue does not know is taken only from a folder named like it.

    Raises:
        WeightsError: the folder holds no entry, or a file is not the one of the catalogue.
    """
    taken = []
    for known in CATALOGUE:
        for candidate in (folder / known.id, folder):
            named = candidate.name == known.id or (known.vouched and _has_its_sizes(known, candidate))
            if named and all((candidate / f.name).is_file() for f in known.files):
                take(known, candidate, progress)
                taken.append(known)
                break
    if not taken:
        names = ", ".join(f.name for f in CATALOGUE[0].files)
        raise WeightsError(f"{folder} holds no model of the catalogue; a folder of {CATALOGUE[0].id} holds {names}.")
    return tuple(taken)


def _has_its_sizes(known: Entry, folder: Path) -> bool:
    """Two models may have files of the same names; by their sizes a folder of another name is told to be this one's."""
    here = (folder / f.name for f in known.files)
    return all(path.is_file() and f.size_bytes in (None, path.stat().st_size) for path, f in zip(here, known.files, strict=True))


def take(known: Entry, source: Path, progress: ProgressCallback = silent) -> Path:
    """Copy the files of an entry beside the models, check them there, and move them in whole.

    Raises:
        WeightsError: a file is missing, no plain file, or not the one of the catalogue.
    """
    made(models_dir())
    found: dict[str, str] = {}
    with scratch.scratch_folder(models_dir()) as beside:
        for f in known.files:
            if not stat.S_ISREG((source / f.name).stat().st_mode):
                raise WeightsError(f"{f.name} in {source} is not a plain file; bring the files themselves.")
            shutil.copyfile(source / f.name, Path(beside) / f.name)
            found[f.name] = check_file(Path(beside) / f.name, f, progress)
        return put(known, Path(beside), found)


def put(known: Entry, beside: Path, hashes: Mapping[str, str]) -> Path:
    """Move the files of an entry, which were checked, into the models folder.

    Args:
        beside: a folder of the program's own on the same disk, which holds them.
        hashes: of each file, as `check_file` gives them.
    """
    target = made(models_dir() / known.id)
    if not known.vouched:
        (target / _NOTED).write_text(json.dumps(dict(hashes), indent=1), encoding="utf-8")
    for f in known.files:
        (beside / f.name).replace(target / f.name)
    return target


def check_file(path: Path, f: WeightFile, progress: ProgressCallback = silent) -> str:
    """The file's hash, which is the catalogue's where it has one; the file is of the form its name says.

    Raises:
        WeightsError: it is another file, or a damaged one.
    """
    total = path.stat().st_size
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(Progress(f"checking {f.name}", done / 1e6, total / 1e6, "MB"))
    if f.sha256 and digest.hexdigest() != f.sha256:
        raise WeightsError(f"{path.name} is not the file of the catalogue (its hash differs); fetch it again.")
    if not f.sha256:
        _check_form(path)
    return digest.hexdigest()


def _check_form(path: Path) -> None:
    """JSON parses; the headers of safetensors and of CTranslate2 describe all bytes."""
    try:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".bin":
            ctranslate.check(path)
        else:
            from safetensors import safe_open

            with safe_open(path, framework="numpy") as tensors:
                tensors.keys()
    except Exception as error:  # safetensors raises a kind of its own, JSON several
        raise WeightsError(f"{path.name} is no {path.suffix[1:]} file, or a damaged one; fetch it again.") from error


def _noted(folder: Path) -> dict[str, str]:
    """Hashes written down when files were taken; empty where none were."""
    try:
        return {str(k): str(v) for k, v in json.loads((folder / _NOTED).read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}
