"""Refusals of the contact log."""

from __future__ import annotations

from audit_service.errors import InputRefusedError


class NumberRefusedError(InputRefusedError):
    """A telephone number cannot be understood."""

    code = "contacts.number_refused"
