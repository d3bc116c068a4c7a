"""A finding of a case, worked out again so that a report can be written of it; the report bears the head of the case's log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.analysis.effects import with_history
from engine.case.jobs.results import Results
from engine.case.record import codec
from engine.case.record.reproduce import compare
from engine.case.record.schema import DecisionRow
from engine.case.record.store import Case, Kept
from engine.core.custody import Custody, Decision
from engine.core.errors import InputError
from engine.core.file import json_of
from engine.core.finding import Finding
from engine.core.progress import Progress, ProgressCallback, silent

if TYPE_CHECKING:
    from engine.media.reader import FileReader


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """A finding of a case, open for reporting."""

    finding: Finding
    reader: FileReader
    custody: Custody


def kept_of(case: Case, name: str, scene: int = 1) -> Kept:
    """The finding that a person means: by its id or the beginning of it, or the newest of a clip by path, file name or sha256.

    Raises:
        InputError: there is none, or several ids begin so.
    """
    findings = case.findings()
    by_id = [f for f in findings if len(name) >= 4 and f.id.startswith(name.lower())]
    if len(by_id) > 1:
        raise InputError(f"Several findings of the case begin with {name}; give more of the id.")
    if by_id:
        return by_id[0]
    path = str(Path(name).absolute())
    own = [f for f in findings if f.path == path or Path(f.path).name == name or f.clip_sha256 == name.lower()]
    own = [f for f in own if f.scene == scene]
    if not own:
        raise InputError(f"The case has no finding {name} (scene {scene}); earwitness case list shows those it has.")
    return own[-1]


@contextmanager
def again(case: Case, kept: Kept, results: Results | None = None, progress: ProgressCallback = silent) -> Iterator[Again]:
    """Judge a finding again from what is kept of its perception, with the clip open.

    Raises:
        InputError: the clip is gone, or is another file by now.
    """
    from engine.analysis.judge import judge
    from engine.media import open_clip
    from engine.report import to_json

    settings = codec.settings_from_json(kept.settings)
    with open_clip(kept.path, progress, settings) as reader:
        if reader.clip.sha256 != kept.clip_sha256:
            raise InputError(f"{kept.path} is not the file that the case examined; put that file back, then write the report.")
        perceiving = settings.but(interval=None)  # a case perceives whole clips, and judges them scene by scene
        perception, _, _ = (results or Results()).perceive(reader, perceiving, progress)
        progress(Progress("drawing the map"))
        finding = with_history(judge(perception, settings))
        then, now = json_of(kept.document, "The document in the case"), json.loads(to_json(finding))
        yield Again(finding, reader, custody_of(case, kept, _remarks(kept, then, now)))


def log_report(case: Case, kept: Kept, form: str, path: Path | None, data: bytes) -> str:
    """Enter a report into the log, with the hash that `verify` holds the file to; returns the new head.

    Args:
        path: where it lies; None where that is not known.
    """
    digest = hashlib.sha256(data).hexdigest()
    where = {"file": str(path.absolute())} if path is not None else {}
    return case.note("report written", finding=kept.id, form=form, file_sha256=digest, **where)


def decision_of(row: DecisionRow) -> Decision:
    """A decision as it is shown."""
    return Decision(row.created, row.who, row.what, row.why, row.factor_before, row.factor_after)


def custody_of(case: Case, kept: Kept, remarks: tuple[str, ...] = ()) -> Custody:
    """What a document about a finding is to bear: the head of the log and all that was decided about this scene of the clip."""
    decisions = tuple(decision_of(d) for d in case.decisions_about(kept.clip_sha256, kept.scene))
    return Custody(case.title, case.head(), kept.id, case.who, decisions, remarks)


def _remarks(kept: Kept, then: dict[str, object], now: dict[str, object]) -> tuple[str, ...]:
    """What came out otherwise than the case has it: the program or its models are other ones by now."""
    found = compare(then, now)
    if found.same:
        return (f"Computed again for this report; all {found.compared} results equal those kept on {kept.created[:10]}.",)
    listed = "; ".join(f"{d.what}: {d.then} then, {d.now} now" for d in found.differences[:5])
    return (
        f"Computed again for this report, {len(found.differences)} of {found.compared} results differ from those kept on "
        f"{kept.created[:10]}: {listed}. The case keeps the first.",
    )
