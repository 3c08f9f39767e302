"""Use-case of exports: write a sealed package for someone outside, and write down that it was handed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.custody import services as custody
from audit_service.custody.models import Action, Exhibit, LedgerRow
from audit_service.custody.values import Act
from audit_service.custody.vault import Vault
from audit_service.errors import InputRefusedError, IntegrityFailedError
from audit_service.exports.documents import DOCUMENTS, lines
from audit_service.exports.models import Export
from audit_service.exports.readme import readme
from audit_service.exports.selection import Selection, chosen_exhibits, select_for
from audit_service.exports.values import ExportRequest
from evidence_store import EvidenceError, LedgerEntry, PackageContent, PackagedExhibit, write_package

EXTENSIONS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/ogg": "ogg",
    "audio/amr": "amr",
    "audio/flac": "flac",
    "audio/x-ms-wma": "wma",
    "application/pdf": "pdf",
    "application/json": "json",
    "text/csv": "csv",
    "text/plain": "txt",
    "image/jpeg": "jpg",
    "image/png": "png",
}


def export(session: Session, vault: Vault, folder: Path, request: ExportRequest) -> Export:
    """Write what ``request`` names into ``folder``, as a package that its recipient can verify offline.

    A checkpoint is signed just before, so that the package's ledger ends with one. The ledger is always whole: leaving
    entries out would break its chain. It holds no personal data.

    Raises:
        InputRefusedError: the folder is not empty, or recipient or purpose is missing.
        NotFoundError: the request names a complaint or an exhibit that does not exist.
        IntegrityFailedError: an exhibit is not what was sealed; the folder then holds an unfinished package.
    """
    _refuse_incomplete(folder, request)
    selection = select_for(session, request)
    custody.sign_checkpoint(session, vault)
    export_row = _draft(session, request)
    export_row.exhibits = _count(session, selection)
    content = _content(session, vault, selection, export_row)
    try:
        export_row.manifest_sha256 = write_package(folder, content)
    except EvidenceError as error:
        raise IntegrityFailedError(
            f"The package could not be written: {error}", remedy="Run `audit-service verify`, then export again."
        ) from error
    session.add(export_row)
    session.flush()
    _record(session, selection, export_row, request)
    return export_row


def _refuse_incomplete(folder: Path, request: ExportRequest) -> None:
    if not request.recipient.strip() or not request.purpose.strip():
        raise InputRefusedError(
            "An export needs a recipient and a purpose.", remedy="Name both; the ledger keeps them."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputRefusedError(
            f"{folder} is not an empty folder.", remedy="Name a new folder; nothing is overwritten."
        )


def _draft(session: Session, request: ExportRequest) -> Export:
    identity = int(session.scalar(select(func.nextval(func.pg_get_serial_sequence("exports", "id")))) or 0)
    now = clock.now()
    return Export(
        id=identity,
        number=f"X-{now.year}-{identity:06d}",
        recipient=request.recipient,
        purpose=request.purpose,
        ledger_size=session.scalar(select(func.count()).select_from(LedgerRow)) or 0,
        created_at=now,
    )


def _count(session: Session, selection: Selection) -> int:
    return session.scalar(select(func.count()).select_from(Exhibit).where(selection.exhibits)) or 0


def _content(session: Session, vault: Vault, selection: Selection, export_row: Export) -> PackageContent:
    documents = {name: b"".join(lines(records(session, selection))) for name, records in DOCUMENTS.items()}
    documents["README.txt"] = readme(export_row).encode()
    return PackageContent(
        exhibits=_packaged(session, vault, selection),
        entries=_entries(session),
        checkpoints=custody.checkpoint_notes(session),
        public_key=vault.signing_key.public_key,
        documents=documents,
        info={
            "Source-Organization": vault.origin,
            "External-Identifier": export_row.number,
            "Bagging-Date": f"{export_row.created_at:%Y-%m-%d}",
            "Contact-Name": export_row.recipient,
            "External-Description": export_row.purpose,
        },
    )


def _entries(session: Session) -> Iterator[LedgerEntry]:
    """Yield the ledger; the query begins with the first entry taken, so that a failure before it leaves none open."""
    yield from custody.ledger_entries(session)


def _packaged(session: Session, vault: Vault, selection: Selection) -> Iterator[PackagedExhibit]:
    for exhibit in list(chosen_exhibits(session, selection)):
        yield PackagedExhibit(
            number=exhibit.number,
            sha256=exhibit.sha256,
            size_bytes=exhibit.size_bytes,
            media_type=exhibit.media_type,
            original_name=exhibit.original_name,
            extension=EXTENSIONS.get(exhibit.media_type, "bin"),
            opener=_opener(vault, exhibit),
        )


def _opener(vault: Vault, exhibit: Exhibit) -> Callable[[], BinaryIO]:
    return lambda: cast("BinaryIO", custody.open_exhibit(vault, exhibit))


def _record(session: Session, selection: Selection, export_row: Export, request: ExportRequest) -> None:
    """Write the export to the ledger once, and to the chain of custody of each exhibit handed over."""
    detail: dict[str, str | int | bool] = {
        "exhibits": export_row.exhibits,
        "ledger_size": export_row.ledger_size,
        "manifest_sha256": export_row.manifest_sha256,
        "recipient": request.recipient,
        "purpose": request.purpose,
    }
    custody.record(session, Act(Action.EXPORTED, "export", export_row.number, actor=request.actor, detail=detail))
    for exhibit in chosen_exhibits(session, selection):
        act = Act(Action.EXPORTED, "exhibit", exhibit.number, actor=request.actor, detail={"export": export_row.number})
        custody.record(session, act, exhibit=exhibit)
