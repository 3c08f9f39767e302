from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit_service.detection._folding import FoldedTexts

BUCKET_BITS: int

class Pieces:
    def of(self, texts: Sequence[str]) -> tuple[list[int], list[int], list[int], list[int]]: ...

class Weigher:
    def __new__(
        cls,
        buckets: NDArray[np.int64],
        rarity: NDArray[np.float32],
        weights: NDArray[np.uint16],
        bias: NDArray[np.float32],
    ) -> Weigher: ...
    def odds(self, texts: Sequence[str], into: NDArray[np.float32]) -> None: ...
    def pieces(self, text: str, column: int) -> list[tuple[int, int, float]]: ...
    def may_propose(
        self,
        texts: FoldedTexts,
        rules: Sequence[tuple[int, int, float, float]],
        is_asked: tuple[bool, bool],
        asked_from: float,
    ) -> bytearray: ...
