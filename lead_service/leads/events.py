"""Add events and notes to a lead's timeline."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..db.engine import insert_unless
from .models import EventKind, Lead, LeadEvent, Note


def record_event(
    session: Session, lead: Lead, kind: EventKind, at: datetime, **detail: Any
) -> LeadEvent:
    """Add a line to the lead's timeline."""
    event = LeadEvent(lead=lead, kind=kind, at=at, detail=detail)
    session.add(event)
    lead.touched_at = max(lead.touched_at, at)
    return event


def record_event_once(
    session: Session, lead: Lead, kind: EventKind, at: datetime, *, key: str, **detail: Any
) -> bool:
    """Add a line to the timeline, unless the form that `key` names has added it before."""
    values = {"lead_id": lead.id, "kind": kind, "at": at, "detail": detail}
    return bool(insert_unless(session, LeadEvent, "submission_key", submission_key=key, **values))


def add_note(session: Session, lead: Lead, member_id: int | None, text: str, at: datetime) -> Note:
    """Keep what a member wrote down about a lead."""
    note = Note(lead_id=lead.id, member_id=member_id, at=at, text=text)
    session.add(note)
    lead.touched_at = max(lead.touched_at, at)
    return note
