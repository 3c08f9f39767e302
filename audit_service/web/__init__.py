"""HTTP only: officer and borrower pages; views translate requests into use-cases and back."""

from __future__ import annotations

from flask import Flask, has_request_context, request

from audit_service.i18n import LOCALES
from audit_service.settings import Settings
from audit_service.web import api, borrower, officer, service, uploads, words
from audit_service.web.csp import bind_headers
from audit_service.web.errors import bind_errors
from audit_service.web.extensions import csrf, limiter
from audit_service.web.policy import enforce
from audit_service.web.presentation import bind_presentation
from audit_service.web.security import bind_security


def chosen_locale() -> str | None:
    """Return the language of the page: the visitor's choice, else what the browser asks for, else the default."""
    if not has_request_context():
        return None
    chosen = request.cookies.get("language")
    if chosen in LOCALES:
        return chosen
    return request.accept_languages.best_match(("zh_CN", "zh", "en"))


def register(app: Flask, settings: Settings) -> None:
    """Bind all of the web to the application."""
    csrf.init_app(app)
    limiter.init_app(app)
    bind_presentation(app)
    bind_headers(app, is_secure=settings.secure_cookies)
    bind_errors(app)
    for blueprint in (service.bp, borrower.bp, officer.bp, uploads.bp, words.bp, api.bp):
        app.register_blueprint(blueprint)
    bind_security(app, settings)
    enforce(app)
