"""No change of a pack goes out under its old version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from audit_service.detection import load_packs
from audit_service.detection.locking import compare_with_lock, lock_of, read_lock, write_lock

RULES = Path(__file__).resolve().parents[2] / "rules"
PACKS = load_packs([RULES / name for name in ("cn", "us", "uk", "in")])


def test_the_packs_are_as_locked() -> None:
    assert compare_with_lock(read_lock(RULES / "lock.json"), PACKS) == []


def test_a_change_under_the_old_version_is_named() -> None:
    changed = replace(PACKS[0], normative={**PACKS[0].normative, "lexicons": {}})
    (problem,) = compare_with_lock(lock_of(PACKS), [changed])
    assert problem.pack == "cn"
    assert "raise it" in problem.message


def test_a_new_version_asks_for_a_new_lock(tmp_path: Path) -> None:
    newer = replace(PACKS[0], version="2027.1.1")
    (problem,) = compare_with_lock(lock_of(PACKS), [newer])
    assert "run `rules lock`" in problem.message
    write_lock(tmp_path / "lock.json", [newer])
    assert compare_with_lock(read_lock(tmp_path / "lock.json"), [newer]) == []
    assert read_lock(tmp_path / "none.json") == {}
