"""The lock of the packs as released: digest of each pack and rule, who wrote it and who approved it.

No change goes out under an old version, and nobody approves what is her own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit_service.detection.errors import SelfApprovalError
from audit_service.detection.pack_files import PACK_FILE
from audit_service.detection.rules import Pack, Rule

LOCK_FILE = "lock.json"
RULE_VERSION = re.compile(r"^(version: )(\d+)$", re.MULTILINE)
PACK_VERSION = re.compile(r"^(version: \d+\.\d+\.)(\d+)$", re.MULTILINE)
Lock = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class LockProblem:
    """One way in which a pack or a rule of it is not as locked; ``is_unversioned``: changed under its old version."""

    pack: str
    message: str
    is_unversioned: bool = False


def lock_of(packs: Sequence[Pack], locked: Lock, approver: str = "") -> dict[str, dict[str, Any]]:
    """Return what the lock says of ``packs``; those that are as ``locked`` keep their approver.

    Raises:
        SelfApprovalError: a changed pack has no approver, or a changed rule in it is the approver's own.
    """
    return {pack.id: _entry(pack, locked.get(pack.id, {}), approver) for pack in sorted(packs, key=lambda one: one.id)}


def _entry(pack: Pack, before: Mapping[str, Any], approver: str) -> dict[str, Any]:
    if before.get("digest") == pack.digest:
        approver = before["approver"]
    else:
        refuse_self_approval(approver, changed_rules(pack, before))
    return {
        "version": pack.version,
        "digest": pack.digest,
        "approver": approver,
        "rules": {rule.id: rule_entry(rule) for rule in published_rules(pack)},
    }


def rule_entry(rule: Rule) -> dict[str, Any]:
    """Return what is kept of a published version of a rule; ``from`` and ``to`` are the dates of the law."""
    return {
        "version": rule.version,
        "digest": rule.digest,
        "from": rule.in_force_from.isoformat(),
        "to": None if rule.in_force_to is None else rule.in_force_to.isoformat(),
        "author": rule.owner,
    }


def published_rules(pack: Pack) -> list[Rule]:
    """Return the rules of the pack that are no drafts, by id."""
    return sorted((rule for rule in pack.rules if rule.status != "draft"), key=lambda rule: rule.id)


def changed_rules(pack: Pack, before: Mapping[str, Any]) -> list[Rule]:
    """Return the published rules that the lock entry ``before`` does not hold as they are."""
    known = before.get("rules", {})
    return [rule for rule in published_rules(pack) if known.get(rule.id, {}).get("digest") != rule.digest]


def refuse_self_approval(approver: str, rules: Iterable[Rule]) -> None:
    """Refuse an approver who wrote one of the rules, or who is not named.

    Raises:
        SelfApprovalError: so it is.
    """
    if not approver:
        raise SelfApprovalError(
            "A changed pack needs an approver.", remedy="Name who read the changes: --approver NAME."
        )
    own = [rule.id for rule in rules if rule.owner.casefold() == approver.strip().casefold()]
    if own:
        raise SelfApprovalError(
            f"{approver} is the author of {', '.join(own)}.", remedy="Let somebody else approve it."
        )


def read_lock(file: Path) -> dict[str, dict[str, Any]]:
    """Return what a lock file says; nothing where there is none."""
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def write_lock(file: Path, packs: Sequence[Pack], approver: str = "") -> None:
    """Write the lock of ``packs``.

    Raises:
        SelfApprovalError: see :func:`lock_of`.
    """
    lock = lock_of(packs, read_lock(file), approver)
    file.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


def compare_with_lock(locked: Lock, packs: Sequence[Pack]) -> list[LockProblem]:
    """Return where the packs and their rules are not as locked."""
    problems = []
    for pack in sorted(packs, key=lambda one: one.id):
        before = locked.get(pack.id)
        if before is None:
            problems.append(LockProblem(pack.id, "is not in the lock; run `rules lock`"))
            continue
        problems += [
            LockProblem(pack.id, _unraised(f"{rule.id} was", rule.version), is_unversioned=True)
            for rule in _unversioned(pack, before)
        ]
        if before["digest"] != pack.digest and before["version"] == pack.version:
            problems.append(LockProblem(pack.id, _unraised("was", pack.version), is_unversioned=True))
        elif (before["digest"], before["version"]) != (pack.digest, pack.version):
            problems.append(LockProblem(pack.id, "has a new version; run `rules lock` to publish it"))
    return problems


def _unraised(what: str, version: object) -> str:
    return f"{what} changed, and its version is still {version}; raise it (`rules lock --raise`)"


def _unversioned(pack: Pack, before: Mapping[str, Any]) -> list[Rule]:
    known = before.get("rules", {})
    return [rule for rule in changed_rules(pack, before) if known.get(rule.id, {}).get("version") == rule.version]


def raise_versions(locked: Lock, packs: Sequence[Pack]) -> list[Path]:
    """Raise the version in the file of each rule and pack that was changed under its old one; return the files."""
    raised: list[Path] = []
    for pack in packs:
        before = locked.get(pack.id, {})
        raised += [rule.file for rule in _unversioned(pack, before)]
        if before.get("version") == pack.version and before["digest"] != pack.digest:
            raised.append(pack.folder / PACK_FILE)
    raised = list(dict.fromkeys(raised))
    for file in raised:
        form = PACK_VERSION if file.name == PACK_FILE else RULE_VERSION
        text = file.read_text(encoding="utf-8")
        file.write_text(form.sub(_next, text, count=1), encoding="utf-8")
    return raised


def _next(match: re.Match[str]) -> str:
    return f"{match[1]}{int(match[2]) + 1}"
