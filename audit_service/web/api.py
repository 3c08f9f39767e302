"""The interface of the lender's systems, under /api/v1: resumable uploads with a bearer key. Answers are JSON.

``POST /uploads`` opens a batch, or, with ``Upload-Length``, a batch of one file; the rest is tus 1.0.0 as on the
officers' page. Refusals are problem documents (RFC 9457).
"""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify, request, url_for
from werkzeug.exceptions import HTTPException

from audit_service.database import transaction
from audit_service.errors import AuditError
from audit_service.intake import queries
from audit_service.intake.values import Standing
from audit_service.organizations import keys
from audit_service.web.extensions import csrf, limiter
from audit_service.web.policy import BY_KEY, allow
from audit_service.web.tus import appended, created, staging, stands

bp = Blueprint("api", __name__, url_prefix="/api/v1")
csrf.exempt(bp)  # a bearer key is sent by programs on purpose, and by no browser on its own
PROBLEM_TYPE = "application/problem+json"


class KeyRefusedError(AuditError):
    """The request has no key in use."""

    code = "api.key"
    http_status = 401


@bp.before_request
@limiter.limit("1200/minute")
def check_key() -> None:
    """Find the key of the request.

    Raises:
        KeyRefusedError: there is none, or it is not in use.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise KeyRefusedError("The request has no key.", remedy="Send Authorization: Bearer with your key.")
    with transaction() as session:
        key = keys.key_of(session, secret.strip())
    if key is None:
        raise KeyRefusedError("The key is not in use.", remedy="Ask for a new one: `audit-service key create`.")
    g.owner = f"key:{key.id}"


@bp.errorhandler(AuditError)
def refused(error: AuditError) -> Response:
    """Answer a refusal as a problem document."""
    return _problem(error.http_status, error.code, error.message, error.remedy)


@bp.errorhandler(HTTPException)
def failed(error: HTTPException) -> Response:
    """Answer what HTTP itself refuses as a problem document."""
    return _problem(error.code or 500, "http", error.name, "")


def _problem(status: int, code: str, message: str, remedy: str) -> Response:
    response = jsonify(type=f"urn:collection-audit:{code}", title=message, status=status, code=code, remedy=remedy)
    response.status_code, response.mimetype = status, PROBLEM_TYPE
    if status == KeyRefusedError.http_status:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@bp.post("/uploads")
@allow(BY_KEY)
def open_batch() -> Response:
    """Open a batch of files that belong together; with Upload-Length, at once with its first file."""
    batch = staging().open_batch(g.owner)
    links = {"batch": batch, "create": url_for(".create", batch=batch), "finish": url_for(".finish", batch=batch)}
    response = jsonify(links)
    response.status_code = 201
    if "Upload-Length" in request.headers:
        response.headers.update(_headers_of_new(batch))
    return response


@bp.post("/uploads/<batch>")
@allow(BY_KEY)
def create(batch: str) -> Response:
    """Add a file to a batch (tus creation)."""
    return Response(status=201, headers=_headers_of_new(batch))


def _headers_of_new(batch: str) -> dict[str, str]:
    token, headers = created(batch, g.owner)
    return headers | {"Location": url_for(".standing", batch=batch, token=token)}


@bp.route("/uploads/<batch>/<token>", methods=["HEAD"])
@allow(BY_KEY)
def standing(batch: str, token: str) -> Response:
    """Say how many bytes of a file are here (tus core)."""
    return Response(status=200, headers=stands(batch, token, g.owner))


@bp.patch("/uploads/<batch>/<token>")
@allow(BY_KEY)
def append(batch: str, token: str) -> Response:
    """Add a piece of a file (tus core)."""
    return Response(status=204, headers=appended(batch, token, g.owner))


@bp.post("/uploads/<batch>/finish")
@allow(BY_KEY)
def finish(batch: str) -> Response:
    """Hand a whole batch to the workers."""
    with transaction() as session:
        count = staging().finish(session, batch, g.owner)
    return jsonify(files=count)


@bp.get("/files/<sha256>")
@allow(BY_KEY)
def file_state(sha256: str) -> Response:
    """Say what became of a file, by the SHA-256 of its bytes."""
    with transaction() as session:
        found: Standing = queries.standing(session, sha256)
    return jsonify(found.document())
