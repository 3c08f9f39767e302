"""A signed-in client for each role."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from audit_service.cli.context import hash_password
from audit_service.database import transaction
from audit_service.organizations import services as organizations
from audit_service.organizations.values import NewUser
from audit_service.settings import ROOT
from tests.factories import organizations as factories

PASSWORD = "a long enough password"


@pytest.fixture(scope="session", autouse=True)
def compiled_catalogues() -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "babel.messages.frontend",
            "-q",
            "compile",
            "-d",
            str(ROOT / "audit_service" / "translations"),
        ],
        check=True,
    )


@pytest.fixture
def add_user(app: Flask) -> Callable[[str], str]:
    def add(role: str) -> str:
        email = f"{role}-{uuid.uuid4().hex[:6]}@example.org"
        with transaction() as session:
            lender = factories.institution(session)
            employer = factories.agency(session, lender)
            new = NewUser(
                email=email,
                password_hash=hash_password(app, PASSWORD),
                display_name=role,
                roles=(role,),
                institution_code=lender.code,
                agency_code=employer.code if role == "agency" else None,
            )
            organizations.create_user(session, new)
        return email

    return add


@pytest.fixture
def client_as(app: Flask, add_user: Callable[[str], str]) -> Callable[[str], FlaskClient]:
    def sign_in(role: str) -> FlaskClient:
        app.config["WTF_CSRF_ENABLED"] = False
        client = app.test_client()
        g.pop("_login_user", None)  # the test's own application context remembers who signed in before
        if role != "anonymous":
            answer = client.post("/sign-in", data={"email": add_user(role), "password": PASSWORD})
            assert answer.status_code == 302, answer.get_data(as_text=True)
        return client

    return sign_in
