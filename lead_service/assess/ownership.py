"""Whose answers are whose: a booking, a message and an email with a result decide it here.

The reference of answers is in addresses, which people forward, so answers that are a lead's go
along with that lead's address only.
"""

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from ..leads.capture import capture_lead, normalize_email
from ..leads.contact_details import ContactDetails
from ..leads.models import Consent, EventKind, Lead, LeadEvent
from ..leads.touch import Touch
from .models import Assessment


def capture_with_answers(
    session: Session,
    details: ContactDetails,
    touch: Touch,
    assessment_id: int | None,
    *,
    quarantine: bool,
) -> tuple[Lead, Assessment | None]:
    """Find or make the lead of a form; return it with the answers that come along, if theirs.

    What led to the answers was there before the form's `touch`.
    """
    answers = session.get(Assessment, assessment_id) if assessment_id else None
    owner = session.get(Lead, answers.lead_id) if answers and answers.lead_id else None
    if owner and owner.address != normalize_email(details.email):
        answers = None
    touches = [answers.touch, touch] if answers else [touch]
    lead = capture_lead(session, details, at=touch.at, quarantine=quarantine, touches=touches)
    return lead, claim(session, answers.id, lead.id) if answers else None


def claim(session: Session, assessment_id: int | None, lead_id: int) -> Assessment | None:
    """Give answers to a lead and return them; None when they are another lead's, as they stay."""
    is_free = or_(Assessment.lead_id.is_(None), Assessment.lead_id == lead_id)
    query = update(Assessment).where(Assessment.id == (assessment_id or 0), is_free)
    given = session.execute(query.values(lead_id=lead_id).returning(Assessment.id)).first()
    return session.get(Assessment, assessment_id) if given else None


def take_along(
    session: Session, assessment_id: int | None, mistyped: Lead, meant: Lead
) -> Assessment | None:
    """Give the answers that came with a booking to the lead of its corrected address.

    They may have been emailed to the mistyped address before, and so be that lead's. They stay
    with it once its mailbox has confirmed anything: then they may be that person's.
    """
    answers = session.get(Assessment, assessment_id) if assessment_id else None
    if answers and answers.lead_id == mistyped.id and not _is_confirmed(session, mistyped):
        answers.lead_id = None
        session.flush()
    return claim(session, assessment_id, meant.id)


def _is_confirmed(session: Session, lead: Lead) -> bool:
    confirmed = (LeadEvent.lead_id == lead.id, LeadEvent.kind == EventKind.ADDRESS_CONFIRMED)
    proved = (Consent.lead_id == lead.id, Consent.is_proved)
    found = select(LeadEvent.id).where(*confirmed), select(Consent.id).where(*proved)
    return any(session.scalar(query.limit(1)) for query in found)
