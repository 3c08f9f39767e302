"""Plain values that pass into and out of the directory of organisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit_service.custody.values import SYSTEM


@dataclass(frozen=True)
class NewUser:
    """A person, or a lender's system, who shall be able to sign in.

    Attributes:
        email: the name to sign in with; compared without regard to case.
        password_hash: as the caller's password scheme made it; a plain password never comes here.
        display_name: shown on pages and in reports.
        roles: values of ``RoleName``, at least one.
        institution_code: the institution the user belongs to; None for one who sees all of them.
        agency_code: the agency, for users of an agency; needs ``institution_code``.
        actor: who creates the user, for the ledger.
    """

    email: str
    password_hash: str
    display_name: str
    roles: Sequence[str]
    institution_code: str | None
    agency_code: str | None
    actor: str = SYSTEM


JURISDICTIONS = ("cn", "us", "uk", "in")
"""The jurisdictions an institution may belong to; each chooses rule packs and clocks."""
