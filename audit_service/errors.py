"""The one family of errors that users of the service may see.

Every refusal tells what is wrong, where (file, row, field) and what to do next. Web, API and command line map
these to a status, a problem document or an exit code in one place each; nothing else is shown to a user.
"""

from __future__ import annotations

from dataclasses import dataclass


class AuditError(Exception):
    """Base of all refusals: a stable code for machines and a text for people.

    Attributes:
        code: stable, dotted, lower case, e.g. ``intake.row_invalid``; never shown alone.
        http_status: the status a web view answers with.
        exit_code: the exit status of a command (2 bad use, 3 some input refused, 4 not found, 5 integrity).
        is_passing: the cause may be gone later; a job with it is tried again.
    """

    code = "error"
    http_status = 400
    exit_code = 2
    is_passing = False

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Return the message, followed by what to do about it."""
        return f"{self.message} {self.remedy}".strip()


class NotFoundError(AuditError):
    """The named thing does not exist, or the caller may not know that it does."""

    code = "not_found"
    http_status = 404
    exit_code = 4


class InputRefusedError(AuditError):
    """Input that cannot be accepted as it is; nothing of it was stored."""

    code = "input_refused"
    http_status = 422
    exit_code = 3


class IntegrityFailedError(AuditError):
    """Sealed bytes or the ledger are not what was recorded."""

    code = "integrity_failed"
    http_status = 500
    exit_code = 5


class SettingsError(AuditError):
    """A setting is missing or contradicts another one."""

    code = "settings"
    exit_code = 2


@dataclass(frozen=True)
class InputProblem:
    """One thing wrong with an input: which file, row (1 = first data row) and field, why, and what to do."""

    file: str
    reason: str
    row: int | None = None
    field: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        """Return ``file, row 3, field started_at: reason — remedy``."""
        place = self.file + (f", row {self.row}" if self.row else "") + (f", field {self.field}" if self.field else "")
        return f"{place}: {self.reason}" + (f" — {self.remedy}" if self.remedy else "")
