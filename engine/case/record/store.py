"""A case: clips, findings, decisions and the log, in SQLite inside the case folder or in PostgreSQL by URL.

Every change is one transaction that writes the row and the log entry which names it with its hash; the log table refuses to be
updated or deleted from.
"""

from __future__ import annotations

import base64
import json
import os
import re
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from engine.case.record import chain, integrity
from engine.case.record.chain import Entry
from engine.case.record.database import FILE, NEWEST, is_address, opened, said, upgrade, version, without_password
from engine.case.record.schema import TABLES, Base, CaseRow, ClipRow, DecisionRow, FindingRow, FingerprintRow, LogRow
from engine.core.clip import Clip
from engine.core.errors import DataError, InputError
from engine.core.file import shown


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding that a case keeps; `document` is the JSON of `report`, `settings` that of `codec`."""

    id: str
    clip_sha256: str
    path: str
    result_key: str
    scene: int
    settings: str
    verdict: str
    log10_factor: float | None
    document: str
    created: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One finding of a clip, as it goes into the case."""

    number: int
    settings: str
    document: str
    verdict: str
    log10_factor: float | None
    models: tuple[str, ...]


_ALSO = "clip also at"  # what the log says of further paths of a clip
_PACKED = "zlib:"
_MOST_BYTES = 100_000_000  # of a document; a film of a hundred scenes has a tenth of it
_NO_TEXT = re.compile(r"\\udc([89a-f][0-9a-f])")


def pack(document: str) -> str:
    """A document as a case stores it, deflated: a tenth of its megabytes, which are numbers of map cells. A packed one stays."""
    if document.startswith(_PACKED):
        return document
    return _PACKED + base64.b64encode(zlib.compress(storable(document).encode(), 6)).decode("ascii")


def unpack(stored: str) -> str:
    """The document of what is stored.

    Raises:
        DataError: it is damaged, or unpacks to more than any document has.
    """
    if not stored.startswith(_PACKED):
        return stored
    try:
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(base64.b64decode(stored[len(_PACKED) :], validate=True), _MOST_BYTES)
        if unpacking.unconsumed_tail or not unpacking.eof:
            raise ValueError("too long, or cut off")
        return data.decode()
    except (ValueError, zlib.error):
        raise DataError("A document in this case is damaged or made to do harm; run: earwitness verify CASE") from None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A case at one moment, as `verify` looks at it.

    Attributes:
        entries: the log, first to last.
        rows: (table, id, hash of its content) of every row the log vouches for.
        clips: (sha256, path, bytes) of the files.
        broken: what is not built as the program built it, a sentence each.
    """

    entries: tuple[Entry, ...]
    rows: tuple[tuple[str, str, str], ...]
    clips: tuple[tuple[str, str, int | None], ...]
    broken: tuple[str, ...]


class _NoCaseError(InputError):
    """There is a database and no case in it."""


class _CaseThereError(InputError):
    """There is a case already."""


class Case:
    """One case, open. A context manager.

    Args:
        place: the case's folder, or a PostgreSQL URL.
        who: whose name the log bears; the system's user when none is given.
        reading: it is only looked at, and nothing is written, not even what SQLite keeps beside a file.
        whatever: open it though it is not as the program made it, so that `verify` can say how.

    Raises:
        InputError: there is no case there, or its database cannot be opened.
        DataError: it is not as the program made it: a view in the place of a table, a trigger.
    """

    def __init__(self, place: str | os.PathLike[str], who: str = "", reading: bool = False, whatever: bool = False) -> None:
        self.place = os.fspath(place)
        self.who = storable(who or _user())
        self._engine = opened(self.place, exist=True, reading=reading)
        with said(self.place):
            if reading and version(self._engine) != NEWEST:  # brought up to date, which is writing
                self._engine.dispose()
                self._engine = opened(self.place, exist=True)
            upgrade(self._engine)
            with self._engine.connect() as connection:
                if not whatever:
                    integrity.refuse(connection, writing=not reading)
                elif not {"cases", "log"} <= integrity.readable(connection):
                    return  # `verify` says what became of them
                # A case whose row was taken away has a log, which says so.
                kinds = (CaseRow, LogRow) if whatever else (CaseRow,)
                if not any(connection.scalar(sa.select(sa.func.count()).select_from(k)) for k in kinds):
                    where = shown(without_password(self.place), 200)
                    raise _NoCaseError(f"There is no case in {where}; make one with: earwitness case new {where}")

    @classmethod
    def create(cls, place: str | os.PathLike[str], title: str = "", who: str = "") -> Case:
        """A new case in a folder (made when missing) or an empty database.

        Raises:
            InputError: there is one already, or the place cannot be written.
        """
        text = os.fspath(place)
        engine = opened(text, exist=False)
        with said(text):
            upgrade(engine)
            with Session(engine) as session, session.begin():
                integrity.refuse(session.connection(), writing=True)
                _alone(session)  # of two that make a case at once the second finds it made
                if session.scalar(sa.select(sa.func.count()).select_from(CaseRow)):
                    where = shown(without_password(text), 200)
                    raise _CaseThereError(f"There is a case in {where} already; open it, or choose another place.")
                from engine import __version__

                name = title or (Path(text).name if not is_address(text) else "case")
                row = CaseRow(id=str(uuid.uuid4()), title=storable(name), created=_now(), program=f"earwitness {__version__}")
                _write(session, row, storable(who or _user()), "case made")
        engine.dispose()
        return cls(place, who)

    @classmethod
    def at(cls, place: str | os.PathLike[str], title: str = "", who: str = "") -> Case:
        """The case in this place, made when there is none.

        Raises:
            InputError: no place is named; else as for opening one and for making one.
        """
        text = os.fspath(place)
        if not text.strip():  # which would be the folder one happens to stand in
            raise InputError("No case was named; give the folder of one, or of one to be made.")
        if cls.exists(text):
            with suppress(_NoCaseError):  # an empty database, or one that another process is just making a case in
                return cls(text, who)
        try:
            return cls.create(text, title, who)
        except _CaseThereError:
            return cls(text, who)

    @classmethod
    def exists(cls, place: str | os.PathLike[str]) -> bool:
        """Whether there is a case file in this folder; a URL is taken at its word."""
        return is_address(os.fspath(place)) or (Path(place) / FILE).is_file()

    def __enter__(self) -> Case:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    @property
    def title(self) -> str:
        with self._read() as session:
            return str(session.scalar(sa.select(CaseRow.title).order_by(CaseRow.created)))

    def head(self) -> str:
        """Hash of the log's last entry: stands for the whole case as it is now."""
        with self._read() as session:
            last = _last(session)
        return last.hash if last else chain.START

    def add_clip(self, clip: Clip, problem: str = "") -> None:
        """Note a file; a file that is there already (by content) is left as it is, unless its problem changed."""
        with self._change() as session:
            self._put_clip(session, clip, problem)

    def add_finding(
        self,
        clip: Clip,
        result_key: str,
        settings: str,
        document: str,
        verdict: str,
        log10_factor: float | None,
        scene: int = 1,
        models: Sequence[str] = (),
    ) -> str:
        """Keep a finding with its document; returns its id. One that is there already, word for word, is not kept twice."""
        (kept,) = self.add_findings(clip, result_key, [Scene(scene, settings, document, verdict, log10_factor, tuple(models))])
        return kept

    def add_findings(
        self, clip: Clip, result_key: str, scenes: Sequence[Scene], fingerprint: tuple[str, str] | None = None
    ) -> tuple[str, ...]:
        """Keep the findings of all scenes of a clip, all of them or none; returns their ids.

        Args:
            fingerprint: (method, marks) of its soundtrack; one of that method that is there already is left as it is.
        """
        with self._change() as session:
            self._put_clip(session, clip, "")
            if fingerprint is not None:
                self._put_fingerprint(session, clip.sha256, *fingerprint)
            return tuple(self._put_finding(session, clip, result_key, s) for s in scenes)

    def _put_clip(self, session: Session, clip: Clip, problem: str) -> None:
        held = session.get(ClipRow, clip.sha256)
        if held is not None:
            self._put_path(session, held, storable(clip.path))
            if held.problem != problem:
                held.problem = problem
                _write(session, held, self.who, "clip noted again")
            return
        row = ClipRow(
            sha256=clip.sha256,
            path=storable(clip.path),
            size_bytes=clip.size_bytes,
            container=storable(clip.container),
            duration_s=clip.duration_s,
            added=_now(),
            problem=problem,
        )
        _write(session, row, self.who, "clip added")

    def _put_path(self, session: Session, held: ClipRow, path: str) -> None:
        """Note where a clip lies as well: a copy, or the file under another name."""
        facts = {"clip": held.sha256, "path": path}
        there = sa.select(LogRow.seq).where(LogRow.what == _ALSO, LogRow.facts == chain.canonical(facts))
        if path != held.path and session.scalar(there) is None:
            _append(session, self.who, _ALSO, facts)

    def _put_finding(self, session: Session, clip: Clip, result_key: str, scene: Scene) -> str:
        if (there := _same(session, clip.sha256, result_key, scene.settings, scene.number)) is not None:
            return there
        row = FindingRow(
            id=str(uuid.uuid4()),
            clip_sha256=clip.sha256,
            result_key=result_key,
            scene=scene.number,
            settings=scene.settings,
            verdict=scene.verdict,
            log10_factor=scene.log10_factor,
            document=pack(scene.document),
            created=_now(),
        )
        _write(session, row, self.who, "finding kept", models=list(scene.models))
        return row.id

    def _put_fingerprint(self, session: Session, sha256: str, method: str, marks: str) -> None:
        row = session.get(FingerprintRow, sha256)
        if row is not None and row.method == method:
            return
        row = row or FingerprintRow(clip_sha256=sha256)
        row.method, row.marks, row.created = method, marks, _now()
        _write(session, row, self.who, "fingerprint kept")

    def decide(
        self,
        finding_id: str,
        what: str,
        why: str = "",
        factor_before: float | None = None,
        factor_after: float | None = None,
        who: str = "",
    ) -> str:
        """Keep an analyst's decision about a finding; returns its id.

        Args:
            who: who decided, where that is not whose name the log bears.

        Raises:
            InputError: the case has no such finding.
        """
        with self._change() as session:
            if session.get(FindingRow, finding_id) is None:
                raise InputError("The case has no such finding; choose one of its list.")
            row = DecisionRow(
                id=str(uuid.uuid4()),
                finding_id=finding_id,
                who=storable(who or self.who),
                what=storable(what),
                why=storable(why),
                factor_before=factor_before,
                factor_after=factor_after,
                created=_now(),
            )
            _write(session, row, self.who, "decision")
            return row.id

    def note(self, what: str, **facts: Any) -> str:
        """Put an entry of its own into the log (a report made, a file exported); returns the new head."""
        with self._change() as session:
            return _append(session, self.who, what, facts).hash

    def findings(self) -> tuple[Kept, ...]:
        """All findings, oldest first; of a large case take them one by one (`each_finding`)."""
        return tuple(self.each_finding())

    def each_finding(self) -> Iterator[Kept]:
        """Findings as they are read, oldest first; nobody else can write to a case in a folder until the last is read."""
        query = sa.select(FindingRow, ClipRow.path).join(ClipRow, ClipRow.sha256 == FindingRow.clip_sha256)
        with self._read() as session:
            ordered = query.order_by(FindingRow.created, FindingRow.id).execution_options(yield_per=100)
            for row, path in session.execute(ordered):
                yield _kept(row, path)
                session.expunge(row)

    def same(self, clip_sha256: str, result_key: str, settings: str, scene: int) -> str | None:
        """Id of the finding of this scene under these settings, or None when the case has none."""
        with self._read() as session:
            return _same(session, clip_sha256, result_key, settings, scene)

    def finding(self, finding_id: str) -> Kept:
        """One finding.

        Raises:
            InputError: the case has no such finding.
        """
        query = sa.select(FindingRow, ClipRow.path).join(ClipRow, ClipRow.sha256 == FindingRow.clip_sha256)
        with self._read() as session:
            found = session.execute(query.where(FindingRow.id == finding_id)).first()
        if found is None:
            raise InputError("The case has no such finding any more; read the case again.")
        return _kept(*found)

    def document(self, finding_id: str) -> str:
        """The document of one finding.

        Raises:
            InputError: the case has no such finding.
        """
        with self._read() as session:
            row = session.get(FindingRow, finding_id)
        if row is None:
            raise InputError("The case has no such finding any more; read the case again.")
        return unpack(row.document)

    def fingerprints(self, method: str) -> dict[str, str]:
        """Marks by sha256 of the clips that have a fingerprint of this method."""
        query = sa.select(FingerprintRow.clip_sha256, FingerprintRow.marks).where(FingerprintRow.method == method)
        with self._read() as session:
            return {sha256: marks for sha256, marks in session.execute(query.order_by(FingerprintRow.clip_sha256))}

    def results(self) -> tuple[tuple[str, str, str], ...]:
        """(path of the clip, key of the result, settings) of all findings; of a clip with copies once for each path."""
        query = sa.select(FindingRow.clip_sha256, FindingRow.result_key, FindingRow.settings).distinct()
        paths = self.paths()
        with self._read() as session:
            rows = session.execute(query).all()
        return tuple((path, key, settings) for sha256, key, settings in rows for path in paths.get(sha256, ()))

    def paths(self) -> dict[str, tuple[str, ...]]:
        """Every path under which each clip was met, by sha256, the first one first.

        Raises:
            DataError: the log was altered.
        """
        with self._read() as session:
            found = {sha256: [path_of(path)] for sha256, path in session.execute(sa.select(ClipRow.sha256, ClipRow.path))}
            for facts in session.scalars(sa.select(LogRow.facts).where(LogRow.what == _ALSO).order_by(LogRow.seq)):
                try:
                    held = json.loads(facts)
                    found[held["clip"]].append(path_of(str(held["path"])))
                except (ValueError, KeyError, TypeError, RecursionError):
                    raise DataError("The log of this case was altered; run: earwitness verify CASE") from None
        return {sha256: tuple(own) for sha256, own in found.items()}

    def clips(self) -> tuple[ClipRow, ...]:
        """All clips, oldest first, detached."""
        with self._read() as session:
            return tuple(session.scalars(sa.select(ClipRow).order_by(ClipRow.added, ClipRow.sha256)))

    def decisions(self, finding_id: str | None = None) -> tuple[DecisionRow, ...]:
        """Decisions about one finding or all, oldest first, detached."""
        query = sa.select(DecisionRow).order_by(DecisionRow.created, DecisionRow.id)
        if finding_id is not None:
            query = query.where(DecisionRow.finding_id == finding_id)
        with self._read() as session:
            return tuple(session.scalars(query))

    def decisions_about(self, clip_sha256: str, scene: int) -> tuple[DecisionRow, ...]:
        """Decisions about a scene of a clip, whichever of its findings they were made on, oldest first, detached."""
        query = sa.select(DecisionRow).join(FindingRow, FindingRow.id == DecisionRow.finding_id)
        own = query.where(FindingRow.clip_sha256 == clip_sha256, FindingRow.scene == scene)
        with self._read() as session:
            return tuple(session.scalars(own.order_by(DecisionRow.created, DecisionRow.id)))

    def log(self) -> Iterator[Entry]:
        """The log, first to last."""
        with self._read() as session:
            for row in session.scalars(sa.select(LogRow).order_by(LogRow.seq)):
                yield _entry(row)

    def snapshot(self) -> Snapshot:
        """All that `verify` looks at, as it is at one moment, whoever writes meanwhile.

        Raises:
            DataError: the database cannot be read.
        """
        with said(self.place), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            broken = tuple(integrity.faults(connection))
            sound = integrity.readable(connection)
            rows, clips = [], []
            for name, kind in TABLES.items():
                key = sa.inspect(kind).primary_key[0].name
                for row in _streamed(connection, kind) if name in sound else ():
                    rows.append((name, str(row[key]), _digest(row)))
                    if name == ClipRow.__tablename__:
                        size = row["size_bytes"]
                        clips.append((str(row["sha256"]), str(row["path"]), size if isinstance(size, int) else None))
            log = _streamed(connection, LogRow) if LogRow.__tablename__ in sound else ()
            return Snapshot(tuple(Entry(**row) for row in log), tuple(rows), tuple(clips), broken)

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with said(self.place), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _change(self) -> Iterator[Session]:
        with said(self.place), Session(self._engine, expire_on_commit=False) as session, session.begin():
            _alone(session)
            yield session


def _same(session: Session, clip_sha256: str, result_key: str, settings: str, scene: int) -> str | None:
    """Id of the finding that is about the same."""
    query = sa.select(FindingRow.id).where(
        FindingRow.clip_sha256 == clip_sha256,
        FindingRow.result_key == result_key,
        FindingRow.settings == settings,
        FindingRow.scene == scene,
    )
    return session.scalar(query)


def _streamed(connection: sa.Connection, kind: type[Base]) -> Iterator[dict[str, Any]]:
    """Rows as they are in a table, in the order of its key, one by one: by the columns, not as objects, of which two with the
    same key would be one."""
    key = sa.inspect(kind).primary_key[0]
    raw = [sa.type_coerce(c, sa.types.NullType()).label(c.key) for c in kind.__table__.columns]  # whatever is there
    for row in connection.execution_options(yield_per=200).execute(sa.select(*raw).order_by(key)):
        yield dict(row._mapping)


def _digest(values: dict[str, Any]) -> str:
    """Hash of a row's content; of one that holds what does not belong there, such as bytes for text, a word that is no hash."""
    try:
        return chain.sha256_of(chain.canonical(values))
    except (TypeError, ValueError):
        return "unreadable"


def _write(session: Session, row: Base, who: str, what: str, **facts: Any) -> None:
    """Add or change a row, and the log entry that vouches for it."""
    session.add(row)
    session.flush()
    _append(session, who, what, {"table": row.__tablename__, "row": _identity(row), "sha256": _digest(_values(row)), **facts})


def _values(row: Base) -> dict[str, Any]:
    return {c.key: getattr(row, c.key) for c in sa.inspect(row).mapper.column_attrs}


def _append(session: Session, who: str, what: str, facts: dict[str, Any]) -> Entry:
    entry = Entry.following(_last(session), _now(), who, what, facts)
    row = {k: getattr(entry, k) for k in ("seq", "at", "who", "what", "facts", "previous", "hash")}
    session.add(LogRow(**row))
    session.flush()
    return entry


def _last(session: Session) -> Entry | None:
    row = session.scalar(sa.select(LogRow).order_by(LogRow.seq.desc()).limit(1))
    return _entry(row) if row else None


def _entry(row: LogRow) -> Entry:
    return Entry(row.seq, row.at, row.who, row.what, row.facts, row.previous, row.hash)


def _identity(row: Base) -> str:
    key = sa.inspect(row).identity
    return str(key[0]) if key else ""


def _alone(session: Session) -> None:
    """Nobody else appends until this transaction ends, or two entries would follow the same one."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE log IN EXCLUSIVE MODE"))


def _kept(row: FindingRow, path: str) -> Kept:
    return Kept(
        row.id,
        row.clip_sha256,
        path_of(path),
        row.result_key,
        row.scene,
        row.settings,
        row.verdict,
        row.log10_factor,
        unpack(row.document),
        row.created,
    )


def storable(text: str) -> str:
    """Text that both databases take: bytes of a file's name that are no text are spelt out, and NUL is taken away."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "")


def path_of(stored: str) -> str:
    """The path of a file as the system has it: what was spelt out of bytes that are no text is bytes again."""
    if not _NO_TEXT.search(stored) or os.path.lexists(stored):
        return stored
    return _NO_TEXT.sub(lambda m: chr(0xDC00 + int(m[1], 16)), stored)


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return "unknown"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
