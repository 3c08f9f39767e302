"""Named reads of the directory of organisations."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit_service.errors import NotFoundError
from audit_service.organizations.models import Agency, Agent, Institution, User


def institution_codes(session: Session) -> list[str]:
    """Return the codes of all institutions, sorted."""
    return list(session.scalars(select(Institution.code).order_by(Institution.code)))


def institution_by_code(session: Session, code: str) -> Institution:
    """Return the institution with this code.

    Raises:
        NotFoundError: there is none.
    """
    institution = session.scalar(select(Institution).where(Institution.code == code))
    if institution is None:
        raise NotFoundError(f"There is no institution {code}.", remedy="Register it first, or correct the code.")
    return institution


def agency_by_code(session: Session, institution: Institution, code: str) -> Agency:
    """Return the agency that works for ``institution`` under this code.

    Raises:
        NotFoundError: there is none.
    """
    query = select(Agency).where(Agency.institution_id == institution.id, Agency.code == code)
    agency = session.scalar(query)
    if agency is None:
        raise NotFoundError(
            f"There is no agency {code} of {institution.code}.", remedy="Register it first, or correct the code."
        )
    return agency


def agencies_of(session: Session, institution: Institution) -> list[Agency]:
    """Return the agencies of an institution, by name."""
    query = select(Agency).where(Agency.institution_id == institution.id).order_by(Agency.name, Agency.id)
    return list(session.scalars(query))


def agents_of(session: Session, agency: Agency) -> list[Agent]:
    """Return the agents of an agency, by staff number."""
    query = select(Agent).where(Agent.agency_id == agency.id).order_by(Agent.staff_number)
    return list(session.scalars(query))


def user_by_email(session: Session, email: str) -> User | None:
    """Return the user who signs in with this address, whatever its case; None if there is none."""
    return session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))


def institution_choices(session: Session) -> list[tuple[str, str]]:
    """Return code and name of every institution, by name, for a form to choose from."""
    rows = session.execute(select(Institution.code, Institution.name).order_by(Institution.name))
    return [(code, name) for code, name in rows]
