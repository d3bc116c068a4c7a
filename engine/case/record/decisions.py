"""A clip that an analyst works on, kept in a case as the work goes on: what was first found, every decision with the factor
before and after it, how the result stood when a document was made, and the document.

`engine.case.jobs.batch` fills a case with clips as first judged; this is the analyst's side, for the app and for
`earwitness locate --case`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from engine.analysis.effects import with_history
from engine.analysis.judge import judge, result_key, scenes
from engine.case.jobs.outcome import marks_of, scene_of
from engine.case.jobs.results import write_whole
from engine.case.record import codec
from engine.case.record.again import custody_of, log_report
from engine.case.record.database import is_address
from engine.case.record.store import Case
from engine.core.clip import Clip, Reader
from engine.core.custody import Custody
from engine.core.errors import InputError
from engine.core.finding import Finding
from engine.core.observation import ANALYST
from engine.core.perception import Perception
from engine.core.progress import Progress, ProgressCallback, silent
from engine.core.settings import Settings
from engine.media.fingerprint import METHOD

REPORTS = "reports"  # folder in a case's own


@dataclass(frozen=True, slots=True)
class CaseClip:
    """A clip in a case.

    Attributes:
        place: folder or address of the case.
        title: of the case.
        clip: sha256 of the file.
        head: of the case's log, after what was last written.
    """

    place: str
    title: str
    clip: str
    head: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision to be kept in a case.

    Attributes:
        what, why: in the analyst's words.
        first: the finding it is about, as the clip was first judged.
        log10_before, log10_after: the factor before and after it (`attribution.factor`), or None where there is none.
        who: who decided; "", or an author without a name, for whoever writes.
    """

    what: str
    first: Finding
    log10_before: float | None = None
    log10_after: float | None = None
    why: str = ""
    who: str = ""


def first_settings(settings: Settings) -> Settings:
    """The settings of the same interval before any decision."""
    return Settings(
        track=settings.track,
        programme=settings.programme,
        stride_s=settings.stride_s,
        quick=settings.quick,
        interval=settings.interval,
    )


def first_findings(
    perception: Perception,
    settings: Settings,
    progress: ProgressCallback = silent,
    known: Mapping[Settings, Finding] | None = None,
) -> tuple[Finding, ...]:
    """The clip as judged before any decision: one finding, or one a scene.

    Args:
        known: findings already there, which are not judged again.
    """
    first = first_settings(settings.but(interval=None))
    parts = scenes(perception)
    each = [first.but(interval=part) for part in parts] if len(parts) > 1 else [first]
    found = []
    for number, own in enumerate(each, 1):
        found.append((known or {}).get(own) or judge(perception, own))
        progress(Progress("judging the scenes", number, len(each), "scenes"))
    return tuple(found)


def add_clip(
    place: str, found: Sequence[Finding], reader: Reader | None = None, who: str = "", progress: ProgressCallback = silent
) -> CaseClip:
    """Keep a clip in a case, made when the folder holds none; what is there already stays as it is.

    Args:
        place: the case's folder, or a PostgreSQL URL of a case.
        found: the clip as first judged: one finding, or one a scene.
        reader: the open clip, for the fingerprint of its sound.

    Raises:
        InputError, DataError: the case cannot be opened, made or written.
        Cancelled: `progress` raised it; nothing was written.
    """
    clip = found[0].clip
    progress(Progress("listening for the ambience"))
    marks = marks_of(reader, found[0].settings.track) if reader is not None else ""
    rows = []
    for number, finding in enumerate(found, 1):
        progress(Progress("writing down what was found", number, len(found), "scenes"))
        rows.append(scene_of(finding, finding.scene))
    with Case.at(place, who=who) as case:
        case.add_findings(_whole(clip), _key(found[0]), rows, (METHOD, marks) if reader is not None else None)
        return CaseClip(place, case.title, clip.sha256, case.head())


def decide(in_case: CaseClip, rulings: Sequence[Ruling], who: str = "") -> CaseClip:
    """Write decisions into the log, first to last, each about its finding as first judged.

    Raises:
        InputError, DataError: the case cannot be written; nothing of that decision was, and those before it were.
    """
    with Case(in_case.place, who) as case:
        for r in rulings:
            named = "" if r.who == ANALYST else r.who
            case.decide(_keep(case, r.first), r.what, r.why, r.log10_before, r.log10_after, named)
        return replace(in_case, head=case.head())


def keep(in_case: CaseClip, finding: Finding, who: str = "") -> tuple[CaseClip, Custody]:
    """Keep a finding as it stands; returns also the custody for documents made from it.

    Raises:
        InputError, DataError: the case cannot be written.
    """
    with Case(in_case.place, who) as case:
        kept = case.finding(_keep(case, finding))
        return replace(in_case, head=case.head()), custody_of(case, kept)


def note_written(in_case: CaseClip, custody: Custody, form: str, path: Path | None, data: bytes, who: str = "") -> CaseClip:
    """Enter a document into the log with its hash, by which `earwitness verify` knows it.

    Args:
        form: "pdf", "html" and the like.
        path: where it lies; None where that is not known.

    Raises:
        InputError, DataError: the case cannot be written.
    """
    with Case(in_case.place, who) as case:
        return replace(in_case, head=log_report(case, case.finding(custody.finding), form, path, data))


def issue_report(in_case: CaseClip, custody: Custody, form: str, name: str, data: bytes, who: str = "") -> CaseClip:
    """The same for a document that a browser saves in an unknown place: a case in a folder keeps a copy in `reports/`.

    Args:
        name: what the file is called.
    """
    return note_written(in_case, custody, form, _copy(in_case.place, name, data), data, who)


def _keep(case: Case, finding: Finding) -> str:
    """Id of a finding in the case; it is written down when it is not there yet."""
    key = _key(finding)
    there = case.same(finding.clip.sha256, key, codec.settings_to_json(finding.settings), finding.scene)
    return there or case.add_findings(_whole(finding.clip), key, [scene_of(with_history(finding), finding.scene)])[0]


def _whole(clip: Clip) -> Clip:
    """With its path from the root of the disk: `verify` may be run in another folder."""
    return replace(clip, path=str(Path(clip.path).absolute()))


def _key(finding: Finding) -> str:
    """Of the whole clip's perception, which is what a case keeps."""
    return result_key(finding.clip, finding.settings.but(interval=None), finding.perception.failed)


def _copy(place: str, name: str, data: bytes) -> Path | None:
    if is_address(place):
        return None
    stem, _, suffix = name.rpartition(".")
    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", stem)[:60] or "report"
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    digest = hashlib.sha256(data).hexdigest()[:8]
    path = Path(place).absolute() / REPORTS / f"{safe}-{now}-{digest}.{re.sub(r'[^a-z]', '', suffix)}"
    try:
        path.parent.mkdir(exist_ok=True)
        if path.parent.is_symlink():  # a case may come from anybody, and this would write elsewhere
            raise InputError(f"The folder {REPORTS} of this case is a link; replace it by a folder.")
        write_whole(path, data)
    except OSError as error:
        raise InputError(f"The report cannot be kept in {path.parent} ({error.strerror}); make room there.") from None
    return path
