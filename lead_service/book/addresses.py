"""A mistyped address put right: the invitation's, the link's, and the lead's behind it."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from .. import leads
from ..assess.models import Assessment
from ..emails.models import OutboxMessage
from ..security import token_hash
from ..settings import Settings
from . import diary
from .models import Booking

MOST_CHANGES = 3  # of one booking: the form must not become a way to mail strangers


def readdress(
    session: Session, settings: Settings, booking: Booking, email: str, now: datetime
) -> bool:
    """Correct where the invitation goes; False when it was done too often, or came too late.

    The link changes with it: whoever reads the mistyped mailbox must not hold this one. The
    SEQUENCE rises by two, one for the cancellation at the old address, which a calendar that
    gets both must find older than the invitation at the new one.
    """
    if not diary.is_coming(booking, now) or booking.address_changes >= MOST_CHANGES:
        return False
    mistyped, meant = booking.lead, leads.find(session, email)
    most = settings.bookings_per_address
    if meant and meant is not mistyped and diary.coming(session, meant, now) >= most:
        return False
    if not _is_its_only_trace(session, booking, mistyped):
        known = leads.capture(
            session, email=email, name=booking.name, company=booking.company, at=now
        )
        booking.lead = session.get_one(leads.Lead, known.id)
    elif meant is not mistyped:
        while meant is None and not leads.correct(session, mistyped, email):
            meant = leads.find(session, email)  # somebody wrote from it meanwhile
        if meant:
            _move_all(session, mistyped, meant)
    booking.email = email
    booking.address_changes += 1
    booking.sequence += 2
    booking.token_hash = token_hash(diary.manage_token(booking, settings.secret))
    return True


def _is_its_only_trace(session: Session, booking: Booking, lead: leads.Lead) -> bool:
    """Say whether a lead exists through this booking alone, so that a typo made it."""
    others = session.scalar(
        select(func.count()).where(Booking.lead_id == lead.id, Booking.id != booking.id)
    )
    return lead.created_at == booking.created_at and not others


def _move_all(session: Session, wrong: leads.Lead, right: leads.Lead) -> None:
    """Give the lead that was meant all that hangs on the mistyped one, which then goes."""
    leads.absorb(session, right, wrong)
    for model in (Booking, Assessment, OutboxMessage):
        session.execute(update(model).where(model.lead_id == wrong.id).values(lead_id=right.id))
    session.expire_all()
    session.delete(wrong)
    session.flush()
