"""A Finding as JSON, "earwitness.finding/1".

The document is a tree of the frozen dataclasses below: what they say is what `document.to_json` writes, and `schema.json_schema`
is made from them, so that neither can drift from the other. Times are seconds from the clip's start, coordinates degrees, areas
km², masses shares of 1, information nats. Cells are H3 indices in hexadecimal. Fields may be added within version 1; none
changes its meaning.
"""

# ruff: noqa: RUF009 (the documentation of a field is data, made once)
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.clip import Clip
from engine.core.finding import Located
from engine.media.source import shown

SCHEMA = "earwitness.finding/1"
LEAST_MASS = 1e-5  # cells with less are summed up in mass_left_out
SHARES = (0.5, 0.9, 0.95)


def _said(doc: str) -> Any:
    return field(metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class TagRecord:
    """A container tag, as found in the file: hostile text."""

    key: str = _said("name of the tag")
    value: str = _said("its text, unprintable characters replaced")


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One track of the container."""

    index: int = _said("number in the container")
    track: int = _said("number among the tracks of its kind, from 1")
    kind: str = _said("audio, video, subtitle, data or attachment")
    codec: str = _said("decoder's name")
    decodable: bool = _said("whether this program can decode it")
    duration_s: float | None = _said("length, s")
    language: str | None = _said("language tag of the container")
    rate_hz: int | None = _said("audio: samples a second")
    channels: int | None = _said("audio: channels")
    width_px: int | None = _said("video: width as stored")
    height_px: int | None = _said("video: height as stored")
    fps: float | None = _said("video: mean frames a second")
    flags: tuple[str, ...] = _said("what the container says the track is for")
    silent: bool = _said("audio: nothing was heard at the places tried")


@dataclass(frozen=True, slots=True)
class ProgrammeRecord:
    """One of several programmes in a transport stream."""

    number: int = _said("as the stream numbers it")
    name: str | None = _said("as the stream names it")
    streams: tuple[int, ...] = _said("its tracks, by their number in the container")


@dataclass(frozen=True, slots=True)
class ClipRecord:
    """The file examined, named without its folder."""

    name: str = _said("file name")
    sha256: str = _said("SHA-256 of the file, hexadecimal")
    size_bytes: int = _said("length of the file")
    container: str = _said("demuxer")
    duration_s: float | None = _said("length, s")
    streams: tuple[StreamRecord, ...] = _said("tracks in container order")
    tags: tuple[TagRecord, ...] = _said("container tags")
    problems: tuple[str, ...] = _said("problems of the file and choices made in it, sentences")
    programmes: tuple[ProgrammeRecord, ...] = _said("programmes of a transport stream that holds several")
    programme: int | None = _said("number of the programme that was read, or null where there are not several")


@dataclass(frozen=True, slots=True)
class IntervalRecord:
    """The interval of time examined."""

    start_s: float = _said("start, s")
    end_s: float = _said("end, s")


@dataclass(frozen=True, slots=True)
class WeightRecord:
    """A weight that is not 1."""

    name: str = _said("a clue, or modality:sound or modality:picture for its share in both")
    weight: float = _said("factor of its log-likelihood")


@dataclass(frozen=True, slots=True)
class SettingsRecord:
    """What the analyst chose."""

    prior: str = _said("mixture, land, observer or population")
    date: str | None = _said("date of the recording, YYYY-MM-DD, or null for any time of the year")
    track: int | None = _said("audio track from 1, or null for the main one")
    programme: str | None = _said("programme asked for, by number or name, or null for the track's or the main one")
    interval: IntervalRecord | None = _said("interval chosen, or null for the whole clip")
    stride_s: float | None = _said("step between windows of sound, or null for the program's choice")
    quick: bool = _said("whether clues without a vote were left out")
    radius_km: float = _said("the place reported has the most mass within this radius")
    same_place_km: float = _said("what counts as the same place")
    dropped: tuple[str, ...] = _said("keys of observations left out of the scoring")
    left_out: tuple[str, ...] = _said("clues left out of the scoring")
    included: tuple[str, ...] = _said("clues scored that are off by default")
    seed: int = _said("seed of whatever is sampled")
    weights: tuple[WeightRecord, ...] = _said("weights of clues and modalities where they are not 1")


@dataclass(frozen=True, slots=True)
class PlaceRecord:
    """The place reported: the cell centre with the most mass within radius_km."""

    lat_deg: float = _said("latitude")
    lon_deg: float = _said("longitude")
    name: str = _said("in words, from an offline gazetteer")
    mass: float = _said("posterior probability within radius_km")
    radius_km: float = _said("radius of the place rule")


@dataclass(frozen=True, slots=True)
class RegionRecord:
    """A credible region: the smallest set of cells, densest first, with this posterior probability."""

    share: float = _said("0.5, 0.9 or 0.95")
    area_km2: float = _said("area")


@dataclass(frozen=True, slots=True)
class CountryRecord:
    """A country's posterior probability."""

    name: str = _said("country")
    share: float = _said("posterior probability")


@dataclass(frozen=True, slots=True)
class CellRecord:
    """A cell of the map."""

    cell: str = _said("H3 index, hexadecimal")
    mass: float = _said("posterior probability")
    region: float = _said("smallest credible region that holds it: 0.5, 0.9, 0.95, or 1 for none of them")


@dataclass(frozen=True, slots=True)
class LocatedRecord:
    """Where one modality points."""

    modality: str = _said("sound, picture, container or both")
    spoke: bool = _said("false when no location is given")
    cannot_tell: str | None = _said("why no location is given, or null")
    place: PlaceRecord | None = _said("the place reported, or null when spoke is false: cannot_tell has the reason")
    where: str = _said("where it points, in words: the headline; empty when spoke is false")
    where_is: str = _said(
        "what the headline names: place, or region where less than 30% of the mass lies within 100 km of the place reported, "
        "which is then no more than the densest point; empty when spoke is false"
    )
    region: str = _said("where the 90% region lies, in words, or empty")
    gain_nats: float = _said("Kullback-Leibler divergence of the posterior from the prior")
    entropy_nats: float = _said("entropy of the posterior over the cells")
    prior: str = _said("prior applied")
    regions: tuple[RegionRecord, ...] = _said("credible regions; none when spoke is false")
    countries: tuple[CountryRecord, ...] = _said("countries by share, largest first; none when spoke is false")
    grid_cells: int = _said("cells of the map, of several sizes where it was refined")
    cells: tuple[CellRecord, ...] = _said(
        f"cells with a mass of at least {LEAST_MASS:g}, heaviest first; none when spoke is false"
    )
    mass_left_out: float = _said("mass of all cells not listed")


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """One clue: whether it spoke, and through which models."""

    clue: str = _said("name of the clue")
    modality: str = _said("modality it belongs to")
    spoke: bool = _said("false when it abstained")
    abstained: str | None = _said("why it abstained, or null")
    models: tuple[str, ...] = _said("ids of the models used")
    observations: int = _said("how many observations it rests on")


@dataclass(frozen=True, slots=True)
class MomentRecord:
    """One observation in time."""

    start_s: float = _said("start, s")
    end_s: float = _said("end, s")
    score: float = _said("the model's own score, 0 to 1, uncalibrated")
    box: tuple[float, ...] | None = _said("left, top, right, bottom as shares of the upright frame, or null")


@dataclass(frozen=True, slots=True)
class PerceivedRecord:
    """All observations of one thing: a species, a sound, a sign."""

    key: str = _said("clue/kind/label")
    clue: str = _said("clue that made it")
    kind: str = _said("species, sound, text, …")
    label: str = _said("in the field's own terms: Latin name, the text read")
    name: str = _said("everyday name, or empty")
    author: str = _said("model id, or analyst")
    best_score: float = _said("highest score")
    dropped: bool = _said("left out of the scoring by the analyst")
    added: bool = _said("added by the analyst")
    note: str = _said("remark")
    moments: tuple[MomentRecord, ...] = _said("every observation, in order of time")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file that a result rests on."""

    name: str = _said("file name")
    sha256: str = _said("SHA-256 of the file, hexadecimal")


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model that spoke."""

    model: str = _said("id")
    title: str = _said("name")
    licence: str = _said("licence of its weights")
    non_commercial: bool = _said("the licence forbids commercial use")
    source: str = _said("who made it")
    sha256: str = _said("hex digest of its weights, or empty")
    files: tuple[FileRecord, ...] = _said("its files, where the weights are several")


@dataclass(frozen=True, slots=True)
class UnderPriorRecord:
    """The factor under one prior."""

    prior: str = _said("name of the prior")
    log10_factor: float = _said("calibrated and bounded; above 0 speaks for one place")
    words: str = _said("the same in the guideline's words")


@dataclass(frozen=True, slots=True)
class ComparisonRecord:
    """Two modalities compared."""

    a: str = _said("first modality")
    b: str = _said("second modality")
    verdict: str = _said("same place, same region, different places, or cannot tell")
    reason: str = _said("why there is no result, or empty")
    support: str = _said("words of the ENFSI scale for the weakest factor under all priors")
    odds: str = _said("the factor in words, towards whichever proposition it speaks for")
    distance_km: float | None = _said("between the two places reported, or null when one of them does not speak")
    expected_km: float | None = _said("mean distance between a place drawn from each posterior, or null likewise")
    overlap: float | None = _said("Bhattacharyya coefficient, 0 to 1, or null likewise")
    shared_region_km2: float | None = _said("area that lies in both 90% regions, or null likewise")
    log10_raw: float = _said("log10 of the Bayes factor before calibration")
    log10_factor: float = _said("calibrated and bounded; above 0 speaks for one place, below for different places")
    log10_low: float = _said("lower end of the factor's 95% interval")
    log10_high: float = _said("upper end of the factor's 95% interval")
    at_bound: bool = _said("more validation pairs could support a more extreme factor")
    pairs: int = _said("validation trials behind the calibration, each a recording compared with a place")
    same_place_km: float = _said("radius of the same-place kernel")
    by_prior: tuple[UnderPriorRecord, ...] = _said("the factor under every prior")
    before_edits: float | None = _said("log10 factor as first computed, or null when nothing was edited or compared then")
    before_words: str = _said("verdict and support as first computed, or empty when nothing was edited")
    after_edits: float | None = _said("log10 factor with the edits; log10_factor is the weaker of both; null: not edited")
    after_words: str = _said("verdict and support with the edits alone, or empty")
    rests_on: str = _said("what the finding rests on alone, which allows no more than weak support, or empty")


@dataclass(frozen=True, slots=True)
class PutInRecord:
    """An observation that an edit put in."""

    key: str = _said("clue/kind/label")
    name: str = _said("everyday name, or empty")
    confidence: float = _said("stated confidence, or the score in the table read in")
    start_s: float = _said("start, s")
    end_s: float = _said("end, s")
    author: str = _said("analyst, analyst:NAME or table:FILE")
    lat_deg: float | None = _said("latitude of the place a sign was said to mean, or null")
    lon_deg: float | None = _said("longitude of it, or null")


@dataclass(frozen=True, slots=True)
class MovedRecord:
    """How far a place moved."""

    modality: str = _said("modality")
    km: float = _said("great-circle distance between the places reported before and after")


@dataclass(frozen=True, slots=True)
class EditRecord:
    """One thing the analyst did, and what it did to the result."""

    what: str = _said("drop, restore, add, confirm, relabel, note, import, weight, leave out, include or judgement")
    target: str = _said("key of the observation, name of the clue or table, or the modality judged")
    author: str = _said("who")
    confidence: float | None = _said("stated chance of being right, or null")
    note: str = _said("remark, or the opinion of a judgement")
    created: str = _said("when, ISO 8601, or empty")
    weight: float | None = _said("new weight, or null")
    alone: str = _said("model whose own observations it replaced, or empty")
    digest: str = _said("of a judgement: sha256 of what was judged, or empty")
    put_in: tuple[PutInRecord, ...] = _said("observations it put in")
    log10_before: float | None = _said("calibrated log10 factor before it, or null where nothing was compared")
    log10_after: float | None = _said("the same after it")
    words_before: str = _said("verdict and support before it")
    words_after: str = _said("the same after it")
    moved: tuple[MovedRecord, ...] = _said("by how far places moved")


@dataclass(frozen=True, slots=True)
class ChoiceRecord:
    """What a setting that is not the default does: the result with it beside the result with the default in its place."""

    name: str = _said("prior, when, radius_km or same_place_km")
    chosen: str = _said("as chosen: the prior's name, a day in ISO 8601, or kilometres")
    default: str = _said("the default; no day is empty")
    log10_default: float | None = _said("calibrated log10 factor with the default, or null where nothing was compared")
    log10_chosen: float | None = _said("the same as chosen")
    words_default: str = _said("verdict and support with the default")
    words_chosen: str = _said("the same as chosen")
    moved: tuple[MovedRecord, ...] = _said("by how far places differ")


@dataclass(frozen=True, slots=True)
class EffectRecord:
    """What one clue or observation does: the result with it less the result without it."""

    clue: str = _said("clue")
    key: str = _said("clue/kind/label, or empty for the clue as a whole")
    title: str = _said("its title")
    modality: str = _said("modality it belongs to")
    log10_change: float | None = _said("change of the calibrated log10 factor, unbounded; above 0 for one place; null: none")
    moved_km: float = _said("how far the place of its modality moves without it")
    moved_both_km: float | None = _said("the same for sound and picture together, or null")
    gain_change: float = _said("change of its modality's information gain, nats")
    alone: bool = _said("its modality has no location without it")


@dataclass(frozen=True, slots=True)
class BeforeRecord:
    """Where a modality points, in short: in a scene, or as first computed, before any edit."""

    modality: str = _said("modality")
    spoke: bool = _said("false when no location was given")
    place: PlaceRecord | None = _said("the place reported, or null when spoke is false")
    where: str = _said("where it pointed, in words")
    where_is: str = _said("what that names: place or region")
    region: str = _said("where the 90% region lay, in words, or empty")
    gain_nats: float = _said("gain over the prior")


@dataclass(frozen=True, slots=True)
class ClaimFactorRecord:
    """What one modality says to a claim."""

    modality: str = _said("sound, picture, both, or season (the week claimed, against any other at the claimed place)")
    verdict: str = _said("supports the claim, supports the region, speaks against the claim, or cannot tell")
    support: str = _said("words of the ENFSI scale for the weakest ratio under all priors")
    odds: str = _said("the ratio in words, towards whichever proposition it speaks for")
    log10_raw: float = _said("log10 of the likelihood ratio before calibration")
    log10_factor: float = _said("calibrated and bounded; above 0 supports the claim")
    log10_low: float = _said("lower end of the ratio's 95% interval")
    log10_high: float = _said("upper end of the ratio's 95% interval")
    at_bound: bool = _said("more validation could support a more extreme ratio")
    things: int = _said("recordings or photos of known place behind the calibration")
    distance_km: float | None = _said("from the place this modality reports to the claimed one, or null")
    region: float = _said("smallest credible region (0.5, 0.9, 0.95) that holds the claimed place; 1 outside of all")
    by_prior: tuple[UnderPriorRecord, ...] = _said("the ratio under every prior")
    reason: str = _said("why there is no result, or empty")
    rests_on: str = _said("what the ratio rests on alone, which allows no more than weak support, or empty")


@dataclass(frozen=True, slots=True)
class ResidentRecord:
    """A species, and whether it is at home at the claimed place."""

    key: str = _said("its observations' key, empty when it was not heard")
    latin: str = _said("Latin name")
    name: str = _said("everyday name")
    score: float = _said("best score heard, 0 when it was not")
    chance: float = _said("calibrated probability that the detection is correct")
    best_week: float = _said("highest probability over the year of recording it at the claimed place")
    then: float | None = _said("chance in the week claimed and the two beside it, or null without a date")
    weeks: tuple[float, ...] = _said("chance in each of BirdNET's 48 weeks, four to a month")
    home: str = _said("lives there, not in that week, or does not live there")
    doubt: str = _said("why it must not be decisive, or empty")


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A claim tested."""

    source: str = _said("analyst or container")
    lat_deg: float = _said("latitude claimed")
    lon_deg: float = _said("longitude claimed")
    date: str | None = _said("day claimed, ISO 8601, or null")
    radius_km: float = _said("how closely the place is stated")
    place: str = _said("the claimed place in words")
    verdict: str = _said("supports the claim, supports the region, speaks against the claim, or cannot tell")
    support: str = _said("words of the ENFSI scale")
    reason: str = _said("why there is no result, or empty")
    factors: tuple[ClaimFactorRecord, ...] = _said("by modality, both together, and the week when a day is claimed")
    heard: tuple[ResidentRecord, ...] = _said("species heard, and whether they live there")
    absent: tuple[ResidentRecord, ...] = _said("easily heard species expected there and not heard: weak, never scored")
    expected: int = _said("how many easily heard species are expected there")
    before_edits: float | None = _said("log10 ratio as first computed, or null when nothing was edited")


@dataclass(frozen=True, slots=True)
class AlternativeRecord:
    """What a sentence could also mean."""

    text: str = _said("what else")
    because: str = _said("why it is possible")


@dataclass(frozen=True, slots=True)
class SentenceRecord:
    """One step of the argument."""

    text: str = _said("the sentence; it may quote the file")
    kind: str = _said("measured, inferred or unsupported")
    modality: str = _said("the modality it is about, or both")
    observations: tuple[str, ...] = _said("keys of what it rests on, see perceived")
    start_s: float | None = _said("when to hear or see it, s, or null")
    end_s: float | None = _said("end of that moment, s, or null")
    cue: str = _said("id of the cue it was inferred by, or empty")
    source: str = _said("source of the cue, or empty")
    scored: bool = _said("whether a clue has scored what it rests on")
    alternatives: tuple[AlternativeRecord, ...] = _said("what it could also mean")


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A country that the opinion holds possible."""

    modality: str = _said("whose opinion")
    country: str = _said("name")
    code: str = _said("ISO 3166 letters")
    share: float = _said("posterior probability")
    log_odds: float = _said("ln of share / (1 - share)")
    weight: float = _said("change of the log-odds from the prior's, nats")


@dataclass(frozen=True, slots=True)
class RationaleRecord:
    """The argument; it scores nothing."""

    author: str = _said("rules, or the id of the language model")
    stands_in: str = _said("why the rules were used, or empty")
    sentences: tuple[SentenceRecord, ...] = _said("the argument, step by step")
    candidates: tuple[CandidateRecord, ...] = _said("countries by modality, most likely first")


@dataclass(frozen=True, slots=True)
class ProvenanceRecord:
    """What made this document."""

    program: str = _said("earwitness")
    version: str = _said("program version")
    created: str = _said("when, ISO 8601")
    elapsed_s: float = _said("seconds of work")
    seed: int = _said("seed of whatever was sampled")
    models: tuple[ModelRecord, ...] = _said("models used, with licences")
    skipped_audio: int = _said("audio packets that could not be decoded")
    skipped_video: int = _said("video packets that could not be decoded")
    decoding: str = _said("how decoding was isolated, a sentence, or empty where it is not known")


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """What an analyst decided about the finding, as the case keeps it."""

    when: str = _said("ISO 8601")
    who: str = _said("name recorded in the log")
    what: str = _said("the decision")
    why: str = _said("the reason given, or empty")
    log10_before: float | None = _said("calibrated log10 factor before it, or null")
    log10_after: float | None = _said("the same after it")


@dataclass(frozen=True, slots=True)
class CustodyRecord:
    """The case that the finding is kept in."""

    case: str = _said("title of the case")
    head: str = _said(
        "hash of its log's last entry when this was written; earwitness verify CASE --head checks it against the log"
    )
    finding: str = _said("id of the finding in the case")
    who: str = _said("name recorded in the log for this document")
    decisions: tuple[DecisionRecord, ...] = _said("decisions about the finding, first to last")
    remarks: tuple[str, ...] = _said("how this differs from the finding as first kept")


@dataclass(frozen=True, slots=True)
class SceneRecord:
    """One scene of a film, judged by itself; `earwitness locate --scene N` writes all of it."""

    scene: int = _said("number of the scene, from 1")
    interval: IntervalRecord = _said("its interval")
    located: tuple[BeforeRecord, ...] = _said("where each modality points")
    comparisons: tuple[ComparisonRecord, ...] = _said("modalities compared with one another; empty when none were")


@dataclass(frozen=True, slots=True)
class MomentOfTimeRecord:
    """Where one modality points in a shot or a few seconds of sound, on a coarse map: for looking, not for the verdict."""

    modality: str = _said("sound or picture")
    start_s: float = _said("start, s")
    end_s: float = _said("end, s")
    spoke: bool = _said("false when it gives no place: the fields on the place are null or empty then")
    lat_deg: float | None = _said("latitude, to about a hundred kilometres")
    lon_deg: float | None = _said("longitude")
    place: str = _said("in words")
    gain_nats: float = _said("information gain over the prior")
    away_km: float | None = _said("mean distance of the posterior to the reference, or null")
    labels: tuple[str, ...] = _said("species and signs it rests on, strongest first")


@dataclass(frozen=True, slots=True)
class TimelineRecord:
    """Where each modality points as time goes by."""

    reference: str = _said("the place that distances are taken to, in words; empty when nothing speaks")
    lat_deg: float | None = _said("its latitude, or null when nothing speaks")
    lon_deg: float | None = _said("its longitude, likewise")
    moments: tuple[MomentOfTimeRecord, ...] = _said("shots and intervals of sound, in order of time")


@dataclass(frozen=True, slots=True)
class ConditionRecord:
    """One condition of the validation beside the clip's: error rates hold for what was tested, and for nothing else."""

    about: str = _said("which condition")
    tested: str = _said("what the tests had")
    here: str = _said("what this clip has")
    verdict: str = _said("as tested, tested on made copies, thinly tested, or not tested")


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """One scene of one clip, judged."""

    schema: str = _said(f'always "{SCHEMA}"')
    clip: ClipRecord = _said("the file")
    interval: IntervalRecord = _said("the interval examined")
    scene: int = _said("number of the scene, from 1; 0: a film of several as a whole, or an interval that is no scene")
    scenes: int = _said("scenes in the clip")
    film: tuple[SceneRecord, ...] = _said("the scenes, each judged by itself; empty unless this is about the whole of several")
    shots: tuple[IntervalRecord, ...] = _said("shots of the picture, in order")
    timeline: TimelineRecord | None = _said(
        "distance from the reference over time, by modality, or null when it was not computed"
    )
    settings: SettingsRecord = _said("what the analyst chose")
    located: tuple[LocatedRecord, ...] = _said("where each modality points")
    evidence: tuple[EvidenceRecord, ...] = _said("the clues")
    perceived: tuple[PerceivedRecord, ...] = _said("what was heard, read and seen, best first")
    comparisons: tuple[ComparisonRecord, ...] = _said("modalities compared with one another; empty when none were")
    claims: tuple[ClaimRecord, ...] = _said("claims tested; empty when none were")
    edits: tuple[EditRecord, ...] = _said("what the analyst did, first to last")
    choices: tuple[ChoiceRecord, ...] = _said("effect of settings that are not the default; empty when it was not computed")
    before: tuple[BeforeRecord, ...] = _said("as first computed; empty when nothing was edited")
    effects: tuple[EffectRecord, ...] = _said("effect of each clue and observation; empty when it was not computed")
    rationale: RationaleRecord | None = _said("the argument, or null when it was not computed")
    conditions: tuple[ConditionRecord, ...] = _said("the validation material compared with this clip")
    unexamined: tuple[str, ...] = _said("what was not examined, sentences")
    provenance: ProvenanceRecord = _said("what made this document")
    custody: CustodyRecord | None = _said("the case it comes from, or null")


def region_of(located: Located) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(cells,) the smallest of SHARES whose region holds each cell; 1 where none does."""
    region = np.ones(len(located.posterior.grid))
    for share in sorted(SHARES, reverse=True):
        region[located.posterior.region(share)] = share
    return region


def clip_name(clip: Clip) -> str:
    """The clip's file name without its folder, fit to be shown."""
    return shown(Path(clip.path).name or clip.path, 200)
