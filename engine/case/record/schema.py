"""The tables of a case, as SQLAlchemy sees them; `migrations` makes them."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import Dialect, Float, ForeignKey, Integer, MetaData, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from engine.core.errors import DataError


class Base(DeclarativeBase):
    """All tables of a case."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
        }
    )


class _Checked(TypeDecorator[Any]):
    """A column whose values are looked at as they are read: SQLite keeps whatever it is given, and a case may come from anybody.

    `verify` reads past this, and says which rows they are.
    """

    kind: type = str
    optional = False

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None and self.optional:
            return None
        if not isinstance(value, self.kind) or isinstance(value, bool):
            raise DataError("A row of this case holds what does not belong there; run: earwitness verify CASE")
        return value


class _Words(_Checked):
    cache_ok = True
    impl: type[String] = Text


class _Count(_Checked):
    cache_ok = True
    impl = Integer
    kind = int


class _Number(_Checked):
    cache_ok = True
    impl = Float
    kind = float
    optional = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        value = float(value) if isinstance(value, int) and abs(value) < 2**53 else value
        found = super().process_result_value(value, dialect)
        if found is not None and not math.isfinite(found):
            raise DataError("A row of this case holds a number that is none; run: earwitness verify CASE")
        return found


class _Short(_Words):
    cache_ok = True
    impl = String


class CaseRow(Base):
    """The case itself: one row."""

    __tablename__ = "cases"
    id: Mapped[str] = mapped_column(_Short(36), primary_key=True)
    title: Mapped[str] = mapped_column(_Words)
    created: Mapped[str] = mapped_column(_Short(40))
    program: Mapped[str] = mapped_column(_Short(40))


class ClipRow(Base):
    """A file, by its content."""

    __tablename__ = "clips"
    sha256: Mapped[str] = mapped_column(_Short(64), primary_key=True)
    path: Mapped[str] = mapped_column(_Words)
    size_bytes: Mapped[int] = mapped_column(_Count)
    container: Mapped[str] = mapped_column(_Words)
    duration_s: Mapped[float | None] = mapped_column(_Number)
    added: Mapped[str] = mapped_column(_Short(40))
    problem: Mapped[str] = mapped_column(_Words)  # why it could not be examined, or ""


class FindingRow(Base):
    """A finding, with the whole document that was made of it."""

    __tablename__ = "findings"
    id: Mapped[str] = mapped_column(_Short(36), primary_key=True)
    clip_sha256: Mapped[str] = mapped_column(_Words, ForeignKey("clips.sha256"), index=True)
    result_key: Mapped[str] = mapped_column(_Short(64), index=True)
    scene: Mapped[int] = mapped_column(_Count)
    settings: Mapped[str] = mapped_column(_Words)
    verdict: Mapped[str] = mapped_column(_Short(40))
    log10_factor: Mapped[float | None] = mapped_column(_Number)
    document: Mapped[str] = mapped_column(_Words)
    created: Mapped[str] = mapped_column(_Short(40))


class FingerprintRow(Base):
    """The fingerprint of a clip's soundtrack (`media.fingerprint`), base64; empty when it has no sound."""

    __tablename__ = "fingerprints"
    clip_sha256: Mapped[str] = mapped_column(_Words, ForeignKey("clips.sha256"), primary_key=True)
    method: Mapped[str] = mapped_column(_Short(40))
    marks: Mapped[str] = mapped_column(_Words)
    created: Mapped[str] = mapped_column(_Short(40))


class DecisionRow(Base):
    """What an analyst decided about a finding: a dropped bird, a note, a claim."""

    __tablename__ = "decisions"
    id: Mapped[str] = mapped_column(_Short(36), primary_key=True)
    finding_id: Mapped[str] = mapped_column(_Words, ForeignKey("findings.id"), index=True)
    who: Mapped[str] = mapped_column(_Words)
    what: Mapped[str] = mapped_column(_Words)
    why: Mapped[str] = mapped_column(_Words)
    factor_before: Mapped[float | None] = mapped_column(_Number)
    factor_after: Mapped[float | None] = mapped_column(_Number)
    created: Mapped[str] = mapped_column(_Short(40))


class LogRow(Base):
    """The log: append-only, each entry bound to the one before it by its hash."""

    __tablename__ = "log"
    seq: Mapped[int] = mapped_column(_Count, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(_Short(40))
    who: Mapped[str] = mapped_column(_Words)
    what: Mapped[str] = mapped_column(_Words)
    facts: Mapped[str] = mapped_column(_Words)
    previous: Mapped[str] = mapped_column(_Short(64))
    hash: Mapped[str] = mapped_column(_Short(64), unique=True)


TABLES: dict[str, type[Base]] = {
    "cases": CaseRow,
    "clips": ClipRow,
    "findings": FindingRow,
    "fingerprints": FingerprintRow,
    "decisions": DecisionRow,
}
"""The tables whose rows the log vouches for."""
