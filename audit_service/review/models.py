"""Tables of detection runs, findings and dispositions."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audit_service.contacts.models import ContactAttempt, Message, Speaker
from audit_service.database import Base, choice
from audit_service.transcription.models import Segment, Transcript


class RunScope(StrEnum):
    """What a run looked at: the words of one contact, or one borrower's contact log."""

    CONVERSATION = "conversation"
    CONTACT_LOG = "contact_log"


class FindingKind(StrEnum):
    """A violation by the collecting side, or a signal from the other side."""

    VIOLATION = "violation"
    SIGNAL = "signal"


class Severity(StrEnum):
    """How grave; order of the members is order of gravity."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Verdict(StrEnum):
    """A reviewer's outcome on a finding.

    A fatal finding is dismissed by two people: what the first one says stands as ``DISMISSAL_PROPOSED``.
    """

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    DISMISSAL_PROPOSED = "dismissal_proposed"
    NEEDS_INFORMATION = "needs_information"


class PackVersion(Base):
    """A rule pack as it was when first run or published here: what a finding's rule said can always be read again.

    ``files`` (folder of the pack, and the digest of each file by its path) restores it; empty for one that was never
    published. It judges once it is approved: by a user here, or by the makers whose lock file names ``approver``.
    """

    __tablename__ = "pack_versions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    pack: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    rules: Mapped[dict[str, Any]]
    first_used_at: Mapped[datetime]
    files: Mapped[dict[str, Any]] = mapped_column(default=dict)
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    approver: Mapped[str] = mapped_column(String(255), default="")
    approved_at: Mapped[datetime | None]

    rule_versions: Mapped[list[RuleVersion]] = relationship(order_by="RuleVersion.rule_id")


class RuleVersion(Base):
    """A published version of one rule and the pack version that brought it; the database refuses to change it."""

    __tablename__ = "rule_versions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    pack_version_id: Mapped[int] = mapped_column(ForeignKey("pack_versions.id"), index=True)
    rule_id: Mapped[str] = mapped_column(String(120))
    version: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(64))
    in_force_from: Mapped[date] = mapped_column(Date)
    in_force_to: Mapped[date | None] = mapped_column(Date)
    author: Mapped[str] = mapped_column(String(255))

    __table_args__ = (UniqueConstraint("rule_id", "version"),)


class RuleFile(Base):
    """A file of a published pack, by the SHA-256 of its bytes; packs share the ones that are the same."""

    __tablename__ = "rule_files"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RuleStanding(Base):
    """What reviewers made of the findings of one rule version; ``upper`` bounds its precision from above."""

    __tablename__ = "rule_standings"

    rule_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    rule_version: Mapped[int] = mapped_column(Integer, primary_key=True)
    confirmed: Mapped[int] = mapped_column(Integer)
    dismissed: Mapped[int] = mapped_column(Integer)
    upper: Mapped[float] = mapped_column(Float)


class DetectionRun(Base):
    """One run of the packs over one subject; of the runs over a subject only the latest is current.

    ``finding_ids`` are all findings of the run, new or made before; None for runs older than that record.
    """

    __tablename__ = "detection_runs"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    scope: Mapped[RunScope] = mapped_column(choice(RunScope))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    digests: Mapped[list[Any]]
    started_at: Mapped[datetime]
    is_current: Mapped[bool] = mapped_column(Boolean, default=True)
    undetermined: Mapped[list[Any]]
    transcript_id: Mapped[int | None] = mapped_column(ForeignKey("transcripts.id"))
    finding_ids: Mapped[list[Any] | None]

    __table_args__ = (
        Index(
            "uq_detection_runs_current",
            "scope",
            "subject_id",
            unique=True,
            postgresql_where=text("is_current"),
        ),
    )


class Finding(Base):
    """One rule met in one place.

    ``start_offset``/``end_offset`` are characters in the text of the segment or message; ``start_s``/``end_s`` are
    seconds in the recording. A finding of an event rule has neither, but names the attempts that met the rule.
    """

    __tablename__ = "findings"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("detection_runs.id"), index=True)
    pack_version_id: Mapped[int] = mapped_column(ForeignKey("pack_versions.id"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("contact_attempts.id"), index=True)
    transcript_id: Mapped[int | None] = mapped_column(ForeignKey("transcripts.id"))
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segments.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    rule_id: Mapped[str] = mapped_column(String(120))
    rule_version: Mapped[int] = mapped_column(Integer)
    rule_digest: Mapped[str | None] = mapped_column(String(64))
    category: Mapped[str] = mapped_column(String(60))
    kind: Mapped[FindingKind] = mapped_column(choice(FindingKind))
    severity: Mapped[Severity] = mapped_column(choice(Severity))
    points: Mapped[int] = mapped_column(Integer, default=0)
    is_fatal: Mapped[bool] = mapped_column(Boolean, default=False)
    needs_listening: Mapped[bool] = mapped_column(Boolean, default=False)
    speaker: Mapped[Speaker] = mapped_column(choice(Speaker))
    quote: Mapped[str] = mapped_column(Text)
    start_offset: Mapped[int | None] = mapped_column(Integer)
    end_offset: Mapped[int | None] = mapped_column(Integer)
    start_s: Mapped[float | None] = mapped_column(Float)
    end_s: Mapped[float | None] = mapped_column(Float)
    score: Mapped[float] = mapped_column(Float)
    plane: Mapped[str] = mapped_column(String(20))
    explanation: Mapped[dict[str, Any]]
    related_attempt_ids: Mapped[list[Any]]
    found_at: Mapped[datetime]
    is_current: Mapped[bool] = mapped_column(Boolean, default=True)

    run: Mapped[DetectionRun] = relationship()
    pack_version: Mapped[PackVersion] = relationship()
    attempt: Mapped[ContactAttempt] = relationship()
    transcript: Mapped[Transcript | None] = relationship()
    segment: Mapped[Segment | None] = relationship()
    message: Mapped[Message | None] = relationship()
    dispositions: Mapped[list[Disposition]] = relationship(back_populates="finding", order_by="Disposition.id")
    second_hearings: Mapped[list[SecondHearing]] = relationship()

    __table_args__ = (
        Index("ix_findings_queue", "kind", "severity", "id", postgresql_where=text("is_current")),
        Index("ix_findings_rule", "rule_id", "rule_version", "id"),
        Index("ix_findings_category", "category", "id", postgresql_where=text("is_current")),
    )


class SecondHearing(Base):
    """What was heard when the seconds of a doubtful finding were listened to again, alone.

    ``likeness`` is from 0 to 1: how far the words of the finding sound as if they stood in ``text``.
    """

    __tablename__ = "second_hearings"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("findings.id"), unique=True)
    engine: Mapped[str] = mapped_column(String(60))
    model_sha256: Mapped[str] = mapped_column(String(64))
    start_s: Mapped[float] = mapped_column(Float)
    end_s: Mapped[float] = mapped_column(Float)
    text: Mapped[str] = mapped_column(Text)
    likeness: Mapped[float] = mapped_column(Float)
    heard_at: Mapped[datetime]


class Disposition(Base):
    """A reviewer's outcome on a finding; later ones do not overwrite earlier ones, the last counts."""

    __tablename__ = "dispositions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("findings.id"), index=True)
    verdict: Mapped[Verdict] = mapped_column(choice(Verdict))
    reason: Mapped[str] = mapped_column(Text, default="")
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime]

    finding: Mapped[Finding] = relationship(back_populates="dispositions")


class Listening(Base):
    """Seconds of a recording that a user's player played."""

    __tablename__ = "listenings"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    start_s: Mapped[float] = mapped_column(Float)
    end_s: Mapped[float] = mapped_column(Float)
    played_at: Mapped[datetime]

    __table_args__ = (Index("ix_listenings_heard", "recording_id", "user_id"),)
