"""Where a file comes from, as (what, what the file tells, what it is worth): credentials, device, programs, compression.

Facts for the reader to weigh: nothing here enters the result, and none of it says that a file was faked.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.core.finding import Finding
from engine.core.observation import Observation
from engine.media.source import shown

TITLE = "Provenance"
LEAD = (
    "What the file tells of its own making. Nothing here counts for or against a place, and none of it shows that a file was "
    "manipulated: editing, saving again and sending are everyday steps."
)
MOST_ROWS = 40
_NAMES = {
    "content credentials": "Content credentials", "binding": "– binding to the file", "signature": "– signature",
    "trust": "– trust",
    "signed at": "– signed at", "credentials made by": "– made by", "action": "– action", "made from": "– made from",
    "device": "Recording device", "lens": "Lens", "software": "Software", "edited with": "Edited with", "edit": "Edit",
    "edited at": "Edited at", "file written": "File written", "encoder": "Encoder", "video encoder": "Encoder in the stream",
    "box order": "Order of the boxes", "JPEG tables": "JPEG tables", "JPEG generations": "Generations of JPEG",
    "thumbnail": "Embedded thumbnail",
}  # fmt: skip
_EDITABLE = "anybody can edit it"
_MUXERS = ("lavf", "lavc", "handbrake", "mkvmerge", "libmatroska")


def rows(finding: Finding) -> tuple[tuple[str, str, str], ...]:
    """The facts in order, credentials first; at most MOST_ROWS, fit to be shown."""
    return of(o for o in finding.perception.observations)


def of(observations: Iterable[Observation]) -> tuple[tuple[str, str, str], ...]:
    """The same of observations."""
    order = list(_NAMES)
    own = [o for o in observations if o.clue == "container" and o.name in _NAMES]
    own.sort(key=lambda o: order.index(o.name))  # stable: within a name as found
    return tuple((_NAMES[o.name], shown(o.label, 300), shown(_worth(o), 600)) for o in own[:MOST_ROWS])


def _worth(o: Observation) -> str:
    if not o.note.startswith("from "):
        return o.note
    more = ""
    if o.name == "encoder" and o.label.lower().startswith(_MUXERS):
        more = "; this program wrote the file, after whatever recorded it"
    return f"stated {o.note}; {_EDITABLE}{more}"
