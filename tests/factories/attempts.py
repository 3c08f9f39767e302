"""Entries of a contact log, as the rule engine takes them."""

from __future__ import annotations

from datetime import UTC, datetime

from audit_service.detection import Attempt


def call(started_at: str, zone: str | None = "Asia/Shanghai", **values: object) -> Attempt:
    """Return an answered call to the borrower's own number, at an instant with an offset."""
    fields = {
        "id": "1",
        "borrower_id": "b",
        "contact_person_id": None,
        "is_related": None,
        "number": "1",
        "agency_id": "a",
        "institution_id": "i",
        "channel": "call",
        "direction": "outbound",
        "started_at": datetime.fromisoformat(started_at).astimezone(UTC),
        "timezone": zone,
        "is_answered": True,
        "talk_s": 60.0,
        "recipient": "borrower",
        "jurisdiction": "cn",
    }
    return Attempt(**(fields | values))
