"""Read a complaint from a JSON document, as a file or an institution's system hands it in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit_service.complaints.errors import ComplaintRefusedError
from audit_service.complaints.models import RequestKind
from audit_service.complaints.values import Incident, NewComplaint


def from_document(document: Mapping[str, Any], *, route: str = "cli") -> NewComplaint:
    """Return the complaint that ``document`` describes; samples/README.md names its fields.

    Raises:
        ComplaintRefusedError: a field is missing or of the wrong form; it is named.
    """
    return NewComplaint(
        institution=_text(document, "institution"),
        complainant_name=_text(document, "complainant_name"),
        phone=_text(document, "phone"),
        narrative=_text(document, "narrative"),
        language=str(document.get("language", "zh")),
        account_hint=str(document.get("account_hint") or ""),
        on_behalf=bool(document.get("on_behalf", False)),
        incidents=tuple(_incident(row) for row in document.get("incidents", ())),
        requests=tuple(_request(name) for name in document.get("requests", ())),
        route=route,
        submitted_at=_instant(document.get("submitted_at")),
    )


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ComplaintRefusedError(name, "missing", "this field is missing or no text.", remedy="Fill it in.")
    return value


def _incident(row: object) -> Incident:
    if not isinstance(row, Mapping) or not isinstance(row.get("what"), str):
        raise ComplaintRefusedError(
            "incidents",
            "malformed",
            "an incident is an object with when_text and what.",
            remedy="Correct the document.",
        )
    return Incident(when_text=str(row.get("when_text") or ""), what=row["what"])


def _request(name: object) -> RequestKind:
    try:
        return RequestKind(str(name))
    except ValueError as error:
        known = ", ".join(kind.value for kind in RequestKind)
        raise ComplaintRefusedError(
            "requests", "unknown", f"{name!r} is no request.", remedy=f"Use {known}."
        ) from error


def _instant(text: object) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise _no_instant(text) from error
    if instant.tzinfo is None:
        raise _no_instant(text)
    return instant


def _no_instant(text: object) -> ComplaintRefusedError:
    return ComplaintRefusedError(
        "submitted_at",
        "malformed",
        f"{str(text)[:40]!r} is no instant with an offset.",
        remedy="Write it as 2026-03-10T09:00:00+08:00.",
    )
