"""Headers of every answer: nothing inline, nothing from elsewhere, nothing kept by the browser that is personal."""

from __future__ import annotations

from flask import Flask, request
from flask.wrappers import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def bind_headers(app: Flask, *, is_secure: bool) -> None:
    """Add the headers to every answer of ``app``; HSTS only where pages are served over HTTPS."""

    def add(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if request.endpoint != "static":
            headers["Cache-Control"] = "no-store"
        if is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response

    app.after_request(add)
