"""Looks up what records name (institutions, agencies, agents, borrowers, …), a whole batch at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from audit_service.contacts.models import Account, Borrower, ContactAttempt, ContactPerson
from audit_service.contacts.values import AttemptRecord
from audit_service.organizations.models import Agency, Agent, Institution

Key = tuple[int, str]


class Directory:
    """Everything that a batch of records refers to, read with a fixed number of queries.

    Each mapping goes from (id of the owner, key within the owner) to the thing.
    """

    def __init__(self, session: Session, records: Sequence[AttemptRecord]) -> None:
        codes = {record.institution for record in records}
        query = select(Institution).where(Institution.code.in_(codes))
        self.institutions = {found.code: found for found in session.scalars(query)}
        owners = [found.id for found in self.institutions.values()]
        self.agencies = _agencies(session, owners)
        self.agents = _agents(session, [found.id for found in self.agencies.values()])
        self.borrowers = self._borrowers(session, records)
        self._read_belongings(session, records)
        self.attempts = self._attempts(session, records)
        self._add_newcomers(session, records)

    def _keys(self, records: Iterable[AttemptRecord], name: str) -> set[Key]:
        return {
            (self.institutions[record.institution].id, getattr(record, name))
            for record in records
            if record.institution in self.institutions
        }

    def _borrowers(self, session: Session, records: Sequence[AttemptRecord]) -> dict[Key, Borrower]:
        keys = self._keys(records, "borrower")
        query = select(Borrower).where(tuple_(Borrower.institution_id, Borrower.reference).in_(keys))
        return {(found.institution_id, found.reference): found for found in session.scalars(query)}

    def _attempts(self, session: Session, records: Sequence[AttemptRecord]) -> dict[Key, ContactAttempt]:
        keys = self._keys(records, "reference")
        query = select(ContactAttempt).where(tuple_(ContactAttempt.institution_id, ContactAttempt.reference).in_(keys))
        return {(found.institution_id, found.reference): found for found in session.scalars(query)}

    def _read_belongings(self, session: Session, records: Sequence[AttemptRecord]) -> None:
        owners = [found.id for found in self.borrowers.values()]
        numbers = {record.account for record in records if record.account}
        accounts = select(Account).where(Account.borrower_id.in_(owners), Account.number.in_(numbers))
        self.accounts = {(found.borrower_id, found.number): found for found in session.scalars(accounts)}
        names = {record.contact_person for record in records if record.contact_person}
        persons = select(ContactPerson).where(ContactPerson.borrower_id.in_(owners), ContactPerson.name.in_(names))
        self.contact_persons = {(found.borrower_id, found.name): found for found in session.scalars(persons)}

    def _add_newcomers(self, session: Session, records: Sequence[AttemptRecord]) -> None:
        """Register agents and contact persons whom a source names for the first time.

        A new hire or a person nobody registered is exactly what an audit must not lose; such a contact person counts
        as unrelated to the debt until someone says otherwise.
        """
        for record in records:
            institution = self.institutions.get(record.institution)
            if institution is None:
                continue
            agency = self.agencies.get((institution.id, record.agency))
            if agency is not None and record.agent and (agency.id, record.agent) not in self.agents:
                agent = Agent(agency_id=agency.id, staff_number=record.agent)
                session.add(agent)
                self.agents[agency.id, record.agent] = agent
            borrower = self.borrowers.get((institution.id, record.borrower))
            name = record.contact_person
            if borrower is not None and name and (borrower.id, name) not in self.contact_persons:
                person = ContactPerson(borrower_id=borrower.id, name=name, is_related=False)
                session.add(person)
                self.contact_persons[borrower.id, name] = person
        session.flush()


def _agencies(session: Session, institutions: Sequence[int]) -> dict[Key, Agency]:
    query = select(Agency).where(Agency.institution_id.in_(institutions))
    return {(found.institution_id, found.code): found for found in session.scalars(query)}


def _agents(session: Session, agencies: Sequence[int]) -> dict[Key, Agent]:
    query = select(Agent).where(Agent.agency_id.in_(agencies))
    return {(found.agency_id, found.staff_number): found for found in session.scalars(query)}
