"""Parts of a call that a rule can be held to: first or last turns or seconds, a share, before verification."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit_service.detection.passages import Place
from audit_service.detection.values import Conversation


@dataclass(frozen=True)
class Part:
    """A part of a call; all that is set must hold. Turns are those of the rule's speakers.

    Attributes:
        first_turns, last_turns: so many turns from the beginning or the end.
        first_s, last_s: so many seconds after the first word, or before the last.
        percent: from and to, of the seconds; of the characters where no seconds are known.
        verified: ``before`` or ``after`` the person was verified.
    """

    first_turns: int | None = None
    last_turns: int | None = None
    first_s: float | None = None
    last_s: float | None = None
    percent: tuple[float, float] | None = None
    verified: str | None = None

    @property
    def needs_seconds(self) -> bool:
        """Tell whether it cannot be judged where turns have no times."""
        return self.first_s is not None or self.last_s is not None


def lies_in(
    part: Part, conversation: Conversation, place: Place, own: list[int], verified_in: int | None
) -> bool | None:
    """Tell whether what is said at ``place`` lies in ``part``; None if times are missing to tell.

    Args:
        part: the part.
        conversation: the call.
        place: what is said.
        own: the turns of the rule's speakers, by index.
        verified_in: the turn in which the person was verified; None if in none.
    """
    if part.verified is not None and is_verified_at(place.turn, verified_in) != (part.verified == "after"):
        return False
    if place.turn not in _chosen_turns(part, own):
        return False
    if part.percent is not None and not part.percent[0] <= _percent_at(conversation, place) <= part.percent[1]:
        return False
    return _is_in_seconds(part, conversation, place) if part.needs_seconds else True


def is_verified_at(turn: int, verified_in: int | None) -> bool:
    """Tell whether the person had been verified before ``turn``."""
    return verified_in is not None and verified_in < turn


def own_turns(conversation: Conversation, speakers: Iterable[str]) -> list[int]:
    """Return the indexes of the turns of ``speakers``, and of those whose speaker is unknown."""
    wanted = {*speakers, "unknown"}
    return [index for index, turn in enumerate(conversation.turns) if turn.speaker in wanted]


def second_at(conversation: Conversation, place: Place, offset: int) -> float | None:
    """Return the second at which a character of a turn is said, interpolated; None where the turn has no times."""
    turn = conversation.turns[place.turn]
    if turn.start_s is None or turn.end_s is None:
        return turn.start_s
    return turn.start_s + (turn.end_s - turn.start_s) * offset / max(1, len(turn.text))


def _chosen_turns(part: Part, own: list[int]) -> list[int]:
    chosen = own if part.first_turns is None else own[: part.first_turns]
    return chosen if part.last_turns is None else [turn for turn in own[-part.last_turns :] if turn in chosen]


def _is_in_seconds(part: Part, conversation: Conversation, place: Place) -> bool | None:
    begin, end = _bounds(conversation)
    at, until = second_at(conversation, place, place.start), second_at(conversation, place, place.end)
    if begin is None or end is None or at is None or until is None:
        return None
    is_early = part.first_s is None or at <= begin + part.first_s
    return is_early and (part.last_s is None or until >= end - part.last_s)


def _bounds(conversation: Conversation) -> tuple[float | None, float | None]:
    begins = [turn.start_s for turn in conversation.turns if turn.start_s is not None]
    ends = [turn.end_s for turn in conversation.turns if turn.end_s is not None]
    return min(begins, default=None), max(ends, default=None)


def _percent_at(conversation: Conversation, place: Place) -> float:
    begin, end = _bounds(conversation)
    at = second_at(conversation, place, place.start)
    if begin is not None and end is not None and at is not None and end > begin:
        return 100 * (at - begin) / (end - begin)
    before = sum(len(turn.text) for turn in conversation.turns[: place.turn]) + place.start
    return 100 * before / max(1, sum(len(turn.text) for turn in conversation.turns))
