"""Judge a contact again by the very packs that judged it before: what was flagged must be flagged again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service.contacts.models import ContactAttempt, Message
from audit_service.database import existing
from audit_service.detection import Conversation, Engine
from audit_service.errors import AuditError, IntegrityFailedError, NotFoundError
from audit_service.review.conversations import conversation_of_message, conversation_of_transcript
from audit_service.review.models import DetectionRun, Finding, PackVersion, RunScope
from audit_service.review.packs import restored
from audit_service.transcription.models import Segment, Transcript

Flag = tuple[str, int, str | None, int | None, int | None, int | None]


@dataclass(frozen=True)
class Replay:
    """One run, judged again: flags that came out the same, that are missing now, and that were not made then.

    ``obstacle`` says why the run cannot be judged again; empty where it was.
    """

    run_id: int
    started_at: datetime
    digests: tuple[str, ...]
    same: int = 0
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    obstacle: str = ""

    @property
    def is_same(self) -> bool:
        """Tell whether the run was judged again and every flag came out as it was."""
        return not (self.missing or self.added or self.obstacle)


def replay_contact(session: Session, attempt_id: int) -> list[Replay]:
    """Judge the words of a contact again, once for each run over them, each by the packs of that run; newest first.

    Raises:
        NotFoundError: there is no such contact.
    """
    attempt = existing(session, ContactAttempt, attempt_id)
    runs = session.scalars(
        select(DetectionRun)
        .where(DetectionRun.scope == RunScope.CONVERSATION, DetectionRun.subject_id == attempt.id)
        .order_by(DetectionRun.id.desc())
    ).all()
    engines: dict[tuple[str, ...], Engine] = {}
    return [_replay(session, attempt, run, engines) for run in runs]


def _replay(
    session: Session, attempt: ContactAttempt, run: DetectionRun, engines: dict[tuple[str, ...], Engine]
) -> Replay:
    digests = tuple(run.digests)
    try:
        if run.finding_ids is None:
            raise NotFoundError("The run is older than the record of what each run found.")
        if digests not in engines:
            engines[digests] = Engine([restored(session, _version(session, digest)) for digest in digests])
        conversation, segments = _conversation(session, attempt, run)
    except AuditError as error:
        return Replay(run.id, run.started_at, digests, obstacle=str(error))
    before = _flags(session.scalars(select(Finding).where(Finding.id.in_(run.finding_ids))), segments)
    after: set[Flag] = {
        (found.rule_id, found.rule_version, found.rule_digest, found.turn, *_place(found.turn, found.start, found.end))
        for found in engines[digests].scan(conversation).findings
    }
    return Replay(
        run.id,
        run.started_at,
        digests,
        same=len(before & after),
        missing=tuple(sorted(flag[0] for flag in before - after)),
        added=tuple(sorted(flag[0] for flag in after - before)),
    )


def _version(session: Session, digest: str) -> PackVersion:
    version = session.scalar(select(PackVersion).where(PackVersion.digest == digest))
    if version is None:
        raise IntegrityFailedError(f"Pack {digest} is not on record.")
    return version


def _conversation(
    session: Session, attempt: ContactAttempt, run: DetectionRun
) -> tuple[Conversation, Sequence[Segment]]:
    if run.transcript_id is not None:
        transcript = existing(session, Transcript, run.transcript_id)
        return conversation_of_transcript(transcript), transcript.segments
    message = session.scalar(select(Message).where(Message.attempt_id == attempt.id))
    if message is None:
        raise NotFoundError("The words that the run judged are not on record.")
    return conversation_of_message(message), ()


def _flags(findings: Iterable[Finding], segments: Sequence[Segment]) -> set[Flag]:
    """Return what was flagged as the engine names it: turns by number. A digest that was never kept fits none."""
    turns = {segment.id: number for number, segment in enumerate(segments)}
    flags: set[Flag] = set()
    for finding in findings:
        has_words = finding.start_offset is not None
        turn = turns.get(finding.segment_id or 0, 0) if has_words else None
        place = (finding.start_offset, finding.end_offset)
        flags.add((finding.rule_id, finding.rule_version, finding.rule_digest, turn, *place))
    return flags


def _place(turn: int | None, start: int, end: int) -> tuple[int | None, int | None]:
    return (None, None) if turn is None else (start, end)
