from collections.abc import Callable, Sequence

class Ear:
    def __new__(
        cls,
        literals: Sequence[str],
        mandarin: Sequence[tuple[int, tuple[str, ...], tuple[str, ...]]],
        english: Sequence[tuple[int, tuple[str, ...], tuple[str, ...]]],
        read_character: Callable[[str], tuple[str, str]],
        read_letters: Callable[[str], Sequence[tuple[str, str, int, int]]],
        read_word: Callable[[str], tuple[str, str]],
        are_alike: Callable[[Sequence[str], str], bool],
    ) -> Ear: ...
    def echoes_in(self, text: str, clauses: Sequence[int]) -> list[tuple[int, int, int, int, int]]: ...
