"""Doubtful findings are heard a second time by the real engine; the finding itself stays as it is."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from audit_service.custody.vault import Vault
from audit_service.database import Session, transaction
from audit_service.jobs.tasks import hear_recording_again
from audit_service.review.models import Finding, SecondHearing
from audit_service.review.second_hearing import doubtful_findings, is_doubtful, likeness
from tests.conftest import SAMPLES
from tests.factories import contacts, findings, organizations

TURN = json.loads((SAMPLES / "truth" / "zh-02.json").read_text(encoding="utf-8"))["turns"][0]


def flagged(session: Session, vault: Vault, quote: str, probability: float, plane: str = "text") -> Finding:
    """Store the sample call with one finding over its first turn, whose words have this probability."""
    lender = organizations.institution(session)
    attempt = contacts.attempt(session, contacts.borrower(session, lender), organizations.agency(session, lender))
    audio = (SAMPLES / "calls" / "zh-02.wav").read_bytes()
    recording = contacts.recording(session, vault, attempt, audio=audio)
    transcript = findings.transcript(session, recording, [("agent", TURN["start"], TURN["end"], TURN["text"])])
    session.refresh(transcript)
    segment = transcript.segments[0]
    segment.words = [[TURN["start"], TURN["end"], TURN["text"], probability]]
    found = findings.finding(session, attempt, quote=quote, segment=segment)
    found.start_s, found.end_s, found.plane, found.transcript_id = TURN["start"], TURN["end"], plane, transcript.id
    session.flush()
    return found


@pytest.mark.parametrize(
    ("probability", "plane", "expected"),
    [(0.95, "text", False), (0.4, "text", True), (0.95, "syllable", True), (0.95, "model", True)],
)
def test_doubtful_is_what_rests_on_likeness_or_on_unsure_words(
    app: Flask, vault: Vault, probability: float, plane: str, *, expected: bool
) -> None:
    with transaction() as session:
        found = flagged(session, vault, "法院", probability, plane)
        assert is_doubtful(found) is expected
        found.segment_id = None
        session.flush()
        session.refresh(found)
        assert not is_doubtful(found)


def test_what_was_said_is_heard_again_and_what_was_not_is_not(app: Flask, vault: Vault) -> None:
    settings = app.extensions["audit_settings"]
    with transaction() as session:
        found = flagged(session, vault, TURN["text"], 0.3)
        other = Finding(
            **{column.name: getattr(found, column.name) for column in Finding.__table__.columns if column.name != "id"}
        )
        other.quote = "把你孩子的照片发到业主群里"
        session.add(other)
        session.flush()
        numbers, said = (found.id, other.id), found.transcript.recording_id
    hear_recording_again(settings, vault, said)
    with transaction() as session:
        heard = {one.finding_id: one for one in session.query(SecondHearing)}
        assert heard[numbers[0]].likeness > 0.7
        assert heard[numbers[1]].likeness < 0.6
        assert heard[numbers[0]].engine.startswith("faster-whisper")
        assert session.get_one(Finding, numbers[0]).quote == TURN["text"]
        assert doubtful_findings(session, said) == []


def test_likeness_is_by_sound_in_chinese_and_by_letters_in_english() -> None:
    assert likeness("法警上门", "今天发警上门来", "zh") == 1.0
    assert likeness("法警上门", "您好", "zh") == 0.0
    assert likeness("arrest you", "we will Arrest you.", "en") == 1.0
    assert likeness("", "anything", "en") == 0.0
