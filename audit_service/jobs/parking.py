"""What keeps failing is parked: its intake item says why, and people decide."""

from __future__ import annotations

from procrastinate.jobs import Job

from audit_service.database import Session
from audit_service.errors import AuditError
from audit_service.intake import services as intake
from audit_service.transcription import services as transcription

TRANSCRIBE_TASK = "transcribe"


def park(session: Session, job: Job, code: str, reason: str) -> None:
    """Mark the intake item behind a transcription job as failed; other jobs keep their reason in the log."""
    if job.task_name == TRANSCRIBE_TASK:
        exhibit_id = transcription.plan(session, int(str(job.task_kwargs["recording_id"]))).exhibit_id
        intake.fail_item(session, exhibit_id, code, reason)


def park_after(session: Session, job: Job, error: Exception) -> None:
    """Park the item of a job that ended with ``error`` and is not tried again."""
    if isinstance(error, AuditError):
        park(session, job, error.code, str(error))
    else:
        park(session, job, "internal", f"{type(error).__name__} while doing {job.task_name}")
