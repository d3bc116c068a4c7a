"""The tables of a case, as SQLAlchemy sees them; `migrations` makes them."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of a case."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
        }
    )


class CaseRow(Base):
    """The case itself: one row."""

    __tablename__ = "cases"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    created: Mapped[str] = mapped_column(String(40))
    program: Mapped[str] = mapped_column(String(40))


class ClipRow(Base):
    """A file, by its content."""

    __tablename__ = "clips"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(Integer)
    container: Mapped[str] = mapped_column(Text)
    duration_s: Mapped[float | None] = mapped_column(Float)
    added: Mapped[str] = mapped_column(String(40))
    problem: Mapped[str] = mapped_column(Text)  # why it could not be examined, or ""


class FindingRow(Base):
    """A finding, with the whole document that was made of it."""

    __tablename__ = "findings"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    clip_sha256: Mapped[str] = mapped_column(ForeignKey("clips.sha256"), index=True)
    result_key: Mapped[str] = mapped_column(String(64), index=True)
    scene: Mapped[int] = mapped_column(Integer)
    settings: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(String(40))
    log10_factor: Mapped[float | None] = mapped_column(Float)
    document: Mapped[str] = mapped_column(Text)
    created: Mapped[str] = mapped_column(String(40))


class FingerprintRow(Base):
    """The fingerprint of a clip's soundtrack (`media.fingerprint`), base64; empty when it has no sound."""

    __tablename__ = "fingerprints"
    clip_sha256: Mapped[str] = mapped_column(ForeignKey("clips.sha256"), primary_key=True)
    method: Mapped[str] = mapped_column(String(40))
    marks: Mapped[str] = mapped_column(Text)
    created: Mapped[str] = mapped_column(String(40))


class DecisionRow(Base):
    """What an analyst decided about a finding: a dropped bird, a note, a claim."""

    __tablename__ = "decisions"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    finding_id: Mapped[str] = mapped_column(ForeignKey("findings.id"), index=True)
    who: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    factor_before: Mapped[float | None] = mapped_column(Float)
    factor_after: Mapped[float | None] = mapped_column(Float)
    created: Mapped[str] = mapped_column(String(40))


class LogRow(Base):
    """The log: append-only, each entry bound to the one before it by its hash."""

    __tablename__ = "log"
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(40))
    who: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


TABLES: dict[str, type[Base]] = {
    "cases": CaseRow,
    "clips": ClipRow,
    "findings": FindingRow,
    "fingerprints": FingerprintRow,
    "decisions": DecisionRow,
}
"""The tables whose rows the log vouches for."""
