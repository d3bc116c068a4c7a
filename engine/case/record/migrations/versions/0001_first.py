"""The first tables: the case, its clips, findings and decisions, and a log that can only grow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    text, short = sa.Text(), sa.String(40)
    op.create_table(
        "cases",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("title", text, nullable=False),
        sa.Column("created", short, nullable=False),
        sa.Column("program", short, nullable=False),
    )
    op.create_table(
        "clips",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("path", text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("container", text, nullable=False),
        sa.Column("duration_s", sa.Double()),
        sa.Column("added", short, nullable=False),
        sa.Column("problem", text, nullable=False),
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("clip_sha256", sa.String(64), sa.ForeignKey("clips.sha256"), nullable=False, index=True),
        sa.Column("result_key", sa.String(64), nullable=False, index=True),
        sa.Column("scene", sa.Integer(), nullable=False),
        sa.Column("settings", text, nullable=False),
        sa.Column("verdict", short, nullable=False),
        sa.Column("log10_factor", sa.Double()),
        sa.Column("document", text, nullable=False),
        sa.Column("created", short, nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("finding_id", sa.String(36), sa.ForeignKey("findings.id"), nullable=False, index=True),
        sa.Column("who", text, nullable=False),
        sa.Column("what", text, nullable=False),
        sa.Column("why", text, nullable=False),
        sa.Column("factor_before", sa.Double()),
        sa.Column("factor_after", sa.Double()),
        sa.Column("created", short, nullable=False),
    )
    op.create_table(
        "log",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", short, nullable=False),
        sa.Column("who", text, nullable=False),
        sa.Column("what", text, nullable=False),
        sa.Column("facts", text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER log_no_{verb.lower()} BEFORE {verb} ON log "
                "BEGIN SELECT RAISE(ABORT, 'the log can only be added to'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION log_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the log can only be added to'; END $$"
        )
        op.execute("CREATE TRIGGER log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON log EXECUTE FUNCTION log_only_grows()")
