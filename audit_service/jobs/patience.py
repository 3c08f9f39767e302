"""When a failed job is tried again, and when it is parked."""

from __future__ import annotations

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from audit_service.errors import AuditError


def is_final(error: BaseException, job: Job, attempts: int) -> bool:
    """Tell whether trying again is pointless: the input was refused, or the job was tried ``attempts`` times."""
    is_refused = isinstance(error, AuditError) and not error.is_passing
    return is_refused or job.attempts + 1 >= attempts


class Patience(BaseRetryStrategy):
    """Try again after 3, 9, 27 … seconds, up to ``attempts`` times in all; never where the input was refused."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when to try again, or None for not at all."""
        if is_final(exception, job, self.attempts):
            return None
        return RetryDecision(retry_in={"seconds": 3 ** (job.attempts + 1)})
