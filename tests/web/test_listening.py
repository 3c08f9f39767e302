"""The player tells which seconds it played."""

from __future__ import annotations

from flask import Flask

from audit_service.custody.vault import Vault
from audit_service.database import transaction
from tests.factories import contacts, organizations


def test_the_player_reports_over_http(app: Flask, vault: Vault, client_as) -> None:
    with transaction() as session:
        lender = organizations.institution(session)
        agency = organizations.agency(session, lender)
        attempt = contacts.attempt(session, contacts.borrower(session, lender), agency)
        number = contacts.recording(session, vault, attempt).id
    address = f"/officer/recordings/{number}/played"
    officer = client_as("officer")
    assert officer.post(address, data={"start": "0.2", "end": "1.5"}).status_code == 204
    assert officer.post(address, data={"start": "x"}).status_code == 422


def test_an_auditor_listens_for_no_verdict(client_as) -> None:
    assert client_as("auditor").post("/officer/recordings/1/played").status_code == 403
