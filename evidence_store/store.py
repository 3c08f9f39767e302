"""Content-addressed, write-once, encrypted storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from evidence_store.backends.local import LocalBackend
from evidence_store.errors import ObjectAlteredError
from evidence_store.keys import KEY_BYTES, NONCE_BYTES, MasterKey
from evidence_store.seal import TAG_BYTES, Header, SealedReader, write_body

KEY_ID_CHARACTERS = 16
WRAPPED_BYTES = KEY_ID_CHARACTERS + NONCE_BYTES + KEY_BYTES + TAG_BYTES


@dataclass(frozen=True)
class SealedObject:
    """What sealing gave: the address (SHA-256 of the content, hexadecimal), its size, and whether it is new here."""

    sha256: str
    size_bytes: int
    is_new: bool


class Store:
    """Seals streams and opens them again.

    Args:
        backend: where the bytes lie.
        master_key: wraps the key of each object; without it nothing can be opened.
    """

    def __init__(self, backend: LocalBackend, master_key: MasterKey) -> None:
        self._backend = backend
        self._master_key = master_key

    def seal(self, content: IO[bytes]) -> SealedObject:
        """Seal all bytes of ``content`` in bounded memory; the same bytes again are the same object, written once."""
        with self._backend.writing() as target:
            body = write_body(content, target)
            wrapped = self._master_key.wrap(body.data_key, body.header.binding(body.sha256))
            stored = self._master_key.key_id.encode("ascii") + wrapped
            is_new = self._backend.commit(target, body.sha256, body.header.object_id.hex(), stored)
        return SealedObject(body.sha256, body.header.size_bytes, is_new)

    def open(self, sha256: str) -> SealedReader:
        """Open an object for reading.

        Raises:
            ObjectMissingError: it, or its key, is not there.
            ObjectAlteredError: its header is not what was sealed.
            KeyRefusedError: another master key sealed it.
        """
        body = self._backend.open_body(sha256)
        try:
            header = Header.read(body, sha256)
            stored = self._backend.read_key(sha256, header.object_id.hex())
            if len(stored) != WRAPPED_BYTES:
                raise ObjectAlteredError(f"The key of the sealed object {sha256} was altered.")  # noqa: TRY301 - closes the body
            data_key = self._master_key.unwrap(stored[KEY_ID_CHARACTERS:], header.binding(sha256))
        except BaseException:
            body.close()
            raise
        return SealedReader(body, header, data_key, sha256)

    def check(self, sha256: str) -> int:
        """Prove that an object is what was sealed, down to the last byte; return its size.

        Raises:
            EvidenceError: it is not, or cannot be read.
        """
        with self.open(sha256) as reader:
            reader.check_whole()
            return reader.size_bytes

    def size(self, sha256: str) -> int:
        """Return the size of an object's content in bytes."""
        with self.open(sha256) as reader:
            return reader.size_bytes

    def exists(self, sha256: str) -> bool:
        """Tell whether an object is stored."""
        return self._backend.exists(sha256)

    def addresses(self) -> Iterator[str]:
        """Yield the addresses of all objects, in order."""
        return self._backend.addresses()
