"""The trained layer: what is being done by the wording as a whole, for conduct that no frame has words for.

People who threaten do not repeat phrase lists. Two models trained on the project's own corpus read a turn together:

* the *linear* one, a logistic regression a category over short pieces of text weighted by their rarity; it reads
  thousands of turns in a few milliseconds;
* the *reader* (:mod:`audit_service.detection.reader`), a small language model, asked only about the turns in which the
  linear one sees a chance of conduct or of a signal.

Their log-odds are mixed by fixed shares. Two columns more say whether there is any conduct, or any signal, at all. A
category scores no more than they do: that keeps lawful texts about the same things (a denial, a warning about fraud)
from being taken for the deed.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audit_service.detection.folding import fold
from audit_service.detection.lines import Lines, lines_of
from audit_service.detection.pieces import BUCKET_BITS, Pieces, pieces_of
from audit_service.detection.reader import CLEAREST, Reader
from audit_service.detection.taxonomy import SIGNALS

SHOWN_PIECES = 5
ANY_CONDUCT, ANY_SIGNAL = "any_conduct", "any_signal"
CLAUSE = re.compile(r"[^。！？!?；;，,…\n]+")
Scores = NDArray[np.float32]


class WordingModel:
    """The linear model, as trained; the same text always gets the same log-odds.

    Args:
        content: the bytes of an ``.npz`` with ``buckets`` (n), ``rarity`` (n), ``weights`` (n by k), ``bias`` (k) and
            ``categories`` (k names, the last two ``any_conduct`` and ``any_signal``).

    Raises:
        ValueError, KeyError, EOFError, BadZipFile, zlib.error: it is not such a file, or cut short or damaged.
    """

    def __init__(self, content: bytes) -> None:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            self.columns = tuple(str(stored["categories"]).split("\n"))
            buckets = stored["buckets"].astype(np.int64)
            rarity = stored["rarity"].astype(np.float32)
            weights = stored["weights"].astype(np.float16)
            self._bias: Scores = stored["bias"].astype(np.float32)
        if weights.shape != (len(buckets), len(self.columns)) or self.columns[-2:] != (ANY_CONDUCT, ANY_SIGNAL):
            raise ValueError("the weights do not fit the buckets and categories")
        self._rows = np.zeros(1 << BUCKET_BITS, dtype=np.int32)
        self._rows[buckets] = np.arange(1, len(buckets) + 1)
        self._rarity: Scores = np.concatenate([np.zeros(1, dtype=np.float32), rarity])
        self._weights = np.concatenate([np.zeros((1, len(self.columns)), dtype=np.float16), weights])
        self._any: Scores = np.ascontiguousarray(self._weights[:, -2:] * self._rarity[:, None])
        self.digest = hashlib.sha256(content).hexdigest()

    @property
    def categories(self) -> tuple[str, ...]:
        """Return the categories that have a column."""
        return self.columns[:-2]

    def any_odds(self, lines: Lines, speakers: Sequence[str]) -> Scores:
        """Return, for each of the folded texts, the log-odds that it shows anything that its speaker can show."""
        pieces, rows, lengths = self._weighed(lines)
        sums = [np.bincount(pieces.texts, self._any[rows, column], lines.count) / lengths for column in range(2)]
        return of_speakers((np.array(sums).T + self._bias[-2:]).astype(np.float32), speakers)

    def odds(self, texts: Sequence[str]) -> Scores:
        """Return the log-odds of every column, for each of the folded ``texts``."""
        pieces, rows, lengths = self._weighed(lines_of(texts))
        shares = self._weights[rows] * self._rarity[rows][:, None]
        sums = np.array([np.bincount(pieces.texts, column, len(texts)) for column in shares.T]).T
        return (sums / lengths[:, None] + self._bias).astype(np.float32)

    def weightiest(self, text: str, category: str) -> tuple[str, ...]:
        """Return the pieces of ``text`` that speak most for ``category``, the weightiest first."""
        pieces, rows, _ = self._weighed(lines_of([fold(text).text]))
        shares = self._weights[rows, self.columns.index(category)] * self._rarity[rows]
        best = [number for number in np.argsort(-shares, kind="stable") if shares[number] > 0]
        return tuple(dict.fromkeys(pieces.spelled(number) for number in best))[:SHOWN_PIECES]

    def place(self, text: str, category: str) -> tuple[int, int]:
        """Return the clause of ``text`` that speaks most for ``category``, as character offsets."""
        clauses = [match.span() for match in CLAUSE.finditer(text) if match.group().strip()]
        if not clauses:
            return 0, len(text)
        weights = self.odds([fold(text[start:end]).text for start, end in clauses])[:, self.columns.index(category)]
        start, end = clauses[int(np.argmax(weights))]
        clause = text[start:end]
        return start + len(clause) - len(clause.lstrip()), end - len(clause) + len(clause.rstrip())

    def _weighed(self, lines: Lines) -> tuple[Pieces, NDArray[np.int32], NDArray[np.float64]]:
        """Return the pieces of the texts, the row of weights of each, and the length of each text's vector."""
        pieces = pieces_of(lines)
        rows = self._rows[pieces.buckets]
        squares = np.bincount(pieces.texts, np.square(self._rarity[rows]), lines.count)
        return pieces, rows, np.sqrt(np.maximum(squares, 1e-9))


class TrainedLayer:
    """The linear model and, where the pack names one, the reader: one judgement."""

    def __init__(self, linear: WordingModel, reader: Reader | None) -> None:
        self.linear = linear
        self.reader = reader
        if reader is not None and not set(linear.categories) <= set(reader.categories):
            raise ValueError("the reader has no column for some categories of the linear model")
        is_signal = np.array([category in SIGNALS for category in linear.categories])
        self._any = np.where(is_signal, -1, -2)

    @property
    def categories(self) -> tuple[str, ...]:
        """Return the categories that have a column."""
        return self.linear.categories

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the weights; of both models' where there are two."""
        return self.linear.digest if self.reader is None else f"{self.linear.digest}+{self.reader.digest}"

    def least_any_odds(self, least_scores: Iterable[float]) -> float:
        """Return the log-odds of the linear model's two last columns below which no category reaches a score."""
        lowest = min((math.log(least / (1 - least)) for least in least_scores), default=math.inf)
        if self.reader is None:
            return lowest
        unheard = (lowest - self.reader.share * CLEAREST) / (1 - self.reader.share)
        return max(unheard, min(self.reader.least_odds, lowest))

    def scores(self, texts: Sequence[str], speakers: Sequence[str]) -> Scores:
        """Return one row a text (as written), one score from 0 to 1 a category."""
        if not texts:
            return np.zeros((0, len(self.categories)), dtype=np.float32)
        odds = self.linear.odds([fold(text).text for text in texts])
        if self.reader is not None:
            asked = np.flatnonzero(of_speakers(odds[:, -2:], speakers) >= self.reader.least_odds)
            heard = self.reader.odds([texts[number] for number in asked.tolist()], self.linear.columns)
            odds[asked] = self.reader.share * heard + (1 - self.reader.share) * odds[asked]
        every = 1.0 / (1.0 + np.exp(-odds, dtype=np.float32))
        held: Scores = np.minimum(every[:, :-2], every[:, self._any])
        return held


def of_speakers(odds: Scores, speakers: Sequence[str]) -> Scores:
    """Return, of two columns (any conduct, any signal), the one that fits each speaker; the greater where unknown."""
    by_agent = np.array([speaker in {"agent", "unknown"} for speaker in speakers])
    by_other = np.array([speaker != "agent" for speaker in speakers])
    found: Scores = np.maximum(np.where(by_agent, odds[:, 0], -np.inf), np.where(by_other, odds[:, 1], -np.inf))
    return found


@lru_cache(maxsize=8)
def wording_model(content: bytes) -> WordingModel:
    """Return the model of these bytes; packs with the same weights share one."""
    return WordingModel(content)
