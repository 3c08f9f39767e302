"""Takes call logs and message logs: each row becomes a contact attempt, or a problem that names row and field."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service.contacts import services as contacts
from audit_service.contacts.models import ContactAttempt, Message, Speaker
from audit_service.contacts.values import AttemptRecord, RecordedAttempt
from audit_service.custody.models import ExhibitKind
from audit_service.errors import InputProblem
from audit_service.intake import columns
from audit_service.intake.columns import Header, read_header
from audit_service.intake.errors import FileRefusedError
from audit_service.intake.forms.hints import Hints, hints_for
from audit_service.intake.forms.reading import LogForm, form_of, rows_in
from audit_service.intake.handover import hand_contact_logs, hand_messages
from audit_service.intake.records import Facts, call_record, message_record
from audit_service.intake.rows import BrokenRow, Row

ROWS_A_BATCH = 1000
LONGEST_THREAD = 120
_GIVE_ROWS = "Export the log again with its header and at least one row."


@dataclass(frozen=True)
class ExaminedLog:
    """A log whose header can be used, the form it is in, and what its sender says about it."""

    form: LogForm
    header: Header
    hints: Hints

    @property
    def kind(self) -> ExhibitKind:
        """Return what kind of log it is."""
        return ExhibitKind.MESSAGE_LOG if self.header.is_message_log else ExhibitKind.CALL_LOG

    @property
    def note(self) -> str:
        """Return how the text was read, where that is not a matter of course; else nothing."""
        return self.form.note


@dataclass(frozen=True)
class ParsedRow:
    """A row whose fields could all be read."""

    row: Row
    record: AttemptRecord
    sender: Speaker = Speaker.UNKNOWN
    text: str = ""
    thread: str = ""


@dataclass
class LogResult:
    """What became of the rows of one log."""

    rows_total: int = 0
    rows_stored: int = 0
    problems: list[InputProblem] = field(default_factory=list)
    borrower_ids: set[int] = field(default_factory=set)
    message_ids: list[int] = field(default_factory=list)


def examine(path: Path) -> ExaminedLog:
    """Return what log a file is, from its header and the JSON beside it; nothing is stored yet.

    Raises:
        FileRefusedError: it is not what its name says, or its header does not fit.
    """
    form, hints = form_of(path), hints_for(path)
    first = next(rows_in(path, form, hints), None)
    if first is None:
        raise FileRefusedError("log.empty", "It holds no rows.", remedy=_GIVE_ROWS)
    if isinstance(first, BrokenRow):
        raise FileRefusedError("log.header", f"The header: {first.reason}.", remedy=first.remedy)
    return ExaminedLog(form, read_header(first.cells), hints)


def store(session: Session, path: Path, name: str, examined: ExaminedLog, exhibit_id: int) -> LogResult:
    """Store the rows of a log and hand them to detection, batch by batch, in the session's transaction.

    Every row at fault becomes a problem that names file, row and field; the other rows go in.
    """
    result = LogResult()
    result.problems += [
        InputProblem(name, "this column is not known and was left out", field=unknown, remedy="Rename or remove it.")
        for unknown in examined.header.unknown
    ]
    rows = rows_in(path, examined.form, examined.hints)
    next(rows)
    while batch := list(islice(rows, ROWS_A_BATCH)):
        result.rows_total += len(batch)
        _store_batch(session, list(_parsed(batch, name, examined.header, exhibit_id, result)), name, examined, result)
    hand_messages(session, result.message_ids)
    hand_contact_logs(session, result.borrower_ids)
    return result


def _parsed(
    batch: Sequence[Row | BrokenRow], name: str, header: Header, exhibit_id: int, result: LogResult
) -> Iterator[ParsedRow]:
    for row in batch:
        if isinstance(row, BrokenRow):
            result.problems.append(InputProblem(name, row.reason, row=row.number, remedy=row.remedy))
            continue
        if len(row.cells) != header.width:
            result.problems.append(_width_problem(row, name, header))
            continue
        values = {column: row.cells[position] for column, position in header.positions.items()}
        required = columns.MESSAGE_REQUIRED if header.is_message_log else columns.CALL_REQUIRED
        facts = Facts(values, required, header.written)
        parsed = _message(row, facts) if header.is_message_log else _call(row, facts)
        result.problems += [
            InputProblem(name, problem.reason, row=row.number, field=problem.field, remedy=problem.remedy)
            for problem in facts.problems
        ]
        if parsed is not None:
            yield replace(parsed, record=replace(parsed.record, exhibit_id=exhibit_id, source_row=row.number))


def _width_problem(row: Row, name: str, header: Header) -> InputProblem:
    reason = f"the row has {len(row.cells)} fields where the header has {header.width}"
    remedy = "Put fields that hold a comma between quotes, and leave no field out."
    first_wrong = header.cells[min(len(row.cells), header.width - 1)]
    return InputProblem(name, reason, row=row.number, field=first_wrong, remedy=remedy)


def _call(row: Row, facts: Facts) -> ParsedRow | None:
    record = call_record(facts)
    return None if record is None else ParsedRow(row, record)


def _message(row: Row, facts: Facts) -> ParsedRow | None:
    text = facts.read("text", lambda words: unicodedata.normalize("NFC", words))
    thread = facts.key("thread")
    read = message_record(facts)
    if read is None or text is None or facts.problems:
        return None
    record, sender = read
    return ParsedRow(row, record, sender, text, thread)


def _store_batch(
    session: Session, rows: Sequence[ParsedRow], name: str, examined: ExaminedLog, result: LogResult
) -> None:
    answers = contacts.record_attempts(session, [parsed.record for parsed in rows]) if rows else []
    taken: list[tuple[ParsedRow, RecordedAttempt]] = []
    for parsed, answer in zip(rows, answers, strict=True):
        result.problems += [
            InputProblem(
                name,
                problem.reason,
                row=parsed.row.number,
                field=examined.header.name_in_file(problem.field),
                remedy=problem.remedy,
            )
            for problem in answer.problems
        ]
        if answer.attempt is not None:
            taken.append((parsed, answer))
            result.borrower_ids.add(answer.attempt.borrower_id)
    if examined.header.is_message_log:
        _store_messages(session, taken, name, examined, result)
    else:
        result.rows_stored += len(taken)


def _store_messages(
    session: Session,
    taken: Sequence[tuple[ParsedRow, RecordedAttempt]],
    name: str,
    examined: ExaminedLog,
    result: LogResult,
) -> None:
    joined = {answer.attempt.id for _, answer in taken if answer.attempt is not None and not answer.is_new}
    query = select(Message).where(Message.attempt_id.in_(joined))
    known = {message.attempt_id: message for message in session.scalars(query)} if joined else {}
    made: list[Message] = []
    for parsed, answer in taken:
        if answer.attempt is None:
            continue
        stored = known.get(answer.attempt.id)
        if stored is None:
            stored = _new_message(parsed, answer.attempt)
            known[answer.attempt.id] = stored
            made.append(stored)
        if (stored.text, stored.sender) == (parsed.text, parsed.sender):
            result.rows_stored += 1
        else:
            reason = f"another message is stored under {parsed.record.reference!r}"
            remedy = "Give each message a reference of its own."
            field_name = examined.header.name_in_file("text")
            result.problems.append(InputProblem(name, reason, row=parsed.row.number, field=field_name, remedy=remedy))
    session.add_all(made)
    session.flush()
    result.message_ids += [message.id for message in made]


def _new_message(parsed: ParsedRow, attempt: ContactAttempt) -> Message:
    other = parsed.record.contact_person or attempt.number
    return Message(
        attempt_id=attempt.id,
        thread=parsed.thread or f"{attempt.borrower_id}:{attempt.channel}:{other}"[:LONGEST_THREAD],
        sender=parsed.sender,
        text=parsed.text,
        raw_line=parsed.row.raw,
    )
