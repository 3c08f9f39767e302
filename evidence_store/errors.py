"""The errors of the evidence store. Every one says what is wrong and with which object or entry."""

from __future__ import annotations


class EvidenceError(Exception):
    """Base of all errors of this package."""


class KeyRefusedError(EvidenceError):
    """A key has the wrong length or form, or is not the one that sealed the object."""


class ObjectMissingError(EvidenceError):
    """No sealed object, or no wrapped key, is stored under this address."""


class ObjectAlteredError(EvidenceError):
    """A sealed object is not what was sealed: bytes changed, cut off, added or moved."""


class LedgerBrokenError(EvidenceError):
    """A ledger entry cannot be read or does not hash to what it claims."""


class CheckpointRefusedError(EvidenceError):
    """A checkpoint's note is malformed, or its signature, size or root does not hold."""


class PackageRefusedError(EvidenceError):
    """A package cannot be written or read as one."""
