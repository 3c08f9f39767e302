"""Checkpoints: a signed note of the ledger's size and root, in the form of C2SP signed-note and tlog-checkpoint.

A note is the text (origin, size, root in base64, a line with the instant), an empty line, and a signature line
``— origin base64(key hash ‖ signature)``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from evidence_store.errors import CheckpointRefusedError
from evidence_store.keys import PublicKey, SigningKey

ED25519 = b"\x01"
KEY_HASH_BYTES = 4
TEXT_LINES = 4


@dataclass(frozen=True)
class Checkpoint:
    """A statement: at ``instant`` the ledger of ``origin`` had ``size`` entries and this Merkle root."""

    size: int
    root: bytes
    origin: str
    instant: datetime

    @property
    def text(self) -> str:
        """Return the text that is signed; it ends with a line feed."""
        at = self.instant.astimezone(UTC).isoformat(timespec="microseconds")
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{at}\n"

    def sign(self, key: SigningKey) -> str:
        """Return the signed note."""
        signature = base64.b64encode(_key_hash(self.origin, key.public_key) + key.sign(self.text.encode())).decode()
        return f"{self.text}\n— {self.origin} {signature}\n"

    @classmethod
    def opened(cls, note: str, key: PublicKey) -> Checkpoint:
        """Read a note and check its signature.

        Raises:
            CheckpointRefusedError: it is malformed or was not signed by ``key``.
        """
        text, separator, signatures = note.partition("\n\n")
        text += "\n"
        try:
            origin, size, root, at = text.splitlines()
            _, name, signature_text = signatures.strip().split(" ")
            signature = base64.b64decode(signature_text, validate=True)
            checkpoint = cls(int(size), base64.b64decode(root, validate=True), origin, datetime.fromisoformat(at))
        except (ValueError, binascii.Error) as error:
            raise CheckpointRefusedError("The checkpoint is not a signed note.") from error
        if not separator or name != origin or checkpoint.text != text:
            raise CheckpointRefusedError("The checkpoint is not a signed note.")
        if signature[:KEY_HASH_BYTES] != _key_hash(origin, key):
            raise CheckpointRefusedError("The checkpoint was signed by another key.")
        key.check(signature[KEY_HASH_BYTES:], text.encode())
        return checkpoint


def _key_hash(origin: str, key: PublicKey) -> bytes:
    return hashlib.sha256(origin.encode() + b"\n" + ED25519 + key.raw).digest()[:KEY_HASH_BYTES]
