"""Whose answers are whose: a booking, a message and an email with a result decide it here.

The reference of answers is in addresses, which people forward, so answers that are a lead's go
along with that lead's address only.
"""

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from ..leads.capture import capture_lead, normalize_email
from ..leads.contact_details import ContactDetails
from ..leads.models import Lead
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
