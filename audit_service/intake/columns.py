"""What the columns of call logs and message logs are called, and what their words mean, in Chinese and English."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit_service.contacts.models import Channel, Direction, Outcome, Recipient, Speaker
from audit_service.contacts.values import FieldProblem
from audit_service.intake.errors import FileRefusedError

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "reference": (
        "call_id",
        "message_id",
        "id",
        "call_reference",
        "流水号",
        "通话编号",
        "通话流水号",
        "消息编号",
        "短信编号",
        "编号",
    ),
    "institution": ("institution_code", "lender", "机构", "机构代码", "委托机构"),
    "agency": ("agency_code", "agency_id", "催收机构", "委外机构", "委外机构代码", "催收公司"),
    "agent": (
        "agent_id",
        "staff_number",
        "staff_no",
        "agent_staff_number",
        "工号",
        "催收员",
        "催收员工号",
        "坐席工号",
        "坐席",
    ),
    "borrower": (
        "borrower_ref",
        "borrower_reference",
        "borrower_id",
        "customer_id",
        "借款人",
        "借款人编号",
        "客户号",
        "客户编号",
    ),
    "account": ("account_number", "loan_number", "账号", "账户", "借据号", "账户编号"),
    "contact_person": ("contact_person_name", "联系人", "联系人姓名"),
    "channel": ("渠道", "通道", "方式"),
    "direction": ("方向", "呼叫方向"),
    "recipient": ("callee", "party", "对象", "联络对象", "接听人"),
    "number": ("phone", "phone_number", "called_number", "to", "号码", "电话", "被叫号码", "对方号码"),
    "started_at": (
        "start_time",
        "call_time",
        "sent_at",
        "at",
        "time",
        "通话时间",
        "开始时间",
        "发送时间",
        "时间",
        "呼叫时间",
    ),
    "timezone": ("time_zone", "tz", "zone", "时区"),
    "outcome": ("result", "status", "call_result", "结果", "通话结果", "呼叫结果", "状态"),
    "talk_s": ("duration_s", "talk_time", "talk_seconds", "duration", "通话时长", "时长", "通话秒数"),
    "thread": ("conversation", "会话", "对话"),
    "sender": ("from", "发送方", "发送人", "发件人"),
    "text": ("body", "content", "message", "内容", "短信内容", "消息内容", "正文"),
}
"""Column names that mean the same; the key is the one the documentation uses."""

OUTCOMES: Mapping[str, Outcome] = {
    "接通": Outcome.ANSWERED,
    "已接通": Outcome.ANSWERED,
    "已接": Outcome.ANSWERED,
    "connected": Outcome.ANSWERED,
    "未接": Outcome.NO_ANSWER,
    "未接通": Outcome.NO_ANSWER,
    "无人接听": Outcome.NO_ANSWER,
    "unanswered": Outcome.NO_ANSWER,
    "占线": Outcome.BUSY,
    "忙": Outcome.BUSY,
    "忙线": Outcome.BUSY,
    "语音信箱": Outcome.VOICEMAIL,
    "空号": Outcome.INVALID,
    "停机": Outcome.INVALID,
    "已发送": Outcome.SENT,
    "delivered": Outcome.SENT,
    "已接收": Outcome.RECEIVED,
    "未知": Outcome.UNKNOWN,
}
CHANNELS: Mapping[str, Channel] = {
    "电话": Channel.CALL,
    "phone": Channel.CALL,
    "短信": Channel.SMS,
    "微信": Channel.WECHAT,
    "邮件": Channel.EMAIL,
    "上门": Channel.VISIT,
    "外访": Channel.VISIT,
    "信函": Channel.LETTER,
}
DIRECTIONS: Mapping[str, Direction] = {
    "呼出": Direction.OUTBOUND,
    "out": Direction.OUTBOUND,
    "外呼": Direction.OUTBOUND,
    "发出": Direction.OUTBOUND,
    "呼入": Direction.INBOUND,
    "in": Direction.INBOUND,
    "接收": Direction.INBOUND,
}
RECIPIENTS: Mapping[str, Recipient] = {
    "本人": Recipient.BORROWER,
    "借款人": Recipient.BORROWER,
    "第三方": Recipient.THIRD_PARTY,
    "联系人": Recipient.THIRD_PARTY,
    "contact_person": Recipient.THIRD_PARTY,
}
SENDERS: Mapping[str, Speaker] = {
    "催收员": Speaker.AGENT,
    "坐席": Speaker.AGENT,
    "agency": Speaker.AGENT,
    "collector": Speaker.AGENT,
    "借款人": Speaker.BORROWER,
    "本人": Speaker.BORROWER,
    "第三方": Speaker.THIRD_PARTY,
    "联系人": Speaker.THIRD_PARTY,
    "contact_person": Speaker.THIRD_PARTY,
}

CALL_REQUIRED = ("reference", "institution", "agency", "borrower", "recipient", "started_at", "outcome")
CALL_OPTIONAL = ("agent", "account", "contact_person", "direction", "number", "timezone", "talk_s", "channel")
MESSAGE_REQUIRED = ("reference", "institution", "agency", "borrower", "channel", "sender", "started_at", "text")
MESSAGE_OPTIONAL = (
    "agent",
    "account",
    "contact_person",
    "direction",
    "recipient",
    "number",
    "timezone",
    "thread",
    "outcome",
)

_BY_NAME = {name: name for name in SYNONYMS} | {
    synonym: name for name, synonyms in SYNONYMS.items() for synonym in synonyms
}


def key_of(header: str) -> str:
    """Return a header cell as it is compared: NFKC, lower case, spaces and hyphens as underscores."""
    folded = unicodedata.normalize("NFKC", header).strip().casefold()
    return folded.replace(" ", "_").replace("-", "_")


def column_of(header: str) -> str | None:
    """Return the column that a header cell or JSON name means, or None."""
    return _BY_NAME.get(key_of(header))


@dataclass(frozen=True)
class Header:
    """The columns of one log: for each known column its position and the name that the file uses for it."""

    is_message_log: bool
    cells: tuple[str, ...]
    positions: Mapping[str, int]
    written: Mapping[str, str]
    unknown: tuple[str, ...]

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return len(self.cells)

    def name_in_file(self, column: str) -> str:
        """Return what the file calls ``column``."""
        return self.written.get(column, column)


def read_header(cells: Sequence[str]) -> Header:
    """Return the columns of a log; a column of text makes it a message log.

    Raises:
        FileRefusedError: a required column is missing, or two columns mean the same; names each.
    """
    positions: dict[str, int] = {}
    unknown: list[str] = []
    problems: list[FieldProblem] = []
    for position, cell in enumerate(cells):
        name = column_of(cell)
        if name is None:
            unknown.append(cell.strip())
        elif name in positions:
            reason = f"means {name}, as column {cells[positions[name]].strip()!r} does"
            problems.append(FieldProblem(cell.strip(), reason, "Keep one of the two."))
        else:
            positions[name] = position
    is_message_log = "text" in positions
    for name in MESSAGE_REQUIRED if is_message_log else CALL_REQUIRED:
        if name not in positions:
            remedy = f"Add it; it may also be called {', '.join(SYNONYMS[name])}."
            problems.append(FieldProblem(name, "this column is missing", remedy))
    if problems:
        raise _header_refusal(problems, is_message_log=is_message_log)
    written = {name: cells[position].strip() for name, position in positions.items()}
    return Header(is_message_log, tuple(cell.strip() for cell in cells), positions, written, tuple(unknown))


def _header_refusal(problems: Sequence[FieldProblem], *, is_message_log: bool) -> FileRefusedError:
    kind = "message log" if is_message_log else "call log"
    message = f"The header does not fit a {kind}."
    return FileRefusedError.of_fields("log.header", message, problems, "Correct the first line of the file.")
