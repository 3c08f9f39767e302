from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

class Alphabet:
    def __new__(
        cls,
        read: Callable[[str], Sequence[tuple[str, str]]],
        pairs: Mapping[str, str],
        is_syllable: Callable[[str], bool],
        unleeted: Callable[[str], str],
    ) -> Alphabet: ...

Row: TypeAlias = tuple[int, ...]

class FoldedTexts:
    count: int
    def __new__(cls, alphabet: Alphabet, texts: Sequence[str]) -> FoldedTexts: ...
    def line(self, number: int) -> str: ...
    def hides(self, number: int) -> bool: ...
    def rows(self, number: int) -> tuple[str, Row, Row, Row, Row, Row, int]: ...

def count_steps(text: str) -> Row: ...
