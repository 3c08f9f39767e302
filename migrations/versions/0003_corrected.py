"""The act of correcting a transcript.

Revision: 0003; follows 0002; 2026-11-24 17:05:00
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BEFORE = (
    "received", "sealed", "recognised", "transcribed", "derived", "flagged", "viewed", "disposed", "filed", "linked",
    "status_changed", "decided", "reported", "exported", "user_created", "signed_in",
)  # fmt: skip
TABLES = ("ledger", "custody_events")


def upgrade() -> None:
    """Allow the act."""
    _allow((*BEFORE, "corrected"))


def downgrade() -> None:
    """Allow it no more; fails where a transcript was corrected, because the ledger keeps what it has."""
    _allow(BEFORE)


def _allow(actions: tuple[str, ...]) -> None:
    allowed = ", ".join(f"'{action}'" for action in actions)
    for table in TABLES:
        name = op.f(f"ck_{table}_action")
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, f"action IN ({allowed})")
