"""Institutions, agencies, agents, users."""

from __future__ import annotations

import itertools

from sqlalchemy import select

from audit_service import clock
from audit_service.database import Session
from audit_service.organizations.models import Agency, Agent, Institution, Role, User

_numbers = itertools.count(1)


def institution(session: Session, *, jurisdiction: str = "cn", name: str = "") -> Institution:
    number = next(_numbers)
    made = Institution(
        code=f"inst-{number}",
        name=name or f"安信消费金融{number}",
        jurisdiction=jurisdiction,
        timezone="Asia/Shanghai" if jurisdiction == "cn" else "America/Chicago",
    )
    session.add(made)
    session.flush()
    return made


def agency(session: Session, owner: Institution, *, name: str = "恒达资产管理") -> Agency:
    made = Agency(institution_id=owner.id, code=f"ag-{next(_numbers)}", name=name)
    session.add(made)
    session.flush()
    return made


def agent(session: Session, employer: Agency, *, staff_number: str = "") -> Agent:
    made = Agent(agency_id=employer.id, staff_number=staff_number or f"{1000 + next(_numbers)}")
    session.add(made)
    session.flush()
    return made


def user(session: Session, *, role: str = "officer", email: str = "") -> User:
    number = next(_numbers)
    named = session.scalar(select(Role).where(Role.name == role)) or Role(name=role)
    made = User(
        email=email or f"user-{number}@example.org",
        display_name=f"用户{number}",
        password="x",
        fs_uniquifier=f"u-{number}",
        created_at=clock.now(),
        roles=[named],
    )
    session.add(made)
    session.flush()
    return made
