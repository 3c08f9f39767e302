"""Content-addressed sealed storage, a custody ledger, and a verifier. Needs neither Flask nor a database.

The door: seal and open with ``Store``, chain with ``ledger``, sign with ``Checkpoint``, hand over with
``write_package``, judge with ``verify_store``, ``verify_ledger`` and ``verify_package``. Errors: ``EvidenceError``.
"""

from evidence_store import ledger, merkle
from evidence_store.backends.local import LocalBackend
from evidence_store.checkpoint import Checkpoint
from evidence_store.errors import (
    CheckpointRefusedError,
    EvidenceError,
    KeyRefusedError,
    LedgerBrokenError,
    ObjectAlteredError,
    ObjectMissingError,
    PackageRefusedError,
)
from evidence_store.keys import MasterKey, PublicKey, SigningKey
from evidence_store.ledger import LedgerEntry
from evidence_store.package import PackageContent, PackagedExhibit, verify_package, write_package
from evidence_store.seal import SealedReader
from evidence_store.store import SealedObject, Store
from evidence_store.verify import ExpectedObject, Outcome, Problem, Verdict, verify_ledger, verify_store

__all__ = [
    "Checkpoint",
    "CheckpointRefusedError",
    "EvidenceError",
    "ExpectedObject",
    "KeyRefusedError",
    "LedgerBrokenError",
    "LedgerEntry",
    "LocalBackend",
    "MasterKey",
    "ObjectAlteredError",
    "ObjectMissingError",
    "Outcome",
    "PackageContent",
    "PackageRefusedError",
    "PackagedExhibit",
    "Problem",
    "PublicKey",
    "SealedObject",
    "SealedReader",
    "SigningKey",
    "Store",
    "Verdict",
    "ledger",
    "merkle",
    "verify_ledger",
    "verify_package",
    "verify_store",
    "write_package",
]
