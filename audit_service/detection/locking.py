"""A lock of the packs as published: version and digest of each, so that no change goes out under an old version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audit_service.detection.rules import Pack

LOCK_FILE = "lock.json"


@dataclass(frozen=True)
class LockProblem:
    """One way in which a pack and its lock disagree; ``is_unversioned``: it was changed under its old version."""

    pack: str
    message: str
    is_unversioned: bool = False


def lock_of(packs: Sequence[Pack]) -> dict[str, dict[str, str]]:
    """Return what the lock says of ``packs``: version, and the SHA-256 of all that decides what they flag."""
    return {
        pack.id: {"version": pack.version, "digest": pack.digest} for pack in sorted(packs, key=lambda pack: pack.id)
    }


def read_lock(file: Path) -> dict[str, dict[str, str]]:
    """Return what a lock file says; nothing where there is none."""
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def write_lock(file: Path, packs: Sequence[Pack]) -> None:
    """Write the lock of ``packs``."""
    file.write_text(json.dumps(lock_of(packs), indent=2) + "\n", encoding="utf-8")


def compare_with_lock(locked: dict[str, dict[str, str]], packs: Sequence[Pack]) -> list[LockProblem]:
    """Return where the packs are not as locked."""
    problems = []
    for name, now in lock_of(packs).items():
        before = locked.get(name)
        if before is None:
            problems.append(LockProblem(name, "is not in the lock; run `rules lock`"))
        elif before["digest"] != now["digest"] and before["version"] == now["version"]:
            message = f"was changed, and its version is still {now['version']}; raise it"
            problems.append(LockProblem(name, message, is_unversioned=True))
        elif before != now:
            problems.append(LockProblem(name, "has a new version; run `rules lock` to publish it"))
    return problems
