"""Commands that store nothing: ``detect``, ``transcribe``, ``triage``. JSON Lines in, JSON Lines out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from audit_service.cli.output import emit, json_option
from audit_service.cli.rule_folders import rule_folders
from audit_service.complaints.triage import triage as triage_narrative
from audit_service.detection import Engine, load_packs
from audit_service.detection.documents import conversation_of, document_of
from audit_service.detection.values import ScanResult
from audit_service.errors import AuditError
from audit_service.media.alignment import Alignment, align
from audit_service.media.services import decode
from audit_service.media.values import DecodedAudio, Limits
from audit_service.settings import setting_from_environment
from audit_service.transcription.engines.chosen import chosen_engine
from audit_service.transcription.engines.protocol import Engine as SpeechEngine
from audit_service.transcription.pipeline import ListeningOptions, Sound, together_or_alone, transcribe_sounds
from audit_service.transcription.values import TranscriptResult

if TYPE_CHECKING:
    from io import BufferedReader

SOME_REFUSED = 3
FILES_TOGETHER = 8
READ_BYTES = 1 << 18
Document = Mapping[str, Any]
Answer = dict[str, Any]
Value = TypeVar("Value")


def line_batches() -> Iterator[list[bytes]]:
    """Yield the lines of standard input as they come: all that is there, without waiting for more."""
    pending = b""
    stream = cast("BufferedReader", sys.stdin.buffer)
    while chunk := stream.read1(READ_BYTES):
        *lines, pending = (pending + chunk).split(b"\n")
        yield [line for line in lines if line.strip()]
    if pending.strip():
        yield [pending]


def answer_lines(answer: Callable[[Sequence[Document]], Sequence[Answer | Exception]]) -> int:
    """Answer each line of standard input in order; a bad line gives ``{"id", "error"}`` and the rest goes on.

    Args:
        answer: takes the documents that came together, and returns for each its answer or what is wrong with it.

    Returns:
        The exit status: 0, or 3 if any line was bad.
    """
    status = 0
    for lines in line_batches():
        read = [_document(line) for line in lines]
        answers = iter(answer([document for document in read if not isinstance(document, Exception)]))
        for document in read:
            result = document if isinstance(document, Exception) else next(answers)
            known = None if isinstance(document, Exception) else document["id"]
            if isinstance(result, Exception):
                status = SOME_REFUSED
                result = {"error": str(result)}
            click.echo(json.dumps({"id": known} | result, ensure_ascii=False))
    return status


def _document(line: bytes) -> Document | Exception:
    try:
        document = json.loads(line.decode("utf-8"))
    except ValueError as error:
        return error
    if not isinstance(document, dict) or "id" not in document:
        return ValueError("a line is a JSON object with an id")
    return document


def _tried(make: Callable[[Document], Value], document: Document) -> Value | Exception:
    try:
        return make(document)
    except (ValueError, TypeError, KeyError, AuditError) as error:
        return error


def _findings(result: ScanResult) -> Answer:
    return {"findings": [document_of(found) for found in result.findings]}


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

    def answer(documents: Sequence[Document]) -> list[Answer | Exception]:
        read = [_tried(lambda document: conversation_of(document, wanted), document) for document in documents]
        results = iter(engine.scan_many([item for item in read if not isinstance(item, Exception)]))
        return [item if isinstance(item, Exception) else _findings(next(results)) for item in read]

    raise SystemExit(answer_lines(answer))


@click.command()
def triage() -> None:
    """Say what borrowers' narratives read from standard input allege and ask for; nothing is stored.

    One JSON object a line with id and narrative. Always JSON Lines. Exit code 3 if a line could not be read.

    Example: echo '{"id": 1, "narrative": "他们冒充法院，还打电话给我同事"}' | audit-service triage
    """

    def triaged(document: Document) -> Answer:
        if not isinstance(document.get("narrative"), str):
            raise TypeError("narrative must be a text")
        return asdict(triage_narrative(document["narrative"]))

    def answer(documents: Sequence[Document]) -> list[Answer | Exception]:
        return [_tried(triaged, document) for document in documents]

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
    options = ListeningOptions(
        language=language,
        agent_channel=agent_channel,
        counterpart="borrower",
        sure_from=setting_from_environment("role_threshold"),
        limits=Limits(),
    )
    engine = chosen_engine(setting_from_environment)
    status = 0
    for first in range(0, len(files), FILES_TOGETHER):
        for answer in _transcripts(files[first : first + FILES_TOGETHER], engine, options):
            status = SOME_REFUSED if "error" in answer else status
            click.echo(json.dumps(answer, ensure_ascii=False))
    raise SystemExit(status)


def _transcripts(files: Sequence[Path], engine: SpeechEngine, options: ListeningOptions) -> Iterator[Answer]:
    """Yield the answer for each file in order; those that can be decoded are heard together."""
    decoded = [_decoded(file, options.limits) for file in files]
    sounds = [Sound(audio, options) for audio in decoded if not isinstance(audio, Exception)]
    heard = iter(together_or_alone(sounds, lambda given: transcribe_sounds(given, engine), AuditError))
    for file, sound in zip(files, decoded, strict=True):
        result = sound if isinstance(sound, Exception) else next(heard)
        if isinstance(result, Exception):
            yield {"file": str(file), "error": str(result)}
        else:
            yield transcript_document(file, result)


def _decoded(file: Path, limits: Limits) -> DecodedAudio | Exception:
    try:
        return decode(file, limits)
    except (AuditError, OSError) as error:
        return error


def transcript_document(file: Path, result: TranscriptResult) -> dict[str, Any]:
    """Return the answer of ``transcribe`` for one file; times in seconds."""
    return {
        "file": str(file),
        "duration": result.duration_s,
        "language": result.language,
        "engine": result.engine,
        "model": result.model,
        "roles": result.roles,
        "agent_score": result.options.get("agent_score"),
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


@click.command("compare-recordings")
@click.argument("first", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def compare_recordings(first: Path, second: Path, *, as_json: bool) -> None:
    """Lay two recordings of one call side by side and name the seconds that either lacks; nothing is stored.

    Exit code 3 if seconds are missing or these are not recordings of one call. Codec, loudness and channels may differ.

    Example: audit-service compare-recordings borrowers.mp3 lenders.wav
    """
    found = align(decode(first), decode(second))
    emit(asdict(found), as_json=as_json, text=lambda: _print_alignment(found))
    raise SystemExit(0 if found.is_same_call and not found.missing else SOME_REFUSED)


def _print_alignment(found: Alignment) -> None:
    if not found.is_same_call:
        click.echo("These are not recordings of one call, or they share less than a few seconds.")
        return
    click.echo(
        f"{found.shared_s} s stand in both, {found.likeness:.0%} alike; the first begins {found.shift_s} s earlier."
    )
    for missing in found.missing:
        has = "second" if missing.absent_from == "first" else "first"
        click.echo(f"missing from the {missing.absent_from}: {missing.start_s} to {missing.end_s} s of the {has}")
    if not found.missing:
        click.echo("Neither lacks anything of the other.")


COMMANDS = (detect, transcribe, triage, compare_recordings)
