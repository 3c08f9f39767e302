"""HTTP only: officer, borrower, regulator and api blueprints; views translate requests into use-cases and back."""

from __future__ import annotations

from flask import Flask, has_request_context, request

from audit_service.i18n import LOCALES
from audit_service.settings import Settings
from audit_service.web.security import bind_security


def chosen_locale() -> str | None:
    """Return the language of the page: the visitor's choice, else what the browser asks for, else the default."""
    if not has_request_context():
        return None
    chosen = request.cookies.get("language")
    if chosen in LOCALES:
        return chosen
    return request.accept_languages.best_match(LOCALES)


def register(app: Flask, settings: Settings) -> None:
    """Bind all of the web to the application."""
    bind_security(app, settings)
