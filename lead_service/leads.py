"""Leads: one per address, and everything that happened with each of them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    event,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import (
    Mapped,
    Session,
    mapped_column,
    relationship,
)

from .db import Base, StoredEnum, broken_rule, insert_unless, values
from .members import Member

SUSPECTED = " (suspected to be automated)"  # what the team is told of a lead in quarantine
ONE_EACH = "uq_lead_address"
SORTED_BY = 80  # characters of a name that its place in a list depends on


class Stage(StrEnum):
    """How far the sales team has come with a lead."""

    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    WON = "won"
    LOST = "lost"


CLOSED = (Stage.WON, Stage.LOST)


class EventKind(StrEnum):
    """What a line of a lead's timeline tells; `desk.timeline.LABELS` words it."""

    CALL_BOOKED = "call_booked"
    CALL_MOVED = "call_moved"
    CALL_REASSIGNED = "call_reassigned"
    CALL_CANCELLED = "call_cancelled"
    CALL_HELD = "call_held"
    CALL_MISSED = "call_missed"
    CALL_UNMARKED = "call_unmarked"
    ADDRESS_CORRECTED = "address_corrected"
    WANTED_START = "wanted_start"
    WROTE = "wrote"
    RESULT_MAILED = "result_mailed"
    RELEASED = "released"
    MAIL_DELIVERED = "mail_delivered"
    MAIL_BOUNCED = "mail_bounced"
    MAIL_DROPPED = "mail_dropped"
    MAIL_REPORTED = "mail_reported"
    STAGE_CHANGED = "stage_changed"
    OWNER_CHANGED = "owner_changed"
    NEXT_ACTION_CHANGED = "next_action_changed"
    DETAILS_CHANGED = "details_changed"


def _only(name: str, column: str, where: str, **other: str) -> Index:
    """Index the few rows that need somebody, however many leads there are."""
    return Index(
        name,
        column,
        postgresql_where=text(other.get("postgresql", where)),
        sqlite_where=text(where),
    )


class Lead(Base):
    """A person who wrote to us, found by their address."""

    __tablename__ = "lead"
    __table_args__ = (
        UniqueConstraint("address"),
        CheckConstraint(f"stage IN {values(Stage)}", name="stage"),
        Index(None, "stage", "touched_at"),
        Index(None, "owner_id", "touched_at"),
        _only(
            "ix_lead_unowned", "touched_at", f"owner_id IS NULL AND stage NOT IN {values(CLOSED)}"
        ),
        _only("ix_lead_suspected", "touched_at", "quarantine = 1", postgresql="quarantine"),
        _only("ix_lead_bounced", "touched_at", "bounced_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(320))  # see normalize()
    email: Mapped[str] = mapped_column(String(320))  # as typed, for writing to
    name: Mapped[str] = mapped_column(String(200), default="")
    company: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str] = mapped_column(String(60), default="")
    stage: Mapped[Stage] = mapped_column(StoredEnum(Stage, 20), default=Stage.NEW)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey(Member.id))
    next_action: Mapped[str] = mapped_column(String(200), default="")
    next_action_on: Mapped[date | None] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(default=1)  # rises with every change that a member makes
    bounced_at: Mapped[datetime | None]  # a mail came back: the address does not work
    # Suspected to be automated: kept and shown, but no mail leaves for it until it is released.
    quarantine: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(index=True)
    touched_at: Mapped[datetime] = mapped_column(index=True)
    # Both derived: one order and one search on both databases, of which SQLite knows the upper
    # and lower case of ASCII only.
    sort_name: Mapped[str] = mapped_column(String(SORTED_BY), index=True)
    sought: Mapped[str] = mapped_column(Text)

    owner: Mapped[Member | None] = relationship()
    events: Mapped[list["LeadEvent"]] = relationship(
        back_populates="lead", order_by="LeadEvent.id", cascade="all, delete-orphan"
    )
    consents: Mapped[list["Consent"]] = relationship(
        order_by="Consent.id.desc()", cascade="all, delete-orphan"
    )
    notes: Mapped[list["Note"]] = relationship(
        order_by="Note.id.desc()", cascade="all, delete-orphan"
    )


@event.listens_for(Lead, "before_insert")
@event.listens_for(Lead, "before_update")
def _derive(_mapper, _connection, lead: Lead) -> None:
    for name, value in _derived(lead.name, lead.company, lead.email, lead.address).items():
        setattr(lead, name, value)


def _derived(name: str, company: str, email: str, address: str) -> dict[str, str]:
    known = (name, company, email, address)
    return {
        "sort_name": (name or email).casefold()[:SORTED_BY],
        "sought": "\n".join(one.casefold() for one in known if one),
    }


class LeadEvent(Base):
    """One line of a lead's timeline: what happened, when, and the details that belong to it."""

    __tablename__ = "lead_event"
    __table_args__ = (UniqueConstraint("submission_key"), Index(None, "kind", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    kind: Mapped[EventKind] = mapped_column(StoredEnum(EventKind, 40))
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    submission_key: Mapped[str | None] = mapped_column(String(64))  # of the form that made it

    lead: Mapped[Lead] = relationship(back_populates="events")

    @property
    def is_visitors(self) -> bool:
        """Say whether the visitor did it, and neither a member nor the post."""
        return not {"member", "mail"} & self.detail.keys()


class Consent(Base):
    """What a person was told and chose: the version of the wording, the choice, when, where."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    wording: Mapped[str] = mapped_column(String(40))
    may_contact: Mapped[bool]
    source: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


CONSENT = insert(Consent.__table__).inline()


class Note(Base):
    """What a member wrote down about a lead."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey(Member.id))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)


BY_ADDRESS = select(Lead).where(Lead.address == bindparam("address")).with_for_update()


def normalize(email: str) -> str:
    """Return the form of an address by which a lead is found.

    The domain is compared in punycode and the whole in lower case: in theory the part before
    the @ is case-sensitive (RFC 5321, 2.4), in practice nobody has two mailboxes that differ
    by it and many people type a capital first letter. Raises ValueError.
    """
    try:
        checked = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as fault:
        raise ValueError(str(fault)) from None
    return f"{checked.local_part}@{checked.ascii_domain}".lower()


@dataclass(frozen=True)
class Captured:
    """What a form needs of the lead that it made or found.

    Not the lead itself: for one that has just been inserted, the session would take longer to
    make an object of it than the database took to keep it.
    """

    id: int
    email: str
    address: str
    name: str
    company: str
    phone: str
    quarantine: bool
    is_new: bool


def capture(
    session: Session,
    *,
    email: str,
    at: datetime,
    address: str = "",
    name: str = "",
    company: str = "",
    phone: str = "",
    quarantine: bool = False,
) -> Captured:
    """Find or make the one lead of an address, and lock it.

    `address` is `email` in the form that `normalize` gives it, where that is known already.
    What is typed fills empty fields only: anybody can type anybody's address, so a later form
    must not overwrite what we know (the form's own text is kept in its event). A new lead
    takes the suspicion of its form; a known one keeps its own standing.
    """
    address = address or normalize(email)
    given = {"email": email, "address": address, "name": name, "company": company, "phone": phone}
    times = {"created_at": at, "touched_at": at}
    derived = _derived(name, company, email, address)
    new = given | times | derived | {"quarantine": quarantine}
    lead = None
    while lead is None:  # it may be erased after it was in the way, before it is found
        if lead_id := insert_unless(session, Lead, "address", **new):
            return Captured(id=lead_id, is_new=True, quarantine=quarantine, **given)
        lead = _find(session, address)
    lead.name = lead.name or name
    lead.company = lead.company or company
    lead.phone = lead.phone or phone
    lead.touched_at = at
    known = {name: getattr(lead, name) for name in (*given, "id", "quarantine")}
    return Captured(is_new=False, **known)


def find(session: Session, email: str) -> Lead | None:
    """Find the lead of an address, in whatever form it is typed, and lock it."""
    return _find(session, normalize(email))


def correct(session: Session, lead: Lead, email: str) -> bool:
    """Give a lead the address that was meant; False, and nothing done, when another has it."""
    try:
        with session.begin_nested():
            lead.address, lead.email, lead.bounced_at = normalize(email), email, None
    except IntegrityError as error:
        if broken_rule(error) != ONE_EACH:
            raise
        return False
    return True


def absorb(session: Session, right: Lead, wrong: Lead) -> None:
    """Move what happened with a lead of a mistyped address to the one that was meant."""
    for model in (LeadEvent, Consent, Note):
        session.execute(update(model).where(model.lead_id == wrong.id).values(lead_id=right.id))


def _find(session: Session, address: str) -> Lead | None:
    return session.scalar(BY_ADDRESS, {"address": address})


def record(session: Session, lead: Lead, kind: EventKind, at: datetime, **detail: Any) -> LeadEvent:
    """Add a line to the lead's timeline."""
    event = LeadEvent(lead=lead, kind=kind, at=at, detail=detail)
    session.add(event)
    lead.touched_at = max(lead.touched_at, at)
    return event


def record_once(
    session: Session, lead: Captured, kind: EventKind, at: datetime, *, key: str, **detail: Any
) -> bool:
    """Add a line to the timeline, unless the form that `key` names has added it before."""
    values = {"lead_id": lead.id, "kind": kind, "at": at, "detail": detail}
    return bool(insert_unless(session, LeadEvent, "submission_key", submission_key=key, **values))


def add_note(session: Session, lead: Lead, member_id: int, text: str, at: datetime) -> Note:
    """Keep what a member wrote down about a lead."""
    note = Note(lead_id=lead.id, member_id=member_id, at=at, text=text)
    session.add(note)
    lead.touched_at = max(lead.touched_at, at)
    return note


def record_consent(
    session: Session, lead: Captured, *, wording: str, may_contact: bool, source: str, at: datetime
) -> None:
    """Keep the proof of what was asked and answered."""
    values = {"lead_id": lead.id, "wording": wording, "source": source, "at": at}
    session.connection().execute(CONSENT, values | {"may_contact": may_contact})
