"""Refusals of the rule engine: a rule file that cannot be used, and where it is wrong."""

from __future__ import annotations

from pathlib import Path

from audit_service.errors import AuditError


class RulePackError(AuditError):
    """A rule pack cannot be loaded; names file and line of the first thing wrong."""

    code = "detection.rule_pack"
    exit_code = 3

    def __init__(self, file: Path, line: int, message: str, route: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{file}:{line}: {message}", remedy="Run `rules lint` to see every problem.")
        self.file = file
        self.line = line
        self.route = route


class ConditionError(ValueError):
    """A rule's condition does not follow the grammar of :mod:`audit_service.detection.conditions`."""


class UnknownRuleError(AuditError):
    """No loaded pack holds a rule of this id."""

    code = "detection.unknown_rule"
    http_status = 404
    exit_code = 4


class SelfApprovalError(AuditError):
    """A pack has no approver, or one who wrote what is to be approved."""

    code = "detection.self_approval"
    http_status = 409
    exit_code = 3
