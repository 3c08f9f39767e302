"""One page for every refusal, in the visitor's language, with what to do next and without internals."""

from __future__ import annotations

import structlog
from flask import Flask, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from audit_service.errors import AuditError
from audit_service.i18n import gettext, lazy_gettext

log = structlog.get_logger()
TEXTS = {
    400: lazy_gettext("The request could not be understood."),
    403: lazy_gettext("Your role may not open this page."),
    404: lazy_gettext("This page does not exist."),
    405: lazy_gettext("This page cannot be used that way."),
    413: lazy_gettext("The upload is too large."),
    429: lazy_gettext("Too many tries. Wait a few minutes and try again."),
}
Answer = tuple[str, int]


def bind_errors(app: Flask) -> None:
    """Show refusals and faults on our own page."""
    app.register_error_handler(AuditError, _refusal)
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _fault)


def _page(status: int, message: str, remedy: str = "") -> Answer:
    return render_template("error.html", status=status, message=message, remedy=remedy), status


def _refusal(error: AuditError) -> Answer:
    return _page(error.http_status, error.message, error.remedy)


def _stale(_error: CSRFError) -> Answer:
    return _page(400, gettext("The form is too old."), gettext("Load the page again and send it once more."))


def _http(error: HTTPException) -> Answer:
    status = error.code or 500
    return _page(status, str(TEXTS.get(status, error.name)))


def _fault(error: Exception) -> Answer:
    log.error("fault", kind=type(error).__name__, exc_info=error)
    return _page(500, gettext("Something went wrong on our side. Nothing was lost; please try again."))
