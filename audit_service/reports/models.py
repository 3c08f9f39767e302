"""Table of reports."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audit_service.complaints.models import Complaint
from audit_service.custody.models import Exhibit
from audit_service.database import Base, choice


class ReportKind(StrEnum):
    """What a report is about."""

    COMPLAINT = "complaint"
    PERIOD = "period"


class Report(Base):
    """One PDF made for people; its bytes are an exhibit."""

    __tablename__ = "reports"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(String(30), unique=True)
    kind: Mapped[ReportKind] = mapped_column(choice(ReportKind))
    locale: Mapped[str] = mapped_column(String(10))
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaints.id"), index=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"))
    from_at: Mapped[datetime | None]
    to_at: Mapped[datetime | None]
    findings: Mapped[int] = mapped_column(Integer)
    exhibit_id: Mapped[int] = mapped_column(ForeignKey("exhibits.id"))
    created_at: Mapped[datetime]

    complaint: Mapped[Complaint | None] = relationship()
    exhibit: Mapped[Exhibit] = relationship()
