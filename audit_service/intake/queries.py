"""Named reads of intake."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from audit_service.errors import NotFoundError
from audit_service.intake.models import IntakeItem, IntakeProblem, ItemState
from audit_service.intake.values import IntakeBalance, Standing


def balance(session: Session) -> IntakeBalance:
    """Return how many files came in and where they stand, all counted in one statement."""
    counts = [func.count().filter(IntakeItem.state == state) for state in ItemState]
    row = session.execute(select(func.count(), *counts).select_from(IntakeItem)).one()
    by_state = dict(zip(ItemState, row[1:], strict=True))
    return IntakeBalance(
        received=row[0],
        done=by_state[ItemState.DONE],
        failed=by_state[ItemState.FAILED],
        running=by_state[ItemState.RUNNING],
        quarantined=by_state[ItemState.QUARANTINED],
    )


def items(
    session: Session, *, state: ItemState | None = None, before_id: int | None = None, limit: int = 50
) -> list[IntakeItem]:
    """Return a page of intake items, newest first; ``before_id`` is the last id of the page before."""
    query = select(IntakeItem).order_by(IntakeItem.id.desc()).limit(limit).options(joinedload(IntakeItem.exhibit))
    if state is not None:
        query = query.where(IntakeItem.state == state)
    if before_id is not None:
        query = query.where(IntakeItem.id < before_id)
    return list(session.scalars(query))


def problems(session: Session, item_id: int, *, limit: int = 1000) -> list[IntakeProblem]:
    """Return what was refused of an item, in the order of its rows."""
    query = select(IntakeProblem).where(IntakeProblem.item_id == item_id)
    return list(session.scalars(query.order_by(IntakeProblem.row.nulls_first(), IntakeProblem.id).limit(limit)))


def item_by_sha256(session: Session, sha256: str) -> IntakeItem | None:
    """Return the item of these bytes, or None."""
    return session.scalar(select(IntakeItem).where(IntakeItem.sha256 == sha256))


def standing(session: Session, sha256: str) -> Standing:
    """Return what became of the file with these bytes.

    Raises:
        NotFoundError: no such file was received.
    """
    item = item_by_sha256(session, sha256.lower())
    if item is None:
        raise NotFoundError("No file with these bytes was received.", remedy="Compare the SHA-256, or hand it in.")
    return Standing(
        sha256=item.sha256,
        state=item.state,
        reason_code=item.reason_code,
        reason=item.reason,
        exhibit_number="" if item.exhibit is None else item.exhibit.number,
        rows_total=item.rows_total,
        rows_stored=item.rows_stored,
    )
