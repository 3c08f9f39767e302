"""Severities of findings, published rule versions with their files, and what reviewers made of them.

Revision: 0005; follows 0004; 2026-11-25 01:25:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ACTIONS = (
    "received", "sealed", "recognised", "transcribed", "derived", "flagged", "viewed", "disposed", "filed", "linked",
    "status_changed", "decided", "reported", "exported", "user_created", "signed_in", "corrected",
)  # fmt: skip
NEW_ACTIONS = ("published", "approved", "suspended", "reinstated")
VERDICTS = ("confirmed", "dismissed", "needs_information")

GUARD = """
CREATE FUNCTION refuse_rule_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'published rule versions are immutable: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END;
$$;
CREATE TRIGGER rule_versions_immutable BEFORE UPDATE OR DELETE ON rule_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_rule_version_change();
CREATE TRIGGER rule_versions_no_truncate BEFORE TRUNCATE ON rule_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rule_version_change();
"""

# Until now every severity counted alike; the plain table of levels says what they count from here on.
GRADE_FINDINGS = """
UPDATE findings SET is_fatal = (severity = 'critical'),
    points = CASE severity WHEN 'critical' THEN 10 WHEN 'high' THEN 5 WHEN 'medium' THEN 2 ELSE 1 END
"""

# The last disposition of each finding counts; the upper bound is that of the Wilson interval at 95 %.
COUNT_STANDINGS = """
INSERT INTO rule_standings (rule_id, rule_version, confirmed, dismissed, upper)
SELECT rule_id, rule_version, c, n - c, (c + 1.9208 + 1.96 * sqrt(c * (n - c)::float / n + 0.9604)) / (n + 3.8416)
FROM (
    SELECT rule_id, rule_version, count(*) FILTER (WHERE verdict = 'confirmed') AS c, count(*) AS n
    FROM (SELECT DISTINCT ON (finding_id) finding_id, verdict FROM dispositions ORDER BY finding_id, id DESC) AS last
    JOIN findings ON findings.id = last.finding_id
    WHERE verdict IN ('confirmed', 'dismissed')
    GROUP BY rule_id, rule_version
) AS counted
"""


def upgrade() -> None:
    """Add columns and tables, and fill them for what is stored."""
    _add_to_findings()
    _add_to_runs_and_packs()
    _add_tables()
    op.execute(GUARD)
    op.execute(COUNT_STANDINGS)
    _allow("dispositions", "verdict", (*VERDICTS, "dismissal_proposed"))
    for table in ("ledger", "custody_events"):
        _allow(table, "action", (*ACTIONS, *NEW_ACTIONS))


def _add_to_findings() -> None:
    op.add_column("findings", sa.Column("rule_digest", sa.String(length=64), nullable=True))
    op.add_column("findings", sa.Column("points", sa.Integer(), nullable=False, server_default="0"))
    for name in ("is_fatal", "needs_listening"):
        op.add_column("findings", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(GRADE_FINDINGS)
    for name in ("points", "is_fatal", "needs_listening"):
        op.alter_column("findings", name, server_default=None)
    op.create_index("ix_findings_rule", "findings", ["rule_id", "rule_version", "id"], unique=False)


def _add_to_runs_and_packs() -> None:
    op.add_column("detection_runs", sa.Column("transcript_id", sa.BigInteger(), nullable=True))
    op.add_column("detection_runs", sa.Column("finding_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_foreign_key(
        op.f("fk_detection_runs_transcript_id_transcripts"), "detection_runs", "transcripts", ["transcript_id"], ["id"]
    )
    files = sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="{}")
    op.add_column("pack_versions", files)
    op.add_column("pack_versions", sa.Column("approver", sa.String(length=255), nullable=False, server_default=""))
    for name in ("files", "approver"):
        op.alter_column("pack_versions", name, server_default=None)
    op.add_column("pack_versions", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("submitted_by_id", "approved_by_id"):
        op.add_column("pack_versions", sa.Column(name, sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(f"fk_pack_versions_{name}_users"), "pack_versions", "users", [name], ["id"])


def _add_tables() -> None:
    op.create_table(
        "rule_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pack_version_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("in_force_to", sa.Date(), nullable=True),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["pack_version_id"], ["pack_versions.id"], name=op.f("fk_rule_versions_pack_version_id_pack_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_versions")),
        sa.UniqueConstraint("rule_id", "version", name=op.f("uq_rule_versions_rule_id_version")),
    )
    op.create_index(op.f("ix_rule_versions_pack_version_id"), "rule_versions", ["pack_version_id"], unique=False)
    op.create_table(
        "rule_files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_rule_files")),
    )
    op.create_table(
        "rule_standings",
        sa.Column("rule_id", sa.String(length=120), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("dismissed", sa.Integer(), nullable=False),
        sa.Column("upper", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "rule_version", name=op.f("pk_rule_standings")),
    )


def downgrade() -> None:
    """Take it all back; fails where a dismissal was proposed or a pack published: the ledger keeps what it has."""
    for table in ("ledger", "custody_events"):
        _allow(table, "action", ACTIONS)
    _allow("dispositions", "verdict", VERDICTS)
    for table in ("rule_standings", "rule_files", "rule_versions"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_rule_version_change()")
    for name in ("submitted_by_id", "approved_by_id", "approved_at", "approver", "files"):
        op.drop_column("pack_versions", name)
    for name in ("transcript_id", "finding_ids"):
        op.drop_column("detection_runs", name)
    op.drop_index("ix_findings_rule", table_name="findings")
    for name in ("rule_digest", "points", "is_fatal", "needs_listening"):
        op.drop_column("findings", name)


def _allow(table: str, column: str, values: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}")
    op.drop_constraint(name, table, type_="check")
    allowed = ", ".join(f"'{value}'" for value in values)
    op.create_check_constraint(name, table, f"{column} IN ({allowed})")
