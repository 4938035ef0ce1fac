"""Working on a lead: its stage, owner, next action and details; two people do not overwrite
each other without seeing it.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import audit, leads
from ..leads import Lead, Note
from ..members import Member

NEXT = {"next_action", "next_action_on"}
DETAILS = ("name", "company", "phone")


@dataclass(frozen=True)
class Wanted:
    """What a member wants a lead to be; None for what is open."""

    stage: str
    owner_id: int | None
    next_action: str
    next_action_on: date | None
    name: str
    company: str
    phone: str

    def differs(self, lead: Lead) -> list[str]:
        """Name what is not so yet."""
        return [name for name, value in asdict(self).items() if getattr(lead, name) != value]


class Stale(Exception):
    """Somebody saved the lead meanwhile; `fields` are those in which the two differ."""

    def __init__(self, lead: Lead, fields: list[str]) -> None:
        super().__init__()
        self.lead = lead
        self.fields = fields


def save(
    session: Session, lead: Lead, wanted: Wanted, version: int, by: Member, at: datetime
) -> bool:
    """Make a locked lead what is wanted; return whether anything was changed.

    `version` is that of the lead which the member saw. Raises Stale when another one was saved
    meanwhile, unless it says the same: a second click is no conflict.
    """
    changed = wanted.differs(lead)
    if not changed:
        return False
    if lead.version != version:
        raise Stale(lead, changed)
    before = {name: getattr(lead, name) for name in changed}
    for name in changed:
        setattr(lead, name, getattr(wanted, name))
    lead.version += 1
    _record(session, lead, before, by, at)
    choices = {name: before[name] for name in ("stage", "owner_id") if name in before}
    detail: dict[str, Any] = {"fields": changed}
    for name, value in choices.items():
        short = name.removesuffix("_id")
        detail |= {f"from_{short}": value, f"to_{short}": getattr(lead, name)}
    audit.note(session, by.id, "lead_changed", f"lead {lead.id}", at, **detail)
    return True


def _record(session: Session, lead: Lead, before: dict, by: Member, at: datetime) -> None:
    """Tell the timeline, a line for each kind of change."""
    if "stage" in before:
        detail = {"from": before["stage"], "to": lead.stage}
        leads.record(session, lead, "stage_changed", at, member=by.id, **detail)
    if "owner_id" in before:
        leads.record(session, lead, "owner_changed", at, member=by.id, owner=lead.owner_id)
    if NEXT & before.keys():
        on = lead.next_action_on and lead.next_action_on.isoformat()
        detail = {"action": lead.next_action, "on": on}
        leads.record(session, lead, "next_action_changed", at, member=by.id, **detail)
    if details := [name for name in DETAILS if name in before]:
        leads.record(session, lead, "details_changed", at, member=by.id, fields=details)


def write_note(session: Session, lead: Lead, text: str, by: Member, at: datetime) -> None:
    """Keep a note on a locked lead; the same one twice in a row is a second click."""
    latest = select(Note).where(Note.lead_id == lead.id).order_by(Note.id.desc()).limit(1)
    last = session.scalar(latest)
    if last and (last.member_id, last.text) == (by.id, text):
        return
    leads.add_note(session, lead, by.id, text, at)
    audit.note(session, by.id, "note_added", f"lead {lead.id}", at)


def remove_note(session: Session, note: Note, by: Member, at: datetime) -> bool:
    """Remove a note of one's own, or, as an admin, anybody's; return whether that was allowed."""
    if note.member_id != by.id and not by.is_admin:
        return False
    session.delete(note)
    audit.note(session, by.id, "note_removed", f"lead {note.lead_id}", at)
    return True
