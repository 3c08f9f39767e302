"""Tables of institutions, agencies, agents, users and roles."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

# The account row is what Flask-Security signs in; the mixins add methods only, no request is touched here.
from flask_security import RoleMixin, UserMixin
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Integer,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audit_service.database import Base


class RoleName(StrEnum):
    """Who a user is to the service; ``audit_service.web.policy`` says what each may do."""

    OFFICER = "officer"
    LEAD = "lead"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    AGENCY = "agency"
    REGULATOR = "regulator"
    SERVICE = "service"


class Institution(Base):
    """A lender; its jurisdiction chooses rule packs and clocks."""

    __tablename__ = "institutions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    jurisdiction: Mapped[str] = mapped_column(String(8))
    timezone: Mapped[str] = mapped_column(String(64))


class Agency(Base):
    """An outside collection agency, or the institution's own overdue-processing centre (``is_internal``).

    ``timezone`` is that of the place it calls from; ``agent_channel`` is the channel of its agents where its recorder
    always uses the same one. Both None where nobody said.
    """

    __tablename__ = "agencies"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    is_internal: Mapped[bool] = mapped_column(Boolean, default=False)
    timezone: Mapped[str | None] = mapped_column(String(64))
    agent_channel: Mapped[int | None] = mapped_column(Integer)

    institution: Mapped[Institution] = relationship()

    __table_args__ = (UniqueConstraint("institution_id", "code"),)


class Agent(Base):
    """A collector, known by staff number within the agency."""

    __tablename__ = "agents"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    agency_id: Mapped[int] = mapped_column(ForeignKey("agencies.id"))
    staff_number: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100), default="")

    agency: Mapped[Agency] = relationship()

    __table_args__ = (UniqueConstraint("agency_id", "staff_number"),)


user_roles = Table(
    "user_roles",
    Base.metadata,
    Column("user_id", ForeignKey("users.id"), primary_key=True),
    Column("role_id", ForeignKey("roles.id"), primary_key=True),
)


class Role(Base, RoleMixin):
    """A role of ``RoleName``."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    description: Mapped[str] = mapped_column(String(200), default="")


class User(Base, UserMixin):
    """A person, or a lender's system, that signs in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    display_name: Mapped[str] = mapped_column(String(100), default="")
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agencies.id"))
    created_at: Mapped[datetime]

    # The mixin declares a list of its own role type; a mapped class must name the mapped one.
    roles: Mapped[list[Role]] = relationship(secondary=user_roles, lazy="selectin")  # type: ignore[assignment]


class ApiKey(Base):
    """A key with which a lender's system hands files in; only the digest of its secret is stored.

    The secret has 256 random bits, so a plain SHA-256 of it cannot be searched.
    """

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
