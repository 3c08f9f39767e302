"""Use-cases of custody: seal a file, write to the ledger, sign checkpoints, verify all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.custody.models import Action, CheckpointRow, CustodyEvent, Exhibit, LedgerRow
from audit_service.custody.values import SYSTEM, Act, Receipt, Sealing
from audit_service.custody.vault import Vault
from audit_service.errors import NotFoundError
from evidence_store import (
    Checkpoint,
    ExpectedObject,
    LedgerEntry,
    SealedReader,
    Verdict,
    merkle,
    verify_ledger,
    verify_store,
)
from evidence_store import ledger as chain

# One writer of the ledger at a time: its order is the order of commit. The number is arbitrary but fixed.
LEDGER_LOCK = 7_266_001


def seal(session: Session, vault: Vault, stream: IO[bytes], receipt: Receipt) -> Sealing:
    """Seal the bytes of ``stream`` and record their receipt; the same bytes again are the same exhibit.

    The object is written before the transaction commits: a crash in between leaves an object that no exhibit names,
    which the next receipt of the same bytes adopts. An exhibit without its object cannot arise.
    """
    sealed = vault.store.seal(stream)
    # Two receipts of the same bytes at once must not both find nothing.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:address, 0))"), {"address": sealed.sha256})
    known = session.scalar(select(Exhibit).where(Exhibit.sha256 == sealed.sha256))
    if known is not None:
        record(session, _custody_act(Action.RECOGNISED, known, receipt), exhibit=known)
        return Sealing(exhibit=known, is_new=False)
    exhibit = Exhibit(
        number="",
        sha256=sealed.sha256,
        size_bytes=sealed.size_bytes,
        kind=receipt.kind,
        media_type=receipt.media_type,
        original_name=receipt.original_name,
        route=receipt.route,
        received_at=clock.now(),
        derived_from_id=receipt.derived_from_id,
        derivation=dict(receipt.derivation),
    )
    _number(session, exhibit)
    record(
        session,
        _custody_act(Action.DERIVED if receipt.derived_from_id else Action.SEALED, exhibit, receipt),
        exhibit=exhibit,
    )
    return Sealing(exhibit=exhibit, is_new=True)


def _number(session: Session, exhibit: Exhibit) -> None:
    identity = session.scalar(select(func.nextval(func.pg_get_serial_sequence("exhibits", "id"))))
    exhibit.id = int(identity or 0)
    exhibit.number = f"E-{exhibit.id:06d}"
    session.add(exhibit)
    session.flush()


def _custody_act(action: Action, exhibit: Exhibit, receipt: Receipt) -> Act:
    detail: dict[str, str | int | bool] = {
        "sha256": exhibit.sha256,
        "size_bytes": exhibit.size_bytes,
        "kind": exhibit.kind.value,
        "route": receipt.route,
    }
    if receipt.derived_from_id:
        detail["derived_from"] = receipt.derived_from_id
        detail |= receipt.derivation
    return Act(action, "exhibit", exhibit.number, actor=receipt.actor, detail=detail)


def record(session: Session, act: Act, *, exhibit: Exhibit | None = None) -> LedgerRow:
    """Append an act to the ledger, and to the chain of custody of ``exhibit`` if one is concerned."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LEDGER_LOCK})
    last = session.scalar(select(LedgerRow).order_by(LedgerRow.seq.desc()).limit(1))
    entry = chain.append(
        None if last is None else _entry(last),
        recorded_at=clock.now(),
        actor=act.actor,
        action=act.action.value,
        object_kind=act.object_kind,
        object_id=act.object_id,
        detail=act.detail,
    )
    row = LedgerRow(
        seq=entry.seq,
        recorded_at=entry.recorded_at,
        actor=act.actor,
        action=act.action,
        object_kind=act.object_kind,
        object_id=act.object_id,
        canonical=entry.canonical,
        previous=entry.previous,
        entry_hash=entry.entry_hash,
    )
    session.add(row)
    session.flush()
    if exhibit is not None:
        session.add(
            CustodyEvent(
                exhibit_id=exhibit.id,
                seq=row.seq,
                action=act.action,
                actor=act.actor,
                occurred_at=entry.recorded_at,
                detail=dict(act.detail),
            )
        )
        session.flush()
    return row


def _entry(row: LedgerRow) -> LedgerEntry:
    return chain.stored_entry(canonical=row.canonical, entry_hash=row.entry_hash)


def ledger_entries(session: Session) -> Iterator[LedgerEntry]:
    """Yield all entries of the ledger in order, without loading them at once."""
    rows = session.scalars(select(LedgerRow).order_by(LedgerRow.seq).execution_options(yield_per=2000))
    return (_entry(row) for row in rows)


def sign_checkpoint(session: Session, vault: Vault) -> CheckpointRow | None:
    """Sign the ledger's present size and Merkle root; None while nothing was added since the last one."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LEDGER_LOCK})
    hashes = [bytes.fromhex(value) for value in session.scalars(select(LedgerRow.entry_hash).order_by(LedgerRow.seq))]
    last_size = session.scalar(select(func.max(CheckpointRow.tree_size))) or 0
    if len(hashes) <= last_size:
        return None
    signed_at = clock.now()
    root = merkle.root(hashes)
    note = Checkpoint(size=len(hashes), root=root, origin=vault.origin, instant=signed_at).sign(vault.signing_key)
    row = CheckpointRow(tree_size=len(hashes), root=root.hex(), note=note, signed_at=signed_at)
    session.add(row)
    session.flush()
    return row


def checkpoint_notes(session: Session) -> list[str]:
    """Return the signed notes of all checkpoints, oldest first."""
    return list(session.scalars(select(CheckpointRow.note).order_by(CheckpointRow.tree_size)))


def verify(session: Session, vault: Vault) -> Verdict:
    """Check every sealed object against its exhibit, and the ledger against its chain and checkpoints."""
    expected = (
        ExpectedObject(sha256=exhibit.sha256, size_bytes=exhibit.size_bytes, number=exhibit.number)
        for exhibit in session.scalars(select(Exhibit).order_by(Exhibit.id).execution_options(yield_per=500))
    )
    store_verdict = verify_store(vault.store, expected)
    ledger_verdict = verify_ledger(ledger_entries(session), checkpoint_notes(session), vault.signing_key.public_key)
    return store_verdict.joined(ledger_verdict)


def open_exhibit(vault: Vault, exhibit: Exhibit) -> SealedReader:
    """Open the plain bytes of an exhibit for reading; seekable, each part authenticated as it is read."""
    return vault.store.open(exhibit.sha256)


def exhibit_by_number(session: Session, number: str) -> Exhibit:
    """Return the exhibit with this number.

    Raises:
        NotFoundError: there is none.
    """
    exhibit = session.scalar(select(Exhibit).where(Exhibit.number == number))
    if exhibit is None:
        raise NotFoundError(f"There is no exhibit {number}.", remedy="Check the number in the report or list.")
    return exhibit


def custody_chain(session: Session, exhibit: Exhibit) -> list[CustodyEvent]:
    """Return the custody events of an exhibit, oldest first."""
    return list(
        session.scalars(select(CustodyEvent).where(CustodyEvent.exhibit_id == exhibit.id).order_by(CustodyEvent.seq))
    )


__all__ = [
    "SYSTEM",
    "checkpoint_notes",
    "custody_chain",
    "exhibit_by_number",
    "ledger_entries",
    "open_exhibit",
    "record",
    "seal",
    "sign_checkpoint",
    "verify",
]
