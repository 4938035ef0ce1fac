"""Words of the desk: tables, states of emails and entries of the audit log."""

from ..emails.models import Delivery, EmailState, Hold, OutboxMessage
from ..leads.contact_details import LABELS
from ..leads.models import Stage

TABLES = {
    "outbox": "Emails",
    "delivery_event": "Delivery events",
    "assessment": "Assessments",
    "booking": "Calls",
    "time_cell": "Reserved times",
    "lead_event": "Timeline entries",
    "consent": "Consents",
    "note": "Notes",
    "lead": "Leads",
    "host": "Hosts",
    "member": "Members",
    "sign_in_link": "Sign-in links",
    "passkey": "Passkeys",
    "desk_session": "Desk sessions",
    "audit": "Audit log entries",
    "suppression": "Erasure records",
    "erasure_job": "Erasures waiting for the email provider",
}
FIELDS = {
    "stage": "Stage",
    "owner_id": "Owner",
    "next_action": "Next action",
    "next_action_on": "Due date",
    **LABELS,
}
DELIVERIES = {
    Delivery.PROCESSED: "Accepted by the provider",
    Delivery.DEFERRED: "Deferred",
    Delivery.DELIVERED: "Delivered to their server",
    Delivery.BOUNCED: "Bounced",
    Delivery.DROPPED: "Dropped",
    Delivery.REPORTED: "The recipient marked it as spam",
}


def reason_of_mail(mail: OutboxMessage) -> str:
    """Say why an email was not sent; empty if there is nothing to explain."""
    if mail.reason:
        return sentence(mail.reason)
    if mail.state == EmailState.HELD and mail.hold == Hold.RESTORED:
        return "It was waiting when the backup was made. It may have been sent since then."
    return {
        EmailState.HELD: "The lead may be spam. We\u2019ll send this when you release the lead.",
        EmailState.EXPIRED: "It could not be sent in time to be useful.",
        EmailState.CANCELLED: "A newer email replaced it.",
    }.get(mail.state, "")


def sentence(reason: str) -> str:
    """Turn a reason from the outbox into a sentence."""
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}." if reason else ""


def table(name: str) -> str:
    """Name a table for people who don't know the database."""
    return TABLES.get(name, name.replace("_", " ").capitalize())


def subject(name: str) -> str:
    """Name the subject of a change, with an email's long id shortened."""
    kind, _, number = name.partition(" ")
    return f"{kind} {number[:8]}".strip().capitalize()


def details(detail: dict, members: dict[int, str]) -> str:
    """Write the details of a change in the audit log in one line."""
    pairs = [name for name in ("stage", "owner") if f"to_{name}" in detail]
    shown = []
    for name in pairs:
        before, after = (_detail(name, detail[f"{end}_{name}"], members) for end in ("from", "to"))
        shown.append(f"{name}: {before} \u2192 {after}")
    told = {f"{end}_{name}" for name in pairs for end in ("from", "to")}
    said = {*pairs, *(f"{name}_id" for name in pairs)}
    for name, value in detail.items():
        if isinstance(value, list):
            value = ", ".join(_changed(one) for one in value if one not in said)
        if name not in told and value != "":
            shown.append(f"{name.replace('_', ' ')}: {_detail(name, value, members)}")
    return "; ".join(shown)


def _changed(field: str) -> str:
    return FIELDS.get(field, field).lower()


def _detail(name: str, value: object, members: dict[int, str]) -> str:
    if name.endswith("owner"):
        known = members.get(value) if isinstance(value, int) else None
        return known or (f"member {value}" if value else "no owner")
    if name == "stage":
        return Stage(str(value)).label
    return "none" if value is None else str(value)
