"""Entry point for WSGI servers."""

from audit_service.app import create_app
from audit_service.settings import Settings

app = create_app(Settings.from_environment())
