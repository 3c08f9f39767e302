"""The ledger: canonical JSON entries (RFC 8785), each holding the hash of the one before.

The hash of an entry is its leaf hash in the Merkle tree of RFC 9162, so one hash serves chain and tree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from evidence_store.errors import LedgerBrokenError
from evidence_store.merkle import leaf_hash

FIRST_PREVIOUS = "0" * 64
INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True)
class LedgerEntry:
    """One entry.

    Attributes:
        seq: its place, from 1.
        recorded_at: the instant it was written, UTC.
        canonical: the text that is hashed.
        previous: hash of the entry before, hexadecimal; zeros for the first.
        entry_hash: its own hash, hexadecimal.
    """

    seq: int
    recorded_at: datetime
    canonical: str
    previous: str
    entry_hash: str

    @property
    def computed_hash(self) -> str:
        """Return the hash that the canonical text really has."""
        return leaf_hash(self.canonical.encode("utf-8")).hex()


def append(  # noqa: PLR0913 - one argument for each field of an entry
    last: LedgerEntry | None,
    *,
    recorded_at: datetime,
    actor: str,
    action: str,
    object_kind: str,
    object_id: str,
    detail: Mapping[str, str | int | bool],
) -> LedgerEntry:
    """Return the entry that follows ``last``; nothing is stored."""
    seq = 1 if last is None else last.seq + 1
    previous = FIRST_PREVIOUS if last is None else last.entry_hash
    document: dict[str, Any] = {
        "seq": seq,
        "recorded_at": recorded_at.astimezone(UTC).strftime(INSTANT),
        "actor": actor,
        "action": action,
        "object": {"kind": object_kind, "id": object_id},
        "detail": dict(detail),
        "previous": previous,
    }
    canonical = rfc8785.dumps(document)
    return LedgerEntry(seq, recorded_at, canonical.decode("utf-8"), previous, leaf_hash(canonical).hex())


def stored_entry(*, canonical: str, entry_hash: str) -> LedgerEntry:
    """Read an entry back from its canonical text and the hash stored beside it; the hash is not yet checked.

    Raises:
        LedgerBrokenError: the text is no entry.
    """
    try:
        document = json.loads(canonical)
        recorded_at = datetime.strptime(document["recorded_at"], INSTANT).replace(tzinfo=UTC)
        return LedgerEntry(int(document["seq"]), recorded_at, canonical, str(document["previous"]), entry_hash)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerBrokenError(f"A ledger entry cannot be read: {canonical[:80]!r}.") from error
