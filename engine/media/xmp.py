"""XMP packets (ISO 16684-1): what they say of place, time and device."""

from __future__ import annotations

import re

from engine.media import markup

UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # of an MP4 `uuid` box that holds one: XMP specification, part 3
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PREFIXES = {
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.adobe.com/xmp/1.0/DynamicMedia/": "xmpDM",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://www.dji.com/drone-dji/1.0/": "drone-dji",
    "http://www.parrot.com/drone-parrot/1.0/": "drone-parrot",
    "http://pix4d.com/camera/1.0": "Camera",
    "http://pix4d.com/camera/1.0/": "Camera",
}
_WANTED = re.compile(
    r"gps\w*|\w*(?:latitude|longt?itude|altitude)(?:ref)?|createdate|datecreated|datetimeoriginal|datetimedigitized|shotdate|"
    r"shotlocation|city|state|provincestate|country|countryname|countrycode|location|locationname|sublocation|worldregion|"
    r"make|model|creatortool|lens|lensmodel|softwareagent|action|when|digitalsourcetype",
    re.IGNORECASE,
)
MOST = 60


def read(packet: bytes) -> list[tuple[str, str]]:
    """(key, value) of what is worth knowing: ("XMP exif:GPSLatitude", "48,51.504N"); at most MOST.

    A property inside a structure has the structure's name before its own: "XMP Iptc4xmpExt:LocationCreated/exif:GPSLatitude".
    """
    found: list[tuple[str, str]] = []
    for path, text in markup.leaves(packet):
        steps = [named for step in path if (named := _named(step)) is not None]
        if steps and _WANTED.fullmatch(steps[-1].partition(":")[2]) and len(found) < MOST:
            found.append(("XMP " + "/".join(steps[-3:]), text))
    return found


def _named(step: str) -> str | None:
    """The property with its usual prefix, None for RDF's own and what is not known."""
    namespace, _, name = step.rpartition(" ")
    prefix = _PREFIXES.get(namespace)
    return f"{prefix}:{name}" if prefix and namespace != _RDF else None
