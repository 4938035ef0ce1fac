"""The tables of bookings and of their time cells."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db.base import NUMBERS_FOR_LIFE, Base, LabeledEnum, StoredEnum
from ..leads.models import ContactColumns, Lead
from ..leads.touch import LONGEST
from .hosts.models import Host, fives


class Status(StrEnum):
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class CallOutcome(LabeledEnum):
    """The outcome of a call that was not canceled."""

    ATTENDED = "held", "Took place"
    NO_SHOW = "no_show", "No-show"


class Booking(ContactColumns, Base):
    """One call. It stores the rules it was booked under, so that later edits don't affect it."""

    __tablename__ = "booking"
    __table_args__ = (
        UniqueConstraint("uid"),
        UniqueConstraint("token_hash"),
        UniqueConstraint("submission_key"),
        CheckConstraint("status IN ('confirmed', 'cancelled')", name="status"),
        CheckConstraint("outcome IN ('held', 'no_show')", name="outcome"),
        fives("duration", "buffer_before", "buffer_after"),
        Index(None, "host_id", "starts_at"),  # for pages of times
        NUMBERS_FOR_LIFE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(64))  # of the invitation; never changes
    sequence: Mapped[int] = mapped_column(default=0)
    token_hash: Mapped[str] = mapped_column(String(64))  # of its link
    submission_key: Mapped[str] = mapped_column(String(64))  # of its form
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"))
    former_hosts: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))  # ids
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    assessment_id: Mapped[int | None] = mapped_column(
        ForeignKey("assessment.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[str] = mapped_column(String(60), default="discovery")  # slug of its CallType
    call_name: Mapped[str] = mapped_column(String(80), default="Discovery call")
    price: Mapped[str] = mapped_column(String(80), default="")  # as shown on the form
    came_from: Mapped[str | None] = mapped_column(String(120))  # the article's slug
    source: Mapped[str] = mapped_column(String(LONGEST), default="")  # as `leads.touch` writes it
    status: Mapped[Status] = mapped_column(StoredEnum(Status, 20), default=Status.CONFIRMED)
    quarantine: Mapped[bool] = mapped_column(default=False)
    awaits_confirmation: Mapped[bool] = mapped_column(default=False)  # from the team
    is_proved: Mapped[bool] = mapped_column(default=False)  # by a member or its mailbox
    client: Mapped[str | None] = mapped_column(String(16))  # digest of the IP address, for two days
    starts_at: Mapped[datetime] = mapped_column(index=True)
    duration: Mapped[int]
    buffer_before: Mapped[int]
    buffer_after: Mapped[int]
    host_zone: Mapped[str] = mapped_column(String(64))
    visitor_zone: Mapped[str] = mapped_column(String(64))
    visitor_24_hours: Mapped[bool] = mapped_column(default=False)  # their clock
    meeting_link: Mapped[str] = mapped_column(String(500))
    name: Mapped[str] = mapped_column(String(120))  # this and the next are shorter than a lead's
    company: Mapped[str] = mapped_column(String(120), default="")
    address_changes: Mapped[int] = mapped_column(default=0)  # corrections of the address
    topic: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(index=True)
    cancelled_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))  # a CallOutcome, after the call
    outcome_at: Mapped[datetime | None]

    host: Mapped[Host] = relationship()
    lead: Mapped[Lead] = relationship()

    @property
    def is_confirmed(self) -> bool:
        """Whether the visitor was told that the call takes place."""
        return not (self.quarantine or self.awaits_confirmation)

    @property
    def is_live(self) -> bool:
        return self.status == Status.CONFIRMED


def coming(after: datetime) -> tuple[ColumnElement[bool], ...]:
    """Select calls that begin after an instant and were not canceled."""
    return Booking.status == Status.CONFIRMED, Booking.starts_at > after


class TimeCell(Base):
    """Five minutes of a host, held by a live booking.

    The unique constraint makes double booking impossible: a booking takes the cells of
    its interval with its buffers, so two overlapping ones need the same cell.
    An exclusion constraint works on PostgreSQL only, and deadlocks there under load.
    """

    __tablename__ = "time_cell"
    __table_args__ = (UniqueConstraint("host_id", "starts_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"))
    starts_at: Mapped[datetime]
    booking_id: Mapped[int] = mapped_column(
        ForeignKey("booking.id", ondelete="CASCADE"), index=True
    )
