"""Plain values that pass into and out of complaints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from audit_service.complaints.models import Complaint, ComplaintStatus, RequestKind


@dataclass(frozen=True)
class Incident:
    """One thing that happened, in the complainant's words: when (rough, e.g. ``上周三晚上``) and what."""

    when_text: str
    what: str


@dataclass(frozen=True)
class ProofFile:
    """A file handed in as proof; its name is text to show, never a path."""

    stream: IO[bytes]
    name: str
    media_type: str = "application/octet-stream"


@dataclass(frozen=True)
class NewComplaint:
    """What a person files, by whatever route.

    Attributes:
        institution: code of the institution.
        phone: as written; matched in E.164.
        language: ``zh`` or ``en``.
        account_hint: whatever the person knows of the loan; may be empty.
        submitted_at: when it reached us if not now (a letter, a referral), aware.
        route: ``portal``, ``officer`` or ``cli``.
    """

    institution: str
    complainant_name: str
    phone: str
    language: str
    narrative: str
    account_hint: str = ""
    on_behalf: bool = False
    incidents: tuple[Incident, ...] = ()
    requests: tuple[RequestKind, ...] = ()
    proofs: tuple[ProofFile, ...] = ()
    route: str = "portal"
    submitted_at: datetime | None = None


@dataclass(frozen=True)
class FiledComplaint:
    """What the complainant keeps: the number, and the receipt code that is shown this once."""

    id: int
    number: str
    receipt_code: str
    is_urgent: bool


@dataclass(frozen=True)
class Step:
    """A step of a complaint as its complainant reads it."""

    status: ComplaintStatus
    note: str
    occurred_at: datetime


@dataclass(frozen=True)
class Limit:
    """A statutory limit as its complainant reads it."""

    kind: str
    basis: str
    due_at: datetime


@dataclass(frozen=True)
class CaseView:
    """What a complainant sees with the receipt code: nothing that is the officers' alone."""

    number: str
    status: ComplaintStatus
    submitted_at: datetime
    timezone: str
    steps: Sequence[Step]
    limits: Sequence[Limit]
    requests: Sequence[RequestKind]


@dataclass(frozen=True)
class ComplaintPage:
    """What an officer sees of a complaint, and the contacts that may be meant."""

    complaint: Complaint
    attempts: Sequence[Any] = field(default_factory=tuple)
    proofs: Sequence[Any] = field(default_factory=tuple)
