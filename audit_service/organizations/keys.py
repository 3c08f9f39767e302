"""Use-cases of the keys with which lenders' systems hand files in: shown once, stored as a digest, revocable."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import SYSTEM, Act
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.organizations.models import ApiKey
from audit_service.organizations.queries import institution_by_code

PREFIX = "cas_"
SECRET_BYTES = 32
LONGEST_NAME = 100
# Writing every use down would make each piece of an upload a write.
USE_NOTED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class NewKey:
    """A key as it is shown this once: its number, its name and its secret."""

    id: int
    name: str
    secret: str


def create_key(session: Session, name: str, *, institution_code: str | None = None, actor: str = SYSTEM) -> NewKey:
    """Create a key and return its secret, which is shown this once.

    Raises:
        InputRefusedError: it has no name, or there is one of this name.
        NotFoundError: there is no such institution.
    """
    plain = name.strip()
    if not plain or len(plain) > LONGEST_NAME:
        raise InputRefusedError("A key needs a name.", remedy=f"Give one of at most {LONGEST_NAME} characters.")
    if session.scalar(select(ApiKey.id).where(ApiKey.name == plain)) is not None:
        raise InputRefusedError(f"There is a key {plain} already.", remedy="Choose another name.")
    institution = None if institution_code is None else institution_by_code(session, institution_code)
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey(
        name=plain,
        secret_sha256=_digest(secret),
        institution_id=None if institution is None else institution.id,
        created_at=clock.now(),
    )
    session.add(key)
    session.flush()
    custody.record(session, Act(Action.KEY_CREATED, "api_key", str(key.id), actor=actor, detail={"name": plain}))
    return NewKey(key.id, plain, secret)


def revoke_key(session: Session, name: str, *, actor: str = SYSTEM) -> ApiKey:
    """Make a key unusable from now on.

    Raises:
        NotFoundError: there is no such key in use.
    """
    key = session.scalar(select(ApiKey).where(ApiKey.name == name.strip(), ApiKey.revoked_at.is_(None)))
    if key is None:
        raise NotFoundError(f"There is no key {name} in use.", remedy="See `audit-service key list`.")
    key.revoked_at = clock.now()
    custody.record(session, Act(Action.KEY_REVOKED, "api_key", str(key.id), actor=actor, detail={"name": key.name}))
    return key


def keys(session: Session) -> Sequence[ApiKey]:
    """Return all keys, the newest first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.id.desc())).all()


def key_of(session: Session, secret: str) -> ApiKey | None:
    """Return the key in use that has this secret, or None; notes now and then that it was used."""
    if not secret.startswith(PREFIX):
        return None
    key = session.scalar(select(ApiKey).where(ApiKey.secret_sha256 == _digest(secret), ApiKey.revoked_at.is_(None)))
    now = clock.now()
    if key is not None and (key.last_used_at is None or now - key.last_used_at > USE_NOTED_EVERY):
        key.last_used_at = now
    return key


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
