"""Export everything stored about one email address."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from email_validator import validate_email
from sqlalchemy import (
    ColumnElement,
    Select,
    TableClause,
    and_,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..accounts.audit_log import Actor, AuditEntry, AuditKind
from ..accounts.members import DeskSession, Member, Passkey, SignInLink
from ..assess.models import Assessment
from ..book.hosts.models import Host, held_about
from ..book.models import Booking, TimeCell
from ..db.base import Base, rows_changed
from ..emails.models import DeliveryEvent, ErasureJob, OutboxMessage
from ..emails.outbox import NEVER_KEPT, TO_VISITORS
from ..funnel.queries import Rows
from ..leads import capture
from ..leads.models import Consent, EventKind, Lead, LeadEvent, Note
from ..settings import Settings
from ..web.tokens import derived_token
from .models import Suppression

# Not exported: secrets that open something, and copies of other columns
# for sorting and searching.
SECRET = {
    *("token_hash", "id_hash", "share_hash", "share_uid"),
    *("submission_key", "lease_token", "dedupe_key", "digest", "url"),
    *("sort_name", "sought", "mailbox"),
}


OPENS = {"answers", "key"}  # facts of an email that give its link


@dataclass(frozen=True)
class Holding:
    """Rows of one table that belong to one person, or are past their retention."""

    of: TableClause
    where: ColumnElement[bool]

    @property
    def name(self) -> str:
        return self.of.name

    def count(self, session: Session) -> int:
        return session.scalar(select(func.count()).select_from(self.of).where(self.where)) or 0

    def erase(self, session: Session) -> int:
        return rows_changed(session, delete(self.of).where(self.where))

    def rows(self, session: Session) -> list[dict[str, Any]]:
        shown = [one for one in self.of.columns if one.name not in SECRET]
        first, *_ = self.of.columns  # sort by key, for a stable order
        found = session.execute(select(*shown).where(self.where).order_by(first)).mappings()
        return [{name: _plain(value) for name, value in row.items()} for row in found]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def export_data(session: Session, settings: Settings, address: str) -> dict[str, list[dict]]:
    """Return all data about an address for JSON, as {table: rows}; times are UTC.

    Leaves out secrets (hashes of links, keys of forms) and the text
    of emails with a sign-in link. Raises ValueError for an invalid address.
    """
    person = Person(session, settings, address)
    holdings = [*person.of_the_lead(), *person.of_staff(), *person.of_erasures()]
    found = {held.name: held.rows(session) for held in holdings}
    for mail in found["outbox"]:
        if mail["kind"] in NEVER_KEPT:
            mail["body"] = mail["facts"] = None
        elif mail["facts"]:
            mail["facts"] = {k: v for k, v in mail["facts"].items() if k not in OPENS}
    return found


def export_noted(
    session: Session, settings: Settings, address: str, by: Actor
) -> dict[str, list[dict]]:
    """Return the data of `export_data`, and record the export in the audit log."""
    held = export_data(session, settings, address)
    numbers = [row["id"] for row in held["lead"]]
    subject = f"lead {numbers[0]}" if numbers else "address without a lead"
    by.note(session, AuditKind.EXPORTED, subject)
    return held


class Person:
    """The rows about one address."""

    def __init__(self, session: Session, settings: Settings, address: str) -> None:
        self.address = capture.normalize_email(address.strip())
        self.digest = derived_token(settings.secret, "suppression", self.address)
        self.lead = self.lead_row().scalar_subquery()
        self.forms = _forms(session, address, self.address)
        is_on_team = self.forms & {one.lower() for one in settings.sales_to}
        self.is_staff = bool(is_on_team) or self.is_staff_still(session)

    def lead_row(self) -> Select[int]:
        return select(Lead.id).where(Lead.address == self.address)

    def of_the_lead(self) -> Iterator[Holding]:
        """Yield the visitor's rows, in an order in which they can be deleted."""
        yield from of_leads(Lead.address == self.address, self._mails(), self._assessments())

    def counted(self) -> Rows:
        """Select the rows that the funnel keeps as counts once they are erased."""
        return Rows(self._assessments(), Booking.lead_id == self.lead, Lead.id == self.lead)

    def of_staff(self) -> Iterator[Holding]:
        """Yield the data about a member of the desk or a host."""
        members = select(Member.id).where(self.member())
        for model, where in held_about(select(Host.id).where(self.host())):
            yield rows_of(model, where)
        yield rows_of(Member, self.member())
        yield rows_of(SignInLink, SignInLink.member_id.in_(members))
        yield rows_of(Passkey, Passkey.member_id.in_(members))
        yield rows_of(DeskSession, DeskSession.member_id.in_(members))
        yield rows_of(AuditEntry, AuditEntry.member_id.in_(members))

    def of_erasures(self) -> Iterator[Holding]:
        """Yield what an erasure of the address leaves."""
        yield rows_of(Suppression, Suppression.digest == self.digest)
        yield rows_of(ErasureJob, self._written_in(ErasureJob.address))

    def member(self) -> ColumnElement[bool]:
        return Member.email == self.address

    def host(self) -> ColumnElement[bool]:
        return self._written_in(Host.email)

    def written_to(self) -> ColumnElement[bool]:
        return self._written_in(OutboxMessage.address)

    def corrected(self) -> Select[Lead]:
        """Select the leads that had this address until it was corrected.

        It may belong to someone else, so their data isn't exported or erased by it. Erasing it
        only removes the address itself from the texts about them.
        """
        to_them = (OutboxMessage.kind.in_(TO_VISITORS), self.written_to())
        sent = select(OutboxMessage.lead_id).where(*to_them)
        named = LeadEvent.detail["note"].as_string().icontains(self.address, autoescape=True)
        combined = (LeadEvent.kind == EventKind.COMBINED, named)
        had_it = sent.union(select(LeadEvent.lead_id).where(*combined))
        return select(Lead).where(Lead.id.in_(had_it), Lead.address != self.address)

    def is_staff_still(self, session: Session) -> bool:
        """Say whether there is still a member or host with this address."""
        session.flush()
        found = (select(Member.id).where(self.member()), select(Host.id).where(self.host()))
        return any(session.scalar(one.limit(1)) is not None for one in found)

    def their_mails(self) -> ColumnElement[bool]:
        """Select emails to the person, also to an address that they had mistyped."""
        to_them = or_(self._written_in(OutboxMessage.address), OutboxMessage.kind.in_(TO_VISITORS))
        return and_(self._mails(), to_them)

    def _assessments(self) -> ColumnElement[bool]:
        """Select the lead's answers, and those of their calls unless another lead has them."""
        of_calls = select(Assessment.id).join(Booking, Booking.assessment_id == Assessment.id)
        with_a_call = of_calls.where(Booking.lead_id == self.lead, Assessment.lead_id.is_(None))
        # A union, because PostgreSQL reads the whole table for an OR.
        own = select(Assessment.id).where(Assessment.lead_id == self.lead)
        return Assessment.id.in_(own.union(with_a_call))

    def _mails(self) -> ColumnElement[bool]:
        """Select the emails about the lead, to anyone, and those to the address.

        Staff's emails about other leads belong to those leads.
        """
        to_them = self._written_in(OutboxMessage.address)
        if self.is_staff:
            to_them = and_(to_them, OutboxMessage.lead_id.is_(None))
        return or_(OutboxMessage.lead_id == self.lead, to_them)

    def _written_in(self, kept_as_typed: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Select by a column with addresses as they were typed."""
        # SQLite lower-cases only ASCII letters, so also compare the typed form.
        return or_(kept_as_typed.in_(self.forms), func.lower(kept_as_typed).in_(self.forms))


def _forms(session: Session, typed: str, address: str) -> set[str]:
    """Return the forms in which a typed address may be stored."""
    known = session.scalar(select(Lead.email).where(Lead.address == address))
    readable = validate_email(address, check_deliverability=False, test_environment=True)
    forms = {address, typed.strip(), readable.normalized, known or address}
    return forms | {form.lower() for form in forms}


def rows_of(model: type[Base], where: ColumnElement[bool]) -> Holding:
    """Return the rows of a model's table that `where` selects."""
    return Holding(model.__table__, where)


def of_leads(
    leads: ColumnElement[bool],
    mails: ColumnElement[bool] | None = None,
    answers: ColumnElement[bool] | None = None,
) -> Iterator[Holding]:
    """Yield all rows of leads, in an order in which they can be deleted.

    `mails` and `answers` select the emails and self-assessments if others belong to them, too.
    """
    ids = select(Lead.id).where(leads)
    mails = OutboxMessage.lead_id.in_(ids) if mails is None else mails
    calls = Booking.lead_id.in_(ids)
    told = DeliveryEvent.outbox_id.in_(select(OutboxMessage.id).where(mails))
    yield rows_of(DeliveryEvent, told)
    yield rows_of(OutboxMessage, mails)
    yield rows_of(Assessment, Assessment.lead_id.in_(ids) if answers is None else answers)
    yield rows_of(TimeCell, TimeCell.booking_id.in_(select(Booking.id).where(calls)))
    yield rows_of(Booking, calls)
    for model in (LeadEvent, Consent, Note):
        yield rows_of(model, model.lead_id.in_(ids))
    yield rows_of(Lead, leads)
