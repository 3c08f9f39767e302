"""A whole batch put right in one act, word lists measured before use, and recordings referred to people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from audit_service.contacts.models import Recipient, Recording, Speaker
from audit_service.custody.models import Action, CustodyEvent
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.organizations.models import Agency, Institution
from audit_service.transcription import channels, referrals, word_lists
from audit_service.transcription.channels import Batch, Repaired
from audit_service.transcription.models import Transcript
from audit_service.transcription.services import plan
from audit_service.transcription.values import HeardPassage, SpokenSegment, TranscriptResult, Word
from tests.factories import contacts, findings, organizations
from tests.media.media_files import wav

TURNS = [("agent", 0.5, 1.5, "喂？"), ("borrower", 1.6, 1.9, "法警马上到你家")]


@pytest.fixture
def lender(session: Session) -> Institution:
    return organizations.institution(session)


@pytest.fixture
def agency(session: Session, lender: Institution) -> Agency:
    return organizations.agency(session, lender)


def call(session: Session, vault: Vault, agency: Agency, lender: Institution, **values: object) -> Recording:
    attempt = contacts.attempt(session, contacts.borrower(session, lender), agency, **values)
    made = contacts.recording(session, vault, attempt)
    findings.transcript(session, made, TURNS)
    return made


def speakers(session: Session, recording: Recording) -> list[tuple[int, str]]:
    newest = session.query(Transcript).filter_by(recording_id=recording.id).order_by(Transcript.version.desc()).first()
    return [(segment.channel, segment.speaker.value) for segment in newest.segments]


def test_the_calls_of_some_days_are_put_right_in_one_act_and_judged_again(
    session: Session, vault: Vault, lender: Institution, agency: Agency
) -> None:
    first = call(session, vault, agency, lender)
    colleague = call(session, vault, agency, lender, recipient=Recipient.THIRD_PARTY)
    later = call(session, vault, agency, lender, started_at=contacts.NOON + timedelta(days=9))
    elsewhere = call(session, vault, organizations.agency(session, lender), lender)
    session.expire_all()
    batch = Batch(agency, contacts.NOON - timedelta(days=1), contacts.NOON + timedelta(days=1))
    done = channels.set_agent_channel(session, batch, 1, actor="cli:operator", reason="new recorder")
    assert done == Repaired(looked_at=2, corrected=2)
    assert speakers(session, first) == [(0, "borrower"), (1, "agent")]
    assert speakers(session, colleague) == [(0, "third_party"), (1, "agent")]
    assert speakers(session, later) == speakers(session, elsewhere) == [(0, "agent"), (1, "borrower")]
    assert (agency.agent_channel, first.agent_channel) == (1, 1)
    jobs = session.execute(text("SELECT args FROM procrastinate_jobs WHERE task_name = 'detect_transcript'"))
    assert {job.args["recording_id"] for job in jobs} == {first.id, colleague.id}
    assert session.query(CustodyEvent).filter_by(action=Action.CORRECTED).count() == 2
    again = channels.set_agent_channel(session, batch, 1, actor="cli:operator", reason="new recorder")
    assert again == Repaired(looked_at=2, corrected=0)


def test_a_batch_needs_a_channel_and_a_reason(session: Session, agency: Agency) -> None:
    for channel, reason in ((-1, "x"), (0, "  ")):
        with pytest.raises(InputRefusedError):
            channels.set_agent_channel(session, Batch(agency), channel, actor="cli:x", reason=reason)


class Parrot:
    """An engine that hears 征信 only where it is told to expect it."""

    name, model, model_sha256 = "parrot", "none", "0" * 64

    def __init__(self, words: str = "") -> None:
        self.options = {"words": words}

    def with_words(self, words: str) -> Parrot:
        return Parrot(words)

    def find_language(self, _samples: np.ndarray) -> str:
        return "zh"

    def language_odds(self, _samples: np.ndarray) -> dict[str, float]:
        return {}

    def listen(self, _samples: np.ndarray, _language: str) -> list[HeardPassage]:
        heard = "影响征信" if "征信" in self.options["words"] else "影响真心"
        return [HeardPassage(0.5, 1.5, (Word(0.5, 1.5, heard, 0.9),))]


@pytest.fixture
def test_set(tmp_path: Path) -> Path:
    (tmp_path / "calls").mkdir()
    (tmp_path / "truth").mkdir()
    wav(tmp_path / "calls" / "a.wav", seconds=2)
    turns = {"turns": [{"speaker": "agent", "start": 0.5, "end": 1.5, "text": "影响征信。"}]}
    (tmp_path / "truth" / "a.json").write_text(json.dumps(turns), encoding="utf-8")
    return tmp_path


def test_a_list_is_used_only_after_it_was_measured_and_only_if_it_does_not_harm(
    session: Session, vault: Vault, lender: Institution, agency: Agency
) -> None:
    first = word_lists.add_words(session, lender, ["征信", " 征信 ", "减免"], actor="cli:x")
    assert (first.version, first.words) == (1, ["征信", "减免"])
    with pytest.raises(InputRefusedError, match="not measured"):
        word_lists.use_words(session, lender, 1, actor="cli:x")
    first.measured = {"errors_with": 9, "errors_without": 8}
    with pytest.raises(InputRefusedError, match="more errors"):
        word_lists.use_words(session, lender, 1, actor="cli:x")
    second = word_lists.add_words(session, lender, ["征信"], actor="cli:x")
    second.measured = {"errors_with": 7, "errors_without": 8}
    word_lists.use_words(session, lender, 2, actor="cli:x")
    planned = plan(session, call(session, vault, agency, lender).id)
    assert (planned.words, planned.word_list) == ("征信", 2)
    word_lists.use_words(session, lender, 0, actor="cli:x")
    assert word_lists.words_in_use(session, lender.id) is None
    assert [one.version for one in word_lists.word_lists(session, lender)] == [2, 1]
    with pytest.raises(NotFoundError):
        word_lists.word_list(session, lender, 3)


@pytest.mark.parametrize("words", [[], [" "], ["a b"], ["x" * 31], [str(n) for n in range(61)]])
def test_lists_that_are_none_are_refused(session: Session, lender: Institution, words: list[str]) -> None:
    with pytest.raises(InputRefusedError):
        word_lists.add_words(session, lender, words, actor="cli:x")


def test_a_list_is_measured_on_a_fixed_set_without_and_with_its_words(
    test_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A tone is no speech: what the engine writes on it would be left out.
    monkeypatch.setattr("audit_service.transcription.pipeline.Sieve.said", lambda _self, passages: list(passages))
    found = word_lists.measure(Parrot(), ["征信"], test_set)
    assert (found.files, found.characters) == (1, 4)
    assert (found.errors_without, found.errors_with) == (2, 0)
    assert (found.words_said, found.words_without, found.words_with) == (1, 0, 1)
    assert found.change == -0.5
    with pytest.raises(InputRefusedError, match="no test set"):
        word_lists.measure(Parrot(), ["征信"], tmp_path / "truth")


def result(probability: float, words: int, unsupported: str = "") -> TranscriptResult:
    said = tuple(Word(n, n + 1, "啊", probability) for n in range(words))
    spoken = SpokenSegment(0, Speaker.AGENT.value, 0, words, "啊", "啊", probability, said)
    base = TranscriptResult("e", "m", "0" * 64, {}, "zh", 10.0, (spoken,))
    return replace(base, unsupported_language=unsupported)


def test_a_language_that_is_not_read_and_a_call_hardly_heard_wait_for_people_in_named_queues(
    session: Session, vault: Vault, lender: Institution, agency: Agency
) -> None:
    first, second, third = (call(session, vault, agency, lender) for _ in range(3))
    foreign = referrals.refer_if_needed(session, first, result(0.9, 30, "ja"))
    assert referrals.refer_if_needed(session, second, result(0.2, 30)) is not None
    assert referrals.refer_if_needed(session, third, result(0.8, 30)) is None
    assert referrals.refer_if_needed(session, third, result(0.2, 3)) is None
    assert referrals.refer_if_needed(session, first, result(0.9, 30, "ja")) is foreign
    assert [one.queue for one in referrals.waiting(session)] == ["unsupported_language", "hard_to_hear"]
    [one] = referrals.waiting(session, referrals.UNSUPPORTED_LANGUAGE)
    referrals.settle(session, one.id, actor="cli:lin")
    assert [one.queue for one in referrals.waiting(session)] == ["hard_to_hear"]
    assert session.query(CustodyEvent).filter_by(action=Action.REFERRED).count() == 3
