"""The sealed form of an object: a header, then chunks of AES-256-GCM in the STREAM construction.

Source: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance"
(CRYPTO 2015). The nonce of a chunk is a random prefix, its number, and a flag for the last one; so a chunk that was
altered, moved, dropped or added fails to open.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from dataclasses import dataclass
from typing import IO, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evidence_store.errors import ObjectAlteredError

MAGIC, VERSION = b"SEALED", 1
CHUNK_BYTES = 256 * 1024
TAG_BYTES = 16
PREFIX_BYTES = 7
HEADER = struct.Struct(">6sBI8s7sQ")  # magic, version, chunk bytes, object id, nonce prefix, size of the content


@dataclass(frozen=True)
class Header:
    """What a sealed object says of itself in clear; all of it is bound to the wrapped key."""

    object_id: bytes
    prefix: bytes
    size_bytes: int
    chunk_bytes: int = CHUNK_BYTES

    def to_bytes(self) -> bytes:
        """Return the header as it is stored."""
        return HEADER.pack(MAGIC, VERSION, self.chunk_bytes, self.object_id, self.prefix, self.size_bytes)

    @classmethod
    def read(cls, stream: BinaryIO, sha256: str) -> Header:
        """Read the header of the object ``sha256``.

        Raises:
            ObjectAlteredError: it is too short or no header.
        """
        raw = stream.read(HEADER.size)
        if len(raw) != HEADER.size:
            raise ObjectAlteredError(f"The sealed object {sha256} is cut off in its header.")
        magic, version, chunk_bytes, object_id, prefix, size_bytes = HEADER.unpack(raw)
        if magic != MAGIC or version != VERSION or not chunk_bytes:
            raise ObjectAlteredError(f"The sealed object {sha256} has no valid header.")
        return cls(object_id, prefix, size_bytes, chunk_bytes)

    def binding(self, sha256: str) -> bytes:
        """Return what the wrapped key is bound to: the whole header and the digest of the content."""
        return self.to_bytes() + bytes.fromhex(sha256)

    @property
    def chunks(self) -> int:
        """Return the number of chunks; an empty object has one, empty."""
        return max(1, -(-self.size_bytes // self.chunk_bytes))

    def nonce(self, number: int) -> bytes:
        """Return the nonce of chunk ``number``, counted from 0."""
        return self.prefix + struct.pack(">IB", number, number == self.chunks - 1)


@dataclass(frozen=True)
class SealedBody:
    """A body just written: its header, the digest of its content, and the key that opens it."""

    header: Header
    sha256: str
    data_key: bytes


def write_body(content: IO[bytes], target: BinaryIO) -> SealedBody:
    """Encrypt ``content`` into ``target`` in bounded memory; the header is filled in when the size is known."""
    data_key, digest = os.urandom(32), hashlib.sha256()
    object_id, prefix, size = os.urandom(8), os.urandom(PREFIX_BYTES), 0
    cipher = AESGCM(data_key)
    target.write(bytes(HEADER.size))
    chunk, number = _read_chunk(content), 0
    while True:
        following = _read_chunk(content) if len(chunk) == CHUNK_BYTES else b""
        digest.update(chunk)
        size += len(chunk)
        nonce = prefix + struct.pack(">IB", number, not following)
        target.write(cipher.encrypt(nonce, chunk, None))
        if not following:
            break
        chunk, number = following, number + 1
    header = Header(object_id, prefix, size)
    target.seek(0)
    target.write(header.to_bytes())
    return SealedBody(header, digest.hexdigest(), data_key)


def _read_chunk(stream: IO[bytes]) -> bytes:
    """Read one whole chunk; a pipe may give less at a time."""
    parts, missing = [], CHUNK_BYTES
    while missing:
        part = stream.read(missing)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


class SealedReader(io.BufferedIOBase):
    """The plain content of a sealed object: read, seek, tell; a chunk is authenticated before a byte is given out."""

    def __init__(self, body: BinaryIO, header: Header, data_key: bytes, sha256: str) -> None:
        super().__init__()
        self._body, self._header, self._sha256 = body, header, sha256
        self._cipher = AESGCM(data_key)
        self._position = 0
        self._held: tuple[int, bytes] = (-1, b"")

    @property
    def size_bytes(self) -> int:
        """Return the size of the content."""
        return self._header.size_bytes

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in the content."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position in the content and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size_bytes}[whence]
        if start + offset < 0:
            raise ValueError("negative position")
        self._position = start + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Return up to ``size`` bytes of the content, all that is left for a negative or no size.

        Raises:
            ObjectAlteredError: a chunk is not what was sealed.
        """
        left = max(0, self.size_bytes - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        parts = []
        while wanted:
            number, offset = divmod(self._position, self._header.chunk_bytes)
            part = self._chunk(number)[offset : offset + wanted]
            parts.append(part)
            self._position += len(part)
            wanted -= len(part)
        return b"".join(parts)

    def read1(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes; as ``read``, there is no raw stream below to be quicker with."""
        return self.read(size)

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._held = (number, self._opened(number))
        return self._held[1]

    def _opened(self, number: int) -> bytes:
        whole = self._header.chunk_bytes + TAG_BYTES
        self._body.seek(HEADER.size + number * whole)
        length = min(self._header.chunk_bytes, self.size_bytes - number * self._header.chunk_bytes) + TAG_BYTES
        try:
            return self._cipher.decrypt(self._header.nonce(number), self._body.read(length), None)
        except InvalidTag as error:
            raise ObjectAlteredError(f"The sealed object {self._sha256} was altered in chunk {number + 1}.") from error

    def check_whole(self) -> None:
        """Read all of the content and compare its digest and the length of the stored body.

        Raises:
            ObjectAlteredError: anything differs from what was sealed.
        """
        digest = hashlib.sha256()
        for number in range(self._header.chunks):
            digest.update(self._opened(number))
        expected = HEADER.size + self.size_bytes + self._header.chunks * TAG_BYTES
        if self._body.seek(0, io.SEEK_END) != expected:
            raise ObjectAlteredError(f"The sealed object {self._sha256} has bytes added after its end.")
        if digest.hexdigest() != self._sha256:
            raise ObjectAlteredError(f"The sealed object {self._sha256} holds other content than its address says.")

    def close(self) -> None:
        """Close the stored body."""
        self._body.close()
        super().close()
