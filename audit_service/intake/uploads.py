"""Files that come over the network piece by piece: staged under names of ours until their batch is whole.

A batch is what belongs together, e.g. recordings and the JSON files that speak of them. A broken upload goes on where
it stopped. What senders call their files is kept as text: on disk a file is a number, with an ending that we know.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BufferedRandom
from pathlib import Path, PurePosixPath
from typing import IO, Any

from sqlalchemy.orm import Session

from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.intake.discovery import LOG_SUFFIXES, RECORDING_SUFFIXES, SPEAKING_NAMES
from audit_service.intake.services import display_name
from audit_service.queue import DETECT, enqueue

KNOWN_SUFFIXES = RECORDING_SUFFIXES | LOG_SUFFIXES
MOST_FILES = 1000
ABANDONED_S = 2 * 24 * 3600.0
_TOKEN = re.compile(r"[0-9a-f]{32}")
_CHUNK = 1 << 20
_BATCH, _FILES, _READY = "batch.json", "files", "ready.json"


class OffsetConflictError(InputRefusedError):
    """A piece does not begin where the upload stands."""

    code = "intake.upload_offset"
    http_status = 409


@dataclass(frozen=True)
class Described:
    """What a sender says of a file: its name, its bytes, and their SHA-256 where it was computed."""

    name: str
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True)
class StagedFile:
    """A whole file of a batch, and how its sender calls it."""

    path: Path
    name: str


@dataclass(frozen=True)
class Staging:
    """The folder of uploads under way.

    Attributes:
        folder: where they lie; made when it is needed.
        max_bytes: the largest file that is taken.
    """

    folder: Path
    max_bytes: int

    def open_batch(self, owner: str) -> str:
        """Return the token of a new batch of an owner (``user:1``, ``key:1``).

        Batches that nobody went on with for two days are dropped.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._drop_abandoned()
        token = secrets.token_hex(16)
        (self.folder / token).mkdir(mode=0o700)
        _write(self.folder / token / _BATCH, {"owner": owner})
        return token

    def create(self, batch: str, owner: str, described: Described) -> str:
        """Return the token of a new upload of a batch.

        Raises:
            NotFoundError: the owner has no such batch.
            InputRefusedError: the file is too large, has no bytes, no name, or one that the batch has already.
        """
        folder = self._open(batch, owner)
        known = _described(folder)
        name = display_name(PurePosixPath(described.name.replace("\\", "/")).name)
        _refuse_file(name, described, self.max_bytes)
        if len(known) >= MOST_FILES:
            raise InputRefusedError(f"A batch holds at most {MOST_FILES} files.", remedy="Send the others in another.")
        if name in {file.name for file in known.values()}:
            raise InputRefusedError(
                f"{name} is in this batch already.", remedy="Send files of one name in two batches."
            )
        token = secrets.token_hex(16)
        (folder / f"{token}.part").touch(mode=0o600)
        _write(folder / f"{token}.json", asdict(Described(name, described.size_bytes, described.sha256.lower())))
        return token

    def standing(self, batch: str, token: str, owner: str) -> tuple[int, int]:
        """Return how many bytes of an upload are here, and how many there will be.

        Raises:
            NotFoundError: the owner has no such upload.
        """
        described, part = self._upload(batch, token, owner)
        return part.stat().st_size, described.size_bytes

    def append(self, batch: str, token: str, owner: str, offset: int, stream: IO[bytes]) -> int:
        """Add a piece that begins at ``offset`` and return how many bytes are here now.

        What arrived of a piece that broke off is kept. The last piece of a file whose SHA-256 is not the one announced
        takes all of it away again, so that it can be sent anew.

        Raises:
            NotFoundError: the owner has no such upload.
            OffsetConflictError: the upload stands elsewhere.
            InputRefusedError: there are more bytes than announced, or they are not those announced.
        """
        described, part = self._upload(batch, token, owner)
        with _alone(part) as file:
            here = file.seek(0, os.SEEK_END)
            if here != offset:
                raise OffsetConflictError(f"{here} bytes are here, not {offset}.", remedy=f"Go on at byte {here}.")
            while piece := stream.read(_CHUNK):
                here += len(piece)
                if here > described.size_bytes:
                    file.truncate(offset)
                    raise InputRefusedError("More bytes came than were announced.", remedy="Begin this file anew.")
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            if here == described.size_bytes and described.sha256 and _digest(file) != described.sha256:
                file.truncate(0)
                raise InputRefusedError(
                    f"{described.name} came damaged: its SHA-256 is not the one announced.", remedy="Send it again."
                )
        return here

    def finish(self, session: Session, batch: str, owner: str) -> int:
        """Hand a whole batch to the workers and return how many files it has; a second call changes nothing.

        Raises:
            NotFoundError: the owner has no such batch.
            InputRefusedError: it has no file, or some are not whole; each is named.
        """
        folder = self._open(batch, owner)
        if not (folder / _READY).is_file():
            _make_ready(folder)
        enqueue(session, "receive_upload", queue=DETECT, once=f"upload:{batch}", batch=batch)
        return len(json.loads((folder / _READY).read_text(encoding="utf-8")))

    def staged(self, batch: str) -> tuple[str, list[StagedFile]]:
        """Return the owner and the files of a batch that was handed over; none once it was taken in."""
        folder = self.folder / _checked(batch)
        if not (folder / _READY).is_file():
            return "", []
        names: dict[str, str] = json.loads((folder / _READY).read_text(encoding="utf-8"))
        owner = str(json.loads((folder / _BATCH).read_text(encoding="utf-8"))["owner"])
        return owner, [StagedFile(folder / _FILES / file, name) for file, name in sorted(names.items())]

    def drop(self, batch: str) -> None:
        """Remove a batch that was taken in."""
        shutil.rmtree(self.folder / _checked(batch), ignore_errors=True)

    def waiting(self) -> int:
        """Return how many batches were handed over and are not taken in yet."""
        return sum(1 for _ in self.folder.glob(f"*/{_READY}")) if self.folder.is_dir() else 0

    def _open(self, batch: str, owner: str) -> Path:
        folder = self.folder / _checked(batch)
        file = folder / _BATCH
        if not file.is_file() or json.loads(file.read_text(encoding="utf-8"))["owner"] != owner:
            raise _missing()
        return folder

    def _upload(self, batch: str, token: str, owner: str) -> tuple[Described, Path]:
        folder = self._open(batch, owner)
        file = folder / f"{_checked(token)}.json"
        if not file.is_file():
            raise _missing()
        return Described(**json.loads(file.read_text(encoding="utf-8"))), folder / f"{token}.part"

    def _drop_abandoned(self) -> None:
        oldest = time.time() - ABANDONED_S
        for folder in self.folder.iterdir():
            if folder.stat().st_mtime < oldest and not (folder / _READY).is_file():
                shutil.rmtree(folder, ignore_errors=True)


def _refuse_file(name: str, described: Described, max_bytes: int) -> None:
    if not name.strip(". "):
        raise InputRefusedError("The file has no name.", remedy="Name it, with its ending.")
    if not 0 < described.size_bytes <= max_bytes:
        raise InputRefusedError(
            f"{name} has {described.size_bytes} bytes; 1 to {max_bytes} are taken.",
            remedy="Split it, or raise AUDIT_UPLOAD_MAX_BYTES.",
        )
    if described.sha256 and not re.fullmatch(r"[0-9a-fA-F]{64}", described.sha256):
        raise InputRefusedError(f"The SHA-256 of {name} is none.", remedy="Send 64 hexadecimal digits, or none.")


def _make_ready(folder: Path) -> None:
    """Give the files of a batch the names they are taken in by."""
    known = _described(folder)
    if not known:
        raise InputRefusedError("The batch holds no file.", remedy="Choose files to send.")
    broken = [file.name for token, file in known.items() if (folder / f"{token}.part").stat().st_size < file.size_bytes]
    if broken:
        raise InputRefusedError(f"Not whole yet: {', '.join(sorted(broken))}.", remedy="Send what is missing of them.")
    (folder / _FILES).mkdir(exist_ok=True, mode=0o700)
    named = _disk_names([file.name for file in known.values()])
    for token, file in known.items():
        os.link(folder / f"{token}.part", folder / _FILES / named[file.name])
    _write(folder / _READY, {named[file.name]: file.name for file in known.values()})


def _disk_names(names: Sequence[str]) -> dict[str, str]:
    """Return a name of ours for each; files of one stem have one number, so that sidecars stay with recordings."""
    numbers: dict[str, str] = {}
    found: dict[str, str] = {}
    for name in sorted(names):
        if name in SPEAKING_NAMES:
            found[name] = name
            continue
        stem, suffixes = name, ""
        while (suffix := PurePosixPath(stem).suffix.lower()) in KNOWN_SUFFIXES:
            stem, suffixes = stem[: -len(suffix)], suffix + suffixes
        number = numbers.setdefault(stem, f"{len(numbers) + 1:04d}")
        found[name] = f"{number}{suffixes or '.bin'}"
    return _apart(found)


def _apart(found: dict[str, str]) -> dict[str, str]:
    """Give files that would share a name (``a.bin`` and ``a.dat``) one each."""
    taken: set[str] = set()
    for name, file in found.items():
        free = file
        while free in taken:
            free = f"x{free}"
        taken.add(free)
        found[name] = free
    return found


def _described(folder: Path) -> dict[str, Described]:
    """Return the uploads of a batch by token."""
    files = (file for file in folder.glob("*.json") if _TOKEN.fullmatch(file.stem))
    return {file.stem: Described(**json.loads(file.read_text(encoding="utf-8"))) for file in files}


def _write(file: Path, document: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    partial = file.with_suffix(".new")
    partial.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    partial.replace(file)


@contextmanager
def _alone(part: Path) -> Iterator[BufferedRandom]:
    """Open an upload for adding, one request at a time."""
    with part.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OffsetConflictError(
                "This upload is being written.", remedy="Ask where it stands, then go on."
            ) from None
        yield file


def _digest(file: BufferedRandom) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise _missing()
    return token


def _missing() -> NotFoundError:
    return NotFoundError("There is no such upload.", remedy="Begin it anew.")
