"""Use-cases of intake: receive a file, and settle its item once the workers are through with it."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.contacts.values import FieldProblem
from audit_service.custody import services as custody
from audit_service.custody.models import Action, Exhibit, ExhibitKind
from audit_service.custody.values import Act, Receipt
from audit_service.custody.vault import Vault
from audit_service.errors import InputProblem
from audit_service.intake import logs, queries, recordings
from audit_service.intake.beside import LARGEST_BYTES
from audit_service.intake.discovery import SPEAKING_NAMES, beside_of, is_log
from audit_service.intake.errors import FileChangedError, FileRefusedError, FileUnreadableError
from audit_service.intake.logs import ExaminedLog
from audit_service.intake.models import IntakeItem, IntakeProblem, ItemState
from audit_service.intake.recordings import ExaminedRecording
from audit_service.intake.values import Received, Source
from audit_service.media.errors import MediaRefusedError

LONGEST_NAME = 255
_CHUNK = 1 << 20
_ASK_SENDER = "Do not open it; tell the sender. It is kept sealed, and nothing reads it."


@dataclass(frozen=True)
class _Arrival:
    """One file as it lies before us."""

    path: Path
    name: str
    source: Source
    sha256: str
    size_bytes: int
    changed_ns: int
    beside: Path | None = None
    beside_mark: tuple[int, int] | None = None


@dataclass(frozen=True)
class _Judgement:
    """What a file is: what was read of it, or why it cannot be used; and whether its bytes are to be kept."""

    kind: ExhibitKind
    media_type: str
    content: ExaminedRecording | ExaminedLog | FileRefusedError
    is_kept: bool = True


def receive_file(session: Session, vault: Vault, path: Path, source: Source) -> Received:
    """Take one file in: seal it, record what it says, and hand it to the workers, all in the session's transaction.

    The same bytes again are the same item and the same exhibit; that they came again goes into the ledger. A file
    that cannot be used is sealed and its item quarantined with the reason; when the same bytes come again (with a
    sidecar put right, or after a missing borrower was registered) they are judged anew.

    Raises:
        FileUnreadableError: the file cannot be opened.
        FileChangedError: the file was changed while it was read; the caller's transaction must not commit.
    """
    arrival = _arrival(path, source)
    known = queries.item_by_sha256(session, arrival.sha256)
    if known is not None and known.state is not ItemState.QUARANTINED:
        return _recognise(session, vault, known, arrival)
    judgement = _judge(arrival)
    # Two arrivals of the same bytes at once must not both find nothing.
    key = {"key": f"intake:{arrival.sha256}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)
    known = queries.item_by_sha256(session, arrival.sha256)
    if known is not None and known.state is not ItemState.QUARANTINED:
        return _recognise(session, vault, known, arrival)
    item = _opened_item(session, known, arrival, judgement)
    exhibit = _seal(session, vault, arrival, judgement) if judgement.is_kept else None
    item.exhibit_id = None if exhibit is None else exhibit.id
    beside = _seal_beside(session, vault, arrival)
    item.beside_id = None if beside is None else beside.id
    problems = (
        _quarantine(item, arrival, judgement.content)
        if isinstance(judgement.content, FileRefusedError)
        else _take(session, arrival, judgement.content, item)
    )
    _refuse_changed(arrival)
    _note_refusal(session, item, arrival)
    _keep_problems(session, item, problems)
    return _received(item, arrival, exhibit, problems, is_new=known is None)


def finish_item(session: Session, exhibit_id: int, code: str = "", note: str = "") -> None:
    """Mark the item of a recording as done, with a note where people must look at it; it may have no item."""
    _settle(session, exhibit_id, ItemState.DONE, code, note)


def fail_item(session: Session, exhibit_id: int, code: str, reason: str) -> None:
    """Mark the item of a recording as failed, with a stable code and the reason for people."""
    _settle(session, exhibit_id, ItemState.FAILED, code, reason)


def _settle(session: Session, exhibit_id: int, state: ItemState, code: str, reason: str) -> None:
    session.execute(
        update(IntakeItem)
        .where(IntakeItem.exhibit_id == exhibit_id, IntakeItem.state != ItemState.QUARANTINED)
        .values(state=state, reason_code=code, reason=reason, finished_at=clock.now())
    )


def _arrival(path: Path, source: Source) -> _Arrival:
    digest = hashlib.sha256()
    size_bytes = 0
    try:
        changed_ns = path.stat().st_mtime_ns
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                size_bytes += len(chunk)
    except OSError as error:
        raise FileUnreadableError(display_name(path.name), error.strerror or "unknown reason") from error
    name = display_name(source.name or path.name)
    beside = beside_of(path)
    mark = None if beside is None else _mark(beside)
    return _Arrival(path, name, source, digest.hexdigest(), size_bytes, changed_ns, beside, mark)


def _mark(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def display_name(name: str) -> str:
    """Return a file's name for people to read: NFC, one line, no characters that hide or reorder others."""
    readable = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    plain = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in readable)
    return plain[:LONGEST_NAME]


def _recognise(session: Session, vault: Vault, item: IntakeItem, arrival: _Arrival) -> Received:
    exhibit = item.exhibit
    _seal_beside(session, vault, arrival)
    if exhibit is not None:
        detail: dict[str, str | int | bool] = {"sha256": exhibit.sha256, "route": arrival.source.route}
        act = Act(Action.RECOGNISED, "exhibit", exhibit.number, actor=arrival.source.actor, detail=detail)
        custody.record(session, act, exhibit=exhibit)
    problems = [
        InputProblem(arrival.name, problem.reason, row=problem.row, field=problem.field, remedy=problem.remedy)
        for problem in queries.problems(session, item.id)
    ]
    return _received(item, arrival, exhibit, problems, is_new=False)


def _judge(arrival: _Arrival) -> _Judgement:
    """Return what the file is, from its content; nothing is stored yet."""
    refusal = _refusal_of_bytes(arrival)
    if refusal is not None:
        return _unusable(arrival, refusal, is_kept=False)
    malware = arrival.source.scanner.finding(arrival.path)
    if malware:
        return _unusable(arrival, FileRefusedError("file.malware", f"It holds {malware}.", remedy=_ASK_SENDER))
    try:
        if is_log(arrival.path):
            log = logs.examine(arrival.path)
            return _Judgement(log.kind, log.form.media_type, log)
        recording = recordings.examine(arrival.path, arrival.source.limits, arrival.name)
        return _Judgement(ExhibitKind.RECORDING, recording.media_type, recording)
    except FileRefusedError as error:
        return _unusable(arrival, error)
    except MediaRefusedError as error:
        return _unusable(arrival, FileRefusedError(error.reason_code, error.message, remedy=error.remedy))


def _unusable(arrival: _Arrival, refusal: FileRefusedError, *, is_kept: bool = True) -> _Judgement:
    """Return the judgement on a file that cannot be used; its kind is what it was handed in as."""
    if is_log(arrival.path):
        return _Judgement(ExhibitKind.CALL_LOG, "text/csv", refusal, is_kept)
    return _Judgement(ExhibitKind.RECORDING, "application/octet-stream", refusal, is_kept)


def _refusal_of_bytes(arrival: _Arrival) -> FileRefusedError | None:
    if arrival.size_bytes == 0:
        return FileRefusedError("file.empty", "It holds no bytes.", remedy="Ask the sender for it again.")
    if arrival.size_bytes > arrival.source.max_bytes:
        return FileRefusedError(
            "file.too_large",
            f"It has {arrival.size_bytes} bytes, more than the {arrival.source.max_bytes} allowed.",
            remedy="Split it, or raise AUDIT_UPLOAD_MAX_BYTES.",
        )
    return None


def _opened_item(session: Session, known: IntakeItem | None, arrival: _Arrival, judgement: _Judgement) -> IntakeItem:
    """Return the item to fill: a new one, or the quarantined one with its former reasons cleared."""
    item = known or IntakeItem(
        name=arrival.name,
        route=arrival.source.route,
        sha256=arrival.sha256,
        size_bytes=arrival.size_bytes,
        received_at=clock.now(),
    )
    if known is not None:
        session.execute(delete(IntakeProblem).where(IntakeProblem.item_id == known.id))
    item.kind = judgement.kind
    item.state = ItemState.RUNNING
    item.reason_code = item.reason = ""
    item.finished_at = None
    item.rows_total = item.rows_stored = 0
    session.add(item)
    session.flush()
    return item


def _seal(session: Session, vault: Vault, arrival: _Arrival, judgement: _Judgement) -> Exhibit:
    source = arrival.source
    receipt = Receipt(judgement.kind, judgement.media_type, arrival.name, source.route, source.actor)
    with arrival.path.open("rb") as stream:
        exhibit = custody.seal(session, vault, stream, receipt).exhibit
    if exhibit.sha256 != arrival.sha256:
        raise FileChangedError(arrival.name)
    return exhibit


def _take(
    session: Session, arrival: _Arrival, content: ExaminedRecording | ExaminedLog, item: IntakeItem
) -> list[InputProblem]:
    """Store what the file says and settle the item; return what was refused of it."""
    try:
        with session.begin_nested():  # a refusal on the way leaves nothing of the file but its sealed bytes
            if isinstance(content, ExaminedLog):
                return _take_log(session, arrival, content, item)
            return _take_recording(session, arrival, content, item)
    except FileRefusedError as refusal:
        return _quarantine(item, arrival, refusal)


def _take_recording(
    session: Session, arrival: _Arrival, examined: ExaminedRecording, item: IntakeItem
) -> list[InputProblem]:
    exhibit = session.get_one(Exhibit, item.exhibit_id)
    contradictions = recordings.store(session, examined, exhibit)
    return _named(arrival, contradictions)


def _take_log(session: Session, arrival: _Arrival, examined: ExaminedLog, item: IntakeItem) -> list[InputProblem]:
    exhibit = session.get_one(Exhibit, item.exhibit_id)
    result = logs.store(session, arrival.path, arrival.name, examined, exhibit.id)
    item.rows_total, item.rows_stored = result.rows_total, result.rows_stored
    item.finished_at = clock.now()
    if result.rows_stored:
        item.state = ItemState.DONE
        item.reason_code, item.reason = ("log.encoding", examined.note) if examined.note else ("", "")
    else:
        item.state = ItemState.QUARANTINED
        item.reason_code, item.reason = "log.no_usable_row", "None of its rows can be used; each is named."
    return result.problems


def _quarantine(item: IntakeItem, arrival: _Arrival, refusal: FileRefusedError) -> list[InputProblem]:
    item.state = ItemState.QUARANTINED
    item.reason_code, item.reason = refusal.reason_code, str(refusal)
    item.finished_at = clock.now()
    named = _named(arrival, refusal.problems)
    return named or [InputProblem(arrival.name, refusal.message, remedy=refusal.remedy)]


def _note_refusal(session: Session, item: IntakeItem, arrival: _Arrival) -> None:
    """Write into the ledger that a file was not used, and why."""
    if item.state is not ItemState.QUARANTINED:
        return
    detail: dict[str, str | int | bool] = {"state": item.state.value, "reason_code": item.reason_code}
    act = Act(Action.RECEIVED, "intake_item", str(item.id), actor=arrival.source.actor, detail=detail)
    custody.record(session, act, exhibit=session.get(Exhibit, item.exhibit_id) if item.exhibit_id else None)


def _named(arrival: _Arrival, problems: Iterable[FieldProblem]) -> list[InputProblem]:
    return [
        InputProblem(arrival.name, problem.reason, field=problem.field, remedy=problem.remedy) for problem in problems
    ]


def _refuse_changed(arrival: _Arrival) -> None:
    if _mark(arrival.path) != (arrival.size_bytes, arrival.changed_ns):
        raise FileChangedError(arrival.name)
    if arrival.beside is not None and _mark(arrival.beside) != arrival.beside_mark:
        raise FileChangedError(arrival.beside.name)


def _seal_beside(session: Session, vault: Vault, arrival: _Arrival) -> Exhibit | None:
    """Seal the JSON that speaks of a file: facts come from it, so it is evidence as the file is."""
    if arrival.beside is None or (arrival.beside_mark or (0, 0))[0] not in range(1, LARGEST_BYTES + 1):
        return None
    is_renamed = arrival.source.name and arrival.beside.name not in SPEAKING_NAMES
    name = f"{Path(arrival.name).stem}.json" if is_renamed else display_name(arrival.beside.name)
    source = arrival.source
    receipt = Receipt(ExhibitKind.SIDECAR, "application/json", name, source.route, source.actor)
    with arrival.beside.open("rb") as stream:
        return custody.seal(session, vault, stream, receipt).exhibit


def _keep_problems(session: Session, item: IntakeItem, problems: Iterable[InputProblem]) -> None:
    session.add_all(
        IntakeProblem(
            item_id=item.id, row=problem.row, field=problem.field[:60], reason=problem.reason, remedy=problem.remedy
        )
        for problem in problems
    )
    session.flush()


def _received(
    item: IntakeItem, arrival: _Arrival, exhibit: Exhibit | None, problems: Sequence[InputProblem], *, is_new: bool
) -> Received:
    return Received(
        item_id=item.id,
        name=arrival.name,
        kind=item.kind.value,
        sha256=item.sha256,
        exhibit_number="" if exhibit is None else exhibit.number,
        is_new=is_new,
        state=item.state,
        reason_code=item.reason_code,
        reason=item.reason,
        rows_total=item.rows_total,
        rows_stored=item.rows_stored,
        problems=tuple(problems),
    )
