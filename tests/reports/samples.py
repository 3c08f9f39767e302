"""A report's values as a busy case has them, made without a database, for the tests that look at pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from audit_service.reports.values import (
    AllegationEntry,
    AttemptLine,
    Authority,
    ClockLine,
    ComplaintFacts,
    ComplaintLine,
    DecisionLine,
    DispositionLine,
    EventLine,
    ExhibitLine,
    FindingEntry,
    Heading,
    LedgerState,
    Passage,
    Period,
    ReportContent,
    RuleText,
    Summary,
    Tally,
    Turn,
)

NOON = datetime(2026, 3, 3, 4, 0, 5, tzinfo=UTC)
GUIDE = Authority(
    title={"zh": "互联网金融 个人网络消费信贷 贷后催收风控指引", "en": "Guideline on collection risk control"},
    number="GB/T 45251-2025",
    clause="5.3",
    weight="STD",
)
LAW = Authority(
    title={"zh": "中华人民共和国治安管理处罚法", "en": "Public Security Administration Punishments Law"},
    number="",
    clause="62",
    weight="LAW",
)


def heading(locale: str = "zh_CN") -> Heading:
    return Heading(number="R-2026-000001", generated_at=datetime(2026, 3, 20, 1, 30, tzinfo=UTC), locale=locale)


def exhibit(place: int, kind: str = "recording", media_type: str = "audio/wav") -> ExhibitLine:
    return ExhibitLine(
        number=f"E-{place:06d}",
        kind=kind,
        media_type=media_type,
        size_bytes=1_824_044 + place,
        sha256=f"{place:08x}" * 8,
        route="cli",
        received_at=NOON + timedelta(days=2),
    )


def attempt(place: int, **values: object) -> AttemptLine:
    line = AttemptLine(
        id=place,
        reference=f"HD-20260303-{place:04d}",
        started_at=NOON + timedelta(minutes=17 * place),
        zone="Asia/Shanghai",
        zone_is_known=True,
        channel="call",
        direction="outbound",
        recipient="borrower",
        outcome="answered" if place % 2 else "no_answer",
        talk_s=74.0 if place % 2 else None,
        agency="恒达资产管理",
        staff_number="1024",
        borrower="王*明",
        borrower_reference="B00017",
        number="****0001",
        exhibit_number="E-000009",
        source_row=40 + place,
    )
    return replace(line, **values)


def rule(rule_id: str, zh: str, en: str, *, authorities: tuple[Authority, ...] = (GUIDE,)) -> RuleText:
    return RuleText(
        id=rule_id,
        version=3,
        title={"zh": zh, "en": en},
        explanation={
            "zh": "催收人员声称将抓捕借款人，而其并无此权力。",
            "en": "The agent says that the borrower will be arrested, which is not in the agent's power.",
        },
        authorities=authorities,
        pack="cn",
        pack_version="2026.11.1",
    )


def passage(before: str, text: str, quote: str, after: str) -> Passage:
    start = text.index(quote)
    return Passage(
        turn=Turn("agent", text, start_s=65.4),
        start=start,
        end=start + len(quote),
        before=Turn("borrower", before, start_s=58.0) if before else None,
        after=Turn("borrower", after, start_s=71.2) if after else None,
    )


def word_finding(place: int = 1, **values: object) -> FindingEntry:
    text = "我告诉你，今天下午不还款，法警就上门抓人，到时候你单位、你家里人都会知道，别怪我没提醒你。"
    entry = FindingEntry(
        id=100 + place,
        kind="violation",
        severity="critical",
        category="threat_unlawful_action",
        rule=rule("cn.threat_unlawful_action.arrest", "以抓捕相威胁", "Threatens arrest", authorities=(GUIDE, LAW)),
        attempt=attempt(place),
        quote="法警就上门抓人",
        score=0.87,
        plane="syllable",
        explanation={"anchors": [{"literal": "法警", "text": "发警", "plane": "syllable", "edits": 1}]},
        is_current=True,
        passage=passage("我现在真的没有钱，能不能宽限几天？", text, "法警就上门抓人", "你们怎么能这样说话！"),
        start_s=65.4,
        exhibit=exhibit(place),
        transcript="faster-whisper base, v1",
    )
    return replace(entry, **values)


def event_finding(place: int = 5, attempts: int = 9) -> FindingEntry:
    return FindingEntry(
        id=100 + place,
        kind="violation",
        severity="high",
        category="excessive_frequency",
        rule=rule("cn.excessive_frequency.day", "一日内通话超过三次", "More than three conversations in a day"),
        attempt=attempt(place),
        quote="",
        score=1.0,
        plane="metadata",
        explanation={},
        is_current=True,
        exhibit=exhibit(9, "call_log", "text/csv"),
        related=tuple(attempt(number) for number in range(1, attempts + 1)),
        related_total=attempts,
    )


def message_finding(place: int = 3, text: str = "再不还就把你欠钱的事发到村里微信群。") -> FindingEntry:
    return word_finding(
        place,
        severity="medium",
        category="public_shaming",
        rule=rule("cn.public_shaming.group", "以公开曝光相威胁", "Threatens public exposure"),
        attempt=attempt(place, channel="sms", outcome="sent", talk_s=None),
        plane="text",
        quote=text[-8:],
        passage=Passage(
            Turn("agent", text, sent_at=NOON), len(text) - 8, len(text), before=Turn("borrower", "在忙。", sent_at=NOON)
        ),
        start_s=None,
        exhibit=exhibit(8, "message_log", "text/csv"),
        transcript="",
        disposition=DispositionLine("confirmed", "原文明确，无引述语境。", "李审核", NOON + timedelta(days=3)),
    )


def signal(place: int = 7) -> FindingEntry:
    return word_finding(
        place,
        kind="signal",
        severity="high",
        category="hardship_signal",
        rule=rule("cn.hardship_signal.job", "失业或收入减少", "Loss of work or income"),
        plane="text",
        quote="我上个月失业了",
        start_s=40.0,
        passage=replace(
            passage("", "我上个月失业了，真的没有钱。", "我上个月失业了", ""),
            turn=Turn("borrower", "我上个月失业了，真的没有钱。", start_s=40.0),
        ),
    )


def complaint(**values: object) -> ComplaintFacts:
    facts = ComplaintFacts(
        number="C-2026-000001",
        status="investigating",
        route="portal",
        jurisdiction="cn",
        submitted_at=NOON + timedelta(days=4),
        complainant="王*明",
        phone="****0001",
        borrower_reference="B00017",
        on_behalf=False,
        is_urgent=True,
        narrative="3月3日中午一个自称恒达的人打电话给我，说今天不还就让法警上门抓人。\n还威胁要把我欠钱的事发到村里的微信群，我母亲也接到了电话。",
        requests=(("stop_contact", "只在晚上七点前联系"), ("apology", "")),
        allegations=(
            AllegationEntry(
                1,
                "threat_unlawful_action",
                "说今天不还就让法警上门抓人",
                "3月3日中午",
                "supported",
                ("录音 E-000001 01:05 处有相应语句。",),
                ((101, 0.92, ("同一借款人", "时间相差 5 分钟", "内容相符")),),
            ),
            AllegationEntry(
                2,
                "public_shaming",
                "威胁要把我欠钱的事发到村里的微信群",
                "",
                "partly",
                ("短信提到微信群，未见实际发布。",),
                ((103, 0.71, ("内容相符",)),),
            ),
            AllegationEntry(
                3,
                "third_party_harassment",
                "我母亲也接到了电话",
                "",
                "no_record",
                ("联络记录中没有拨打其他号码。",),
                (),
            ),
        ),
        clocks=(
            ClockLine(
                "decide_simple",
                "银保监会令2020年第3号 第十四条（15日）",
                NOON + timedelta(days=4),
                NOON + timedelta(days=19),
                None,
            ),
            ClockLine(
                "acknowledge", "受理告知", NOON + timedelta(days=4), NOON + timedelta(days=6), NOON + timedelta(days=5)
            ),
        ),
        events=(
            EventLine("received", "", NOON + timedelta(days=4)),
            EventLine("investigating", "已调取录音与短信记录。", NOON + timedelta(days=5)),
        ),
        decisions=(
            DecisionLine(
                "部分成立", "向您致歉；已停止该催收员作业。", ("书面道歉",), "李审核", NOON + timedelta(days=12)
            ),
        ),
        attempts=(attempt(1), attempt(3, channel="sms", outcome="sent", talk_s=None)),
    )
    return replace(facts, **values)


def content(**values: object) -> ReportContent:
    findings = (word_finding(1), event_finding(), message_finding())
    made = ReportContent(
        institution="安信消费金融",
        zone="Asia/Shanghai",
        summary=Summary(
            by_severity=(Tally("critical", 1), Tally("high", 1), Tally("medium", 1, confirmed=1)),
            by_category=(
                Tally("threat_unlawful_action", 1),
                Tally("excessive_frequency", 1),
                Tally("public_shaming", 1, confirmed=1),
            ),
            by_agency=(Tally("恒达资产管理", 3, confirmed=1),),
            contacts_by_channel=(("call", 38), ("sms", 12)),
            recordings=10,
            transcribed=9,
        ),
        findings=findings,
        signals=(signal(),),
        findings_total=len(findings),
        signals_total=1,
        exhibits=(
            *map(exhibit, range(1, 7)),
            exhibit(8, "message_log", "text/csv"),
            exhibit(9, "call_log", "text/csv"),
        ),
        ledger=LedgerState(
            entries=412,
            head="ab" * 32,
            checkpoint_size=400,
            checkpoint_root="cd" * 32,
            checkpoint_note="collection-audit-service\n400\nzc3NzQ==\n\n— collection-audit-service AbCd+1234567890==",
            signed_at=NOON + timedelta(days=10),
        ),
        complaint=complaint(),
    )
    return replace(made, **values)


def period_values(**values: object) -> ReportContent:
    lines = tuple(
        ComplaintLine(
            f"C-2026-{place:06d}",
            NOON + timedelta(days=place),
            "received",
            place == 1,
            ("threat_unlawful_action", "public_shaming"),
            ("supported", ""),
        )
        for place in range(1, 5)
    )
    return content(
        complaint=None,
        period=Period(date(2026, 2, 15), date(2026, 3, 16)),
        complaints=lines,
        complaints_total=len(lines),
        **values,
    )


def empty_values() -> ReportContent:
    made = period_values()
    return replace(
        made,
        summary=Summary((), (), (), (("call", 12),)),
        findings=(),
        signals=(),
        findings_total=0,
        signals_total=0,
        exhibits=(),
        ledger=LedgerState(entries=0, head=""),
        complaints=(),
        complaints_total=0,
    )
