"""The reader: a small language model that was trained further to tell what a turn does.

Its encoder is half of multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672, MIT licence), its vocabulary cut to
what folded Chinese and English need, its weights eight bits. It runs on one thread, so that one processor gives the
same scores; scores are rounded, so that processors that add in another order agree but for a hair's breadth.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from audit_service.detection.folding import fold

FILES = ("reader.onnx", "tokenizer.json", "reader.json")
CLEAREST = 8.0
_BEGIN, _END = 0, 2


def surface(text: str) -> str:
    """Return the folded ``text`` with a comma or a full stop where its clauses and sentences end."""
    folded = fold(text)
    parts: list[str] = []
    before = (0, 0)
    for character, clause, sentence in zip(folded.text, folded.clauses, folded.sentences, strict=True):
        if parts and (clause, sentence) != before:
            parts.append("." if sentence != before[1] else ",")
        parts.append(character)
        before = (clause, sentence)
    return "".join(parts)


class Reader:
    """The model as trained.

    Args:
        folder: holds ``reader.onnx`` (token numbers in, log-odds out), ``tokenizer.json``, and ``reader.json``:
            ``categories`` (the columns), ``longest`` (tokens that are read), ``share`` (of the reader in a mixed score,
            0 to 1), and ``least_odds`` (below which, in both columns of the linear model that say whether there is
            anything, the reader is not asked).

    Raises:
        OSError, ValueError, KeyError: a file is missing or is not what it should be.
    """

    def __init__(self, folder: Path) -> None:
        self.digest = hashlib.sha256(b"".join(_sha256(folder / name) for name in FILES)).hexdigest()
        facts = json.loads((folder / FILES[2]).read_bytes())
        self.categories: tuple[str, ...] = tuple(facts["categories"])
        self.longest = int(facts["longest"])
        self.share = float(facts["share"])
        self.least_odds = float(facts["least_odds"])
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / FILES[1]))
            self._session = _session(folder / FILES[0])
        except Exception as error:  # both libraries raise bare or undocumented classes
            raise ValueError(f"the reader in {folder} cannot be loaded: {error}") from error

    def odds(self, texts: Sequence[str], columns: Sequence[str]) -> NDArray[np.float32]:
        """Return the log-odds of the named ``columns``, one row a text; no clearer than ``CLEAREST``.

        Texts are read one by one: the eight-bit arithmetic scales by the whole input, so company would change a score.
        """
        found = [self._session.run(None, {"tokens": self._tokens(text)})[0][0] for text in texts]
        odds = np.array(found, dtype=np.float32).reshape(len(texts), len(self.categories))
        places = [self.categories.index(name) for name in columns]
        return np.clip(np.round(odds[:, places], 2), -CLEAREST, CLEAREST)

    def _tokens(self, text: str) -> NDArray[np.int64]:
        numbers = self._tokenizer.encode(surface(text), add_special_tokens=False).ids[: self.longest - 2]
        return np.array([[_BEGIN, *numbers, _END]], dtype=np.int64)


def _sha256(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _session(file: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=4)
def reader_in(folder: Path) -> Reader:
    """Return the reader of ``folder``; packs that name the same folder share one."""
    return Reader(folder)
