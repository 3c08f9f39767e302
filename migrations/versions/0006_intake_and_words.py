"""Keys for lenders' systems, where copies and zones come from, corrected words, word lists, referrals, listening.

Revision: 0006; follows 0005; 2026-11-25 02:00:00
"""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSONB = postgresql.JSONB(astext_type=sa.Text())
ACTIONS = ("played", "retried", "referred", "alerted", "key_created", "key_revoked", "words_set")
ZONE_SOURCES = ("stated", "registered", "unknown")
ADDED = (
    ("exhibits", sa.Column("derivation", JSONB, nullable=False, server_default="{}")),
    ("agencies", sa.Column("timezone", sa.String(64))),
    ("agencies", sa.Column("agent_channel", sa.Integer())),
    ("contact_attempts", sa.Column("site_timezone", sa.String(64))),
    ("intake_items", sa.Column("beside_id", sa.BigInteger())),
    ("transcripts", sa.Column("speech", JSONB, nullable=False, server_default="[]")),
    ("transcripts", sa.Column("acoustics", JSONB, nullable=False, server_default="{}")),
    ("segments", sa.Column("language", sa.String(10), nullable=False, server_default="")),
    ("segments", sa.Column("level_db", sa.Float())),
)
TABLES = ("listenings", "referrals", "word_lists", "segment_edits", "reconciliation_alerts", "api_keys")


def upgrade() -> None:
    """Add the tables and columns; attempts that have a zone got it from a log or from the register, we know not which."""
    for table, column in ADDED:
        op.add_column(table, column)
    op.add_column("contact_attempts", sa.Column("zone_source", sa.String(40), nullable=False, server_default="unknown"))
    op.execute("UPDATE contact_attempts SET zone_source = 'stated' WHERE timezone IS NOT NULL")
    allowed = ", ".join(f"'{source}'" for source in ZONE_SOURCES)
    op.create_check_constraint(
        op.f("ck_contact_attempts_zonesource"), "contact_attempts", f"zone_source IN ({allowed})"
    )
    for table, name in (("exhibits", "derivation"), ("contact_attempts", "zone_source"), ("transcripts", "speech"),
                        ("transcripts", "acoustics"), ("segments", "language")):  # fmt: skip
        op.alter_column(table, name, server_default=None)
    op.create_foreign_key(op.f("fk_intake_items_beside_id_exhibits"), "intake_items", "exhibits", ["beside_id"], ["id"])
    for table, kind, more in _choices():
        _allow(table, kind, add=more)
    _of_intake()
    _of_words()


def downgrade() -> None:
    """Drop them; fails where an act or kind of these is on record, because the ledger keeps what it has."""
    for table in TABLES:
        op.drop_table(table)
    for table, kind, more in _choices():
        _allow(table, kind, take=more)
    op.drop_column("contact_attempts", "zone_source")
    for table, column in reversed(ADDED):
        op.drop_column(table, column.name)


def _choices() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return (
        ("ledger", "action", ACTIONS),
        ("custody_events", "action", ACTIONS),
        ("exhibits", "exhibitkind", ("sidecar",)),
        ("intake_items", "exhibitkind", ("sidecar",)),
    )


def _allow(table: str, kind: str, add: tuple[str, ...] = (), take: tuple[str, ...] = ()) -> None:
    """Change what a column may hold by what it may hold now, whichever migrations came before."""
    name = f"ck_{table}_{kind}"
    query = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    written = op.get_bind().execute(query, {"name": name}).scalar_one()
    known = [value for value in dict.fromkeys(re.findall(r"'([a-z_]+)'", written)) if value not in take]
    allowed = ", ".join(f"'{value}'" for value in (*known, *(value for value in add if value not in known)))
    op.drop_constraint(op.f(name), table, type_="check")
    column = "kind" if kind == "exhibitkind" else kind
    op.create_check_constraint(op.f(name), table, f"{column} IN ({allowed})")


def _of_intake() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("institution_id", sa.BigInteger()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_api_keys_institution_id_institutions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_api_keys_secret_sha256")),
    )
    op.create_table(
        "reconciliation_alerts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agency_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("tolerated", sa.Float(), nullable=False),
        sa.Column("counts", JSONB, nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("cleared_at", INSTANT),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agencies.id"], name=op.f("fk_reconciliation_alerts_agency_id_agencies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_alerts")),
        sa.UniqueConstraint("agency_id", "day", name=op.f("uq_reconciliation_alerts_agency_id_day")),
    )


def _of_words() -> None:
    op.create_table(
        "segment_edits",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("edited_at", INSTANT, nullable=False),
        sa.Column("reverted_at", INSTANT),
        sa.Column("reverted_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(["segment_id"], ["segments.id"], name=op.f("fk_segment_edits_segment_id_segments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_edits")),
    )
    op.create_index(op.f("ix_segment_edits_segment_id"), "segment_edits", ["segment_id"])
    op.create_table(
        "word_lists",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("words", JSONB, nullable=False),
        sa.Column("measured", JSONB, nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_word_lists_institution_id_institutions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_lists")),
        sa.UniqueConstraint("institution_id", "version", name=op.f("uq_word_lists_institution_id_version")),
    )
    op.create_index(
        "uq_word_lists_used", "word_lists", ["institution_id"], unique=True, postgresql_where=sa.text("is_used")
    )
    op.create_table(
        "referrals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("recording_id", sa.BigInteger(), nullable=False),
        sa.Column("queue", sa.String(40), nullable=False),
        sa.Column("detail", JSONB, nullable=False),
        sa.Column("referred_at", INSTANT, nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.Column("settled_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_referrals_recording_id_recordings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sa.UniqueConstraint("recording_id", "queue", name=op.f("uq_referrals_recording_id_queue")),
    )
    op.create_table(
        "listenings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("recording_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("start_s", sa.Float(), nullable=False),
        sa.Column("end_s", sa.Float(), nullable=False),
        sa.Column("played_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_listenings_recording_id_recordings")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_listenings_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listenings")),
    )
    op.create_index("ix_listenings_heard", "listenings", ["recording_id", "user_id"])
