"""Transcripts, detection runs and findings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from audit_service import clock
from audit_service.contacts.models import ContactAttempt, Message, Recording, Speaker
from audit_service.database import Session
from audit_service.review.models import DetectionRun, Finding, FindingKind, PackVersion, RunScope, Severity
from audit_service.transcription.models import Segment, Transcript

_numbers = itertools.count(1)
RULE = "cn.threat_unlawful_action.arrest"

RULES = {
    RULE: {
        "title": {"zh": "以抓捕相威胁", "en": "Threatens arrest"},
        "explanation": {"zh": "声称将抓捕借款人。", "en": "Says that the borrower will be arrested."},
        "category": "threat_unlawful_action",
        "severity": "critical",
        "authorities": [
            {
                "instrument": "cn.gbt-45251-2025",
                "title": {
                    "zh": "互联网金融 个人网络消费信贷 贷后催收风控指引",
                    "en": "Guideline on collection risk control",
                },
                "number": "GB/T 45251-2025",
                "weight": "STD",
                "clause": "5.3",
            }
        ],
        "review": {"listen_for": {"zh": "完整语句", "en": "the whole sentence"}},
    }
}


def transcript(
    session: Session, of: Recording, turns: Sequence[tuple[str, float, float, str]], *, version: int = 1
) -> Transcript:
    """Store a transcript; each turn is (speaker, start_s, end_s, text)."""
    made = Transcript(
        recording_id=of.id,
        version=version,
        engine="faster-whisper",
        model="base",
        model_sha256="0" * 64,
        options={},
        language="zh",
        created_at=clock.now(),
        took_s=1.0,
    )
    session.add(made)
    session.flush()
    for position, (speaker, start_s, end_s, text) in enumerate(turns):
        session.add(
            Segment(
                transcript_id=made.id,
                position=position,
                channel=0 if speaker == "agent" else 1,
                speaker=Speaker(speaker),
                start_s=start_s,
                end_s=end_s,
                text=text,
                text_original=text,
                confidence=0.9,
                words=[],
            )
        )
    session.flush()
    return made


def pack_version(session: Session) -> PackVersion:
    made = PackVersion(
        pack="cn", version="2026.11.1", digest=f"{next(_numbers):064x}", rules=RULES, first_used_at=clock.now()
    )
    session.add(made)
    session.flush()
    return made


def finding(session: Session, of: ContactAttempt, *, quote: str, **values: object) -> Finding:
    """Store a finding about ``of``; give ``segment`` or ``message`` to say where the words stand."""
    segment, message = values.pop("segment", None), values.pop("message", None)
    pack = values.pop("pack_version", None) or pack_version(session)
    run = DetectionRun(
        scope=RunScope.CONVERSATION,
        subject_id=10_000_000 + next(_numbers),
        digests=[],
        started_at=clock.now(),
        undetermined=[],
    )
    session.add(run)
    session.flush()
    text = segment.text if isinstance(segment, Segment) else message.text if isinstance(message, Message) else ""
    start = text.find(quote) if quote else -1
    fields: dict[str, object] = {
        "run_id": run.id,
        "pack_version_id": pack.id,
        "attempt_id": of.id,
        "transcript_id": segment.transcript_id if isinstance(segment, Segment) else None,
        "segment_id": segment.id if isinstance(segment, Segment) else None,
        "message_id": message.id if isinstance(message, Message) else None,
        "rule_id": RULE,
        "rule_version": 1,
        "category": "threat_unlawful_action",
        "kind": FindingKind.VIOLATION,
        "severity": Severity.CRITICAL,
        "speaker": Speaker.AGENT,
        "quote": quote,
        "start_offset": start if start >= 0 else None,
        "end_offset": start + len(quote) if start >= 0 else None,
        "start_s": segment.start_s if isinstance(segment, Segment) else None,
        "end_s": segment.end_s if isinstance(segment, Segment) else None,
        "score": 0.95,
        "plane": "text",
        "explanation": {},
        "related_attempt_ids": [],
        "found_at": clock.now(),
    }
    made = Finding(**(fields | values))
    session.add(made)
    session.flush()
    return made
