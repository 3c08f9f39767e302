"""JSON that a sender puts beside a file to speak about it: read in one way, refused in one way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit_service.intake.errors import FileRefusedError

LARGEST_BYTES = 1 << 20


def read_object(file: Path, *, too_large: str, not_json: str, remedy: str) -> Mapping[str, Any]:
    """Return the JSON object in ``file``.

    Raises:
        FileRefusedError: it is larger than 1 MiB (reason code ``too_large``), or no JSON object (``not_json``).
    """
    if file.stat().st_size > LARGEST_BYTES:
        raise FileRefusedError(too_large, f"{file.name} is larger than 1 MiB.", remedy=remedy)
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FileRefusedError(not_json, f"{file.name} is not JSON: {error}.", remedy=remedy) from error
    if not isinstance(document, dict):
        raise FileRefusedError(not_json, f"{file.name} is not a JSON object.", remedy=remedy)
    return document
