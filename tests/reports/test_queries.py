"""What a report reads: the right findings, each with its support, in a bounded number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event

from audit_service.contacts.models import Channel
from audit_service.database import db
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.reports import finding_queries, queries
from audit_service.reports.values import Period
from audit_service.review.models import Verdict
from audit_service.transcription import edits
from tests.factories import contacts, findings, organizations
from tests.reports import cases

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def complaint_content(session, number="C-2026-000001"):
    return queries.complaint_content(session, queries.complaint_by_number(session, number))


def test_a_complaint_report_holds_linked_findings_and_those_of_its_contacts(session, vault):
    case = cases.filed(session, vault)
    content = complaint_content(session)
    assert [entry.id for entry in content.findings] == [case.arrest.id, case.exposure.id]
    assert [entry.id for entry in content.signals] == [case.hardship.id]
    assert (content.findings_total, content.signals_total) == (2, 1)


def test_a_quote_stands_within_its_segment_with_one_turn_of_context(session, vault):
    cases.filed(session, vault)
    entry = complaint_content(session).findings[0]
    passage = entry.passage
    assert passage.turn.text[passage.start : passage.end] == cases.QUOTE
    assert passage.turn.start_s == 65.4
    assert passage.before.text == "我上个月失业了，能不能宽限几天？"
    assert passage.after.text == "你们怎么能这样说话！"


def test_a_message_stands_between_its_neighbours_of_the_thread(session, vault):
    cases.filed(session, vault)
    passage = complaint_content(session).findings[1].passage
    assert passage.before.text == "请于今日还款。"
    assert passage.turn.text[passage.start : passage.end] == "发到村里微信群"
    assert passage.after.text == "收到请回复。"


def test_the_person_is_masked_and_the_agent_named(session, vault):
    cases.filed(session, vault)
    content = complaint_content(session)
    line = content.findings[0].attempt
    assert (line.borrower, line.number, line.staff_number) == ("䶮*明", "****4321", "1024")
    assert (content.complaint.complainant, content.complaint.phone) == ("䶮*明", "****4321")
    assert "䶮小明" not in repr(content)
    assert "13900004321" not in repr(content)


def test_rule_and_authority_come_from_the_snapshot_of_the_pack(session, vault):
    cases.filed(session, vault)
    rule = complaint_content(session).findings[0].rule
    assert rule.title == {"zh": "以抓捕相威胁", "en": "Threatens arrest"}
    assert (rule.pack, rule.pack_version, rule.version) == ("cn", "2026.11.1", 1)
    assert [(one.number, one.clause, one.weight) for one in rule.authorities] == [("GB/T 45251-2025", "5.3", "STD")]


def test_allegations_come_with_result_reasons_and_links(session, vault):
    case = cases.filed(session, vault)
    first, second, third = complaint_content(session).complaint.allegations
    assert (first.result, first.reasons) == ("supported", ("录音中有相应语句",))
    assert second.links == ((case.exposure.id, 0.71, ({"zh": "内容相符", "en": "content"},)),)
    assert (third.result, third.links) == ("", ())


def test_the_last_disposition_counts(session, vault):
    case = cases.filed(session, vault)
    cases.reviewed(session, case.arrest, Verdict.DISMISSED, Verdict.CONFIRMED)
    content = complaint_content(session)
    assert content.findings[0].disposition.verdict == "confirmed"
    assert content.findings[0].disposition.reviewer == "李审核"
    tally = content.summary.by_category[0]
    critical = content.summary.by_severity[0]
    assert {tally.key for tally in content.summary.by_category} == {"threat_unlawful_action", "public_shaming"}
    assert (critical.key, critical.total, critical.confirmed, critical.dismissed, critical.unreviewed) == (
        "critical",
        1,
        1,
        0,
        0,
    )
    assert tally.total == 1


def test_a_period_holds_the_findings_of_its_civil_days_only(session, vault):
    case = cases.filed(session, vault)
    outside = queries.period_content(session, case.lender, Period(date(2026, 3, 4), date(2026, 3, 31)))
    inside = queries.period_content(session, case.lender, Period(date(2026, 3, 3), date(2026, 3, 3)))
    assert outside.findings_total == 0
    assert inside.findings_total == 3
    assert [entry.severity for entry in inside.findings] == ["critical", "high", "medium"]


def test_a_civil_day_begins_at_midnight_of_the_institution(session, vault):
    lender = organizations.institution(session)
    agency = organizations.agency(session, lender)
    debtor = contacts.borrower(session, lender)
    for moment in (datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC), datetime(2026, 3, 2, 16, 0, tzinfo=UTC)):
        contacts.attempt(session, debtor, agency, started_at=moment)
    content = queries.period_content(session, lender, Period(date(2026, 3, 3), date(2026, 3, 3)))
    assert content.summary.contacts == 1


def test_contacts_are_counted_by_channel_and_untranscribed_recordings_told(session, vault):
    case = cases.filed(session, vault)
    debtor = contacts.borrower(session, case.lender, name="张三")
    call = contacts.attempt(session, debtor, organizations.agency(session, case.lender))
    contacts.recording(session, vault, call)
    summary = queries.period_content(session, case.lender, MARCH).summary
    assert dict(summary.contacts_by_channel) == {Channel.CALL.value: 7, Channel.SMS.value: 3}
    assert (summary.recordings, summary.transcribed) == (2, 1)


def test_an_event_finding_names_the_attempts_that_met_the_rule(session, vault):
    case = cases.filed(session, vault)
    content = queries.period_content(session, case.lender, MARCH)
    entry = next(entry for entry in content.findings if entry.category == "excessive_frequency")
    assert [line.id for line in entry.related] == case.frequency.related_attempt_ids
    assert {line.outcome for line in entry.related} == {"no_answer"}
    assert entry.passage is None


def test_superseded_findings_leave_the_period_but_stay_where_a_complaint_cites_them(session, vault):
    case = cases.filed(session, vault)
    case.arrest.is_current = False
    session.flush()
    assert case.arrest.id not in [entry.id for entry in queries.period_content(session, case.lender, MARCH).findings]
    cited = complaint_content(session).findings[0]
    assert (cited.id, cited.is_current) == (case.arrest.id, False)


def test_only_the_gravest_findings_are_printed_when_there_are_too_many(session, vault, monkeypatch):
    case = cases.filed(session, vault)
    monkeypatch.setattr(queries, "FINDINGS_SHOWN", 1)
    content = queries.period_content(session, case.lender, MARCH)
    assert [entry.severity for entry in content.findings] == ["critical"]
    assert content.findings_total == 3


def test_the_annex_lists_each_cited_exhibit_once(session, vault):
    cases.filed(session, vault)
    content = complaint_content(session)
    assert len({line.sha256 for line in content.exhibits}) == len(content.exhibits) == 1
    assert content.findings[0].exhibit == content.exhibits[0]


def test_the_ledger_and_its_checkpoint_are_cited(session, vault):
    cases.filed(session, vault)
    ledger = complaint_content(session).ledger
    assert ledger.entries == ledger.checkpoint_size > 0
    assert ledger.checkpoint_root in ledger.checkpoint_note or ledger.checkpoint_note


def test_a_hundred_findings_need_no_more_queries_than_one(session, vault):
    case = cases.filed(session, vault)
    with counted_statements() as few:
        queries.period_content(session, case.lender, MARCH)
    agency = organizations.agency(session, case.lender, name="另一机构")
    debtor = contacts.borrower(session, case.lender, name="李四")
    pack = findings.pack_version(session)
    for step in range(100):
        message = contacts.message(
            session, debtor, agency, "再不还就抓人", started_at=cases.NOON + timedelta(minutes=step)
        )
        findings.finding(session, message.attempt, quote="抓人", message=message, pack_version=pack)
    session.expire_all()
    lender = queries.institution_by_code(session, case.lender.code)
    with counted_statements() as many:
        content = queries.period_content(session, lender, MARCH)
    assert content.findings_total == 103
    assert len(many) <= len(few) + 2


def test_more_related_attempts_than_fit_are_counted(session, vault):
    case = cases.filed(session, vault)
    case.frequency.related_attempt_ids = case.frequency.related_attempt_ids * 10
    session.flush()
    content = queries.period_content(session, case.lender, MARCH)
    entry = next(entry for entry in content.findings if entry.category == "excessive_frequency")
    assert (len(entry.related), entry.related_total) == (finding_queries.RELATED_SHOWN, 50)


def test_unknown_numbers_and_reversed_dates_are_refused(session):
    with pytest.raises(NotFoundError, match="C-2026-999999"):
        queries.complaint_by_number(session, "C-2026-999999")
    with pytest.raises(NotFoundError, match="nobody"):
        queries.institution_by_code(session, "nobody")
    lender = organizations.institution(session)
    with pytest.raises(InputRefusedError, match="before it begins"):
        queries.period_content(session, lender, Period(date(2026, 3, 2), date(2026, 3, 1)))


def test_unsure_words_of_a_passage_come_with_it(session, vault):
    case = cases.filed(session, vault)
    segment = case.arrest.segment
    segment.words = [[0.0, 0.1, word, 0.2 if place == 1 else 0.9] for place, word in enumerate(segment.text)]
    session.flush()
    passage = complaint_content(session).findings[0].passage
    assert passage.turn.unsure == ((1, 2),)
    assert passage.unsure_words == [segment.text[1]]


def test_corrected_words_and_guessed_speakers_of_a_passage_come_with_it(session, vault):
    case = cases.filed(session, vault)
    machine = case.arrest.segment.text
    edits.edit(session, case.arrest.segment_id, f"不是{machine}", edits.Editor("user:7", "listened"))
    case.arrest.transcript.options = {"roles": "uncertain"}
    session.flush()
    turn = complaint_content(session).findings[0].passage.turn
    assert (turn.text, turn.machine_text, turn.corrected_by, turn.is_guess) == (
        f"不是{machine}",
        machine,
        "user:7",
        True,
    )
