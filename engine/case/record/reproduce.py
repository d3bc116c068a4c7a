"""Run a bundle's examination again and say what differs: the same clip, the same settings, this program on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import escape

from engine.case.record.bundle import TABLES, Bundle, Manifest, manifest_of
from engine.core.errors import InputError
from engine.core.finding import Finding
from engine.core.perceived import HEARD_SCORE
from engine.core.progress import Progress, ProgressCallback, silent
from engine.core.sphere import distance_km
from engine.media.source import shown
from engine.report.view import film, verdict

# What counts as the same. The numbers are the same to the last digit on one machine; other processors, and other builds of the
# libraries, round otherwise, and these leave room for that and for no more.
PLACE_KM = 1.0
LOG10 = 0.02
MASS = 0.01  # total variation between two maps: the share of the probability that lies elsewhere
SCORE = 0.01
NATS = 0.02
AREA = 0.02  # of a region's area
_MOST = 40  # differences listed of one kind

NOT_COMPARED = (
    "Not compared: drawings, spectrograms, frames and wording of the reports, the reasoning, the timeline, and the effects of "
    "single clues and observations. report.pdf is checked by the hash of its numbers only."
)

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that came out otherwise."""

    what: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of running it again.

    Attributes:
        groups: (what, how many things of it were held against each other, how many differ), verdicts first.
        differences: those beyond the tolerances, verdicts first; none when it is the same.
        remarks: what was not the same to begin with (program, models, packages, clip), sentences.
    """

    groups: tuple[tuple[str, int, int], ...]
    differences: tuple[Difference, ...]
    remarks: tuple[str, ...]

    @property
    def compared(self) -> int:
        """How many things were held against each other."""
        return sum(count for _, count, _ in self.groups)

    @property
    def same(self) -> bool:
        return not self.differences


def reproduce(
    bundle: Bundle, path: str | os.PathLike[str], any_file: bool = False, progress: ProgressCallback = silent
) -> Reproduction:
    """Examine the clip again as the bundle says, and compare. Nothing kept from before is used.

    Args:
        any_file: go on though the file is not the one examined (a copy in another format, a shorter cut).

    Raises:
        InputError: the bundle was altered, or the clip is another file.
        MediaError: the clip cannot be read.
    """
    from engine.analysis.effects import choices, history
    from engine.analysis.judge import judge, judge_film
    from engine.analysis.perceive import perceive
    from engine.media import open_clip
    from engine.report import to_json

    if bundle.faults:
        raise InputError(f"The bundle is not as its manifest says: {bundle.faults[0]} Ask for it again.")
    then = _document(bundle.finding)
    manifest = bundle.manifest
    if manifest.settings.still is not None:  # a path out of somebody else's bundle is not opened
        raise InputError(
            "This finding rests on a sound and on a still picture beside it, of which a bundle names one; examine both "
            "files anew with locate SOUND --still PICTURE."
        )
    with open_clip(os.fspath(path), progress, manifest.settings) as reader:
        other = reader.clip.sha256 != manifest.clip_sha256
        if other and not any_file:
            raise InputError(
                f"This is not the clip that was examined (sha256 {reader.clip.sha256[:16]}…, the bundle's is "
                f"{manifest.clip_sha256[:16]}…); give {manifest.clip}, or add --any-file to compare all the same."
            )
        perception = perceive(reader, manifest.settings.but(interval=manifest.perceived), progress)
        progress(Progress("drawing the map"))
        judged = judge_film if then.get("film") else judge
        finding = judged(perception, manifest.settings)
        reader.verify_unchanged(progress)
    if then.get("edits"):
        progress(Progress("computing the effect of each edit"))
        finding = replace(finding, history=history(perception, manifest.settings))
    if then.get("choices"):
        progress(Progress("computing the effect of each setting"))
        finding = replace(finding, choices=choices(finding))
    finding = replace(finding, provenance=replace(finding.provenance, created=manifest.created))
    found = compare(then, json.loads(to_json(finding)))
    remarks = [*_remarks(manifest, finding)]
    if other:
        remarks.insert(0, "The clip is not the file that was examined.")
    if found.same and not remarks:
        wrong = tuple(_documents(bundle.documents, finding))
        headline = ("tables and the page's verdict", len(TABLES) + 1, len(wrong))
        found = Reproduction((*found.groups, headline), wrong, ())
    else:
        remarks.append("The tables were not compared byte by byte, for not all is the same.")
    return Reproduction(found.groups, found.differences, tuple(remarks))


def compare(then: Document, now: Document) -> Reproduction:
    """Two findings (documents of schema earwitness.finding/1) held against each other within the tolerances above.

    Raises:
        InputError: the first is malformed.
    """
    try:
        held = {name: tuple(checks(then, now)) for name, checks in _GROUPS}
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError(f"The bundle's finding cannot be read ({type(error).__name__}); ask for the bundle again.") from None
    groups = tuple((name, len(own), sum(d is not None for d in own)) for name, own in held.items() if own)
    return Reproduction(groups, tuple(d for own in held.values() for d in own if d is not None), ())


Check = Difference | None


def _comparisons(then: Document, now: Document) -> Iterator[Check]:
    was, there = _by(then["comparisons"], "a", "b"), _by(now["comparisons"], "a", "b")
    for pair in {**was, **there}:
        name = " against ".join(pair)
        if pair not in was or pair not in there:
            yield Difference(f"{name}, compared", _yes(pair in was), _yes(pair in there))
            continue
        a, b = was[pair], there[pair]
        yield _words(f"{name}, verdict", a["verdict"], b["verdict"])
        yield _words(f"{name}, support", a["support"], b["support"])
        yield _number(f"{name}, log10 factor", a["log10_factor"], b["log10_factor"], LOG10)
        yield _number(f"{name}, lower end of the factor's interval", a["log10_low"], b["log10_low"], LOG10)
        yield _number(f"{name}, upper end of the factor's interval", a["log10_high"], b["log10_high"], LOG10)
        yield _number(f"{name}, log10 before calibration", a["log10_raw"], b["log10_raw"], LOG10)
        yield _number(f"{name}, validation pairs", a["pairs"], b["pairs"], 0.0)
        if all(_spoke(x, m) for x in (then, now) for m in pair):  # older versions state a distance where one has no place
            yield _number(f"{name}, km between the places", a["distance_km"], b["distance_km"], 2 * PLACE_KM)
        priors = _by(b["by_prior"], "prior")
        for under in a["by_prior"]:
            other = priors.get((under["prior"],))
            what = f"{name}, log10 factor under the prior {under['prior']}"
            yield _number(what, under["log10_factor"], other["log10_factor"] if other else None, LOG10)


def _spoke(document: Document, modality: str) -> bool:
    return any(x["modality"] == modality and x["spoke"] for x in document["located"])


def _claims(then: Document, now: Document) -> Iterator[Check]:
    yield _words("claims tested", str(len(then["claims"])), str(len(now["claims"])))
    for a, b in zip(then["claims"], now["claims"], strict=False):
        yield _words(f"claim of {a['place']}, verdict", a["verdict"], b["verdict"])
        yield _words(f"claim of {a['place']}, support", a["support"], b["support"])
        factors = _by(b["factors"], "modality")
        for f in a["factors"]:
            other = factors.get((f["modality"],))
            what = f"claim of {a['place']}, {f['modality']}, log10 ratio"
            yield _number(what, f["log10_factor"], other["log10_factor"] if other else None, LOG10)


def _places(then: Document, now: Document) -> Iterator[Check]:
    was, there = _by(then["located"], "modality"), _by(now["located"], "modality")
    for key in {**was, **there}:
        (name,) = key
        a, b = was.get(key), there.get(key)
        yield _words(f"{name}, speaks", _yes(bool(a and a["spoke"])), _yes(bool(b and b["spoke"])))
        if not (a and b and a["spoke"] and b["spoke"]):
            continue
        yield _place(name, a["place"], b["place"])
        yield _number(f"{name}, information gain in nats", a["gain_nats"], b["gain_nats"], NATS)
        areas = _by(b["regions"], "share")
        for region in a["regions"]:
            twin = areas.get((str(region["share"]),))
            what = f"{name}, km² of the {region['share']:.0%} region"
            yield _number(what, region["area_km2"], twin["area_km2"] if twin else None, AREA * region["area_km2"])
        apart = _total_variation(a, b)
        yield None if apart <= MASS else Difference(f"{name}, probability that moved", "0", f"{apart:.3f}")


def _film(then: Document, now: Document) -> Iterator[Check]:
    yield _words("scenes", str(then["scenes"]), str(now["scenes"]))
    for a, b in zip(then["film"], now["film"], strict=False):
        name = f"scene {a['scene']}"
        for x, y in ((p["verdict"], q["verdict"]) for p, q in zip(a["comparisons"], b["comparisons"], strict=False)):
            yield _words(f"{name}, verdict", x, y)
        others = _by(b["located"], "modality")
        for x in a["located"]:
            y = others.get((x["modality"],))
            if x["spoke"] and y and y["spoke"]:
                yield _place(f"{name}, {x['modality']}", x["place"], y["place"])


def _edits(then: Document, now: Document) -> Iterator[Check]:
    """What the analyst did, and the factor before and after each; the settings chosen likewise."""
    was, there = then["edits"], now["edits"]
    if was or there:
        yield _words("decisions of the analyst", str(len(was)), str(len(there)))
    for number, (a, b) in enumerate(zip(was, there, strict=False), 1):
        name = f"decision {number}"
        yield _words(name, f"{a['what']} {a['target']}", f"{b['what']} {b['target']}")
        for side in ("before", "after"):
            yield _number(f"{name}, log10 factor {side} it", a[f"log10_{side}"], b[f"log10_{side}"], LOG10)
            yield _words(f"{name}, words {side} it", a[f"words_{side}"], b[f"words_{side}"])
    held = _by(now.get("choices", ()), "name")
    for c in then.get("choices", ()):
        name, d = f"setting {c['name']}", held.get((c["name"],))
        yield _words(name, c["chosen"], d["chosen"] if d else "none")
        for side in ("default", "chosen"):
            yield _number(f"{name}, log10 factor, {side}", c[f"log10_{side}"], d[f"log10_{side}"] if d else None, LOG10)


def _clues(then: Document, now: Document) -> Iterator[Check]:
    was, there = _by(then["evidence"], "clue", "modality"), _by(now["evidence"], "clue", "modality")
    for key in {**was, **there}:
        a, b = was.get(key), there.get(key)
        yield _words(f"clue {key[0]}, speaks", _yes(bool(a and a["spoke"])), _yes(bool(b and b["spoke"])))


def _observations(then: Document, now: Document) -> Iterator[Check]:
    was, there = _by(then["perceived"], "key"), _by(now["perceived"], "key")
    checks = []
    for key in {**was, **there}:
        a, b = was.get(key), there.get(key)
        best = max(x["best_score"] for x in (a, b) if x)
        if best < HEARD_SCORE:
            continue  # too faint to be listed as heard
        what = f"perceived: {(a or b or {}).get('name') or key[0]}"
        if a is None or b is None:
            near = best < HEARD_SCORE + SCORE
            checks.append(None if near else Difference(what, _yes(a is not None), _yes(b is not None)))
            continue
        checks.append(_number(f"{what}, best score", a["best_score"], b["best_score"], SCORE))
        checks.append(_words(f"{what}, moments", _moments(a), _moments(b)))
    wrong = [c for c in checks if c is not None]
    yield from wrong[:_MOST]
    yield from (c for c in checks if c is None)


_GROUPS = (
    ("verdict and factors", _comparisons),
    ("claims", _claims),
    ("decisions of the analyst", _edits),
    ("places, regions and maps", _places),
    ("scenes", _film),
    ("clues that speak", _clues),
    ("what was heard, read and seen", _observations),
)


def _documents(documents: Mapping[str, bytes], finding: Finding) -> Iterator[Difference]:
    """Tables that are not what this finding is written as, and a page that states another verdict."""
    for name, write in TABLES.items():
        if name in documents and documents[name] != write(finding).encode("utf-8", "replace"):
            yield Difference(name, "other content", "what these numbers are written as")
    page = documents.get("report.html", b"").decode("utf-8", "replace")
    headline = film.banner(finding) if finding.film else verdict.headline(finding)
    for said in (headline.title, headline.sentence) if headline is not None and page else ():
        if str(escape(shown(said, 600))) not in page:
            yield Difference("report.html, verdict", "other words", said)


def _moments(thing: Document) -> str:
    """How many windows clearly hold it, and from when to when."""
    clear = [m for m in thing["moments"] if m["score"] >= HEARD_SCORE + SCORE]
    return f"{len(clear)}, from {min(m['start_s'] for m in clear):.1f} s" if clear else "0"


def _remarks(manifest: Manifest, finding: Finding) -> Iterator[str]:
    """What the bundle was made with and is otherwise here."""
    here = manifest_of(finding)
    kinds = (("models", "Model"), ("versions", "Version"), ("tables", "Table"))
    for name, kind in kinds:
        was, now = dict(getattr(manifest, name)), dict(getattr(here, name))
        for key in {**was, **now}:
            a, b = was.get(key, "none"), now.get(key, "none")
            if a != b:
                yield f"{kind} {key}: {_short(a)} then, {_short(b)} now."


def _total_variation(a: Document, b: Document) -> float:
    """Half the sum of differences of mass over the cells of two maps, cells not listed left out."""
    was = {c["cell"]: c["mass"] for c in a["cells"]}
    now = {c["cell"]: c["mass"] for c in b["cells"]}
    return 0.5 * sum(abs(was.get(c, 0.0) - now.get(c, 0.0)) for c in was.keys() | now.keys())


def _place(name: str, a: Document, b: Document) -> Check:
    apart = float(distance_km(a["lat_deg"], a["lon_deg"], b["lat_deg"], b["lon_deg"]))
    if apart <= PLACE_KM:
        return None
    return Difference(f"{name}, place", str(a["name"]), f"{b['name']}, {apart:.0f} km away")


def _words(what: str, then: str, now: str) -> Check:
    return None if then == now else Difference(what, then, now)


def _number(what: str, then: float | None, now: float | None, within: float) -> Check:
    if then is None or now is None:
        return None if then is now else Difference(what, _digits(then), _digits(now))
    return None if abs(float(then) - float(now)) <= within else Difference(what, _digits(then), _digits(now))


def _digits(value: float | None) -> str:
    return "none" if value is None else f"{float(value):.3f}"


def _by(items: Any, *names: str) -> dict[tuple[str, ...], Document]:
    return {tuple(str(x[n]) for n in names): x for x in items}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _short(text: str) -> str:
    return f"{text[:12]}…" if len(text) == 64 else text or "not stated"


def _document(text: str) -> Document:
    try:
        document = json.loads(text)
        if document["schema"] != "earwitness.finding/1":
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError("The bundle's finding.json is not a finding of this version; ask for the bundle again.") from None
    return document
