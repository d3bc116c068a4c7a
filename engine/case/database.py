"""Where a case is kept: SQLite in its folder, or PostgreSQL by address; opening, bringing up to date, errors in a sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from engine.core.errors import DataError, InputError

FILE = "case.sqlite"
NEWEST = "0002"  # the last of the migrations
_URL = re.compile(r"^postgres(ql)?(\+psycopg)?://", re.I)


def is_address(place: str) -> bool:
    """Whether a case's place is a PostgreSQL address."""
    return bool(_URL.match(place))


def opened(place: str, exist: bool) -> sa.Engine:
    """The database of a case: in the folder, made when missing, or at the address.

    Args:
        exist: whether it must be there already.

    Raises:
        InputError: it is not, or cannot be, there.
    """
    if _URL.match(place):
        return sa.create_engine(_URL.sub("postgresql+psycopg://", place), pool_pre_ping=True)
    if "://" in place:
        raise InputError("A case is a folder or a postgresql:// address; give one of the two.")
    folder = Path(place)
    if exist and not (folder / FILE).is_file():
        raise InputError(f"There is no case in {place}; make one with: earwitness case new {place}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {place} cannot be made ({error.strerror}); choose another place.") from None
    return _writable(folder / FILE) if os.access(folder, os.W_OK) else _read_only(folder / FILE)


def _writable(file: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{file}", connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, not the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "cell_size_check=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _began(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _read_only(file: Path) -> sa.Engine:
    """A case on a disk that cannot be written, such as a DVD: looked at and verified, not added to."""
    left = file.with_name(f"{FILE}-wal")
    if left.is_file() and left.stat().st_size:
        raise InputError(
            f"The last changes of the case in {file.parent} were never written back; copy the folder and open the copy."
        )
    quoted = quote(str(file.absolute()))
    return sa.create_engine(f"sqlite:///file:{quoted}?mode=ro&immutable=1&uri=true")


def upgrade(engine: sa.Engine) -> None:
    """Bring the tables to this program's version; a database made by a newer program is refused by `said`."""
    with engine.connect() as connection:
        if sa.inspect(connection).has_table("alembic_version"):
            held = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            if held == NEWEST:
                return
            if held is not None and str(held) > NEWEST:
                raise DataError(f"This case was made by a newer Earwitness (tables {held}); open it with that one.")
    # Imported where there is something to do: it takes most of a second.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise DataError("The tables of this case are of no known version; restore it from a copy.") from None


@contextmanager
def said(place: str) -> Iterator[None]:
    """Database errors in a sentence."""
    try:
        yield
    except DBAPIError as error:
        first = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
        raise DataError(f"The case in {without_password(place)} cannot be read or written ({first}); check its place.") from None
    except SQLAlchemyError as error:
        raise DataError(
            f"The case in {without_password(place)} cannot be opened ({type(error).__name__}); check its place."
        ) from None


def without_password(place: str) -> str:
    return re.sub(r"(?<=://)([^:/@]+):[^@]*@", r"\1:…@", place)
