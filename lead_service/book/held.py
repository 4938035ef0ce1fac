"""Held calls, which look automated, and calls that the team confirms first.

Calls that look automated are canceled after a few hours. If a visitor would be left without an
answer, the team gets an alarm in time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import Session, joinedload

from ..accounts.audit_log import Actor, AuditKind
from ..call_types import CallTypes
from ..db.engine import Database
from ..emails import outbox, team_notices
from ..emails.message import EmailKind
from ..emails.models import OutboxMessage
from ..emails.team_notices import CallNews
from ..leads.models import Lead, Stage
from ..settings import Settings
from . import bookings, call_changes, notifications
from .availability import host_cache
from .hosts.models import who_take
from .models import Booking, coming

HELD_FOR = timedelta(hours=4)  # then the time is free again
SOON = timedelta(hours=12)  # a call should be confirmed this long before its start
BEGUN = timedelta(days=1)  # an unconfirmed call is listed this long after its start
KEY = "unconfirmed"
SPAM = "the lead was marked as spam"
CLEARED = "it was part of a burst of possible spam that the team cleared"
RECENT = timedelta(days=2)  # calls booked within it may be part of a flood
SEVERAL = 3  # calls from one client or in one hour
Kept = TypeVar("Kept", Booking, Lead)
MANY = 10  # unproved calls that may be a flood or hold too many starts


def look_after(database: Database, settings: Settings, now: datetime) -> None:
    """Cancel calls held for too long; email the team about calls that start unconfirmed."""
    over = select(Booking.id).where(bookings.held(now), Booking.created_at <= now - HELD_FOR)
    with database.read() as session:
        found = session.scalars(over.order_by(Booking.id)).all()
        begun = [booking.id for booking in unconfirmed(session, now) if booking.starts_at <= now]
        begun = [one for one in begun if not _is_told(session, one)]
    for booking_id in found:  # one transaction each, so that no two hosts are locked at once
        database.write(partial(_let_go, settings, booking_id, now))
    for booking_id in begun:
        database.write(partial(_never_told, settings, booking_id, now))


def unconfirmed(session: Session, now: datetime) -> list[Booking]:
    """Return unconfirmed calls that begin soon or began within a day.

    Sorted by start, without those that will be canceled before.
    """
    query = (
        select(Booking)
        .where(
            *coming(now - BEGUN),
            Booking.outcome.is_(None),
            or_(Booking.quarantine, Booking.awaits_confirmation),
            Booking.starts_at <= now + SOON,
        )
        .options(joinedload(Booking.host), joinedload(Booking.lead))
        .order_by(Booking.starts_at, Booking.id)
    )
    return [
        booking
        for booking in session.scalars(query)
        if not booking.quarantine or booking.starts_at <= booking.created_at + HELD_FOR
    ]


def problems(session: Session, now: datetime) -> Iterator[str]:
    """Yield a line for calls to confirm now, and one for calls that began unconfirmed."""
    found = unconfirmed(session, now)
    begun = sum(booking.starts_at <= now for booking in found)
    if ahead := len(found) - begun:
        soon = f"Calls that start soon and need confirmation: {ahead}."
        yield f"{soon} Confirm or cancel them on the desk."
    if begun:
        late = f"Calls that started without confirmation: {begun}."
        yield f"{late} Call or write to the visitors yourself."


@dataclass(frozen=True)
class Flood:
    """Upcoming unproved calls: from one client, held in one hour, or many in one hour.

    Or, without calls, the suspected new leads of one hour. Both are sorted by creation.
    """

    key: str
    calls: list[Booking]
    leads: list[Lead] = field(default_factory=list)


def floods(session: Session, now: datetime) -> list[Flood]:
    """Return possible floods: those from one client first, each the largest first."""
    by_client, held, by_hour = defaultdict(list), defaultdict(list), defaultdict(list)
    for call in unproved(session, now):
        if call.client:
            by_client[f"client {call.client}"].append(call)
        if call.quarantine:
            held[f"held {call.created_at:%Y-%m-%d %H}"].append(call)
        by_hour[f"hour {call.created_at:%Y-%m-%d %H}"].append(call)
    groups = [*_large(by_client), *_large(held), *_large(by_hour, MANY)]  # a few may be real
    written = defaultdict(list)
    for lead in _suspected(session, now):
        written[f"messages {lead.created_at:%Y-%m-%d %H}"].append(lead)
    return [Flood(*group) for group in groups] + [
        Flood(key, [], leads) for key, leads in _large(written)
    ]


def clear(database: Database, key: str, by: Actor, keep: Collection[int] = ()) -> int:
    """Cancel the calls of a flood, or close its leads, without any email; return how many.

    Leads with no other trace than these calls are closed, too. `keep` are ids to leave out.
    """
    with database.read() as session:
        found = {flood.key: flood for flood in floods(session, by.at)}.get(key, Flood(key, []))
        calls = [call.id for call in found.calls if call.id not in keep]
        leads = [lead.id for lead in found.leads if lead.id not in keep]
    work = [partial(_clear_call, id, by) for id in calls]
    work += [partial(_clear_lead, id) for id in leads]
    cleared = sum(map(database.write, work))
    if cleared:
        what = "calls" if found.calls else "leads"
        counts: dict[str, Any] = {what: cleared}
        line = (AuditKind.FLOOD_CLEARED, what)
        database.write(lambda session: by.note(session, *line, **counts))
    return cleared


def too_large_a_share(session: Session, calls: CallTypes, now: datetime) -> str:
    """Warn if unproved calls hold more than a tenth of the upcoming starts; otherwise ""."""
    waiting = len(unproved(session, now))
    if waiting < MANY:
        return ""
    found = host_cache.snapshot(session)
    hosts = who_take(found.hosts, calls.default, calls)
    free = len(found.open_starts(session, hosts, calls.default, now))
    if waiting * 9 <= free:
        return ""
    return f"Unconfirmed calls of the last two days: {waiting}. Times still available: {free}."


def forget_clients(session: Session, now: datetime) -> None:
    """Delete the clients' digests once they no longer help to find floods."""
    old = (Booking.client.is_not(None), Booking.created_at <= now - RECENT)
    session.execute(update(Booking).where(*old).values(client=None))


def unproved(session: Session, now: datetime) -> Sequence[Booking]:
    """Return upcoming unproved calls that were booked within two days."""
    query = select(Booking).where(
        *coming(now),
        Booking.is_proved.is_(False),
        Booking.created_at > now - RECENT,
    )
    return session.scalars(query.order_by(Booking.created_at, Booking.id)).all()


def _suspected(session: Session, now: datetime) -> Sequence[Lead]:
    """Return suspected leads of the last two days without an upcoming call."""
    query = select(Lead).where(
        Lead.quarantine,
        Lead.stage == Stage.NEW,
        Lead.created_at > now - RECENT,
        Lead.id.not_in(select(Booking.lead_id).where(*coming(now))),
    )
    return session.scalars(query.order_by(Lead.created_at, Lead.id)).all()


def _large(groups: dict[str, list[Kept]], least: int = SEVERAL) -> list[tuple[str, list[Kept]]]:
    """Return the groups that are large enough for a flood, the largest first."""
    found = [one for one in groups.items() if len(one[1]) >= least]
    return sorted(found, key=lambda one: -len(one[1]))


def _clear_call(booking_id: int, by: Actor, session: Session) -> bool:
    booking = session.get(Booking, booking_id)
    if booking is None or booking.is_proved or not bookings.cancel(session, booking, by.at):
        return False
    notifications.withdrawn(session, booking, by, reason=CLEARED)
    _clear_lead(booking.lead_id, session)
    return True


def cancel_spam(session: Session, settings: Settings, lead_id: int, by: Actor) -> int:
    """Cancel a lead's upcoming calls and waiting emails; return how many calls.

    An invited host gets an email. The visitor does only if their address is confirmed, since
    anyone can type any address.
    """
    calls = bookings.coming_calls(session, [lead_id], by.at)
    gone = [call for call in calls if call_changes.cancel(session, settings, call, by, spam=SPAM)]
    about = OutboxMessage.booking_id
    others = or_(about.is_(None), about.not_in([call.id for call in gone]))
    outbox.withdraw(session, and_(OutboxMessage.lead_id == lead_id, others), SPAM)
    return len(gone)


def _clear_lead(lead_id: int, session: Session) -> bool:
    """Close a lead that exists only because of a flood, and cancel its emails; False for others."""
    lead = session.get(Lead, lead_id, with_for_update=True)
    if lead is None or not lead.quarantine or lead.stage != Stage.NEW:
        return False
    lead.stage = Stage.LOST
    lead.version += 1
    outbox.withdraw(session, OutboxMessage.lead_id == lead_id, CLEARED)
    return True


def _let_go(settings: Settings, booking_id: int, now: datetime, session: Session) -> None:
    booking = session.get(Booking, booking_id)
    if booking is None:
        return
    bookings.lock_one(session, booking)
    if booking.quarantine:  # not released in the meantime
        call_changes.cancel(session, settings, booking, Actor(now))


def _is_told(session: Session, booking_id: int) -> bool:
    told = exists().where(
        OutboxMessage.booking_id == booking_id,
        OutboxMessage.kind == EmailKind.NEW_LEAD,
        OutboxMessage.dedupe_key.startswith(f"team:{KEY}:"),
    )
    return bool(session.scalar(select(told)))


def _never_told(settings: Settings, booking_id: int, now: datetime, session: Session) -> None:
    booking = session.get(Booking, booking_id)
    if booking is None or booking.is_confirmed:
        return
    call, key = (booking.id, booking.sequence), f"{KEY}:{booking.uid}"
    news = CallNews.NEVER_TOLD
    team_notices.notify_of_call(session, settings, booking.lead_id, call, news, now, key=key)
