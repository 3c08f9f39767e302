"""Windows: all speech lies in one, long silences in none, and what was not written is looked for again."""

from __future__ import annotations

from itertools import pairwise

import pytest

from audit_service.transcription.speech import Stretch
from audit_service.transcription.windows import EDGE_S, LONGEST_S, SILENCE_S, unheard, windows


def test_stretches_are_joined_over_short_silences_and_cut_at_long_ones() -> None:
    speech = [Stretch(1, 4), Stretch(5, 8), Stretch(8 + SILENCE_S + 1, 16)]
    found = windows(speech, 30)
    assert found == [Stretch(1 - EDGE_S, 8 + EDGE_S), Stretch(9 + SILENCE_S - EDGE_S, 16 + EDGE_S)]


def test_no_window_is_longer_than_pays_and_all_speech_lies_in_one() -> None:
    speech = [Stretch(start, start + 3.9) for start in range(0, 400, 4)]
    found = windows(speech, 400)
    assert all(window.end_s - window.start_s <= LONGEST_S + 2 * EDGE_S for window in found)
    assert all(
        any(one.start_s <= stretch.start_s and stretch.end_s <= one.end_s for one in found) for stretch in speech
    )
    assert all(before.end_s <= after.start_s for before, after in pairwise(found))


def test_windows_stay_inside_the_channel_and_silence_has_none() -> None:
    assert windows([Stretch(0, 2)], 2) == [Stretch(0, 2)]
    assert windows([], 60) == []


SPEECH = [Stretch(1, 4), Stretch(5, 9)]
WINDOW = Stretch(0.6, 9.4)


@pytest.mark.parametrize(
    ("heard", "missing"),
    [
        ([Stretch(1, 4)], [Stretch(5 - EDGE_S, 9.4)]),
        ([Stretch(1, 6)], [Stretch(6, 9.4)]),
        ([Stretch(5, 9)], [Stretch(0.6, 4 + EDGE_S)]),
        ([Stretch(1, 3), Stretch(7, 9)], [Stretch(3, 7)]),
        ([Stretch(1, 4), Stretch(5, 8.7)], []),
        ([], []),
        ([Stretch(0.6, 0.6)], []),
    ],
    ids=["after", "from the middle of a stretch", "before", "between", "a breath", "nothing heard", "the whole window"],
)
def test_speech_without_words_is_found(heard: list[Stretch], missing: list[Stretch]) -> None:
    assert unheard(WINDOW, heard, SPEECH) == missing
