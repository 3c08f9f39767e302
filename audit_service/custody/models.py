"""Tables of evidence: exhibits, the ledger and its signed checkpoints."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from audit_service.database import Base, choice


class ExhibitKind(StrEnum):
    """What a sealed file is."""

    RECORDING = "recording"
    CALL_LOG = "call_log"
    MESSAGE_LOG = "message_log"
    PROOF = "proof"
    RENDITION = "rendition"
    REPORT = "report"
    EXPORT = "export"
    SIDECAR = "sidecar"


class Action(StrEnum):
    """Every kind of act the ledger knows; a closed list."""

    RECEIVED = "received"
    SEALED = "sealed"
    RECOGNISED = "recognised"
    TRANSCRIBED = "transcribed"
    DERIVED = "derived"
    FLAGGED = "flagged"
    VIEWED = "viewed"
    DISPOSED = "disposed"
    FILED = "filed"
    LINKED = "linked"
    STATUS_CHANGED = "status_changed"
    DECIDED = "decided"
    REPORTED = "reported"
    EXPORTED = "exported"
    USER_CREATED = "user_created"
    SIGNED_IN = "signed_in"
    CORRECTED = "corrected"
    PUBLISHED = "published"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    PLAYED = "played"
    RETRIED = "retried"
    REFERRED = "referred"
    ALERTED = "alerted"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    WORDS_SET = "words_set"


class Exhibit(Base):
    """One sealed file: its address is the SHA-256 of its bytes, so the same bytes are one exhibit.

    ``derivation`` says how a derived copy was made: digest of its parent, tool, version and exact command.
    """

    __tablename__ = "exhibits"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[ExhibitKind] = mapped_column(choice(ExhibitKind))
    media_type: Mapped[str] = mapped_column(String(100))
    original_name: Mapped[str] = mapped_column(Text)
    route: Mapped[str] = mapped_column(String(20))
    received_at: Mapped[datetime]
    derived_from_id: Mapped[int | None] = mapped_column(ForeignKey("exhibits.id"), index=True)
    derivation: Mapped[dict[str, Any]] = mapped_column(default=dict)


class LedgerRow(Base):
    """One entry of the ledger: the canonical text that was hashed, and its chained hash.

    The database refuses UPDATE, DELETE and TRUNCATE (trigger in the first migration).
    """

    __tablename__ = "ledger"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[Action] = mapped_column(choice(Action))
    object_kind: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(100))
    canonical: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    entry_hash: Mapped[str] = mapped_column(String(64), unique=True)

    __table_args__ = (Index("ix_ledger_object", "object_kind", "object_id", "seq"),)


class CustodyEvent(Base):
    """An act on one exhibit, pointing at the ledger entry that proves it."""

    __tablename__ = "custody_events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    exhibit_id: Mapped[int] = mapped_column(ForeignKey("exhibits.id"), index=True)
    seq: Mapped[int] = mapped_column(ForeignKey("ledger.seq"), unique=True)
    action: Mapped[Action] = mapped_column(choice(Action))
    actor: Mapped[str] = mapped_column(String(100))
    occurred_at: Mapped[datetime]
    detail: Mapped[dict[str, Any]]


class CheckpointRow(Base):
    """A signed statement of the ledger's size and Merkle root."""

    __tablename__ = "checkpoints"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tree_size: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("tree_size > 0", name="size_positive"),)
