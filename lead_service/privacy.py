"""Privacy: everything held about one address, erasing it everywhere, and not keeping it for ever.

People are found by address, never by name. Members of the desk and hosts are staff: what is held
about them is exported, but erasing an address does not fire anybody; they are removed where they
were added.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from email_validator import validate_email
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    TableClause,
    and_,
    column,
    delete,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from . import leads
from .assess.models import Assessment
from .book.host_models import Host, held_about
from .book.models import Booking, TimeCell
from .db import Base, Database, UtcDateTime
from .emails.lease import NEVER_KEPT
from .emails.models import OutboxMessage
from .leads import Consent, Lead, LeadEvent
from .security import derived_token
from .settings import Settings

LOOSE_MAIL = timedelta(days=30)  # mails that are over and belong to no lead, as those of the desk
SIGN_IN = timedelta(days=30)  # older than any link and any session can be

OVER = ("sent", "failed", "dead", "expired", "cancelled")
# What opens something: no part of the answer to "what do you hold about me?".
SECRET = {
    *("token_hash", "id_hash", "share_hash", "share_uid"),
    *("submission_key", "lease_token", "dedupe_key", "digest", "url"),
}

log = logging.getLogger(__name__)


def _desk_table(name: str, *columns: str) -> TableClause:
    """Name a table of the desk, which comes after privacy and so cannot be imported here."""
    return table(
        name, *(column(one, UtcDateTime if one.endswith("_at") else None) for one in columns)
    )


MEMBER = _desk_table("member", "id", "email", "name", "role", "created_at", "removed_at")
SIGN_IN_LINK = _desk_table("sign_in_link", "member_id", "created_at", "expires_at", "used_at")
DESK_SESSION = _desk_table("desk_session", "member_id", "created_at", "seen_at", "ended_at")


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
        return session.execute(delete(self.of).where(self.where)).rowcount

    def rows(self, session: Session) -> list[dict[str, Any]]:
        shown = [one for one in self.of.columns if one.name not in SECRET]
        found = session.execute(select(*shown).where(self.where)).mappings()
        return [{name: _plain(value) for name, value in row.items()} for row in found]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def export(session: Session, settings: Settings, address: str) -> dict[str, list[dict]]:
    """Return everything held about an address, as {table: rows} fit for JSON; times are UTC.

    What would open something (hashes of links, keys of forms) is left out, and so is the text
    of a mail that holds a sign-in link. Raises ValueError for what is no address.
    """
    person = _Person(session, settings, address)
    holdings = [*person.of_the_lead(), *person.of_staff(), person.suppression()]
    found = {held.name: held.rows(session) for held in holdings}
    for mail in found["outbox"]:
        if mail["kind"] in NEVER_KEPT:
            mail["body"] = None
    return found


def erase(session: Session, settings: Settings, address: str, at: datetime) -> dict[str, int]:
    """Erase what is held about an address and return how much, as {table: rows}.

    Calls give their time back. Nothing is mailed: a cancellation would be one more thing to
    erase. What remains is the keyed digest of the address and the log line, which holds counts
    only. Mails that lie in a folder are not the database's: see `erase_everywhere`. Raises
    ValueError for what is no address.
    """
    person = _Person(session, settings, address)
    session.scalar(person.lead_row().with_for_update())  # as whoever adds to the lead does
    counts = {held.name: held.erase(session) for held in person.of_the_lead()}
    mark = session.get(Suppression, person.digest)
    if mark is None:
        session.add(mark := Suppression(digest=person.digest))
    mark.at = at
    log.info("erased one address", extra={"counts": counts})
    return counts


def erase_everywhere(
    database: Database, settings: Settings, address: str, at: datetime
) -> dict[str, int]:
    """Erase an address from the database, then from the folder of mails; return how much."""
    counts = database.write(lambda session: erase(session, settings, address, at))
    database.forget()
    return counts | {"files": sweep_folder(database, settings.mail_folder)}


def retention(
    session: Session, now: datetime, settings: Settings, dry_run: bool = False
) -> dict[str, int]:
    """Erase what has been kept for long enough, and return how much, as {table: rows}.

    A dry run counts the same and changes nothing. The log line holds counts only.
    """
    counts = {
        held.name: held.count(session) if dry_run else held.erase(session)
        for held in _outlived(now, settings)
    }
    log.info("retention", extra={"dry_run": dry_run, "counts": counts})
    return counts


def run_retention(
    database: Database, settings: Settings, now: datetime, dry_run: bool = False
) -> dict[str, int]:
    """Do `retention` in one transaction, then clear the folder of mails; return how much."""
    counts = database.write(lambda session: retention(session, now, settings, dry_run))
    if not dry_run:
        database.forget()
    return counts if dry_run else counts | {"files": sweep_folder(database, settings.mail_folder)}


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

    def lead_row(self) -> Select[tuple[int]]:
        return select(Lead.id).where(Lead.address == self.address)

    def of_the_lead(self) -> Iterator[Holding]:
        """Yield the visitor's rows, in an order in which they can be deleted."""
        calls = select(Booking.id).where(Booking.lead_id == self.lead)
        with_a_call = select(Booking.assessment_id).where(
            Booking.lead_id == self.lead, Booking.assessment_id.is_not(None)
        )
        yield _held(OutboxMessage, self._mails())
        yield _held(
            Assessment, or_(Assessment.lead_id == self.lead, Assessment.id.in_(with_a_call))
        )
        yield _held(TimeCell, TimeCell.booking_id.in_(calls))
        yield _held(Booking, Booking.lead_id == self.lead)
        yield _held(LeadEvent, LeadEvent.lead_id == self.lead)
        yield _held(Consent, Consent.lead_id == self.lead)
        yield _held(Lead, Lead.address == self.address)

    def of_staff(self) -> Iterator[Holding]:
        """Yield what is held about a member of the desk or a host."""
        members = select(MEMBER.c.id).where(MEMBER.c.email == self.address)
        for model, where in held_about(select(Host.id).where(self._written_in(Host.email))):
            yield _held(model, where)
        yield Holding(MEMBER, MEMBER.c.email == self.address)
        yield Holding(SIGN_IN_LINK, SIGN_IN_LINK.c.member_id.in_(members))
        yield Holding(DESK_SESSION, DESK_SESSION.c.member_id.in_(members))

    def suppression(self) -> Holding:
        return _held(Suppression, Suppression.digest == self.digest)

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


def _outlived(now: datetime, settings: Settings) -> Iterator[Holding]:
    """Yield what has been kept for long enough, in an order in which it can be deleted."""
    since = now - timedelta(days=settings.retention_days)
    active = select(Booking.lead_id).where(Booking.starts_at >= since)
    idle = and_(Lead.touched_at < since, Lead.id.not_in(active))
    idle_leads = select(Lead.id).where(idle)
    idle_calls = select(Booking.id).where(Booking.lead_id.in_(idle_leads))
    yield _held(
        OutboxMessage,
        or_(
            OutboxMessage.lead_id.in_(idle_leads),
            and_(
                OutboxMessage.lead_id.is_(None),
                OutboxMessage.state.in_(OVER),
                OutboxMessage.created_at < now - LOOSE_MAIL,
            ),
        ),
    )
    yield _held(Assessment, or_(Assessment.lead_id.in_(idle_leads), _anonymous(now, settings)))
    yield _held(TimeCell, TimeCell.booking_id.in_(idle_calls))
    yield _held(Booking, Booking.lead_id.in_(idle_leads))
    yield _held(LeadEvent, LeadEvent.lead_id.in_(idle_leads))
    yield _held(Consent, Consent.lead_id.in_(idle_leads))
    yield _held(Lead, idle)
    yield Holding(SIGN_IN_LINK, SIGN_IN_LINK.c.created_at < now - SIGN_IN)
    ended = DESK_SESSION.c.ended_at.is_not(None)
    yield Holding(DESK_SESSION, or_(ended, DESK_SESSION.c.created_at < now - SIGN_IN))


def _anonymous(now: datetime, settings: Settings) -> ColumnElement[bool]:
    """Select answers that nobody came back to, or that no lead belongs to, for long enough."""
    abandoned = now - timedelta(days=settings.abandoned_days)
    unclaimed = now - timedelta(days=settings.unclaimed_days)
    with_a_call = select(Booking.assessment_id).where(Booking.assessment_id.is_not(None))
    return and_(
        Assessment.lead_id.is_(None),
        Assessment.id.not_in(with_a_call),
        or_(
            and_(Assessment.completed_at.is_(None), Assessment.touched_at < abandoned),
            Assessment.touched_at < unclaimed,
        ),
    )


def _held(model: type[Base], where: ColumnElement[bool]) -> Holding:
    return Holding(model.__table__, where)
