"""Reports are made, sealed, numbered and written to the ledger."""

from __future__ import annotations

import re
from datetime import date

import pypdfium2
import pytest

from audit_service.complaints.models import Complaint
from audit_service.custody import services as custody
from audit_service.custody.models import Action, ExhibitKind
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.reports import queries
from audit_service.reports.services import complaint_report, period_report
from tests.reports import cases

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file.*sRGB2014.icc:ResourceWarning")


def text_of(vault, report) -> str:
    with custody.open_exhibit(vault, report.exhibit) as sealed:
        document = pypdfium2.PdfDocument(sealed.read())
    return re.sub(r"\s", "", "".join(page.get_textpage().get_text_range() for page in document))


def test_a_complaint_report_is_sealed_and_recorded(session, vault):
    case = cases.filed(session, vault)
    report = complaint_report(session, vault, case.complaint.number, "en")
    assert re.fullmatch(r"R-20\d\d-000001", report.number)
    assert report.exhibit.kind is ExhibitKind.REPORT
    assert (report.findings, report.complaint_id) == (2, case.complaint.id)
    acts = custody.custody_chain(session, report.exhibit)
    assert [act.action for act in acts] == [Action.SEALED, Action.REPORTED]
    assert acts[-1].detail["complaint"] == case.complaint.number
    assert acts[-1].detail["sha256"] == report.exhibit.sha256
    assert custody.verify(session, vault).holds


def test_a_complaint_report_prints_the_case(session, vault):
    case = cases.filed(session, vault)
    text = text_of(vault, complaint_report(session, vault, case.complaint.number, "en"))
    for printed in (
        cases.QUOTE,
        "䶮*明",
        "****4321",
        "<b>还威胁发到微信群</b>",
        "发到村里微信群",
        "[U+1F621poutingface]",
        "Supportedbytherecords",
    ):
        assert printed in text, printed
    assert "䶮小明" not in text


def test_a_period_report_covers_both_days_and_lists_the_complaints(session, vault):
    case = cases.filed(session, vault)
    report = period_report(session, vault, case.lender.code, date(2026, 3, 3), date(2026, 3, 7), "en")
    assert (report.findings, report.institution_id) == (3, case.lender.id)
    assert (report.to_at - report.from_at).days == 5
    assert "C-2026-000001" in text_of(vault, report)


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_each_language_is_a_document_of_its_own(session, vault, locale):
    case = cases.filed(session, vault)
    report = complaint_report(session, vault, case.complaint.number, locale)
    assert report.locale == locale
    text = text_of(vault, report)
    assert ("Saysthattheborrowerwillbearrested." in text) is (locale == "en")
    assert ("声称将抓捕借款人。" in text) is (locale == "zh_CN")


def test_reports_are_listed_with_what_they_are_about(session, vault):
    case = cases.filed(session, vault)
    complaint_report(session, vault, case.complaint.number, "en")
    period_report(session, vault, case.lender.code, date(2026, 3, 3), date(2026, 3, 7), "en")
    first, second = queries.report_list(session)
    assert isinstance(first.complaint, Complaint)
    assert first.complaint.number == case.complaint.number
    assert (second.complaint, second.institution_code) == (None, case.lender.code)
    assert first.row.exhibit.sha256


def test_unknown_subjects_and_languages_are_refused(session, vault):
    with pytest.raises(NotFoundError):
        complaint_report(session, vault, "C-2026-999999", "en")
    with pytest.raises(NotFoundError):
        period_report(session, vault, "nobody", date(2026, 3, 1), date(2026, 3, 2), "en")
    with pytest.raises(InputRefusedError, match="fr"):
        complaint_report(session, vault, "C-2026-000001", "fr")
