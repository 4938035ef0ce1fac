"""Privacy: everything held about one address, and erasing it everywhere.

People are found by address, never by name. Members of the desk and hosts are staff: what is held
about them is exported, but erasing an address does not fire anybody; they are removed where they
were added.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from email_validator import validate_email
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    TableClause,
    and_,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from . import audit, leads
from .assess.models import Assessment
from .audit import AuditEntry, AuditKind
from .book.host_models import Host, held_about
from .book.models import Booking, TimeCell
from .db import Base, Database, rows_changed
from .emails import erasures
from .emails.lease import NEVER_KEPT
from .emails.models import DeliveryEvent, ErasureJob, OutboxMessage
from .funnel import kept
from .funnel.facts import Rows
from .leads import Consent, Lead, LeadEvent, Note
from .members import DeskSession, Member, SignInLink
from .security import derived_token
from .settings import Settings

# No part of the answer to "what do you hold about me?": what opens something, and what only says
# once more, for sorting and searching, what stands beside it.
SECRET = {
    *("token_hash", "id_hash", "share_hash", "share_uid"),
    *("submission_key", "lease_token", "dedupe_key", "digest", "url"),
    *("sort_name", "sought"),
}

log = logging.getLogger(__name__)


class Suppression(Base):
    """The mark that an erased address leaves: that it was erased, and when.

    The digest is keyed, so that whoever steals the database cannot try addresses against it.
    """

    __tablename__ = "suppression"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


@dataclass(frozen=True)
class Holding:
    """Rows of one table that belong to one person, or whose time is over."""

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
        first, *_ = self.of.columns  # the key: the same rows come in the same order
        found = session.execute(select(*shown).where(self.where).order_by(first)).mappings()
        return [{name: _plain(value) for name, value in row.items()} for row in found]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def export(session: Session, settings: Settings, address: str) -> dict[str, list[dict]]:
    """Return everything held about an address, as {table: rows} fit for JSON; times are UTC.

    What would open something (hashes of links, keys of forms) is left out, and so is the text
    of a mail that holds a sign-in link. Raises ValueError for what is no address.
    """
    person = _Person(session, settings, address)
    holdings = [*person.of_the_lead(), *person.of_staff(), person.suppression(), person.jobs()]
    found = {held.name: held.rows(session) for held in holdings}
    for mail in found["outbox"]:
        if mail["kind"] in NEVER_KEPT:
            mail["body"] = None
    return found


def erase(
    session: Session, settings: Settings, address: str, at: datetime, by: int | None = None
) -> dict[str, int]:
    """Erase what is held about an address and return how much, as {table: rows}.

    `by` is the id of the member who does it, for the audit trail, which holds the lead's number.

    Calls give their time back. Nothing is mailed: a cancellation would be one more thing to
    erase. What remains is the keyed digest of the address and the log line, which holds counts
    only; and, until the mail provider has taken over to erase the address too, the promise to
    ask it. Mails that lie in a folder are not the database's: see `erase_everywhere`. Raises
    ValueError for what is no address.
    """
    person = _Person(session, settings, address)
    lead_id = session.scalar(person.lead_row().with_for_update())  # as whoever adds to it does
    kept.keep(session, person.counted())
    erasures.ask(session, settings, person.their_mails(), at)
    counts = {held.name: held.erase(session) for held in person.of_the_lead()}
    mark = session.get(Suppression, person.digest)
    if mark is None:
        session.add(mark := Suppression(digest=person.digest))
    mark.at = at
    subject = f"lead {lead_id}" if lead_id else "address without a lead"
    audit.note(session, by, AuditKind.ERASED, subject, at, rows=sum(counts.values()))
    log.info("erased one address", extra={"counts": counts})
    return counts


def erase_everywhere(
    database: Database, settings: Settings, address: str, at: datetime, by: int | None = None
) -> dict[str, int]:
    """Erase an address from the database, then from the folder of mails; return how much."""
    counts = database.write(lambda session: erase(session, settings, address, at, by))
    database.forget()
    return counts | {"files": sweep_folder(database, settings.mail_folder)}


def sweep_folder(database: Database, folder: Path) -> int:
    """Delete the mails in a folder that the outbox no longer knows; return how many."""
    with database.read() as session:
        known = set(session.scalars(select(OutboxMessage.id)))
    swept = [file for file in folder.glob("*.eml") if file.stem.rpartition("-")[2] not in known]
    for file in swept:
        file.unlink(missing_ok=True)
    return len(swept)


class _Person:
    """Where the rows of one address are."""

    def __init__(self, session: Session, settings: Settings, address: str) -> None:
        self.address = leads.normalize(address.strip())
        self.digest = derived_token(settings.secret, "suppression", self.address)
        self.lead = self.lead_row().scalar_subquery()
        self.forms = _forms(session, address, self.address)
        self.is_staff = self._is_staff(session, settings)

    def lead_row(self) -> Select[int]:
        return select(Lead.id).where(Lead.address == self.address)

    def of_the_lead(self) -> Iterator[Holding]:
        """Yield the visitor's rows, in an order in which they can be deleted."""
        calls = select(Booking.id).where(Booking.lead_id == self.lead)
        mails = select(OutboxMessage.id).where(self._mails())
        yield rows_of(DeliveryEvent, DeliveryEvent.outbox_id.in_(mails))
        yield rows_of(OutboxMessage, self._mails())
        yield rows_of(Assessment, self._assessments())
        yield rows_of(TimeCell, TimeCell.booking_id.in_(calls))
        yield rows_of(Booking, Booking.lead_id == self.lead)
        yield rows_of(LeadEvent, LeadEvent.lead_id == self.lead)
        yield rows_of(Consent, Consent.lead_id == self.lead)
        yield rows_of(Note, Note.lead_id == self.lead)
        yield rows_of(Lead, Lead.address == self.address)

    def counted(self) -> Rows:
        """Select what the funnel keeps as numbers once it is erased."""
        return Rows(self._assessments(), Booking.lead_id == self.lead, Lead.id == self.lead)

    def of_staff(self) -> Iterator[Holding]:
        """Yield what is held about a member of the desk or a host."""
        members = select(Member.id).where(Member.email == self.address)
        for model, where in held_about(select(Host.id).where(self._written_in(Host.email))):
            yield rows_of(model, where)
        yield rows_of(Member, Member.email == self.address)
        yield rows_of(SignInLink, SignInLink.member_id.in_(members))
        yield rows_of(DeskSession, DeskSession.member_id.in_(members))
        yield rows_of(AuditEntry, AuditEntry.member_id.in_(members))

    def suppression(self) -> Holding:
        return rows_of(Suppression, Suppression.digest == self.digest)

    def jobs(self) -> Holding:
        return rows_of(ErasureJob, self._written_in(ErasureJob.address))

    def their_mails(self) -> ColumnElement[bool]:
        """Select what was written to the address itself."""
        return and_(self._mails(), self._written_in(OutboxMessage.address))

    def _assessments(self) -> ColumnElement[bool]:
        with_a_call = select(Booking.assessment_id).where(
            Booking.lead_id == self.lead, Booking.assessment_id.is_not(None)
        )
        return or_(Assessment.lead_id == self.lead, Assessment.id.in_(with_a_call))

    def _mails(self) -> ColumnElement[bool]:
        """Select the mails about the lead, to whomever, and those to the address.

        Those that staff got about other leads are about those leads.
        """
        to_them = self._written_in(OutboxMessage.address)
        if self.is_staff:
            to_them = and_(to_them, OutboxMessage.lead_id.is_(None))
        return or_(OutboxMessage.lead_id == self.lead, to_them)

    def _written_in(self, kept_as_typed: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Select by a column that keeps addresses as they were typed."""
        # SQLite lower-cases ASCII letters only, so the typed form is asked for as well.
        return or_(kept_as_typed.in_(self.forms), func.lower(kept_as_typed).in_(self.forms))

    def _is_staff(self, session: Session, settings: Settings) -> bool:
        if self.forms & {address.lower() for address in settings.sales_to}:
            return True
        staff = [held for held in self.of_staff() if held.name in {"host", "member"}]
        return any(held.count(session) for held in staff)


def _forms(session: Session, typed: str, address: str) -> set[str]:
    """Return the forms in which an address may be stored where it is kept as it was typed."""
    known = session.scalar(select(Lead.email).where(Lead.address == address))
    readable = validate_email(address, check_deliverability=False, test_environment=True)
    forms = {address, typed.strip(), readable.normalized, known or address}
    return forms | {form.lower() for form in forms}


def rows_of(model: type[Base], where: ColumnElement[bool]) -> Holding:
    """Return the rows of a model's table that `where` selects."""
    return Holding(model.__table__, where)
