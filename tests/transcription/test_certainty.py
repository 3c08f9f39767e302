"""Unsure words stand at their place in the text that people read; where a person wrote, none is unsure."""

from __future__ import annotations

import pytest

from audit_service import clock
from audit_service.transcription.certainty import unsure_spans
from audit_service.transcription.models import Segment, SegmentEdit
from audit_service.transcription.normalisation import normalise


def segment(words: list[tuple[str, float]], language: str = "zh") -> Segment:
    text = normalise("".join(word for word, _ in words), language)
    timed = [[float(place), place + 1.0, word, sure] for place, (word, sure) in enumerate(words)]
    return Segment(text=text, words=timed, language=language)


def marked(one: Segment) -> list[str]:
    return [one.read_text[start:end] for start, end in unsure_spans(one)]


@pytest.mark.parametrize(
    ("words", "language", "expected"),
    [
        ([("法", 0.3), ("警", 0.4), ("来", 0.9), ("了", 0.49)], "zh", ["法警", "了"]),
        ([("貸", 0.9), ("款", 0.2), (" 逾", 0.9), ("期", 0.2)], "zh", ["款", "期"]),
        ([(" You", 0.9), (" owe", 0.4), (" us,", 0.2), (" you", 0.3), (" know.", 0.9)], "en", ["owe", "us,", "you"]),
        ([("好", 0.9), ("好", 0.1), ("好", 0.9)], "zh", ["好"]),
        ([("１", 0.1), ("２", 0.9)], "zh", ["1"]),
        ([("好", 0.5)], "zh", []),
        ([], "zh", []),
    ],
)
def test_words_under_the_threshold_are_found_in_the_normalised_text(
    words: list[tuple[str, float]], language: str, expected: list[str]
) -> None:
    assert marked(segment(words, language)) == expected


def test_of_two_words_alike_the_unsure_one_is_meant() -> None:
    assert unsure_spans(segment([("好", 0.9), ("好", 0.1), ("好", 0.9)])) == ((1, 2),)


def test_what_a_person_wrote_is_sure() -> None:
    one = segment([("发", 0.1), ("警", 0.1)])
    one.edits.append(SegmentEdit(text="法警", reason="heard it", actor="lin", edited_at=clock.now()))
    assert unsure_spans(one) == ()
