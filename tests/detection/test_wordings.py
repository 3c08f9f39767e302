"""The trained layer: what it proposes, where it keeps silent, and that it is exact and stable."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit_service.detection import Conversation, Engine, Turn, load_packs
from audit_service.detection.errors import RulePackError
from audit_service.detection.folding import fold
from audit_service.detection.pieces import pieces_of
from audit_service.detection.values import FoundFinding

RULES = Path(__file__).resolve().parents[2] / "rules"
ENGINE = Engine(load_packs([RULES / "cn", RULES / "us"]))
WHOLE = (RULES / "cn" / "model" / "wording.npz").read_bytes()
LAYER = next(pack.model for pack in ENGINE.packs if pack.id == "cn" and pack.model is not None)
HINT = "您好。再拖下去人是要进去的，蹲上几年出来孩子都不认识你。"


def scan(text: str, speaker: str = "agent", recipient: str | None = "borrower") -> tuple[FoundFinding, ...]:
    return ENGINE.scan(Conversation("c", (Turn(speaker, text),), recipient=recipient)).findings


def test_a_hint_without_any_word_of_a_rule_is_proposed_with_its_exact_place() -> None:
    (found,) = [finding for finding in scan(HINT) if finding.category == "threat_unlawful_action"]
    assert (found.plane, found.rule_id) == ("model", "cn.threat_unlawful_action.wording")
    assert HINT[found.start : found.end] == found.quote
    assert "您好" not in found.quote
    assert found.explanation["anchors"]


@pytest.mark.parametrize(
    "text",
    [
        "如您长期不还，我司可能向法院提起民事诉讼，不涉及刑事责任。",
        "我们不会给您母亲打电话的，这一点您放心。",
        "请警惕冒充法院的短信，我司只用对公账户收款。",
        "If we cannot agree, the creditor may file a civil lawsuit.",
    ],
)
def test_lawful_twins_are_left_alone(text: str) -> None:
    assert scan(text) == ()


def test_writing_otherwise_does_not_change_the_score() -> None:
    plain, evaded = "你就等着手机爆炸吧", "你 就 等*着 手 機 爆·炸 吧"
    assert fold(plain).text == fold(evaded).text
    assert np.array_equal(LAYER.scores([plain], ["agent"]), LAYER.scores([evaded], ["agent"]))


def test_company_does_not_change_a_score() -> None:
    texts = [HINT, "您好", "Pay up or we will come to your house.", ""]
    together = LAYER.scores(texts, ["agent"] * 4)
    alone = [LAYER.scores([text], ["agent"])[0] for text in texts]
    assert np.array_equal(together, np.array(alone))


def test_pieces_are_told_apart_by_text() -> None:
    texts = ["打电话", "", "pay me"]
    pieces = pieces_of(texts)
    rows = zip(pieces.texts, pieces.starts, pieces.ends, strict=True)
    spelled = [(text, texts[text][max(0, start) : end].strip()) for text, start, end in rows]
    assert {(0, "打电话"), (0, "电话"), (2, "pay me"), (2, "pay")} <= set(spelled)
    assert {text for text, _ in spelled} == {0, 2}


def test_what_the_borrower_says_is_never_conduct() -> None:
    assert all(finding.kind == "signal" for finding in scan(HINT, speaker="borrower"))


def test_an_unknown_speaker_lowers_the_score() -> None:
    (known,) = [f for f in scan(HINT) if f.category == "threat_unlawful_action"]
    unsure = [f for f in scan(HINT, speaker="unknown") if f.category == "threat_unlawful_action"]
    assert all(finding.score < known.score for finding in unsure)


def test_disclosure_is_proposed_less_surely_where_the_reader_is_not_known() -> None:
    text = "您儿子在我们平台借了两万八，到现在一直没还"

    def scores(recipient: str | None) -> list[float]:
        return [f.score for f in scan(text, recipient=recipient) if f.category == "third_party_disclosure"]

    (told,), unsure = scores("third_party"), scores(None)
    assert all(score < told for score in unsure)
    assert scores("borrower") == []


def test_the_model_is_silent_where_the_words_of_a_rule_spoke() -> None:
    found = scan("今天不还，法警马上到你家抓人")
    assert [f.plane for f in found if f.category == "threat_unlawful_action"] == ["text"]


@pytest.mark.parametrize(
    "content",
    [b"not a model", b"", WHOLE[:5000], WHOLE[:20_000] + bytes(200) + WHOLE[20_200:]],
    ids=["text", "empty", "cut short", "damaged"],
)
def test_a_broken_model_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    (tmp_path / "rules" / "cn" / "model" / "wording.npz").write_bytes(content)
    with pytest.raises(RulePackError, match=r"wording\.npz"):
        load_packs([tmp_path / "rules" / "cn"])


def test_other_weights_make_another_digest(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    file = tmp_path / "rules" / "cn" / "model" / "wording.npz"
    with np.load(file) as stored:
        values = {name: stored[name] for name in stored.files}
    values["bias"] = values["bias"] + 1
    np.savez_compressed(file, **values)
    (old,), (new,) = load_packs([RULES / "cn"]), load_packs([tmp_path / "rules" / "cn"])
    assert old.digest != new.digest


def test_words_that_the_trained_layer_all_but_rules_out_make_no_finding() -> None:
    (pack,) = load_packs([RULES / "cn"])
    heeding, deaf = Engine([pack]), Engine([replace(pack, dissent_below=0.0)])
    texts = [example["text"] for rule in pack.rules if rule.kind == "frame" for example in rule.examples["flag"]]
    for text in texts:
        conversation = Conversation("c", (Turn("agent", text),), recipient="borrower")
        kept = {(f.rule_id, f.start) for f in heeding.scan(conversation).findings if f.plane != "model"}
        every = {(f.rule_id, f.start) for f in deaf.scan(conversation).findings if f.plane != "model"}
        assert kept <= every
    assert pack.digest != replace(pack, normative={**pack.normative, "pack": {}}).digest


@pytest.mark.parametrize("damage", ["missing", "cut short"])
def test_a_broken_reader_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    file = tmp_path / "rules" / "reader" / "reader.onnx"
    file.unlink() if damage == "missing" else file.write_bytes(file.read_bytes()[:10_000])
    with pytest.raises(RulePackError, match=r"pack\.yaml.*reader"):
        load_packs([tmp_path / "rules" / "cn"])
