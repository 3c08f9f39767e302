"""Routes for machines and for everybody: health, readiness, choice of language."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from flask import Blueprint, current_app, jsonify, redirect, request
from flask.wrappers import Response
from werkzeug.wrappers import Response as Redirect

from audit_service.database import is_ready
from audit_service.i18n import LOCALES
from audit_service.web.policy import PUBLIC, allow

bp = Blueprint("service", __name__)
A_YEAR_S = 31_536_000


@bp.get("/healthz")
@allow(PUBLIC)
def healthz() -> Response:
    """Tell that the process is alive."""
    return jsonify(status="alive")


@bp.get("/readyz")
@allow(PUBLIC)
def readyz() -> tuple[Response, int]:
    """Tell whether requests can be served: database migrated, evidence store writable."""
    settings = current_app.extensions["audit_settings"]
    checks = {"database": is_ready(), "evidence_store": os.access(settings.evidence_dir, os.W_OK)}
    is_good = all(checks.values())
    return jsonify(status="ready" if is_good else "not ready", checks=checks), 200 if is_good else 503


@bp.post("/language")
@allow(PUBLIC)
def language() -> Redirect:
    """Remember the visitor's language and go back to the page."""
    back = urlsplit(request.form.get("back", "/"))
    path = back.path if back.path.startswith("/") and not back.path.startswith("//") else "/"
    response = redirect(f"{path}?{back.query}" if back.query else path)
    chosen = request.form.get("language", "")
    if chosen in LOCALES:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie("language", chosen, max_age=A_YEAR_S, secure=secure, httponly=True, samesite="Lax")
    return response
