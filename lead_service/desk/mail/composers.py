"""Map each kind of email to the function that composes it."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from ...assess.emails import result_email
from ...book import emails as call_emails
from ...book.calendars.notices import calendar_email, collision_email
from ...book.hosts.models import offered_calls
from ...contact.emails import received_email
from ...emails.message import HOST, VISITOR, EmailKind, Message, from_json
from ...emails.models import OutboxMessage
from ...emails.outbox import Compose
from ...emails.team_notices import flood_email
from ...publishing.site import Published
from ...settings import Settings
from ..auth.links import sign_in_email
from ..team.membership import invitation_email


def _result(
    session: Session, settings: Settings, published: Published, row: OutboxMessage, now: datetime
) -> Message:
    """Compose the email with a result, with a link to a kind of call that a host takes."""
    calls = offered_calls(session, published.calls)
    return result_email(session, settings, replace(published, calls=calls), row, now)


COMPOSERS = {
    **dict.fromkeys(EmailKind.of_role(VISITOR), call_emails.visitors_email),
    **dict.fromkeys(EmailKind.of_role(HOST), call_emails.hosts_email),
    EmailKind.BOOKING_WITHDRAWN: call_emails.withdrawal,
    EmailKind.BOOKING_AGAIN: call_emails.invitation_to_book_again,
    EmailKind.NEW_LEAD: call_emails.team_news,
    EmailKind.FLOOD: flood_email,
    EmailKind.CALENDAR_PROBLEM: calendar_email,
    EmailKind.CALL_COLLIDES: collision_email,
    EmailKind.MESSAGE_RECEIVED: received_email,
    EmailKind.RESULT: _result,
    EmailKind.SIGN_IN: sign_in_email,
    EmailKind.INVITED: invitation_email,
}


def composer(settings: Settings, published: Published) -> Compose:
    """Return the function that composes a row of the outbox.

    A row with a stored message was sent, or was composed by an earlier version.
    """

    def compose(session: Session, row: OutboxMessage, now: datetime) -> Message:
        if row.body:
            return from_json(row.body)
        return COMPOSERS[row.kind](session, settings, published, row, now)

    return compose
