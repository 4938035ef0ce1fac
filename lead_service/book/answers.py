"""Bring a lead's answers along to a booking or a message, and keep them with its lead."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..assess.models import Assessment, Referenced, reference
from ..assess.ownership import claim, goes_to_any_address, owner_of
from ..leads.capture import capture_lead, normalize_email
from ..leads.contact_details import ContactDetails
from ..leads.events import record_event
from ..leads.models import EventKind, Lead
from ..leads.touch import Touch, came_by
from ..settings import Settings
from ..web import carried
from . import briefs
from .models import Booking


def capture_with_answers(
    session: Session,
    details: ContactDetails,
    touch: Touch,
    brought: Referenced | None,
    *,
    quarantine: bool,
) -> tuple[Lead, Assessment | None]:
    """Find or make the lead of a form; return it with the answers that come along, if theirs.

    What led to the answers was there before the form's `touch`.
    """
    answers = brought.assessment if brought else None
    owner = owner_of(session, answers) if answers else None
    is_theirs = owner is not None and owner.address == normalize_email(details.email)
    if brought and not is_theirs and not goes_to_any_address(brought, owner, touch.at):
        answers = None
    touches = [answers.touch, touch] if answers else [touch]
    lead = capture_lead(session, details, at=touch.at, quarantine=quarantine, touches=touches)
    if answers is None:
        return lead, None
    own = claim(session, answers.id, lead.id, owner.id if owner else None)
    if own and owner and owner.id != lead.id:
        _take_back(session, own, owner, touch)
    return lead, own


def _take_back(session: Session, answers: Assessment, former: Lead, touch: Touch) -> None:
    """Leave a lead and its calls without answers that their owner has used with another address.

    The calls are not locked before the lead, as they are elsewhere: nothing that holds their time
    changes, and a deadlock is tried again.
    """
    calls = (Booking.assessment_id == answers.id, Booking.lead_id == former.id)
    session.execute(update(Booking).where(*calls).values(assessment_id=None))
    record_event(session, former, EventKind.ANSWERS_TAKEN_BACK, touch.at)


def link_for(
    session: Session,
    settings: Settings,
    lead: Lead,
    path: str = "/book/",
    call: Booking | None = None,
) -> str:
    """Return the link to a page of times with a lead's answers, article and source.

    They are those of an earlier `call`, where it had any, or else the latest. People forward
    links, so this one shows nobody who the lead is and what they answered: it brings a reference,
    which attaches answers to a booking with the lead's own address only, and no source that a
    member typed.
    """
    answers = briefs.choose(briefs.answered_by(session, [lead.id])[lead.id], call)
    touches = [one for one in (lead.last_touch, lead.first_touch) if one and "by_hand" not in one]
    came = came_by(touches[0] if touches else None)
    if call and (call.came_from or call.source):
        came = (call.came_from, call.source)
    own = reference(answers, settings.secret) if answers else ""
    return settings.link(carried.with_context(path, own, *came))
