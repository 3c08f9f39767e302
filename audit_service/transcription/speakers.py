"""Which side is the agent's: as the call log says, else by what the sides say in the opening of the call.

Each piece of what is said (one to three characters of Chinese, one or two words of English) weighs for the agent or
against; the weights were trained on the corpus (``benchmarks/train_roles.py``). The score of a guess is the chance
that it is right. Under a threshold the roles are uncertain: rules then judge as if nobody had named the speakers, and
an officer settles who speaks (``benchmarks/roles.py`` measures calls, swapped calls and mono mixes).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from audit_service.transcription.normalisation import normalise
from audit_service.transcription.values import HeardPassage

OPENING_S = 30.0
"""How far into the call the sides are compared."""
WEIGHTS = Path(__file__).with_name("role_weights.json")
AGENT, UNKNOWN = "agent", "unknown"
NO_HAN = re.compile(r"[^\u3400-\u9fff]")
WORD = re.compile(r"[a-z']+")


class Certainty(StrEnum):
    """How well it is known who speaks."""

    SURE = "sure"
    UNCERTAIN = "uncertain"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Roles:
    """The speaker of each side, and the score (0 to 1) by which the agent's side was taken for it."""

    speakers: Sequence[str]
    score: float

    def certainty(self, threshold: float) -> Certainty:
        """Return how well it is known who speaks, if a score of ``threshold`` or more is sure."""
        if AGENT not in self.speakers:
            return Certainty.UNKNOWN
        return Certainty.SURE if self.score >= threshold else Certainty.UNCERTAIN


@dataclass(frozen=True)
class Known:
    """What is known before anybody asks who speaks.

    Attributes:
        agent_side: as the call log or sidecar says; None if neither does.
        counterpart: the role of the other sides, ``borrower`` or ``third_party``.
        language: the spoken language.
    """

    agent_side: int | None
    counterpart: str
    language: str


def roles(sides: Sequence[Sequence[HeardPassage]], known: Known) -> Roles:
    """Return the speaker of each side (channel or voice); one side alone may hold both voices and stays unknown."""
    if len(sides) == 1:
        return Roles([UNKNOWN], 0.0)
    if known.agent_side in range(len(sides)):
        agent, score = known.agent_side, 1.0
    else:
        agent, score = _likely_agent(sides, known.language)
    return Roles([AGENT if side == agent else known.counterpart for side in range(len(sides))], score)


def _likely_agent(sides: Sequence[Sequence[HeardPassage]], language: str) -> tuple[int, float]:
    """Return the side that is likeliest the agent's, and the chance that it is; of equals the first to speak."""
    odds = [log_odds(_opening(side), language) for side in sides]
    agent = max(range(len(sides)), key=lambda side: (odds[side], -_first_second(sides[side])))
    others = max(value for side, value in enumerate(odds) if side != agent)
    return agent, 1 / (1 + math.exp(others - odds[agent]))


def log_odds(text: str, language: str) -> float:
    """Return how much the pieces of ``text`` speak for the agent (above 0) or for the other side."""
    weights = _weights().get(language, {})
    return sum(weights.get(piece, 0.0) for piece in set(pieces(normalise(text, language), language)))


def pieces(text: str, language: str) -> Iterator[str]:
    """Yield the pieces of a text that have weights: characters of Chinese, words of other languages."""
    if language == "zh":
        plain = NO_HAN.sub("", text)
        yield from (plain[at : at + size] for size in (1, 2, 3) for at in range(len(plain) - size + 1))
        return
    words = WORD.findall(text.lower())
    yield from (" ".join(words[at : at + size]) for size in (1, 2) for at in range(len(words) - size + 1))


@cache
def _weights() -> Mapping[str, Mapping[str, float]]:
    found: dict[str, dict[str, float]] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return found


def _opening(passages: Sequence[HeardPassage]) -> str:
    return " ".join(passage.text for passage in passages if passage.start_s < OPENING_S)


def _first_second(passages: Sequence[HeardPassage]) -> float:
    return passages[0].start_s if passages else float("inf")
