"""Whether a case's database is built as the program built it: tables, columns, and the triggers that let the log only grow.

Somebody who owns the database can take the triggers off, put others on, or lay a view where a table was, and show one thing to
whoever asks and another to whoever checks; so the checks name everything that is there and was not made by the migrations.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from engine.case.schema import Base

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


def readable(connection: sa.Connection) -> frozenset[str]:
    """Tables, or views in their place, that have all their columns."""
    there = sa.inspect(connection)
    names = {*there.get_table_names(), *there.get_view_names()} & Base.metadata.tables.keys()
    held = {n: {c["name"] for c in there.get_columns(n)} for n in names}
    return frozenset(n for n in names if {c.name for c in Base.metadata.tables[n].columns} <= held[n])


def faults(connection: sa.Connection) -> Iterator[str]:
    """What is not as the program made it, a sentence each, without the word "Table" before it."""
    there = sa.inspect(connection)
    tables, views = set(there.get_table_names()), set(there.get_view_names())
    for name, table in Base.metadata.tables.items():
        if name in views:
            yield f"{name} is a view, not a table; what it shows is made up by a query."
        elif name not in tables:
            yield f"{name} is missing."
        elif lost := {c.name for c in table.columns} - {c["name"] for c in there.get_columns(name)}:
            yield f"{name} has lost {', '.join(sorted(lost))}."
    yield from _sqlite_faults(connection) if connection.dialect.name == "sqlite" else _postgres_faults(connection)


def _sqlite_faults(connection: sa.Connection) -> Iterator[str]:
    made = connection.exec_driver_sql("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    found = {name: _plain(sql or "") for name, _, sql in made}
    for name, guard in _SQLITE_GUARDS.items():
        if found.get(name) != guard:
            yield f"log has lost its guard {name} or it was changed: entries could be altered or removed."
    for name, table, _ in made:
        if name not in _SQLITE_GUARDS:
            yield f"{table} has a trigger {name} that the program did not make."
    for (said,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
        if said != "ok":
            yield f"the database is damaged: {said}."
    try:
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    except sa.exc.DBAPIError:  # a view is where a table was
        orphans = []
        yield "what refers to what cannot be checked."
    yield from (f"{table} has a row ({row}) that belongs to nothing in {parent}." for table, row, parent, _ in orphans)


def _postgres_faults(connection: sa.Connection) -> Iterator[str]:
    guarded = False
    for table, name, enabled, kind, body in connection.exec_driver_sql(_POSTGRES_TRIGGERS):
        if (table, name) == ("log", _POSTGRES_GUARD):
            whole = kind == _BEFORE_UPDATE_DELETE_TRUNCATE and _plain(body) == _POSTGRES_BODY
            guarded = whole and enabled in ("O", "A", b"O", b"A")
        elif table in Base.metadata.tables:
            yield f"{table} has a trigger {name} that the program did not make."
    if not guarded:
        yield f"log has lost its guard {_POSTGRES_GUARD} or it was changed: entries could be altered or removed."
    for table, kind, hides_rows, ruled in connection.exec_driver_sql(_POSTGRES_KINDS):
        if table in Base.metadata.tables and kind not in ("v", b"v") and (hides_rows or ruled):
            yield f"{table} hides rows from some or rewrites what is asked of it (row security or a rule)."


def _plain(sql: str) -> str:
    return " ".join(sql.lower().split())
