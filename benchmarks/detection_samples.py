"""Findings on the sample calls (true text) and messages against their labels, beside a plain keyword list.

Run: python benchmarks/detection_samples.py [--heard]
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from audit_service.detection import Conversation, Engine, Turn, load_packs
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file
from audit_service.transcription.weights import locate_weights

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"

# What a first afternoon with a word list gives: the baseline that any engine must beat.
KEYWORDS = {
    "impersonation_authority": ("法院", "公安", "警察", "检察", "派出所", "sheriff", "police", "court", "officer"),
    "threat_unlawful_action": ("抓", "坐牢", "逮捕", "刑事", "拘留", "查封", "arrest", "jail", "warrant", "prison"),
    "threat_violence": ("弄死", "打断", "小心点", "不客气", "hurt you", "watch your back", "kill"),
    "abuse_insult": ("不要脸", "老赖", "骗子", "他妈", "deadbeat", "pathetic", "loser", "stupid", "liar"),
    "third_party_harassment": ("通讯录", "单位", "爸妈", "家人", "同事", "your boss", "your mother", "your family"),
    "public_shaming": ("曝光", "朋友圈", "贴", "群发", "所有人", "everyone", "neighbours", "post your"),
    "misleading_consequence": ("黑名单", "上不了学", "影响三代", "blacklist", "forever"),
    "improper_payment_channel": ("私人账户", "个人账户", "微信转", "gift card", "cash app"),
    "induce_borrowing": ("借", "刷信用卡", "borrow", "loan"),
    "cease_request": ("不要再打", "别再打", "stop calling", "do not call"),
    "complaint_intent": ("投诉", "举报", "complain", "report you"),
    "hardship_signal": ("失业", "没有钱", "困难", "分期", "lost my job", "payment plan"),
    "vulnerability_signal": ("不想活", "住院", "自杀", "suicide", "hospital"),
}
EVENT_CATEGORIES = {
    "outside_hours",
    "excessive_frequency",
    "contact_after_cease",
    "wrong_party_contact",
    "contact_represented",
}


@dataclass(frozen=True)
class Sample:
    """One conversation and the categories it is known to hold, without those that need the contact log."""

    conversation: Conversation
    truth: frozenset[str]


def calls() -> list[Sample]:
    """Return the sample calls as conversations of their true turns."""
    samples = []
    for sidecar_file in sorted((SAMPLES / "calls").glob("*.json")):
        sidecar = json.loads(sidecar_file.read_text(encoding="utf-8"))
        truth = json.loads((SAMPLES / "truth" / sidecar_file.name).read_text(encoding="utf-8"))
        turns = tuple(Turn(t["speaker"], t["text"], t["start"], t["end"]) for t in truth["turns"])
        labels = {label for turn in truth["turns"] for label in turn["labels"]} | set(truth["call_labels"])
        conversation = Conversation(
            id=sidecar["reference"],
            turns=turns,
            source="transcript",
            channel="call",
            recipient=sidecar["callee"],
            at=datetime.fromisoformat(sidecar["started_at"]),
            timezone=sidecar["timezone"],
            language=sidecar["language"],
            jurisdictions=("cn" if sidecar["language"] == "zh" else "us",),
        )
        samples.append(Sample(conversation, frozenset(labels - EVENT_CATEGORIES)))
    return samples


def heard(samples: Sequence[Sample]) -> list[Sample]:
    """Return the same calls as Whisper base hears them."""
    engine = FasterWhisperEngine(locate_weights(None, Path(tempfile.gettempdir()) / "weights"))
    made = []
    for sidecar_file, sample in zip(sorted((SAMPLES / "calls").glob("*.json")), samples, strict=True):
        options = ListeningOptions(sample.conversation.language, 0, sample.conversation.recipient or "borrower")
        result = transcribe_file(sidecar_file.with_suffix(".wav"), engine, options)
        turns = tuple(
            Turn(segment.speaker, segment.text, segment.start_s, segment.end_s, segment.confidence)
            for segment in result.segments
        )
        made.append(Sample(replace(sample.conversation, turns=turns, source="asr"), sample.truth))
    return made


def messages() -> list[Sample]:
    """Return the sample messages, each a conversation of one turn."""
    truth = json.loads((SAMPLES / "truth" / "message_log.json").read_text(encoding="utf-8"))
    registry = json.loads((SAMPLES / "registry.json").read_text(encoding="utf-8"))
    jurisdictions = {row["code"]: row["jurisdiction"] for row in registry["institutions"]}
    samples = []
    with (SAMPLES / "logs" / "message_log.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            sender = row["sender"]
            conversation = Conversation(
                id=row["message_id"],
                turns=(Turn(sender, row["text"]),),
                source="typed",
                channel=row["channel"],
                recipient=row["callee"],
                at=datetime.fromisoformat(row["sent_at"]),
                timezone=row["timezone"],
                jurisdictions=(jurisdictions[row["institution"]],),
            )
            samples.append(Sample(conversation, frozenset(set(truth[row["message_id"]]) - EVENT_CATEGORIES)))
    return samples


def by_keywords(conversation: Conversation) -> set[str]:
    """Return the categories whose keywords stand anywhere in the conversation."""
    text = " ".join(turn.text for turn in conversation.turns).lower()
    return {category for category, words in KEYWORDS.items() if any(word in text for word in words)}


def score(name: str, samples: Iterable[Sample], find: Callable[[Conversation], set[str]]) -> None:
    """Print precision, recall and what went wrong, counting one category in one conversation as one decision."""
    right = extra = missed = 0
    wrong: list[str] = []
    for sample in samples:
        found = find(sample.conversation)
        right += len(found & sample.truth)
        extra += len(found - sample.truth)
        missed += len(sample.truth - found)
        if found != sample.truth:
            parts = [f"+{category}" for category in sorted(found - sample.truth)]
            parts += [f"-{category}" for category in sorted(sample.truth - found)]
            wrong.append(f"    {sample.conversation.id}: {' '.join(parts)}")
    precision = right / (right + extra) if right + extra else 1.0
    recall = right / (right + missed) if right + missed else 1.0
    print(f"{name:28} precision {precision:.2f}  recall {recall:.2f}  ({right} right, {extra} extra, {missed} missed)")
    if find is not by_keywords:
        print("\n".join(wrong))


def main() -> None:
    """Print the engine's and the keyword list's figures on both kinds of samples."""
    engine = Engine(load_packs((ROOT / "rules" / "cn", ROOT / "rules" / "us")))

    def by_engine(conversation: Conversation) -> set[str]:
        found = {finding.category for finding in engine.scan(conversation).findings}
        return found - EVENT_CATEGORIES

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heard", action="store_true", help="transcribe the calls too: three minutes on two cores")
    kinds = {"calls": calls(), "messages": messages()}
    if parser.parse_args().heard:
        kinds["calls as heard"] = heard(kinds["calls"])
    for kind, samples in kinds.items():
        score(f"{kind}: engine", samples, by_engine)
        score(f"{kind}: keyword list", samples, by_keywords)


if __name__ == "__main__":
    main()
