"""Regular expressions of rules: which are refused because they may backtrack without end, and which are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_service.detection import lint
from audit_service.detection.patterns import compiled, is_slow
from tests.factories.rules import pack, rule


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+b",
        "([a-z]+)*1",
        "(a|aa)*b",
        "(ab|a|b)*c",
        "(?:aa?)*b",
        r"\d+\d+x",
        ".*.*x",
        r"(?:\w+ ?)+x",
        "(a{1,20}){1,20}b",
        "a*(?:a*|b)c",
        "(?=(a+)+b)x",
        "a?" * 14 + "a" * 14,
        "(?:a|aa)" * 20 + "b",
        "(?:a?a?a?a?a?a?|z)" * 4 + "b",
        "(?i)word",
        "[a-",
    ],
)
def test_a_pattern_that_may_take_forever_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"forever|ways|flags|regular expression"):
        compiled(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"\d{4,}元", "欠5000元"),
        ("(?:[a-z]+ )+due", "it is long over due"),
        ("(?:ab|cd)+", "abcd"),
        ("还.{0,8}钱", "还不还钱"),
        ("(?:还|付)+钱", "还钱"),
        (r"[a-z]+(?: [a-z]+)?", "two words"),
        (r"\w+ \w+ \w+", "a b c"),
        ("[一-鿿]{2,10}?公司", "宏远公司"),
    ],
)
def test_ordinary_patterns_are_let_through(text: str, said: str) -> None:
    assert compiled(text).search(said)
    assert not is_slow(text)


def test_the_trial_stops_what_the_check_would_not_see() -> None:
    assert is_slow("(x+x+)+y")


def test_lint_runs_the_trial_and_names_the_line(tmp_path: Path) -> None:
    slow = "|".join(f"[a-z]*{number}" for number in range(100, 300))
    assert compiled(slow)
    folder = pack(tmp_path, rule("slow", {"a": {"pattern": slow}, "condition": "a"}))
    lines = (folder / "harassment" / "slow.yaml").read_text(encoding="utf-8").splitlines()
    (problem,) = [problem for problem in lint(folder) if "too long" in problem.message]
    assert "pattern" in lines[problem.line - 1]
