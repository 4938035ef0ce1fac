"""Confirm messages from the contact form by email."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..book.answers import link_for
from ..emails import outbox, practice_context
from ..emails.message import EmailKind, Message, compose
from ..emails.models import OutboxMessage
from ..emails.outbox import NotNeeded
from ..leads.models import Lead
from ..publishing.site import Published
from ..settings import Settings
from ..web import mailbox

USEFUL_FOR = timedelta(days=2)


def queue_receipt(
    session: Session, email: str, lead_id: int, key: str, at: datetime, *, held: bool
) -> None:
    """Queue the confirmation of a message; `key` names the form that it was sent with."""
    outbox.queue(
        session,
        EmailKind.MESSAGE_RECEIVED,
        email,
        at=at,
        useless_after=at + USEFUL_FOR,
        lead_id=lead_id,
        dedupe_key=f"received:{key}",
        held=held,
    )


def received_email(
    session: Session, settings: Settings, _published: Published, row: OutboxMessage, _now: datetime
) -> Message:
    """Compose the confirmation; it repeats none of the text, since anyone can type any address."""
    lead = session.get(Lead, row.lead_id or 0)
    if lead is None:
        raise NotNeeded("the message was erased")
    return compose(
        EmailKind.MESSAGE_RECEIVED,
        to=row.address,
        to_name=lead.name,
        reply_to=settings.practice_email,
        name=lead.name,
        reply_time=settings.practice_reply_time,
        book=link_for(session, settings, lead),
        **mailbox.choices(session, settings, lead),
        **practice_context(settings),
    )
