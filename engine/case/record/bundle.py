"""Everything of one finding in a zip: what a colleague, an opponent or a court needs to read it, check it and run it again.

The archive holds plain files in one folder, a manifest with the sha256 of each, and nothing else. One that is read may come from
anybody: names, sizes and kinds of its entries are looked at before a byte is unpacked, and nothing is ever written to disk.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from engine.case.record import codec
from engine.core.clip import Interval, Reader
from engine.core.custody import Custody
from engine.core.errors import DataError, EarwitnessError, InputError
from engine.core.file import read_bytes
from engine.core.finding import Finding
from engine.core.progress import Progress, ProgressCallback, silent
from engine.core.settings import Settings
from engine.report.formats import csv as table
from engine.report.formats import elan, geojson, kml, raven
from engine.report.formats.digest import digest_of
from engine.report.formats.record import clip_name
from engine.report.view.credit import credits
from engine.report.view.exhibit import Ranges
from engine.report.view.text import fit
from engine.report.view.versions import versions

SCHEMA = "earwitness.bundle/1"
MANIFEST = "manifest.json"
FINDING = "finding.json"
MOST_ENTRIES = 64
MOST_BYTES = 200_000_000  # of one entry, and of all together
CANNOT = (
    "This cannot show that somebody wrote the whole bundle anew, manifest and all; run it again (earwitness reproduce), and "
    "when it comes from a case, check its sha256 against the case's log."
)
_LOG = logging.getLogger("earwitness")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's first day: the archive's bytes depend on its content alone
# What follows from the numbers alone: the same finding is always written as the same bytes.
TABLES: dict[str, Callable[[Finding], str]] = {
    "finding.geojson": geojson.to_geojson,
    "finding.kml": kml.to_kml,
    "observations.csv": table.to_csv,
    "places.csv": table.places_csv,
    "edits.csv": table.edits_csv,
    "selections.txt": raven.to_raven,
    "tiers.eaf": elan.to_elan,
}
_README = """Contents

manifest.json      the clip's hash, settings, models, versions, seed, and the sha256 of every other file
finding.json       all numbers (schema earwitness.finding/1)
report.pdf/.html   the report, the same content; the page also plays the excerpts
finding.geojson    places, regions and cells for GIS
finding.kml        the same for globes
observations.csv   what was heard, read and seen
places.csv         where sound and picture point, and how they compare
edits.csv          what the analyst did, with the factor before and after
selections.txt     selection table for Raven
tiers.eaf          tiers for ELAN

Purpose: to assess whether sound and picture of a clip come from one place. Not to be used to find people who do not want to be
found, or to locate private recordings without the consent of those in them. The reports state what was tested, what was not,
and the error rates; they contain the SHA-256 of the numbers: of finding.json with "custody" set to null.

Check it:          earwitness verify BUNDLE.zip
Reproduce it:      earwitness reproduce BUNDLE.zip CLIP
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the bundle."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        clip: file name of the clip, without its folder.
        clip_sha256, clip_bytes: of the clip.
        created: when the finding was made, ISO 8601.
        settings: the analyst's choices.
        perceived: the interval that was perceived, which may be wider than the one judged; None: the whole clip.
        seed: of whatever was sampled.
        models: (id, sha256 or "") of the models that spoke.
        versions: (name, version) of program, Python, system and packages.
        tables: (path, sha256) of the fitted numbers.
        case, head: title and head of the log of the case it comes from, or "".
        entries: the other files.
    """

    clip: str
    clip_sha256: str
    clip_bytes: int
    created: str
    settings: Settings
    perceived: Interval | None
    seed: int
    models: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    tables: tuple[tuple[str, str], ...]
    case: str
    head: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle, read.

    Attributes:
        manifest: what it says of itself.
        finding: text of its finding.json.
        sha256: of the archive.
        faults: what is not as the manifest says, sentences; none when all is well.
        documents: the bytes of every entry, by name.
    """

    manifest: Manifest
    finding: str
    sha256: str
    faults: tuple[str, ...]
    documents: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def to_bundle(
    finding: Finding,
    reader: Reader | None = None,
    ranges: Ranges | None = None,
    custody: Custody | None = None,
    perceived: Interval | None = None,
    progress: ProgressCallback = silent,
) -> bytes:
    """The archive's bytes; the same finding, reader and custody give the same bytes on one machine.

    Args:
        reader, ranges, custody: as for `report.to_html`.
        perceived: the interval that was perceived, which may be wider than the one judged; None: the whole clip.
    """
    documents = _documents(finding, reader, ranges, custody, progress)
    entries = tuple(Entry(n, len(d), hashlib.sha256(d).hexdigest()) for n, d in sorted(documents.items()))
    made = manifest_of(finding, custody, perceived, entries)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in ((MANIFEST, _manifest_json(made)), *sorted(documents.items())):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            archive.writestr(info, data)
    return out.getvalue()


def _documents(
    finding: Finding, reader: Reader | None, ranges: Ranges | None, custody: Custody | None, progress: ProgressCallback
) -> dict[str, bytes]:
    from engine.report.formats import document, html, page, pdf

    content = page.page_of(finding, reader, ranges, custody, progress)
    makers: dict[str, Callable[[], str | bytes]] = {
        FINDING: lambda: document.to_json(finding, custody),
        "report.html": lambda: html.html_of(content),
        "report.pdf": lambda: pdf.pdf_of(content),
        **{name: partial(write, finding) for name, write in TABLES.items()},
        "readme.txt": lambda: _README,
    }
    out, failed = {}, []
    for i, (name, make) in enumerate(makers.items(), 1):
        try:
            made = make()
            out[name] = made if isinstance(made, bytes) else made.encode("utf-8", "replace")
        except Exception as error:
            if name == FINDING:  # all else follows from it
                raise
            why = str(error) if isinstance(error, EarwitnessError) else f"something went wrong inside Earwitness ({error!r:.200})"
            _LOG.warning("%s of the bundle failed", name, exc_info=not isinstance(error, EarwitnessError))
            failed.append(f"{name}: {fit(why)}")
        progress(Progress("packing the bundle", i, len(makers), "files"))
    if failed:
        out["readme.txt"] += "\n".join(("\nMissing, because it could not be made:", *failed, "")).encode()
    return out


def missing(data: bytes) -> tuple[str, ...]:
    """Documents that a bundle made here is without, since they could not be made."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        there = set(archive.namelist())
    return tuple(name for name in ("report.html", "report.pdf", *TABLES) if name not in there)


def manifest_of(
    finding: Finding,
    custody: Custody | None = None,
    perceived: Interval | None = None,
    entries: tuple[Entry, ...] = (),
) -> Manifest:
    """What a bundle of this finding says of itself, with the program, models and tables that are here."""
    v = versions()
    return Manifest(
        clip=clip_name(finding.clip),
        clip_sha256=finding.clip.sha256,
        clip_bytes=finding.clip.size_bytes,
        created=finding.provenance.created,
        settings=finding.settings.but(still=Path(finding.settings.still).name if finding.settings.still else None),
        perceived=perceived,
        seed=finding.provenance.seed,
        models=tuple((c.id, c.sha256 or _joint(c.files)) for c in credits(finding.provenance.models, finding.registry)),
        versions=(
            ("earwitness", v.program), ("text of the program", v.text_sha256), ("python", v.python), ("system", v.system),
            *v.packages,
        ),
        tables=v.tables,
        case=custody.case if custody else "",
        head=custody.head if custody else "",
        entries=entries,
    )  # fmt: skip


def _joint(files: tuple[tuple[str, str], ...]) -> str:
    """One hash for several files: sha256 of the lines "hash  name", as sha256sum prints them."""
    text = "".join(f"{digest}  {name}\n" for name, digest in files)
    return hashlib.sha256(text.encode()).hexdigest() if files else ""


def _manifest_json(m: Manifest) -> bytes:
    facts = {
        "schema": SCHEMA,
        "clip": {"name": m.clip, "sha256": m.clip_sha256, "size_bytes": m.clip_bytes},
        "created": m.created,
        "settings": json.loads(codec.settings_to_json(m.settings)),
        "perceived": "whole" if m.perceived is None else [m.perceived.start_s, m.perceived.end_s],
        "seed": m.seed,
        "models": dict(m.models),
        "versions": dict(m.versions),
        "tables": dict(m.tables),
        "case": {"title": m.case, "head": m.head} if m.head else None,
        "entries": [asdict(e) for e in m.entries],
    }
    return (json.dumps(facts, indent=2) + "\n").encode()


# --- reading ------------------------------------------------------------------------------------------------------------


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Read a bundle that may come from anybody.

    Raises:
        InputError: it is none, or holds what no bundle holds; one sentence with the reason.
    """
    name = _bare(Path(path).name)
    try:
        data = read_bytes(path, MOST_BYTES, "bundle")
    except DataError as error:
        raise InputError(str(error)) from None
    digest = hashlib.sha256(data).hexdigest()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            documents = _unpacked(archive, name)
    except OSError as error:
        raise InputError(f"The bundle {name} cannot be read ({error.strerror or error}); check its path.") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(f"{name} is no bundle or is damaged ({type(error).__name__}); ask for it again.") from None
    if MANIFEST not in documents or FINDING not in documents:
        raise InputError(f"{name} holds no {MANIFEST} and {FINDING} of Earwitness; give a bundle written by this program.")
    manifest = _manifest_of(documents[MANIFEST], name)
    faults = (*_faults(manifest, documents), *_other_numbers(documents))
    return Bundle(manifest, documents[FINDING].decode("utf-8", "replace"), digest, faults, documents)


def _unpacked(archive: zipfile.ZipFile, name: str) -> dict[str, bytes]:
    """All entries, none trusted: refused before unpacking for what they claim, and while unpacking for what they are."""
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES:
        raise InputError(f"{name} holds {len(infos):,} entries, more than a bundle has; it was not unpacked.")
    documents: dict[str, bytes] = {}
    total = 0
    for info in infos:
        if not _NAME.fullmatch(info.filename) or ".." in info.filename:
            raise InputError(f"{name} holds an entry whose name leads elsewhere than into its own folder; it was not unpacked.")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise InputError(f"{name} holds a link or a device named {info.filename}; it was not unpacked.")
        if info.filename in documents:
            raise InputError(f"{name} holds two entries named {info.filename}; it was not unpacked.")
        if info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{name} holds an entry packed as no bundle is; it was not unpacked.")
        with archive.open(info) as entry:  # no more is unpacked than may be, whatever size it claims
            data = entry.read(MOST_BYTES - total + 1)
        total += len(data)
        if total > MOST_BYTES:
            raise InputError(f"{name} unpacks to more than {MOST_BYTES // 1_000_000} MB, which no bundle does.")
        documents[info.filename] = data
    return documents


def _faults(manifest: Manifest, documents: Mapping[str, bytes]) -> tuple[str, ...]:
    named = {e.name: e for e in manifest.entries}
    out = [f"{n} is named in the manifest and missing." for n in named if n not in documents]
    for name, data in documents.items():
        if name == MANIFEST:
            continue
        if name not in named:
            out.append(f"{name} is not in the manifest; it was put in afterwards.")
        elif len(data) != named[name].size_bytes or hashlib.sha256(data).hexdigest() != named[name].sha256:
            out.append(f"{name} is not the file that the manifest names; it was altered.")
    return tuple(out)


def _other_numbers(documents: Mapping[str, bytes]) -> Iterator[str]:
    """Reports that do not bear the hash of the numbers beside them, from programs that write one."""
    try:
        numbers = digest_of(documents[FINDING].decode("utf-8")).encode()
    except (ValueError, RecursionError):
        yield f"{FINDING} is no finding."
        return
    for name in ("report.html", "report.pdf"):
        if name in documents and numbers not in documents[name]:
            yield f"{name} is a report of other numbers than those in {FINDING}."


def _manifest_of(data: bytes, name: str) -> Manifest:
    try:
        facts = json.loads(data)
        if facts["schema"] != SCHEMA:
            raise InputError(
                f"{name} has a manifest of another version ({_bare(facts['schema'])}); use the program that wrote it."
            )
        clip, perceived = facts["clip"], facts["perceived"]
        case = facts["case"] or {"title": "", "head": ""}
        return Manifest(
            clip=_bare(clip["name"]),
            clip_sha256=_digest(clip["sha256"]),
            clip_bytes=int(clip["size_bytes"]),
            created=_bare(facts["created"]),
            settings=codec.settings_from_json(json.dumps(facts["settings"])),
            perceived=None if perceived == "whole" else Interval(float(perceived[0]), float(perceived[1])),
            seed=int(facts["seed"]),
            models=_named(facts["models"]),
            versions=_named(facts["versions"]),
            tables=_named(facts["tables"]),
            case=_bare(case["title"]),
            head=_bare(case["head"]),
            entries=tuple(Entry(str(e["name"]), int(e["size_bytes"]), str(e["sha256"])) for e in facts["entries"]),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        raise InputError(f"The manifest of {name} cannot be read ({type(error).__name__}); ask for the bundle again.") from None


def _named(facts: Any) -> tuple[tuple[str, str], ...]:
    return tuple((_bare(k), _bare(v)) for k, v in dict(facts).items())


def _bare(text: Any) -> str:
    from engine.media.source import shown

    return shown(str(text), 300)


def _digest(text: Any) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", str(text)):
        raise ValueError("no sha256")
    return str(text)
