from collections.abc import Callable, Sequence
from typing import TypeAlias

from audit_service.detection._folding import FoldedTexts
from audit_service.detection._hearing import Ear
from audit_service.detection._searching import Words

KINDS: dict[str, int]
PLACES: dict[str, int]
Spans: TypeAlias = list[tuple[int, int]]
Node: TypeAlias = tuple[int, int, int, tuple[int, ...], int]
Neighbour: TypeAlias = tuple[int, int, int, int, bool]
Program: TypeAlias = tuple[tuple[Node, ...], tuple[tuple[int, ...], ...], tuple[Neighbour, ...], bool, bool]

class Judge:
    def __new__(
        cls,
        words: Words,
        ear: Ear,
        written: Sequence[Sequence[int]],
        spoken: Sequence[Sequence[int]],
        patterned: Sequence[int],
        sources: Sequence[int],
        rules: Sequence[Program],
        look: Callable[[int, str], tuple[Spans, Spans]],
    ) -> Judge: ...
    def standing(self, texts: FoldedTexts, rules: bytes) -> dict[int, list[int]]: ...
