"""Attach a visitor's earlier answers to their booking or message, and link to them."""

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
    """Find or create the lead of a form; return it with the attached answers, if they are theirs.

    The answers' touch comes before the form's `touch`.
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
    """Remove answers from a lead and its calls, once their owner uses another address.

    Unlike elsewhere, the calls are not locked before the lead: their times
    don't change, and a deadlock is retried.
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

    They are those of an earlier `call` if it had any, or else the latest. People forward
    links, so this one reveals neither the lead nor the answers: it contains a reference,
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
