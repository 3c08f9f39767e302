"""One e-mail as a file (RFC 5322, .eml): one row, its plain text, else the text of its HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from pathlib import Path

from audit_service.intake.errors import FileRefusedError
from audit_service.intake.forms.hints import Hints
from audit_service.intake.forms.messages import ExportedMessage, other_side, rows_of
from audit_service.intake.rows import BrokenRow, Row

LARGEST_BYTES = 50 * 1024**2
_UNSEEN = frozenset({"script", "style", "head", "title"})
_ASK_NAMES = 'Say "agent_names": ["name@agency.example"] in the JSON file beside the e-mail.'


def read_mail(path: Path, hints: Hints) -> Iterator[Row | BrokenRow]:
    """Yield the header and the one row of an e-mail.

    Raises:
        FileRefusedError: it has no date or no text, or it is not said which address is the agent's.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise FileRefusedError("log.too_large", "It is larger than 50 MiB.", remedy="Hand in its text alone.")
    with path.open("rb") as stream:
        mail: EmailMessage = BytesParser(policy=policy.default).parse(stream)
    text = _text(mail)
    written_at = _written_at(mail)
    if not text or not written_at:
        missing = "text" if written_at else "date"
        raise FileRefusedError("log.not_a_mail", f"It has no {missing}.", remedy="Save the e-mail again as .eml.")
    if not hints.agent_names:
        raise FileRefusedError("log.agent_names", "It does not say which address is the agent's.", remedy=_ASK_NAMES)
    sender = str(mail.get("From", ""))
    is_agent = any(name.lower() in sender.lower() for name in hints.agent_names)
    raw = "\n".join(f"{name}: {mail.get(name, '')}" for name in ("From", "To", "Date", "Subject", "Message-ID"))
    message = ExportedMessage(1, "agent" if is_agent else other_side(hints), written_at, text, raw)
    yield from rows_of([message], "email", hints)


def _written_at(mail: EmailMessage) -> str:
    date = getattr(mail.get("Date"), "datetime", None)
    if date is None or date.tzinfo is None:
        return ""
    return str(date.astimezone(UTC).isoformat(timespec="seconds"))


def _text(mail: EmailMessage) -> str:
    subject = str(mail.get("Subject", "")).strip()
    part = mail.get_body(preferencelist=("plain", "html"))
    try:
        body = "" if part is None else str(part.get_content())
    except (LookupError, UnicodeError):  # an unknown character set
        body = ""
    if part is not None and part.get_content_type() == "text/html":
        body = _seen(body)
    return "\n".join(filter(None, [subject, body.strip()]))


def _seen(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    return re.sub(r"\n\s*\n+", "\n", "".join(reader.parts)).strip()


class _Reader(HTMLParser):
    """Gathers what a reader would see; nothing is fetched."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 (the library's form)
        """Note where hidden parts begin and lines end."""
        self._hidden += tag in _UNSEEN
        if tag in {"br", "p", "div", "tr", "li"}:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Note where hidden parts end."""
        self._hidden -= tag in _UNSEEN and self._hidden > 0

    def handle_data(self, data: str) -> None:
        """Keep text that is seen."""
        if not self._hidden:
            self.parts.append(data)
