"""Tables of complaints, allegations, requests, links, corroboration, clocks, decisions and appeals."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audit_service.contacts.models import Borrower, ContactAttempt
from audit_service.custody.models import Exhibit
from audit_service.database import Base, choice
from audit_service.organizations.models import Institution
from audit_service.review.models import Finding


class ComplaintStatus(StrEnum):
    """Where a complaint stands."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    INVESTIGATING = "investigating"
    DECIDED = "decided"
    CLOSED = "closed"
    APPEALED = "appealed"
    WITHDRAWN = "withdrawn"
    TRANSFERRED = "transferred"


class RequestKind(StrEnum):
    """What a borrower asks for."""

    STOP_CONTACT = "stop_contact"
    APOLOGY = "apology"
    CORRECT_CREDIT_RECORD = "correct_credit_record"
    FEE_REFUND = "fee_refund"
    NEGOTIATE_PLAN = "negotiate_plan"
    VERIFY_DEBT = "verify_debt"
    COMPENSATION = "compensation"
    INVESTIGATE_STAFF = "investigate_staff"


class CorroborationResult(StrEnum):
    """What the records say about an allegation."""

    SUPPORTED = "supported"
    PARTLY = "partly"
    CONTRADICTED = "contradicted"
    NO_RECORD = "no_record"
    RECORDS_INCOMPLETE = "records_incomplete"


class Complaint(Base):
    """What one person filed. The receipt code is kept only as a keyed hash."""

    __tablename__ = "complaints"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    receipt_hash: Mapped[str] = mapped_column(String(64), unique=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"), index=True)
    borrower_id: Mapped[int | None] = mapped_column(ForeignKey("borrowers.id"), index=True)
    complainant_name: Mapped[str] = mapped_column(String(100))
    complainant_phone: Mapped[str] = mapped_column(String(20))
    account_hint: Mapped[str] = mapped_column(String(60), default="")
    on_behalf: Mapped[bool] = mapped_column(Boolean, default=False)
    language: Mapped[str] = mapped_column(String(10))
    jurisdiction: Mapped[str] = mapped_column(String(8))
    narrative: Mapped[str] = mapped_column(Text)
    route: Mapped[str] = mapped_column(String(20))
    status: Mapped[ComplaintStatus] = mapped_column(choice(ComplaintStatus))
    submitted_at: Mapped[datetime]
    is_urgent: Mapped[bool] = mapped_column(Boolean, default=False)

    institution: Mapped[Institution] = relationship()
    borrower: Mapped[Borrower | None] = relationship()
    allegations: Mapped[list[Allegation]] = relationship(back_populates="complaint", order_by="Allegation.position")
    requests: Mapped[list[Request]] = relationship(back_populates="complaint", order_by="Request.id")
    clocks: Mapped[list[Clock]] = relationship(back_populates="complaint", order_by="Clock.due_at")
    events: Mapped[list[ComplaintEvent]] = relationship(back_populates="complaint", order_by="ComplaintEvent.id")

    __table_args__ = (Index("ix_complaints_status", "status", "submitted_at"),)


class Allegation(Base):
    """One wrong stated in a complaint: the words, a category of the taxonomy, and when it is said to have been."""

    __tablename__ = "allegations"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    position: Mapped[int] = mapped_column(Integer)
    category: Mapped[str] = mapped_column(String(60))
    words: Mapped[str] = mapped_column(Text)
    when_text: Mapped[str] = mapped_column(String(200), default="")
    from_at: Mapped[datetime | None]
    to_at: Mapped[datetime | None]

    complaint: Mapped[Complaint] = relationship(back_populates="allegations")
    links: Mapped[list[Link]] = relationship(back_populates="allegation", order_by="Link.score.desc()")
    corroboration: Mapped[Corroboration | None] = relationship(back_populates="allegation")


class Request(Base):
    """What the complainant asks for."""

    __tablename__ = "requests"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    kind: Mapped[RequestKind] = mapped_column(choice(RequestKind))
    detail: Mapped[str] = mapped_column(Text, default="")

    complaint: Mapped[Complaint] = relationship(back_populates="requests")


class Proof(Base):
    """A file that the complainant handed in."""

    __tablename__ = "proofs"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    exhibit_id: Mapped[int] = mapped_column(ForeignKey("exhibits.id"))

    exhibit: Mapped[Exhibit] = relationship()

    __table_args__ = (UniqueConstraint("complaint_id", "exhibit_id"),)


class Link(Base):
    """A finding that may bear on an allegation, with the reasons that make it a candidate."""

    __tablename__ = "links"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    allegation_id: Mapped[int] = mapped_column(ForeignKey("allegations.id"), index=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("findings.id"), index=True)
    score: Mapped[float] = mapped_column(Float)
    reasons: Mapped[list[Any]]

    allegation: Mapped[Allegation] = relationship(back_populates="links")
    finding: Mapped[Finding] = relationship()

    __table_args__ = (UniqueConstraint("allegation_id", "finding_id"),)


class Corroboration(Base):
    """What the records say about one allegation."""

    __tablename__ = "corroborations"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    allegation_id: Mapped[int] = mapped_column(ForeignKey("allegations.id"), unique=True)
    result: Mapped[CorroborationResult] = mapped_column(choice(CorroborationResult))
    reasons: Mapped[list[Any]]
    concluded_at: Mapped[datetime]

    allegation: Mapped[Allegation] = relationship(back_populates="corroboration")


class Clock(Base):
    """A statutory limit of a complaint; ``basis`` names the rule it comes from."""

    __tablename__ = "clocks"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    basis: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]

    complaint: Mapped[Complaint] = relationship(back_populates="clocks")


class ComplaintEvent(Base):
    """A step of a complaint that its complainant may read."""

    __tablename__ = "complaint_events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    status: Mapped[ComplaintStatus] = mapped_column(choice(ComplaintStatus))
    note: Mapped[str] = mapped_column(Text, default="")
    occurred_at: Mapped[datetime]

    complaint: Mapped[Complaint] = relationship(back_populates="events")


class Decision(Base):
    """The institution's answer to a complaint."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    outcome: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    remedies: Mapped[list[Any]]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime]


class Appeal(Base):
    """A complainant's demand that a decision be examined again (核查)."""

    __tablename__ = "appeals"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    filed_at: Mapped[datetime]


class Escalation(Base):
    """A complaint passed to a higher level because a clock or its gravity demands it."""

    __tablename__ = "escalations"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    from_level: Mapped[str] = mapped_column(String(40))
    to_level: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    escalated_at: Mapped[datetime]


class ComplaintAttempt(Base):
    """A contact attempt that an officer or the linking named as the one complained of."""

    __tablename__ = "complaint_attempts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("contact_attempts.id"))
    score: Mapped[float] = mapped_column(Float)
    reasons: Mapped[list[Any]]

    attempt: Mapped[ContactAttempt] = relationship()

    __table_args__ = (UniqueConstraint("complaint_id", "attempt_id"),)
