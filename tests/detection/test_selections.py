"""What a selection can ask for: how often, how much alike, but for what, and beside which other words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_service.detection import Conversation, Engine, Turn, lint, load_packs
from audit_service.detection.conditions import parse, written
from audit_service.detection.errors import ConditionError
from audit_service.settings import ROOT
from tests.factories.rules import contact, engine, pack, rule

URGENT = ["马上", "立刻", "今天"]


def quotes(judge: Engine, conversation: Conversation) -> list[str]:
    return [finding.quote for finding in judge.scan(conversation).findings]


def counting(folder: Path, **values: object) -> Engine:
    return engine(folder, rule("press", {"press": {"any": URGENT, **values}, "condition": "press"}))


def test_at_least_n_counts_hits_in_a_sentence(tmp_path: Path) -> None:
    judge = counting(tmp_path, at_least=2)
    assert quotes(judge, contact(("agent", "马上还，立刻还。今天行吗"))) == ["马上还，立刻"]
    assert quotes(judge, contact(("agent", "马上还。立刻还。今天还"))) == []


def test_at_least_n_counts_over_a_turn_and_over_the_call(tmp_path: Path) -> None:
    said = contact(("agent", "马上还。立刻还"), ("borrower", "今天没钱"), ("agent", "今天必须还"))
    assert quotes(counting(tmp_path / "turn", at_least=2, per="turn"), said) == ["马上还。立刻"]
    (found,) = counting(tmp_path / "call", at_least=3, per="call").scan(said).findings
    assert (found.quote, found.turn) == ("今天", 2)
    assert [(said["turn"], said["text"], said["start_s"]) for said in found.explanation["occurrences"]] == [
        (0, "马上", 0.0),
        (0, "立刻", 2.29),
        (2, "今天", 10.0),
    ]


def test_hits_of_the_other_side_are_not_counted_over_the_call(tmp_path: Path) -> None:
    judge = counting(tmp_path, at_least=3, per="call")
    assert quotes(judge, contact(("agent", "马上还"), ("borrower", "今天马上立刻"), ("agent", "今天还"))) == []


def test_different_counts_words_and_not_their_repeats(tmp_path: Path) -> None:
    judge = counting(tmp_path, at_least=2, different=True)
    assert quotes(judge, contact(("agent", "马上马上马上还"))) == []
    assert quotes(judge, contact(("agent", "马上还，今天还"))) == ["马上还，今天"]


def test_all_asks_for_each_entry_and_a_list_of_synonyms_is_one(tmp_path: Path) -> None:
    made = rule("all", {"both": {"all": ["还钱", {"lexicon": "soon"}]}, "condition": "both"})
    folder = pack(tmp_path, made)
    (folder / "lexicons").mkdir()
    (folder / "lexicons" / "words.yaml").write_text(
        "purpose: {zh: 一, en: one}\nlists:\n  soon: [马上, 立刻]\n", encoding="utf-8"
    )
    judge = Engine(load_packs([folder]))
    assert quotes(judge, contact(("agent", "马上立刻"))) == []
    assert quotes(judge, contact(("agent", "立刻还钱"))) == ["立刻还钱"]


def test_a_pattern_alone_makes_a_rule_and_not_pattern_takes_away(tmp_path: Path) -> None:
    number = {"pattern": "[0-9]{4,}", "not_pattern": "20[0-9]{2}年"}
    judge = engine(tmp_path, rule("number", {"number": number, "condition": "number"}))
    assert quotes(judge, contact(("agent", "你2024年欠的，卡号是62220001"))) == ["62220001"]
    message = Conversation("m", (Turn("agent", "卡号62220001"),), jurisdictions=("cn",))
    assert judge.scan_many([message]) == [judge.scan(message)]
    assert judge.scan(message).findings


LIKE = {"like": ["我们已经联系了你的单位领导", "你的事情你们领导都知道了"], "likeness": 0.6}


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("我们已经联系上你单位的领导了", LIKE["like"][0]),
        ("你这个事情你们领导全知道了", LIKE["like"][1]),
        ("您好，请问您什么时候方便还款", None),
    ],
)
def test_a_similar_sentence_is_found_with_its_nearest_example(tmp_path: Path, text: str, nearest: str | None) -> None:
    judge = engine(tmp_path, rule("like", {"told": LIKE, "condition": "told"}))
    found = judge.scan(contact(("agent", f"喂你好。{text}。再见"))).findings
    assert [finding.explanation["anchors"][0]["literal"] for finding in found] == ([nearest] if nearest else [])
    assert [(finding.quote, finding.plane) for finding in found] == ([(text, "similar")] if nearest else [])


def test_in_unpunctuated_speech_the_stretch_that_fits_is_taken(tmp_path: Path) -> None:
    judge = engine(tmp_path, rule("like", {"told": LIKE, "condition": "told"}))
    heard = contact(("agent", "喂你好我这边是来电跟你说一下我们已经联系了你单位领导你看一下怎么处理吧"), source="asr")
    (found,) = judge.scan(heard).findings
    assert "联系了你单位领导" in found.quote
    assert len(found.quote) < 20


def beside(folder: Path, part: str, **values: object) -> Engine:
    detect = {"threat": {"any": ["上门"]}, "condition": "threat"}
    return engine(folder, rule("beside", detect, **{part: {"word": values}}))


def test_a_threat_is_taken_back_within_three_turns(tmp_path: Path) -> None:
    judge = beside(tmp_path, "except", any=["开玩笑"], turns={"after": 3}, speaker="agent")
    back = [("agent", "我要上门"), ("borrower", "啊"), ("agent", "我开玩笑的")]
    far = [back[0], *[("borrower", "啊"), ("agent", "嗯")] * 2, back[2]]
    assert quotes(judge, contact(*back)) == []
    assert quotes(judge, contact(*far)) == ["上门"]
    assert quotes(judge, contact(back[0], ("borrower", "你开玩笑"))) == ["上门"]
    assert quotes(judge, contact(("agent", "开玩笑"), back[0])) == ["上门"]


def test_a_requirement_must_stand_before_and_is_shown(tmp_path: Path) -> None:
    judge = beside(tmp_path, "requires", any=["不在家"], turns={"before": 2}, speaker="borrower")
    (found,) = judge.scan(contact(("borrower", "我不在家"), ("agent", "那我上门"))).findings
    assert found.explanation["required"]["word"]["text"] == "不在家"
    assert quotes(judge, contact(("agent", "那我上门"), ("borrower", "我不在家"))) == []
    assert quotes(judge, contact(("agent", "你不在家我也上门"))) == []


@pytest.mark.parametrize(("hit", "found"), [(None, ["上门"]), (1, []), (2, ["上门"]), (-1, ["上门"]), (3, [])])
def test_only_the_nth_hit_of_a_requirement_counts(tmp_path: Path, hit: int | None, found: list[str]) -> None:
    values = {} if hit is None else {"hit": hit}
    judge = beside(tmp_path, "requires", any=["不还"], turns={"before": 1}, **values)
    said = [("borrower", "不还"), ("agent", "啊"), ("borrower", "不还"), ("agent", "上门")]
    assert quotes(judge, contact(*said)) == found


def test_around_looks_to_both_sides_and_the_same_turn(tmp_path: Path) -> None:
    judge = beside(tmp_path, "requires", any=["亲自"], turns={"before": 1, "after": 1})
    assert quotes(judge, contact(("agent", "亲自上门"))) == ["上门"]
    assert quotes(judge, contact(("agent", "上门"), ("borrower", "亲自吗"))) == ["上门"]


def test_brackets_stand_after_not(tmp_path: Path) -> None:
    words = {"a": {"any": ["还钱"]}, "b": {"any": ["不用"]}, "c": {"any": ["先"]}, "d": {"any": ["等等"]}}
    judge = engine(tmp_path, rule("not", {**words, "condition": "a and not (b or (c then d))"}))
    assert quotes(judge, contact(("agent", "还钱"))) == ["还钱"]
    assert quotes(judge, contact(("agent", "不用还钱"))) == []
    assert quotes(judge, contact(("agent", "还钱先等等"))) == []
    assert quotes(judge, contact(("agent", "先还钱"))) == ["还钱"]


@pytest.mark.parametrize(
    "text", ["a", "a then b within 10", "a and not (b or c)", "(a or b) and c", "a or (b near c within 3)"]
)
def test_a_condition_is_written_as_it_is_read(text: str) -> None:
    assert parse(written(parse(text))) == parse(text)


def test_not_alone_is_no_condition() -> None:
    with pytest.raises(ConditionError):
        parse("not (a or b)")


@pytest.mark.parametrize(("given_as", "outcome"), [("flag", "found"), ("cannot_tell", "speaker"), ("pass", "nothing")])
def test_an_unknown_speaker_is_what_the_rule_says(tmp_path: Path, given_as: str, outcome: str) -> None:
    values = {} if given_as == "flag" else {"unknown_speaker": given_as}
    judge = engine(tmp_path, rule("who", {"threat": {"any": ["上门"]}, "condition": "threat"}, **values))
    result = judge.scan(contact(("unknown", "我要上门")))
    assert [finding.speaker for finding in result.findings] == (["unknown"] if outcome == "found" else [])
    assert [item.missing for item in result.undetermined] == (["speaker"] if outcome == "speaker" else [])


EVERYTHING = [
    rule("count", {"press": {"any": URGENT, "at_least": 2, "different": True}, "condition": "press"}),
    rule("call", {"press": {"any": URGENT, "at_least": 2, "per": "call"}, "condition": "press"}),
    rule("both", {"both": {"all": ["还", "钱"]}, "pay": {"any": ["付"]}, "condition": "both or (both near pay)"}),
    rule("number", {"number": {"pattern": "[0-9]{2,}", "not_pattern": "10"}, "condition": "number"}),
    rule(
        "like", {"told": {"like": ["马上还钱"], "likeness": 0.7}, "pay": {"any": ["付"]}, "condition": "told and pay"}
    ),
    rule("bare", {"told": {"like": ["今天上门"], "likeness": 0.8}, "condition": "told"}, unknown_speaker="cannot_tell"),
    rule("not", {"pay": {"any": ["付"]}, "no": {"any": ["不"]}, "condition": "pay and not (no or pay then no)"}),
    rule(
        "near",
        {"pay": {"any": ["付"]}, "condition": "pay", "part": {"percent": [0, 50], "first": {"turns": 1}}},
        **{"except": {"no": {"any": ["不"], "turns": {"after": 1}}}},
        requires={"you": {"any": ["你"], "in": "turn"}},
    ),
    rule("late", {"pay": {"any": ["付"]}, "condition": "pay", "part": {"first": {"seconds": 3}}}),
]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine(tmp_path_factory.mktemp("everything"), *EVERYTHING)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.lists(st.sampled_from([*URGENT, *"还钱付不你上门。，1", "20", "pay"]), max_size=9), max_size=6),
    speaker=st.sampled_from(["agent", "borrower", "unknown"]),
)
def test_in_bulk_every_piece_of_the_language_is_judged_as_alone(
    everything: Engine, texts: list[list[str]], speaker: str
) -> None:
    many = [
        Conversation(str(number), (Turn(speaker, "".join(text)),), jurisdictions=("cn",), recipient="borrower")
        for number, text in enumerate(texts)
    ]
    assert everything.scan_many(many) == [everything.scan(conversation) for conversation in many]


@pytest.mark.parametrize(
    ("detect", "values", "line_of", "says"),
    [
        ({"a": {"any": ["x"], "at_least": 3, "different": True}}, {}, "at_least: 3", "can never be met"),
        ({"a": {"pattern": "(a+)+b"}}, {}, "pattern: ", "nothing tells their turns apart"),
        ({"a": {"any": ["x"], "not_pattern": "[0-9]*[0-9]+x"}}, {}, "not_pattern: ", "side by side"),
        ({"a": {"any": ["x"], "per": "call"}}, {}, "  a:", "not valid"),
        ({"a": {"any": ["x"], "likeness": 0.7}}, {}, "  a:", "'like' is a dependency"),
        ({"a": {"any": ["x"]}, "part": {"before": "verified"}}, {}, "before: verified", "needs the steps"),
        ({"a": {"any": ["x"]}, "part": {"percent": [50, 10]}}, {}, "percent:", "ends before it begins"),
        ({"a": {"any": ["x"]}, "least_level": "second"}, {}, "least_level", "no step"),
        ({"a": {"any": ["x"]}}, {"except": {"e": {"any": ["y"], "speaker": "agent", "in": "turn"}}}, "  e:", "turns"),
        ({"a": {"any": ["x"]}}, {"requires": {"r": {"any": ["y"], "in": "turn"}}}, "  r:", "no pass example"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_line(
    tmp_path: Path, detect: dict, values: dict, line_of: str, says: str
) -> None:
    folder = pack(tmp_path, rule("bad", {**detect, "condition": "a"}, **values))
    lines = (folder / "harassment" / "bad.yaml").read_text(encoding="utf-8").splitlines()
    wanted = next(number for number, line in enumerate(lines, start=1) if line_of in line)
    assert [problem.line for problem in lint(folder) if says in problem.message] == [wanted]


FRAGMENTS = re.findall(
    r"```yaml\n(detect:\n.*?)```", (ROOT / "docs" / "rules-authoring.md").read_text("utf-8"), re.DOTALL
)


@pytest.mark.parametrize("text", [text for text in FRAGMENTS if "condition:" in text])
def test_the_rules_shown_in_the_documentation_are_rules(tmp_path: Path, text: str) -> None:
    shown = yaml.safe_load(text)
    folder = pack(tmp_path, rule("shown", **shown))
    (folder / "lexicons").mkdir()
    words = "purpose: {zh: 一, en: one}\nlists:\n  overdue: [逾期]\n"
    (folder / "lexicons" / "words.yaml").write_text(words, encoding="utf-8")
    assert load_packs([folder])[0].rules[0].detection.selections
