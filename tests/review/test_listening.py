"""Doubtful findings are confirmed only by who listened to them; nobody speaks, nothing is found."""

from __future__ import annotations

import pytest

from audit_service.contacts.models import Recording
from audit_service.custody.models import Action, CustodyEvent
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.detection import Engine, load_packs
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.organizations import services as directory
from audit_service.organizations.values import NewUser
from audit_service.review import running
from audit_service.review.dispositions import dispose
from audit_service.review.listening import NotListenedError, note_listening
from audit_service.review.models import Finding
from audit_service.review.words import correct_words, revert_words
from audit_service.settings import ROOT
from audit_service.transcription.corrections import correct_speakers
from audit_service.transcription.edits import Editor, transcript_lines
from audit_service.transcription.models import Segment, Transcript
from tests.factories import contacts, findings, organizations

THREAT = "今天不还钱，法警马上到你家抓人。"
OPENING = "您好，我是安信消费金融的客服，工号三零二五。"
BY = Editor("user:7", "听过录音")


@pytest.fixture(scope="module")
def engine():
    return Engine(load_packs((ROOT / "rules" / "cn", ROOT / "rules" / "us")))


@pytest.fixture
def recording(session: Session, vault: Vault) -> Recording:
    lender = organizations.institution(session)
    agency = organizations.agency(session, lender)
    made = contacts.recording(session, vault, contacts.attempt(session, contacts.borrower(session, lender), agency))
    made.duration_s = 20.0
    findings.transcript(session, made, [("agent", 0.5, 3.0, OPENING), ("agent", 4.0, 8.0, THREAT)])
    session.expire_all()
    return made


@pytest.fixture
def users(session: Session) -> list[int]:
    return [
        directory.create_user(session, NewUser(f"{name}@example.org", "x", name, ("officer",), None, None)).id
        for name in ("one", "two")
    ]


def segment(session: Session, recording: Recording, position: int) -> Segment:
    newest = max(session.query(Transcript).filter_by(recording_id=recording.id), key=lambda one: one.version)
    return session.query(Segment).filter_by(transcript_id=newest.id, position=position).one()


def doubtful(session: Session, recording: Recording) -> Finding:
    return findings.finding(
        session, recording.attempt, quote="法警马上到你家", segment=segment(session, recording, 1), plane="syllable"
    )


def test_a_doubtful_finding_is_not_confirmed_before_its_seconds_were_played_by_the_same_person(
    session: Session, recording: Recording, users: list[int]
) -> None:
    finding, (one, two) = doubtful(session, recording), users
    with pytest.raises(NotListenedError):
        dispose(session, finding.id, "confirmed", user_id=one)
    note_listening(session, recording.id, one, 4.0, 6.0)
    with pytest.raises(NotListenedError):  # half of it
        dispose(session, finding.id, "confirmed", user_id=one)
    note_listening(session, recording.id, one, 6.2, 8.0)
    with pytest.raises(NotListenedError):  # somebody else listened
        dispose(session, finding.id, "confirmed", user_id=two)
    assert dispose(session, finding.id, "confirmed", user_id=one).dispositions
    assert session.query(CustodyEvent).filter_by(action=Action.PLAYED).count() == 2


def test_sure_findings_and_other_verdicts_need_no_listening(
    session: Session, recording: Recording, users: list[int]
) -> None:
    sure = findings.finding(
        session, recording.attempt, quote="法警", segment=segment(session, recording, 1), plane="text"
    )
    dispose(session, sure.id, "confirmed", user_id=users[0])
    dispose(session, doubtful(session, recording).id, "dismissed", user_id=users[0], reason="x")


def test_a_finding_on_guessed_speakers_must_be_heard(session: Session, recording: Recording, users: list[int]) -> None:
    place = segment(session, recording, 1)
    place.transcript.options = {"told_apart_by": "voice"}
    guessed = findings.finding(session, recording.attempt, quote="法警", segment=place, plane="text")
    with pytest.raises(NotListenedError):
        dispose(session, guessed.id, "confirmed", user_id=users[0])


@pytest.mark.parametrize("span", [(-1.0, 2.0), (3.0, 3.0), (5.0, 4.0), (0.0, 99.0)])
def test_what_is_no_stretch_is_not_kept(
    session: Session, recording: Recording, users: list[int], span: tuple[float, float]
) -> None:
    with pytest.raises(InputRefusedError):
        note_listening(session, recording.id, users[0], *span)
    with pytest.raises(NotFoundError):
        note_listening(session, 999_999, users[0], 0.0, 1.0)


def test_words_where_nobody_speaks_make_no_finding(session: Session, recording: Recording, engine) -> None:
    made = segment(session, recording, 0).transcript
    made.speech = [[[0.4, 3.1]], []]
    session.flush()
    running.run_transcript(session, engine, recording.id)
    assert session.query(Finding).filter(Finding.is_current, Finding.segment_id.isnot(None)).all() == []
    made.speech = [[[0.4, 3.1], [4.1, 7.9]], []]
    session.flush()
    running.run_transcript(session, engine, recording.id)
    assert session.query(Finding).filter(Finding.is_current, Finding.segment_id.isnot(None)).all() != []


def test_a_call_in_a_language_that_was_not_listened_to_is_not_judged_by_what_it_lacks(
    session: Session, vault: Vault, recording: Recording, engine
) -> None:
    made = segment(session, recording, 0).transcript
    made.options = {"unsupported_language": "ja"}
    session.flush()
    assert running.run_transcript(session, engine, recording.id) == running.RunSummary(0, 0, 0)


def test_corrected_words_are_judged_at_once_and_can_be_taken_back(
    session: Session, recording: Recording, engine
) -> None:
    running.run_transcript(session, engine, recording.id)
    threat = segment(session, recording, 1)
    judged = correct_words(session, engine, threat.id, "今天不还钱，我们会依法起诉。", BY)
    assert "threat_unlawful_action" in {found.category for found in judged.went}
    assert (threat.text, threat.read_text) == (THREAT, "今天不还钱，我们会依法起诉。")
    again = correct_words(session, engine, threat.id, "今天不还钱，法警马上抓你。", BY)
    assert "threat_unlawful_action" in {found.category for found in again.came}
    back = revert_words(session, engine, threat.id, BY)
    assert (back.segment.read_text, len(threat.edits)) == (THREAT, 2)
    assert all(edit.reverted_by == "user:7" for edit in threat.edits)
    [line] = [line for line in transcript_lines(session, recording.attempt.reference) if line.segment == threat.id]
    assert len(line.corrections) == 2
    with pytest.raises(InputRefusedError, match="no correction"):
        revert_words(session, engine, threat.id, BY)


def test_corrections_without_sense_or_of_an_old_version_are_refused(
    session: Session, recording: Recording, engine
) -> None:
    place = segment(session, recording, 1)
    for text, by in (("  ", BY), (THREAT, BY), ("别的", Editor("user:7", " "))):
        with pytest.raises(InputRefusedError):
            correct_words(session, engine, place.id, text, by)
    correct_words(session, engine, place.id, "别的", BY)
    correct_speakers(session, recording.id, "all_other", user_id=7, reason="x")
    assert segment(session, recording, 1).read_text == "别的"
    with pytest.raises(InputRefusedError, match="version 2 is in force"):
        correct_words(session, engine, place.id, "又别的", BY)
