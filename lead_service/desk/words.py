"""What the desk calls things: stages, states of a mail, kinds of mail, instants."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from ..dates import clock_time
from ..emails.models import OutboxMessage
from . import standing

STAGES = {
    "new": "New",
    "contacted": "Contacted",
    "qualified": "Qualified",
    "won": "Won",
    "lost": "Lost",
}
MAILS = {
    "booking_confirmed": "Invitation to the visitor",
    "booking_for_host": "Brief to the host",
    "booking_changed": "News of another time or host, to the visitor",
    "booking_reminder": "Reminder to the visitor",
    "booking_cancelled": "Cancellation to the visitor",
    "booking_cancelled_for_host": "Cancellation to the host",
    "booking_withdrawn": "Invitation taken back from a mistyped address",
    "new_lead": "News to the team",
    "result": "Result to the visitor",
    "sign_in": "Link to the desk",
    "invited": "Invitation to the desk",
}
TABLES = {
    "outbox": "Mails",
    "delivery_event": "What became of mails",
    "assessment": "Assessments",
    "booking": "Calls",
    "time_cell": "Times that calls take",
    "lead_event": "Lines of the timeline",
    "consent": "Consents",
    "note": "Notes",
    "lead": "Leads",
    "host": "Hosts",
    "member": "Members",
    "sign_in_link": "Sign-in links",
    "desk_session": "Sessions at the desk",
    "audit": "Lines of the audit trail",
    "suppression": "Marks of an erasure",
    "erasure_job": "Erasures that the mail provider has not taken over",
}
FIELDS = {
    "stage": "Stage",
    "owner_id": "Owner",
    "next_action": "Next action",
    "next_action_on": "On",
    "name": "Name",
    "company": "Company",
    "phone": "Phone",
}
CHANGES = {
    "lead_changed": "Lead changed",
    "lead_released": "Released",
    "note_added": "Note written",
    "note_removed": "Note removed",
    "erased": "Erased",
    "erased_by_hand": "Noted that the provider erased by hand",
    "exported": "Data handed out",
    "member_added": "Let in by command",
    "member_invited": "Let in",
    "member_removed": "Removed",
    "role_changed": "Role changed",
    "signed_out_everywhere": "Signed out everywhere",
    "renamed": "Name changed",
    "mail_retried": "Sent a mail again",
    "mail_taken_back": "Took a mail back",
    "mail_seen": "Noted a failed mail as seen",
    "sending_resumed": "Resumed sending",
    "host_added": "Host added",
    "host_changed": "Person or place changed",
    "hours_changed": "Weekly hours changed",
    "rules_changed": "Rules changed",
    "holidays_changed": "Holidays changed",
    "date_added": "Date given hours of its own",
    "date_removed": "Date\u2019s own hours removed",
    "time_off_added": "Time off added",
    "time_off_removed": "Time off removed",
    "calendar_added": "Calendar added",
    "calendar_removed": "Calendar removed",
    "feed_link_changed": "New link to the feed of calls",
    "call_cancelled": "Cancelled",
    "call_moved": "Moved",
    "call_reassigned": "Given to another host",
    "call_held": "Marked as held",
    "call_missed": "Marked as a no-show",
    "call_unmarked": "Mark taken back",
}
CHANGED = {"next_action": "next action", "next_action_on": "its day"}
DELIVERIES = {
    "processed": "The provider took it over",
    "deferred": "Deferred",
    "delivered": "Delivered to their server",
    "bounced": "Came back",
    "dropped": "Dropped",
    "reported": "The recipient called it spam",
}


def moment(instant: datetime, zone: str, now: datetime | None = None) -> str:
    """Write an instant in a zone, short enough for a table: Tue, Nov 24, 2026, 9:30 am.

    The year is left out when it is that of `now`.
    """
    local = instant.astimezone(ZoneInfo(zone))
    year = "" if now and now.astimezone(ZoneInfo(zone)).year == local.year else f", {local.year}"
    return f"{local:%a}, {local:%b} {local.day}{year}, {clock_time(instant, zone)}"


def day(on: date, today: date | None = None) -> str:
    """Write a day: Tue, Dec 1, 2026. The year is left out when it is that of `today`."""
    year = "" if today and today.year == on.year else f", {on.year}"
    return f"{on:%a}, {on:%b} {on.day}{year}"


def state_of_mail(mail: OutboxMessage, is_paused: bool = False) -> standing.Standing:
    """Say how a mail stands; `is_paused` while nothing at all is sent."""
    return standing.of(mail, is_paused)


def kind_of_mail(kind: str) -> str:
    return MAILS.get(kind, kind.replace("_", " ").capitalize())


def reason_of_mail(mail: OutboxMessage) -> str:
    """Say why a mail has not gone out; empty when there is nothing to explain."""
    if mail.reason:
        return sentence(mail.reason)
    return {
        "held": "Suspected to be automated: it leaves when the lead is released.",
        "expired": "It would have come too late to be of use.",
        "cancelled": "It was overtaken by something newer.",
    }.get(mail.state, "")


def sentence(reason: str) -> str:
    """Write a reason, as the outbox keeps it, as a sentence."""
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}." if reason else ""


def table(name: str) -> str:
    """Name a table for somebody who has never seen one."""
    return TABLES.get(name, name.replace("_", " ").capitalize())


def change(what: str) -> str:
    """Name a change of the audit trail."""
    return CHANGES.get(what, what.replace("_", " ").capitalize())


def subject(name: str) -> str:
    """Name what a change is about; of a mail's long id the start is enough."""
    kind, _, number = name.partition(" ")
    return f"{kind} {number[:8]}".strip().capitalize()


def details(detail: dict, members: dict[int, str]) -> str:
    """Write the details of a change of the audit trail in one line."""
    pairs = [name for name in ("stage", "owner") if f"to_{name}" in detail]
    shown = []
    for name in pairs:
        before, after = (_detail(name, detail[f"{end}_{name}"], members) for end in ("from", "to"))
        shown.append(f"{name}: {before} \u2192 {after}")
    told = {f"{end}_{name}" for name in pairs for end in ("from", "to")}
    said = {*pairs, *(f"{name}_id" for name in pairs)}
    for name, value in detail.items():
        if isinstance(value, list):
            value = ", ".join(CHANGED.get(one, str(one)) for one in value if one not in said)
        if name not in told and value != "":
            shown.append(f"{name.replace('_', ' ')}: {_detail(name, value, members)}")
    return "; ".join(shown)


def _detail(name: str, value: object, members: dict[int, str]) -> str:
    if name.endswith("owner"):
        known = members.get(value) if isinstance(value, int) else None
        return known or (f"member {value}" if value else "nobody")
    if name == "stage":
        return STAGES.get(str(value), str(value))
    return "none" if value is None else str(value)
