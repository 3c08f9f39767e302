"""The one place from which anything leaves this machine: questions to addresses that the operator has set."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from audit_service.errors import SettingsError


@dataclass(frozen=True)
class Address:
    """A web address that speaks an OpenAI interface, up to and with ``/v1``, and the key that it wants.

    Attributes:
        setting: the environment variable that names it, for refusals.
    """

    url: str
    key: str
    setting: str

    def __post_init__(self) -> None:
        """Refuse addresses that are not of the web.

        Raises:
            SettingsError: the address is not http or https.
        """
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise SettingsError(
                f"{self.setting} is not a web address.", remedy="Give one like http://127.0.0.1:8000/v1."
            )

    @property
    def host(self) -> str:
        """Return host and port."""
        return urlsplit(self.url).netloc

    def ask(self, path: str, body: bytes, content_type: str, patience_s: float) -> Any:
        """Return the JSON that the server answers to ``body``.

        Raises:
            OSError: it cannot be reached, answers with an error, or not within ``patience_s`` seconds.
            ValueError: its answer is no JSON.
        """
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked when the address was made
            f"{self.url.rstrip('/')}/{path}",
            data=body,
            headers={"Content-Type": content_type, "Authorization": f"Bearer {self.key}"},
        )
        with urllib.request.urlopen(request, timeout=patience_s) as response:  # noqa: S310 - as above
            return json.load(response)
