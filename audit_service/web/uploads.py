"""Uploads of officers: a form for few files, and resumable uploads (tus) for many."""

from __future__ import annotations

from flask import Blueprint, Response, flash, jsonify, redirect, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response as Redirect

from audit_service.database import transaction
from audit_service.i18n import gettext
from audit_service.intake.uploads import Described
from audit_service.web.policy import REVIEWERS, allow
from audit_service.web.tus import appended, created, staging, stands

bp = Blueprint("uploads", __name__, url_prefix="/officer/uploads")


def owner() -> str:
    """Return the signed-in user as the owner of uploads."""
    return f"user:{current_user.id}"


@bp.post("/form")
@allow(*REVIEWERS)
def form() -> Redirect:
    """Take the files of a form, all or none, and hand them to the workers."""
    uploads = staging()
    batch = uploads.open_batch(owner())
    for file in request.files.getlist("files"):
        size = file.stream.seek(0, 2)
        file.stream.seek(0)
        token = uploads.create(batch, owner(), Described(file.filename or "", size))
        uploads.append(batch, token, owner(), 0, file.stream)
    with transaction() as session:
        count = uploads.finish(session, batch, owner())
    flash(gettext("%(count)s files were handed over. They appear below within seconds.", count=count))
    return redirect(url_for("officer.intake"))


@bp.post("/")
@allow(*REVIEWERS)
def open_batch() -> tuple[Response, int]:
    """Open a batch: files that belong together."""
    batch = staging().open_batch(owner())
    answer = jsonify(batch=batch, create=url_for(".create", batch=batch), finish=url_for(".finish", batch=batch))
    return answer, 201


@bp.post("/<batch>")
@allow(*REVIEWERS)
def create(batch: str) -> Response:
    """Create an upload (tus creation)."""
    token, headers = created(batch, owner())
    return Response(status=201, headers=headers | {"Location": url_for(".standing", batch=batch, token=token)})


@bp.route("/<batch>/<token>", methods=["HEAD"])
@allow(*REVIEWERS)
def standing(batch: str, token: str) -> Response:
    """Say how many bytes are here (tus core)."""
    return Response(status=200, headers=stands(batch, token, owner()))


@bp.patch("/<batch>/<token>")
@allow(*REVIEWERS)
def append(batch: str, token: str) -> Response:
    """Add a piece (tus core)."""
    return Response(status=204, headers=appended(batch, token, owner()))


@bp.post("/<batch>/finish")
@allow(*REVIEWERS)
def finish(batch: str) -> Response:
    """Hand a whole batch to the workers."""
    with transaction() as session:
        count = staging().finish(session, batch, owner())
    flash(gettext("%(count)s files were handed over. They appear below within seconds.", count=count))
    return jsonify(files=count, next=url_for("officer.intake"))
