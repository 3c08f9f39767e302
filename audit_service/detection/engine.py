"""The engine: packs in, conversations and logs in, findings out. Deterministic, without clock, network or store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import NamedTuple

from audit_service.detection import event_rules, openings, proposals, words
from audit_service.detection.anchors import Anchors
from audit_service.detection.calendars import Calendar
from audit_service.detection.civil_time import local_day
from audit_service.detection.contact_log import Log
from audit_service.detection.errors import RulePackError, UnknownRuleError
from audit_service.detection.folding import CHINESE, folded_texts
from audit_service.detection.identities import judge_identity
from audit_service.detection.pack_files import WORD_KINDS
from audit_service.detection.repetition import judge_repetition
from audit_service.detection.rules import Pack, Rule, with_replacements
from audit_service.detection.screening import Compiler, Screen
from audit_service.detection.tracing import RuleTrace, obstacles, trace_rule
from audit_service.detection.values import (
    Attempt,
    CeaseRequest,
    Complaint,
    Consent,
    Conversation,
    FoundFinding,
    ScanResult,
    Undetermined,
)
from audit_service.detection.wordings import Scores, TrainedLayer

NOTHING = ScanResult()
AT_ONCE = 1000
COURSE_JUDGES = {
    "absence": openings.judge_absence,
    "order": openings.judge_order,
    "repetition": judge_repetition,
    "identity": judge_identity,
}
MOST_REMEMBERED = 4096
Rows = dict[tuple[TrainedLayer, int], Scores]
Kind = tuple[tuple[str, ...], str, str | None, str | None]
Circumstances = tuple[tuple[str, ...], str | None, str | None, date | None]


@dataclass(frozen=True)
class Applicable:
    """The rules in force that may concern a contact, by how they judge.

    Attributes:
        words: rules of words, by id.
        open_words: ids of those among them that can be met without any of their words.
        models: the trained layers, each with its rules.
        courses: rules over the course of a call.
        hours: rules over the hour of a contact.
    """

    words: Mapping[str, Rule]
    open_words: tuple[str, ...]
    models: tuple[tuple[TrainedLayer, tuple[Rule, ...]], ...]
    courses: tuple[Rule, ...]
    hours: tuple[Rule, ...]


class Alike(NamedTuple):
    """Messages that are judged by the same rules: their numbers, texts and instants."""

    numbers: list[int]
    texts: list[str]
    instants: list[datetime | None]

    def part(self, first: int) -> Alike:
        """Return as many as are judged at once, from one on."""
        which = slice(first, first + AT_ONCE)
        return Alike(self.numbers[which], self.texts[which], self.instants[which])


class Engine:
    """Judges by a fixed set of packs, compiled once.

    Raises:
        RulePackError: two packs hold a rule of the same id, or a rule names a calendar that no pack holds.
    """

    def __init__(self, packs: Sequence[Pack]) -> None:
        self.packs = with_replacements(packs)
        self._rules: dict[str, Rule] = {}
        for rule in (rule for pack in self.packs for rule in pack.rules):
            if rule.id in self._rules:
                raise RulePackError(rule.file, rule.line, f"rule {rule.id} stands in {self._rules[rule.id].file} too")
            self._rules[rule.id] = rule
        self._packs = {rule.id: pack for pack in self.packs for rule in pack.rules}
        self._calendars = _calendars(self.packs)
        selections = [selection for rule in self._rules.values() for selection in rule.detection.selections]
        needs = {rule.id: rule.detection.needed_names for rule in self._rules.values() if rule.kind in WORD_KINDS}
        self._anchors = Anchors(selections, needs)
        judged = [rule for rule in self._rules.values() if rule.kind in WORD_KINDS and rule.detection.condition]
        self._judge = Compiler(self._anchors, selections).judge(judged)
        self._judged = [rule.id for rule in judged]
        self._screens: dict[Kind, Screen] = {}
        self._applicable: dict[Circumstances, Applicable] = {}

    def rule(self, rule_id: str) -> Rule:
        """Return a rule of the loaded packs.

        Raises:
            UnknownRuleError: no loaded pack holds it.
        """
        if rule_id not in self._rules:
            raise UnknownRuleError(
                f"There is no rule {rule_id} in the loaded packs.", remedy="Load the pack that holds it."
            )
        return self._rules[rule_id]

    def scan(self, conversation: Conversation) -> ScanResult:
        """Judge one conversation by the rules in force at its instant; unknown instant: rules of open range."""
        return self._scan(conversation, self._rows([conversation]))

    def trace(self, rule_id: str, conversation: Conversation) -> RuleTrace:
        """Say why a rule fires on a conversation, or does not.

        Raises:
            UnknownRuleError: no loaded pack holds the rule.
        """
        rule, pack = self.rule(rule_id), self._packs[rule_id]
        result = self.scan(conversation)
        traced = trace_rule(
            rule, conversation, self._anchors, obstacles(rule, conversation, self._jurisdictions(conversation))
        )
        scores: tuple[float, ...] = ()
        if pack.model is not None and rule.category in pack.model.categories:
            rows = pack.model.scores(
                [turn.text for turn in conversation.turns], [turn.speaker for turn in conversation.turns]
            )
            scores = tuple(rows[:, pack.model.categories.index(rule.category)].tolist())
        return replace(
            traced,
            scores=tuple(round(score, 3) for score in scores),
            least_score=rule.detection.least_score if rule.kind == "model" else pack.dissent_below,
            findings=tuple(finding for finding in result.findings if finding.rule_id == rule_id),
            undetermined=tuple(item.missing for item in result.undetermined if item.rule_id == rule_id),
        )

    def scan_many(self, conversations: Sequence[Conversation]) -> list[ScanResult]:
        """Judge many; the same as :meth:`scan` one by one. Typed messages that cannot meet a rule are told in bulk."""
        results = [NOTHING] * len(conversations)
        others: list[int] = []
        for alike in self._alike(conversations, others):
            for first in range(0, len(alike.numbers), AT_ONCE):
                self._scan_alike(results, conversations, alike.part(first))
        for first in range(0, len(others), AT_ONCE):
            self._scan_into(results, conversations, dict.fromkeys(others[first : first + AT_ONCE]))
        return results

    def _alike(self, conversations: Sequence[Conversation], others: list[int]) -> Iterable[Alike]:
        """Return the single typed messages, those that are judged by the same rules together.

        Those whose language is said and those whose language shows may be apart; other contacts go to ``others``.
        """
        by_facts: dict[object, Alike] = {}
        for number, conversation in enumerate(conversations):
            turns = conversation.turns
            if conversation.source != "typed" or len(turns) != 1:
                others.append(number)
                continue
            turn = turns[0]
            told = conversation.jurisdictions or conversation.language or _script(conversation)
            facts = told, turn.speaker, conversation.recipient, conversation.channel
            alike = by_facts.get(facts)
            if alike is None:
                alike = by_facts[facts] = Alike([], [], [])
            alike.numbers.append(number)
            alike.texts.append(turn.text)
            alike.instants.append(conversation.at)
        return by_facts.values()

    def _scan_alike(self, results: list[ScanResult], conversations: Sequence[Conversation], alike: Alike) -> None:
        screen = self._screen(conversations[alike.numbers[0]])
        able = screen.able(folded_texts(alike.texts))
        self._scan_into(results, conversations, {alike.numbers[place]: rules for place, rules in able.items()})
        for place, instant in enumerate(alike.instants):
            if instant is not None and place not in able:
                number = alike.numbers[place]
                results[number] = self._scan_hours(conversations[number])

    def _scan_into(
        self,
        results: list[ScanResult],
        conversations: Sequence[Conversation],
        standing: Mapping[int, Collection[str] | None],
    ) -> None:
        rows = self._rows([conversations[number] for number in standing])
        for number, rules in standing.items():
            results[number] = self._scan(conversations[number], rows, rules)

    def _scan_hours(self, conversation: Conversation) -> ScanResult:
        found, unsure = _judge_hours(self._applicable_to(conversation).hours, conversation, self._calendars)
        return self._result(found, unsure)

    def _screen(self, example: Conversation) -> Screen:
        speaker = example.turns[0].speaker
        kind = self._jurisdictions(example), speaker, example.recipient, example.channel
        if kind not in self._screens:
            rules = [
                rule
                for pack in self._packs_for(example)
                for rule in pack.rules
                if speaker in {*rule.speakers, "unknown"} and _may_concern(rule, example)
            ]
            ids = {rule.id for rule in rules}
            bars = [
                (model, proposals.bars(model, own, speaker, example.recipient))
                for model, own in self._by_model(rules).items()
            ]
            self._screens[kind] = Screen(
                self._judge, self._judged, bytes(name in ids for name in self._judged), bars, speaker
            )
        return self._screens[kind]

    def _rows(self, conversations: Sequence[Conversation]) -> Rows:
        """Return the scores of the trained layers: for each, and each conversation, one row a turn."""
        rows: Rows = {}
        for model in dict.fromkeys(pack.model for pack in self.packs if pack.model is not None):
            chosen = [item for item in conversations if model in {pack.model for pack in self._packs_for(item)}]
            turns = [turn for item in chosen for turn in item.turns]
            scores = model.scores([turn.text for turn in turns], [turn.speaker for turn in turns])
            first = 0
            for item in chosen:
                rows[model, id(item)] = scores[first : first + len(item.turns)]
                first += len(item.turns)
        return rows

    def _scan(self, conversation: Conversation, rows: Rows, standing: Collection[str] | None = None) -> ScanResult:
        """Judge one contact; by words, only by the rules that may stand, if it is known which."""
        rules = self._applicable_to(conversation)
        findings, undetermined = words.judge_words(rules.words, rules.open_words, conversation, self._anchors, standing)
        findings = [finding for finding in findings if not self._is_dissented(finding, conversation, rows)]
        findings += _proposed(rules.models, conversation, findings, rows)
        for rule in rules.courses if len(conversation.turns) > 1 else ():
            found, unsure = COURSE_JUDGES[rule.kind](rule, conversation, self._anchors)
            findings += found
            undetermined += unsure
        found, unsure = _judge_hours(rules.hours, conversation, self._calendars)
        return self._result([*findings, *found], [*undetermined, *unsure])

    def scan_log(
        self,
        attempts: Sequence[Attempt],
        cease_requests: Sequence[CeaseRequest] = (),
        consents: Sequence[Consent] = (),
        complaints: Sequence[Complaint] = (),
    ) -> ScanResult:
        """Judge a contact log by the event rules; each attempt by those in force on its civil day."""
        ordered = tuple(sorted(attempts, key=lambda attempt: (attempt.started_at, attempt.id)))
        log = Log(ordered, tuple(cease_requests), tuple(consents), tuple(complaints), self._calendars)
        rules = [rule for rule in self._rules.values() if rule.kind == "event"]
        findings, undetermined = event_rules.judge(rules, log)
        return self._result(findings, undetermined)

    def _result(self, findings: Sequence[FoundFinding], undetermined: Sequence[Undetermined]) -> ScanResult:
        return ScanResult(_ordered([self._graded(finding) for finding in findings]), tuple(undetermined))

    def _graded(self, finding: FoundFinding) -> FoundFinding:
        """Return the finding with the digest of its rule, and as grave as the table of its pack says."""
        rule = self._rules[finding.rule_id]
        score = finding.score if rule.kind == "model" else None
        grade = self._packs[rule.id].severities.grade(rule.severity, score)
        return replace(
            finding,
            rule_digest=rule.digest,
            severity=grade.level,
            points=grade.points,
            is_fatal=grade.is_fatal,
            needs_listening=grade.needs_listening,
        )

    def _applicable_to(self, conversation: Conversation) -> Applicable:
        """Return the rules in force at its instant that may concern ``conversation``."""
        day = None if conversation.at is None else local_day(conversation.at, conversation.timezone)
        key = (self._jurisdictions(conversation), conversation.recipient, conversation.channel, day)
        if key not in self._applicable:
            if len(self._applicable) >= MOST_REMEMBERED:
                self._applicable.clear()
            self._applicable[key] = self._chosen(conversation, day)
        return self._applicable[key]

    def _chosen(self, conversation: Conversation, day: date | None) -> Applicable:
        in_force = [rule for pack in self._packs_for(conversation) for rule in pack.rules if rule.is_in_force(day)]
        rules = [rule for rule in in_force if _may_concern(rule, conversation)]
        models = self._by_model(rules)
        by_words = {rule.id: rule for rule in rules if rule.kind in WORD_KINDS}
        return Applicable(
            words=by_words,
            open_words=tuple(name for name, rule in by_words.items() if rule.detection.is_open),
            models=tuple((model, tuple(own)) for model, own in models.items()),
            courses=tuple(rule for rule in rules if rule.kind in COURSE_JUDGES),
            hours=tuple(rule for rule in in_force if rule.detection.event == "hours"),
        )

    def _packs_for(self, conversation: Conversation) -> list[Pack]:
        jurisdictions = self._jurisdictions(conversation)
        return [pack for pack in self.packs if pack.jurisdiction in jurisdictions]

    def _by_model(self, rules: Iterable[Rule]) -> dict[TrainedLayer, list[Rule]]:
        """Return the rules of kind ``model`` by the trained layer that they read."""
        found: dict[TrainedLayer, list[Rule]] = {}
        for rule in rules:
            model = self._packs[rule.id].model
            if rule.kind == "model" and model is not None:
                found.setdefault(model, []).append(rule)
        return found

    def _is_dissented(self, finding: FoundFinding, conversation: Conversation, rows: Rows) -> bool:
        """Tell whether the trained layer of the pack all but rules out what the words of a rule seem to say.

        Not where a recogniser's words were met by their sound: a layer that read a mishearing has no say about it.
        """
        pack = self._packs[finding.rule_id]
        if pack.model is None or finding.turn is None or (finding.plane != "text" and conversation.source == "asr"):
            return False
        if finding.category not in pack.model.categories:
            return False
        score = rows[pack.model, id(conversation)][finding.turn, pack.model.categories.index(finding.category)]
        return bool(score < pack.dissent_below)

    def _jurisdictions(self, conversation: Conversation) -> tuple[str, ...]:
        """Return the jurisdictions of a contact; of one that names none, that of the first pack in its language."""
        if conversation.jurisdictions:
            return conversation.jurisdictions
        language = (conversation.language or _script(conversation))[:2]
        return tuple(pack.jurisdiction for pack in self.packs if language in pack.languages)[:1]


def _may_concern(rule: Rule, conversation: Conversation) -> bool:
    """Tell whether the rule's channel and recipient fit; a recipient that is not known does not exclude it."""
    if rule.channels and conversation.channel is not None and conversation.channel not in rule.channels:
        return False
    return rule.recipient is None or conversation.recipient in {None, rule.recipient}


def _script(conversation: Conversation) -> str:
    """Return the language that the characters show: Chinese if there is a Chinese character at all."""
    return "zh" if any(CHINESE.search(turn.text) for turn in conversation.turns) else "en"


def _proposed(
    models: Iterable[tuple[TrainedLayer, Sequence[Rule]]],
    conversation: Conversation,
    found: Sequence[FoundFinding],
    rows: Rows,
) -> list[FoundFinding]:
    """Return what the trained models propose where the words of the rules were silent."""
    spoken = {(finding.turn, finding.category) for finding in found}
    return [
        finding
        for model, own in models
        for finding in proposals.propose(model, own, conversation, rows[model, id(conversation)], spoken)
    ]


def _judge_hours(
    hours: Sequence[Rule], conversation: Conversation, calendars: Mapping[str, Calendar]
) -> tuple[list[FoundFinding], list[Undetermined]]:
    """Judge the hour of a single contact, as if it were a log of one line; one that is in a log is judged there."""
    is_from_agent = any(turn.speaker in {"agent", "unknown"} for turn in conversation.turns)
    if conversation.at is None or conversation.is_in_log or not is_from_agent:
        return [], []
    attempt = Attempt(
        id=conversation.id,
        borrower_id=conversation.id,
        contact_person_id=None,
        is_related=None,
        number="",
        agency_id="",
        institution_id="",
        channel=conversation.channel or "call",
        direction=conversation.direction,
        started_at=conversation.at.astimezone(UTC),
        timezone=conversation.timezone,
        is_answered=None,
        talk_s=None,
        recipient=conversation.recipient,
    )
    consents = tuple(
        Consent(conversation.id, given.kind, given.from_at, given.to_at) for given in conversation.consents
    )
    return event_rules.judge(hours, Log((attempt,), consents=consents, calendars=calendars))


def _calendars(packs: Sequence[Pack]) -> dict[str, Calendar]:
    """Return the calendars of all packs, of which each rule must find the one that it names."""
    calendars = {name: calendar for pack in packs for name, calendar in pack.calendars.items()}
    for rule in (rule for pack in packs for rule in pack.rules):
        named = rule.detection.limits.get("holidays", {}).get("calendar")
        if named is not None and named not in calendars:
            raise RulePackError(rule.file, rule.line, f"no loaded pack holds the calendar {named}")
    return calendars


def _ordered(findings: Sequence[FoundFinding]) -> tuple[FoundFinding, ...]:
    def place(finding: FoundFinding) -> tuple[int, int, int, str, str]:
        turn = -1 if finding.turn is None else finding.turn
        return turn, finding.start, finding.end, finding.rule_id, finding.subject

    return tuple(sorted(findings, key=place))
