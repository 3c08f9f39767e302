"""The application: binds settings, database, languages and the web; the only place that knows all parts."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_babel import Babel

from audit_service import embedded_postgres, web
from audit_service.custody.vault import Vault
from audit_service.database import db, migrate
from audit_service.i18n import LOCALES
from audit_service.logging_setup import configure_logging
from audit_service.settings import ROOT, Settings

TRANSLATIONS = Path(__file__).resolve().parent / "translations"


def create_app(settings: Settings) -> Flask:
    """Build the Flask application for ``settings``; starts the embedded PostgreSQL where no other is named."""
    configure_logging(settings.log_level, settings.log_format)
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    app = Flask(
        "audit_service",
        instance_path=str(settings.instance_dir),
        template_folder="web/templates",
        static_folder="web/static",
    )
    app.config.update(_configuration(settings))
    app.extensions["audit_settings"] = settings
    app.extensions["audit_vault"] = Vault.open(settings)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    _bind_web(app, settings)
    return app


def _bind_web(app: Flask, settings: Settings) -> None:
    babel = Babel()
    babel.init_app(app, locale_selector=web.chosen_locale)
    web.register(app, settings)


def _configuration(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": _database_uri(settings),
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True, "connect_args": {"options": "-c timezone=UTC"}},
        "MAX_CONTENT_LENGTH": settings.upload_max_bytes,
        "BABEL_DEFAULT_LOCALE": settings.default_locale,
        "BABEL_TRANSLATION_DIRECTORIES": str(TRANSLATIONS),
        "LANGUAGES": LOCALES,
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
    }


def _database_uri(settings: Settings) -> str:
    uri = settings.database_url or embedded_postgres.start(settings.instance_dir)
    scheme, _, rest = uri.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else uri
