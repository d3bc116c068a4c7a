"""Where a case is kept: SQLite in its folder, or PostgreSQL by address; opening, bringing up to date, errors in a sentence.

A case may come from anybody. Of a file, only plain tables are read (`integrity`); functions in its schema are not trusted, values
are bounded, and a statement that goes on for longer than a file of its size can keep it busy is ended.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from engine.case.record import integrity
from engine.core.errors import DataError, InputError
from engine.core.file import shown
from engine.core.secret import hidden, without_password

FILE = "case.sqlite"
NEWEST = "0002"  # the last of the migrations
MOST_VALUE_BYTES = 100_000_000  # of one value in a table
BUSY_S = 30.0
_CONNECT_S = 8
_STATEMENT_S = 60
_URL = re.compile(r"^postgres(ql)?(\+psycopg)?://", re.I)
_SETTINGS = re.compile(r"(?:^|\s)(?:host|hostaddr|port|user|dbname|password|service)\s*=\s*\S")  # libpq's other form
_STEP = 20_000  # operations of SQLite's machine between two looks at the clock: about a millisecond
_LEAST_OPERATIONS = 20_000_000  # that any statement may take: about a second
_OPERATIONS_A_BYTE = 2
_MIGRATING = 0x6561727769746E65  # of PostgreSQL's advisory lock: "earwitne"

_thread = threading.local()  # whether the last statement here ran out of operations

__all__ = ["FILE", "NEWEST", "is_address", "opened", "said", "upgrade", "without_password"]


def is_address(place: str) -> bool:
    """Whether a case's place is a PostgreSQL address."""
    return bool(_URL.match(place))


def opened(place: str, exist: bool, reading: bool = False) -> sa.Engine:
    """The database of a case: in the folder, made when missing, or at the address.

    Args:
        exist: whether it must be there already.
        reading: only to be looked at; nothing is written, not even what SQLite keeps beside a file.

    Raises:
        InputError: it is not, or cannot be, there.
    """
    if _URL.match(place):
        return _postgres(place, reading)
    if "://" in place:
        raise InputError("A case is a folder or a postgresql:// address; give one of the two.")
    if _SETTINGS.search(place) and not Path(place).exists():  # a folder so named would bear a password in its name
        raise InputError(f"{shown(hidden(place), 200)} is no folder; write the database as postgresql://user@host:5432/database.")
    folder = Path(place)
    name = shown(place, 200)
    try:
        _look_at(folder)
        if exist and not (folder / FILE).is_file():
            raise InputError(f"There is no case in {name}; make one with: earwitness case new {name}")
        if not exist:
            folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not valid"
        raise InputError(f"The folder {name} cannot be made or opened ({reason}); choose another place.") from None
    if not os.access(folder, os.W_OK):
        return _read_only(folder / FILE, "immutable=1")
    return _read_only(folder / FILE, "") if reading else _writable(folder / FILE)


def _look_at(folder: Path) -> None:
    """A pipe or a device in the place of the database, or of what SQLite keeps beside it, would be waited for.

    Raises:
        InputError: there is one.
    """
    for beside in ("", "-wal", "-shm", "-journal"):
        path = folder / f"{FILE}{beside}"
        try:
            kind = path.stat() if not beside else path.lstat()  # the database itself may be a link to a file
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(kind.st_mode):
            raise InputError(f"{path.name} in {shown(str(folder), 200)} is no file; restore the case from a copy.")


def _postgres(place: str, reading: bool) -> sa.Engine:
    try:
        url = sa.make_url(_URL.sub("postgresql+psycopg://", place))
        if "@" in (url.host or ""):  # the password held an @ that was not written as %40
            more, _, host = str(url.host).rpartition("@")
            url = url.set(password=f"{url.password or ''}@{more}", host=host)
        if "@" in (url.database or ""):
            raise ValueError
    except (ArgumentError, ValueError):
        raise InputError(
            f"{shown(without_password(place), 200)} is no PostgreSQL address that can be read; write "
            "postgresql://user@host:5432/database, and signs in a password as %40 (@), %2F (/) or %3A (:)."
        ) from None
    given: dict[str, object] = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_S}
    if reading and "options" not in url.query:
        given["options"] = f"-c default_transaction_read_only=on -c statement_timeout={_STATEMENT_S}s"
    return sa.create_engine(url, pool_pre_ping=True, connect_args=given, hide_parameters=True)


def _sqlite(file: str, uri: bool) -> sa.Engine:
    url = sa.URL.create("sqlite", database=file, query={"uri": "true"} if uri else {})
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_S, "check_same_thread": False}, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, not the driver
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _bounded(connection: sa.Connection, *_: Any) -> None:
        _bound(connection.connection.driver_connection)

    return engine


def _bound(connection: Any) -> None:
    """End the statement that comes when it has gone on for too long, and let signals in while it goes on."""
    connection.set_progress_handler(None, 0)
    _thread.ran_out = False
    size = connection.execute("PRAGMA page_count").fetchone()[0] * connection.execute("PRAGMA page_size").fetchone()[0]
    left = [(_LEAST_OPERATIONS + _OPERATIONS_A_BYTE * int(size)) // _STEP]

    def look() -> int:
        left[0] -= 1
        _thread.ran_out = left[0] <= 0
        return int(_thread.ran_out)

    connection.set_progress_handler(look, _STEP)


def _writable(file: Path) -> sa.Engine:
    engine = _sqlite(os.fspath(file), uri=False)

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        _logged_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _began(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _logged_ahead(connection: Any) -> None:
    """Turn the write-ahead log on; while another process does the same, SQLite says that it is locked without waiting."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _read_only(file: Path, option: str) -> sa.Engine:
    """A case that is only looked at.

    Args:
        option: "immutable=1" for a disk that cannot be written, such as a DVD; nobody else can write there either.
    """
    left = file.with_name(f"{FILE}-wal")
    if option and left.is_file() and left.stat().st_size:
        raise InputError(
            f"The last changes of the case in {shown(str(file.parent), 200)} were never written back; copy the folder and open "
            "the copy."
        )
    quoted = quote_from_bytes(os.fsencode(file.absolute()))
    engine = _sqlite(f"file:{quoted}?mode=ro{'&' + option if option else ''}", uri=True)

    @sa.event.listens_for(engine, "begin")
    def _began(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")  # what is read is of one moment

    return engine


def version(engine: sa.Engine) -> str | None:
    """Of the tables; None where there are none.

    Raises:
        DataError: what should be the table of versions is something else.
    """
    with engine.connect() as connection:
        integrity.refuse(connection, ("alembic_version",))
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        held = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return None if held is None else str(held)


def upgrade(engine: sa.Engine) -> None:
    """Bring the tables to this program's version; a database made by a newer program is refused by `said`.

    Raises:
        DataError: it is of a newer program or of none, or what should be a table is something else.
    """
    held = version(engine)
    if held == NEWEST:
        return
    if held is not None and held > NEWEST:
        raise DataError(f"This case was made by a newer Earwitness (tables {shown(held)}); open it with that one.")
    with engine.connect() as connection:
        integrity.refuse(connection)  # nothing is changed in what the program did not make
    # Imported where there is something to do: it takes most of a second.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # the second of two that make a case at once waits, and finds it made
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise DataError("The tables of this case are of no known version; restore it from a copy.") from None


@contextmanager
def said(place: str) -> Iterator[None]:
    """Database errors in a sentence, in which no password stands."""
    where = shown(without_password(place), 200)
    try:
        yield
    except DBAPIError as error:
        lines = str(error.orig).strip().splitlines() if error.orig else []
        first = shown(hidden(lines[0] if lines else type(error).__name__, place), 200)
        if first == "interrupted":
            if not getattr(_thread, "ran_out", False):  # a signal's handler ended it, and SQLite swallowed what that raised
                raise KeyboardInterrupt from None
            first = "it keeps the program busy for longer than a file of its size can"
        raise DataError(f"The case in {where} cannot be read or written ({first}); check its place.") from None
    except SQLAlchemyError as error:
        raise DataError(f"The case in {where} cannot be opened ({type(error).__name__}); check its place.") from None
    except sqlite3.Error as error:
        raise DataError(f"The case in {where} cannot be read or written ({shown(str(error), 200)}); check its place.") from None
    except UnicodeError:
        raise DataError(f"The case in {where} holds text that is none; run: earwitness verify CASE") from None
