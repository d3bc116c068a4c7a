"""From facts to an argument by rules alone: always there, and never more than what was perceived and the table of cues allow.

Each modality is argued by itself: what was measured, what follows from a cue, and what it comes to, with what else it could mean.
Then both together. The rules score nothing: the probabilities they quote are the finding's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.analysis.rationale import opinion
from engine.clues.cues import table as cues
from engine.core.comparison import Verdict
from engine.core.finding import FUSED, Finding, Located
from engine.core.rationale import INFERRED, MEASURED, UNSUPPORTED, Alternative, Candidate, Fact, Pointer, Rationale, Sentence
from engine.core.wording import listed

AUTHOR = "rules"
MOST_OTHERS = 3
LEAST_OTHER = 0.02
_SENSES = ("sound", "picture", "container")
_PERCEIVED = {"sound": "what was heard", "picture": "what was seen and read", "container": "what the file states"}


def argue(
    finding: Finding, facts: Sequence[Fact], reasons: Mapping[tuple[str, str], str] | None = None, stands_in: str = ""
) -> Rationale:
    """The argument about a finding.

    Args:
        finding: the finding whose result is argued.
        facts: what was perceived, strongest first within each modality.
        reasons: (modality, country code) to why that country is possible, for alternatives to a conclusion.
        stands_in: why no language model speaks, or "".
    """
    reasons = reasons or {}
    candidates: list[Candidate] = []
    sentences: list[Sentence] = []
    for modality in _SENSES:
        own = [f for f in facts if f.modality == modality]
        doubted: set[str] = set()
        for fact in own:
            sentences += of_fact(fact, doubted)
        located = finding.by(modality)
        if located is None or not own:
            continue
        possible = opinion.candidates(located) if located.spoke else ()
        candidates += possible
        sentences.append(_conclusion(located, own, possible, reasons))
    together = _together(finding, facts, candidates, reasons)
    return Rationale(tuple(sentences + together), tuple(candidates), AUTHOR, stands_in)


def of_fact(fact: Fact, doubted: set[str] | None = None) -> list[Sentence]:
    """A fact as sentences: what was measured, then what each of its pointers infers from a cue.

    Args:
        doubted: cues whose general doubt was already stated; it is stated once, and the set is extended.
    """
    doubted = set() if doubted is None else doubted
    about: dict[str, Any] = {
        "modality": fact.modality,
        "keys": fact.keys,
        "start_s": fact.start_s,
        "end_s": fact.end_s,
        "scored": fact.scored,
    }
    out = []
    if fact.said:
        rivals = tuple(
            Alternative(name, f"the model gave it {score:.2f} at the same moment") for name, score in fact.rivals[:MOST_OTHERS]
        )
        out.append(Sentence(fact.said, MEASURED, alternatives=rivals, **about))
    for pointer in fact.pointers:
        cue = cues.by_id(pointer.cue)
        kind = UNSUPPORTED if fact.stated else INFERRED
        others = _others(pointer, cue, cue.id not in doubted)
        doubted.add(cue.id)
        out.append(Sentence(pointer.said, kind, cue=cue.id, source=cue.source, alternatives=others, **about))
    return out


def _others(pointer: Pointer, cue: cues.Cue, doubt: bool) -> tuple[Alternative, ...]:
    named = [
        Alternative(name, f"it fits there too, with {_percent(share)} of the weight")
        for name, share in pointer.others[:MOST_OTHERS]
        if share >= LEAST_OTHER
    ]
    return (*named, *((Alternative("from somewhere else", cue.doubt),) if cue.doubt and doubt else ()))


def _conclusion(
    located: Located, own: Sequence[Fact], possible: tuple[Candidate, ...], reasons: Mapping[tuple[str, str], str]
) -> Sentence:
    """The conclusion from one modality, or that there is none."""
    keys = tuple(dict.fromkeys(k for f in own if f.pointers for k in f.keys)) or own[0].keys
    what = _PERCEIVED[located.modality].capitalize()
    scored = any(f.scored for f in own)
    if not located.spoke:
        text = f"{what}: {_uncapitalised(located.cannot_tell or 'nothing was detected')}"
        return Sentence(text if text.endswith(".") else text + ".", INFERRED, located.modality, keys, scored=scored)
    text = f"Together, {_uncapitalised(what)} points to {_where(located)}"
    if possible:
        text += f"; by country, {_shares(possible[:3])} of the probability"
    return Sentence(
        text + ".",
        INFERRED,
        located.modality,
        keys,
        alternatives=_other_countries(located.modality, possible, reasons),
        scored=scored,
    )


def _other_countries(
    modality: str, possible: Sequence[Candidate], reasons: Mapping[tuple[str, str], str]
) -> tuple[Alternative, ...]:
    """Countries behind the likeliest, each with the reason why it is possible."""
    out = []
    for c in possible[1 : 1 + MOST_OTHERS]:
        if c.share < LEAST_OTHER:
            continue
        known = reasons.get((modality, c.code))
        because = f"it has {_percent(c.share)} of the probability"
        out.append(Alternative(c.name, f"{because} and {known}" if known else because))
    return tuple(out)


def _together(
    finding: Finding, facts: Sequence[Fact], candidates: list[Candidate], reasons: Mapping[tuple[str, str], str]
) -> list[Sentence]:
    """How sound and picture compare, and where both together point; only where both speak."""
    sound, picture, both = (finding.by(m) for m in ("sound", "picture", FUSED))
    modalities = [x for x in (sound, picture) if x is not None and x.spoke]
    if len(modalities) < 2:
        return []
    keys = tuple(dict.fromkeys(k for f in facts if f.modality in ("sound", "picture") and f.pointers for k in f.keys))
    if not keys:
        return []
    out = []
    for c in finding.comparisons:
        if {c.a, c.b} != {"sound", "picture"} or c.distance_km is None:
            continue
        apart = f"The places indicated by sound and picture are {_km(c.distance_km)} apart"
        others: tuple[Alternative, ...]
        if c.verdict == Verdict.CANNOT_TELL:
            said, others = f"{apart}; no conclusion on whether they are one place: {_uncapitalised(c.reason)}", ()
        else:
            one = f"the {c.verdict}" if c.verdict in (Verdict.SAME, Verdict.REGION) else c.verdict
            said = f"{apart}; the comparison gives {c.support} for {one}"
            others = _why_otherwise(c.verdict)
        out.append(Sentence(f"{said.rstrip('.')}.", INFERRED, FUSED, keys, alternatives=others, scored=True))
    differ = any(c.verdict == Verdict.DIFFERENT for c in finding.comparisons)
    if both is not None and both.spoke and not differ:
        possible = opinion.candidates(both)
        candidates += possible
        text = f"Taken as one place, both point to {_where(both)}; by country, {_shares(possible[:3])} of the probability."
        others = _other_countries(FUSED, possible, reasons)
        out.append(Sentence(text, INFERRED, FUSED, keys, alternatives=others, scored=True))
    return out


def _why_otherwise(verdict: Verdict) -> tuple[Alternative, ...]:
    if verdict == Verdict.DIFFERENT:
        return (
            Alternative(
                "one place after all, with sound added or replaced later",
                "films are often mixed with library ambience, foley or dubbing; the comparison is about the sound in the file",
            ),
            Alternative(
                "one place, with an animal outside its range", "birds escape, live in cages and are played through loudspeakers"
            ),
        )
    return (Alternative("two similar places", "species and signs occur over wide regions"),)


def _where(located: Located) -> str:
    wide = located.regions_km2.get(0.9, 0.0)
    return f"{located.where.removeprefix('in ')} (90% of the probability within {_area(wide)})"


def _shares(possible: Sequence[Candidate]) -> str:
    parts = [f"{c.name} has {_percent(c.share)}" if i == 0 else f"{c.name} {_percent(c.share)}" for i, c in enumerate(possible)]
    return listed(parts)


def _percent(share: float) -> str:
    return "<1%" if share < 0.01 else ">99%" if share > 0.99 else f"{100 * share:.0f}%"


def _km(km: float) -> str:
    return f"{km:,.0f} km" if km < 100 else f"{float(f'{km:.3g}'):,.0f} km"  # as everywhere in a report


def _area(km2: float) -> str:
    return f"{km2 / 1e6:.2g} million km²" if km2 >= 1e6 else f"{float(f'{km2:.2g}'):,.0f} km²"


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]
