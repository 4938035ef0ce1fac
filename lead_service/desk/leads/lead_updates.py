"""Change a lead's stage, owner, next action and details.

Members don't overwrite each other unknowingly. A form contains the values that it showed, so that
only the writer's changes are saved: a colleague's changes of other fields meanwhile, and
those by the visitor's forms, stay. If both changed the same field, both values are shown.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor, AuditKind
from ...book import notifications
from ...book.models import Booking
from ...emails import outbox
from ...leads import capture, consent, events
from ...leads.contact_details import CORRECTABLE, LABELS, ContactDetails
from ...leads.models import EventKind, Lead, Note, Stage
from ...leads.touch import Touch, source_by_hand, written_by_hand

NEXT = {"next_action", "next_action_on"}
DETAILS = tuple(one.name for one in CORRECTABLE)
FIELDS: dict[str, str] = {
    "stage": "Stage",
    "owner_id": "Owner",
    "next_action": "Next action",
    "next_action_on": "Due date",
    **{name: LABELS[name] for name in DETAILS},
}
# Fields that change together: a day belongs to its action.
UNITS = ({"stage"}, {"owner_id"}, NEXT, *({name} for name in DETAILS))

# Present or wanted values of a lead, by field; None for empty ones.
LeadUpdate = dict[str, Any]


def update_of(lead: Lead) -> LeadUpdate:
    """Return the present values of a lead."""
    return {name: getattr(lead, name) for name in FIELDS}


def write_update(update: LeadUpdate) -> str:
    """Serialize an update for a hidden field of a form."""
    return json.dumps(update, default=date.isoformat, ensure_ascii=False)


def parse_update(text: str) -> LeadUpdate | None:
    """Parse the update in a hidden field; None if missing or malformed."""
    try:
        found = json.loads(text)
        on = found["next_action_on"]
        found |= {"next_action_on": date.fromisoformat(on) if on else None}
        return {name: found[name] for name in FIELDS} | {"stage": Stage(found["stage"])}
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _differing(one: LeadUpdate, other: LeadUpdate) -> list[str]:
    return [name for name in FIELDS if one[name] != other[name]]


def _touched(update: LeadUpdate, seen: LeadUpdate) -> set[str]:
    """Return the fields changed since `seen`, with those that change together."""
    changed = set(_differing(update, seen))
    return set().union(*(unit for unit in UNITS if unit & changed))


class StaleLead(Exception):
    """Another member has changed the same fields to other values.

    `fields` are the conflicting ones, `touched` those that the writer has changed.
    """

    def __init__(self, fields: list[str], touched: set[str]) -> None:
        super().__init__()
        self.fields = fields
        self.touched = touched


@dataclass(frozen=True)
class Added:
    """The lead that a member added, or the existing one with the address."""

    lead: Lead
    is_new: bool
    other: list[str]  # fields whose typed values differ from the known ones


def add(
    session: Session,
    details: ContactDetails,
    how: str,
    by: Actor,
    *,
    owner_id: int | None,
    may_contact: bool | None,
    note: str = "",
    key: str | None = None,
) -> Added:
    """Add a person who talked to a member, or fill in their existing lead.

    `how` says how the member knows them. It is the last source, and the event keeps it when the
    lead comes back by another. `may_contact` is what they answered, None if not asked. What
    differs from what we know is kept in the timeline. A second form with the same `key` adds
    nothing.
    """
    known = capture.find_lead(session, details.email)
    other = _other_details(known, details) if known else {}
    touch = Touch(by.at, source=source_by_hand(how))
    lead = capture.capture_lead(session, details, at=by.at, touches=[touch])
    said = "; ".join([how, *(f"{LABELS[name]}: {typed}" for name, typed in other.items())])
    detail = {"note": said, "source": written_by_hand(how)}
    talked = EventKind.TALKED
    if not events.record_event(
        session, lead, talked, by.at, key=key, member=by.member_id, **detail
    ):
        return Added(lead, is_new=True, other=[])
    consent.record_told(session, lead, may_contact, by.at)
    if owner_id and lead.owner_id is None:
        lead.owner_id, lead.version = owner_id, lead.version + 1
    if note:
        events.add_note(session, lead, by.member_id, note, by.at)
    by.note(session, AuditKind.LEAD_ADDED, f"lead {lead.id}")
    return Added(lead, known is None, list(other))


def _other_details(lead: Lead, details: ContactDetails) -> dict[str, str]:
    """Return the typed values that differ from the lead's, by field."""
    typed = asdict(details)
    pairs = {name: (getattr(lead, name), typed[name]) for name in DETAILS}
    return {name: new for name, (old, new) in pairs.items() if old and new and old != new}


def save(
    session: Session,
    lead: Lead,
    wanted: LeadUpdate,
    seen: LeadUpdate | None,
    by: Actor,
) -> bool:
    """Save a member's changes to a locked lead; return whether there were any.

    `seen` are the values that the form showed; without them, each field counts as changed by both.
    Raises StaleLead if another member has changed the same field to another value: a
    second click is no conflict.
    """
    present = update_of(lead)
    touched = _touched(wanted, seen) if seen else set(FIELDS)
    changed = [name for name in _differing(wanted, present) if name in touched]
    theirs = _touched(present, seen) if seen else touched
    if clash := [name for name in changed if name in theirs]:
        raise StaleLead(clash, touched)
    if changed:
        _change(session, lead, {name: wanted[name] for name in changed}, by)
    return bool(changed)


def change(session: Session, lead: Lead, values: LeadUpdate, by: Actor) -> bool:
    """Set values of a locked lead, without a check for conflicts; return whether any changed."""
    changed = {name: value for name, value in values.items() if getattr(lead, name) != value}
    if changed:
        _change(session, lead, changed, by)
    return bool(changed)


def _change(session: Session, lead: Lead, values: dict[str, Any], by: Actor) -> None:
    before = {name: getattr(lead, name) for name in values}
    for name, value in values.items():
        setattr(lead, name, value)
    lead.version += 1
    _record(session, lead, before, by)
    detail: dict[str, Any] = {"fields": list(values)}
    for name in ("stage", "owner_id"):
        if name in before:
            short = name.removesuffix("_id")
            detail |= {f"from_{short}": before[name], f"to_{short}": values[name]}
    by.note(session, AuditKind.LEAD_CHANGED, f"lead {lead.id}", **detail)


def _record(session: Session, lead: Lead, before: dict, by: Actor) -> None:
    """Add an event to the timeline for each kind of change."""

    def record(kind: EventKind, **detail: Any) -> None:
        events.record_event(session, lead, kind, by.at, member=by.member_id, **detail)

    if "stage" in before:
        record(EventKind.STAGE_CHANGED, **{"from": before["stage"], "to": lead.stage})
    if "owner_id" in before:
        record(EventKind.OWNER_CHANGED, owner=lead.owner_id)
    if NEXT & before.keys():
        on = lead.next_action_on and lead.next_action_on.isoformat()
        record(EventKind.NEXT_ACTION_CHANGED, action=lead.next_action, on=on)
    if details := [name for name in DETAILS if name in before]:
        record(EventKind.DETAILS_CHANGED, fields=details)


def write_note(session: Session, lead: Lead, text: str, by: Actor) -> None:
    """Add a note to a locked lead, unless the last one is the same (a second click)."""
    latest = select(Note).where(Note.lead_id == lead.id).order_by(Note.id.desc()).limit(1)
    last = session.scalar(latest)
    if last and (last.member_id, last.text) == (by.member_id, text):
        return
    events.add_note(session, lead, by.member_id, text, by.at)
    by.note(session, AuditKind.NOTE_ADDED, f"lead {lead.id}")


def remove_note(session: Session, note: Note, by: Actor) -> bool:
    """Remove a member's own note, or any as an admin; return whether that was allowed."""
    if note.member_id != by.member_id and not (by.member and by.member.is_admin):
        return False
    session.delete(note)
    by.note(session, AuditKind.NOTE_REMOVED, f"lead {note.lead_id}")
    return True


def mark_as_spam(session: Session, lead: Lead, by: Actor, *, calls_canceled: int) -> None:
    """Close a locked lead as lost, in quarantine until a member releases it."""
    change(session, lead, {"stage": Stage.LOST}, by)
    lead.quarantine = True
    kind, key = EventKind.MARKED_AS_SPAM, f"spam:{lead.id}:{lead.version}"  # a second click
    events.record_event(session, lead, kind, by.at, key=key, member=by.member_id)
    by.note(
        session, AuditKind.LEAD_MARKED_AS_SPAM, f"lead {lead.id}", calls_canceled=calls_canceled
    )


def release(session: Session, lead: Lead, by: Actor) -> int:
    """Release a locked lead and its calls from quarantine; return how many emails are sent.

    One that was closed as lost becomes new again.
    """
    held = select(Booking).where(Booking.lead_id == lead.id, Booking.quarantine)
    calls = session.scalars(held.with_for_update()).all()
    for call in calls:
        call.quarantine, call.is_proved = False, True
        notifications.give_to_host(session, call, by)
    emails = outbox.release(session, lead.id, by.at)
    if lead.quarantine or calls or emails:
        if lead.quarantine and lead.stage == Stage.LOST:
            change(session, lead, {"stage": Stage.NEW}, by)
        lead.quarantine = False
        events.record_event(session, lead, EventKind.RELEASED, by.at, member=by.member_id)
        by.note(session, AuditKind.LEAD_RELEASED, f"lead {lead.id}", emails=emails)
    return emails
