"""The directory: organisations registered from a document, users created once with known roles."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from audit_service.custody.models import Action, LedgerRow
from audit_service.database import Session
from audit_service.errors import NotFoundError
from audit_service.organizations import queries, services
from audit_service.organizations.errors import DuplicateUserError, RegistryRefusedError, UserRefusedError
from audit_service.organizations.models import Agency, Agent, Institution, Role, RoleName
from audit_service.organizations.values import NewUser
from tests.intake.files import REGISTRY

NEW = NewUser(
    email="lin@example.org",
    password_hash="$argon2id$…",
    display_name="林静",
    roles=("officer", "lead"),
    institution_code=None,
    agency_code=None,
)


def test_organisations_are_registered_once_and_brought_up_to_date(session: Session) -> None:
    assert services.register(session, REGISTRY) == {"institutions": 2, "agencies": 2, "agents": 1}
    changed = copy.deepcopy(REGISTRY)
    changed["agencies"][0] |= {"name": "恒达资产管理有限公司", "is_internal": True}
    services.register(session, changed)
    anxin = queries.institution_by_code(session, "anxin")
    [agency] = queries.agencies_of(session, anxin)
    assert (agency.name, agency.is_internal) == ("恒达资产管理有限公司", True)
    assert [agent.staff_number for agent in queries.agents_of(session, agency)] == ["8860"]
    assert services.institution_codes(session) == ["anxin", "lakeside"]
    numbers = [session.scalar(select(func.count()).select_from(table)) for table in (Institution, Agency, Agent)]
    assert numbers == [2, 2, 1]


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("$.institutions[1].code", "code", None),
        ("$.institutions[1].name", "name", ["Lakeside"]),
        ("$.institutions[1].name", "name", "安信消费金融"),
        ("$.institutions[1].jurisdiction", "jurisdiction", "mars"),
        ("$.institutions[1].timezone", "timezone", "CST6"),
        ("$.agencies[1].institution", "institution", "nobody"),
        ("$.agencies[1].is_internal", "is_internal", 1),
        ("$.agents[0].agency", "agency", "northfield"),
        ("$.agents[0].staff_number", "staff_number", ""),
        ("$.agents[0].staff_number", "staff_number", "9" * 41),
    ],
)
def test_a_registry_at_fault_is_refused_with_the_path(session: Session, path: str, field: str, value: Any) -> None:
    spoilt = copy.deepcopy(REGISTRY)
    spoilt[path.removeprefix("$.").split("[")[0]][-1][field] = value
    with pytest.raises(RegistryRefusedError) as refusal:
        services.register(session, spoilt)
    assert [problem.field for problem in refusal.value.problems] == [path]
    assert refusal.value.remedy
    session.rollback()


@pytest.mark.parametrize("document", [[], "text", {"institutions": {}}, {"agents": [1]}])
def test_a_document_of_another_shape_is_refused(session: Session, document: Any) -> None:
    with pytest.raises(RegistryRefusedError):
        services.register(session, document)


def test_everything_wrong_is_told_at_once(session: Session) -> None:
    spoilt = copy.deepcopy(REGISTRY)
    for institution in spoilt["institutions"]:
        institution["timezone"] = "nowhere"
    with pytest.raises(RegistryRefusedError) as refusal:
        services.register(session, spoilt)
    assert len(refusal.value.problems) == 2


def test_a_user_is_created_with_roles_and_recorded_in_the_ledger(session: Session) -> None:
    user = services.create_user(session, NEW)
    entry = session.scalars(select(LedgerRow)).one()
    assert (user.email, user.password, user.active) == (NEW.email, NEW.password_hash, True)
    assert {role.name for role in user.roles} == {"officer", "lead"}
    assert (entry.action, entry.object_id) == (Action.USER_CREATED, str(user.id))
    assert "lin@example.org" not in entry.canonical
    assert queries.user_by_email(session, " LIN@example.org ") is user


def test_roles_are_stored_once(session: Session) -> None:
    services.ensure_roles(session)
    services.ensure_roles(session)
    assert sorted(session.scalars(select(Role.name))) == sorted(RoleName)


def test_an_address_is_used_once_whatever_its_case(session: Session) -> None:
    services.create_user(session, NEW)
    with pytest.raises(DuplicateUserError):
        services.create_user(session, replace(NEW, email="Lin@Example.org"))


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ()},
        {"roles": ("emperor",)},
        {"email": "lin"},
        {"agency_code": "hengda"},
        {"roles": ("agency",), "institution_code": "anxin"},
    ],
)
def test_a_user_whose_facts_contradict_is_refused(session: Session, changes: dict[str, Any]) -> None:
    services.register(session, REGISTRY)
    with pytest.raises(UserRefusedError) as refusal:
        services.create_user(session, replace(NEW, **changes))
    assert refusal.value.remedy


def test_a_user_of_an_agency_belongs_to_it(session: Session) -> None:
    services.register(session, REGISTRY)
    new = replace(NEW, roles=("agency",), institution_code="anxin", agency_code="hengda")
    user = services.create_user(session, new)
    anxin = queries.institution_by_code(session, "anxin")
    assert (user.institution_id, user.agency_id) == (
        anxin.id,
        queries.agency_by_code(session, anxin, "hengda").id,
    )


@pytest.mark.parametrize(
    "changes", [{"institution_code": "nobody"}, {"institution_code": "lakeside", "agency_code": "hengda"}]
)
def test_an_unknown_organisation_is_not_found(session: Session, changes: dict[str, Any]) -> None:
    services.register(session, REGISTRY)
    with pytest.raises(NotFoundError):
        services.create_user(session, replace(NEW, **changes))
