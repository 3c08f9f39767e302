"""Uploads of officers: a form for few files, and resumable uploads (tus 1.0.0, core and creation) for many.

https://tus.io/protocols/resumable-upload: POST creates, HEAD says where it stands, PATCH adds. Metadata ``filename``
and, where the client computed it, ``sha256`` (hexadecimal).
"""

from __future__ import annotations

import base64
import binascii

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response as Redirect

from audit_service.database import transaction
from audit_service.errors import InputRefusedError
from audit_service.i18n import gettext
from audit_service.intake.uploads import Described, Staging
from audit_service.settings import Settings
from audit_service.web.policy import REVIEWERS, allow

bp = Blueprint("uploads", __name__, url_prefix="/officer/uploads")
VERSION = "1.0.0"
PIECE_TYPE = "application/offset+octet-stream"


def staging() -> Staging:
    """Return the folder of uploads of this instance."""
    settings: Settings = current_app.extensions["audit_settings"]
    return settings_staging(settings)


def settings_staging(settings: Settings) -> Staging:
    """Return the folder of uploads that the settings name."""
    return Staging(settings.uploads_dir, settings.upload_max_bytes)


@bp.post("/form")
@allow(*REVIEWERS)
def form() -> Redirect:
    """Take the files of a form, all or none, and hand them to the workers."""
    uploads, user = staging(), current_user.id
    batch = uploads.open_batch(user)
    for file in request.files.getlist("files"):
        size = file.stream.seek(0, 2)
        file.stream.seek(0)
        token = uploads.create(batch, user, Described(file.filename or "", size))
        uploads.append(batch, token, user, 0, file.stream)
    with transaction() as session:
        count = uploads.finish(session, batch, user)
    flash(gettext("%(count)s files were handed over. They appear below within seconds.", count=count))
    return redirect(url_for("officer.intake"))


@bp.post("/")
@allow(*REVIEWERS)
def open_batch() -> tuple[Response, int]:
    """Open a batch: files that belong together."""
    batch = staging().open_batch(current_user.id)
    answer = jsonify(batch=batch, create=url_for(".create", batch=batch), finish=url_for(".finish", batch=batch))
    return answer, 201


@bp.post("/<batch>")
@allow(*REVIEWERS)
def create(batch: str) -> Response:
    """Create an upload (tus creation)."""
    metadata = _metadata(request.headers.get("Upload-Metadata", ""))
    size = request.headers.get("Upload-Length", type=int)
    if size is None:
        raise InputRefusedError("Upload-Length is missing.", remedy="Say how many bytes the file has.")
    described = Described(metadata.get("filename", ""), size, metadata.get("sha256", ""))
    token = staging().create(batch, current_user.id, described)
    return _tus(201, Location=url_for(".standing", batch=batch, token=token))


@bp.route("/<batch>/<token>", methods=["HEAD"])
@allow(*REVIEWERS)
def standing(batch: str, token: str) -> Response:
    """Say how many bytes are here (tus core)."""
    here, size = staging().standing(batch, token, current_user.id)
    return _tus(200, **{"Upload-Offset": str(here), "Upload-Length": str(size)})


@bp.patch("/<batch>/<token>")
@allow(*REVIEWERS)
def append(batch: str, token: str) -> Response:
    """Add a piece (tus core)."""
    offset = request.headers.get("Upload-Offset", type=int)
    if request.mimetype != PIECE_TYPE or offset is None:
        raise InputRefusedError(
            f"A piece needs Upload-Offset and the type {PIECE_TYPE}.", remedy="Send both, as tus 1.0.0 says."
        )
    here = staging().append(batch, token, current_user.id, offset, request.stream)
    return _tus(204, **{"Upload-Offset": str(here)})


@bp.post("/<batch>/finish")
@allow(*REVIEWERS)
def finish(batch: str) -> Response:
    """Hand a whole batch to the workers."""
    with transaction() as session:
        count = staging().finish(session, batch, current_user.id)
    flash(gettext("%(count)s files were handed over. They appear below within seconds.", count=count))
    return jsonify(files=count, next=url_for("officer.intake"))


def _tus(status: int, **headers: str) -> Response:
    response = Response(status=status)
    response.headers.update({"Tus-Resumable": VERSION, **headers})
    return response


def _metadata(header: str) -> dict[str, str]:
    """Return the pairs of ``Upload-Metadata``: key, blank, base64 of UTF-8; divided by commas."""
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InputRefusedError(
                f"Upload-Metadata: {key[:40]} cannot be read.", remedy="Send base64 of UTF-8."
            ) from error
    return found
