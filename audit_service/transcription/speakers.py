"""Which side is the agent's: as the call log says, else by the opening words, else the side that speaks first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from audit_service.transcription.values import HeardPassage

OPENING_S = 20.0
AGENT_WORDS = re.compile(
    r"工号|客服|请问是|请问您|逾期|欠款|还款|委托|公司的|金融|法院|律师|"
    r"calling from|on behalf of|recorded line|this is|am i speaking|collect a debt|officer",
    re.IGNORECASE,
)
AGENT, UNKNOWN = "agent", "unknown"


def roles(sides: Sequence[Sequence[HeardPassage]], agent_side: int | None, counterpart: str) -> list[str]:
    """Return the speaker of each side; one side alone may hold both voices and stays unknown.

    Args:
        sides: what was heard on each channel, or of each voice.
        agent_side: as the call log or sidecar says; None if neither does.
        counterpart: the role of the other sides, ``borrower`` or ``third_party``.
    """
    if len(sides) == 1:
        return [UNKNOWN]
    agent = agent_side if agent_side in range(len(sides)) else _likely_agent(sides)
    return [AGENT if side == agent else counterpart for side in range(len(sides))]


def _likely_agent(sides: Sequence[Sequence[HeardPassage]]) -> int:
    return max(range(len(sides)), key=lambda side: (_agent_words(sides[side]), -_first_second(sides[side])))


def _agent_words(passages: Sequence[HeardPassage]) -> int:
    opening = " ".join(passage.text for passage in passages if passage.start_s < OPENING_S)
    return len(AGENT_WORDS.findall(opening))


def _first_second(passages: Sequence[HeardPassage]) -> float:
    return passages[0].start_s if passages else float("inf")
