"""Which channel is the agent's: as the call log says, else by the opening words, else the channel that speaks first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from audit_service.transcription.values import HeardPassage

OPENING_S = 20.0
AGENT_WORDS = re.compile(
    r"工号|客服|请问是|请问您|逾期|欠款|还款|委托|公司的|金融|法院|律师|"
    r"calling from|on behalf of|recorded line|this is|am i speaking|collect a debt|officer",
    re.IGNORECASE,
)
AGENT, UNKNOWN = "agent", "unknown"


def roles(
    channels: Mapping[int, Sequence[HeardPassage]], agent_channel: int | None, counterpart: str
) -> dict[int, str]:
    """Return the speaker of each channel; one channel alone holds both voices and stays unknown.

    Args:
        channels: what was heard on each channel.
        agent_channel: as the call log or sidecar says; None if neither does.
        counterpart: the role of the other side, ``borrower`` or ``third_party``.
    """
    if len(channels) == 1:
        return dict.fromkeys(channels, UNKNOWN)
    agent = agent_channel if agent_channel in channels else _likely_agent(channels)
    return {channel: AGENT if channel == agent else counterpart for channel in channels}


def _likely_agent(channels: Mapping[int, Sequence[HeardPassage]]) -> int:
    return max(channels, key=lambda channel: (_agent_words(channels[channel]), -_first_second(channels[channel])))


def _agent_words(passages: Sequence[HeardPassage]) -> int:
    opening = " ".join(passage.text for passage in passages if passage.start_s < OPENING_S)
    return len(AGENT_WORDS.findall(opening))


def _first_second(passages: Sequence[HeardPassage]) -> float:
    return passages[0].start_s if passages else float("inf")
