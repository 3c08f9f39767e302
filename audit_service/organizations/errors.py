"""Refusals of the directory of organisations and its users."""

from __future__ import annotations

from collections.abc import Sequence

from audit_service.errors import AuditError, InputProblem, InputRefusedError


class RegistryRefusedError(InputRefusedError):
    """A registry document cannot be used; ``problems`` names every place in it, nothing of it was stored."""

    code = "organizations.registry_refused"

    def __init__(self, problems: Sequence[InputProblem]) -> None:
        listed = "; ".join(f"{problem.field}: {problem.reason}" for problem in problems)
        remedy = problems[0].remedy if problems else ""
        super().__init__(f"The registry cannot be used. {listed}", remedy=remedy)
        self.problems = tuple(problems)


class DuplicateUserError(AuditError):
    """A user with this e-mail address exists already."""

    code = "organizations.duplicate_user"
    http_status = 409
    exit_code = 3


class UserRefusedError(InputRefusedError):
    """The facts of a new user contradict each other or name something that does not exist."""

    code = "organizations.user_refused"
