"""Custody on the real store and database."""

from __future__ import annotations

import io
import threading

import pytest
from flask import Flask

from audit_service.custody import services as custody
from audit_service.custody.models import Action, Exhibit, ExhibitKind
from audit_service.custody.values import Act, Receipt
from audit_service.custody.vault import Vault
from audit_service.database import Session, db, transaction
from audit_service.errors import NotFoundError

RECEIPT = Receipt(ExhibitKind.PROOF, "text/plain", "../../etc/passwd", "portal", actor="borrower:C-1")


def seal(session: Session, vault: Vault, content: bytes) -> Exhibit:
    return custody.seal(session, vault, io.BytesIO(content), RECEIPT).exhibit


def test_the_same_bytes_are_one_exhibit_and_the_second_receipt_is_on_record(session: Session, vault: Vault) -> None:
    first = custody.seal(session, vault, io.BytesIO(b"same"), RECEIPT)
    second = custody.seal(session, vault, io.BytesIO(b"same"), RECEIPT)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.exhibit.id == second.exhibit.id
    assert [event.action for event in custody.custody_chain(session, first.exhibit)] == [
        Action.SEALED,
        Action.RECOGNISED,
    ]


def test_a_hostile_name_is_kept_as_text_only(session: Session, vault: Vault) -> None:
    exhibit = seal(session, vault, b"content")
    assert exhibit.original_name == "../../etc/passwd"
    with custody.open_exhibit(vault, exhibit) as sealed:
        assert sealed.read() == b"content"


def test_a_rolled_back_receipt_leaves_no_exhibit_and_no_ledger_entry(app: Flask, vault: Vault) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        seal(session, vault, b"lost")
        raise ZeroDivisionError
    with transaction() as session:
        assert list(custody.ledger_entries(session)) == []
        assert seal(session, vault, b"lost").number.startswith("E-")


def test_an_unknown_exhibit_number_is_named(session: Session) -> None:
    with pytest.raises(NotFoundError, match="E-999999"):
        custody.exhibit_by_number(session, "E-999999")


def test_many_writers_at_once_keep_one_order_and_lose_nothing(app: Flask, vault: Vault) -> None:
    def write(writer: int) -> None:
        with app.app_context():
            for number in range(10):
                with transaction() as session:
                    custody.record(session, Act(Action.VIEWED, "contact", f"{writer}-{number}", actor=f"user:{writer}"))
            db.session.remove()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction() as session:
        assert [entry.seq for entry in custody.ledger_entries(session)] == list(range(1, 41))
        custody.sign_checkpoint(session, vault)
        assert custody.verify(session, vault).holds


def test_a_checkpoint_is_signed_once_for_each_growth(session: Session, vault: Vault) -> None:
    assert custody.sign_checkpoint(session, vault) is None
    seal(session, vault, b"one")
    checkpoint = custody.sign_checkpoint(session, vault)
    assert checkpoint is not None
    assert checkpoint.tree_size == 1
    assert custody.sign_checkpoint(session, vault) is None
    assert custody.verify(session, vault).holds


def test_verify_names_the_exhibit_whose_sealed_bytes_were_altered(app: Flask, vault: Vault) -> None:
    with transaction() as session:
        exhibit = seal(session, vault, b"recording" * 1000)
    [stored] = app.extensions["audit_settings"].evidence_dir.rglob(f"{exhibit.sha256}.sealed")
    content = bytearray(stored.read_bytes())
    content[-10] ^= 1
    stored.chmod(0o600)
    stored.write_bytes(content)
    with transaction() as session:
        verdict = custody.verify(session, vault)
    assert not verdict.holds
    assert exhibit.number in str(verdict.problems[0])


def test_verify_names_a_missing_exhibit(app: Flask, vault: Vault) -> None:
    with transaction() as session:
        exhibit = seal(session, vault, b"gone")
    for path in app.extensions["audit_settings"].evidence_dir.rglob(f"*{exhibit.sha256}*"):
        path.unlink()
    with transaction() as session:
        verdict = custody.verify(session, vault)
    assert exhibit.number in str(verdict.problems[0])
