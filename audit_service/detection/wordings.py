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
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit_service.detection._folding import FoldedTexts
from audit_service.detection._weighing import Weigher
from audit_service.detection.folding import fold
from audit_service.detection.reader import CLEAREST, Reader
from audit_service.detection.taxonomy import SIGNALS

SHOWN_PIECES = 5
MOST_REMEMBERED = 8
ANY_CONDUCT, ANY_SIGNAL = "any_conduct", "any_signal"
CLAUSE = re.compile(r"[^。！？!?；;，,…\n]+")
ROUNDING, SUREST = 1e-3, 1 - 1e-7
Scores = NDArray[np.float32]
Bar = tuple[int, int, float, float]
"""Column of a category, that of the two last columns which bounds it (0: conduct, 1: signal), the least log-odds in
both, and the least where the reader is asked."""


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
            bias = stored["bias"].astype(np.float32)
        if weights.shape != (len(buckets), len(self.columns)) or self.columns[-2:] != (ANY_CONDUCT, ANY_SIGNAL):
            raise ValueError("the weights do not fit the buckets and categories")
        # of a bucket that stands there twice, the last counts
        _, last = np.unique(buckets[::-1], return_index=True)
        kept = len(buckets) - 1 - last
        self._weigher = Weigher(buckets[kept], rarity[kept], weights[kept].view(np.uint16), bias)
        self.digest = hashlib.sha256(content).hexdigest()

    @property
    def categories(self) -> tuple[str, ...]:
        """Return the categories that have a column."""
        return self.columns[:-2]

    def odds(self, texts: Sequence[str]) -> Scores:
        """Return the log-odds of every column, for each of the folded ``texts``."""
        found: Scores = np.empty((len(texts), len(self.columns)), dtype=np.float32)
        self._weigher.odds(texts, found)
        return found

    def may_propose(self, texts: FoldedTexts, bars: Sequence[Bar], asks: tuple[bool, bool], asked_from: float) -> bytes:
        """Return, of each of the folded texts, whether the log-odds of one of ``bars`` are reached.

        Args:
            texts: folded.
            bars: what is asked for.
            asks: whether a reader is asked about conduct, and about signals.
            asked_from: the log-odds of any conduct, or any signal, from which it is asked.
        """
        return bytes(self._weigher.may_propose(texts, bars, asks, asked_from))

    def weightiest(self, text: str, category: str) -> tuple[str, ...]:
        """Return the pieces of ``text`` that speak most for ``category``, the weightiest first."""
        line = fold(text).text
        pieces = self._weigher.pieces(line, self.columns.index(category))
        best = sorted((piece for piece in pieces if piece[2] > 0), key=lambda piece: -piece[2])
        return tuple(dict.fromkeys(line[max(0, start) : end].strip() for start, end, _ in best))[:SHOWN_PIECES]

    def place(self, text: str, category: str) -> tuple[int, int]:
        """Return the clause of ``text`` that speaks most for ``category``, as character offsets."""
        clauses = [match.span() for match in CLAUSE.finditer(text) if match.group().strip()]
        if not clauses:
            return 0, len(text)
        weights = self.odds([fold(text[start:end]).text for start, end in clauses])[:, self.columns.index(category)]
        start, end = clauses[int(np.argmax(weights))]
        clause = text[start:end]
        return start + len(clause) - len(clause.lstrip()), end - len(clause) + len(clause.rstrip())


class TrainedLayer:
    """The linear model and, where the pack names one, the reader: one judgement."""

    def __init__(self, linear: WordingModel, reader: Reader | None) -> None:
        self.linear = linear
        self.reader = reader
        if reader is not None and not set(linear.categories) <= set(reader.categories):
            raise ValueError("the reader has no column for some categories of the linear model")
        is_signal = np.array([category in SIGNALS for category in linear.categories])
        self._any = np.where(is_signal, -1, -2)
        self.column_of = {category: column for column, category in enumerate(linear.categories)}

    @property
    def categories(self) -> tuple[str, ...]:
        """Return the categories that have a column."""
        return self.linear.categories

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the weights; of both models' where there are two."""
        return self.linear.digest if self.reader is None else f"{self.linear.digest}+{self.reader.digest}"

    def bar(self, category: str, least_score: float) -> Bar:
        """Return the log-odds of the linear model below which a category does not reach a score, and never will."""
        least = min(least_score, SUREST)
        least = math.log(least / (1 - least)) - ROUNDING
        column = self.column_of[category]
        if self.reader is None:
            return column, 2 + int(self._any[column]), least, least
        asked = (least - self.reader.share * CLEAREST) / (1 - self.reader.share)
        return column, 2 + int(self._any[column]), least, asked

    def may_propose(self, texts: FoldedTexts, bars: Sequence[Bar], speaker: str) -> bytes:
        """Return, of each of the folded texts of a speaker, whether the category of one of ``bars`` may reach it."""
        if self.reader is None:
            return self.linear.may_propose(texts, bars, (False, False), math.inf)
        asks = speaker in {"agent", "unknown"}, speaker != "agent"
        return self.linear.may_propose(texts, bars, asks, self.reader.least_odds)

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


_models: dict[str, WordingModel] = {}


def wording_model(content: bytes) -> WordingModel:
    """Return the model of these bytes; packs with the same weights share one."""
    digest = hashlib.sha256(content).hexdigest()
    if digest not in _models:
        if len(_models) >= MOST_REMEMBERED:
            _models.clear()
        _models[digest] = WordingModel(content)
    return _models[digest]
