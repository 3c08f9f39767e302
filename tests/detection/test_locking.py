"""No change of a pack or rule goes out under its old version, and nobody approves what is her own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from audit_service.detection import load_packs
from audit_service.detection.errors import SelfApprovalError
from audit_service.detection.locking import compare_with_lock, lock_of, raise_versions, read_lock, write_lock

RULES = Path(__file__).resolve().parents[2] / "rules"
PACKS = load_packs([RULES / name for name in ("cn", "us", "uk", "in")])
LOCK = read_lock(RULES / "lock.json")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(RULES, tmp_path / "rules")
    return tmp_path / "rules"


def change_harm(rules: Path) -> None:
    file = rules / "us" / "threat_violence" / "harm.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["severity"]["level"] = "high"
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")


def test_the_packs_are_as_locked() -> None:
    assert compare_with_lock(LOCK, PACKS) == []


def test_every_published_rule_is_locked_with_digest_dates_author_and_another_approver() -> None:
    for pack in PACKS:
        rules = LOCK[pack.id]["rules"]
        assert set(rules) == {rule.id for rule in pack.rules if rule.status != "draft"}
        for entry in rules.values():
            assert len(entry["digest"]) == 64
            assert entry["from"]
            assert entry["author"] not in {"", LOCK[pack.id]["approver"]}


def test_a_change_under_the_old_version_is_named() -> None:
    changed = replace(PACKS[0], normative={**PACKS[0].normative, "lexicons": {}})
    (problem,) = compare_with_lock(LOCK, [changed])
    assert problem.pack == "cn"
    assert "raise it" in problem.message


def test_a_new_version_asks_for_a_new_lock(tmp_path: Path) -> None:
    newer = replace(PACKS[0], version="2027.1.1")
    (problem,) = compare_with_lock(LOCK, [newer])
    assert "run `rules lock`" in problem.message
    write_lock(tmp_path / "lock.json", [newer], "somebody")
    assert compare_with_lock(read_lock(tmp_path / "lock.json"), [newer]) == []
    assert read_lock(tmp_path / "none.json") == {}


def test_a_changed_rule_changes_its_own_digest_and_that_of_the_rules_made_from_it(copy: Path) -> None:
    change_harm(copy)
    after = load_packs([copy / name for name in ("cn", "us", "uk", "in")])
    before = {rule.id: rule.digest for pack in PACKS for rule in pack.rules}
    changed = {rule.id for pack in after for rule in pack.rules if rule.digest != before[rule.id]}
    assert changed == {f"{pack}.threat_violence.harm" for pack in ("us", "uk", "in")}


def test_versions_are_raised_in_the_files_once(copy: Path) -> None:
    change_harm(copy)
    folders = [copy / name for name in ("cn", "us", "uk", "in")]
    assert any(problem.is_unversioned for problem in compare_with_lock(LOCK, load_packs(folders)))
    raised = raise_versions(LOCK, load_packs(folders))
    assert sorted(str(file.relative_to(copy)) for file in raised) == [
        "in/pack.yaml",
        "uk/pack.yaml",
        "us/pack.yaml",
        "us/threat_violence/harm.yaml",
    ]
    after = load_packs(folders)
    assert not any(problem.is_unversioned for problem in compare_with_lock(LOCK, after))
    assert raise_versions(LOCK, after) == []


def test_the_author_of_a_changed_rule_cannot_approve_it(copy: Path) -> None:
    change_harm(copy)
    packs = load_packs([copy / "us"])
    for approver, message in (("", "needs an approver"), ("rules-us", "is the author of us.threat_violence.harm")):
        with pytest.raises(SelfApprovalError, match=message):
            lock_of(packs, LOCK, approver)
    assert lock_of(packs, LOCK, "rules-review")["us"]["approver"] == "rules-review"
