"""The trained layer: a linear model over short pieces of text, for conduct that no frame has words for.

People who threaten do not repeat phrase lists. The model is a logistic regression, one column a category, over runs of
one to three Chinese characters or Latin words and over four-letter pieces of words, weighted by tf-idf (Salton and
Buckley 1988) and normalised to length one. It is trained on the project's own corpus alone; its figures are in the
model card beside the weights. A rule of kind ``model`` says which category and which score makes a finding.

Two columns more say whether there is any conduct, or any signal, at all. A category scores no more than they do: that
keeps lawful texts about the same things (a denial, a warning about fraud) from being taken for the deed.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audit_service.detection.folding import fold
from audit_service.detection.taxonomy import SIGNALS

LONGEST_RUN = 3
PIECE = 4
SHOWN_PIECES = 5
ANY_CONDUCT, ANY_SIGNAL = "any_conduct", "any_signal"
CLAUSE = re.compile(r"[^。！？!?；;，,…\n]+")
_TOKEN = re.compile(r"[㐀-鿿\U00020000-\U0003ffff]|[^\s㐀-鿿\U00020000-\U0003ffff]+")
_BETWEEN = "\x1f"


def pieces_of(text: str) -> list[str]:
    """Return the pieces of a text that the model weighs; writing variants fold to the same pieces."""
    tokens = _TOKEN.findall(fold(text).text)
    found: list[str] = []
    for length in range(1, LONGEST_RUN + 1):
        found += [_BETWEEN.join(tokens[place : place + length]) for place in range(len(tokens) - length + 1)]
    for token in tokens:
        if len(token) >= PIECE - 1:
            bounded = f"#{token}#"
            found += [bounded[place : place + PIECE] for place in range(len(bounded) - PIECE + 1)]
    return found


class WordingModel:
    """Weights as trained; the same text always gets the same scores.

    Args:
        content: the bytes of an ``.npz`` with ``pieces`` (one text, a line a piece), ``idf`` (n), ``weights`` (n by k),
            ``bias`` (k) and ``categories`` (k names, the last two ``any_conduct`` and ``any_signal``).

    Raises:
        ValueError, KeyError, EOFError, BadZipFile, zlib.error: it is not such a file, or cut short or damaged.
    """

    def __init__(self, content: bytes) -> None:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            columns = str(stored["categories"]).split("\n")
            self._pieces = str(stored["pieces"]).split("\n")
            self._idf: NDArray[np.float32] = stored["idf"].astype(np.float32)
            self._weights: NDArray[np.float32] = stored["weights"].astype(np.float32)
            self._bias: NDArray[np.float32] = stored["bias"].astype(np.float32)
        self._numbers = {piece: number for number, piece in enumerate(self._pieces)}
        self.categories = tuple(columns[: columns.index(ANY_CONDUCT)])
        self._any = np.array([columns.index(ANY_SIGNAL if c in SIGNALS else ANY_CONDUCT) for c in self.categories])
        if self._weights.shape != (len(self._pieces), len(columns)):
            raise ValueError("the weights do not fit the pieces and categories")

    def scores(self, text: str) -> NDArray[np.float32]:
        """Return one score a category, in the order of :attr:`categories`."""
        numbers, values = self._weighed(text)
        sums: NDArray[np.float32] = values @ self._weights[numbers] + self._bias
        every = 1.0 / (1.0 + np.exp(-sums, dtype=np.float32))
        held: NDArray[np.float32] = np.minimum(every[: len(self.categories)], every[self._any])
        return held

    def weightiest(self, text: str, category: str) -> tuple[str, ...]:
        """Return the pieces of ``text`` that speak most for ``category``, the weightiest first."""
        column = self.categories.index(category)
        numbers, values = self._weighed(text)
        shares = values * self._weights[numbers, column]
        best = [place for place in np.argsort(-shares, kind="stable")[:SHOWN_PIECES] if shares[place] > 0]
        return tuple(self._pieces[numbers[place]].replace(_BETWEEN, "") for place in best)

    def place(self, text: str, category: str) -> tuple[int, int]:
        """Return the clause of ``text`` that speaks most for ``category``, as character offsets."""
        column = self.categories.index(category)
        clauses = [match.span() for match in CLAUSE.finditer(text) if match.group().strip()]
        if not clauses:
            return 0, len(text)
        start, end = max(clauses, key=lambda span: (self._weight(text[span[0] : span[1]], column), -span[0]))
        clause = text[start:end]
        return start + len(clause) - len(clause.lstrip()), end - len(clause) + len(clause.rstrip())

    def _weight(self, clause: str, column: int) -> float:
        numbers, values = self._weighed(clause)
        return float(values @ self._weights[numbers, column])

    def _weighed(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        known = self._numbers
        counts = Counter(known[piece] for piece in pieces_of(text) if piece in known)
        numbers = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
        counted = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
        values = (1 + np.log(counted, dtype=np.float32)) * self._idf[numbers]
        length = float(np.sqrt(values @ values))
        return numbers, values / length if length else values


@lru_cache(maxsize=8)
def wording_model(content: bytes) -> WordingModel:
    """Return the model of these bytes; packs with the same weights share one."""
    return WordingModel(content)
