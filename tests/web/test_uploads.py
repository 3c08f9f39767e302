"""Uploads over HTTP: the form, and tus 1.0.0 piece by piece."""

from __future__ import annotations

import base64
import io

import pytest
from flask import Flask

from audit_service.intake.uploads import Staging


def metadata(**pairs: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def staging_of(app: Flask) -> Staging:
    settings = app.extensions["audit_settings"]
    return Staging(settings.uploads_dir, settings.upload_max_bytes)


def test_a_file_is_sent_in_pieces_and_its_batch_handed_over(app: Flask, client_as) -> None:
    client = client_as("officer")
    opened = client.post("/officer/uploads/").get_json()
    made = client.post(
        opened["create"], headers={"Upload-Length": "6", "Upload-Metadata": metadata(filename="通话.wav")}
    )
    assert (made.status_code, made.headers["Tus-Resumable"]) == (201, "1.0.0")
    place = made.headers["Location"]
    kind = "application/offset+octet-stream"
    first = client.patch(place, data=b"abc", content_type=kind, headers={"Upload-Offset": "0"})
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "3")
    assert client.patch(place, data=b"abc", content_type=kind, headers={"Upload-Offset": "0"}).status_code == 409
    assert client.head(place).headers["Upload-Offset"] == "3"
    assert client.post(opened["finish"]).status_code == 422
    assert client.patch(place, data=b"def", content_type=kind, headers={"Upload-Offset": "3"}).status_code == 204
    assert client.post(opened["finish"]).get_json()["files"] == 1
    assert [file.name for file in staging_of(app).staged(opened["batch"])[1]] == ["通话.wav"]
    assert "正在接收" in client.get("/officer/intake").get_data(as_text=True)


def test_requests_that_are_not_tus_are_refused(client_as) -> None:
    client = client_as("officer")
    opened = client.post("/officer/uploads/").get_json()
    assert client.post(opened["create"]).status_code == 422
    broken = {"Upload-Length": "3", "Upload-Metadata": "filename ***"}
    assert client.post(opened["create"], headers=broken).status_code == 422
    good = {"Upload-Length": "3", "Upload-Metadata": metadata(filename="a.wav")}
    place = client.post(opened["create"], headers=good).headers["Location"]
    assert client.patch(place, data=b"abc", headers={"Upload-Offset": "0"}).status_code == 422


def test_the_form_hands_its_files_over_without_script(app: Flask, client_as) -> None:
    client = client_as("lead")
    files = [(io.BytesIO(b"abc"), "a.wav"), (io.BytesIO(b"{}"), "a.json")]
    assert client.post("/officer/uploads/form", data={"files": files}).status_code == 302
    assert staging_of(app).waiting() == 1
    assert client.post("/officer/uploads/form", data={}).status_code == 422


@pytest.mark.parametrize(("role", "is_offered"), [("officer", True), ("auditor", False)])
def test_only_who_may_review_is_offered_the_form(client_as, role: str, *, is_offered: bool) -> None:
    assert ('id="upload"' in client_as(role).get("/officer/intake").get_data(as_text=True)) is is_offered
