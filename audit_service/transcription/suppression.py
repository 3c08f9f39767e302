"""Words that nobody said: Whisper is known to write sentences on silence, line noise, ring tones and music.

A passage is left out where its channel is silent, where the voice detector, asked to be generous, hears nobody, or
where it is one of the sentences that Whisper learnt from the ends of videos and there is hardly any speech. Each is
counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audit_service.transcription.speech import RATE_HZ, Stretch, find_speech, shared_s
from audit_service.transcription.values import HeardPassage

# Below this level (root of the mean square, full scale 1) a stretch is line noise: words there were made up.
SILENCE_LEVEL = 0.002
GENEROUS = 0.2
NEAR_S = 0.25
HARDLY_SPOKEN = 0.3
SILENT, NOBODY, LEARNT = "suppressed_silent", "suppressed_nobody_speaks", "suppressed_learnt_sentences"
LEARNT_SENTENCES = re.compile(
    r"字幕|点赞|點贊|订阅|訂閱|打赏|打賞|明镜|明鏡|谢谢观看|謝謝觀看|感谢收看|感謝收看|下期再见|优优独播剧场|"
    r"thanks? (?:you )?(?:so much )?for watching|like and subscribe|subscribe to (?:my|our|the) channel|"
    r"subtitles? by|amara\.org|see you (?:in the )?next (?:video|time)",
    re.IGNORECASE,
)
"""Sentences reported again and again of Whisper on sound without speech (openai/whisper, discussions 679 and 928)."""


@dataclass
class Sieve:
    """Keeps what was said on a channel, and counts what was not."""

    samples: NDArray[np.float32]
    counts: Counter[str] = field(default_factory=Counter)

    @cached_property
    def speech(self) -> Sequence[Stretch]:
        """Return where somebody may be speaking, generously."""
        return find_speech(self.samples, GENEROUS)

    def said(self, passages: Sequence[HeardPassage]) -> list[HeardPassage]:
        """Return the passages that somebody said; of those without any letter, none."""
        lettered = [passage for passage in passages if any(character.isalnum() for character in passage.text)]
        return list(self._kept(lettered, self.speech if lettered else []))

    def _kept(self, passages: Iterable[HeardPassage], speech: Sequence[Stretch]) -> Iterable[HeardPassage]:
        for passage in passages:
            reason = self._reason(passage, speech)
            if reason:
                self.counts[reason] += 1
            else:
                yield passage

    def _reason(self, passage: HeardPassage, speech: Sequence[Stretch]) -> str:
        stretch = self.samples[int(passage.start_s * RATE_HZ) : int(passage.end_s * RATE_HZ) + 1]
        if level(stretch) < SILENCE_LEVEL:
            return SILENT
        if not shared_s(passage.start_s - NEAR_S, passage.end_s + NEAR_S, speech):
            return NOBODY
        spoken = shared_s(passage.start_s, passage.end_s, speech)
        is_hardly_spoken = spoken < HARDLY_SPOKEN * (passage.end_s - passage.start_s)
        return LEARNT if is_hardly_spoken and LEARNT_SENTENCES.search(passage.text) else ""


def level(samples: NDArray[np.float32]) -> float:
    """Return the root of the mean square of samples; of none, 0."""
    return float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0
