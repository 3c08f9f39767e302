"""Use-cases of the contact log: register borrowers and what belongs to them, record contact attempts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service.contacts.attempts import record_attempt, record_attempts
from audit_service.contacts.errors import NumberRefusedError
from audit_service.contacts.models import Account, Borrower, ContactPerson, Stage
from audit_service.contacts.numbers import e164
from audit_service.database import Base
from audit_service.organizations.models import Institution
from audit_service.organizations.registry import Entry, document

__all__ = ["record_attempt", "record_attempts", "register"]

_LANGUAGES = ("zh", "en")
Institutions = Mapping[str, Institution]
Borrowers = dict[str, dict[str, Borrower]]
"""By the institution's code and the borrower's reference."""


def register(session: Session, registry: Mapping[str, Any]) -> dict[str, int]:
    """Register the borrowers, accounts and contact persons of a registry document; safe to repeat.

    Known ones are brought up to date, nothing is removed. The institutions must have been registered before.

    Returns:
        How many of each the document holds.

    Raises:
        RegistryRefusedError: names the path of everything wrong; nothing was stored.
    """
    whole = document(registry)
    institutions = {found.code: found for found in session.scalars(select(Institution))}
    return {
        "borrowers": _borrowers(session, whole, institutions),
        "accounts": _accounts(session, whole, institutions),
        "contact_persons": _contact_persons(session, whole, institutions),
    }


def _borrowers(session: Session, whole: Entry, institutions: Institutions) -> int:
    entries = list(whole.entries("borrowers"))
    known = _named_borrowers(session, entries, "reference", institutions)
    for entry in entries:
        institution = entry.known("institution", institutions, what="institution")
        reference = entry.text("reference", most=60)
        if institution is None:
            continue
        new = Borrower(institution_id=institution.id, reference=reference)
        borrower = known.setdefault(institution.code, {}).setdefault(reference, new)
        borrower.name = entry.text("name", most=100, default="")
        borrower.phone = _phone(entry, institution)
        borrower.language = entry.one_of("language", _LANGUAGES, default="") or _language_of(institution)
        borrower.timezone = entry.zone("timezone", is_required=False) or None
    things = (borrower for of_institution in known.values() for borrower in of_institution.values())
    return _stored(session, whole, entries, things)


def _accounts(session: Session, whole: Entry, institutions: Institutions) -> int:
    entries = list(whole.entries("accounts"))
    borrowers = _named_borrowers(session, entries, "borrower", institutions)
    numbers = _texts(entries, "number")
    known = {found.number: found for found in session.scalars(select(Account).where(Account.number.in_(numbers)))}
    for entry in entries:
        borrower = _owner(entry, borrowers)
        number = entry.text("number", most=60)
        if borrower is None:
            continue
        account = known.setdefault(number, Account(number=number, borrower_id=borrower.id))
        if account.borrower_id != borrower.id:
            entry.refuse("number", f"{number!r} is the account of another borrower")
        account.product = entry.text("product", most=100, default="")
        account.stage = Stage(entry.one_of("stage", list(Stage), default=Stage.EARLY.value))
        account.principal_minor = entry.whole("principal_minor")
        account.currency = entry.text("currency", most=3, default="CNY")
        account.overdue_since_on = entry.day("overdue_since_on")
    return _stored(session, whole, entries, known.values())


def _contact_persons(session: Session, whole: Entry, institutions: Institutions) -> int:
    entries = list(whole.entries("contact_persons"))
    borrowers = _named_borrowers(session, entries, "borrower", institutions)
    owners = [borrower.id for of_institution in borrowers.values() for borrower in of_institution.values()]
    query = select(ContactPerson).where(ContactPerson.borrower_id.in_(owners))
    known = {(found.borrower_id, found.name): found for found in session.scalars(query)}
    for entry in entries:
        borrower = _owner(entry, borrowers)
        name = entry.text("name", most=100)
        if borrower is None:
            continue
        new = ContactPerson(borrower_id=borrower.id, name=name)
        person = known.setdefault((borrower.id, name), new)
        person.relation = entry.text("relation", most=40, default="")
        person.is_related = entry.flag("is_related")
        person.phone = _phone(entry, institutions[str(entry.values["institution"]).strip()])
    return _stored(session, whole, entries, known.values())


def _stored(session: Session, whole: Entry, entries: Sequence[Entry], things: Iterable[Base]) -> int:
    whole.problems.refuse_if_any()
    session.add_all(things)
    session.flush()
    return len(entries)


def _texts(entries: Iterable[Entry], name: str) -> set[str]:
    """Return the texts under ``name`` as they are looked up; what is no text is refused where it is read."""
    values = (entry.values.get(name) for entry in entries)
    return {unicodedata.normalize("NFC", value.strip()) for value in values if isinstance(value, str)}


def _named_borrowers(session: Session, entries: Sequence[Entry], name: str, institutions: Institutions) -> Borrowers:
    """Return the stored borrowers that the entries name."""
    query = select(Borrower).where(Borrower.reference.in_(_texts(entries, name)))
    codes = {institution.id: code for code, institution in institutions.items()}
    named: Borrowers = {}
    for found in session.scalars(query):
        named.setdefault(codes[found.institution_id], {})[found.reference] = found
    return named


def _owner(entry: Entry, borrowers: Borrowers) -> Borrower | None:
    institution = entry.text("institution", most=40)
    return entry.known("borrower", borrowers.get(institution, {}), what=f"borrower of {institution!r}")


def _language_of(institution: Institution) -> str:
    return "zh" if institution.jurisdiction == "cn" else "en"


def _phone(entry: Entry, institution: Institution) -> str:
    text = entry.text("phone", most=40, default="")
    try:
        return e164(text, institution.jurisdiction) if text else ""
    except NumberRefusedError as error:
        entry.refuse("phone", error.message)
        return ""
