"""Packs that build on others: what they take over, what they replace, and what they leave out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from audit_service.detection import Conversation, Engine, Turn, load_packs
from audit_service.detection.errors import RulePackError
from audit_service.detection.linting import lint
from tests.factories.attempts import call

RULES = Path(__file__).resolve().parents[2] / "rules"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    shutil.copytree(RULES, tmp_path / "rules")
    return tmp_path / "rules"


def change(file: Path, **values: object) -> None:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document.update(values)
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")


def found_by(folders: list[Path], text: str, jurisdiction: str) -> set[str]:
    conversation = Conversation("c", (Turn("agent", text),), jurisdictions=(jurisdiction,), recipient="borrower")
    return {finding.rule_id for finding in Engine(load_packs(folders)).scan(conversation).findings}


def test_an_extending_pack_judges_by_the_words_of_its_base_and_its_own_authority() -> None:
    (pack,) = load_packs([RULES / "uk"])
    (rule,) = [rule for rule in pack.rules if rule.id == "uk.threat_violence.harm"]
    assert {authority.instrument for authority in rule.authorities} == {"uk.conc"}
    assert rule.in_force_from.isoformat() == "2014-04-01"
    assert found_by([RULES / "uk"], "We will break your legs.", "uk") == {"uk.threat_violence.harm"}


def test_a_change_of_the_base_is_a_change_of_the_extending_pack(rules: Path) -> None:
    (before,) = load_packs([rules / "uk"])
    change(
        rules / "us" / "threat_violence" / "harm.yaml", severity={"level": "high", "because": {"zh": "一", "en": "a"}}
    )
    (after,) = load_packs([rules / "uk"])
    assert before.digest != after.digest


def test_a_file_at_the_same_path_stands_instead_of_the_base_rule(rules: Path) -> None:
    own = rules / "uk" / "threat_violence" / "harm.yaml"
    own.parent.mkdir()
    shutil.copy(rules / "us" / "threat_violence" / "harm.yaml", own)
    change(own, id="uk.threat_violence.harm", authority=[{"instrument": "uk.conc"}])
    (pack,) = load_packs([rules / "uk"])
    (rule,) = [rule for rule in pack.rules if rule.id == "uk.threat_violence.harm"]
    assert rule.file == own


def test_a_base_rule_can_be_left_out_with_a_reason(rules: Path) -> None:
    reason = {"zh": "另有规定", "en": "ruled elsewhere"}
    change(rules / "uk" / "pack.yaml", without=[{"rule": "us.threat_violence.harm", "because": reason}])
    (pack,) = load_packs([rules / "uk"])
    assert "uk.threat_violence.harm" not in {rule.id for rule in pack.rules}


def lenders_pack(rules: Path, folder: Path, path: str = "threat_violence/harm.yaml") -> Path:
    """Write a lender's own pack with one rule, which replaces ours of the same conduct."""
    own = folder / "lender" / path
    own.parent.mkdir(parents=True)
    for name in ("instruments.yaml", "lexicons"):
        source = rules / "cn" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / "lender" / name)
    shutil.copy(rules / "cn" / "pack.yaml", folder / "lender" / "pack.yaml")
    document = yaml.safe_load((folder / "lender" / "pack.yaml").read_text(encoding="utf-8"))
    del document["reader"]
    document["id"] = "lender"
    (folder / "lender" / "pack.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    shutil.copy(rules / "cn" / path, own)
    name = path.removesuffix(".yaml").replace("/", ".")
    change(own, id=f"lender.{name}", owner="lender", replaces=f"cn.{name}")
    return folder / "lender"


def test_a_lenders_rule_replaces_ours_without_touching_our_folder(rules: Path, tmp_path: Path) -> None:
    lender = lenders_pack(rules, tmp_path / "own")
    assert lint(lender) == [] or all("list" in problem.message for problem in lint(lender))
    assert found_by([rules / "cn"], "我打断你的腿", "cn") == {"cn.threat_violence.harm"}
    assert found_by([rules / "cn", lender], "我打断你的腿", "cn") == {"lender.threat_violence.harm"}


def test_a_retired_replacement_gives_the_rule_back(rules: Path, tmp_path: Path) -> None:
    lender = lenders_pack(rules, tmp_path / "own")
    change(lender / "threat_violence" / "harm.yaml", status="retired")
    assert found_by([rules / "cn", lender], "我打断你的腿", "cn") == {"cn.threat_violence.harm"}


def test_a_lenders_rule_about_the_contact_log_replaces_ours(rules: Path, tmp_path: Path) -> None:
    lender = lenders_pack(rules, tmp_path / "own", "outside_hours/night.yaml")
    limits = {"from": "21:00", "to": "08:00", "consent": "night_contact"}
    change(lender / "outside_hours" / "night.yaml", detect={"event": "hours", "limits": limits})
    late, night = call("2026-03-03T21:30:00+08:00"), call("2026-03-03T22:30:00+08:00")
    ours, theirs = Engine(load_packs([rules / "cn"])), Engine(load_packs([rules / "cn", lender]))
    assert [found.rule_id for found in ours.scan_log([late]).findings] == []
    for attempt in (late, night):
        assert [found.rule_id for found in theirs.scan_log([attempt]).findings] == ["lender.outside_hours.night"]


@pytest.mark.parametrize(
    ("named", "message"), [("../nowhere", "there is no rule pack"), ("../uk", "can only extend one that extends none")]
)
def test_a_wrong_base_is_refused_with_its_line(rules: Path, named: str, message: str) -> None:
    file = rules / "in" / "pack.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(file, extends={**document["extends"], "pack": named})
    with pytest.raises(RulePackError, match=message):
        load_packs([rules / "in"])
