"""The two keys of an instance: one wraps the keys of objects, the other signs checkpoints."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evidence_store.errors import CheckpointRefusedError, KeyRefusedError

KEY_BYTES = 32
NONCE_BYTES = 12


def _decoded(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise KeyRefusedError(f"The {what} is not base64.") from error
    if len(raw) != KEY_BYTES:
        raise KeyRefusedError(f"The {what} has {len(raw)} bytes; it must have {KEY_BYTES}.")
    return raw


@dataclass(frozen=True)
class MasterKey:
    """The 256-bit key that wraps the key of each object; never written anywhere by this package."""

    raw: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> MasterKey:
        """Return a new random key."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def from_base64(cls, text: str) -> MasterKey:
        """Read a key from base64 text.

        Raises:
            KeyRefusedError: the text is not 32 bytes in base64.
        """
        return cls(_decoded(text, "master key"))

    @classmethod
    def from_file(cls, path: Path) -> MasterKey:
        """Read a key from a file of base64 text."""
        return cls.from_base64(path.read_text(encoding="ascii"))

    def to_base64(self) -> str:
        """Return the key as base64 text, to be kept secret."""
        return base64.b64encode(self.raw).decode("ascii")

    @property
    def key_id(self) -> str:
        """Return 16 hexadecimal digits that name the key without giving it away."""
        return hashlib.sha256(b"evidence-store master key id\x00" + self.raw).hexdigest()[:16]

    def wrap(self, data_key: bytes, bound_to: bytes) -> bytes:
        """Encrypt an object's key, bound to ``bound_to`` (nonce, then ciphertext and tag)."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.raw).encrypt(nonce, data_key, bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Decrypt an object's key.

        Raises:
            KeyRefusedError: another master key wrapped it, or it was altered or belongs to another object.
        """
        try:
            return AESGCM(self.raw).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError) as error:
            raise KeyRefusedError("The object's key cannot be opened with this master key.") from error


@dataclass(frozen=True)
class PublicKey:
    """The Ed25519 key (RFC 8032) by which anyone checks a checkpoint."""

    raw: bytes

    @classmethod
    def from_base64(cls, text: str) -> PublicKey:
        """Read a key from base64 text."""
        return cls(_decoded(text, "public key"))

    def to_base64(self) -> str:
        """Return the key as base64 text."""
        return base64.b64encode(self.raw).decode("ascii")

    def check(self, signature: bytes, signed: bytes) -> None:
        """Check a signature.

        Raises:
            CheckpointRefusedError: it was not made by this key over these bytes.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, signed)
        except InvalidSignature as error:
            raise CheckpointRefusedError("The signature was not made by the expected key.") from error


@dataclass(frozen=True)
class SigningKey:
    """The Ed25519 private key that signs checkpoints."""

    raw: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a new random key."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def from_base64(cls, text: str) -> SigningKey:
        """Read a key from base64 text.

        Raises:
            KeyRefusedError: the text is not 32 bytes in base64.
        """
        return cls(_decoded(text, "signing key"))

    def to_base64(self) -> str:
        """Return the key as base64 text, to be kept secret."""
        return base64.b64encode(self.raw).decode("ascii")

    @property
    def public_key(self) -> PublicKey:
        """Return the key by which others check what this one signs."""
        return PublicKey(Ed25519PrivateKey.from_private_bytes(self.raw).public_key().public_bytes_raw())

    def sign(self, content: bytes) -> bytes:
        """Return the 64-byte signature over ``content``."""
        return Ed25519PrivateKey.from_private_bytes(self.raw).sign(content)
