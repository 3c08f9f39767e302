"""Record contact attempts: what several sources say about one attempt becomes one row, contradictions are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from audit_service.contacts.directory import Directory
from audit_service.contacts.errors import NumberRefusedError
from audit_service.contacts.models import Borrower, ContactAttempt, Direction, Outcome, Recipient, ZoneSource
from audit_service.contacts.numbers import e164
from audit_service.contacts.values import AttemptRecord, FieldProblem, RecordedAttempt
from audit_service.organizations.models import Institution

CLOCK_TOLERANCE = timedelta(minutes=5)
"""Diallers and recorders run on different clocks; further apart than this, two records mean two calls."""
TALK_TOLERANCE_S = 5.0
_REGISTER = "Correct the key, or register it first with `audit-service register`."
_COMPARE = "Find out which source is right; the fact stored first was kept."
_OTHER = "Give each attempt a reference of its own, or correct the field."


def record_attempt(session: Session, record: AttemptRecord) -> RecordedAttempt:
    """Record what one source says about a contact attempt; see ``record_attempts``."""
    return record_attempts(session, [record])[0]


def record_attempts(session: Session, records: Sequence[AttemptRecord]) -> list[RecordedAttempt]:
    """Record what sources say about contact attempts, with a number of queries that does not grow with the records.

    A record whose (institution, reference) is known joins that attempt, whichever source came first: its facts fill
    the gaps, facts that contradict are reported and left out. A record that names something unknown, or that means
    another borrower, agency, channel or time than the stored attempt, is refused as a whole.

    Returns:
        One answer for each record, in their order.
    """
    for institution in sorted({record.institution for record in records}):
        # Two sources of the same attempt at once must not both find nothing.
        session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"contact-log:{institution}"}
        )
    directory = Directory(session, records)
    answers = [_record(session, directory, record) for record in records]
    session.flush()
    return answers


def _record(session: Session, directory: Directory, record: AttemptRecord) -> RecordedAttempt:
    problems: list[FieldProblem] = []
    institution = directory.institutions.get(record.institution)
    if institution is None:
        return _refused([_unknown("institution", record.institution)])
    facts = _facts(directory, institution, record, problems)
    if problems:
        return _refused(problems)
    key = (institution.id, record.reference)
    known = directory.attempts.get(key)
    if known is not None:
        return _join(known, facts)
    made = ContactAttempt(**_completed(facts, directory.borrowers[institution.id, record.borrower]))
    session.add(made)
    directory.attempts[key] = made
    return RecordedAttempt(made, is_new=True)


def _refused(problems: Sequence[FieldProblem]) -> RecordedAttempt:
    return RecordedAttempt(None, is_new=False, problems=tuple(problems))


def _unknown(field: str, value: str) -> FieldProblem:
    return FieldProblem(field, f"{value[:80]!r} is not registered", _REGISTER)


def _facts(
    directory: Directory, institution: Institution, record: AttemptRecord, problems: list[FieldProblem]
) -> dict[str, Any]:
    """Return the columns that the record speaks of; things it names that do not exist go to ``problems``."""
    borrower = directory.borrowers.get((institution.id, record.borrower))
    agency = directory.agencies.get((institution.id, record.agency))
    if borrower is None:
        problems.append(_unknown("borrower", record.borrower))
    if agency is None:
        problems.append(_unknown("agency", record.agency))
    number = _number(record, institution, problems)
    if borrower is None or agency is None:
        return {}
    account = directory.accounts.get((borrower.id, record.account))
    if record.account and account is None:
        problems.append(_unknown("account", record.account))
    agent = directory.agents.get((agency.id, record.agent))
    person = directory.contact_persons.get((borrower.id, record.contact_person))
    return {
        "institution_id": institution.id,
        "reference": record.reference,
        "borrower_id": borrower.id,
        "agency_id": agency.id,
        "agent_id": None if agent is None else agent.id,
        "account_id": None if account is None else account.id,
        "contact_person_id": None if person is None else person.id,
        "channel": record.channel,
        "direction": record.direction,
        "recipient": record.recipient or (Recipient.THIRD_PARTY if person is not None else None),
        "number": number,
        "started_at": record.started_at,
        "timezone": record.timezone,
        "zone_source": ZoneSource.STATED if record.timezone else ZoneSource.UNKNOWN,
        "site_timezone": agency.timezone or (institution.timezone if agency.is_internal else None),
        "outcome": record.outcome,
        "talk_s": record.talk_s,
        "exhibit_id": record.exhibit_id,
        "source_row": record.source_row,
    }


def _number(record: AttemptRecord, institution: Institution, problems: list[FieldProblem]) -> str:
    if not record.number or "@" in record.number:  # messages may go to an address instead of a number
        return record.number
    try:
        return e164(record.number, institution.jurisdiction)
    except NumberRefusedError as error:
        problems.append(FieldProblem("number", error.message, error.remedy))
        return ""


def _completed(facts: Mapping[str, Any], borrower: Borrower) -> dict[str, Any]:
    """Return the facts of a new attempt; what no source says gets the value that means so."""
    recipient = facts["recipient"] or Recipient.BORROWER
    zone = facts["timezone"] or (borrower.timezone if recipient is Recipient.BORROWER else None)
    source = facts["zone_source"] if facts["timezone"] or not zone else ZoneSource.REGISTERED
    return {
        **facts,
        "zone_source": source,
        "direction": facts["direction"] or Direction.OUTBOUND,
        "recipient": recipient,
        "outcome": facts["outcome"] or Outcome.UNKNOWN,
        "timezone": zone,
    }


_IDENTITY = {"borrower_id": "borrower", "agency_id": "agency", "channel": "channel"}
_COMPARED = {
    "agent_id": "agent",
    "account_id": "account",
    "contact_person_id": "contact_person",
    "direction": "direction",
    "recipient": "recipient",
    "number": "number",
    "timezone": "timezone",
    "outcome": "outcome",
    "talk_s": "talk_s",
}


def _join(known: ContactAttempt, facts: Mapping[str, Any]) -> RecordedAttempt:
    other = [
        FieldProblem(name, f"another {name} than the stored attempt {known.reference!r} has", _OTHER)
        for column, name in _IDENTITY.items()
        if getattr(known, column) != facts[column]
    ]
    if abs(known.started_at - facts["started_at"]) > CLOCK_TOLERANCE:
        reason = f"the stored attempt {known.reference!r} began at {known.started_at.isoformat()}"
        other.append(FieldProblem("started_at", reason, _OTHER))
    if other:
        return _refused(other)
    _prefer_stated_zone(known, facts)
    problems = [
        FieldProblem(name, f"contradicts the stored attempt {known.reference!r}", _COMPARE)
        for column, name in _COMPARED.items()
        if not _fill(known, column, facts[column])
    ]
    if known.exhibit_id is None:
        known.exhibit_id, known.source_row = facts["exhibit_id"], facts["source_row"]
    return RecordedAttempt(known, is_new=False, problems=tuple(problems))


def _prefer_stated_zone(known: ContactAttempt, facts: Mapping[str, Any]) -> None:
    """Let the zone that a source states for this very contact stand before the one registered for the borrower."""
    if facts["timezone"] and known.zone_source is not ZoneSource.STATED:
        known.timezone, known.zone_source = facts["timezone"], ZoneSource.STATED
    known.site_timezone = known.site_timezone or facts["site_timezone"]


def _fill(known: ContactAttempt, column: str, value: Any) -> bool:
    """Fill a gap of ``known``; False if the value contradicts what stands there."""
    stored = getattr(known, column)
    if _is_gap(value) or _agree(stored, value):
        return True
    if _is_gap(stored):
        setattr(known, column, value)
        return True
    return False


def _is_gap(value: Any) -> bool:
    return value in (None, "", Outcome.UNKNOWN)


def _agree(stored: Any, value: Any) -> bool:
    if isinstance(stored, float) and isinstance(value, float):
        return abs(stored - value) <= TALK_TOLERANCE_S
    if isinstance(stored, str) and isinstance(value, str) and "*" in stored + value:
        return True  # a masked number tells too little to contradict the whole one
    return bool(stored == value)
