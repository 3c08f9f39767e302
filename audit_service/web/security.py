"""Sign-in of officers by Flask-Security."""

from __future__ import annotations

from flask import Flask
from flask_security import Security, SQLAlchemySessionUserDatastore

from audit_service.database import request_session
from audit_service.organizations.models import Role, User
from audit_service.settings import Settings


def bind_security(app: Flask, settings: Settings) -> None:
    """Bind Flask-Security to the application's users and roles."""
    app.config.update(
        SECURITY_PASSWORD_SALT=settings.password_salt,
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of a scheme
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_POST_LOGIN_VIEW="/officer/",
        SECURITY_POST_LOGOUT_VIEW="/sign-in",
        SECURITY_SEND_REGISTER_EMAIL=False,
    )
    app.extensions["audit_security"] = Security(app, SQLAlchemySessionUserDatastore(request_session(), User, Role))
