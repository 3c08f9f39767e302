"""Pack versions as stored: a readable copy of the rules with the findings, and the files that restore the pack."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.detection import Authority, Pack, Rule, load_packs
from audit_service.detection.pack_files import needed_files
from audit_service.errors import IntegrityFailedError
from audit_service.review.models import PackVersion, RuleFile


def stored_version(session: Session, pack: Pack) -> PackVersion:
    """Return the stored version of ``pack``; one seen for the first time is stored with a readable copy."""
    query = select(PackVersion).where(PackVersion.digest == pack.digest)
    stored = session.scalar(query)
    if stored is None:
        lock_version(session, pack)
        stored = session.scalar(query) or _store(session, pack)
    return stored


def lock_version(session: Session, pack: Pack) -> None:
    """Hold others off this version until the transaction ends: two workers that see it first must not both store it."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(pack.digest, 0))))


def _store(session: Session, pack: Pack) -> PackVersion:
    made = PackVersion(
        pack=pack.id,
        version=pack.version,
        digest=pack.digest,
        rules=snapshot(pack),
        first_used_at=clock.now(),
    )
    session.add(made)
    session.flush()
    return made


def snapshot(pack: Pack) -> dict[str, Any]:
    """Return titles, explanations, severity and authorities of all rules of ``pack``, by rule id."""
    return {rule.id: _rule(rule) for rule in pack.rules}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "title": dict(rule.title),
        "explanation": dict(rule.explanation),
        "category": rule.category,
        "severity": rule.severity,
        "authorities": [_authority(authority) for authority in rule.authorities],
        "version": rule.version,
        "digest": rule.digest,
        "review": {question: dict(answer) for question, answer in rule.review.items()},
    }


def _authority(authority: Authority) -> dict[str, Any]:
    return {
        "instrument": authority.instrument,
        "title": dict(authority.title),
        "number": authority.number,
        "weight": authority.weight,
        "clause": authority.clause,
        "from": authority.in_force_from.isoformat(),
        "to": None if authority.in_force_to is None else authority.in_force_to.isoformat(),
    }


def rule_on(rule: Mapping[str, Any], instant: datetime, timezone: str | None) -> dict[str, Any]:
    """Return a rule of a snapshot with those of its authorities that were in force on the civil day of a contact.

    An older snapshot has no dates: all its authorities are kept. No rule loses all: it then shows what it rests on.
    """
    day = (instant if timezone is None else instant.astimezone(ZoneInfo(timezone))).date()
    kept = [one for one in rule.get("authorities", ()) if _is_in_force(one, day)]
    return {**rule, "authorities": kept or list(rule.get("authorities", ()))}


def _is_in_force(authority: Mapping[str, Any], day: date) -> bool:
    begin, end = authority.get("from"), authority.get("to")
    return (begin is None or begin <= day.isoformat()) and (end is None or day.isoformat() <= end)


def keep_files(session: Session, pack: Pack, version: PackVersion) -> None:
    """Store the files of ``pack``, so that it can judge again when the folder has changed."""
    files = needed_files(pack.folder)
    root = Path(os.path.commonpath([pack.folder.parent, *(file.parent for file in files)]))
    kept = {str(file.relative_to(root)): _keep(session, file) for file in files}
    version.files = {"folder": str(pack.folder.relative_to(root)), "files": kept}
    session.flush()


def _keep(session: Session, file: Path) -> str:
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if session.scalar(select(RuleFile.sha256).where(RuleFile.sha256 == sha256)) is None:
        session.add(RuleFile(sha256=sha256, content=content))
        session.flush()
    return sha256


def restored(session: Session, version: PackVersion) -> Pack:
    """Return the pack as it was published, from its kept files.

    Raises:
        IntegrityFailedError: the files were never kept, or are not what was published.
    """
    if not version.files:
        raise IntegrityFailedError(f"The files of pack {version.pack} {version.version} were not kept.")
    with TemporaryDirectory(prefix="rules-") as place:
        for path, sha256 in version.files["files"].items():
            file = Path(place) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(session.get_one(RuleFile, sha256).content)
        (pack,) = load_packs([Path(place) / version.files["folder"]])
    if pack.digest != version.digest:
        raise IntegrityFailedError(f"Pack {version.pack} {version.version} is not as it was published.")
    return pack
