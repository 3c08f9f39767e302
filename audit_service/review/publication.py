"""Use-cases: publish a version of a rule pack, let somebody else approve it, and tell which versions judge.

A version judges once it is approved. Those that this project releases carry their approver in ``rules/lock.json``;
others are published and approved here. Until then the version approved before goes on judging, from its kept files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import SYSTEM, Act
from audit_service.detection import Engine, Pack, Rule, lint, load_packs
from audit_service.detection import test_examples as failing_examples
from audit_service.detection.locking import LOCK_FILE, published_rules, read_lock
from audit_service.detection.pack_files import OWN_SCHEMAS
from audit_service.errors import AuditError, InputRefusedError, NotFoundError
from audit_service.organizations.models import RoleName, User
from audit_service.review.models import PackVersion, RuleVersion
from audit_service.review.packs import keep_files, lock_version, restored, stored_version

RELEASED = OWN_SCHEMAS.parent / LOCK_FILE
APPROVERS = frozenset({RoleName.LEAD, RoleName.ADMINISTRATOR})
MOST_ENGINES = 2
log = structlog.get_logger()
_engines: dict[tuple[str, ...], Engine] = {}


class PublicationRefusedError(AuditError):
    """A version of a rule or pack cannot be published or approved as it is."""

    code = "review.publication_refused"
    http_status = 409
    exit_code = 3


def checked_packs(folders: Sequence[Path]) -> tuple[Pack, ...]:
    """Return the packs in ``folders`` if they are fit to be published; takes seconds and needs no database.

    Raises:
        InputRefusedError: a file has a problem of form, or an example does not come out as it says.
    """
    problems = [str(problem) for folder in folders for problem in lint(folder)]
    if problems:
        raise InputRefusedError(f"{len(problems)} problems: {problems[0]}", remedy="Run `rules lint`.")
    packs = load_packs(folders)
    failures = failing_examples(Engine(packs))
    if failures:
        raise InputRefusedError(f"{len(failures)} examples fail: {failures[0].example}", remedy="Run `rules test`.")
    return packs


def publish(session: Session, pack: Pack, user: User) -> PackVersion:
    """Store a version of a pack with its files, for somebody else to approve; it does not judge yet.

    Raises:
        PublicationRefusedError: it is published already, or a rule in it was changed under its old version.
    """
    version = stored_version(session, pack)
    if version.approved_at is not None or version.submitted_by_id is not None:
        raise PublicationRefusedError(f"Pack {pack.id} {pack.version} is published already.", remedy="")
    _register(session, pack, version)
    version.submitted_by_id = user.id
    _record(session, Action.PUBLISHED, version, f"user:{user.id}")
    return version


def approve(session: Session, pack: str, number: str, user: User) -> PackVersion:
    """Approve the waiting version ``number`` of ``pack``; it judges from the next contact on.

    Raises:
        NotFoundError: no such version waits.
        PublicationRefusedError: the user is no lead, published it herself, or wrote a rule that is new in it.
    """
    version = session.scalar(
        _waiting().where(PackVersion.pack == pack, PackVersion.version == number).with_for_update()
    )
    if version is None:
        raise NotFoundError(f"No version {number} of pack {pack} waits for approval.", remedy="See `rules versions`.")
    if not any(user.has_role(role) for role in APPROVERS):
        raise PublicationRefusedError(f"{user.email} may not approve rules.", remedy="Ask a lead or administrator.")
    if user.id == version.submitted_by_id or _own_rules(session, version, user):
        raise PublicationRefusedError("Nobody approves her own rules.", remedy="Ask somebody else to approve them.")
    version.approved_by_id, version.approver, version.approved_at = user.id, user.email, clock.now()
    _record(session, Action.APPROVED, version, f"user:{user.id}")
    return version


def waiting_versions(session: Session) -> Sequence[PackVersion]:
    """Return the published pack versions that nobody approved yet, with what is new in them."""
    return session.scalars(_waiting()).all()


@dataclass(frozen=True)
class UnapprovedPack:
    """A pack as it lies in its folder, which nobody approved; ``is_silent``: no older version judges in its place."""

    pack: str
    version: str
    is_silent: bool


def published_versions(session: Session) -> Sequence[PackVersion]:
    """Return all published pack versions, the newest first."""
    query = select(PackVersion).where(
        (PackVersion.approved_at.is_not(None)) | (PackVersion.submitted_by_id.is_not(None))
    )
    return session.scalars(query.order_by(PackVersion.id.desc())).all()


def engine_in_force(session: Session, folders: tuple[Path, ...]) -> Engine:
    """Return the engine of the approved packs in ``folders``, compiled once for a process.

    A pack with changes that nobody approved judges as it was when last approved; one never approved does not judge.
    """
    packs = [pack for one in _loaded(folders) if (pack := _in_force(session, one)) is not None]
    key = tuple(pack.digest for pack in packs)
    if key not in _engines:
        if len(_engines) >= MOST_ENGINES:
            _engines.clear()
        _engines[key] = Engine(packs)
    return _engines[key]


def unapproved_packs(session: Session, folders: tuple[Path, ...]) -> list[UnapprovedPack]:
    """Return the packs in ``folders`` that nobody approved as they are: what they changed does not judge."""
    return [
        UnapprovedPack(pack.id, pack.version, is_silent=_newest_approved(session, pack) is None)
        for pack in _loaded(folders)
        if not _is_approved(session, pack) and not _releasing(pack)
    ]


@lru_cache(maxsize=4)
def _loaded(folders: tuple[Path, ...]) -> tuple[Pack, ...]:
    return load_packs(folders)


def _in_force(session: Session, pack: Pack) -> Pack | None:
    if _is_approved(session, pack):
        return pack
    approver = _releasing(pack)
    if approver:
        try:
            _release(session, pack, approver)
        except PublicationRefusedError as refused:
            log.warning("pack_refused", pack=pack.id, version=pack.version, reason=str(refused))
        else:
            return pack
    log.warning("pack_not_approved", pack=pack.id, version=pack.version, digest=pack.digest)
    return _approved_before(session, pack)


def _is_approved(session: Session, pack: Pack) -> bool:
    query = select(PackVersion.approved_at).where(PackVersion.digest == pack.digest)
    return session.scalar(query) is not None


def _releasing(pack: Pack) -> str:
    """Return who approved exactly this version for a release of this project; empty if nobody did."""
    entry = read_lock(RELEASED).get(pack.id, {})
    return str(entry["approver"]) if entry.get("digest") == pack.digest else ""


def _release(session: Session, pack: Pack, approver: str) -> None:
    lock_version(session, pack)
    if _is_approved(session, pack):
        return
    version = stored_version(session, pack)
    with session.begin_nested():
        _register(session, pack, version)
    version.approver, version.approved_at = approver, clock.now()
    _record(session, Action.PUBLISHED, version, SYSTEM)


def _newest_approved(session: Session, pack: Pack) -> PackVersion | None:
    query = (
        select(PackVersion)
        .where(PackVersion.pack == pack.id, PackVersion.approved_at.is_not(None))
        .order_by(PackVersion.approved_at.desc(), PackVersion.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def _approved_before(session: Session, pack: Pack) -> Pack | None:
    version = _newest_approved(session, pack)
    if version is None:
        return None
    for engine in _engines.values():
        for known in engine.packs:
            if known.digest == version.digest:
                return known
    return restored(session, version)


def _register(session: Session, pack: Pack, version: PackVersion) -> None:
    """Keep the files, and each rule version that is new; what is published under a version never changes."""
    rules = published_rules(pack)
    query = select(RuleVersion).where(RuleVersion.rule_id.in_([rule.id for rule in rules]))
    known = {(row.rule_id, row.version): row.digest for row in session.scalars(query)}
    for rule in rules:
        digest = known.get((rule.id, rule.version))
        if digest is not None and digest != rule.digest:
            raise PublicationRefusedError(
                f"{rule.id} {rule.version} was published with another content.", remedy="Raise the rule's version."
            )
    keep_files(session, pack, version)
    session.add_all(_version_of(rule, version) for rule in rules if (rule.id, rule.version) not in known)
    session.flush()


def _version_of(rule: Rule, version: PackVersion) -> RuleVersion:
    return RuleVersion(
        pack_version_id=version.id,
        rule_id=rule.id,
        version=rule.version,
        digest=rule.digest,
        in_force_from=rule.in_force_from,
        in_force_to=rule.in_force_to,
        author=rule.owner,
    )


def _waiting() -> Select[PackVersion]:
    query = select(PackVersion).where(PackVersion.submitted_by_id.is_not(None), PackVersion.approved_at.is_(None))
    return query.order_by(PackVersion.id.desc())


def _own_rules(session: Session, version: PackVersion, user: User) -> bool:
    """Tell whether a rule of the pack that no approved pack brought was written by ``user``."""
    query = (
        select(RuleVersion.rule_id, RuleVersion.digest, RuleVersion.author)
        .join(PackVersion, PackVersion.id == RuleVersion.pack_version_id)
        .where(RuleVersion.rule_id.in_(list(version.rules)), PackVersion.approved_at.is_(None))
    )
    names = {user.email.casefold(), user.display_name.casefold()} - {""}
    return any(
        version.rules[rule_id].get("digest") == digest and author.casefold() in names
        for rule_id, digest, author in session.execute(query)
    )


def _record(session: Session, action: Action, version: PackVersion, actor: str) -> None:
    session.flush()
    session.refresh(version, ["rule_versions"])
    detail: dict[str, str | int | bool] = {
        "digest": version.digest,
        "approver": version.approver,
        "new_rules": ",".join(f"{rule.rule_id} {rule.version} {rule.digest}" for rule in version.rule_versions),
    }
    custody.record(session, Act(action, "rule_pack", f"{version.pack} {version.version}", actor=actor, detail=detail))
