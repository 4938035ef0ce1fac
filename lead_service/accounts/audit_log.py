"""The audit log: who changed what and when, in ids and words without visitors' data."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..db.base import Base, LabeledEnum, StoredEnum
from .members import Member

Detail = str | int | bool | None | list[str]


class AuditKind(LabeledEnum):
    """The kinds of changes in the audit log, with their labels on the desk."""

    LEAD_ADDED = "lead_added", "Lead added"
    LEAD_CHANGED = "lead_changed", "Lead changed"
    LEADS_COMBINED = "leads_combined", "Combined another lead into this one"
    LEAD_RELEASED = "lead_released", "Released"
    LEAD_MARKED_AS_SPAM = "lead_marked_as_spam", "Marked as spam"
    NOTE_ADDED = "note_added", "Note added"
    NOTE_REMOVED = "note_removed", "Note removed"
    ERASED = "erased", "Erased"
    ERASED_BY_HAND = "erased_by_hand", "Marked as erased by hand at the provider"
    EXPORTED = "exported", "Data downloaded"
    LEADS_EXPORTED = "leads_exported", "Leads downloaded as CSV"
    LEAD_EXPORTED = "lead_exported", "Lead downloaded as JSON"
    TRAIL_EXPORTED = "trail_exported", "Audit log downloaded"
    LINK_MADE = "link_made", "Sign-in link created from the command line"
    SIGNED_IN = "signed_in", "Signed in"
    SIGN_IN_REFUSED = "sign_in_refused", "Sign-in refused"
    SIGNED_OUT = "signed_out", "Signed out"
    PASSKEY_ADDED = "passkey_added", "Passkey added"
    PASSKEY_REMOVED = "passkey_removed", "Passkey removed"
    MEMBER_ADDED = "member_added", "Invited from the command line"
    MEMBER_INVITED = "member_invited", "Invited"
    MEMBER_REMOVED = "member_removed", "Removed"
    ROLE_CHANGED = "role_changed", "Role changed"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere", "Signed out everywhere"
    RENAMED = "renamed", "Name changed"
    MAIL_RETRIED = "mail_retried", "Sent an email again"
    MAIL_TAKEN_BACK = "mail_taken_back", "Canceled an email"
    MAIL_SEEN = "mail_seen", "Marked a failed email as seen"
    SENDING_RESUMED = "sending_resumed", "Resumed sending"
    HOST_ADDED = "host_added", "Host added"
    HOST_CHANGED = "host_changed", "Host changed"
    HOURS_CHANGED = "hours_changed", "Weekly hours changed"
    RULES_CHANGED = "rules_changed", "Rules changed"
    HOLIDAYS_CHANGED = "holidays_changed", "Holidays changed"
    DATE_ADDED = "date_added", "Special hours added"
    DATE_REMOVED = "date_removed", "Special hours removed"
    TIME_OFF_ADDED = "time_off_added", "Time off added"
    TIME_OFF_REMOVED = "time_off_removed", "Time off removed"
    CALENDAR_ADDED = "calendar_added", "Calendar added"
    CALENDAR_REMOVED = "calendar_removed", "Calendar removed"
    FEED_LINK_CHANGED = "feed_link_changed", "Address of the calendar feed changed"
    CALL_BOOKED = "call_booked", "Call booked"
    CALL_CONFIRMED = "call_confirmed", "Confirmed"
    CALL_INVITED_AGAIN = "call_invited_again", "Invited to book again"
    FLOOD_CLEARED = "flood_cleared", "Burst of possible spam cleared"
    CALL_CANCELLED = "call_cancelled", "Canceled"
    CALL_MOVED = "call_moved", "Rescheduled"
    CALL_REASSIGNED = "call_reassigned", "Reassigned to another host"
    CALL_ATTENDED = "call_held", "Marked as having taken place"
    CALL_MISSED = "call_missed", "Marked as a no-show"
    CALL_UNMARKED = "call_unmarked", "Outcome cleared"


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
