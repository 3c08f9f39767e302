"""Judge sealed objects, a ledger and its checkpoints: holds, does not hold, or could not be checked.

No error of another kind leaves this module: what cannot be read is a problem with a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from evidence_store import merkle
from evidence_store.checkpoint import Checkpoint
from evidence_store.errors import EvidenceError, KeyRefusedError, ObjectMissingError
from evidence_store.keys import PublicKey
from evidence_store.ledger import FIRST_PREVIOUS, LedgerEntry
from evidence_store.store import Store


class Outcome(StrEnum):
    """What a verification says."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does_not_hold"
    COULD_NOT_CHECK = "could_not_check"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: a stable code, where, and what it means."""

    code: str
    where: str
    message: str
    is_unchecked: bool = False

    def __str__(self) -> str:
        """Return ``where: message``."""
        return f"{self.where}: {self.message}"


@dataclass(frozen=True)
class Verdict:
    """The outcome of a verification, its problems with the first first, and how many things were checked."""

    problems: tuple[Problem, ...] = ()
    checked: Mapping[str, int] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """Return what the problems amount to: anything wrong outweighs what could not be checked."""
        if any(not problem.is_unchecked for problem in self.problems):
            return Outcome.DOES_NOT_HOLD
        return Outcome.COULD_NOT_CHECK if self.problems else Outcome.HOLDS

    @property
    def holds(self) -> bool:
        """Tell whether everything was checked and nothing is wrong."""
        return self.outcome is Outcome.HOLDS

    def joined(self, other: Verdict) -> Verdict:
        """Return both verdicts as one."""
        return Verdict(self.problems + other.problems, {**self.checked, **other.checked})


@dataclass(frozen=True)
class ExpectedObject:
    """What the records say is sealed: address, size in bytes, and the exhibit's number."""

    sha256: str
    size_bytes: int
    number: str


def verify_store(store: Store, expected: Iterable[ExpectedObject]) -> Verdict:
    """Check that each expected object is there and is what was sealed, down to the last byte."""
    problems, number = [], 0
    for number, item in enumerate(expected, 1):  # noqa: B007 - counts what was checked
        problem = _object_problem(store, item)
        if problem is not None:
            problems.append(problem)
    return Verdict(tuple(problems), {"sealed objects": number})


def _object_problem(store: Store, item: ExpectedObject) -> Problem | None:
    where = f"exhibit {item.number}"
    try:
        size = store.check(item.sha256)
    except ObjectMissingError as error:
        return Problem("object.missing", where, str(error))
    except KeyRefusedError as error:
        return Problem("object.key", where, str(error))
    except (EvidenceError, OSError, ValueError) as error:
        return Problem("object.altered", where, str(error))
    if size != item.size_bytes:
        return Problem("object.size", where, f"The records say {item.size_bytes} bytes, sealed are {size}.")
    return None


def verify_ledger(entries: Iterable[LedgerEntry], notes: Sequence[str], key: PublicKey) -> Verdict:
    """Check the chain entry by entry, and every checkpoint's signature, size and root."""
    hashes: list[bytes] = []
    problem: Problem | None = None
    previous = FIRST_PREVIOUS
    for entry in entries:
        problem = problem or _entry_problem(entry, len(hashes) + 1, previous)
        previous = entry.entry_hash
        hashes.append(bytes.fromhex(entry.computed_hash))
    problems = [] if problem is None else [problem]
    problems += [found for note in notes if (found := _checkpoint_problem(note, hashes, key)) is not None]
    if hashes and not notes:
        problems.append(Problem("checkpoint.none", "checkpoints", "No checkpoint was signed.", is_unchecked=True))
    return Verdict(tuple(problems), {"ledger entries": len(hashes), "checkpoints": len(notes)})


def _entry_problem(entry: LedgerEntry, place: int, previous: str) -> Problem | None:
    where = f"ledger entry {place}"
    if entry.computed_hash != entry.entry_hash:
        return Problem("ledger.altered", where, "Its text is not what was hashed.")
    if entry.seq > place:
        return Problem("ledger.missing", where, f"It is missing; entry {entry.seq} stands in its place.")
    if entry.seq < place:
        return Problem("ledger.reordered", where, f"Entry {entry.seq} stands here, repeated or out of order.")
    if entry.previous != previous:
        return Problem("ledger.chain", where, "It does not follow the entry before it.")
    return None


def _checkpoint_problem(note: str, hashes: Sequence[bytes], key: PublicKey) -> Problem | None:
    try:
        checkpoint = Checkpoint.opened(note, key)
    except EvidenceError as error:
        return Problem("checkpoint.signature", "checkpoint", str(error))
    where = f"checkpoint over {checkpoint.size} entries"
    if checkpoint.size > len(hashes):
        return Problem("checkpoint.size", where, f"The ledger has only {len(hashes)} entries: some were dropped.")
    if merkle.root(hashes[: checkpoint.size]) != checkpoint.root:
        return Problem("checkpoint.root", where, "The ledger's root is not the one that was signed.")
    return None
