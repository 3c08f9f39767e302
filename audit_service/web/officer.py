"""Pages of the compliance officers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_security import current_user
from werkzeug.http import parse_range_header
from werkzeug.wrappers import Response as Redirect

from audit_service.complaints import queries as complaint_queries
from audit_service.complaints import services as complaints
from audit_service.complaints.models import ComplaintStatus
from audit_service.contacts.models import Channel
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.database import transaction
from audit_service.i18n import gettext
from audit_service.intake import queries as intake_queries
from audit_service.intake import reconciliation, retrying
from audit_service.organizations.queries import user_by_email
from audit_service.reports.wording import CATEGORIES
from audit_service.review import publication, queries
from audit_service.review.dispositions import CHOICES, dispose
from audit_service.review.listening import note_listening
from audit_service.review.models import FindingKind, Severity, Verdict
from audit_service.review.standings import rule_precisions
from audit_service.web.policy import READERS, REVIEWERS, allow
from audit_service.web.tus import staging
from evidence_store import SealedReader

bp = Blueprint("officer", __name__, url_prefix="/officer")
BLOCK_BYTES = 1 << 16
UNDER_REVIEW = "under_review"


def actor() -> str:
    """Return the signed-in user as the ledger names users."""
    return f"user:{current_user.id}"


def rule_folders() -> tuple[Path, ...]:
    """Return the folders of the rule packs."""
    folders: tuple[Path, ...] = current_app.extensions["audit_settings"].rule_folders
    return folders


def rule_floor() -> float:
    """Return the precision under which a rule is under review."""
    floor: float = current_app.extensions["audit_settings"].rule_floor
    return floor


@bp.get("/")
@allow(*READERS)
def overview() -> str:
    """What was found, what came in, what was complained of."""
    with transaction() as session:
        return render_template(
            "officer/overview.html",
            by_severity=queries.counts_by_severity(session),
            violations=queries.counts_by_category(session, FindingKind.VIOLATION),
            signals=queries.counts_by_category(session, FindingKind.SIGNAL),
            balance=intake_queries.balance(session),
            complaints=complaint_queries.complaint_list(session, limit=5),
            severities=Severity,
        )


def _text(name: str) -> str:
    return request.args.get(name, "").strip()


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


@bp.get("/findings")
@allow(*READERS)
def findings() -> str:
    """The list of findings; its filters are in the address."""
    wanted = queries.FindingFilter(
        category=_text("category"),
        severity=_text("severity"),
        kind=_text("kind"),
        agency=_text("agency"),
        channel=_text("channel"),
        disposition=request.args.get("disposition", ""),
        text=_text("text"),
        from_on=_day("from"),
        to_on=_day("to"),
        before_id=request.args.get("before", type=int),
        is_under_review=request.args.get("part") == UNDER_REVIEW,
    )
    with transaction() as session:
        page = queries.findings_page(session, wanted, rule_floor())
        return render_template(
            "officer/findings.html",
            page=page,
            wanted=wanted,
            next_address=_next_address(page),
            agencies=queries.agencies(session),
            categories=tuple(CATEGORIES),
            severities=Severity,
            kinds=FindingKind,
            channels=Channel,
            verdicts=Verdict,
            unreviewed=queries.UNREVIEWED,
        )


def _next_address(page: queries.FindingPage) -> str:
    if page.next_before is None:
        return ""
    part = {"part": UNDER_REVIEW} if page.is_next_under_review else {}
    return f"{url_for('.findings')}?{urlencode({**request.args.to_dict(), 'before': page.next_before, **part})}"


@bp.get("/contacts/<int:attempt_id>")
@allow(*READERS)
def contact(attempt_id: int) -> str:
    """One contact: its words, its audio, its findings. Every view is in the ledger."""
    with transaction() as session:
        page = queries.contact_page(session, attempt_id, rule_floor())
        act = Act(Action.VIEWED, "contact", str(attempt_id), actor=actor())
        custody.record(session, act, exhibit=page.exhibit if page.recording is not None else None)
        return render_template("officer/contact.html", page=page, verdicts=CHOICES)


@bp.post("/findings/<int:finding_id>/disposition")
@allow(*REVIEWERS)
def disposition(finding_id: int) -> Redirect:
    """Record what the officer says of a finding."""
    with transaction() as session:
        finding = dispose(
            session,
            finding_id,
            request.form.get("verdict", ""),
            user_id=current_user.id,
            reason=request.form.get("reason", ""),
            floor=rule_floor(),
        )
        attempt_id, is_proposed = finding.attempt_id, finding.dispositions[-1].verdict is Verdict.DISMISSAL_PROPOSED
    if is_proposed:
        flash(gettext("Your dismissal was recorded. It counts when a second person dismisses the finding too."))
    else:
        flash(gettext("The disposition was recorded."))
    return redirect(url_for(".contact", attempt_id=attempt_id, _anchor=f"finding-{finding_id}"))


@bp.get("/recordings/<int:recording_id>/audio")
@allow(*READERS)
def audio(recording_id: int) -> Response:
    """The sound of a recording, decrypted as it is sent; answers range requests (RFC 9110 §14)."""
    with transaction() as session:
        exhibit = queries.recording_exhibit(session, recording_id)
        media_type, size = exhibit.media_type, exhibit.size_bytes
        stream = custody.open_exhibit(current_app.extensions["audit_vault"], exhibit)
    wanted = parse_range_header(request.headers.get("Range"))
    span = wanted.range_for_length(size) if wanted is not None else None
    start, end = span or (0, size)
    response = Response(_blocks(stream, start, end), 206 if span else 200, mimetype=media_type)
    response.headers["Accept-Ranges"] = "bytes"
    response.content_length = end - start
    if span:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response


def _blocks(stream: SealedReader, start: int, end: int) -> Iterator[bytes]:
    with stream:
        stream.seek(start)
        left = end - start
        while left > 0:
            block = stream.read(min(BLOCK_BYTES, left))
            if not block:
                return
            left -= len(block)
            yield block


@bp.post("/recordings/<int:recording_id>/played")
@allow(*REVIEWERS)
def played(recording_id: int) -> tuple[str, int]:
    """Keep that the player played a stretch; doubtful findings can be confirmed only when it did."""
    start_s, end_s = (request.form.get(name, -1.0, type=float) for name in ("start", "end"))
    with transaction() as session:
        note_listening(session, recording_id, current_user.id, start_s, end_s)
    return "", 204


@bp.get("/complaints")
@allow(*READERS)
def complaint_list() -> str:
    """Complaints, the latest first."""
    with transaction() as session:
        rows = complaint_queries.complaint_list(session, before_id=request.args.get("before", type=int))
        return render_template("officer/complaints.html", complaints=rows)


@bp.get("/complaints/<number>")
@allow(*READERS)
def complaint(number: str) -> str:
    """One complaint: what is alleged, and what the records say. Every view is in the ledger."""
    with transaction() as session:
        page = complaint_queries.complaint_page(session, number)
        custody.record(session, Act(Action.VIEWED, "complaint", number, actor=actor()))
        steps = complaints.STEPS.get(page.complaint.status, frozenset()) - {ComplaintStatus.WITHDRAWN}
        return render_template("officer/complaint.html", page=page, steps=sorted(steps))


@bp.post("/complaints/<number>/status")
@allow(*REVIEWERS)
def complaint_status(number: str) -> Redirect:
    """Move a complaint on."""
    to = request.form.get("status", "")
    if to in {status.value for status in ComplaintStatus}:
        with transaction() as session:
            reason = request.form.get("reason", "")
            complaints.change_status(session, number, ComplaintStatus(to), actor=actor(), reason=reason)
        flash(gettext("The step was recorded."))
    return redirect(url_for(".complaint", number=number))


@bp.get("/rules")
@allow(*READERS)
def rules() -> str:
    """How right each rule is by the reviews of its findings, and the versions that wait for approval."""
    with transaction() as session:
        return render_template(
            "officer/rules.html",
            rules=rule_precisions(session, rule_floor()),
            unapproved=publication.unapproved_packs(session, rule_folders()),
            floor=rule_floor(),
            waiting=publication.waiting_versions(session),
        )


@bp.post("/rules/approvals")
@allow(*publication.APPROVERS)
def approval() -> Redirect:
    """Approve a published version of a rule pack."""
    pack, version = request.form.get("pack", ""), request.form.get("version", "")
    with transaction() as session:
        publication.approve(session, pack, version, user_by_email(session, current_user.email) or current_user)
    flash(gettext("The rules were approved. They judge from the next contact on."))
    return redirect(url_for(".rules"))


@bp.get("/intake")
@allow(*READERS)
def intake() -> str:
    """What came in, what became of it, and what was refused."""
    with transaction() as session:
        items = intake_queries.items(session)
        problems = {
            item.id: intake_queries.problems(session, item.id) for item in items if item.rows_total > item.rows_stored
        }
        return render_template(
            "officer/intake.html",
            items=items,
            problems=problems,
            balance=intake_queries.balance(session),
            waiting=staging().waiting(),
            alerts=reconciliation.open_alerts(session),
        )


@bp.post("/intake/<int:item_id>/retry")
@allow(*REVIEWERS)
def retry_item(item_id: int) -> Redirect:
    """Have a worker try again what failed or waits in quarantine, from its sealed bytes."""
    with transaction() as session:
        retrying.hand_in_again(session, item_id, actor())
    flash(gettext("The file is tried again. Load the page again in a few seconds."))
    return redirect(url_for(".intake"))
