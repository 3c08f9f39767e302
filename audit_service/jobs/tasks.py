"""What workers do, by the names that ``audit_service.queue.enqueue`` uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache, partial

import procrastinate
import structlog
from flask import Flask
from procrastinate.job_context import JobContext

from audit_service import clock
from audit_service.complaints import linking
from audit_service.complaints.pending import pending_complaints
from audit_service.custody import services as custody
from audit_service.custody.vault import Vault
from audit_service.database import transaction
from audit_service.intake import reconciliation
from audit_service.intake import services as intake
from audit_service.intake.discovery import discover
from audit_service.intake.malware import Scanner
from audit_service.intake.retrying import RETRY_TASK, retry
from audit_service.intake.uploads import Staging
from audit_service.intake.values import Source
from audit_service.jobs import together
from audit_service.jobs.parking import TRANSCRIBE_TASK
from audit_service.jobs.patience import Patience
from audit_service.jobs.together import Company, Desk
from audit_service.media.values import Limits
from audit_service.outbound import Address
from audit_service.queue import DETECT, REPORT, TRANSCRIBE, enqueue
from audit_service.reports import services as reports
from audit_service.review import running, second_hearing
from audit_service.review.judging import Judge
from audit_service.review.publication import engine_in_force
from audit_service.settings import Settings
from audit_service.transcription.engines.chosen import chosen_engine
from audit_service.transcription.engines.protocol import Engine
from audit_service.transcription.together import Room

log = structlog.get_logger()
RECONCILED = timedelta(days=35)


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


@dataclass(frozen=True)
class _Bound:
    """What tasks are bound to."""

    queue_app: procrastinate.App
    flask_app: Flask
    settings: Settings
    vault: Vault
    retry: Patience


def register(queue_app: procrastinate.App, flask_app: Flask) -> None:
    """Make all tasks known to ``queue_app``; each runs inside the application context of ``flask_app``."""
    settings: Settings = flask_app.extensions["audit_settings"]
    bound = _Bound(queue_app, flask_app, settings, flask_app.extensions["audit_vault"], Patience(settings.job_attempts))
    _register_arrivals(bound)
    _register_detection(bound)
    _register_reports(bound)


def desk_of(bound: _Bound) -> Desk:
    """Return what this worker transcribes with; the first time, that loads the weights."""
    settings = bound.settings
    return Desk(
        engine=speech_engine(settings),
        room=Room(bound.vault, settings.work_dir, media_limits(settings), settings.role_threshold),
        company=Company(settings.transcribe_together, float(settings.transcribe_together_s)),
        patience=bound.retry,
    )


def _register_arrivals(bound: _Bound) -> None:
    """What is received, and what is heard."""
    task, settings, vault = bound.queue_app.task, bound.settings, bound.vault

    @task(name="receive_upload", queue=DETECT, retry=bound.retry)
    def receive_upload(batch: str) -> None:
        with bound.flask_app.app_context():
            receive_batch(settings, vault, batch)

    @task(name=RETRY_TASK, queue=DETECT, retry=bound.retry)
    def retry_item(item_id: int, actor: str) -> None:
        with bound.flask_app.app_context(), transaction() as session:
            retry(session, vault, item_id, source_of(settings, "upload", actor), settings.work_dir)

    @bound.queue_app.periodic(cron="30 3 * * *")
    @task(name="reconcile", queue=DETECT, queueing_lock="reconcile")
    def reconcile(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate passes the scheduled instant
        with bound.flask_app.app_context():
            reconcile_recent_days(settings)

    @task(name=TRANSCRIBE_TASK, queue=TRANSCRIBE, retry=bound.retry, pass_context=True)
    def transcribe(context: JobContext, recording_id: int) -> None:
        with bound.flask_app.app_context():
            together.transcribe(desk_of(bound), context.job, recording_id)

    @task(name="hear_again", queue=TRANSCRIBE, retry=bound.retry)
    def hear_again(recording_id: int) -> None:
        with bound.flask_app.app_context():
            hear_recording_again(settings, vault, recording_id)


def _register_detection(bound: _Bound) -> None:
    """What is looked for in words and in the contact log, and what complaints are about."""
    task, settings = bound.queue_app.task, bound.settings

    @task(name="detect_transcript", queue=DETECT, retry=bound.retry)
    def detect_transcript(recording_id: int) -> None:
        with bound.flask_app.app_context(), transaction() as session:
            engine = engine_in_force(session, settings.rule_folders)
            running.run_transcript(session, engine, recording_id, judge_of(settings))
            if second_hearing.doubtful_findings(session, recording_id):
                once = f"hear:{recording_id}"
                enqueue(session, "hear_again", queue=TRANSCRIBE, once=once, recording_id=recording_id)

    @task(name="detect_messages", queue=DETECT, retry=bound.retry)
    def detect_messages(first_id: int, last_id: int) -> None:
        with bound.flask_app.app_context(), transaction() as session:
            engine = engine_in_force(session, settings.rule_folders)
            running.run_messages(session, engine, first_id, last_id, judge_of(settings))

    @task(name="detect_contact_log", queue=DETECT, retry=bound.retry)
    def detect_contact_log(borrower_id: int) -> None:
        with bound.flask_app.app_context(), transaction() as session:
            engine = engine_in_force(session, settings.rule_folders)
            running.run_contact_log(session, engine, borrower_id, pending_complaints(session, borrower_id))

    @task(name="link_complaint", queue=DETECT, retry=bound.retry)
    def link_complaint(complaint_id: int) -> None:
        with bound.flask_app.app_context(), transaction() as session:
            linking.link(session, complaint_id)


def _register_reports(bound: _Bound) -> None:
    """What is written down, and signed."""
    task, vault = bound.queue_app.task, bound.vault

    @task(name="report_complaint", queue=REPORT, retry=bound.retry)
    def report_complaint(number: str, locale: str) -> None:
        with bound.flask_app.app_context(), transaction() as session:
            reports.complaint_report(session, vault, number, locale)

    @task(name="report_period", queue=REPORT, retry=bound.retry)
    def report_period(institution: str, from_on: str, to_on: str, locale: str) -> None:
        with bound.flask_app.app_context(), transaction() as session:
            first, last = date.fromisoformat(from_on), date.fromisoformat(to_on)
            reports.period_report(session, vault, institution, first, last, locale)

    @bound.queue_app.periodic(cron="*/10 * * * *")
    @task(name="sign_checkpoint", queue=DETECT, queueing_lock="sign_checkpoint")
    def sign_checkpoint(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate passes the scheduled instant
        with bound.flask_app.app_context(), transaction() as session:
            custody.sign_checkpoint(session, vault)


def hear_recording_again(settings: Settings, vault: Vault, recording_id: int) -> None:
    """Listen a second time to the doubtful findings of a recording; holds no transaction while it listens."""
    with transaction() as session:
        doubtful = second_hearing.doubtful_findings(session, recording_id)
        sha256 = second_hearing.recording_exhibit(session, recording_id).sha256
    engine = speech_engine(settings)
    heard = second_hearing.heard_again(vault, sha256, engine, doubtful, settings.work_dir, media_limits(settings))
    with transaction() as session:
        second_hearing.store(session, engine, heard)
    log.info("heard_again", recording_id=recording_id, findings=len(heard))


def reconcile_recent_days(settings: Settings) -> None:
    """Compare call log and recordings of the last weeks, and raise alerts where too many calls disagree."""
    with transaction() as session:
        sheets = reconciliation.reconcile(session, begin=clock.now() - RECONCILED)
        raised = reconciliation.raise_alerts(session, sheets, settings.reconcile_tolerated)
    for alert in raised:
        log.warning("reconciliation_alert", agency_id=alert.agency_id, day=alert.day.isoformat(), share=alert.share)


def source_of(settings: Settings, route: str, actor: str, name: str = "") -> Source:
    """Return by which route files come, and what they may cost here."""
    return Source(route, actor, media_limits(settings), settings.upload_max_bytes, name, scanner_of(settings))


def scanner_of(settings: Settings) -> Scanner:
    """Return what looks for malware here."""
    return Scanner(settings.malware_scanner)


def receive_batch(settings: Settings, vault: Vault, batch: str) -> None:
    """Take in the files of an upload, each in a transaction of its own; a batch that was begun is gone through again.

    What cannot be used is quarantined with its reason like any other file; the staged copies are gone afterwards.
    """
    uploads = Staging(settings.uploads_dir, settings.upload_max_bytes)
    owner, files = uploads.staged(batch)
    for file in files:
        if not discover(file.path):
            continue  # it speaks of a recording or log beside it and is read with that
        route = "api" if owner.startswith("key:") else "upload"
        source = source_of(settings, route, owner, name=file.name)
        with transaction() as session:
            received = intake.receive_file(session, vault, file.path, source)
        log.info("received", item=received.item_id, state=received.state.value, reason=received.reason_code)
    uploads.drop(batch)
