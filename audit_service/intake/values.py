"""Plain values that pass into and out of intake."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from audit_service.custody.values import SYSTEM
from audit_service.errors import InputProblem
from audit_service.intake.malware import Scanner
from audit_service.intake.models import ItemState
from audit_service.media.values import Limits

LARGEST_FILE_BYTES = 500 * 1024**2


@dataclass(frozen=True)
class Source:
    """By which route and from whom a file comes, and what it may cost.

    Attributes:
        route: ``cli``, ``watch``, ``upload`` or ``api``.
        actor: who hands it in, for the ledger; no personal data.
        limits: what the child process that reads media may use.
        max_bytes: the largest file that is taken.
        name: the file's name as the sender wrote it, where it differs from that on disk; never used as a path.
        scanner: what looks for malware before anything reads the file.
    """

    route: str
    actor: str = SYSTEM
    limits: Limits = field(default_factory=Limits)
    max_bytes: int = LARGEST_FILE_BYTES
    name: str = ""
    scanner: Scanner = field(default_factory=Scanner)


@dataclass(frozen=True)
class Standing:
    """What became of a file: its state, why, and its exhibit."""

    sha256: str
    state: ItemState
    reason_code: str
    reason: str
    exhibit_number: str
    rows_total: int
    rows_stored: int

    def document(self) -> dict[str, str | int]:
        """Return it as the interface answers it."""
        return {**asdict(self), "state": self.state.value}


@dataclass(frozen=True)
class Received:
    """What became of one file.

    Attributes:
        item_id: the intake item; the same bytes are the same item.
        name: the name under which it came this time.
        kind: what it is, a value of ``ExhibitKind``.
        sha256: digest of its bytes.
        exhibit_number: the sealed exhibit; empty where the bytes were too many, or none.
        is_new: False if the same bytes were here before.
        state: where the item stands now.
        reason_code: why it is quarantined or failed; also a note on how it was read.
        reason: the same for people, with the remedy.
        rows_total: data rows of a log.
        rows_stored: rows that are on record now.
        problems: every row or field that was refused.
    """

    item_id: int
    name: str
    kind: str
    sha256: str
    exhibit_number: str
    is_new: bool
    state: ItemState
    reason_code: str
    reason: str
    rows_total: int
    rows_stored: int
    problems: tuple[InputProblem, ...]


@dataclass(frozen=True)
class IntakeBalance:
    """How many files came in and where they stand: received = done + failed + running + quarantined."""

    received: int
    done: int
    failed: int
    running: int
    quarantined: int

    @property
    def holds(self) -> bool:
        """Whether nothing is lost and nothing counted twice."""
        return self.received == self.done + self.failed + self.running + self.quarantined

    def __str__(self) -> str:
        """Return the balance as one line."""
        parts = f"{self.done} done + {self.failed} failed + {self.running} running + {self.quarantined} quarantined"
        return f"{self.received} received = {parts}"
