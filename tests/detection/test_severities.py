"""How grave a finding is follows from its rule and the table of its pack."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit_service.detection import Conversation, Engine, FoundFinding, Turn, lint, load_packs
from audit_service.detection.severities import severities_of

RULES = Path(__file__).resolve().parents[2] / "rules"
BANDS = {"critical": {"least_score": 0.8, "else": "high", "needs_listening": True}}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    shutil.copytree(RULES, tmp_path / "rules")
    return tmp_path / "rules"


def rewrite(file: Path, **parts: Any) -> None:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    for part, values in parts.items():
        document[part].update(values)
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")


def scanned(folder: Path, text: str) -> tuple[FoundFinding, ...]:
    conversation = Conversation("c", (Turn("agent", text),), jurisdictions=(folder.name,), recipient="borrower")
    return Engine(load_packs([folder])).scan(conversation).findings


def test_a_low_score_of_the_trained_layer_lowers_the_level_and_asks_to_listen() -> None:
    table = severities_of({"model": BANDS})
    assert [table.grade("critical", score).level for score in (0.79, 0.8)] == ["high", "critical"]
    low, sure, by_words = table.grade("critical", 0.79), table.grade("critical", 0.9), table.grade("critical")
    assert (low.points, low.is_fatal, low.needs_listening) == (5, False, True)
    assert (sure.points, sure.is_fatal, sure.needs_listening) == (10, True, False)
    assert by_words == sure
    assert table.grade("medium", 0.1).level == "medium"


def test_a_finding_of_words_has_level_points_and_fatality_of_the_table(rules: Path) -> None:
    rewrite(rules / "cn" / "severities.yaml", levels={"critical": {"points": 40, "fatal": True}})
    (found,) = [f for f in scanned(rules / "cn", "再不还钱我弄死你。") if f.rule_id == "cn.threat_violence.harm"]
    assert (found.severity, found.points, found.is_fatal, found.needs_listening) == ("critical", 40, True, False)


def test_a_finding_of_the_trained_layer_is_lowered_by_the_band_of_the_pack(rules: Path) -> None:
    text = "别以为躲着就没事，你家孩子几点放学我可都清楚。"
    before = [f for f in scanned(RULES / "cn", text) if f.plane == "model"]
    assert before, "the trained layer proposes something here"
    above = round(before[0].score + 0.001, 3)
    band = {"least_score": above, "else": "low", "needs_listening": True}
    rewrite(rules / "cn" / "severities.yaml", model={"critical": band, "high": band})
    after = next(f for f in scanned(rules / "cn", text) if f.rule_id == before[0].rule_id)
    assert (after.severity, after.needs_listening, after.points) == ("low", True, 1)
    assert after.rule_digest != before[0].rule_digest


def test_an_extending_pack_takes_the_table_of_its_base(rules: Path) -> None:
    rewrite(rules / "us" / "severities.yaml", levels={"critical": {"points": 77, "fatal": True}})
    (pack,) = load_packs([rules / "uk"])
    assert pack.severities.levels["critical"].points == 77


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("levels", {"high": {"points": 11, "fatal": False}}, "critical counts less than high"),
        ("levels", {"critical": {"points": 11, "fatal": False}, "high": {"points": 5, "fatal": True}}, "high is fatal"),
        ("levels", {"high": {"points": -1, "fatal": False}}, "minimum"),
        ("model", {"high": {"least_score": 0.7, "else": "critical", "needs_listening": True}}, "graver"),
        ("model", {"high": {"least_score": 0.7, "else": "high", "needs_listening": False}}, "changes nothing"),
        ("model", {"grave": {"least_score": 0.7, "else": "high", "needs_listening": True}}, "unknown key grave"),
    ],
)
def test_a_table_that_makes_no_sense_is_named_with_its_line(
    rules: Path, part: str, values: dict[str, Any], message: str
) -> None:
    rewrite(rules / "cn" / "severities.yaml", **{part: values})
    problems = [problem for problem in lint(rules / "cn") if problem.file.name == "severities.yaml"]
    assert any(message in problem.message for problem in problems)
    assert all(problem.line > 0 for problem in problems)
