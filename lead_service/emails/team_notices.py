"""Email the sales team about a lead, each member separately.

`book.emails.team_news` composes it. A reply goes to the lead, where the lead may be written to.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..leads.consent import Occasion, Permission
from ..leads.models import Lead
from ..publishing.site import Published
from ..settings import Settings
from . import outbox, practice_context
from .message import EmailKind, Message, compose
from .models import OutboxMessage

USEFUL_FOR = timedelta(days=14)
FLOOD_TOLD_AFTER = timedelta(hours=1)  # so that one email covers the whole flood
# If one of these expires, the visitor does not know about the call.
TELLS_VISITOR = {EmailKind.BOOKING_CONFIRMED, EmailKind.BOOKING_CHANGED}


class CallNews(StrEnum):
    """What happened to a call, as the team's email says."""

    BOOKED = "booked"
    MOVED = "moved"
    GIVEN = "given"
    CANCELED = "canceled"
    MISSED = "missed"
    DISOWNED = "disowned"  # and canceled
    CORRECTED = "corrected"  # the address of its visitor
    NEVER_TOLD = "never_told"  # the email about it was not sent in time


def notify(
    session: Session,
    settings: Settings,
    lead_id: int | None,
    at: datetime,
    *,
    occasion: Occasion,
    key: str,
    booking: tuple[int, int] | None = None,
    exclude: Collection[str] = (),
    flood: bool = False,
    **facts: Any,
) -> None:
    """Email everyone in SALES_TO about what a lead did; `key` names the occasion, once.

    During a `flood`, one email per hour says how many leads to look at.

    `occasion` decides whether they may be contacted. The facts are `what` the lead did and maybe
    the `text` that they wrote and the article that they `came_from`. Addresses in `exclude`
    get another email about this.
    """
    if flood:
        _tell_of_flood(session, settings, at)
        return
    left_out = {address.casefold() for address in exclude}
    booking_id, sequence = booking or (None, 0)
    for number, recipient in enumerate(settings.sales_to):
        if recipient.casefold() not in left_out:
            outbox.queue(
                session,
                EmailKind.NEW_LEAD,
                recipient,
                at=at,
                useless_after=at + USEFUL_FOR,
                facts={"occasion": occasion, **facts},
                lead_id=lead_id,
                booking_id=booking_id,
                sequence=sequence,
                dedupe_key=f"team:{key}:{number}",
            )


def notify_of_call(
    session: Session,
    settings: Settings,
    lead_id: int | None,
    booking: tuple[int, int],
    news: CallNews,
    at: datetime,
    **more: Any,
) -> None:
    """Email the team about a change of a call; `booking` is its id and sequence."""
    more |= {"occasion": Occasion.CALL, "booking": booking, "news": news}
    notify(session, settings, lead_id, at, **more)


def _tell_of_flood(session: Session, settings: Settings, at: datetime) -> None:
    for number, recipient in enumerate(settings.sales_to):
        outbox.queue(
            session,
            EmailKind.FLOOD,
            recipient,
            at=at,
            due_at=at + FLOOD_TOLD_AFTER,
            useless_after=at + USEFUL_FOR,
            dedupe_key=f"team:flood:{at:%Y-%m-%dT%H}:{number}",
        )


def flood_email(
    session: Session, settings: Settings, _published: Published, row: OutboxMessage, _now: datetime
) -> Message:
    """Compose the email that tells the team of a flood, with how many leads it has left."""
    of_flood = (Lead.quarantine, Lead.touched_at >= row.created_at)
    leads = session.scalar(select(func.count(Lead.id)).where(*of_flood)) or 0
    if not leads:
        raise outbox.NotNeeded("nothing is left to check")
    return compose(
        row.kind,
        to=row.address,
        leads=leads,
        desk_link=settings.link("/desk/?view=suspected"),
        calls_link=settings.link("/desk/calls/floods/"),
        **practice_context(settings),
    )


def never_told(settings: Settings, session: Session, row: OutboxMessage, at: datetime) -> None:
    """Raise an alarm and email the team when a visitor wasn't told of their call in time."""
    if row.kind not in TELLS_VISITOR:
        return
    row.alarm_at, row.reason = at, "it could not be sent in time, so we never told the visitor"
    if row.booking_id is not None:
        call, key = (row.booking_id, row.sequence), f"never-told:{row.id}"
        notify_of_call(session, settings, row.lead_id, call, CallNews.NEVER_TOLD, at, key=key)


def reply_fields(allowed: Permission, email: str, name: str) -> dict[str, Any]:
    """Return the fields of an email to the team that say whether to reply to a person."""
    return {
        "reply_to": email if allowed.may_write else None,
        "answers": email,  # the address that a reply goes to
        "reply_to_name": name if allowed.may_write else "",
        "permission": allowed.text,
        "may_write": allowed.may_write,
    }
