"""Tables of intake: what came in, and what became of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Identity, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audit_service.custody.models import Exhibit, ExhibitKind
from audit_service.database import Base, choice
from audit_service.organizations.models import Agency


class ItemState(StrEnum):
    """Where an item stands; received = done + failed + running + quarantined holds at every instant."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    QUARANTINED = "quarantined"


class IntakeItem(Base):
    """One file that came in by one route. The same bytes again are the same item.

    ``beside_id`` is the sealed JSON that spoke of it: a sidecar, a map of columns, or a pattern for names.
    """

    __tablename__ = "intake_items"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    route: Mapped[str] = mapped_column(String(20))
    kind: Mapped[ExhibitKind] = mapped_column(choice(ExhibitKind))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[ItemState] = mapped_column(choice(ItemState))
    reason_code: Mapped[str] = mapped_column(String(60), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    exhibit_id: Mapped[int | None] = mapped_column(ForeignKey("exhibits.id"), index=True)
    beside_id: Mapped[int | None] = mapped_column(ForeignKey("exhibits.id"))
    received_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    rows_total: Mapped[int] = mapped_column(Integer, default=0)
    rows_stored: Mapped[int] = mapped_column(Integer, default=0)

    exhibit: Mapped[Exhibit | None] = relationship(foreign_keys=[exhibit_id])
    beside: Mapped[Exhibit | None] = relationship(foreign_keys=[beside_id])
    problems: Mapped[list[IntakeProblem]] = relationship(back_populates="item", cascade="all, delete-orphan")

    __table_args__ = (Index("ix_intake_items_state", "state", "received_at"),)


class IntakeProblem(Base):
    """One row or field that was refused, with the reason and what to do."""

    __tablename__ = "intake_problems"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("intake_items.id"), index=True)
    row: Mapped[int | None] = mapped_column(Integer)
    field: Mapped[str] = mapped_column(String(60), default="")
    reason: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text, default="")

    item: Mapped[IntakeItem] = relationship(back_populates="problems")


class ReconciliationAlert(Base):
    """One agency's day on which call log and recordings disagreed in more calls than is tolerated.

    ``share`` is the part of that day's calls that disagree; ``cleared_at`` is when they agreed again, e.g. because the
    missing recordings were handed in.
    """

    __tablename__ = "reconciliation_alerts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    agency_id: Mapped[int] = mapped_column(ForeignKey("agencies.id"))
    day: Mapped[date]
    share: Mapped[float] = mapped_column(Float)
    tolerated: Mapped[float] = mapped_column(Float)
    counts: Mapped[dict[str, Any]]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]

    agency: Mapped[Agency] = relationship()

    __table_args__ = (UniqueConstraint("agency_id", "day"),)
