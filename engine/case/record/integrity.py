"""Whether a case's database is built as the program built it: tables, columns, and the triggers that let the log only grow.

Somebody who owns the database can take the triggers off, put others on, or lay a view where a table was, and show one thing to
whoever asks and another to whoever checks; so the checks name everything that is there and was not made by the migrations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from engine.case.record.schema import Base
from engine.core.errors import DataError

_SQLITE_GUARD = "create trigger log_no_{verb} before {verb} on log begin select raise(abort, 'the log can only be added to'); end"
_SQLITE_GUARDS = {f"log_no_{verb}": _SQLITE_GUARD.format(verb=verb) for verb in ("update", "delete")}
_POSTGRES_GUARD = "log_only_grows"
_POSTGRES_BODY = "begin raise exception 'the log can only be added to'; end"
_POSTGRES_TRIGGERS = """
    SELECT c.relname, t.tgname, t.tgenabled, t.tgtype, p.prosrc FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
"""
_BEFORE_UPDATE_DELETE_TRUNCATE = 2 + 8 + 16 + 32  # bits of pg_trigger.tgtype, for each statement
_POSTGRES_KINDS = """
    SELECT c.relname, c.relkind, c.relrowsecurity, EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid)
    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
"""


OWN = ("alembic_version", *Base.metadata.tables)
# What may stand in the statement that made a table, and makes it work something out when it is read, written or checked.
_WORKS = re.compile(r"\b(check|generated|as|default|collate|virtual|on\s+conflict)\b", re.I)
_INDICES = ("ix_findings_clip_sha256", "ix_findings_result_key", "ix_decisions_finding_id")


def readable(connection: sa.Connection) -> frozenset[str]:
    """Plain tables that have all their columns: those of which reading is nothing but reading."""
    odd = {name for name, _ in _odd(connection)}
    there = sa.inspect(connection)
    names = {*there.get_table_names()} & Base.metadata.tables.keys() - odd
    held = {n: {c["name"] for c in there.get_columns(n)} for n in names}
    return frozenset(n for n in names if {c.name for c in Base.metadata.tables[n].columns} <= held[n])


def refuse(connection: sa.Connection, only: Sequence[str] = OWN, writing: bool = False) -> None:
    """See that these are plain tables, before anything is read of them.

    Args:
        writing: also that nothing else happens when they are written.

    Raises:
        DataError: one is not.
    """
    found = next((f"{name} {what}" for name, what in _odd(connection) if name in only), None)
    if found is None and writing:
        found = next(_triggers(connection), None)
    if found is not None:
        raise DataError(f"This case is not as the program made it: {found.rstrip('.')}. Run: earwitness verify CASE")


def faults(connection: sa.Connection) -> Iterator[str]:
    """What is not as the program made it, a sentence each, without the word "Table" before it."""
    odd = dict(_odd(connection))
    yield from (f"{name} {what}" for name, what in odd.items())
    there = sa.inspect(connection)
    tables = {*there.get_table_names()}
    for name, table in Base.metadata.tables.items():
        if name in odd:
            continue
        if name not in tables:
            yield f"{name} is missing."
        elif lost := {c.name for c in table.columns} - {c["name"] for c in there.get_columns(name)}:
            yield f"{name} has lost {', '.join(sorted(lost))}."
    yield from _triggers(connection)
    if connection.dialect.name == "sqlite":
        yield from _sqlite_faults(connection, odd)
    else:
        yield from _postgres_faults(connection)


def _odd(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """(name, what is wrong) of everything that stands where a table of the program should, and is no plain table."""
    if connection.dialect.name != "sqlite":
        for name, kind, *_ in connection.exec_driver_sql(_POSTGRES_KINDS):
            kind = kind.decode() if isinstance(kind, bytes) else kind
            if name in OWN and kind not in ("r", "p"):
                yield name, "is a view, not a table; what it shows is made up by a query."
        return
    for kind, name, root, sql in _sqlite_schema(connection):
        own = name.lower()
        if own not in OWN or kind == "trigger":
            continue
        if kind == "view":
            yield own, "is a view, not a table; what it shows is made up by a query."
        elif kind != "table" or not isinstance(root, int) or root <= 0 or _WORKS.search(sql):
            yield own, "is no plain table: something is worked out whenever it is read or written."


def _sqlite_schema(connection: sa.Connection) -> list[tuple[str, str, object, str]]:
    made = connection.exec_driver_sql("SELECT type, name, rootpage, sql FROM sqlite_master LIMIT 500").all()
    return [(str(kind), str(name), root, str(sql or "")) for kind, name, root, sql in made]


def _triggers(connection: sa.Connection) -> Iterator[str]:
    """Triggers that the program did not make."""
    if connection.dialect.name == "sqlite":
        made = connection.exec_driver_sql("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' LIMIT 500").all()
        for name, table, sql in made:
            if _plain(str(sql or "")) != _SQLITE_GUARDS.get(name):
                other = "was changed" if name in _SQLITE_GUARDS else "that the program did not make"
                yield f"{table} has a trigger {name} {other}."
        return
    for table, name, _, _, _ in connection.exec_driver_sql(_POSTGRES_TRIGGERS):
        if table in Base.metadata.tables and (table, name) != ("log", _POSTGRES_GUARD):
            yield f"{table} has a trigger {name} that the program did not make."


def _sqlite_faults(connection: sa.Connection, odd: Mapping[str, str]) -> Iterator[str]:
    schema = _sqlite_schema(connection)
    found = {name: _plain(sql) for kind, name, _, sql in schema if kind == "trigger"}
    for name, guard in _SQLITE_GUARDS.items():
        if found.get(name) != guard:
            yield f"log has lost its guard {name} or it was changed: entries could be altered or removed."
    strange = [name for kind, name, _, sql in schema if kind == "index" and sql and name not in _INDICES]
    yield from (f"there is an index {name} that the program did not make." for name in strange)
    if odd or strange:
        yield "the database as a whole cannot be checked, nor what refers to what."
        return
    for (said,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
        if said != "ok":
            yield f"the database is damaged: {said}."
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(200)
    yield from (f"{table} has a row ({row}) that belongs to nothing in {parent}." for table, row, parent, _ in orphans)


def _postgres_faults(connection: sa.Connection) -> Iterator[str]:
    guarded = False
    for table, name, enabled, kind, body in connection.exec_driver_sql(_POSTGRES_TRIGGERS):
        if (table, name) == ("log", _POSTGRES_GUARD):
            whole = kind == _BEFORE_UPDATE_DELETE_TRUNCATE and _plain(body) == _POSTGRES_BODY
            guarded = whole and enabled in ("O", "A", b"O", b"A")
    if not guarded:
        yield f"log has lost its guard {_POSTGRES_GUARD} or it was changed: entries could be altered or removed."
    for table, kind, hides_rows, ruled in connection.exec_driver_sql(_POSTGRES_KINDS):
        if table in Base.metadata.tables and kind not in ("v", b"v") and (hides_rows or ruled):
            yield f"{table} hides rows from some or rewrites what is asked of it (row security or a rule)."


def _plain(sql: str) -> str:
    return " ".join(sql.lower().split())
