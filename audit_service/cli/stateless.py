"""Commands that store nothing: ``detect``, ``transcribe``, ``triage``. JSON Lines in, JSON Lines out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from audit_service.cli.rules import rule_folders
from audit_service.complaints.triage import triage as triage_narrative
from audit_service.detection import Engine, load_packs
from audit_service.detection.documents import conversation_of, document_of
from audit_service.errors import AuditError
from audit_service.media.values import Limits
from audit_service.settings import setting_from_environment
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file
from audit_service.transcription.values import TranscriptResult
from audit_service.transcription.weights import locate_weights

SOME_REFUSED = 3


def answer_lines(answer: Callable[[Mapping[str, Any]], dict[str, Any]]) -> int:
    """Answer each line of standard input in order; a bad line gives ``{"id", "error"}`` and the rest goes on.

    Returns:
        The exit status: 0, or 3 if any line was bad.
    """
    status = 0
    for raw in sys.stdin.buffer:
        if not raw.strip():
            continue
        document: Any = None
        try:
            document = json.loads(raw.decode("utf-8"))
            if not isinstance(document, dict) or "id" not in document:
                raise ValueError("a line is a JSON object with an id")  # noqa: TRY301 - one place answers all bad lines
            result = {"id": document["id"]} | answer(document)
        except (ValueError, TypeError, KeyError, AuditError) as error:
            status = SOME_REFUSED
            result = {"id": document.get("id") if isinstance(document, dict) else None, "error": str(error)}
        click.echo(json.dumps(result, ensure_ascii=False))
    return status


@click.command()
@click.option(
    "--jurisdiction", default="", help="Packs to use where a line names none, e.g. cn,us. Default: all loaded packs."
)
def detect(jurisdiction: str) -> None:
    """Flag prohibited conduct in texts or turns read from standard input; nothing is stored.

    One JSON object a line with id and text (or turns); the answer has the same id and its findings, with character
    offsets in the original text. Always JSON Lines. Exit code 3 if a line could not be read.

    Example: echo '{"id": 1, "text": "再不还钱法警马上去抓你"}' | audit-service detect --jurisdiction cn
    """
    engine = Engine(load_packs(rule_folders(())))
    wanted = tuple(part.strip() for part in jurisdiction.split(",") if part.strip())

    def answer(document: Mapping[str, Any]) -> dict[str, Any]:
        result = engine.scan(conversation_of(document, wanted))
        return {"findings": [document_of(found) for found in result.findings]}

    raise SystemExit(answer_lines(answer))


@click.command()
def triage() -> None:
    """Say what borrowers' narratives read from standard input allege and ask for; nothing is stored.

    One JSON object a line with id and narrative. Always JSON Lines. Exit code 3 if a line could not be read.

    Example: echo '{"id": 1, "narrative": "他们冒充法院，还打电话给我同事"}' | audit-service triage
    """

    def answer(document: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(document.get("narrative"), str):
            raise TypeError("narrative must be a text")
        return asdict(triage_narrative(document["narrative"]))

    raise SystemExit(answer_lines(answer))


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--language", type=click.Choice(["zh", "en"]), default=None, help="Spoken language; found out if not given."
)
@click.option(
    "--agent-channel", type=int, default=None, help="Channel of the agent; found out by the opening words if not given."
)
def transcribe(files: tuple[Path, ...], language: str | None, agent_channel: int | None) -> None:
    """Write down what is said in recordings; nothing is stored. One JSON object a file.

    Example: audit-service transcribe samples/calls/zh-02.wav --language zh
    """
    options = ListeningOptions(language=language, agent_channel=agent_channel, counterpart="borrower", limits=Limits())
    cache: Path = setting_from_environment("instance_dir") / "weights"
    weights = locate_weights(setting_from_environment("whisper_model_dir"), cache_dir=cache)
    engine = FasterWhisperEngine(weights, threads=setting_from_environment("whisper_threads"))
    status = 0
    for file in files:
        try:
            result: dict[str, Any] = transcript_document(file, transcribe_file(file, engine, options))
        except (AuditError, OSError) as error:
            status, result = SOME_REFUSED, {"file": str(file), "error": str(error)}
        click.echo(json.dumps(result, ensure_ascii=False))
    raise SystemExit(status)


def transcript_document(file: Path, result: TranscriptResult) -> dict[str, Any]:
    """Return the answer of ``transcribe`` for one file; times in seconds."""
    return {
        "file": str(file),
        "duration": result.duration_s,
        "language": result.language,
        "engine": result.engine,
        "model": result.model,
        "segments": [
            {
                "channel": segment.channel,
                "speaker": segment.speaker,
                "start": segment.start_s,
                "end": segment.end_s,
                "text": segment.text,
                "confidence": segment.confidence,
            }
            for segment in result.segments
        ],
    }


COMMANDS = (detect, transcribe, triage)
