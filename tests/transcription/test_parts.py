"""Long recordings: cut where it is quiet, heard part by part, gone on with where a worker stopped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from flask import Flask
from numpy.typing import NDArray

from audit_service.custody.vault import Vault
from audit_service.database import transaction
from audit_service.media.services import SPEECH_RATE_HZ
from audit_service.transcription import parts, progress
from audit_service.transcription.parts import cut, moved
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file
from audit_service.transcription.values import HeardPassage, Word
from tests.conftest import SAMPLES
from tests.factories import contacts, organizations


def noise(seconds: float, quiet_at: Sequence[float] = ()) -> NDArray[np.float32]:
    samples = np.random.default_rng(1).normal(0, 0.1, int(seconds * SPEECH_RATE_HZ)).astype(np.float32)
    for second in quiet_at:
        samples[int((second - 0.5) * SPEECH_RATE_HZ) : int((second + 0.5) * SPEECH_RATE_HZ)] = 0
    return samples


class Dying:
    """An engine that says where it is, and dies at the part that the test names."""

    name, model, model_sha256 = "dying", "none", "0" * 64
    options: dict[str, str | int | float | bool | None] = {}  # noqa: RUF012 (the protocol's form)

    def __init__(self, dies_at: int | None) -> None:
        self.dies_at = dies_at
        self.lengths: list[float] = []

    def with_words(self, _words: str):
        return self

    def language_odds(self, _samples: NDArray[np.float32]) -> dict[str, float]:
        return {}

    def find_language(self, _samples: NDArray[np.float32]) -> str:
        return "zh"

    def listen(self, samples: NDArray[np.float32], _language: str) -> Sequence[HeardPassage]:
        if len(self.lengths) == self.dies_at:
            raise MemoryError
        self.lengths.append(len(samples) / SPEECH_RATE_HZ)
        return [HeardPassage(0.0, 1.0, (Word(0.0, 1.0, "喂", 0.9),))]


def test_a_long_channel_is_cut_where_it_is_quiet_and_nothing_is_lost() -> None:
    samples = noise(700, quiet_at=[280, 571])
    found = cut(samples, 1, SPEECH_RATE_HZ)
    assert [part.channel for part in found] == [1, 1, 1]
    assert found[0].start_s == 0
    assert found[-1].end_s == 700
    assert [first.end_s for first in found[:-1]] == [second.start_s for second in found[1:]]
    assert found[0].end_s == pytest.approx(280, abs=0.6)
    assert found[1].end_s == pytest.approx(571, abs=0.6)


def test_a_short_channel_is_one_part() -> None:
    assert len(cut(noise(340), 0, SPEECH_RATE_HZ)) == 1


def test_a_passage_is_moved_with_its_words() -> None:
    passage = moved(HeardPassage(1.0, 2.0, (Word(1.0, 2.0, "喂", 0.9),)), 300.0)
    assert (passage.start_s, passage.words[0].end_s) == (301.0, 302.0)


def test_a_worker_goes_on_where_the_one_before_died(app: Flask, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_S", 8.0)
    monkeypatch.setattr(parts, "SEARCH_S", 3.0)
    call = SAMPLES / "calls" / "zh-03.wav"
    options = ListeningOptions("zh", 0, "borrower")
    undisturbed = Dying(None)
    whole = transcribe_file(call, undisturbed, options)
    with transaction() as session:
        lender = organizations.institution(session)
        attempt = contacts.attempt(session, contacts.borrower(session, lender), organizations.agency(session, lender))
        recording_id = contacts.recording(session, vault, attempt).id
    first, second = Dying(3), Dying(None)
    with pytest.raises(MemoryError):
        transcribe_file(call, first, options, progress.StoredMemory(recording_id, first))
    with transaction() as session:
        (state,) = progress.under_way(session)
    assert 0 < state.percent < 100
    assert state.heard_s == pytest.approx(sum(first.lengths), abs=0.1)
    gone_on = transcribe_file(call, second, options, progress.StoredMemory(recording_id, second))
    assert gone_on.segments == whole.segments
    assert first.lengths + second.lengths == undisturbed.lengths
    with transaction() as session:
        progress.forget(session, recording_id)
        assert progress.under_way(session) == []
