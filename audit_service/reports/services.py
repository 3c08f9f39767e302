"""Use-cases of reports: make a PDF about a complaint or a period, seal it, and write it to the ledger."""

from __future__ import annotations

import io
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.custody import services as custody
from audit_service.custody.models import Action, ExhibitKind
from audit_service.custody.values import SYSTEM, Act, Receipt
from audit_service.custody.vault import Vault
from audit_service.errors import InputRefusedError
from audit_service.i18n import LOCALES
from audit_service.reports import queries
from audit_service.reports.models import Report, ReportKind
from audit_service.reports.rendering import render
from audit_service.reports.values import Heading, Period, ReportContent

MEDIA_TYPE = "application/pdf"


def complaint_report(session: Session, vault: Vault, number: str, locale: str, *, actor: str = SYSTEM) -> Report:
    """Make, seal and record the report on the complaint of this number, in one language.

    Raises:
        NotFoundError: there is no such complaint.
        InputRefusedError: there is no such language.
    """
    _refuse_unspoken(locale)
    complaint = queries.complaint_by_number(session, number)
    content = queries.complaint_content(session, complaint)
    report = _draft(session, ReportKind.COMPLAINT, content, locale)
    report.complaint_id = complaint.id
    report.institution_id = complaint.institution_id
    return _publish(session, vault, report, content, actor=actor)


def period_report(  # noqa: PLR0913 - the two dates stand apart on the command line and in the job's arguments
    session: Session,
    vault: Vault,
    institution_code: str,
    from_on: date,
    to_on: date,
    locale: str,
    *,
    actor: str = SYSTEM,
) -> Report:
    """Make, seal and record the report on an institution's contacts from ``from_on`` to ``to_on``, both days included.

    Raises:
        NotFoundError: there is no such institution.
        InputRefusedError: the period ends before it begins, or there is no such language.
    """
    _refuse_unspoken(locale)
    lender = queries.institution_by_code(session, institution_code)
    period = Period(from_on, to_on)
    content = queries.period_content(session, lender, period)
    report = _draft(session, ReportKind.PERIOD, content, locale)
    report.institution_id = lender.id
    report.from_at, report.to_at = queries.instants(lender, period)
    return _publish(session, vault, report, content, actor=actor)


def _refuse_unspoken(locale: str) -> None:
    if locale not in LOCALES:
        raise InputRefusedError(f"There are no reports in {locale!r}.", remedy=f"Use one of: {', '.join(LOCALES)}.")


def _draft(session: Session, kind: ReportKind, content: ReportContent, locale: str) -> Report:
    identity = int(session.scalar(select(func.nextval(func.pg_get_serial_sequence("reports", "id")))) or 0)
    now = clock.now().replace(microsecond=0)
    return Report(
        id=identity,
        number=f"R-{clock.local(now, content.zone).year}-{identity:06d}",
        kind=kind,
        locale=locale,
        findings=content.findings_total,
        created_at=now,
    )


def _publish(session: Session, vault: Vault, report: Report, content: ReportContent, *, actor: str) -> Report:
    pdf = render(content, Heading(number=report.number, generated_at=report.created_at, locale=report.locale))
    receipt = Receipt(ExhibitKind.REPORT, MEDIA_TYPE, f"{report.number}.pdf", "derived", actor)
    report.exhibit = custody.seal(session, vault, io.BytesIO(pdf), receipt).exhibit
    session.add(report)
    session.flush()
    detail: dict[str, str | int | bool] = {
        "exhibit": report.exhibit.number,
        "sha256": report.exhibit.sha256,
        "kind": report.kind.value,
        "locale": report.locale,
        "findings": report.findings,
    }
    if content.complaint is not None:
        detail["complaint"] = content.complaint.number
    act = Act(Action.REPORTED, "report", report.number, actor=actor, detail=detail)
    custody.record(session, act, exhibit=report.exhibit)
    return report
