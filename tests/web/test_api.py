"""The interface of the lender's systems: keys, resumable uploads, what became of a file."""

from __future__ import annotations

import base64
import hashlib

import pytest
from flask import Flask
from flask.testing import FlaskClient

from audit_service.custody.vault import Vault
from audit_service.database import transaction
from audit_service.intake.models import IntakeItem, ItemState
from audit_service.jobs.tasks import receive_batch
from audit_service.organizations import keys
from audit_service.organizations.models import ApiKey
from tests.factories.contacts import tone_wav

PIECE = "application/offset+octet-stream"


def metadata(**pairs: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


@pytest.fixture
def secret(app: Flask) -> str:
    with transaction() as session:
        return keys.create_key(session, "dialler").secret


@pytest.fixture
def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()  # with CSRF protection on, as in the service


def test_an_upload_that_breaks_off_at_sixty_percent_goes_on_and_arrives_whole(
    app: Flask, client: FlaskClient, bearer: dict[str, str], vault: Vault
) -> None:
    content = tone_wav(3.0)
    sha256 = hashlib.sha256(content).hexdigest()
    described = {"Upload-Length": str(len(content)), "Upload-Metadata": metadata(filename="call-9.wav", sha256=sha256)}
    opened = client.post("/api/v1/uploads", headers=bearer | described)
    assert opened.status_code == 201
    place, batch = opened.headers["Location"], opened.get_json()
    cut = len(content) * 6 // 10
    client.patch(place, data=content[:cut], content_type=PIECE, headers=bearer | {"Upload-Offset": "0"})
    here = int(client.head(place, headers=bearer).headers["Upload-Offset"])
    assert here == cut
    rest = client.patch(place, data=content[here:], content_type=PIECE, headers=bearer | {"Upload-Offset": str(here)})
    assert (rest.status_code, rest.headers["Upload-Offset"]) == (204, str(len(content)))
    assert client.post(batch["finish"], headers=bearer).get_json() == {"files": 1}
    receive_batch(app.extensions["audit_settings"], vault, batch["batch"])
    state = client.get(f"/api/v1/files/{sha256}", headers=bearer).get_json()
    assert (state["sha256"], state["state"], state["reason_code"]) == (sha256, "quarantined", "sidecar.missing")
    with transaction() as session:
        item = session.query(IntakeItem).one()
        assert (item.route, item.state, item.name) == ("api", ItemState.QUARANTINED, "call-9.wav")
        assert item.exhibit is not None
        assert item.exhibit.sha256 == sha256


def test_bytes_that_are_not_those_announced_are_refused_and_nothing_is_kept(
    client: FlaskClient, bearer: dict[str, str]
) -> None:
    described = {"Upload-Length": "3", "Upload-Metadata": metadata(filename="a.wav", sha256="0" * 64)}
    opened = client.post("/api/v1/uploads", headers=bearer | described)
    place = opened.headers["Location"]
    answer = client.patch(place, data=b"abc", content_type=PIECE, headers=bearer | {"Upload-Offset": "0"})
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.get_json()["remedy"]
    assert client.head(place, headers=bearer).headers["Upload-Offset"] == "0"
    assert client.post(opened.get_json()["finish"], headers=bearer).status_code == 422


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer cas_wrong", "Basic abc", "Bearer not-ours"])
def test_without_a_key_in_use_nothing_is_answered(client: FlaskClient, secret: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = client.post("/api/v1/uploads", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.get_json()["code"] == "api.key"


def test_a_revoked_key_and_an_officers_session_open_nothing(
    client: FlaskClient, bearer: dict[str, str], client_as
) -> None:
    assert client.post("/api/v1/uploads", headers=bearer).status_code == 201
    with transaction() as session:
        keys.revoke_key(session, "dialler")
    assert client.post("/api/v1/uploads", headers=bearer).status_code == 401
    assert client_as("officer").post("/api/v1/uploads").status_code == 401


def test_one_keys_batch_is_not_anothers(client: FlaskClient, bearer: dict[str, str]) -> None:
    batch = client.post("/api/v1/uploads", headers=bearer).get_json()
    with transaction() as session:
        other = {"Authorization": f"Bearer {keys.create_key(session, 'other').secret}"}
    assert client.post(batch["finish"], headers=other).status_code == 404


def test_only_the_digest_of_a_key_is_stored_and_its_use_noted(
    client: FlaskClient, bearer: dict[str, str], secret: str
) -> None:
    client.post("/api/v1/uploads", headers=bearer)
    with transaction() as session:
        key = session.query(ApiKey).one()
        assert key.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
        assert secret not in f"{key.__dict__}"
        assert key.last_used_at is not None


def test_an_unknown_file_and_a_wrong_method_are_problems_as_documents(
    client: FlaskClient, bearer: dict[str, str]
) -> None:
    assert client.get(f"/api/v1/files/{'0' * 64}", headers=bearer).get_json()["code"] == "not_found"
    assert client.get("/api/v1/nothing", headers=bearer).status_code == 404
