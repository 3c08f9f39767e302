"""Who may call which route. A route that names nobody fails at start-up; everything not public needs a role."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from audit_service.organizations.models import RoleName

PUBLIC = "public"
BY_KEY = "by key"
"""Programs of the lender with a bearer key; the blueprint of the interface checks it before any view."""
REVIEWERS = (RoleName.OFFICER, RoleName.LEAD, RoleName.ADMINISTRATOR)
READERS = (*REVIEWERS, RoleName.AUDITOR)

# Routes of libraries, which cannot carry our decorator.
LIBRARY_ROUTES: dict[str, tuple[str, ...]] = {
    "static": (PUBLIC,),
    "security.login": (PUBLIC,),
    "security.logout": (PUBLIC,),
    "security.verify": (PUBLIC,),
    "security.static": (PUBLIC,),
}
ATTRIBUTE = "allowed_roles"
View = TypeVar("View", bound=Callable[..., object])


def allow(*roles: str) -> Callable[[View], View]:
    """Say who may call a view: roles, or ``PUBLIC``."""

    def mark(view: View) -> View:
        setattr(view, ATTRIBUTE, tuple(str(role) for role in roles))
        return view

    return mark


def roles_of(app: Flask, endpoint: str) -> tuple[str, ...] | None:
    """Return who may call an endpoint; None if nobody said."""
    return LIBRARY_ROUTES.get(endpoint) or getattr(app.view_functions[endpoint], ATTRIBUTE, None)


def enforce(app: Flask) -> None:
    """Check every request against the policy, and refuse to start with a route that has none.

    Raises:
        RuntimeError: a route names nobody.
    """
    silent = sorted(endpoint for endpoint in app.view_functions if roles_of(app, endpoint) is None)
    if silent:
        raise RuntimeError(f"routes without a policy: {', '.join(silent)}")
    app.before_request(_check)


def _check() -> Response | None:
    if request.endpoint is None:
        return None
    allowed = roles_of(current_app, request.endpoint) or ()
    if {PUBLIC, BY_KEY} & set(allowed):
        return None
    if not current_user.is_authenticated:
        return redirect(url_for("security.login", next=request.path))
    if not any(current_user.has_role(role) for role in allowed):
        abort(403)
    return None
