"""What workers do, by the names that ``audit_service.queue.enqueue`` uses."""

from __future__ import annotations

from datetime import date
from functools import lru_cache, partial

import procrastinate
import structlog
from flask import Flask

from audit_service.complaints import linking
from audit_service.custody import services as custody
from audit_service.custody.vault import Vault
from audit_service.database import transaction
from audit_service.intake import services as intake
from audit_service.intake.discovery import discover
from audit_service.intake.uploads import Staging
from audit_service.intake.values import Source
from audit_service.jobs.patience import Patience
from audit_service.media.values import Limits
from audit_service.outbound import Address
from audit_service.queue import DETECT, REPORT, TRANSCRIBE, enqueue
from audit_service.reports import services as reports
from audit_service.review import running
from audit_service.review.judging import Judge
from audit_service.settings import Settings
from audit_service.transcription import services as transcription
from audit_service.transcription.engines.chosen import chosen_engine
from audit_service.transcription.engines.protocol import Engine

log = structlog.get_logger()
TRANSCRIBE_TASK = "transcribe"


@lru_cache(maxsize=1)
def speech_engine(settings: Settings) -> Engine:
    """Return the speech engine of this process; loading the weights takes seconds, so it is done once."""
    return chosen_engine(partial(getattr, settings))


def media_limits(settings: Settings) -> Limits:
    """Return the limits on the child process that decodes media."""
    return Limits(duration_s=float(settings.media_max_seconds))


def judge_of(settings: Settings) -> Judge | None:
    """Return the lender's own judge, if the settings name one."""
    if not settings.judge_url:
        return None
    return Judge(Address(settings.judge_url, settings.judge_key, "AUDIT_JUDGE_URL"), settings.judge_model)


def register(queue_app: procrastinate.App, flask_app: Flask) -> None:
    """Make all tasks known to ``queue_app``; each runs inside the application context of ``flask_app``."""
    settings: Settings = flask_app.extensions["audit_settings"]
    vault: Vault = flask_app.extensions["audit_vault"]
    retry = Patience(settings.job_attempts)

    @queue_app.task(name=TRANSCRIBE_TASK, queue=TRANSCRIBE, retry=retry)
    def transcribe(recording_id: int) -> None:
        with flask_app.app_context():
            transcribe_recording(settings, vault, recording_id)

    @queue_app.task(name="receive_upload", queue=DETECT, retry=retry)
    def receive_upload(batch: str) -> None:
        with flask_app.app_context():
            receive_batch(settings, vault, batch)

    @queue_app.task(name="detect_transcript", queue=DETECT, retry=retry)
    def detect_transcript(recording_id: int) -> None:
        with flask_app.app_context(), transaction() as session:
            running.run_transcript(session, running.engine_for(settings.rule_folders), recording_id, judge_of(settings))

    @queue_app.task(name="detect_messages", queue=DETECT, retry=retry)
    def detect_messages(first_id: int, last_id: int) -> None:
        with flask_app.app_context(), transaction() as session:
            engine = running.engine_for(settings.rule_folders)
            running.run_messages(session, engine, first_id, last_id, judge_of(settings))

    @queue_app.task(name="detect_contact_log", queue=DETECT, retry=retry)
    def detect_contact_log(borrower_id: int) -> None:
        with flask_app.app_context(), transaction() as session:
            running.run_contact_log(session, running.engine_for(settings.rule_folders), borrower_id)

    @queue_app.task(name="link_complaint", queue=DETECT, retry=retry)
    def link_complaint(complaint_id: int) -> None:
        with flask_app.app_context(), transaction() as session:
            linking.link(session, complaint_id)

    @queue_app.task(name="report_complaint", queue=REPORT, retry=retry)
    def report_complaint(number: str, locale: str) -> None:
        with flask_app.app_context(), transaction() as session:
            reports.complaint_report(session, vault, number, locale)

    @queue_app.task(name="report_period", queue=REPORT, retry=retry)
    def report_period(institution: str, from_on: str, to_on: str, locale: str) -> None:
        with flask_app.app_context(), transaction() as session:
            reports.period_report(
                session, vault, institution, date.fromisoformat(from_on), date.fromisoformat(to_on), locale
            )

    @queue_app.periodic(cron="*/10 * * * *")
    @queue_app.task(name="sign_checkpoint", queue=DETECT, queueing_lock="sign_checkpoint")
    def sign_checkpoint(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate passes the scheduled instant
        with flask_app.app_context(), transaction() as session:
            custody.sign_checkpoint(session, vault)


def receive_batch(settings: Settings, vault: Vault, batch: str) -> None:
    """Take in the files of an upload, each in a transaction of its own; a batch that was begun is gone through again.

    What cannot be used is quarantined with its reason like any other file; the staged copies are gone afterwards.
    """
    uploads = Staging(settings.uploads_dir, settings.upload_max_bytes)
    user, files = uploads.staged(batch)
    for file in files:
        if not discover(file.path):
            continue  # it speaks of a recording or log beside it and is read with that
        source = Source("upload", f"user:{user}", media_limits(settings), settings.upload_max_bytes, file.name)
        with transaction() as session:
            received = intake.receive_file(session, vault, file.path, source)
        log.info("received", item=received.item_id, state=received.state.value, reason=received.reason_code)
    uploads.drop(batch)


def transcribe_recording(settings: Settings, vault: Vault, recording_id: int) -> None:
    """Transcribe one recording; then mark its intake item as done and hand it to detection, in one transaction."""
    with transaction() as session:
        planned = transcription.plan(session, recording_id)
    with (
        transcription.listening(
            vault, planned, speech_engine(settings), settings.work_dir, media_limits(settings)
        ) as heard,
        transaction() as session,
    ):
        transcript = transcription.store(session, vault, planned, heard)
        intake.finish_item(session, planned.exhibit_id)
        enqueue(session, "detect_transcript", queue=DETECT, recording_id=recording_id)
    log.info("transcribed", recording_id=recording_id, version=transcript.version, took_s=transcript.took_s)
