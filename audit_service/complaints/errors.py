"""Refusals of complaints; ``field`` and ``problem`` let a page show its own words at the right place."""

from __future__ import annotations

from audit_service.errors import AuditError, InputRefusedError


class ComplaintRefusedError(InputRefusedError):
    """A field of a complaint cannot be taken as it is; nothing was stored.

    Attributes:
        field: the field of ``NewComplaint``.
        problem: ``missing``, ``too_long``, ``too_short``, ``unknown`` or ``malformed``.
    """

    code = "complaint.refused"

    def __init__(self, field: str, problem: str, message: str, *, remedy: str) -> None:
        super().__init__(f"{field}: {message}", remedy=remedy)
        self.field = field
        self.problem = problem


class StepRefusedError(AuditError):
    """A complaint in its present status cannot take this step."""

    code = "complaint.step_refused"
    http_status = 409
