"""Earwitness: places the sound and the picture of a clip on the map and compares them.

The public list below is all that the app imports. Names are resolved when first used, so that `import engine` loads
neither torch nor a model.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Affinity": "engine.core.affinity",
    "Match": "engine.core.affinity",
    "AudioBlock": "engine.core.clip",
    "Claim": "engine.core.claim",
    "ClaimTest": "engine.core.claim",
    "Clip": "engine.core.clip",
    "Frame": "engine.core.clip",
    "Interval": "engine.core.clip",
    "Reader": "engine.core.clip",
    "Stream": "engine.core.clip",
    "Cancelled": "engine.core.errors",
    "DataError": "engine.core.errors",
    "EarwitnessError": "engine.core.errors",
    "InputError": "engine.core.errors",
    "MediaError": "engine.core.errors",
    "SettingError": "engine.core.errors",
    "WeightsError": "engine.core.errors",
    "Evidence": "engine.core.evidence",
    "Finding": "engine.core.finding",
    "FlowMap": "engine.flow_map",
    "opinion_by_flow": "engine.flow_map:flow_map",
    "Located": "engine.core.finding",
    "PRIORS": "engine.core.finding",
    "Perception": "engine.core.finding",
    "Provenance": "engine.core.finding",
    "Settings": "engine.core.finding",
    "Grid": "engine.core.grid",
    "Observation": "engine.core.observation",
    "Place": "engine.core.posterior",
    "Posterior": "engine.core.posterior",
    "Prior": "engine.core.posterior",
    "Progress": "engine.core.progress",
    "CONFIDENCES": "engine.core.edit",
    "MOST_WEIGHT": "engine.core.edit",
    "Edit": "engine.core.edit",
    "Effect": "engine.core.edit",
    "Step": "engine.core.edit",
    "apply_edit": "engine.core.edit:apply",
    "edited": "engine.core.edit",
    "untouched": "engine.core.edit",
    "edit_words": "engine.report.edits:",
    "edit_step": "engine.attribution:step",
    "edit_steps": "engine.core.edit:steps",
    "effects": "engine.attribution",
    "explained": "engine.attribution",
    "hand": "engine.hand:",
    "Alternative": "engine.core.rationale",
    "Candidate": "engine.core.rationale",
    "Rationale": "engine.core.rationale",
    "Sentence": "engine.core.rationale",
    "Lesson": "engine.lesson",
    "lesson": "engine.lesson:",
    "ask": "engine.why",
    "Reasoner": "engine.nets.qwen",
    "language_models": "engine.reasoning.mllm:installed",
    "cue_groups": "engine.why",
    "note_cue": "engine.why",
    "rationale": "engine.why",
    "clue_switches": "engine.attribution",
    "modality_weights": "engine.attribution",
    "examples": "engine.locate",
    "judge": "engine.locate",
    "judge_film": "engine.locate",
    "scenes": "engine.locate",
    "timeline_of": "engine.timeline:timeline",
    "Timeline": "engine.core.timeline",
    "Moment": "engine.core.timeline",
    "Shot": "engine.core.clip",
    "scene_row": "engine.report.film:row",
    "scenes_said": "engine.report.film:said",
    "locate": "engine.locate:",
    "perceive": "engine.locate",
    "species_range": "engine.locate",
    "warm_up": "engine.locate",
    "great_circle": "engine.core.sphere",
    "distance_km": "engine.core.sphere",
    "SpeciesName": "engine.clues.soundscape",
    "affinity_countries": "engine.clues.soundscape",
    "affinity_of_clip": "engine.clues.soundscape",
    "affinity_of_species": "engine.clues.soundscape",
    "affinity_of_text": "engine.clues.soundscape",
    "affinity_places": "engine.clues.soundscape",
    "pictures_for_sound": "engine.clues.soundscape",
    "pictures_missing": "engine.clues.soundscape",
    "species_names": "engine.clues.soundscape",
    "texts_for_sound": "engine.clues.soundscape",
    "words_missing": "engine.clues.soundscape",
    "affinity_csv": "engine.report.affinity",
    "affinity_geojson": "engine.report.affinity",
    "open_clip": "engine.media",
    "atoms": "engine.clues.atoms:",
    "excerpt_wav": "engine.media",
    "to_wav": "engine.media.audio",
    "preview_mp4": "engine.media",
    "describe_area": "engine.world.places",
    "describe_place": "engine.world.places",
    "land_outlines": "engine.world.land:outlines",
    "MASS_COLOURS": "engine.report",
    "MODALITY_COLOURS": "engine.report",
    "Perceived": "engine.report.perceived",
    "gather": "engine.report.perceived",
    "claim_words": "engine.report.claim:",
    "find_places": "engine.clues.text.entry",
    "headline": "engine.report.verdict",
    "comparison_rows": "engine.report.verdict",
    "comparisons": "engine.report.verdict",
    "credits": "engine.report.credit",
    "licence_note": "engine.report.credit",
    "CATALOGUE": "engine.nets.catalog",
    "import_weights": "engine.nets.catalog:import_folder",
    "verify_weights": "engine.nets.catalog:verify",
    "weights_state": "engine.nets.catalog:state",
    "models_dir": "engine.core.paths",
    "annotate": "engine.media.draw",
    "marks_of": "engine.media.draw",
    "words": "engine.report.words:",
    "to_bundle": "engine.case.bundle",
    "to_csv": "engine.report",
    "to_elan": "engine.report",
    "to_geojson": "engine.report",
    "to_html": "engine.report",
    "to_json": "engine.report",
    "to_kml": "engine.report",
    "to_pdf": "engine.report",
    "to_raven": "engine.report",
    "write_reel": "engine.report.reel",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"engine has no public name {name!r}")
    # "module" holds the name itself, "module:other" another name for it, "module:" is public as a module.
    home, other, own = _PUBLIC[name].partition(":")
    module = importlib.import_module(home)
    value = module if other and not own else getattr(module, own or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
