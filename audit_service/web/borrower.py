"""Pages of the borrowers: no account, works without JavaScript, phone first."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, current_app, render_template, request
from werkzeug.datastructures import FileStorage

from audit_service.complaints import queries
from audit_service.complaints import services as complaints
from audit_service.complaints.errors import ComplaintRefusedError
from audit_service.complaints.models import RequestKind
from audit_service.complaints.values import FiledComplaint, Incident, NewComplaint, ProofFile
from audit_service.database import transaction
from audit_service.errors import NotFoundError
from audit_service.i18n import gettext, lazy_gettext
from audit_service.organizations.queries import institution_choices
from audit_service.web.extensions import limiter
from audit_service.web.policy import PUBLIC, allow
from audit_service.web.presentation import page_locale

bp = Blueprint("borrower", __name__)
MOST_PROOFS = 10
PROBLEMS = {
    ("complainant_name", "missing"): lazy_gettext("Please give your name."),
    ("complainant_name", "too_long"): lazy_gettext("The name is too long."),
    ("phone", "malformed"): lazy_gettext("Please give a complete telephone number."),
    ("narrative", "too_short"): lazy_gettext("Please describe in a sentence or more what happened."),
    ("narrative", "too_long"): lazy_gettext("The text is too long. Please shorten it and attach the rest as a file."),
    ("institution", "unknown"): lazy_gettext("Please choose the lender from the list."),
}


@bp.get("/")
@allow(PUBLIC)
def home() -> str:
    """What a borrower can do here."""
    return render_template("borrower/home.html")


@bp.get("/complain")
@allow(PUBLIC)
def complain() -> str:
    """The empty form."""
    return _form({}, {})


def _form(values: Mapping[str, object], errors: Mapping[str, str]) -> str:
    with transaction() as session:
        lenders = institution_choices(session)
    return render_template(
        "borrower/complain.html", values=values, errors=errors, lenders=lenders, request_kinds=RequestKind
    )


@bp.post("/complain")
@allow(PUBLIC)
@limiter.limit("20 per hour")
def file_complaint() -> tuple[str, int] | str:
    """File the complaint and show its receipt code, this once."""
    settings, vault = current_app.extensions["audit_settings"], current_app.extensions["audit_vault"]
    try:
        with transaction() as session:
            filed = complaints.file(session, vault, settings.receipt_pepper, _new_complaint())
    except ComplaintRefusedError as refusal:
        text = str(PROBLEMS.get((refusal.field, refusal.problem), refusal.message))
        values = {**request.form.to_dict(), "requests": request.form.getlist("requests")}
        return _form(values, {refusal.field: text}), 422
    return _receipt(filed)


def _receipt(filed: FiledComplaint) -> str:
    return render_template("borrower/receipt.html", filed=filed)


def _new_complaint() -> NewComplaint:
    form = request.form
    when, what = form.get("when", "").strip(), form.get("narrative", "")
    known = {kind.value for kind in RequestKind}
    return NewComplaint(
        institution=form.get("institution", ""),
        complainant_name=form.get("complainant_name", ""),
        phone=form.get("phone", ""),
        language="zh" if page_locale() == "zh_CN" else "en",
        narrative=what,
        account_hint=form.get("account_hint", ""),
        incidents=(Incident(when, what),) if when else (),
        requests=tuple(RequestKind(kind) for kind in form.getlist("requests") if kind in known),
        proofs=tuple(_proof(file) for file in request.files.getlist("proofs")[:MOST_PROOFS] if file.filename),
    )


def _proof(file: FileStorage) -> ProofFile:
    return ProofFile(file.stream, file.filename or "", file.mimetype or "application/octet-stream")


@bp.get("/case")
@allow(PUBLIC)
def case() -> str:
    """Ask for the receipt code and the phone's last digits."""
    return render_template("borrower/case_sign_in.html", error="")


@bp.post("/case")
@allow(PUBLIC)
@limiter.limit("10 per 10 minutes")
def show_case() -> tuple[str, int] | str:
    """Show the case; a wrong code and a wrong number get the same answer."""
    pepper = current_app.extensions["audit_settings"].receipt_pepper
    try:
        with transaction() as session:
            view = queries.by_receipt(session, pepper, request.form.get("code", ""), request.form.get("last4", ""))
    except NotFoundError:
        error = gettext("No complaint fits this receipt code and phone number. Check both and try again.")
        return render_template("borrower/case_sign_in.html", error=error), 404
    return render_template("borrower/case.html", case=view)
