"""Decide to which lead answers belong, for bookings, messages and emailed results.

People forward links with a reference to answers. So a reference attaches answers to a new address
for one day only, and once a lead has them, only if their owner's page made the link since then.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from ..leads.models import Consent, EventKind, Lead, LeadEvent
from .models import Assessment, Referenced

FRESH_FOR = timedelta(hours=24)
# The events by which a lead gets answers.
GIVING = {
    EventKind.CALL_BOOKED,
    EventKind.WANTED_START,
    EventKind.WROTE,
    EventKind.RESULT_MAILED,
    EventKind.ADDRESS_CORRECTED,
}


def owner_of(session: Session, answers: Assessment) -> Lead | None:
    """Return the lead of answers, or None before anyone has left an address."""
    return session.get(Lead, answers.lead_id) if answers.lead_id else None


def goes_to_any_address(brought: Referenced, owner: Lead | None, now: datetime) -> bool:
    """Say whether attached answers may go to a lead other than their `owner`."""
    if brought.made_at is None or now - brought.made_at > FRESH_FOR:
        return False
    if owner is None:
        return True
    given_at = [event.at for event in owner.events if event.kind in GIVING]
    return brought.made_at > max(given_at, default=owner.created_at)


def claim(
    session: Session, assessment_id: int | None, lead_id: int, owner_id: int | None = None
) -> Assessment | None:
    """Assign answers to a lead and return them; None if they stay with another lead.

    They can be taken from the lead `owner_id` only.
    """
    is_free = or_(Assessment.lead_id.is_not_distinct_from(owner_id), Assessment.lead_id == lead_id)
    query = update(Assessment).where(Assessment.id == (assessment_id or 0), is_free)
    given = session.execute(query.values(lead_id=lead_id).returning(Assessment.id)).first()
    return session.get(Assessment, assessment_id) if given else None


def take_along(
    session: Session, assessment_id: int | None, mistyped: Lead, meant: Lead
) -> Assessment | None:
    """Assign a booking's answers to the lead of its corrected address.

    They may have been emailed to the mistyped address, and belong to that lead. They stay
    with it if its mailbox has confirmed anything: then they may be that person's.
    """
    answers = session.get(Assessment, assessment_id) if assessment_id else None
    is_its = answers is not None and answers.lead_id == mistyped.id
    owner_id = mistyped.id if is_its and not is_confirmed(session, mistyped) else None
    return claim(session, assessment_id, meant.id, owner_id)


def is_confirmed(session: Session, lead: Lead) -> bool:
    """Say whether anything was ever confirmed from a lead's mailbox."""
    confirmed = (LeadEvent.lead_id == lead.id, LeadEvent.kind == EventKind.ADDRESS_CONFIRMED)
    proved = (Consent.lead_id == lead.id, Consent.is_proved)
    found = select(LeadEvent.id).where(*confirmed), select(Consent.id).where(*proved)
    return any(session.scalar(query.limit(1)) for query in found)
