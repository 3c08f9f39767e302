"""What both upload routes share of tus 1.0.0: https://tus.io/protocols/resumable-upload, core and creation.

Metadata ``filename`` and, where the client computed it, ``sha256`` (hexadecimal).
"""

from __future__ import annotations

import base64
import binascii

from flask import current_app, request

from audit_service.errors import InputRefusedError
from audit_service.intake.uploads import Described, Staging
from audit_service.settings import Settings

VERSION = "1.0.0"
PIECE_TYPE = "application/offset+octet-stream"
Headers = dict[str, str]


def staging() -> Staging:
    """Return the folder of uploads of this instance."""
    settings: Settings = current_app.extensions["audit_settings"]
    return Staging(settings.uploads_dir, settings.upload_max_bytes)


def created(batch: str, owner: str) -> tuple[str, Headers]:
    """Create the upload that the request describes and return its token and the headers of the answer."""
    metadata = _metadata(request.headers.get("Upload-Metadata", ""))
    size = request.headers.get("Upload-Length", type=int)
    if size is None:
        raise InputRefusedError("Upload-Length is missing.", remedy="Say how many bytes the file has.")
    described = Described(metadata.get("filename", ""), size, metadata.get("sha256", ""))
    return staging().create(batch, owner, described), {"Tus-Resumable": VERSION}


def stands(batch: str, token: str, owner: str) -> Headers:
    """Return the headers that say how much of an upload is here."""
    here, size = staging().standing(batch, token, owner)
    return {"Tus-Resumable": VERSION, "Upload-Offset": str(here), "Upload-Length": str(size)}


def appended(batch: str, token: str, owner: str) -> Headers:
    """Add the piece that the request brings and return the headers of the answer."""
    offset = request.headers.get("Upload-Offset", type=int)
    if request.mimetype != PIECE_TYPE or offset is None:
        raise InputRefusedError(
            f"A piece needs Upload-Offset and the type {PIECE_TYPE}.", remedy="Send both, as tus 1.0.0 says."
        )
    here = staging().append(batch, token, owner, offset, request.stream)
    return {"Tus-Resumable": VERSION, "Upload-Offset": str(here)}


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
