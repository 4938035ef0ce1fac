"""The tables of leads, their timeline, consents and notes."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import (
    Mapped,
    mapped_column,
    relationship,
)

from ..accounts.members import Member
from ..db.base import NUMBERS_FOR_LIFE, Base, LabeledEnum, StoredEnum, values
from ..formats import tel_number
from . import touch
from .company import company_domain
from .contact_details import ContactDetails

SORTED_BY = 80  # characters of a name that lists are sorted by


class Stage(LabeledEnum):
    """How far the sales team has come with a lead."""

    NEW = "new", "New"
    CONTACTED = "contacted", "Contacted"
    QUALIFIED = "qualified", "Qualified"
    WON = "won", "Won"
    LOST = "lost", "Lost"


CLOSED = (Stage.WON, Stage.LOST)


class EventKind(LabeledEnum):
    """The kinds of events in a lead's timeline, with their words there."""

    CALL_BOOKED = "call_booked", "Booked a call"
    CALL_MOVED = "call_moved", "The call was rescheduled"
    CALL_REASSIGNED = "call_reassigned", "The call was reassigned"
    CALL_CANCELLED = "call_cancelled", "The call was canceled"
    CALL_ATTENDED = "call_held", "The call took place"
    CALL_MISSED = "call_missed", "The call did not take place"
    CALL_UNMARKED = "call_unmarked", "The outcome of the call was cleared"
    ADDRESS_CONFIRMED = "address_confirmed", "Confirmed their email address"
    INVITED_AGAIN = "invited_again", "We invited them to book again"
    ADDRESS_CORRECTED = "address_corrected", "Corrected their email address"
    COMBINED = "combined", "Combined with another lead"
    WANTED_START = "wanted_start", "Tried to book a time that had just been taken"
    WROTE = "wrote", "Wrote to us"
    TALKED = "talked", "Talked to us"
    RESULT_MAILED = "result_mailed", "Had the result emailed"
    ANSWERS_TAKEN_BACK = (
        "answers_taken_back",
        "The owner of the self-assessment used it with another address",
    )
    MARKED_AS_SPAM = "marked_as_spam", "Marked as spam"
    RELEASED = "released", "Released: not spam"
    MAIL_DELIVERED = "mail_delivered", "An email was delivered"
    MAIL_BOUNCED = "mail_bounced", "An email bounced"
    MAIL_DROPPED = "mail_dropped", "An email was not delivered"
    MAIL_REPORTED = "mail_reported", "Marked our email as spam"
    STAGE_CHANGED = "stage_changed", "Changed the stage"
    OWNER_CHANGED = "owner_changed", "Assigned the lead to"
    NEXT_ACTION_CHANGED = "next_action_changed", "Changed the next action"
    DETAILS_CHANGED = "details_changed", "Corrected the contact details"
    CONSENT_WITHDRAWN = "consent_withdrawn", "Asked us to stop other emails"
    ADDRESS_DISOWNED = "address_disowned", "Said that someone else used their email address"


def _only(name: str, where: str, **other: str) -> Index:
    """Index the few leads that need attention by their last activity."""
    return Index(
        name,
        "touched_at",
        postgresql_where=text(other.get("postgresql", where)),
        sqlite_where=text(where),
    )


class ContactColumns:
    """The columns of `ContactDetails`, in each table that stores them."""

    name: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str] = mapped_column(String(320))  # as typed, for writing to
    phone: Mapped[str] = mapped_column(String(60), default="")
    company: Mapped[str] = mapped_column(String(200), default="")

    @property
    def details(self) -> ContactDetails:
        return ContactDetails.of(self)


class Lead(ContactColumns, Base):
    """A person who wrote to us, found by their address."""

    __tablename__ = "lead"
    __table_args__ = (
        UniqueConstraint("address"),
        CheckConstraint(f"stage IN {values(Stage)}", name="stage"),
        Index(None, "stage", "touched_at"),
        Index(None, "owner_id", "touched_at"),
        _only("ix_lead_unowned", f"owner_id IS NULL AND stage NOT IN {values(CLOSED)}"),
        _only("ix_lead_suspected", "quarantine = 1", postgresql="quarantine"),
        _only("ix_lead_bounced", "bounced_at IS NOT NULL"),
        NUMBERS_FOR_LIFE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(320))  # see capture.normalize_email
    stage: Mapped[Stage] = mapped_column(StoredEnum(Stage, 20), default=Stage.NEW)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey(Member.id))
    next_action: Mapped[str] = mapped_column(String(200), default="")
    next_action_on: Mapped[date | None] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(default=1)  # increases with each change by a member
    disowned_at: Mapped[datetime | None]  # its owner said that someone else used the address
    bounced_at: Mapped[datetime | None]  # an email bounced
    # Suspected to be automated: stored and shown, but no email is sent until it is released.
    quarantine: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(index=True)
    touched_at: Mapped[datetime] = mapped_column(index=True)
    # The first and last source; see `leads.touch`.
    first_touch: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    last_touch: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    # All three are derived, for the same sorting and search on both databases: SQLite changes the
    # case of ASCII letters only.
    sort_name: Mapped[str] = mapped_column(String(SORTED_BY), index=True)
    sought: Mapped[str] = mapped_column(Text)
    # Of their company; empty for a provider of public mailboxes.
    domain: Mapped[str] = mapped_column(String(255), default="", index=True)

    owner: Mapped[Member | None] = relationship()
    events: Mapped[list["LeadEvent"]] = relationship(
        back_populates="lead", order_by="LeadEvent.id", cascade="all, delete-orphan"
    )

    @property
    def latest_touch(self) -> dict[str, Any]:
        """The source of their last activity; empty if unknown."""
        return self.last_touch or self.first_touch or {}

    consents: Mapped[list["Consent"]] = relationship(
        order_by="Consent.id.desc()", cascade="all, delete-orphan"
    )
    notes: Mapped[list["Note"]] = relationship(
        order_by="Note.id.desc()", cascade="all, delete-orphan"
    )


@event.listens_for(Lead, "before_insert")
@event.listens_for(Lead, "before_update")
def _derive(_mapper, _connection, lead: Lead) -> None:
    sources = [touch.in_words(one) for one in (lead.first_touch, lead.last_touch)]
    for name, value in derived_columns(lead.details, lead.address, sources).items():
        setattr(lead, name, value)


def derived_columns(
    details: ContactDetails, address: str, sources: Iterable[str] = ()
) -> dict[str, str]:
    """Return the columns that lists of leads are sorted and searched by."""
    told = (row.value for row in details.rows)
    known = (*told, tel_number(details.phone or ""), address, *dict.fromkeys(sources))
    return {
        "sort_name": (details.name or details.email).casefold()[:SORTED_BY],
        "sought": "\n".join(one.casefold() for one in known if one),
        "domain": company_domain(address),
    }


class LeadEvent(Base):
    """One event in a lead's timeline: kind, time and details."""

    __tablename__ = "lead_event"
    __table_args__ = (UniqueConstraint("submission_key"), Index(None, "kind", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    kind: Mapped[EventKind] = mapped_column(StoredEnum(EventKind, 40))
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    submission_key: Mapped[str | None] = mapped_column(String(64))  # of its form

    lead: Mapped[Lead] = relationship(back_populates="events")

    @property
    def is_visitors(self) -> bool:
        """Say whether the visitor caused the event, and no member, provider or other lead."""
        is_of_other = self.kind == EventKind.ANSWERS_TAKEN_BACK
        return not is_of_other and not {"member", "mail"} & self.detail.keys()


class Consent(Base):
    """One consent: the version of the wording, the choice, its time and form."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    wording: Mapped[str] = mapped_column(String(40))
    may_contact: Mapped[bool]
    is_proved: Mapped[bool] = mapped_column(default=False)  # confirmed from the person's mailbox
    source: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class Note(Base):
    """A member's note about a lead."""

    __tablename__ = "note"
    __table_args__ = NUMBERS_FOR_LIFE

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey(Member.id))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
