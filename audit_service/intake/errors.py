"""Refusals of intake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from audit_service.contacts.values import FieldProblem
from audit_service.errors import InputRefusedError


class FileRefusedError(InputRefusedError):
    """A file cannot be used as it is: its item is quarantined with this reason, its bytes are kept.

    Attributes:
        reason_code: dotted, lower case, stable, e.g. ``sidecar.missing``.
        problems: the fields at fault, where the file could be read so far.
    """

    code = "intake.file_refused"

    def __init__(self, reason_code: str, message: str, *, remedy: str, problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.reason_code = reason_code
        self.problems = tuple(problems)

    @classmethod
    def of_fields(cls, reason_code: str, message: str, problems: Sequence[FieldProblem], remedy: str) -> Self:
        """Return the refusal for fields at fault; the text names each after ``message``."""
        listed = "; ".join(f"{problem.field}: {problem.reason}" for problem in problems)
        return cls(reason_code, f"{message} {listed}.".lstrip(), remedy=remedy, problems=problems)


class FieldRefusedError(InputRefusedError):
    """The text of one field cannot be read."""

    code = "intake.field_refused"


class FileChangedError(InputRefusedError):
    """The file was being written while it was read; nothing of it was stored."""

    code = "intake.file_changed"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} changed while it was read.", remedy="Hand it in again once it is complete.")


class FileUnreadableError(InputRefusedError):
    """The file cannot be opened or read; nothing of it was stored."""

    code = "intake.file_unreadable"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be read: {reason}.", remedy="Check that it exists and may be read.")
