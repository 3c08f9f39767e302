"""Finds the files to take in a folder, and tells when a file is complete."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from audit_service.intake.errors import FileRefusedError
from audit_service.intake.file_names import FOLDER_PATTERNS
from audit_service.intake.forms.chats import looks_like_chat
from audit_service.intake.forms.hints import FOLDER_HINTS, hints_file
from audit_service.intake.forms.phone_backup import looks_like_backup
from audit_service.intake.forms.reading import MEDIA_TYPES
from audit_service.intake.rows import encoding_of
from audit_service.intake.sidecar import SIDECAR_SUFFIX, sidecar_of

RECORDING_SUFFIXES = frozenset(
    {".wav", ".mp3", ".m4a", ".mp4", ".aac", ".ogg", ".oga", ".opus", ".amr", ".3gp", ".flac", ".wma", ".gsm", ".au"}
)
LOG_SUFFIXES = frozenset(MEDIA_TYPES)
SPEAKING_NAMES = frozenset({FOLDER_HINTS, FOLDER_PATTERNS})
DONE_SUFFIX = ".done"
_PARTIAL_PREFIXES = (".", "~")

Mark = tuple[int, int]
"""Size and time of last change (ns)."""
Signature = tuple[Mark, Mark | None]
"""Of a file and, for a recording, of its sidecar."""


def is_log(path: Path) -> bool:
    """Tell whether a file is handed in as a log: by its name, and JSON by being an array."""
    if path.suffix.lower() == SIDECAR_SUFFIX:
        return _begins_array(path)
    return path.suffix.lower() in LOG_SUFFIXES


def _begins_array(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(256).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def discover(path: Path) -> list[Path]:
    """Return the files to take from ``path``, sorted.

    A file that is named is taken whatever it is called, unless it is the sidecar of a recording beside it, which is
    read together with that. Of a folder, and the folders in it, files with known suffixes are taken; sidecars, hidden
    files, links and files that a browser or copy program has not finished (other suffixes) are not.
    """
    if path.is_file():
        return [] if _is_sidecar(path) else [path]
    return sorted(_walk(path))


def _is_sidecar(path: Path) -> bool:
    if path.suffix.lower() != SIDECAR_SUFFIX:
        return False
    if path.name in SPEAKING_NAMES:
        return True
    stem = path.with_suffix("")
    spoken_of = RECORDING_SUFFIXES | LOG_SUFFIXES - {SIDECAR_SUFFIX}
    return any(
        candidate.suffix.lower() in spoken_of and candidate.stem in {stem.name, stem.stem}
        for candidate in path.parent.iterdir()
    )


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(_PARTIAL_PREFIXES)]
        for name in names:
            path = Path(parent, name)
            is_known = path.suffix.lower() in RECORDING_SUFFIXES | LOG_SUFFIXES
            if not is_known or name.startswith(_PARTIAL_PREFIXES) or not path.is_file() or path.is_symlink():
                continue
            if _is_offered(path):
                yield path


def _is_offered(path: Path) -> bool:
    """Tell whether a file of a folder is meant: JSON, text and XML also lie about for other reasons."""
    suffix = path.suffix.lower()
    if suffix == SIDECAR_SUFFIX:
        return not _is_sidecar(path) and is_log(path)
    if suffix == ".txt":
        try:
            return looks_like_chat(path, encoding_of(path))
        except FileRefusedError:
            return False
    return suffix != ".xml" or looks_like_backup(path)


@dataclass
class WatchState:
    """What a watcher has seen so far.

    Attributes:
        stable_for_s: seconds for which a file must not have changed before it is taken.
        clock: seconds that only go forward.
    """

    stable_for_s: float = 5.0
    clock: Callable[[], float] = time.monotonic
    _seen: dict[Path, tuple[Signature, float]] = field(default_factory=dict)
    _taken: dict[Path, Signature] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        """Whether files were seen that are not yet stable."""
        return any(self._taken.get(path) != signature for path, (signature, _) in self._seen.items())

    def is_due(self, path: Path, signature: Signature, *, is_marked: bool) -> bool:
        """Note what ``path`` looks like now and tell whether it is complete and has not been taken like this."""
        if self._taken.get(path) == signature:
            return False
        since = self._seen.get(path)
        if since is None or since[0] != signature:
            since = (signature, self.clock())
            self._seen[path] = since
        if not is_marked and self.clock() - since[1] < self.stable_for_s:
            return False
        self._taken[path] = signature
        return True

    def forget_all_but(self, present: set[Path]) -> None:
        """Drop what is known of files that are gone, so that memory does not grow for ever."""
        for known in (self._seen, self._taken):
            for path in known.keys() - present:
                del known[path]


def poll(folder: Path, state: WatchState) -> list[Path]:
    """Return the files of ``folder`` that have become complete since the last call; files are left where they are.

    A file is complete when its size and time of change, and those of its sidecar, have been the same for
    ``state.stable_for_s``, or when a file of its name with ``.done`` added stands beside it. A recording whose sidecar
    comes or changes later is returned again.
    """
    due = []
    present = set()
    for path in discover(folder):
        try:
            signature = _signature(path)
        except FileNotFoundError:
            continue
        present.add(path)
        if state.is_due(path, signature, is_marked=path.with_name(path.name + DONE_SUFFIX).exists()):
            due.append(path)
    state.forget_all_but(present)
    return due


def beside_of(path: Path) -> Path | None:
    """Return the JSON that speaks of a file: a log's map of columns, a recording's sidecar or pattern for names."""
    if is_log(path):
        return hints_file(path)
    pattern = path.with_name(FOLDER_PATTERNS)
    return sidecar_of(path) or (pattern if pattern.is_file() else None)


def _signature(path: Path) -> Signature:
    sidecar = beside_of(path)
    return _mark(path), None if sidecar is None else _mark(sidecar)


def _mark(path: Path) -> Mark:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
