"""What templates need to show things: labels, masks, local times, text with findings marked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask
from flask_babel import get_locale, gettext
from flask_security import current_user
from markupsafe import Markup, escape

from audit_service.i18n import LOCALES, locale_of
from audit_service.reports import event_wording, wording
from audit_service.reports.masking import masked_name, masked_phone
from audit_service.review.models import Finding
from audit_service.review.packs import rule_on
from audit_service.review.publication import APPROVERS
from audit_service.transcription.certainty import UNSURE_WORD, Span, placed_words, stretches, unsure_spans
from audit_service.transcription.models import Segment
from audit_service.web.policy import REVIEWERS

FALLBACK_ZONE = "Asia/Shanghai"


def page_locale() -> str:
    """Return the page's language as one of ``LOCALES``."""
    return locale_of(str(get_locale()))


def local_time(instant: datetime, timezone: str | None) -> str:
    """Return an instant as civil time of the person concerned, with its offset."""
    return f"{instant.astimezone(ZoneInfo(timezone or FALLBACK_ZONE)):%Y-%m-%d %H:%M %z}"


def minutes(seconds: float | None) -> str:
    """Return seconds as ``m:ss``."""
    if seconds is None:
        return ""
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def rule_of(finding: Finding) -> Mapping[str, object]:
    """Return what the rule said when it flagged, with the authorities in force on the day of the contact."""
    rule = finding.pack_version.rules.get(finding.rule_id, {})
    return rule_on(rule, finding.attempt.started_at, finding.attempt.timezone) if rule else {}


def in_page_language(texts: Mapping[str, str] | None) -> str:
    """Return the text of the page's language from one in both."""
    return wording.in_language(texts or {}, page_locale())


def reason(given: object) -> str:
    """Return a reason of a link or corroboration in the page's language."""
    return wording.reason_text(given, page_locale())


def marked(text: str, findings: Iterable[Finding], unsure: Sequence[Span] = ()) -> Markup:
    """Return escaped text with the words of the findings marked, each linked to its finding, and unsure ones too."""
    out, place = Markup(), 0
    for finding in sorted(findings, key=lambda one: (one.start_offset or 0, -(one.end_offset or 0))):
        start, end = finding.start_offset, finding.end_offset
        if start is None or end is None or start < place or end > len(text) or start == end:
            continue
        out += _unsure_marked(text, place, start, unsure)
        out += Markup('<mark class="sev-{}"><a href="#finding-{}">{}</a></mark>').format(
            finding.severity.value, finding.id, _unsure_marked(text, start, end, unsure)
        )
        place = end
    return out + _unsure_marked(text, place, len(text), unsure)


def _unsure_marked(text: str, start: int, end: int, unsure: Sequence[Span]) -> Markup:
    """Return the escaped text between two offsets; what is unsure in it is underlined, and said to be so in words."""
    mark = Markup('<span class="unsure">{}<span class="hidden"> {}</span></span>')
    return Markup().join(
        mark.format(piece, gettext("(unsure)")) if is_unsure else escape(piece)
        for piece, is_unsure in stretches(text, unsure, start, end)
    )


def word_seconds(segment: Segment) -> str:
    """Return the offset and the second of each word of a segment, as the player reads them."""
    return json.dumps([[word.start, word.start_s] for word in placed_words(segment)])


def _may_review() -> bool:
    return any(current_user.has_role(role) for role in REVIEWERS)


def _may_approve() -> bool:
    return any(current_user.has_role(role) for role in APPROVERS)


def bind_presentation(app: Flask) -> None:
    """Give templates what they need."""
    app.jinja_env.filters.update(
        masked=masked_name,
        masked_phone=masked_phone,
        local_time=local_time,
        minutes=minutes,
        marked=marked,
        unsure=unsure_spans,
        word_seconds=word_seconds,
        reason=reason,
    )
    app.jinja_env.globals.update(
        name_of=wording.name_of,
        category_name=wording.category_name,
        plane_meaning=wording.plane_meaning,
        may_review=_may_review,
        may_approve=_may_approve,
        heard_again=wording.heard_again,
        told_apart=wording.TOLD_APART.__getitem__,
        finding_details=wording.finding_details,
        missing_fact=event_wording.missing_fact,
        said=in_page_language,
        rule_of=rule_of,
        page_locale=page_locale,
        unsure_percent=round(100 * UNSURE_WORD),
        locales=LOCALES,
    )
