"""Regular expressions of rules: compiled only if they cannot backtrack without end.

Python's ``re`` tries every way to split a text among repeats. Three shapes make the ways grow beyond bounds, and are
refused when a pack is loaded: a repeat within a repeat whose turns nothing tells apart, alternatives within a repeat
that can begin alike, and two repeats side by side that can share a character. The check errs on the side of refusal. It
reads the parse of the standard library, so it sees what ``re`` will run. ``rules lint`` tries each pattern besides, on
long hard texts and under a limit of processor time (:mod:`audit_service.detection.pattern_trial`).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MANY = 16
MOST_WAYS = 4096
LONGEST = 2000
TRIAL_S = 10
_TRIAL = Path(__file__).with_name("pattern_trial.py")
_REPEATS = frozenset({code.MAX_REPEAT, code.MIN_REPEAT})
_SAMPLE = frozenset([*map(chr, range(0x20, 0x7F)), "\n", "é", "中", "文", "，", "。", "１"])
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    code.CATEGORY_DIGIT: str.isdigit,
    code.CATEGORY_SPACE: str.isspace,
    code.CATEGORY_WORD: lambda sign: sign.isalnum() or sign == "_",
}
_OPPOSITES = {
    code.CATEGORY_NOT_DIGIT: code.CATEGORY_DIGIT,
    code.CATEGORY_NOT_SPACE: code.CATEGORY_SPACE,
    code.CATEGORY_NOT_WORD: code.CATEGORY_WORD,
}
Item = tuple[Any, Any]
Signs = frozenset[str]


def compiled(text: str) -> re.Pattern[str]:
    """Compile a regular expression.

    Raises:
        ValueError: it is none, or may backtrack without end; the text says why.
    """
    if len(text) > LONGEST:
        raise ValueError(f"a pattern has at most {LONGEST} characters")
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if pattern.flags != re.UNICODE:
        raise ValueError("flags change nothing here: patterns read folded text, which is in small letters")
    check, items = _Check(text), list(parser.parse(text))
    check.sequence(items)
    check.ways(items)
    return pattern


def is_slow(text: str) -> bool:
    """Tell whether the trial of the pattern in a child process, on long hard texts, ran out of processor time."""
    trial = [sys.executable, "-I", str(_TRIAL), text]
    try:
        return subprocess.run(trial, check=False, capture_output=True, timeout=TRIAL_S).returncode != 0  # noqa: S603 - our own script, no shell
    except subprocess.TimeoutExpired:
        return True


class _Check:
    """Walks a parsed pattern; what a place may read is a set of sample signs and those that the pattern names."""

    def __init__(self, text: str) -> None:
        self.alphabet = _SAMPLE | frozenset(text)

    def sequence(self, items: Sequence[Item]) -> Signs:
        """Check the items of a sequence, and that no two open repeats in it can share a character.

        Returns:
            The signs that a repeat at its end could still read.
        """
        pending: Signs = frozenset()
        for item in _flat(items):
            left = self.item(item)
            if any(map(_is_open, _everything([item]))):
                if pending & self.firsts([item]):
                    raise ValueError("two repeats that can share a character stand side by side: it may take forever")
                pending = left | (pending if _least(item) == 0 else frozenset())
            elif _least(item) > 0 and not pending & self.signs([item]):
                pending = frozenset()
        return pending

    def ways(self, items: Sequence[Item]) -> int:
        """Return in how many ways short repeats, and alternatives that begin alike, can read one text."""
        ways = 1
        for item in _flat(items):
            below = [self.ways(part) for part in _below(item)] or [1]
            if item[0] is code.BRANCH:
                firsts = [self.firsts(list(_flat(branch))) for branch in item[1][1]]
                is_clear = sum(map(len, firsts)) == len(frozenset[str]().union(*firsts)) and all(firsts)
                ways *= max(below) if is_clear else sum(below)
            elif item[0] in _REPEATS and not _is_open(item):
                ways *= int(item[1][1] - item[1][0] + 1) * below[0] ** int(item[1][1])
            else:
                ways *= below[0]
            if ways > MOST_WAYS:
                raise ValueError(f"it can read one text in more than {MOST_WAYS} ways")
        return ways

    def item(self, item: Item) -> Signs:
        """Check one item, and return the signs that a repeat at its end could still read."""
        pending = frozenset[str]().union(*(self.sequence(below) for below in _below(item)))
        if item[0] in _REPEATS and item[1][1] > 1:
            self.repeated(list(item[1][2]))
            return self.signs([item])
        return pending

    def repeated(self, body: Sequence[Item]) -> None:
        """Check what is repeated: its turns must be told apart, and no two alternatives in it may begin alike."""
        flat = list(_flat(body))
        inner = [item for item in _everything(flat) if _varies(item)]
        signs = self.signs(inner)
        ends = [item for item in (flat[0], flat[-1]) if not _varies(item) and _least(item) > 0] if flat else []
        if inner and not any(self.signs([end]).isdisjoint(signs) for end in ends):
            raise ValueError("a repeat within a repeat, and nothing tells their turns apart: it may take forever")
        for item in _everything(flat):
            if item[0] is code.BRANCH:
                self.alternatives(item[1][1])

    def alternatives(self, branches: Sequence[Sequence[Item]]) -> None:
        seen: Signs = frozenset()
        for branch in branches:
            first = self.firsts(list(_flat(branch)))
            if seen & first:
                raise ValueError("alternatives within a repeat can begin alike: it may take forever")
            seen |= first

    def firsts(self, items: Sequence[Item]) -> Signs:
        """Return the signs with which ``items`` can begin."""
        found: Signs = frozenset()
        for item in items:
            below = _below(item) if item[0] is code.BRANCH or item[0] in _REPEATS else []
            parts = [self.firsts(list(_flat(part))) for part in below] or [self.signs([item])]
            found = found.union(*parts)
            if _least(item) > 0:
                break
        return found

    def signs(self, items: Sequence[Item]) -> Signs:
        """Return the signs that ``items`` can read anywhere."""
        found: Signs = frozenset()
        for item in _everything(items):
            kind, value = item
            if kind is code.LITERAL:
                found |= {chr(value)}
            elif kind is code.NOT_LITERAL:
                found |= self.alphabet - {chr(value)}
            elif kind in {code.ANY, code.GROUPREF}:
                found |= self.alphabet
            elif kind is code.IN:
                found |= self.of_class(value)
        return found

    def of_class(self, parts: Sequence[Item]) -> Signs:
        found = frozenset(sign for sign in self.alphabet if any(_holds(part, sign) for part in parts))
        return self.alphabet - found if parts[0][0] is code.NEGATE else found


def _holds(part: Item, sign: str) -> bool:
    kind, value = part
    if kind is code.LITERAL:
        return ord(sign) == int(value)
    if kind is code.RANGE:
        return bool(value[0] <= ord(sign) <= value[1])
    if kind is code.CATEGORY and value in _OPPOSITES:
        return not _CATEGORIES[_OPPOSITES[value]](sign)
    return kind is code.CATEGORY and value in _CATEGORIES and _CATEGORIES[value](sign)


def _flat(items: Sequence[Item]) -> Iterator[Item]:
    """Yield the items with the groups that only hold others opened."""
    for item in items:
        if item[0] is code.SUBPATTERN:
            yield from _flat(list(item[1][3]))
        elif item[0] is code.ATOMIC_GROUP:
            yield from _flat(list(item[1]))
        else:
            yield item


def _below(item: Item) -> list[list[Item]]:
    """Return the sequences right within an item; what a look-around or an alternative holds too."""
    kind, value = item
    if kind in _REPEATS or kind is code.POSSESSIVE_REPEAT:
        return [list(value[2])]
    if kind is code.BRANCH:
        return [list(branch) for branch in value[1]]
    if kind in {code.ASSERT, code.ASSERT_NOT}:
        return [list(value[1])]
    if kind is code.GROUPREF_EXISTS:
        return [list(branch) for branch in value[1:] if branch is not None]
    return []


def _everything(items: Sequence[Item]) -> Iterator[Item]:
    for item in _flat(items):
        yield item
        for below in _below(item):
            yield from _everything(below)


def _is_open(item: Item) -> bool:
    """Tell whether an item is a repeat without bound, or with one so high that it makes no difference."""
    return item[0] in _REPEATS and item[1][1] > MANY and item[1][1] > item[1][0]


def _varies(item: Item) -> bool:
    """Tell whether an item is a repeat of no fixed number, or may be left out."""
    if item[0] is code.BRANCH:
        return _least(item) == 0
    return item[0] in _REPEATS and bool(item[1][1] > item[1][0])


def _least(item: Item) -> int:
    """Return the least length that an item reads."""
    kind, value = item
    if kind in _REPEATS or kind is code.POSSESSIVE_REPEAT:
        return int(value[0]) * sum(map(_least, _flat(list(value[2]))))
    if kind is code.BRANCH:
        return min(sum(map(_least, _flat(branch))) for branch in value[1])
    return int(kind in {code.LITERAL, code.NOT_LITERAL, code.ANY, code.IN})
