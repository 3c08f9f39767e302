"""Use-case: try again what failed or waits in quarantine, from the sealed bytes; nobody has to send anything anew.

Whoever registers a missing borrower, or raises a limit, tries the files that wait for it again.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service.contacts.models import Recording
from audit_service.custody import services as custody
from audit_service.custody.models import Action, Exhibit
from audit_service.custody.values import Act
from audit_service.custody.vault import Vault
from audit_service.database import existing
from audit_service.errors import InputRefusedError
from audit_service.intake.discovery import LOG_SUFFIXES, RECORDING_SUFFIXES, SPEAKING_NAMES
from audit_service.intake.handover import hand_recording
from audit_service.intake.models import IntakeItem, ItemState
from audit_service.intake.services import receive_file
from audit_service.intake.values import Source
from audit_service.queue import DETECT, enqueue

RETRY_TASK = "retry_item"
RETRIED = (ItemState.FAILED, ItemState.QUARANTINED)
_STEM = "retried"


def waiting_items(session: Session, code: str = "") -> list[int]:
    """Return the ids of items that failed or are in quarantine; of one reason code, or of all."""
    query = select(IntakeItem.id).where(IntakeItem.state.in_(RETRIED)).order_by(IntakeItem.id)
    if code:
        query = query.where(IntakeItem.reason_code == code)
    return list(session.scalars(query))


def hand_in_again(session: Session, item_id: int, actor: str) -> None:
    """Have a worker ``retry`` an item; while it waits for that, asking again changes nothing.

    Raises:
        NotFoundError: there is no such item.
        InputRefusedError: it neither failed nor waits, or its bytes were not kept.
    """
    _retriable(session, item_id)
    enqueue(session, RETRY_TASK, queue=DETECT, once=f"retry:{item_id}", item_id=item_id, actor=actor)


def retry(session: Session, vault: Vault, item_id: int, source: Source, work_dir: Path) -> IntakeItem:
    """Try one item again: a failed recording is transcribed anew, a file in quarantine is judged anew.

    Raises:
        NotFoundError: there is no such item.
        InputRefusedError: it neither failed nor waits, or its bytes were not kept.
    """
    item = _retriable(session, item_id)
    detail: dict[str, str | int | bool] = {"reason_code": item.reason_code}
    custody.record(
        session, Act(Action.RETRIED, "intake_item", str(item.id), source.actor, detail), exhibit=item.exhibit
    )
    if item.state is ItemState.FAILED:
        _transcribe_anew(session, item)
    else:
        with _unsealed(vault, item, work_dir) as path:
            receive_file(session, vault, path, replace(source, name=item.name))
    return item


def _retriable(session: Session, item_id: int) -> IntakeItem:
    item = existing(session, IntakeItem, item_id, remedy="See `audit-service progress` or the intake page.")
    if item.state not in RETRIED:
        raise InputRefusedError(
            f"Item {item_id} is {item.state.value}.", remedy="Only failed or quarantined ones wait."
        )
    if item.exhibit is None:
        raise InputRefusedError(f"The bytes of item {item_id} were not kept.", remedy="Hand the file in again.")
    return item


def _transcribe_anew(session: Session, item: IntakeItem) -> None:
    recording_id = session.scalar(select(Recording.id).where(Recording.exhibit_id == item.exhibit_id))
    if recording_id is None:
        raise InputRefusedError(f"Item {item.id} is no recording of a call.", remedy="Hand the file in again.")
    item.state, item.reason_code, item.reason, item.finished_at = ItemState.RUNNING, "", "", None
    hand_recording(session, recording_id)


@contextmanager
def _unsealed(vault: Vault, item: IntakeItem, work_dir: Path) -> Iterator[Path]:
    """Yield the plain copy of an item's file with the JSON that spoke of it beside it; both are gone afterwards."""
    work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    suffix = Path(item.name).suffix.lower()
    with tempfile.TemporaryDirectory(dir=work_dir) as name:
        path = Path(name) / f"{_STEM}{suffix if suffix in RECORDING_SUFFIXES | LOG_SUFFIXES else '.bin'}"
        _write(vault, item.exhibit, path)
        if item.beside is not None:
            called = item.beside.original_name
            _write(vault, item.beside, Path(name) / (called if called in SPEAKING_NAMES else f"{_STEM}.json"))
        yield path


def _write(vault: Vault, exhibit: Exhibit | None, target: Path) -> None:
    if exhibit is not None:
        with vault.store.open(exhibit.sha256) as sealed, target.open("wb") as plain:
            shutil.copyfileobj(sealed, plain, 1 << 20)
