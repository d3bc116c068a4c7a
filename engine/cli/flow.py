"""`earwitness flow CLIP`: the flow's second opinion on a clip, with samples of the place for whoever wants to go on with them.

It stands beside `earwitness locate`, never instead: no verdict rests on it, and which of the two is the better guide is said by
`earwitness bench flow`.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from engine.cli import output
from engine.cli.bar import bar
from engine.cli.terminal import plain
from engine.core.errors import SettingError
from engine.core.modality import Modality
from engine.core.settings import PRIORS, Settings

if TYPE_CHECKING:
    from engine.analysis.second_opinion import FlowMap

_DEFAULT = Settings()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness flow`."""
    parser.add_argument("clip", help="a film, a broadcast or a recording")
    parser.add_argument("--of", choices=("sound", "picture", Modality.BOTH), default=None, help="evidence to use (default: all)")
    parser.add_argument("--samples", type=int, default=200, help="number of samples (default: 200)")
    parser.add_argument("--guidance", type=float, default=1.0, help="above 1 the samples are sharpened and labelled as such")
    parser.add_argument("--prior", choices=PRIORS, default=_DEFAULT.prior)
    parser.add_argument(
        "--radius", type=float, default=_DEFAULT.radius_km, help="radius of the reported place in km (default: 100)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--geojson", default=None, metavar="FILE", help="write the samples as points; - for the terminal")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args: argparse.Namespace) -> int:
    """Perceive the clip, ask the flow, print what it says."""
    if not 2 <= args.samples <= 100_000:
        raise SettingError("--samples takes 2 to 100,000.")
    if not 0.0 <= args.guidance <= 10.0:
        raise SettingError("--guidance takes 0 to 10; 1 is the posterior itself.")
    target = output.Target("--geojson", args.geojson) if args.geojson else None
    if target:
        output.check([target], args.clip)
    from engine.analysis.judge import judge
    from engine.analysis.perceive import perceive
    from engine.analysis.second_opinion import opinion_by_flow

    settings = Settings(prior=args.prior, radius_km=args.radius, seed=args.seed)
    with bar(args.quiet) as progress:
        finding = judge(perceive(args.clip, settings, progress), settings)
        modality = args.of or next(m for m in (Modality.BOTH, "sound", "picture") if finding.by(m))
        flow = opinion_by_flow(finding, modality, args.samples, args.guidance, progress)
    if target is None or not target.is_stdout:
        print(summary_of(flow))
    if target:
        output.write(target, geojson(flow))
    return 0


def summary_of(flow: FlowMap) -> str:
    """What the flow says, in three lines."""
    x = flow.located
    place = x.place
    at = (
        f"{plain(place.name)} ({place.lat_deg:.2f}, {place.lon_deg:.2f}), {place.mass:.0%} within {place.radius_km:g} km"
        if place
        else "cannot tell"
    )
    sizes = ", ".join(f"{share:.0%} region {km2:,.0f} km²" for share, km2 in x.regions_km2.items())
    return "\n".join(
        (
            f"{x.modality} by the flow (from {', '.join(flow.inputs)}): {at}",
            f"{sizes}; {1 - min(1.0, flow.inside):.0%} of its probability was at sea and is left out",
            f"{len(flow.lat_deg)} samples: {flow.label}. Trained on simulated clips; a second opinion, not part of the verdict.",
        )
    )


def geojson(flow: FlowMap) -> str:
    """The samples as points."""
    properties: dict[str, Any] = {"modality": flow.located.modality, "label": flow.label, "guidance": flow.guidance}
    points = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": {"type": "Point", "coordinates": [round(lon, 5), round(lat, 5)]},
        }
        for lat, lon in zip(flow.lat_deg.tolist(), flow.lon_deg.tolist(), strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": points})
