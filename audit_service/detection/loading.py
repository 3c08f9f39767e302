"""Build packs of rules from their files."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from audit_service.detection.anchors import Count, Selection
from audit_service.detection.calendars import calendars_of
from audit_service.detection.conditions import Node, names, parse
from audit_service.detection.errors import ConditionError, RulePackError
from audit_service.detection.event_rules import EVENTS
from audit_service.detection.marked_yaml import MarkedYaml, Route
from audit_service.detection.matching import WHOLE, RuleException
from audit_service.detection.pack_files import (
    RESERVED,
    WORD_KINDS,
    PackFiles,
    form_problems,
    lists_used,
    pack_folders,
    read_pack,
)
from audit_service.detection.parts import Part
from audit_service.detection.patterns import compiled
from audit_service.detection.reader import reader_in
from audit_service.detection.rules import NORMATIVE_KEYS, Authority, Detection, Pack, Rule, VerificationStep, digest_of
from audit_service.detection.severities import severities_of
from audit_service.detection.wordings import TrainedLayer, wording_model

DEFAULT_EXCEPTION_GAP = 6
NORMATIVE_PACK_KEYS = ("id", "version", "jurisdiction", "languages", "dissent_below")
DEFAULT_OPENING_CONFIDENCE = 0.5
DEFAULT_LIKENESS = 0.75
_PLACES = ("before", "after", "covers", "in", "turns")
_PREFIXES = {"detect": "", "except": "except.", "requires": "requires."}


def load_packs(folders: Sequence[Path]) -> tuple[Pack, ...]:
    """Read rule packs. Each folder is a pack (holds ``pack.yaml``) or a folder of packs.

    Raises:
        RulePackError: a file is missing or wrong; names file and line of the first problem.
    """
    return tuple(build_pack(read_pack(folder)) for folder in pack_folders(folders))


def build_pack(files: PackFiles) -> Pack:
    """Return the pack that ``files`` describe.

    Raises:
        RulePackError: a file does not follow its schema, or names something that does not exist.
    """
    for problem in form_problems(files):
        raise RulePackError(problem.file, problem.line, problem.message)
    words = files.words()
    sources = [*files.rules, *files.derived()]
    rules = tuple(RuleBuilder(files, words, file).build() for file in sources)
    value = files.pack.value
    normative: dict[str, Any] = {
        "pack": {key: value[key] for key in NORMATIVE_PACK_KEYS if key in value},
        "lexicons": {name: list(entries) for name, entries in words.items()},
        "rules": [_normative(file) for file in sources],
    }
    if files.calendars is not None:
        normative["calendars"] = files.calendars.value["calendars"]
    if files.severity_table():
        normative["severities"] = files.severity_table()
    model = None
    if any(rule.kind == "model" for rule in rules):
        model = read_model(files)
        normative["model"] = model.digest
    return Pack(
        value["id"],
        value["version"],
        value["jurisdiction"],
        tuple(value["languages"]),
        tuple(replace(rule, digest=_rule_digest(file, normative)) for rule, file in zip(rules, sources, strict=True)),
        normative,
        files.folder,
        model,
        value.get("dissent_below", 0.0),
        {} if files.calendars is None else calendars_of(files.calendars),
        severities_of(files.severity_table()),
    )


def _normative(file: MarkedYaml) -> dict[str, Any]:
    return {key: file.value[key] for key in NORMATIVE_KEYS if key in file.value}


def _rule_digest(file: MarkedYaml, pack: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what decides what this one rule flags and how grave that is."""
    rule, table = _normative(file), pack.get("severities", {})
    level = rule["severity"]["level"]
    decides: dict[str, Any] = {
        "rule": rule,
        "lexicons": {name: pack["lexicons"].get(name) for name in sorted(lists_used(rule))},
        "severity": table.get("levels", {}).get(level),
    }
    if rule["kind"] == "model":
        decides |= {"model": pack["model"], "band": table.get("model", {}).get(level)}
    return digest_of(decides)


def read_model(files: PackFiles) -> TrainedLayer:
    """Return the trained layer of the pack: its own linear model, and the reader that ``pack.yaml`` names, if any.

    Raises:
        RulePackError: a rule needs a model, and a file is missing or not a model.
    """
    try:
        linear = wording_model(files.model_file.read_bytes())
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise RulePackError(files.model_file, 1, f"cannot be read as a wording model: {error}") from error
    for file in files.rules:
        if file.value["kind"] == "model" and file.value["category"] not in linear.categories:
            raise RulePackError(file.file, file.place(("category",))[0], "the model has no column for this category")
    named = files.pack.value.get("reader")
    try:
        return TrainedLayer(linear, None if named is None else reader_in((files.folder / named).resolve()))
    except (OSError, ValueError, KeyError) as error:
        raise RulePackError(files.pack.file, files.pack.place(("reader",))[0], f"cannot be read: {error}") from error


class RuleBuilder:
    """Turns one rule file into a :class:`Rule`; every refusal names file and line."""

    def __init__(self, files: PackFiles, words: Mapping[str, tuple[str, ...]], source: MarkedYaml) -> None:
        self.files = files
        self.words = words
        self.source = source
        self.value: dict[str, Any] = source.value

    def build(self) -> Rule:
        """Return the rule."""
        value = self.value
        speaker = value["speaker"]
        return Rule(
            id=value["id"],
            version=value["version"],
            status=value["status"],
            title=value["title"],
            explanation=value["explanation"],
            category=value.get("category", ""),
            kind=value["kind"],
            severity=value["severity"]["level"],
            severity_because=value["severity"]["because"],
            authorities=tuple(self.authority(index) for index in range(len(value["authority"]))),
            in_force_from=_day(value["in_force"]["from"]),
            in_force_to=_day_or_none(value["in_force"]["to"]),
            speakers=(speaker,) if isinstance(speaker, str) else tuple(speaker),
            recipient=value.get("recipient"),
            channels=tuple(value.get("channels", ())),
            facts=value.get("facts", {}),
            detection=self.detection(),
            review=value["review"],
            examples=value["examples"],
            file=self.source.file,
            line=self.source.place(("id",))[0],
            jurisdiction=self.files.pack.value["jurisdiction"],
            unknown_speaker=value.get("unknown_speaker", "flag"),
            replaces=value.get("replaces"),
            owner=value["owner"],
        )

    def refuse(self, route: Route, message: str) -> RulePackError:
        """Return the error for the node at ``route``."""
        return RulePackError(self.source.file, self.source.place(route)[0], message, route)

    def authority(self, index: int) -> Authority:
        """Return one authority, with the titles and dates of its instrument."""
        cited = self.value["authority"][index]
        known = self.files.instruments.value["instruments"].get(cited["instrument"])
        if known is None:
            raise self.refuse(("authority", index, "instrument"), f"unknown instrument {cited['instrument']!r}")
        place = cited.get("clause") or cited.get("article")
        is_checked = place is not None and place in known.get("checked", [])
        return Authority(
            instrument=cited["instrument"],
            title=known["title"],
            number=known["number"],
            weight=known["weight"],
            clause=place if is_checked else None,
            in_force_from=_day(known["in_force"]["from"]),
            in_force_to=_day_or_none(known["in_force"]["to"]),
        )

    def detection(self) -> Detection:
        """Return the selections, condition and exceptions of the rule."""
        detect: dict[str, Any] = self.value["detect"]
        selections = [self.selection("detect", name) for name in detect if name not in RESERVED]
        excepted, required = self.value.get("except", {}), self.value.get("requires", {})
        selections += [self.selection("except", name) for name in excepted]
        selections += [self.selection("requires", name) for name in required]
        condition = self.condition(("detect", "condition"), detect["condition"]) if "condition" in detect else None
        opening = detect.get("opening", {})
        self.check_event(detect)
        return Detection(
            selections=tuple(selections),
            condition=condition,
            condition_text=detect.get("condition", ""),
            exceptions=tuple(self.neighbour("except", name) for name in excepted),
            required=tuple(self.neighbour("requires", name) for name in required),
            part=self.part(detect["part"]) if "part" in detect else None,
            event=detect.get("event"),
            least_score=detect.get("least_score", 1.0),
            limits=detect.get("limits", {}),
            opening_turns=opening.get("turns", 0),
            opening_s=float(opening.get("seconds", 0)),
            opening_confidence=opening.get("confidence", DEFAULT_OPENING_CONFIDENCE),
            least_level=self.least_level(detect),
            verification=tuple(self.verification(index) for index in range(len(detect.get("verification", [])))),
        )

    def check_event(self, detect: Mapping[str, Any]) -> None:
        """Refuse an event that is not one, or lacks a limit without which it cannot be judged."""
        if "event" not in detect:
            return
        if detect["event"] not in EVENTS:
            raise self.refuse(("detect", "event"), f"{detect['event']!r} is not one of {', '.join(sorted(EVENTS))}")
        missing = sorted(EVENTS[detect["event"]].required - set(detect.get("limits", {})))
        if missing:
            raise self.refuse(("detect",), f"event {detect['event']} needs the limit {', '.join(missing)}")

    def condition(self, route: Route, text: str) -> Node:
        """Parse a condition and check that it names only selections of this rule."""
        try:
            node = parse(text)
        except ConditionError as error:
            raise self.refuse(route, str(error)) from error
        unknown = names(node) - (set(self.value["detect"]) - RESERVED)
        if unknown:
            raise self.refuse(route, f"the condition names unknown selections: {', '.join(sorted(unknown))}")
        return node

    def verification(self, index: int) -> VerificationStep:
        """Return one way in which the person's identity may have been verified."""
        step = self.value["detect"]["verification"][index]
        route = ("detect", "verification", index)
        asked = self.condition((*route, "asked"), step["asked"]) if "asked" in step else None
        return VerificationStep(step["level"], asked, self.condition((*route, "answered"), step["answered"]))

    def least_level(self, detect: Mapping[str, Any]) -> str | None:
        """Return the weakest level of verification that is enough, if the rule names one."""
        level: str | None = detect.get("least_level")
        levels = [step["level"] for step in detect.get("verification", [])]
        if level is not None and level not in levels:
            raise self.refuse(("detect", "least_level"), f"no step of `verification` has the level {level!r}")
        return level

    def part(self, value: Mapping[str, Any]) -> Part:
        """Return the part of the call that the rule is held to."""
        first, last = value.get("first", {}), value.get("last", {})
        percent = tuple(map(float, value["percent"])) if "percent" in value else None
        if percent is not None and percent[0] >= percent[1]:
            raise self.refuse(("detect", "part", "percent"), "the part ends before it begins")
        verified = next((side for side in ("before", "after") if side in value), None)
        if verified is not None and "verification" not in self.value["detect"]:
            raise self.refuse(("detect", "part", verified), "`verified` needs the steps of `verification`")
        return Part(first.get("turns"), last.get("turns"), first.get("seconds"), last.get("seconds"), percent, verified)  # type: ignore[arg-type]

    def selection(self, part: str, name: str) -> Selection:
        """Return a selection with its lexicons written out and its patterns compiled."""
        value = self.value[part][name]
        route = (part, name)
        words = "all" if "all" in value else "any"
        entries = [
            (entry,) if isinstance(entry, str) else self.lexicon((*route, words, index), entry["lexicon"])
            for index, entry in enumerate(value.get(words, ()))
        ]
        return Selection(
            key=(self.value["id"], f"{_PREFIXES[part]}{name}"),
            literals=tuple(dict.fromkeys(literal for entry in entries for literal in entry)),
            patterns=self.patterns(route, "pattern"),
            sounds=value.get("sounds", False),
            not_patterns=self.patterns(route, "not_pattern"),
            examples=tuple(value.get("like", ())),
            likeness=value.get("likeness", DEFAULT_LIKENESS),
            count=self.count(route, entries),
        )

    def count(self, route: tuple[str, str], entries: Sequence[Sequence[str]]) -> Count | None:
        """Return how often a selection must be met; None if once is enough."""
        value = self.value[route[0]][route[1]]
        if "all" not in value and "at_least" not in value:
            return None
        words = tuple(map(frozenset, entries))
        least = value.get("at_least", len(words))
        are_different = "all" in value or value.get("different", False)
        if are_different and least > len(words) and not {"pattern", "like"} & value.keys():
            raise self.refuse((*route, "at_least"), f"at least {least} different ones of {len(words)} can never be met")
        return Count(least, value.get("per", "sentence"), are_different, words)

    def lexicon(self, route: Route, name: str) -> tuple[str, ...]:
        """Return the words of a list of the pack's lexicons."""
        if name not in self.words:
            raise self.refuse(route, f"no lexicon holds a list {name!r}")
        return self.words[name]

    def patterns(self, route: tuple[str, str], key: str) -> tuple[re.Pattern[str], ...]:
        """Return the regular expression under ``key`` of a selection, compiled; none if there is none."""
        value = self.value[route[0]][route[1]]
        try:
            return (compiled(value[key]),) if key in value else ()
        except ValueError as error:
            raise self.refuse((*route, key), str(error)) from error

    def neighbour(self, part: str, name: str) -> RuleException:
        """Return one exception or requirement: where its words must stand."""
        value = self.value[part][name]
        where = next(place for place in _PLACES if place in value)
        if where == "turns":
            return self.in_turns(part, name)
        target = value[where]
        allowed = {"sentence", "turn"} if where == "in" else {WHOLE, *self.value["detect"]}
        if target not in allowed:
            raise self.refuse((part, name, where), f"{target!r} is not one of {', '.join(sorted(allowed))}")
        return RuleException(name, where, target, value.get("within", DEFAULT_EXCEPTION_GAP), part)

    def in_turns(self, part: str, name: str) -> RuleException:
        """Return an exception or requirement whose words stand in the turns around a match."""
        value = self.value[part][name]
        if self.value["kind"] not in WORD_KINDS:
            raise self.refuse(
                (part, name, "turns"), f"a rule of kind {self.value['kind']} does not look into other turns"
            )
        speaker = value.get("speaker", ())
        return RuleException(
            name,
            "turns",
            WHOLE,
            0,
            part,
            before=value["turns"].get("before", 0),
            after=value["turns"].get("after", 0),
            speakers=(speaker,) if isinstance(speaker, str) else tuple(speaker),
            hit=value.get("hit", 0),
        )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _day_or_none(text: str | None) -> date | None:
    return None if text is None else _day(text)
