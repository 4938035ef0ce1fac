"""Add events and notes to a lead's timeline."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..db.base import insert_unless
from .models import EventKind, Lead, LeadEvent, Note


def record_event(
    session: Session,
    lead: Lead,
    kind: EventKind,
    at: datetime,
    *,
    key: str | None = None,
    **detail: Any,
) -> bool:
    """Add a line to the timeline; return False if the form with this `key` has added it before."""
    values = {"lead_id": lead.id, "kind": kind, "at": at, "detail": detail, "submission_key": key}
    if not insert_unless(session, LeadEvent, "submission_key", **values):
        return False
    if at > lead.touched_at:
        lead.touched_at = at
    return True


def add_note(session: Session, lead: Lead, member_id: int | None, text: str, at: datetime) -> Note:
    """Add a member's note to a lead."""
    note = Note(lead_id=lead.id, member_id=member_id, at=at, text=text)
    session.add(note)
    lead.touched_at = max(lead.touched_at, at)
    return note
