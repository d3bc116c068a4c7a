"""Facts about the file, what was not judged, and the settings, as (name, value)."""

from __future__ import annotations

from engine.core.clip import Clip, Stream
from engine.core.finding import FUSED, Finding
from engine.core.settings import Settings
from engine.media.source import shown
from engine.report.formats.record import clip_name
from engine.report.view import scope, words


def facts(finding: Finding) -> tuple[tuple[str, str], ...]:
    clip = finding.clip
    length = "a still picture" if clip.is_still else words.clock(clip.duration_s) if clip.duration_s else "unknown"
    scene = f"; scene {finding.scene} of {finding.scenes}" if finding.scenes > 1 and finding.scene else ""
    return (
        ("File", clip_name(clip)),
        ("SHA-256", clip.sha256),
        *(("Picture beside it", f"{name}, SHA-256 {sha256}") for name, sha256 in clip.beside),
        ("Size", f"{words.size(clip.size_bytes)} ({clip.size_bytes:,} bytes)"),
        ("Container", shown(clip.container, 80)),
        ("Length", length),
        (
            "Examined",
            "the one picture" if clip.is_still else f"{words.span(finding.interval.start_s, finding.interval.end_s)}{scene}",
        ),
        *((f"{s.kind.capitalize()} track {s.track}", _stream(s)) for s in clip.streams if s.kind in ("audio", "video")),
        *((("Decoding", shown(finding.provenance.decoding, 400)),) if finding.provenance.decoding else ()),
    )


def _stream(s: Stream) -> str:
    parts = [s.codec]
    if s.kind == "audio":
        parts += [f"{s.rate_hz / 1000:g} kHz" if s.rate_hz else "", s.layout or (f"{s.channels} channels" if s.channels else "")]
    else:
        parts += [
            f"{s.width_px}×{s.height_px} px" if s.width_px else "",
            f"{s.fps:.4g} frames/s{' (variable)' if s.variable_fps else ''}" if s.fps else "",
            f"rotated {s.rotation_deg}°" if s.rotation_deg else "",
            "a still cover picture" if s.attached_picture else "",
        ]
    parts += [
        f"language {s.language}" if s.language else "",
        f"“{s.title}”" if s.title else "",
        "" if s.decodable else "cannot be decoded",
    ]
    return shown(", ".join(p for p in parts if p), 200)


def problems(finding: Finding) -> tuple[str, ...]:
    skipped = [f"{words.skipped(kind, n)}." for kind, n in finding.perception.skipped.items() if n]
    silent = [
        f"{words.modality(x.modality)}: {scope.cannot_tell(x)}" for x in finding.located if x.cannot_tell and x.modality != FUSED
    ]
    failed = finding.perception.failed.values()
    return tuple(shown(t, 700) for t in (*silent, *failed, *finding.clip.problems, *skipped))


def _asked(clue: str, condition: str) -> str:
    return f"{clue} (stated: {condition})" if condition else clue


def _chosen(differs: bool) -> str:
    """Marks a setting that is not the default: a setting is a decision too."""
    return " (chosen, not the default)" if differs else ""


def _main_track(clip: Clip) -> str:
    choice = clip.choice("audio")
    if choice is None:
        return "none"
    return f"{choice.stream.track}, the main track" + (f": {choice.why}" if choice.why else "")


def _programme(finding: Finding) -> str:
    """The programme that was read."""
    clip = finding.clip
    label = next((p.label for p in clip.programmes if p.number == clip.programme), "")
    return shown(label, 100) + _chosen(finding.settings.programme is not None)


def settings(finding: Finding) -> tuple[tuple[str, str], ...]:
    s, default = finding.settings, Settings()
    rows = [
        ("Prior", words.PRIOR_NAMES.get(s.prior, s.prior) + _chosen(s.prior != default.prior)),
        ("Date of the recording", (s.when.isoformat() + _chosen(True)) if s.when else "not given; any time of the year"),
        ("Audio track", f"{s.track}{_chosen(True)}" if s.track else _main_track(finding.clip)),
        *([("Programme", _programme(finding))] if finding.clip.programmes else []),
        ("Interval", (words.span(s.interval.start_s, s.interval.end_s) + _chosen(True)) if s.interval else "all"),
        ("Step between windows", f"{s.stride_s:g} s{_chosen(True)}" if s.stride_s else "1.5 s up to a minute, 3 s beyond"),
        *([("Clues run", "only those that vote (quick mode)")] if s.quick else []),
        ("Radius of the reported place", words.km(s.radius_km) + _chosen(s.radius_km != default.radius_km)),
        ("Radius of “the same place”", words.km(s.same_place_km) + _chosen(s.same_place_km != default.same_place_km)),
        ("Left out by the analyst", ", ".join(sorted(s.dropped)) or "nothing"),
        ("Added by the analyst", ", ".join(f"{o.label} ({words.span(o.start_s, o.end_s)})" for o in s.added) or "nothing"),
    ]
    if s.left_out:
        rows.append(("Clues left out", ", ".join(sorted(s.left_out))))
    if s.included:
        rows.append(("Clues asked for", ", ".join(_asked(name, finding.registry.condition(name)) for name in sorted(s.included))))
    if s.weights:
        rows.append(("Weights other than 1", ", ".join(f"{name.replace('modality:', '')} {w:g}" for name, w in s.weights)))
    rows.append(("Seed", str(s.seed)))
    return tuple((k, shown(v, 600)) for k, v in rows)
