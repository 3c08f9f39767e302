"""Export packages: verified from themselves alone; every kind of tampering is named."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence_store import (
    Checkpoint,
    PackageContent,
    PackagedExhibit,
    PackageRefusedError,
    SigningKey,
    ledger,
    merkle,
    verify_package,
    write_package,
)

AT = datetime(2026, 3, 3, tzinfo=UTC)
KEY = SigningKey.generate()


def exhibit(number: str, content: bytes, name: str = "call.wav") -> PackagedExhibit:
    digest = hashlib.sha256(content).hexdigest()
    return PackagedExhibit(number, digest, len(content), "audio/wav", name, "wav", lambda: io.BytesIO(content))


def content_of(exhibits: list[PackagedExhibit], documents: dict[str, bytes] | None = None) -> PackageContent:
    chain: list[ledger.LedgerEntry] = []
    for item in exhibits:
        chain.append(
            ledger.append(
                chain[-1] if chain else None,
                recorded_at=AT,
                actor="cli",
                action="sealed",
                object_kind="exhibit",
                object_id=item.number,
                detail={"sha256": item.sha256},
            )
        )
    root = merkle.root([bytes.fromhex(entry.entry_hash) for entry in chain])
    note = Checkpoint(len(chain), root, "test", AT).sign(KEY)
    return PackageContent(
        exhibits, chain, [note], KEY.public_key, documents or {"findings.jsonl": b"{}\n"}, {"Source": "a\nb"}
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    write_package(folder, content_of([exhibit("E-000001", b"one" * 1000), exhibit("E-000002", b"two", "../../x.wav")]))
    return folder


def test_an_untouched_package_holds(package: Path) -> None:
    verdict = verify_package(package)
    assert verdict.holds, verdict.problems
    assert verdict.checked["exhibits"] == 2
    assert sorted(path.name for path in (package / "data" / "exhibits").iterdir()) == ["E-000001.wav", "E-000002.wav"]


def rehash(package: Path) -> None:
    """Do what a careful forger does: bring the manifests in line with the altered files."""
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        names = [line.partition("  ")[2] for line in (package / manifest).read_text().splitlines()]
        lines = [
            f"{hashlib.sha256((package / n).read_bytes()).hexdigest()}  {n}\n" for n in names if (package / n).exists()
        ]
        (package / manifest).write_text("".join(lines))


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def lines_changed(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    return lambda p: edit(p / "data" / "ledger.jsonl", lambda text: "".join(change(text.splitlines(keepends=True))))


TAMPERINGS: dict[str, tuple[Callable[[Path], None], str]] = {
    "byte of an exhibit": (lambda p: (p / "data/exhibits/E-000001.wav").write_bytes(b"onE" * 1000), "file.altered"),
    "exhibit removed": (lambda p: (p / "data/exhibits/E-000001.wav").unlink(), "file.missing"),
    "file added": (lambda p: (p / "data/exhibits/E-000003.wav").write_bytes(b"x"), "file.added"),
    "file added at the top": (lambda p: (p / "note.txt").write_bytes(b"x"), "file.added"),
    "document altered": (lambda p: (p / "data/documents/findings.jsonl").write_bytes(b"[]"), "file.altered"),
    "bag info altered": (lambda p: (p / "bag-info.txt").write_bytes(b"x"), "file.altered"),
    "manifest altered": (
        lambda p: edit(p / "manifest-sha256.txt", lambda t: t.replace("E-000001", "E-000009")),
        "file.altered",
    ),
    "link to the outside": (
        lambda p: (
            (p / "data/exhibits/E-000001.wav").unlink(),
            (p / "data/exhibits/E-000001.wav").symlink_to("/etc/hostname"),
        ),
        "file.outside",
    ),
    "ledger line dropped, manifests redone": (
        lambda p: (lines_changed(lambda ls: ls[1:])(p), rehash(p)),
        "ledger.missing",
    ),
    "ledger lines swapped, manifests redone": (
        lambda p: (lines_changed(lambda ls: ls[::-1])(p), rehash(p)),
        "ledger.missing",
    ),
    "ledger line repeated, manifests redone": (
        lambda p: (lines_changed(lambda ls: [*ls, ls[0]])(p), rehash(p)),
        "ledger.reordered",
    ),
    "ledger line altered, manifests redone": (
        lambda p: (lines_changed(lambda ls: [ls[0].replace("cli", "xxx"), *ls[1:]])(p), rehash(p)),
        "ledger.altered",
    ),
    "exhibit replaced, manifests redone": (
        lambda p: ((p / "data/exhibits/E-000001.wav").write_bytes(b"other"), rehash(p)),
        "exhibit.altered",
    ),
    "exhibit and its list replaced, manifests redone": (
        lambda p: (
            (p / "data/exhibits/E-000002.wav").write_bytes(b"other"),
            edit(
                p / "data/exhibits.jsonl",
                lambda t: t.replace(hashlib.sha256(b"two").hexdigest(), hashlib.sha256(b"other").hexdigest()),
            ),
            rehash(p),
        ),
        "exhibit.ledger",
    ),
    "checkpoint altered, manifests redone": (
        lambda p: (edit(p / "data/checkpoints/000001.txt", lambda t: t.replace("\n2\n", "\n3\n")), rehash(p)),
        "checkpoint.signature",
    ),
    "checkpoint of another key, manifests redone": (
        lambda p: ((p / "data/public-key.txt").write_text(SigningKey.generate().public_key.to_base64()), rehash(p)),
        "checkpoint.signature",
    ),
    "ledger is no JSON": (lambda p: ((p / "data/ledger.jsonl").write_text("x\n"), rehash(p)), "package.unreadable"),
    "key removed": (lambda p: (p / "data/public-key.txt").unlink(), "package.unreadable"),
    "manifest removed": (lambda p: (p / "manifest-sha256.txt").unlink(), "package.unreadable"),
}


@pytest.mark.parametrize("kind", sorted(TAMPERINGS))
def test_tampering_is_named(package: Path, kind: str) -> None:
    tamper, code = TAMPERINGS[kind]
    tamper(package)
    verdict = verify_package(package)
    assert not verdict.holds
    assert code in {problem.code for problem in verdict.problems}


def test_a_package_is_never_written_over_something_else(package: Path) -> None:
    with pytest.raises(PackageRefusedError, match="not empty"):
        write_package(package, content_of([]))


@pytest.mark.parametrize("name", ["../escape.txt", "a/b.txt", ".hidden", "", "x" * 200])
def test_unsafe_document_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PackageRefusedError):
        write_package(tmp_path / "p", content_of([], {name: b""}))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "evidence_store", *arguments], capture_output=True, text=True, check=False
    )


def test_the_command_has_an_exit_code_for_each_outcome(package: Path, tmp_path: Path) -> None:
    good = run("verify", str(package), "--json")
    assert (good.returncode, json.loads(good.stdout)["outcome"]) == (0, "holds")
    (package / "data" / "exhibits" / "E-000001.wav").write_bytes(b"")
    bad = run("verify", str(package))
    assert bad.returncode == 1
    assert "E-000001" in bad.stdout
    assert run("verify", str(tmp_path / "nowhere")).returncode == 2
