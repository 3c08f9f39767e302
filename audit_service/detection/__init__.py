"""The pure rule engine: text and contact log in, findings out.

No framework, no database, no clock; the only files it reads are rule packs. See docs/rules-authoring.md.
"""

from audit_service.detection.engine import Engine
from audit_service.detection.errors import RulePackError, UnknownRuleError
from audit_service.detection.examples import ExampleFailure, test_examples
from audit_service.detection.linting import LintProblem, lint
from audit_service.detection.loading import load_packs
from audit_service.detection.rules import Authority, Pack, Rule
from audit_service.detection.values import (
    Attempt,
    CeaseRequest,
    Complaint,
    Consent,
    Conversation,
    FoundFinding,
    ScanResult,
    Turn,
    Undetermined,
)

__all__ = [
    "Attempt",
    "Authority",
    "CeaseRequest",
    "Complaint",
    "Consent",
    "Conversation",
    "Engine",
    "ExampleFailure",
    "FoundFinding",
    "LintProblem",
    "Pack",
    "Rule",
    "RulePackError",
    "ScanResult",
    "Turn",
    "Undetermined",
    "UnknownRuleError",
    "lint",
    "load_packs",
    "test_examples",
]
