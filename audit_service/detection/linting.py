"""Check the form of rule packs: what a rule must say, and that what it says fits together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from audit_service.detection.conditions import names, parse
from audit_service.detection.contact_frequency import COUNTED, KEYS
from audit_service.detection.errors import ConditionError, RulePackError
from audit_service.detection.event_rules import EVENTS, notice_of
from audit_service.detection.loading import RuleBuilder, build_pack
from audit_service.detection.marked_yaml import MarkedYaml, Route
from audit_service.detection.pack_files import (
    RESERVED,
    TEXT_KINDS,
    WORD_KINDS,
    PackFiles,
    form_problems,
    lists_used,
    pack_folders,
    read_pack,
)
from audit_service.detection.patterns import is_slow
from audit_service.detection.severities import wrong_severities
from audit_service.detection.taxonomy import CATEGORIES, SIGNALS

LEAST_EXAMPLES, LEAST_RECORDS = 8, 2
EMPTY_ANSWERS = frozenset({"unknown", "n/a", "-", "none", "未知", "无", "tbd"})
FIRST_KEYS = ("id", "version", "status", "title")


@dataclass(frozen=True)
class LintProblem:
    """One thing wrong in a rule pack, and where (line and column from 1)."""

    file: Path
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """Return ``file:line:column: message``."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


Complaint = tuple[Route, str]
Check = Callable[[PackFiles, MarkedYaml], Iterator[Complaint]]


def lint(folder: Path) -> list[LintProblem]:
    """Return all problems of the pack in ``folder``, or of the packs it holds; none means it can be published."""
    try:
        folders = pack_folders([folder])
    except RulePackError as error:
        return [_of_error(error)]
    return [problem for pack in folders for problem in _lint_pack(pack)]


def _lint_pack(folder: Path) -> list[LintProblem]:
    try:
        files = read_pack(folder)
    except RulePackError as error:
        return [_of_error(error)]
    problems = [LintProblem(p.file, p.line, p.column, p.message) for p in form_problems(files)]
    if problems:
        return problems
    problems = [
        LintProblem(file.file, *file.place(route), message)
        for file in files.rules
        for check in CHECKS
        for route, message in check(files, file)
    ]
    problems += [*_unused_lists(files), *_wrong_severities(files)]
    if not problems:
        try:
            build_pack(files)
        except RulePackError as error:
            problems.append(_of_error(error))
    return sorted(
        dict.fromkeys(problems), key=lambda problem: (str(problem.file), problem.line, problem.column, problem.message)
    )


def _of_error(error: RulePackError) -> LintProblem:
    return LintProblem(error.file, error.line, 1, error.message.partition(": ")[2])


def check_id_is_path(files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """The id is the path under the folder of packs, with dots."""
    expected = ".".join(file.file.relative_to(files.folder.parent).with_suffix("").parts)
    if file.value["id"] != expected:
        yield ("id",), f"the id must be {expected}, as the path says"


def check_key_order(_files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """Id and title come first, so that a reader sees at once what the file is."""
    if tuple(file.value)[: len(FIRST_KEYS)] != FIRST_KEYS:
        yield (), f"the first keys must be {', '.join(FIRST_KEYS)}"


def check_category(_files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """The category is one of the taxonomy, and signals come from the other side; a notice has none."""
    category, speaker = file.value.get("category", ""), file.value["speaker"]
    if notice_of(file.value["detect"].get("event")):
        if category:
            yield ("category",), "a notice makes no findings and has no category"
    elif category not in CATEGORIES:
        yield ("category",), f"{category!r} is not a category of the taxonomy"
    elif (category in SIGNALS) == ("agent" in speaker):
        yield ("speaker",), f"{category} is {'not ' if category in SIGNALS else ''}about what the agent says"


def check_authority(files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """Every authority is in instruments.yaml, and the rule is not in force before all of them."""
    known = files.instruments.value["instruments"]
    begins = []
    for index, cited in enumerate(file.value["authority"]):
        if cited["instrument"] not in known:
            yield ("authority", index, "instrument"), f"unknown instrument {cited['instrument']!r}"
        else:
            begins.append(known[cited["instrument"]]["in_force"]["from"])
    if begins and file.value["in_force"]["from"] < min(begins):
        yield ("in_force", "from"), f"the rule begins before its oldest authority ({min(begins)})"


def check_dates(_files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """Dates are dates, and ranges run forward."""
    value = file.value
    dates: list[tuple[Route, str | None]] = [(("created",), value["created"]), (("modified",), value["modified"])]
    dates += [(("in_force", side), value["in_force"][side]) for side in ("from", "to")]
    for route, text in dates:
        try:
            date.fromisoformat(text or "2000-01-01")
        except ValueError:
            yield route, f"{text!r} is not a date"
    begin, end = value["in_force"]["from"], value["in_force"]["to"]
    if end is not None and end < begin:
        yield ("in_force", "to"), "the range ends before it begins"


def check_selections(files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """Every selection is used by a condition or named by an exception; word rules have a condition."""
    detect: dict[str, Any] = file.value["detect"]
    if file.value["kind"] == "event":
        yield from _check_event(files, detect)
        return
    if file.value["kind"] == "model":
        yield from _check_model(files, detect)
        return
    if file.value["kind"] == "repetition":
        yield from _check_limits(detect, ("times", "turns", "likeness"))
        yield from _check_repetition(detect.get("limits", {}))
        return
    if file.value["kind"] == "identity":
        yield from _check_claims(detect)
        return
    if "condition" not in detect:
        yield ("detect",), f"a rule of kind {file.value['kind']} needs a condition"
        return
    texts = [detect["condition"]]
    texts += [step[side] for step in detect.get("verification", ()) for side in ("asked", "answered") if side in step]
    try:
        used = frozenset[str]().union(*(names(parse(text)) for text in texts))
    except ConditionError:
        return  # said by check_detection, with its line
    for name in sorted(set(detect) - RESERVED - used):
        yield ("detect", name), f"selection {name} is not used in the condition"


def check_detection(files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """What the selections, the condition and the exceptions name exists, and the patterns are safe and quick."""
    try:
        RuleBuilder(files, files.words(), file).detection()
    except RulePackError as error:
        yield error.route or ("detect",), error.message.partition(": ")[2]
        return
    for part in ("detect", "except", "requires"):
        for name, selection in file.value.get(part, {}).items():
            for key in ("pattern", "not_pattern") if name not in RESERVED else ():
                if key in selection and is_slow(selection[key]):
                    yield (part, name, key), "the pattern takes too long on a long text"


def check_reach(_files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """What looks beyond a passage stands only in rules that are judged so."""
    kind, detect = file.value["kind"], file.value["detect"]
    if kind not in WORD_KINDS:
        for key in ("requires", "unknown_speaker"):
            if key in file.value:
                yield (key,), f"a rule of kind {kind} has no {key}"
        for name, selection in detect.items():
            if name not in RESERVED and selection.get("per") == "call":
                yield ("detect", name, "per"), f"a rule of kind {kind} does not count over the call"
    if kind not in {*WORD_KINDS, "absence"} and "part" in detect:
        yield ("detect", "part"), f"a rule of kind {kind} has no part"
    if kind == "absence" and ("part" in detect) == ("opening" in detect):
        yield ("detect",), "a rule of kind absence has either an opening or a part"


def check_turns(_files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """Words in other turns are counted in one way only."""
    for part in ("except", "requires"):
        for name, selection in file.value.get(part, {}).items():
            if "turns" in selection and "per" in selection:
                yield (part, name, "per"), "words in other turns are counted by `hit`, not by `per`"


def _check_event(files: PackFiles, detect: dict[str, Any]) -> Iterator[Complaint]:
    event, limits = detect.get("event"), detect.get("limits", {})
    if event not in EVENTS:
        yield ("detect", "event"), f"{event!r} is not one of {', '.join(sorted(EVENTS))}"
        return
    for limit in sorted(EVENTS[event].required - set(limits)):
        yield ("detect", "limits"), f"event {event} needs the limit {limit}"
    for limit in sorted(set(limits) - EVENTS[event].required - EVENTS[event].optional):
        yield ("detect", "limits", limit), f"event {event} knows no limit {limit}"
    if event == "hours" and "holidays" not in limits and not {"from", "to"} <= set(limits):
        yield ("detect", "limits"), "event hours needs from and to, or holidays"
    yield from _check_holidays(files, limits)
    for limit, allowed in (("per", tuple(KEYS)), ("counts", COUNTED)):
        if limits.get(limit, allowed[0]) not in allowed:
            yield ("detect", "limits", limit), f"{limits[limit]!r} is not one of {', '.join(allowed)}"


def _check_holidays(files: PackFiles, limits: dict[str, Any]) -> Iterator[Complaint]:
    """A calendar of this pack must be there; one of another pack is looked for when the packs are loaded together."""
    if "holidays" not in limits:
        return
    named = str(limits["holidays"].get("calendar", ""))
    own = {} if files.calendars is None else files.calendars.value["calendars"]
    if not named or (named.partition(".")[0] == files.pack.value["id"] and named not in own):
        yield ("detect", "limits", "holidays"), f"there is no calendar {named!r}"


def _check_limits(detect: dict[str, Any], wanted: tuple[str, ...]) -> Iterator[Complaint]:
    for limit in wanted:
        if limit not in detect.get("limits", {}):
            yield ("detect", "limits"), f"the limit {limit} is missing"


def _check_repetition(limits: dict[str, Any]) -> Iterator[Complaint]:
    times, turns = limits.get("times", 2), limits.get("turns", 2)
    likeness = limits.get("likeness", 1)
    if not 1 < times <= turns:
        yield ("detect", "limits", "times"), "a repetition is at least two times, and no more than the turns looked at"
    if not 0 < likeness <= 1:
        yield ("detect", "limits", "likeness"), "the likeness lies between 0 and 1"


def _check_claims(detect: dict[str, Any]) -> Iterator[Complaint]:
    for name in sorted(set(detect) - RESERVED):
        if re.compile(detect[name].get("pattern", "")).groups != 1:
            yield ("detect", name), "a claim is a pattern with one group, which is the claimed name"


def _check_model(files: PackFiles, detect: dict[str, Any]) -> Iterator[Complaint]:
    if set(detect) != {"least_score"}:
        yield ("detect",), "a rule of kind model says least_score and nothing else"
    if not files.model_file.is_file():
        yield ("kind",), f"the pack has no {files.model_file.name}"


def check_example_counts(_files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """Rules of words and of events have at least eight examples a side, the others two records."""
    least = LEAST_EXAMPLES if file.value["kind"] in {*TEXT_KINDS, "event"} else LEAST_RECORDS
    for side in ("flag", "pass"):
        count = len(file.value["examples"][side])
        if count < least:
            yield ("examples", side), f"{count} examples that {side}; at least {least} are needed"


def check_examples(_files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """No example stands twice; ``because`` names an exception; a quote lies in its text."""
    seen: set[str] = set()
    excepted = {**file.value.get("except", {}), **file.value.get("requires", {})}
    for side in ("flag", "pass"):
        for index, example in enumerate(file.value["examples"][side]):
            route: Route = ("examples", side, index)
            text = example.get("text")
            if text is not None and text in seen:
                yield route, "this example stands twice"
            seen.add(text)
            if example.get("because", next(iter(excepted), None)) not in {*excepted, None}:
                yield (*route, "because"), f"there is no exception {example['because']}"
            if example.get("quote", "") not in (text or ""):
                yield (*route, "quote"), "the quote is not in the text"


def check_exceptions_shown(_files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """Each exception, and each requirement, has a pass example that it alone makes pass."""
    shown = {example.get("because") for example in file.value["examples"]["pass"]}
    for part, word in (("except", "exception"), ("requires", "requirement")):
        for name in file.value.get(part, {}):
            if name not in shown:
                yield (part, name), f"{word} {name} has no pass example with `because: {name}`"


def check_review(_files: PackFiles, file: MarkedYaml) -> Iterator[Complaint]:
    """The guide for the reviewer says something."""
    for question, answer in file.value["review"].items():
        for language, text in answer.items():
            if text.strip().lower() in EMPTY_ANSWERS:
                yield ("review", question, language), f"{text!r} is no answer"


CHECKS: tuple[Check, ...] = (
    check_id_is_path,
    check_key_order,
    check_category,
    check_authority,
    check_dates,
    check_selections,
    check_detection,
    check_reach,
    check_turns,
    check_example_counts,
    check_examples,
    check_exceptions_shown,
    check_review,
)


def _unused_lists(files: PackFiles) -> list[LintProblem]:
    used = frozenset[str]().union(*(lists_used(file.value) for file in files.rules))
    return [
        LintProblem(file.file, *file.place(("lists", name)), f"list {name} is used by no rule")
        for file in files.lexicons
        for name in file.value["lists"]
        if name not in used
    ]


def _wrong_severities(files: PackFiles) -> list[LintProblem]:
    file = files.severities
    if file is None:
        return []
    return [LintProblem(file.file, *file.place(route), message) for route, message in wrong_severities(file.value)]
