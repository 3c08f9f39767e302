"""Parts of recordings that are still being transcribed.

Revision: 0002; follows 0001; 2026-11-24 13:50:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "transcript_parts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("recording_id", sa.BigInteger(), nullable=False),
        sa.Column("engine", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Float(), nullable=False),
        sa.Column("end_s", sa.Float(), nullable=False),
        sa.Column("passages", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        sa.Column("total_s", sa.Float(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            name=op.f("fk_transcript_parts_recording_id_recordings"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transcript_parts")),
        sa.UniqueConstraint(
            "recording_id", "engine", "channel", "start_s", "end_s",
            name=op.f("uq_transcript_parts_recording_id_engine_channel_start_s_end_s"),
        ),
    )  # fmt: skip


def downgrade() -> None:
    """Drop it."""
    op.drop_table("transcript_parts")
