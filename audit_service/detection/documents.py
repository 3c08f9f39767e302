"""The JSON of the stateless commands: a record in, findings out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit_service.clock import is_zone
from audit_service.detection.values import Conversation, FoundFinding, Turn

_SPEAKERS = frozenset({"agent", "borrower", "third_party", "unknown"})
_SOURCES = frozenset({"typed", "transcript", "asr"})
_RECIPIENTS = frozenset({"borrower", "third_party"})


def conversation_of(document: Mapping[str, Any], jurisdictions: tuple[str, ...] = ()) -> Conversation:
    """Return the conversation that a record describes; ``jurisdictions`` apply where it names none.

    Raises:
        ValueError: a field is missing or has a value that is not allowed; the text says which.
    """
    has_turns = "turns" in document
    if has_turns == ("text" in document):
        raise ValueError("give either text or turns")
    turns = _turns(document) if has_turns else (_message(document),)
    named = document.get("jurisdiction")
    timezone = document.get("timezone")
    if timezone is not None and not (isinstance(timezone, str) and is_zone(timezone)):
        raise ValueError(f"timezone: {timezone!r} is not an IANA time zone")
    return Conversation(
        id=str(document.get("id", "")),
        turns=turns,
        source=_one_of(document, "source", _SOURCES) or ("transcript" if has_turns else "typed"),
        channel=document.get("channel") or ("call" if has_turns else None),
        recipient=_one_of(document, "recipient", _RECIPIENTS),
        at=_instant(document.get("at")),
        timezone=timezone,
        language=document.get("language"),
        jurisdictions=(str(named).lower(),) if named else jurisdictions,
        known_agencies=tuple(document.get("known_agencies", ())),
    )


def _message(document: Mapping[str, Any]) -> Turn:
    if not isinstance(document["text"], str):
        raise ValueError("text must be a string")  # noqa: TRY004 - one kind of error for all bad records
    return Turn(_one_of(document, "sender", _SPEAKERS) or "agent", document["text"])


def _turns(document: Mapping[str, Any]) -> tuple[Turn, ...]:
    turns = document["turns"]
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise ValueError("turns must be a list of objects")
    return tuple(_turn(turn, index) for index, turn in enumerate(turns))


def _turn(turn: Mapping[str, Any], index: int) -> Turn:
    if not isinstance(turn.get("text"), str):
        raise ValueError(f"turns[{index}]: text must be a string")  # noqa: TRY004 - as above
    return Turn(
        speaker=_one_of(turn, "speaker", _SPEAKERS) or "unknown",
        text=turn["text"],
        start_s=_seconds(turn, "start"),
        end_s=_seconds(turn, "end"),
        confidence=_seconds(turn, "confidence"),
    )


def _seconds(turn: Mapping[str, Any], field: str) -> float | None:
    value = turn.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{field}: {value!r} is not a number")  # noqa: TRY004 - as above
    return float(value)


def _one_of(document: Mapping[str, Any], field: str, allowed: frozenset[str]) -> str | None:
    value = document.get(field)
    if value is not None and value not in allowed:
        raise ValueError(f"{field}: {value!r} is not one of {', '.join(sorted(allowed))}")
    return value


def _instant(text: object) -> datetime | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError(f"at: {text!r} is not an ISO 8601 time")  # noqa: TRY004 - as above
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"at: {text!r} has no offset")
    return instant


def document_of(found: FoundFinding) -> dict[str, Any]:
    """Return the JSON form of a finding."""
    return {
        "rule": found.rule_id,
        "category": found.category,
        "kind": found.kind,
        "severity": found.severity,
        "speaker": found.speaker,
        "turn": found.turn,
        "start": found.start,
        "end": found.end,
        "quote": found.quote,
        "score": found.score,
        "plane": found.plane,
    }
