"""Take a complaint apart into allegations: each a category, the words, and the time it is said to have been."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from audit_service.complaints.models import Allegation, Complaint
from audit_service.complaints.times import TimeMention, find_times, resolve
from audit_service.complaints.triage import AllegedCategory, triage
from audit_service.complaints.values import Incident

# A full stop of English ends a sentence only before a space: “9.40 pm” and “U.S.” hold some that do not.
SENTENCE_END = re.compile(r"[。！？!?；;\n]|\.(?=\s+[A-Z]|\s*$)")
# A narrative that names one evening means that evening; one that names a month apart means nothing in between.
LONGEST_SPAN = timedelta(days=10)


def alleged(complaint: Complaint, incidents: Sequence[Incident], timezone: str) -> list[Allegation]:
    """Return the allegations of the incidents, then those that only the narrative makes, none twice."""
    said_at = complaint.submitted_at
    found: list[Allegation] = []
    seen: set[tuple[str, datetime | None]] = set()
    for incident in incidents:
        when = resolve(incident.when_text, said_at, timezone) or resolve(incident.what, said_at, timezone)
        for category in triage(incident.what).categories:
            _add(found, seen, _allegation(complaint, category, incident.what, (incident.when_text, when)))
    mentions = find_times(complaint.narrative, said_at, timezone)
    covered = {allegation.category for allegation in found}
    for category in triage(complaint.narrative).categories:
        if category.category not in covered:
            _add(
                found, seen, _allegation(complaint, category, complaint.narrative, _when(category, complaint, mentions))
            )
    for position, allegation in enumerate(found, 1):
        allegation.position = position
    return found


def _add(found: list[Allegation], seen: set[tuple[str, datetime | None]], allegation: Allegation) -> None:
    key = (allegation.category, allegation.from_at)
    if key not in seen:
        seen.add(key)
        found.append(allegation)


def _allegation(
    complaint: Complaint, category: AllegedCategory, text: str, when: tuple[str, tuple[datetime, datetime] | None]
) -> Allegation:
    when_text, stretch = when
    return Allegation(
        complaint_id=complaint.id,
        category=category.category,
        words=_sentence(text, category.start, category.end),
        when_text=when_text[:200],
        from_at=None if stretch is None else stretch[0],
        to_at=None if stretch is None else stretch[1],
    )


def _sentence(text: str, start: int, end: int) -> str:
    """Return the sentence that holds the characters from ``start`` to ``end``."""
    first = max((match.end() for match in SENTENCE_END.finditer(text) if match.end() <= start), default=0)
    last = next((match.end() for match in SENTENCE_END.finditer(text) if match.end() >= end), len(text))
    return text[first:last].strip()


def _when(
    category: AllegedCategory, complaint: Complaint, mentions: Sequence[TimeMention]
) -> tuple[str, tuple[datetime, datetime] | None]:
    """Return the time named last before the words, else the stretch of all times if it is short."""
    before = [mention for mention in mentions if mention.start <= category.end]
    if before:
        return before[-1].quote, (before[-1].from_at, before[-1].to_at)
    if mentions:
        first, last = min(m.from_at for m in mentions), max(m.to_at for m in mentions)
        if last - first <= LONGEST_SPAN and last <= complaint.submitted_at + timedelta(days=1):
            return ", ".join(mention.quote for mention in mentions), (first, last)
    return "", None
