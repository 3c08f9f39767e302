"""Use-cases of the directory: register organisations from a document, create users and their roles."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.organizations.errors import DuplicateUserError, UserRefusedError
from audit_service.organizations.models import Agency, Agent, Institution, Role, RoleName, User
from audit_service.organizations.queries import (
    agency_by_code,
    institution_by_code,
    institution_codes,
    user_by_email,
)
from audit_service.organizations.registry import Entry, document
from audit_service.organizations.values import JURISDICTIONS, NewUser

__all__ = ["create_user", "ensure_roles", "institution_codes", "register"]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def register(session: Session, registry: Mapping[str, Any]) -> dict[str, int]:
    """Register the institutions, agencies and agents of a registry document; safe to repeat.

    Known ones are brought up to date, nothing is removed. The form is that of ``samples/registry.json``.

    Returns:
        How many of each the document holds.

    Raises:
        RegistryRefusedError: names the path of everything wrong; nothing was stored.
    """
    whole = document(registry)
    return {
        "institutions": _institutions(session, whole),
        "agencies": _agencies(session, whole),
        "agents": _agents(session, whole),
    }


def _institutions(session: Session, whole: Entry) -> int:
    known = {found.code: found for found in session.scalars(select(Institution))}
    owners = {found.name: found.code for found in known.values()}
    entries = list(whole.entries("institutions"))
    for entry in entries:
        code, name = entry.text("code", most=40), entry.text("name", most=200)
        if owners.setdefault(name, code) != code:
            entry.refuse("name", f"{name!r} is the name of the institution {owners[name]!r}")
        institution = known.setdefault(code, Institution(code=code))
        institution.name = name
        institution.jurisdiction = entry.one_of("jurisdiction", JURISDICTIONS)
        institution.timezone = entry.zone("timezone")
    whole.problems.refuse_if_any()
    session.add_all(known.values())
    session.flush()
    return len(entries)


def _agencies(session: Session, whole: Entry) -> int:
    institutions = {found.code: found for found in session.scalars(select(Institution))}
    known = {(found.institution_id, found.code): found for found in session.scalars(select(Agency))}
    entries = list(whole.entries("agencies"))
    for entry in entries:
        institution = entry.known("institution", institutions, what="institution")
        code = entry.text("code", most=40)
        if institution is None:
            continue
        agency = known.setdefault((institution.id, code), Agency(institution_id=institution.id, code=code))
        agency.name = entry.text("name", most=200)
        agency.is_internal = entry.flag("is_internal")
        agency.timezone = entry.zone("timezone", is_required=False) or None
        agency.agent_channel = entry.whole("agent_channel") if "agent_channel" in entry.values else agency.agent_channel
    whole.problems.refuse_if_any()
    session.add_all(known.values())
    session.flush()
    return len(entries)


def _agents(session: Session, whole: Entry) -> int:
    institutions = {found.code: found for found in session.scalars(select(Institution))}
    agencies = {(found.institution_id, found.code): found for found in session.scalars(select(Agency))}
    known = {(found.agency_id, found.staff_number): found for found in session.scalars(select(Agent))}
    entries = list(whole.entries("agents"))
    for entry in entries:
        institution = entry.known("institution", institutions, what="institution")
        if institution is None:
            continue
        of_institution = {code: agency for (owner, code), agency in agencies.items() if owner == institution.id}
        agency = entry.known("agency", of_institution, what=f"agency of {institution.code!r}")
        staff_number = entry.text("staff_number", most=40)
        if agency is None:
            continue
        key = (agency.id, staff_number)
        agent = known.setdefault(key, Agent(agency_id=agency.id, staff_number=staff_number))
        agent.name = entry.text("name", most=100, default="")
    whole.problems.refuse_if_any()
    session.add_all(known.values())
    session.flush()
    return len(entries)


def ensure_roles(session: Session) -> dict[RoleName, Role]:
    """Return all roles of the service, storing those that the database lacks."""
    known = {role.name: role for role in session.scalars(select(Role))}
    for name in RoleName:
        if name.value not in known:
            known[name.value] = Role(name=name.value)
            session.add(known[name.value])
    session.flush()
    return {name: known[name.value] for name in RoleName}


def create_user(session: Session, new: NewUser) -> User:
    """Create a user who may sign in from now on.

    Raises:
        DuplicateUserError: there is a user with this e-mail address.
        UserRefusedError: the address or a role is none, or an agency is named without its institution.
        NotFoundError: there is no such institution or agency.
    """
    email = unicodedata.normalize("NFC", new.email.strip())
    roles = _checked_roles(new)
    if not _EMAIL.fullmatch(email):
        raise UserRefusedError(f"{email!r} is not an e-mail address.", remedy="Write it as name@example.org.")
    if user_by_email(session, email) is not None:
        raise DuplicateUserError(f"There is a user {email} already.", remedy="Change that user's roles instead.")
    institution = None if new.institution_code is None else institution_by_code(session, new.institution_code)
    agency = None
    if institution is not None and new.agency_code is not None:
        agency = agency_by_code(session, institution, new.agency_code)
    stored = ensure_roles(session)
    user = User(
        email=email,
        display_name=new.display_name,
        password=new.password_hash,
        active=True,
        fs_uniquifier=secrets.token_hex(32),
        institution_id=None if institution is None else institution.id,
        agency_id=None if agency is None else agency.id,
        created_at=clock.now(),
        roles=[stored[role] for role in roles],
    )
    session.add(user)
    session.flush()
    detail: dict[str, str | int | bool] = {"roles": ",".join(role.value for role in roles)}
    custody.record(session, Act(Action.USER_CREATED, "user", str(user.id), actor=new.actor, detail=detail))
    return user


def _checked_roles(new: NewUser) -> list[RoleName]:
    choices = ", ".join(RoleName)
    if not new.roles:
        raise UserRefusedError("A user needs a role.", remedy=f"Give at least one of {choices}.")
    unknown = [role for role in new.roles if role not in set(RoleName)]
    if unknown:
        raise UserRefusedError(f"There is no role {unknown[0]!r}.", remedy=f"Choose among {choices}.")
    roles = sorted({RoleName(role) for role in new.roles})
    if new.agency_code is not None and new.institution_code is None:
        raise UserRefusedError("An agency is named without its institution.", remedy="Name the institution too.")
    if RoleName.AGENCY in roles and new.agency_code is None:
        raise UserRefusedError(
            "A user with the role agency belongs to an agency.", remedy="Name the institution and the agency."
        )
    return roles
