"""The condition of a rule: how its selections must stand to each other.

Grammar, weakest first; gaps count steps (one Chinese character or one Latin word)::

    condition := clause ("or" clause)*
    clause    := part ("and" part)*                 all in the same turn
    part      := "not" atom | sequence              not: it does not hold in the same sentence
    sequence  := atom (("then" | "near") atom ("within" NUMBER)?)*   same sentence; near: either order
    atom      := NAME | "(" condition ")"
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass

from audit_service.detection.errors import ConditionError

DEFAULT_GAP = 10
MOST_WAYS = 64
_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|\d+|[()])")
_KEYWORDS = frozenset({"or", "and", "not", "then", "near", "within"})


@dataclass(frozen=True)
class Name:
    """One hit of a selection."""

    name: str


@dataclass(frozen=True)
class Sequence:
    """``left`` and ``right`` in one sentence, at most ``gap`` steps apart; in this order if ``is_ordered``."""

    left: Node
    right: Node
    gap: int
    is_ordered: bool


@dataclass(frozen=True)
class Together:
    """All ``parts`` in one turn, and none of ``unless`` holds in the sentences that they span."""

    parts: tuple[Node, ...]
    unless: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """Any of ``parts``."""

    parts: tuple[Node, ...]


Node = Name | Sequence | Together | Either


@dataclass(frozen=True)
class Near:
    """Names to be met in one sentence.

    Attributes:
        reach: the most steps between the first and the last of them, not counting their own; None: no bound.
    """

    names: frozenset[str]
    reach: int | None


Way = frozenset[Near]


def parse(text: str) -> Node:
    """Parse a condition.

    Raises:
        ConditionError: ``text`` does not follow the grammar.
    """
    return _Parser(text).whole()


def names(node: Node) -> frozenset[str]:
    """Return the names of all selections that ``node`` uses."""
    if isinstance(node, Name):
        return frozenset({node.name})
    if isinstance(node, Sequence):
        return names(node.left) | names(node.right)
    return frozenset[str]().union(*(names(part) for part in children(node)))


def children(node: Node) -> tuple[Node, ...]:
    """Return the conditions right within ``node``, those that must not hold last."""
    if isinstance(node, Sequence):
        return node.left, node.right
    if isinstance(node, Together):
        return node.parts + node.unless
    return node.parts if isinstance(node, Either) else ()


def written(node: Node) -> str:
    """Return ``node`` as a condition is written, with brackets where one stands within another."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Sequence):
        word = "then" if node.is_ordered else "near"
        return f"{_bracketed(node.left)} {word} {_bracketed(node.right)} within {node.gap}"
    if isinstance(node, Either):
        return " or ".join(map(_bracketed, node.parts))
    return " and ".join([*map(_bracketed, node.parts), *(f"not {_bracketed(part)}" for part in node.unless)])


def _bracketed(node: Node) -> str:
    return node.name if isinstance(node, Name) else f"({written(node)})"


def ways(node: Node | None) -> list[Way]:
    """Return the ways in which ``node`` can hold: what must be met near each other, all of it in one text.

    Where there are too many ways to name, some of what is needed is left out: never what is not needed.
    """
    if node is None:
        return []
    if isinstance(node, Name):
        return [frozenset({Near(frozenset({node.name}), 0)})]
    if isinstance(node, Either):
        return list(dict.fromkeys(itertools.chain.from_iterable(ways(part) for part in node.parts)))
    parts = [node.left, node.right] if isinstance(node, Sequence) else list(node.parts)
    below = [ways(part) for part in parts]
    if math.prod(len(each) for each in below) > MOST_WAYS:
        return below[0]
    every = itertools.product(*below)
    if isinstance(node, Sequence):
        return list(dict.fromkeys(frozenset({_joined(left, right, node.gap)}) for left, right in every))
    return list(dict.fromkeys(frozenset[Near]().union(*each) for each in every))


def _joined(left: Way, right: Way, gap: int) -> Near:
    """Return what a sequence of two ways needs: all in one sentence, and within reach if each side is one piece."""
    names = frozenset[str]().union(*(near.names for near in left | right))
    reaches = [near.reach for near in (*left, *right)]
    if len(left) > 1 or len(right) > 1 or None in reaches:
        return Near(names, None)
    return Near(names, gap + sum(reach for reach in reaches if reach is not None))


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        place = 0
        text = text.strip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ConditionError(f"unexpected {text[place]!r} in condition {text!r}")
            self.tokens.append(match.group(1))
            place = match.end()
        self.next = 0

    def whole(self) -> Node:
        node = self.condition()
        if self.next < len(self.tokens):
            raise ConditionError(f"unexpected {self.tokens[self.next]!r} after the end of the condition")
        return node

    def condition(self) -> Node:
        parts = [self.clause()]
        while self.take("or"):
            parts.append(self.clause())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def clause(self) -> Node:
        parts: list[Node] = []
        unless: list[Node] = []
        while True:
            if self.take("not"):
                unless.append(self.atom())
            else:
                parts.append(self.sequence())
            if not self.take("and"):
                break
        if not parts:
            raise ConditionError("a condition cannot consist of `not` alone")
        if len(parts) == 1 and not unless:
            return parts[0]
        return Together(tuple(parts), tuple(unless))

    def sequence(self) -> Node:
        left = self.atom()
        while True:
            if self.take("then"):
                is_ordered = True
            elif self.take("near"):
                is_ordered = False
            else:
                return left
            right = self.atom()
            left = Sequence(left, right, self.gap(), is_ordered)

    def gap(self) -> int:
        if not self.take("within"):
            return DEFAULT_GAP
        token = self.token()
        if not token.isdigit():
            raise ConditionError(f"`within` needs a number, not {token!r}")
        return int(token)

    def atom(self) -> Node:
        if self.take("("):
            node = self.condition()
            if not self.take(")"):
                raise ConditionError("a bracket is not closed")
            return node
        return Name(self.name())

    def name(self) -> str:
        token = self.token()
        if token in _KEYWORDS or not token.isidentifier():
            raise ConditionError(f"the name of a selection was expected, not {token!r}")
        return token

    def token(self) -> str:
        if self.next >= len(self.tokens):
            raise ConditionError("the condition ends too early")
        self.next += 1
        return self.tokens[self.next - 1]

    def take(self, word: str) -> bool:
        if self.next < len(self.tokens) and self.tokens[self.next] == word:
            self.next += 1
            return True
        return False
