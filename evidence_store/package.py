"""An export package: a BagIt folder (RFC 8493) that carries exhibits, ledger, checkpoints and documents.

    bagit.txt  bag-info.txt  manifest-sha256.txt  tagmanifest-sha256.txt
    data/exhibits/E-000001.wav   data/exhibits.jsonl   data/ledger.jsonl
    data/checkpoints/0001.txt    data/public-key.txt   data/documents/…

It is verified from itself alone. Who wants to be sure that the key in it is the institution's compares
``data/public-key.txt`` with the key published elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from evidence_store.errors import EvidenceError, PackageRefusedError
from evidence_store.keys import PublicKey
from evidence_store.ledger import LedgerEntry, stored_entry
from evidence_store.verify import Problem, Verdict, verify_ledger

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
EXTENSION = re.compile(r"[a-z0-9]{1,8}")
BLOCK_BYTES = 1 << 20
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


@dataclass(frozen=True)
class PackagedExhibit:
    """One exhibit to hand over: its number (which becomes the file's name), digest, and how to read its content."""

    number: str
    sha256: str
    size_bytes: int
    media_type: str
    original_name: str
    extension: str
    opener: Callable[[], BinaryIO]


@dataclass(frozen=True)
class PackageContent:
    """All that a package carries; ``info`` goes into ``bag-info.txt``."""

    exhibits: Iterable[PackagedExhibit]
    entries: Iterable[LedgerEntry]
    checkpoints: Sequence[str]
    public_key: PublicKey
    documents: Mapping[str, bytes] = field(default_factory=dict)
    info: Mapping[str, str] = field(default_factory=dict)


def write_package(folder: Path, content: PackageContent) -> str:
    """Write a package into a new or empty folder; return the SHA-256 of its tag manifest, which covers all of it.

    Raises:
        PackageRefusedError: the folder is not empty, a name is unsafe, or an exhibit's content is not what was sealed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise PackageRefusedError(f"{folder} is not empty; a package needs a folder of its own.")
    data = folder / "data"
    (data / "exhibits").mkdir(parents=True)
    _write_exhibits(data, content.exhibits)
    _write_ledger(data, content)
    for name, document in content.documents.items():
        target = data / "documents" / _safe(name)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(document)
    (folder / "bagit.txt").write_text(BAGIT, encoding="utf-8")
    info = "".join(f"{key}: {' '.join(value.split())}\n" for key, value in content.info.items())
    (folder / "bag-info.txt").write_text(info, encoding="utf-8")
    _write_manifest(folder, MANIFEST, sorted(path for path in data.rglob("*") if path.is_file()))
    _write_manifest(folder, TAG_MANIFEST, [folder / name for name in ("bag-info.txt", "bagit.txt", MANIFEST)])
    return _digest(folder / TAG_MANIFEST)


def _safe(name: str) -> str:
    if not SAFE_NAME.fullmatch(name):
        raise PackageRefusedError(f"{name!r} cannot be a file name in a package.")
    return name


def _write_exhibits(data: Path, exhibits: Iterable[PackagedExhibit]) -> None:
    lines = []
    for exhibit in exhibits:
        extension = exhibit.extension if EXTENSION.fullmatch(exhibit.extension) else "bin"
        name = f"{_safe(exhibit.number)}.{extension}"
        with exhibit.opener() as source, (data / "exhibits" / name).open("xb") as target:
            shutil.copyfileobj(source, target, BLOCK_BYTES)
        if _digest(data / "exhibits" / name) != exhibit.sha256:
            raise PackageRefusedError(f"The content of exhibit {exhibit.number} is not what was sealed.")
        lines.append(
            {
                "number": exhibit.number,
                "file": f"exhibits/{name}",
                "sha256": exhibit.sha256,
                "size_bytes": exhibit.size_bytes,
                "media_type": exhibit.media_type,
                "original_name": exhibit.original_name,
            }
        )
    _write_lines(data / "exhibits.jsonl", lines)


def _write_ledger(data: Path, content: PackageContent) -> None:
    _write_lines(data / "ledger.jsonl", ({"entry": e.canonical, "hash": e.entry_hash} for e in content.entries))
    (data / "checkpoints").mkdir()
    for number, note in enumerate(content.checkpoints, 1):
        (data / "checkpoints" / f"{number:06d}.txt").write_text(note, encoding="utf-8")
    (data / "public-key.txt").write_text(content.public_key.to_base64() + "\n", encoding="ascii")


def _write_lines(path: Path, documents: Iterable[Mapping[str, object]]) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as stream:
        for document in documents:
            stream.write(json.dumps(document, ensure_ascii=False, sort_keys=True) + "\n")


def _write_manifest(folder: Path, name: str, paths: Iterable[Path]) -> None:
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    (folder / name).write_text("".join(lines), encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify_package(folder: Path) -> Verdict:
    """Check a package from its own contents: every byte, nothing missing or added, ledger, checkpoints, exhibits."""
    return _readable(_check_manifests, folder).joined(_readable(_check_contents, folder))


def _readable(check: Callable[[Path], Verdict], folder: Path) -> Verdict:
    """Run one check; what cannot even be read is a problem of its own, and the other checks still run."""
    try:
        return check(folder)
    except (EvidenceError, OSError, ValueError, KeyError, TypeError) as error:
        return Verdict((Problem("package.unreadable", folder.name, f"It cannot be read as a package: {error}."),))


def _check_contents(folder: Path) -> Verdict:
    data = folder / "data"
    lines = _lines(data / "ledger.jsonl")
    entries = [stored_entry(canonical=line["entry"], entry_hash=line["hash"]) for line in lines]
    key = PublicKey.from_base64((data / "public-key.txt").read_text(encoding="ascii"))
    notes = [path.read_text(encoding="utf-8") for path in sorted((data / "checkpoints").glob("*.txt"))]
    return verify_ledger(entries, notes, key).joined(_check_exhibits(data, entries))


def _check_manifests(folder: Path) -> Verdict:
    problems: list[Problem] = []
    listed: set[str] = {TAG_MANIFEST}
    for manifest in (TAG_MANIFEST, MANIFEST):
        for line in (folder / manifest).read_text(encoding="utf-8").splitlines():
            digest, _, name = line.partition("  ")
            listed.add(name)
            problem = _file_problem(folder, name, digest)
            problems += [] if problem is None else [problem]
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    problems += [Problem("file.added", name, "No manifest lists it.") for name in sorted(present - listed)]
    return Verdict(tuple(problems), {"files": len(listed)})


def _file_problem(folder: Path, name: str, digest: str) -> Problem | None:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or path.is_symlink():
        return Problem("file.outside", name, "It points outside the package.")
    if not path.is_file():
        return Problem("file.missing", name, "The manifest lists it, but it is not there.")
    if _digest(path) != digest:
        return Problem("file.altered", name, "Its content is not what the manifest says.")
    return None


def _check_exhibits(data: Path, entries: Sequence[LedgerEntry]) -> Verdict:
    """Check each exhibit against the digest that the ledger recorded when it was sealed."""
    sealed: dict[str, object] = {}
    for entry in entries:
        document = json.loads(entry.canonical)
        if document["object"]["kind"] == "exhibit" and "sha256" in document["detail"]:
            sealed.setdefault(document["object"]["id"], document["detail"]["sha256"])
    problems, number = [], 0
    for number, exhibit in enumerate(_lines(data / "exhibits.jsonl"), 1):  # noqa: B007 - counts what was checked
        where = f"exhibit {exhibit['number']}"
        if sealed.get(str(exhibit["number"])) != exhibit["sha256"]:
            problems.append(Problem("exhibit.ledger", where, "The ledger has no receipt of this content."))
        elif _digest(data / exhibit["file"]) != exhibit["sha256"]:
            problems.append(Problem("exhibit.altered", where, "Its content is not what was sealed."))
    return Verdict(tuple(problems), {"exhibits": number})


def _lines(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        yield from (json.loads(line) for line in stream)
