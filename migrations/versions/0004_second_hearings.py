"""Second hearings of doubtful findings.

Revision: 0004; follows 0003; 2026-11-24 17:45:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "second_hearings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("engine", sa.String(length=60), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=False),
        sa.Column("start_s", sa.Float(), nullable=False),
        sa.Column("end_s", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("likeness", sa.Float(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.id"], name=op.f("fk_second_hearings_finding_id_findings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_hearings")),
        sa.UniqueConstraint("finding_id", name=op.f("uq_second_hearings_finding_id")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("second_hearings")
