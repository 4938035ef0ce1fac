"""The audit log: who changed what and when, in ids and words without visitors' data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..db.base import Base, StoredEnum
from .members import Member

Detail = str | int | bool | None | list[str]


class AuditKind(StrEnum):
    """The kinds of changes in the audit log; `desk.labels.CHANGES` has their labels."""

    LEAD_ADDED = "lead_added"
    LEAD_CHANGED = "lead_changed"
    LEADS_COMBINED = "leads_combined"
    LEAD_RELEASED = "lead_released"
    LEAD_MARKED_AS_SPAM = "lead_marked_as_spam"
    NOTE_ADDED = "note_added"
    NOTE_REMOVED = "note_removed"
    ERASED = "erased"
    ERASED_BY_HAND = "erased_by_hand"
    EXPORTED = "exported"
    LEADS_EXPORTED = "leads_exported"
    LEAD_EXPORTED = "lead_exported"
    TRAIL_EXPORTED = "trail_exported"
    LINK_MADE = "link_made"
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    MEMBER_ADDED = "member_added"
    MEMBER_INVITED = "member_invited"
    MEMBER_REMOVED = "member_removed"
    ROLE_CHANGED = "role_changed"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    RENAMED = "renamed"
    MAIL_RETRIED = "mail_retried"
    MAIL_TAKEN_BACK = "mail_taken_back"
    MAIL_SEEN = "mail_seen"
    SENDING_RESUMED = "sending_resumed"
    HOST_ADDED = "host_added"
    HOST_CHANGED = "host_changed"
    HOURS_CHANGED = "hours_changed"
    RULES_CHANGED = "rules_changed"
    HOLIDAYS_CHANGED = "holidays_changed"
    DATE_ADDED = "date_added"
    DATE_REMOVED = "date_removed"
    TIME_OFF_ADDED = "time_off_added"
    TIME_OFF_REMOVED = "time_off_removed"
    CALENDAR_ADDED = "calendar_added"
    CALENDAR_REMOVED = "calendar_removed"
    FEED_LINK_CHANGED = "feed_link_changed"
    CALL_BOOKED = "call_booked"
    CALL_CONFIRMED = "call_confirmed"
    CALL_INVITED_AGAIN = "call_invited_again"
    FLOOD_CLEARED = "flood_cleared"
    CALL_CANCELLED = "call_cancelled"
    CALL_MOVED = "call_moved"
    CALL_REASSIGNED = "call_reassigned"
    CALL_ATTENDED = "call_held"
    CALL_MISSED = "call_missed"
    CALL_UNMARKED = "call_unmarked"


class AuditEntry(Base):
    """One change; without a member, it was made by a command or before signing in."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey(Member.id), index=True)
    what: Mapped[AuditKind] = mapped_column(StoredEnum(AuditKind, 40))
    subject: Mapped[str] = mapped_column(String(60), index=True)  # "lead 5", "member 2", "host 1"
    detail: Mapped[dict[str, Detail]] = mapped_column(JSON, default=dict)


@dataclass(frozen=True)
class Actor:
    """Who makes a change, and when; without a member, a command or a visitor."""

    at: datetime
    member: Member | None = None

    @property
    def member_id(self) -> int | None:
        return self.member.id if self.member else None

    def note(self, session: Session, what: AuditKind, subject: str, **detail: Detail) -> None:
        """Add a line to the audit log, in the transaction of its change.

        `subject` is a table with an id, such as "lead 5".
        The log outlives an erased lead, so `detail` takes ids, numbers, choices from a list and
        names of fields, never what a person typed: no name, no address, no text.
        """
        line = {"what": what, "subject": subject, "detail": detail}
        session.add(AuditEntry(member_id=self.member_id, at=self.at, **line))
