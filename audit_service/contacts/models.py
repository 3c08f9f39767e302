"""Tables of the contact log."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

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

from audit_service.custody.models import Exhibit
from audit_service.database import Base, choice
from audit_service.organizations.models import Agency, Agent, Institution


class Stage(StrEnum):
    """How far an overdue account has gone."""

    REMINDER = "reminder"
    EARLY = "early"
    NEGOTIATION = "negotiation"
    DISPOSAL = "disposal"


class Channel(StrEnum):
    """By which means a contact was tried."""

    CALL = "call"
    SMS = "sms"
    WECHAT = "wechat"
    APP = "app"
    EMAIL = "email"
    VISIT = "visit"
    LETTER = "letter"


class Direction(StrEnum):
    """Who began the contact."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class Recipient(StrEnum):
    """Whom the contact reached or meant to reach."""

    BORROWER = "borrower"
    THIRD_PARTY = "third_party"


class Outcome(StrEnum):
    """How a try ended, as the dialler or gateway reports it."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    VOICEMAIL = "voicemail"
    INVALID = "invalid"
    SENT = "sent"
    RECEIVED = "received"
    UNKNOWN = "unknown"


class Speaker(StrEnum):
    """The role of a voice or of a message's sender."""

    AGENT = "agent"
    BORROWER = "borrower"
    THIRD_PARTY = "third_party"
    UNKNOWN = "unknown"


class ZoneSource(StrEnum):
    """How the zone of the person contacted is known."""

    STATED = "stated"
    REGISTERED = "registered"
    UNKNOWN = "unknown"


class Borrower(Base):
    """The person who owes; ``reference`` is the institution's own key."""

    __tablename__ = "borrowers"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"))
    reference: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(100), default="")
    phone: Mapped[str] = mapped_column(String(20), default="", index=True)
    language: Mapped[str] = mapped_column(String(10), default="zh")
    timezone: Mapped[str | None] = mapped_column(String(64))

    institution: Mapped[Institution] = relationship()

    __table_args__ = (UniqueConstraint("institution_id", "reference"),)


class Account(Base):
    """One debt of a borrower. Money in minor units of ``currency``."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    borrower_id: Mapped[int] = mapped_column(ForeignKey("borrowers.id"), index=True)
    number: Mapped[str] = mapped_column(String(60), unique=True)
    product: Mapped[str] = mapped_column(String(100), default="")
    stage: Mapped[Stage] = mapped_column(choice(Stage), default=Stage.EARLY)
    principal_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    overdue_since_on: Mapped[date | None]


class ContactPerson(Base):
    """Someone other than the borrower; ``is_related`` means liable for the debt (guarantor, co-signer)."""

    __tablename__ = "contact_persons"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    borrower_id: Mapped[int] = mapped_column(ForeignKey("borrowers.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    relation: Mapped[str] = mapped_column(String(40), default="")
    is_related: Mapped[bool] = mapped_column(Boolean, default=False)
    phone: Mapped[str] = mapped_column(String(20), default="")

    __table_args__ = (UniqueConstraint("borrower_id", "name"),)


class ContactAttempt(Base):
    """One try to reach a person, by whatever channel, answered or not.

    ``started_at`` is UTC; ``timezone`` is the zone of the person contacted, unknown when null, and ``zone_source`` how
    it is known; ``site_timezone`` is the zone of the place the collector called from. ``reference`` is the key in the
    lender's system, by which a call log and a recording of the same call meet.
    """

    __tablename__ = "contact_attempts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"))
    reference: Mapped[str] = mapped_column(String(80))
    borrower_id: Mapped[int] = mapped_column(ForeignKey("borrowers.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    contact_person_id: Mapped[int | None] = mapped_column(ForeignKey("contact_persons.id"), index=True)
    agency_id: Mapped[int] = mapped_column(ForeignKey("agencies.id"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"), index=True)
    channel: Mapped[Channel] = mapped_column(choice(Channel))
    direction: Mapped[Direction] = mapped_column(choice(Direction))
    recipient: Mapped[Recipient] = mapped_column(choice(Recipient))
    number: Mapped[str] = mapped_column(String(40), default="")
    started_at: Mapped[datetime]
    timezone: Mapped[str | None] = mapped_column(String(64))
    zone_source: Mapped[ZoneSource] = mapped_column(choice(ZoneSource), default=ZoneSource.UNKNOWN)
    site_timezone: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[Outcome] = mapped_column(choice(Outcome))
    talk_s: Mapped[float | None] = mapped_column(Float)
    exhibit_id: Mapped[int | None] = mapped_column(ForeignKey("exhibits.id"), index=True)
    source_row: Mapped[int | None] = mapped_column(Integer)

    institution: Mapped[Institution] = relationship()
    borrower: Mapped[Borrower] = relationship()
    contact_person: Mapped[ContactPerson | None] = relationship()
    agency: Mapped[Agency] = relationship()
    agent: Mapped[Agent | None] = relationship()

    __table_args__ = (
        UniqueConstraint("institution_id", "reference"),
        Index("ix_contact_attempts_borrower_started", "borrower_id", "started_at"),
        Index("ix_contact_attempts_started", "started_at", "id"),
    )

    @property
    def is_answered(self) -> bool | None:
        """Whether a person took the call; None when the log does not say or the channel has no answer."""
        if self.channel is not Channel.CALL or self.outcome is Outcome.UNKNOWN:
            return None
        return self.outcome is Outcome.ANSWERED


class Recording(Base):
    """The audio of one answered attempt, as received; ``rendition_id`` is the playable copy made from it."""

    __tablename__ = "recordings"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("contact_attempts.id"), unique=True)
    exhibit_id: Mapped[int] = mapped_column(ForeignKey("exhibits.id"), unique=True)
    rendition_id: Mapped[int | None] = mapped_column(ForeignKey("exhibits.id"))
    duration_s: Mapped[float] = mapped_column(Float)
    channels: Mapped[int] = mapped_column(Integer)
    agent_channel: Mapped[int | None] = mapped_column(Integer)
    language: Mapped[str | None] = mapped_column(String(10))

    attempt: Mapped[ContactAttempt] = relationship()
    exhibit: Mapped[Exhibit] = relationship(foreign_keys=[exhibit_id])
    rendition: Mapped[Exhibit | None] = relationship(foreign_keys=[rendition_id])


class Message(Base):
    """One text sent or received; ``raw_line`` is its line in the sealed log, unchanged."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("contact_attempts.id"), unique=True)
    thread: Mapped[str] = mapped_column(String(120), index=True)
    sender: Mapped[Speaker] = mapped_column(choice(Speaker))
    text: Mapped[str] = mapped_column(Text)
    raw_line: Mapped[str] = mapped_column(Text)

    attempt: Mapped[ContactAttempt] = relationship()


class Consent(Base):
    """An agreement of the borrower, e.g. to be called at night; from/to are instants in UTC."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    borrower_id: Mapped[int] = mapped_column(ForeignKey("borrowers.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    from_at: Mapped[datetime]
    to_at: Mapped[datetime | None]
    proof_id: Mapped[int | None] = mapped_column(ForeignKey("exhibits.id"))


class CeaseRequest(Base):
    """A person's wish not to be contacted: at all, at certain times, or by a channel."""

    __tablename__ = "cease_requests"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    borrower_id: Mapped[int] = mapped_column(ForeignKey("borrowers.id"), index=True)
    contact_person_id: Mapped[int | None] = mapped_column(ForeignKey("contact_persons.id"))
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("contact_attempts.id"))
    requested_at: Mapped[datetime]
    scope: Mapped[str] = mapped_column(String(40))
    channel: Mapped[Channel | None] = mapped_column(choice(Channel))
    words: Mapped[str] = mapped_column(Text, default="")
