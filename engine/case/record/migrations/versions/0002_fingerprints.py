"""Fingerprints of soundtracks, by which clips with the same ambience are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "fingerprints",
        sa.Column("clip_sha256", sa.String(64), sa.ForeignKey("clips.sha256"), primary_key=True),
        sa.Column("method", sa.String(40), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
    )
