"""From the values of a report to the bytes of a PDF: Jinja2 with autoescape, WeasyPrint that may load nothing.

The PDF is PDF/A-3u with tags. The same content and heading give the same bytes on the same fonts: every date
comes from the heading and the file identifier is computed from the content.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from weasyprint import CSS, HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from audit_service import clock
from audit_service.i18n import gettext, ngettext, speaking
from audit_service.reports import wording
from audit_service.reports.values import Heading, ReportContent, Turn
from audit_service.transcription.certainty import UNSURE_WORD, stretches

TEMPLATES = Path(__file__).resolve().parent / "templates"
PDF_VARIANT = "pdf/a-3u"
# Pictographs: colour fonts are not installed everywhere and a line drawing of 8 points tells nothing.
FIRST_PICTOGRAPH, LAST_PICTOGRAPH = 0x1F000, 0x1FAFF
VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f]")
UNPRINTABLE_CATEGORIES = {"Cc", "Cf", "Co", "Cn", "Cs"}


class NoResources(URLFetcher):  # type: ignore[misc]  # the library is not typed
    """Refuses every address: a report consists of its template, its style sheet and its values, nothing else."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> NoReturn:  # noqa: ARG002 - the library's signature
        """Refuse ``url``.

        Raises:
            FatalURLFetchingError: always; it ends the rendering instead of leaving a hole in the page.
        """
        raise FatalURLFetchingError(f"a report may not load {url!r}")


def render(content: ReportContent, heading: Heading) -> bytes:
    """Return the PDF of ``content``; needs an application context for the translations.

    Characters that no installed font can draw are written as code point and Unicode name, so that nothing is lost.
    """
    with speaking(heading.locale):
        pdf, missing = _paint(content, heading, frozenset())
        if missing:
            pdf, _ = _paint(content, heading, missing)
        return pdf


def _paint(content: ReportContent, heading: Heading, missing: frozenset[int]) -> tuple[bytes, frozenset[int]]:
    document = HTML(string=markup(content, heading, missing), url_fetcher=NoResources()).render(
        stylesheets=[CSS(string=(TEMPLATES / "report.css").read_text(encoding="utf-8"), url_fetcher=NoResources())],
        pdf_variant=PDF_VARIANT,
        pdf_tags=True,
    )
    pdf: bytes = document.write_pdf(pdf_variant=PDF_VARIANT, pdf_tags=True)
    return pdf, frozenset(codepoint for font in document.fonts.values() for codepoint in font.missing)


def markup(content: ReportContent, heading: Heading, missing: frozenset[int] = frozenset()) -> str:
    """Return the HTML of a report; ``missing`` are code points to be written out by name."""
    template = _environment(heading.locale, missing).get_template("report.html")
    return template.render(content=content, heading=heading)


def _environment(locale: str, missing: frozenset[int]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        finalize=_printer(missing),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    environment.filters.update(
        instant=instant,
        utc=utc_instant,
        minutes=minutes_and_seconds,
        size=size,
        category=wording.category_name,
        meaning=wording.category_meaning,
        plane=wording.plane_meaning,
        details=wording.finding_details,
        said=wording.said,
        speaking=lambda texts: wording.in_language(texts, locale),
        reason=lambda value: wording.reason_text(value, locale),
        words=words,
    )
    environment.globals.update(
        name_of=wording.name_of,
        turn_time=turn_time,
        glossary=sorted(wording.CATEGORIES),
        unsure_percent=round(100 * UNSURE_WORD),
    )
    return environment


def _printer(missing: frozenset[int]) -> Callable[[Any], Any]:
    def finalize(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        text = printable(value, missing)
        return Markup(text) if isinstance(value, Markup) else text  # noqa: S704 - was markup before, and gained only names of characters

    return finalize


def printable(text: str, missing: frozenset[int] = frozenset()) -> str:
    """Write pictographs, invisible controls and ``missing`` characters as ``[U+1F621 pouting face]``.

    Invisible characters are named because they may be an attempt to hide words; the sealed exhibit keeps the original.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = VARIATION_SELECTORS.sub("", text)
    return "".join(_named(character) if _needs_name(character, missing) else character for character in shown)


def _needs_name(character: str, missing: frozenset[int]) -> bool:
    codepoint = ord(character)
    if character in "\n\t":
        return False
    is_pictograph = FIRST_PICTOGRAPH <= codepoint <= LAST_PICTOGRAPH
    return is_pictograph or codepoint in missing or unicodedata.category(character) in UNPRINTABLE_CATEGORIES


def _named(character: str) -> str:
    name = unicodedata.name(character, "").lower()
    return f"[U+{ord(character):04X} {name}]" if name else f"[U+{ord(character):04X}]"


def instant(value: datetime, zone: str) -> str:
    """Write an instant as civil time of ``zone`` with its offset: ``2026-03-03 12:00:05 +08:00``."""
    civil = clock.local(value, zone)
    offset = f"{civil:%z}"
    return f"{civil:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:5]}"


def utc_instant(value: datetime) -> str:
    """Write an instant in UTC: ``2026-03-03 04:00:05 UTC``."""
    return f"{clock.utc(value):%Y-%m-%d %H:%M:%S} UTC"


def minutes_and_seconds(seconds: float) -> str:
    """Write a position in a recording as minutes and whole seconds, rounded down: ``01:05``; an hour as ``60:00``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


def turn_time(turn: Turn, zone: str) -> str:
    """Write when a turn was: the position in the recording, or the civil date and time a message was sent."""
    if turn.start_s is not None:
        return minutes_and_seconds(turn.start_s)
    return "" if turn.sent_at is None else f"{clock.local(turn.sent_at, zone):%m-%d %H:%M}"


def words(turn: Turn, start: int = 0, end: int | None = None) -> Markup:
    """Return the text of a turn between two offsets, escaped; words of little certainty are underlined with dots."""
    return Markup().join(
        Markup('<span class="unsure">{}</span>').format(piece) if is_unsure else escape(piece)
        for piece, is_unsure in stretches(turn.text, turn.unsure, start, len(turn.text) if end is None else end)
    )


def size(size_bytes: int) -> str:
    """Write a length in bytes, exactly, with thousands set off: ``32,044 B``."""
    return f"{size_bytes:,} B"
