"""The tables of the outbox: due and settled emails, delivery events, pauses, erasure jobs."""

from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db.base import Base, LabeledEnum, StoredEnum, values
from ..leads.models import Lead
from .message import EmailKind


class EmailState(StrEnum):
    """The state of an email in the outbox."""

    PENDING = "pending"  # waits for its time
    SENDING = "sending"  # a worker holds it by a lease
    SENT = "sent"  # the provider has accepted it
    FAILED = "failed"  # the provider refused it for good
    DEAD = "dead"  # every try failed, for days
    EXPIRED = "expired"  # became useless before it was sent
    HELD = "held"  # waits for a person; its Hold says why
    CANCELLED = "cancelled"  # was canceled before it was sent


class Hold(StrEnum):
    """Why an email is held."""

    SUSPECTED = "suspected"  # its lead looks automated; releasing the lead sends it
    RESTORED = "restored"  # it waited in a restored backup, and may have been sent since


class Turn(IntEnum):
    """The queue of a waiting email. `outbox` has the order of the queues."""

    SIGN_IN = 0
    NEW = 1  # was due when it was written
    PLANNED = 2  # became due later, as reminders do
    AGAIN = 3  # failed before


class Delivery(LabeledEnum):
    """The delivery state from the provider's events; a later member overrides an earlier one."""

    UNKNOWN = "", "Not known yet"  # nothing yet
    PROCESSED = "processed", "Accepted by the provider"  # it has the email
    DEFERRED = "deferred", "Deferred"  # the recipient's server asked the provider to wait
    DELIVERED = "delivered", "Delivered to their server"  # the recipient's server accepted it
    BOUNCED = "bounced", "Bounced"  # the recipient's server refused it
    DROPPED = "dropped", "Dropped"  # the provider did not even try
    REPORTED = "reported", "The recipient marked it as spam"


RETURNED = (Delivery.BOUNCED, Delivery.DROPPED)


class OutboxMessage(Base):
    """One email that is due, inserted in the transaction of its event.

    `facts` are details that may be gone when the email is composed, just before it is
    sent; None once it is settled. An email about a call carries the booking and its sequence:
    of two emails to one address, the one with the higher sequence supersedes the other.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(f"state IN {values(EmailState)}", name="state"),
        CheckConstraint(f"delivery IN {values(Delivery)}", name="delivery"),
        CheckConstraint(f"hold IN {values(Hold)}", name="hold"),
        UniqueConstraint("dedupe_key"),
        Index(None, "state", "turn", "next_at"),
        Index(None, "state", "useless_after"),
        Index(None, "booking_id", "address"),
        Index(None, "address"),
        Index("ix_outbox_lower_address", text("lower(address)")),  # for export and erasure
        Index(None, "mailbox", "created_at"),
        Index(None, "provider_id"),
        Index(None, "state", "delivery", "created_at"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[EmailKind] = mapped_column(StoredEnum(EmailKind, 40))
    lead_id: Mapped[int | None] = mapped_column(
        ForeignKey(Lead.id, ondelete="SET NULL"), index=True
    )
    # No foreign key, since emails don't depend on bookings. Booking ids are never reused.
    booking_id: Mapped[int | None]
    sequence: Mapped[int] = mapped_column(default=0)  # of the booking
    address: Mapped[str] = mapped_column(String(320))
    mailbox: Mapped[str] = mapped_column(String(320), default="")  # for the limit per day
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # The sent message (message.to_json), if it is kept. A waiting email has a body
    # only if an earlier version composed it, which is then sent as it is.
    body: Mapped[str | None] = mapped_column(Text)
    state: Mapped[EmailState] = mapped_column(StoredEnum(EmailState, 10))
    hold: Mapped[Hold | None] = mapped_column(StoredEnum(Hold, 10))  # of a held one
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]  # when it should be sent
    next_at: Mapped[datetime]  # when the next try may start: due_at, then by backoff
    turn: Mapped[int] = mapped_column(default=Turn.NEW)
    useless_after: Mapped[datetime | None]  # None in rows of earlier versions only
    leased_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(String(32))
    failing_since: Mapped[datetime | None]  # the first try that failed
    provider_id: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(200), default="")  # in words, nothing personal
    sent_at: Mapped[datetime | None]
    dedupe_key: Mapped[str | None] = mapped_column(String(120))
    delivery: Mapped[Delivery] = mapped_column(StoredEnum(Delivery, 10), default=Delivery.UNKNOWN)
    delivery_at: Mapped[datetime | None]  # when that happened, by the provider's clock
    alarm_at: Mapped[datetime | None] = mapped_column(index=True)  # None: no alarm

    events: Mapped[list["DeliveryEvent"]] = relationship(
        order_by="DeliveryEvent.at, DeliveryEvent.kind", passive_deletes=True
    )


# Selects failures that aren't acknowledged. Not IS NOT NULL: SQLite uses no index for it.
RINGS = OutboxMessage.alarm_at > datetime(1970, 1, 1, tzinfo=UTC)


class DeliveryEvent(Base):
    """A delivery event of the provider, stored without the address so that it counts once."""

    __tablename__ = "delivery_event"

    outbox_id: Mapped[str] = mapped_column(
        ForeignKey(OutboxMessage.id, ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)  # of the provider's own id
    kind: Mapped[Delivery] = mapped_column(StoredEnum(Delivery, 10))
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(200), default="")


class OutboxPause(Base):
    """The one row that says why sending is paused or stopped, if it is."""

    __tablename__ = "outbox_pause"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    paused_until: Mapped[datetime | None]  # the provider asked us to slow down
    pauses: Mapped[int] = mapped_column(default=0)  # consecutive pauses, for the backoff
    stopped_at: Mapped[datetime | None]  # the provider refused our key or our sender
    stop_reason: Mapped[str] = mapped_column(String(200), default="")
    key_fingerprint: Mapped[str] = mapped_column(String(64), default="")  # of the refused key


class ErasureJob(Base):
    """A pending request to the provider to erase an address."""

    __tablename__ = "erasure_job"
    __table_args__ = (UniqueConstraint("address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(320))  # in the form that the provider got
    asked_at: Mapped[datetime]
    next_at: Mapped[datetime]  # when the next try may start
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(200), default="")  # in words, nothing personal
    alarm_at: Mapped[datetime | None]  # start of the alarm; None: no alarm
