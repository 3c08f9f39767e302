"""Reads the JSON beside a recording: whose call it was and when. Without it a recording waits in quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audit_service.contacts.models import Outcome
from audit_service.contacts.values import AttemptRecord, FieldProblem
from audit_service.intake import columns
from audit_service.intake.beside import read_object
from audit_service.intake.errors import FileRefusedError
from audit_service.intake.file_names import pattern_for
from audit_service.intake.records import Facts, call_record

SIDECAR_SUFFIX = ".json"
LANGUAGES = ("zh", "en")
REQUIRED = ("reference", "institution", "agency", "borrower", "recipient", "started_at")
_PUT_BESIDE = "Put a JSON file of the same name beside it, e.g. call-17.json beside call-17.wav."
_CORRECT = "Correct the file and hand the recording in again."


@dataclass(frozen=True)
class Sidecar:
    """What the file beside a recording says.

    Attributes:
        record: the contact attempt.
        language: ``zh`` or ``en``; None where it is not said.
        agent_channel: index of the channel with the agent's voice; None where it is not said.
    """

    record: AttemptRecord
    language: str | None
    agent_channel: int | None


def sidecar_of(recording: Path) -> Path | None:
    """Return the JSON file that belongs to ``recording`` (``call.json`` or ``call.wav.json``), or None."""
    for file in (recording.with_suffix(SIDECAR_SUFFIX), recording.with_name(f"{recording.name}{SIDECAR_SUFFIX}")):
        if file != recording and file.is_file():
            return file
    return None


def read_sidecar(recording: Path, name: str = "") -> Sidecar:
    """Return what the file beside ``recording`` says, or else its name, where its folder has a pattern for names.

    Args:
        recording: the file.
        name: how its sender calls it, where it is called otherwise on disk.

    Raises:
        FileRefusedError: there is none, it is no JSON object, or fields of it are missing or at fault; names each.
    """
    file = sidecar_of(recording)
    if file is None:
        return _by_name(recording, name or recording.name)
    document = read_object(file, too_large="sidecar.too_large", not_json="sidecar.not_json", remedy=_CORRECT)
    values, written = _by_column(document)
    problems: list[FieldProblem] = []
    facts = Facts(values, REQUIRED, written)
    record = call_record(facts)
    problems += facts.problems
    language = _language(document, problems)
    agent_channel = _agent_channel(document, problems)
    if record is None or problems:
        raise FileRefusedError.of_fields("sidecar.fields", f"{file.name} cannot be used.", problems, _CORRECT)
    return Sidecar(replace(record, outcome=record.outcome or Outcome.ANSWERED), language, agent_channel)


def _by_name(recording: Path, name: str) -> Sidecar:
    pattern = pattern_for(recording)
    if pattern is None:
        raise FileRefusedError("sidecar.missing", "There is no JSON file beside the recording.", remedy=_PUT_BESIDE)
    facts = Facts(pattern.values(name), REQUIRED, {})
    record = call_record(facts)
    if record is None or facts.problems:
        raise FileRefusedError.of_fields("name.fields", "Its name cannot be used.", facts.problems, _CORRECT)
    return Sidecar(replace(record, outcome=record.outcome or Outcome.ANSWERED), None, None)


def _by_column(document: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts by column and what the file calls each; the documented name wins over a synonym."""
    values: dict[str, str] = {}
    written: dict[str, str] = {}
    for name, value in document.items():
        column = columns.column_of(name)
        is_scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
        if column is not None and is_scalar and (column not in values or name == column):
            values[column], written[column] = str(value), name
    return values, written


def _language(document: Mapping[str, Any], problems: list[FieldProblem]) -> str | None:
    value = document.get("language")
    if value is None:
        return None
    primary = value.replace("_", "-").split("-")[0].lower() if isinstance(value, str) else ""
    if primary not in LANGUAGES:
        problems.append(FieldProblem("language", f"{value!r} is not supported", "Write zh or en, or leave it out."))
        return None
    return primary


def _agent_channel(document: Mapping[str, Any], problems: list[FieldProblem]) -> int | None:
    value = document.get("agent_channel")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        remedy = "Write 0 for the first channel, 1 for the second, or leave it out."
        problems.append(FieldProblem("agent_channel", f"{value!r} is not the index of a channel", remedy))
        return None
    return value
