"""The engine: packs in, conversations and logs in, findings out. Deterministic, without clock, network or store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date

from audit_service.detection import contact_log, openings, proposals, words
from audit_service.detection.anchors import Anchors
from audit_service.detection.civil_time import local_day
from audit_service.detection.errors import RulePackError, UnknownRuleError
from audit_service.detection.folding import is_chinese
from audit_service.detection.identities import judge_identity
from audit_service.detection.pack_files import WORD_KINDS
from audit_service.detection.passages import passages
from audit_service.detection.repetition import judge_repetition
from audit_service.detection.rules import Pack, Rule, with_replacements
from audit_service.detection.screening import Screen
from audit_service.detection.values import (
    Attempt,
    CeaseRequest,
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
Rows = dict[tuple[TrainedLayer, int], Scores]
Kind = tuple[tuple[str, ...], str, str | None, str | None]


class Engine:
    """Judges by a fixed set of packs, compiled once.

    Raises:
        RulePackError: two packs hold a rule of the same id.
    """

    def __init__(self, packs: Sequence[Pack]) -> None:
        self.packs = with_replacements(packs)
        self._rules: dict[str, Rule] = {}
        for rule in (rule for pack in self.packs for rule in pack.rules):
            if rule.id in self._rules:
                raise RulePackError(rule.file, rule.line, f"rule {rule.id} stands in {self._rules[rule.id].file} too")
            self._rules[rule.id] = rule
        self._packs = {rule.id: pack for pack in self.packs for rule in pack.rules}
        selections = [selection for rule in self._rules.values() for selection in rule.detection.selections]
        self._anchors = Anchors(selections)
        self._screens: dict[Kind, Screen] = {}

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

    def scan_many(self, conversations: Sequence[Conversation]) -> list[ScanResult]:
        """Judge many; the same as :meth:`scan` one by one. Typed messages that cannot meet a rule are told in bulk."""
        results = [NOTHING] * len(conversations)
        needed = sorted(self._needed(conversations))
        for first in range(0, len(needed), AT_ONCE):
            chosen = needed[first : first + AT_ONCE]
            rows = self._rows([conversations[number] for number in chosen])
            for number in chosen:
                results[number] = self._scan(conversations[number], rows)
        return results

    def _needed(self, conversations: Sequence[Conversation]) -> set[int]:
        """Return the numbers of the conversations that need a full scan."""
        needed: set[int] = set()
        groups: dict[Kind, list[int]] = {}
        for number, conversation in enumerate(conversations):
            is_hour_judged = conversation.at is not None and not conversation.is_in_log
            if conversation.source == "typed" and len(conversation.turns) == 1 and not is_hour_judged:
                groups.setdefault(self._kind(conversation), []).append(number)
            else:
                needed.add(number)
        for kind, numbers in groups.items():
            screen = self._screen(kind, conversations[numbers[0]])
            for first in range(0, len(numbers), AT_ONCE):
                chosen = numbers[first : first + AT_ONCE]
                flags = screen.needs_scan([conversations[number].turns[0].text for number in chosen])
                needed.update(number for number, flag in zip(chosen, flags.tolist(), strict=True) if flag)
        return needed

    def _kind(self, conversation: Conversation) -> Kind:
        """Return all that decides which rules a single message is judged by."""
        speaker = conversation.turns[0].speaker
        return self._jurisdictions(conversation), speaker, conversation.recipient, conversation.channel

    def _screen(self, kind: Kind, example: Conversation) -> Screen:
        if kind not in self._screens:
            speaker = kind[1]
            rules = [
                rule
                for pack in self._packs_for(example)
                for rule in pack.rules
                if speaker in {*rule.speakers, "unknown"} and _may_concern(rule, example)
            ]
            models = [
                (model.linear, model.least_any_odds(rule.detection.least_score for rule in own))
                for model, own in self._by_model(rules).items()
            ]
            self._screens[kind] = Screen([rule for rule in rules if rule.kind in WORD_KINDS], models, speaker)
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

    def _scan(self, conversation: Conversation, rows: Rows) -> ScanResult:
        day = None if conversation.at is None else local_day(conversation.at, conversation.timezone)
        rules = self._rules_for(conversation, day)
        findings: list[FoundFinding] = []
        undetermined: list[Undetermined] = []
        self._scan_words(
            {rule.id: rule for rule in rules if rule.kind in WORD_KINDS}, conversation, findings, undetermined
        )
        findings = [finding for finding in findings if not self._is_dissented(finding, conversation, rows)]
        findings += self._proposed(rules, conversation, findings, rows)
        for rule in rules:
            judge = COURSE_JUDGES.get(rule.kind)
            if judge is not None and _may_concern(rule, conversation) and len(conversation.turns) > 1:
                found, unsure = judge(rule, conversation, self._anchors)
                findings += found
                undetermined += unsure
        if not conversation.is_in_log:
            found, unsure = _judge_hours(rules, conversation)
            findings += found
            undetermined += unsure
        return ScanResult(_ordered(findings), tuple(undetermined))

    def scan_log(
        self,
        attempts: Sequence[Attempt],
        cease_requests: Sequence[CeaseRequest] = (),
        consents: Sequence[Consent] = (),
    ) -> ScanResult:
        """Judge a contact log by the event rules; each attempt by those in force on its civil day."""
        ordered = tuple(sorted(attempts, key=lambda attempt: (attempt.started_at, attempt.id)))
        log = contact_log.Log(ordered, tuple(cease_requests), tuple(consents))
        rules = [rule for rule in self._rules.values() if rule.kind == "event"]
        findings, undetermined = contact_log.judge(rules, log)
        return ScanResult(_ordered(findings), tuple(undetermined))

    def _rules_for(self, conversation: Conversation, day: date | None) -> list[Rule]:
        return [rule for pack in self._packs_for(conversation) for rule in pack.rules if rule.is_in_force(day)]

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

    def _proposed(
        self, rules: Sequence[Rule], conversation: Conversation, found: Sequence[FoundFinding], rows: Rows
    ) -> list[FoundFinding]:
        """Return what the trained models propose where the words of the rules were silent."""
        able = self._by_model(rule for rule in rules if _may_concern(rule, conversation))
        spoken = {(finding.turn, finding.category) for finding in found}
        return [
            finding
            for model, own in able.items()
            for finding in proposals.propose(model, own, conversation, rows[model, id(conversation)], spoken)
        ]

    def _is_dissented(self, finding: FoundFinding, conversation: Conversation, rows: Rows) -> bool:
        """Tell whether the trained layer of the pack all but rules out what the words of a rule seem to say.

        Only where the words stand as written: a layer that read a mishearing has no say about its sound.
        """
        pack = self._packs[finding.rule_id]
        if pack.model is None or finding.plane != "text" or finding.turn is None:
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

    def _scan_words(
        self,
        rules: dict[str, Rule],
        conversation: Conversation,
        findings: list[FoundFinding],
        undetermined: list[Undetermined],
    ) -> None:
        made: dict[str, list[FoundFinding]] = {}
        for passage in passages(conversation):
            for rule_id, hits in words.hits_by_rule(self._anchors, passage, conversation.source).items():
                rule = rules.get(rule_id)
                if (
                    rule is None
                    or passage.speaker not in {*rule.speakers, "unknown"}
                    or not _may_concern(rule, conversation)
                ):
                    continue
                full = words.with_patterns(self._anchors, passage, rule, hits)
                made.setdefault(rule_id, []).extend(words.findings_of(rule, full, conversation))
        for rule_id, found in made.items():
            if found and rules[rule_id].recipient is not None and conversation.recipient is None:
                undetermined.append(Undetermined(rule_id, conversation.id, "recipient"))
            else:
                findings += words.best_of_overlapping(found)


def _may_concern(rule: Rule, conversation: Conversation) -> bool:
    """Tell whether the rule's channel and recipient fit; a recipient that is not known does not exclude it."""
    if rule.channels and conversation.channel is not None and conversation.channel not in rule.channels:
        return False
    return rule.recipient is None or conversation.recipient in {None, rule.recipient}


def _script(conversation: Conversation) -> str:
    """Return the language that the characters show: Chinese if there is a Chinese character at all."""
    return "zh" if any(is_chinese(character) for turn in conversation.turns for character in turn.text) else "en"


def _judge_hours(rules: Sequence[Rule], conversation: Conversation) -> tuple[list[FoundFinding], list[Undetermined]]:
    """Judge the hour of a single contact, as if it were a log of one line."""
    hours = [rule for rule in rules if rule.detection.event == "hours"]
    is_from_agent = any(turn.speaker in {"agent", "unknown"} for turn in conversation.turns)
    if conversation.at is None or not is_from_agent:
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
    return contact_log.judge(hours, contact_log.Log((attempt,), consents=consents))


def _ordered(findings: Sequence[FoundFinding]) -> tuple[FoundFinding, ...]:
    def place(finding: FoundFinding) -> tuple[int, int, int, str, str]:
        turn = -1 if finding.turn is None else finding.turn
        return turn, finding.start, finding.end, finding.rule_id, finding.subject

    return tuple(sorted(findings, key=place))
