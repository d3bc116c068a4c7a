"""A Finding as KML 2.2 (OGC 07-147r2), for globes: the places, and the outlines of the 50% and 90% regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from engine.core.claim import ClaimTest
from engine.core.finding import Finding, Located
from engine.media.source import shown
from engine.report.figures.colour import modality_colour
from engine.report.figures.shape import polygons_of, region_shape
from engine.report.formats.record import clip_name
from engine.report.view import words
from engine.report.view.claim import headline, stated, who
from engine.report.view.text import fit

_SHARES = (0.9, 0.5)


def to_kml(finding: Finding) -> str:
    """A KML document with one folder per modality that spoke; one that cannot tell says so in its folder's description."""
    styles = "".join(_styles(name) for name in (*(x.modality for x in finding.located), *(["claim"] if finding.claims else [])))
    folders = "".join(_folder(x) for x in finding.located) + "".join(_claim(t) for t in finding.claims)
    name = escape(f"Earwitness: {clip_name(finding.clip)}")
    about = escape(f"SHA-256 {finding.clip.sha256}; Earwitness {finding.provenance.version}; {finding.provenance.created}")
    return fit(
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<name>{name}</name><description>{about}</description>{styles}{folders}</Document></kml>\n"
    )


def _folder(x: Located) -> str:
    name = escape(words.modality(x.modality))
    if x.place is None:
        return f"<Folder><name>{name}</name><description>{escape(shown(x.cannot_tell or '', 500))}</description></Folder>"
    densest = f"{words.point(x.where_is)} " if x.where_is == "region" else ""
    place = escape(shown(densest + x.place.name, 200))
    point = (
        f"<Placemark><name>{name}: {place}</name>"
        f"<description>{words.share(x.place.mass)} of the probability within {words.km(x.place.radius_km)}</description>"
        f"<styleUrl>#{x.modality}</styleUrl>"
        f"<Point><coordinates>{x.place.lon_deg:.5f},{x.place.lat_deg:.5f}</coordinates></Point></Placemark>"
    )
    return f"<Folder><name>{name}</name>{point}{''.join(_regions(x))}</Folder>"


def _claim(t: ClaimTest) -> str:
    first = headline(t)
    return (
        f"<Placemark><name>{escape(who(t.claim))}: {escape(shown(stated(t), 200))}</name>"
        f"<description>{escape(shown(f'{first.title}. {first.sentence}', 600))}</description><styleUrl>#claim</styleUrl>"
        f"<Point><coordinates>{t.claim.lon_deg:.5f},{t.claim.lat_deg:.5f}</coordinates></Point></Placemark>"
    )


def _regions(x: Located) -> Iterator[str]:
    for share in _SHARES:
        polygons = polygons_of(region_shape(x.posterior.grid.cells[x.posterior.region(share)]))
        shapes = "".join(
            "<Polygon><tessellate>1</tessellate>"
            f"<outerBoundaryIs>{_ring(p.exterior.coords)}</outerBoundaryIs>"
            + "".join(f"<innerBoundaryIs>{_ring(r.coords)}</innerBoundaryIs>" for r in p.interiors)
            + "</Polygon>"
            for p in polygons
        )
        area = words.area(x.posterior.region_area_km2(share))
        yield (
            f"<Placemark><name>{share:.0%} region, {area}</name><styleUrl>#{x.modality}</styleUrl>"
            f"<MultiGeometry>{shapes}</MultiGeometry></Placemark>"
        )


def _ring(coordinates: Iterable[Sequence[float]]) -> str:
    text = " ".join(f"{lon:.5f},{lat:.5f}" for lon, lat in coordinates)
    return f"<LinearRing><coordinates>{text}</coordinates></LinearRing>"


def _styles(modality: str) -> str:
    rgb = modality_colour(modality).lstrip("#")
    bgr = rgb[4:6] + rgb[2:4] + rgb[0:2]  # KML writes colours as aabbggrr
    return (
        f'<Style id="{modality}"><IconStyle><color>ff{bgr}</color></IconStyle><LineStyle><color>ff{bgr}</color>'
        f"<width>2</width></LineStyle><PolyStyle><color>30{bgr}</color></PolyStyle></Style>"
    )
