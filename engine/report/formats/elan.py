"""A Finding as an annotation document of ELAN (.eaf), a tier for each kind of thing perceived.

The elements and their order follow EAF 3.0's schema (The Language Archive, EAFv3.0.xsd). In ELAN annotations of one tier may not
overlap, so that windows of one species that touch are joined, and each species and sign has a tier of its own, in order of score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import quote
from xml.etree import ElementTree as xml

from engine.core.finding import Finding
from engine.core.perceived import Perceived, clear, gather
from engine.media.source import shown
from engine.report.formats.record import clip_name
from engine.report.view.text import fit

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_TYPE = "perceived"
_MOST_TIERS = 60
_LEAST_MS = 40  # a still moment is given a frame's length: ELAN wants an end after the beginning
_MIME = {"wav": "audio/x-wav", "mp3": "audio/*", "mp4": "video/mp4", "mov": "video/quicktime", "mpg": "video/mpeg"}


@dataclass(frozen=True, slots=True)
class _Annotation:
    start_ms: int
    end_ms: int
    value: str


def to_elan(finding: Finding) -> str:
    """The document as XML text."""
    tiers = tuple(_tiers(finding))
    root = xml.Element("ANNOTATION_DOCUMENT")
    for key, value in (
        ("AUTHOR", f"Earwitness {finding.provenance.version}"), ("DATE", finding.provenance.created), ("FORMAT", "3.0"),
        ("VERSION", "3.0"), ("xmlns:xsi", _XSI), ("xsi:noNamespaceSchemaLocation", _SCHEMA),
    ):  # fmt: skip
        root.set(key, value)
    _header(root, finding)
    slots = iter(_slots(root, [a for _, own in tiers for a in own]))
    for tier_id, own in tiers:
        tier = xml.SubElement(root, "TIER", LINGUISTIC_TYPE_REF=_TYPE, TIER_ID=tier_id)
        for a in own:
            _add(tier, a, *next(slots))
    xml.SubElement(root, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID=_TYPE, TIME_ALIGNABLE="true")
    xml.indent(root)
    return fit('<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n")


def _add(tier: xml.Element, a: _Annotation, first: str, last: str) -> None:
    own = xml.SubElement(xml.SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", ANNOTATION_ID=f"a{first[2:]}")
    own.set("TIME_SLOT_REF1", first)
    own.set("TIME_SLOT_REF2", last)
    xml.SubElement(own, "ANNOTATION_VALUE").text = a.value


def _header(root: xml.Element, finding: Finding) -> None:
    name = clip_name(finding.clip)
    url = quote(name)
    header = xml.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    descriptor = xml.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=f"file:///{url}", RELATIVE_MEDIA_URL=f"./{url}")
    descriptor.set("MIME_TYPE", _MIME.get(PurePath(name).suffix[1:].lower(), "unknown"))
    for key, value in (("clip-sha256", finding.clip.sha256), ("program", f"Earwitness {finding.provenance.version}")):
        xml.SubElement(header, "PROPERTY", NAME=key).text = value


def _slots(root: xml.Element, annotations: list[_Annotation]) -> list[tuple[str, str]]:
    """Writes the time slots, in order of time, and gives the two of each annotation. None is shared: in ELAN whoever moves an
    annotation moves its slots, and with them every other annotation that refers to them."""
    ends = sorted((time, i, side) for i, a in enumerate(annotations) for side, time in enumerate((a.start_ms, a.end_ms)))
    order = xml.SubElement(root, "TIME_ORDER")
    names = [["", ""] for _ in annotations]
    for number, (time, i, side) in enumerate(ends, 1):
        names[i][side] = f"ts{number}"
        xml.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{number}", TIME_VALUE=str(time))
    return [(a, b) for a, b in names]


def _tiers(finding: Finding) -> Iterator[tuple[str, tuple[_Annotation, ...]]]:
    """(name, annotations) of the shots, and of everything perceived clearly that is not left out."""
    shots = tuple(
        _Annotation(_ms(s.start_s), _ms(s.end_s), f"shot {i}")
        for i, s in enumerate(finding.shots, 1)
        if _ms(s.end_s) > _ms(s.start_s)
    )
    if len(shots) > 1:
        yield "shots", shots
    taken: set[str] = {"shots"}
    for p in clear(gather(finding), *(k.name for k in finding.registry.kinds if k.tiered))[:_MOST_TIERS]:
        if p.dropped:
            continue
        name = _tier_name(p)
        while name in taken:
            name += " *"
        taken.add(name)
        yield name, _annotations(p, _ms(finding.clip.duration_s) if finding.clip.duration_s else None)


def _tier_name(p: Perceived) -> str:
    return f"{p.best.kind}: {shown(p.title, 80)}"


def _annotations(p: Perceived, last_ms: int | None) -> tuple[_Annotation, ...]:
    """What is annotated of one thing, in order; none ends after `last_ms`, the end of the clip where that is known."""
    out: list[_Annotation] = []
    for start_s, end_s in p.spans:
        best = max((o.score for o in p.observations if start_s <= o.start_s <= end_s), default=p.best.score)
        start, end = _ms(start_s), max(_ms(end_s), _ms(start_s) + _LEAST_MS)
        if last_ms is not None and end > last_ms:  # a still moment at the very end is given the frame before it
            start, end = min(start, max(0, last_ms - _LEAST_MS)), last_ms
        if out and start < out[-1].end_ms:
            start = out[-1].end_ms
        if end > start:
            out.append(_Annotation(start, end, f"{shown(p.title, 120)} ({best:.2f})"))
    return tuple(out)


def _ms(seconds: float) -> int:
    return max(0, math.floor(1000.0 * seconds + 1e-6))
