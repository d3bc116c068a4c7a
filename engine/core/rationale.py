"""An argued opinion on the place of a clip: sentences, each with its kind and its link, and the regions that they favour."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MEASURED, INFERRED, UNSUPPORTED = "measured", "inferred", "unsupported"
SENTENCE_KINDS = (MEASURED, INFERRED, UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a sentence could also mean, and why."""

    text: str
    because: str

    def __str__(self) -> str:
        return f"could also be {self.text}, because {self.because}"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One step of an argument.

    Attributes:
        text: one sentence; it may quote the file, so it is hostile and must be escaped where it is shown.
        kind: "measured" (a model or an analyst perceived it), "inferred" (follows from a cue of the table, or from what was
            measured), or "unsupported" (said by the file or by a language model, and borne out by nothing perceived).
        modality: the modality it speaks of: "sound", "picture", "container" or "both".
        keys: keys of the observations it rests on (Observation.key); empty only where it is unsupported.
        start_s, end_s: when to hear or see it, or None where there is no one moment.
        cue: id of the cue in the table by which it was inferred, or "".
        source: where what the cue says comes from, or "".
        alternatives: what it could also mean.
        scored: whether a clue has turned what it rests on into a likelihood; such an observation is never scored again.
    """

    text: str
    kind: str
    modality: str
    keys: tuple[str, ...] = ()
    start_s: float | None = None
    end_s: float | None = None
    cue: str = ""
    source: str = ""
    alternatives: tuple[Alternative, ...] = ()
    scored: bool = False

    def __post_init__(self) -> None:
        if self.kind not in SENTENCE_KINDS:
            raise ValueError(f"unknown kind of sentence {self.kind!r}; one of {', '.join(SENTENCE_KINDS)}")
        if self.kind != UNSUPPORTED and not self.keys:
            raise ValueError(f"a {self.kind} sentence rests on an observation; {self.text!r} names none")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A country that an opinion holds possible.

    Attributes:
        modality: whose opinion.
        name, code: the country, and its ISO 3166 letters.
        share: its share of the probability, 0 to 1.
        log_odds: natural log of share ÷ (1 − share).
        weight: by how much what was perceived moved the log-odds from where the prior had them, in nats.
    """

    modality: str
    name: str
    code: str
    share: float
    log_odds: float
    weight: float


@dataclass(frozen=True, slots=True)
class Pointer:
    """What one observation says of a place: input to the rules.

    Attributes:
        cue: id of a row of the table of cues.
        said: the clause that follows what was perceived ("is the name of Augusta, Georgia, USA").
        others: what else it may mean, likeliest first, each with its share.
    """

    cue: str
    said: str
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing perceived, however often, with what it says of places: input to the rules.

    Attributes:
        modality, kind: as of the observations; kind as in Observation.
        said: the sentence that says what was perceived.
        keys, start_s, end_s: the observations and the best moment among them.
        pointers: what it says of places; empty where it says nothing.
        rivals: (what else the model took it for, its score).
        scored: whether a clue has scored it.
        stated: the file's own word, perceived by nobody.
    """

    modality: str
    kind: str
    said: str
    keys: tuple[str, ...]
    start_s: float | None
    end_s: float | None
    pointers: tuple[Pointer, ...] = ()
    rivals: tuple[tuple[str, float], ...] = ()
    scored: bool = False
    stated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Rationale:
    """The argument about one finding.

    Attributes:
        sentences: in the order in which they are read: by modality, what was measured, what follows, what it comes to.
        candidates: countries by modality, likeliest first.
        author: "rules", or the id of the language model that spoke.
        stands_in: why the rules speak and no language model does, or "".
        embedding: (512,) float32, the GeoCLIP location embedding expected under the opinion, or the language model's own
            pooled state; None where nobody asked for it.
    """

    sentences: tuple[Sentence, ...]
    candidates: tuple[Candidate, ...]
    author: str = "rules"
    stands_in: str = ""
    embedding: NDArray[np.float32] | None = field(default=None, repr=False)

    def of(self, modality: str) -> tuple[Sentence, ...]:
        """The sentences about one modality."""
        return tuple(s for s in self.sentences if s.modality == modality)

    @property
    def text(self) -> str:
        """The whole argument as plain text, a paragraph for each modality, alternatives in brackets."""
        paragraphs = []
        for modality in dict.fromkeys(s.modality for s in self.sentences):
            said = []
            for s in self.of(modality):
                other = "; ".join(str(a) for a in s.alternatives)
                said.append(f"{s.text} ({other[:1].upper()}{other[1:]}.)" if other else s.text)
            paragraphs.append(" ".join(said))
        return "\n\n".join(paragraphs)
