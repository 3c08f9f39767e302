"""Sealed bytes in a local folder: written once, crash-safe, never overwritten."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from evidence_store.errors import ObjectMissingError

ADDRESS = re.compile(r"[0-9a-f]{64}")
BODY, KEY = ".sealed", ".key"


class LocalBackend:
    """A folder with one sub-folder for each first byte of an address.

    A body is written to a temporary name, synced, and linked to its address; the link fails if the address is taken,
    so the first writer wins and nothing is ever overwritten. Folders are synced, so a crash loses no finished object.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def body_path(self, sha256: str) -> Path:
        """Return where the body of an object lies.

        Raises:
            ValueError: the address is not 64 lower-case hexadecimal digits; nothing else can become a path.
        """
        if not ADDRESS.fullmatch(sha256):
            raise ValueError(f"not an address: {sha256!r}")
        return self.folder / sha256[:2] / f"{sha256}{BODY}"

    def _key_path(self, sha256: str, object_id: str) -> Path:
        return self.body_path(sha256).with_name(f"{sha256}.{object_id}{KEY}")

    @contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """Yield a new temporary file in the folder; it is gone afterwards unless ``commit`` gave it an address."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{secrets.token_hex(12)}.part"
        with path.open("x+b") as stream:
            try:
                yield stream
            finally:
                path.unlink(missing_ok=True)

    def commit(self, stream: BinaryIO, sha256: str, object_id: str, wrapped_key: bytes) -> bool:
        """Give a written body its address, with its wrapped key; return False if the address was taken."""
        target = self.body_path(sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        key_path = self._key_path(sha256, object_id)
        _write_new(key_path, wrapped_key)
        stream.flush()
        os.fchmod(stream.fileno(), 0o400)
        os.fsync(stream.fileno())
        try:
            os.link(stream.name, target)
        except FileExistsError:
            key_path.unlink()
            return False
        _sync_folder(target.parent)
        _sync_folder(self.folder)
        return True

    def open_body(self, sha256: str) -> BinaryIO:
        """Open a body for reading.

        Raises:
            ObjectMissingError: nothing lies at this address.
        """
        try:
            return self.body_path(sha256).open("rb")
        except FileNotFoundError as error:
            raise ObjectMissingError(f"No sealed object {sha256} is stored.") from error

    def read_key(self, sha256: str, object_id: str) -> bytes:
        """Return the wrapped key of an object.

        Raises:
            ObjectMissingError: the key is gone, and with it the content.
        """
        try:
            return self._key_path(sha256, object_id).read_bytes()
        except FileNotFoundError as error:
            raise ObjectMissingError(f"The key of the sealed object {sha256} is missing.") from error

    def exists(self, sha256: str) -> bool:
        """Tell whether a body lies at this address."""
        return self.body_path(sha256).is_file()

    def addresses(self) -> Iterator[str]:
        """Yield all addresses in order."""
        for path in sorted(self.folder.glob(f"??/*{BODY}")):
            yield path.name.removesuffix(BODY)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
