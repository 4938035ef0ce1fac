"""Refresh the stored busy times of the hosts' calendars, in the deliver process."""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from ... import clock
from ...db.base import rows_changed
from ...db.engine import Database
from ...settings import Settings
from ..availability.busy_times import is_current, stored_busy_times
from ..availability.host_rules import MOST_DAYS
from ..availability.slots import Busy
from ..hosts.models import BusyTime, CalendarFeed
from ..models import Booking, coming
from . import notices
from .fetch import LONGEST_WAIT, Unreadable, fetch
from .sandbox import parse_in_process

RULES = 2  # version of the parser: raise it to parse unchanged files again
EVERY = timedelta(minutes=10)
BEFORE = timedelta(days=2)  # events that have begun still count
BEYOND = timedelta(days=60)  # beyond what visitors see, for unchanged files
NEARLY = timedelta(days=30)  # with less left, the file is parsed again

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Copy:
    """The state of a calendar before a reading."""

    id: int
    url: str
    etag: str
    last_modified: str
    content_hash: str
    zone: str  # of the host, like the next two
    host_id: int
    email: str
    seen_until: datetime  # the last start that a visitor may see
    is_whole: bool  # whether stored times use the host's present zone and reach far enough


def refresh_due(database: Database, settings: Settings) -> int:
    """Read each calendar that is due; return how many.

    A calendar that can't be read keeps its last busy times and stores the fault.
    """
    now = clock.now()
    with database.read() as session:
        due = session.scalars(select(CalendarFeed.id).where(_is_due(now))).all()
    return sum(refresh(database, settings, feed_id, now) for feed_id in due)


def refresh(database: Database, settings: Settings, feed_id: int, now: datetime) -> bool:
    """Read one calendar; False if another process reads it, or if it was removed."""
    copy = database.write(lambda session: _claim(session, feed_id, now))
    if copy is None:
        return False
    try:
        _read(database, settings, copy, now)
    except Unreadable as fault:
        words, wait = str(fault)[:200], fault.wait
        log.warning("calendar %d not read: %s", feed_id, words)
        known = {"fault": words, "retry_at": now + wait if wait else None}
        database.write(lambda session: _fail(session, feed_id, known, now))
    return True


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Select calendars not read for EVERY, or wanted, whose server didn't ask for a delay.

    A clock that was set back must not delay this for long.
    """
    tried, retry, wanted = CalendarFeed.fetched_at, CalendarFeed.retry_at, CalendarFeed.wanted_at
    return and_(
        or_(tried.is_(None), tried <= now - EVERY, tried > now + EVERY, wanted.is_not(None)),
        or_(retry.is_(None), retry <= now, retry > now + LONGEST_WAIT),
    )


def _claim(session: Session, feed_id: int, now: datetime) -> _Copy | None:
    """Claim a calendar, so that no other process reads it at the same time."""
    taken = update(CalendarFeed).where(CalendarFeed.id == feed_id, _is_due(now))
    if not rows_changed(session, taken.values(fetched_at=now, wanted_at=None)):
        return None
    feed = session.get_one(CalendarFeed, feed_id, populate_existing=True)
    horizon = feed.host.horizon_days
    seen_until = now + timedelta(days=1 + (MOST_DAYS if horizon is None else horizon))
    return _Copy(
        id=feed.id,
        url=feed.url,
        etag=feed.etag,
        last_modified=feed.last_modified,
        content_hash=feed.content_hash,
        zone=feed.host.zone,
        host_id=feed.host_id,
        email=feed.host.email,
        seen_until=seen_until,
        is_whole=feed.zone == feed.host.zone
        and feed.rules == RULES
        and feed.known_until is not None
        and feed.known_until >= seen_until + NEARLY,
    )


def _read(database: Database, settings: Settings, copy: _Copy, now: datetime) -> None:
    """Fetch a calendar and store its busy times if it has changed; raise Unreadable."""
    marks = {"etag": copy.etag, "last_modified": copy.last_modified} if copy.is_whole else {}
    fetched = fetch(copy.url, **marks, allow_loopback=settings.feeds_allow_loopback)
    digest = hashlib.sha256(fetched.content or b"").hexdigest()
    if fetched.content is None or (copy.is_whole and digest == copy.content_hash):
        database.write(lambda session: _keep(session, copy.id, **_good(now)))
        return
    until = copy.seen_until + BEYOND
    with database.read() as session:
        ours = _own_calls(session, copy.host_id, now - BEFORE)
    span = now - BEFORE, until
    found = parse_in_process(fetched.content, copy.zone, *span, ours, copy.email)
    known = _good(now) | {
        "widened": "\n".join(found.widened),
        "etag": fetched.etag,
        "last_modified": fetched.last_modified,
        "content_hash": digest,
        "size": len(fetched.content),
        "zone": copy.zone,
        "rules": RULES,
        "known_until": until,
    }
    database.write(lambda session: _replace(session, copy.id, found.busy, known))
    log.info("calendar %d read: %d busy times", copy.id, len(found.busy))


def _good(now: datetime) -> dict[str, Any]:
    """Return the new state of a calendar after a successful reading."""
    return {"succeeded_at": now, "fault": "", "retry_at": None, "told_at": None}


def _own_calls(session: Session, host_id: int, since: datetime) -> set[str]:
    """Return the UIDs of a host's calls, whose calendar events must not block a moved call.

    Includes canceled and reassigned calls, which calendars drop later. Another host's
    call, from a forwarded invitation, is an event like any other.
    """
    query = select(Booking.uid, Booking.host_id, Booking.former_hosts)
    rows = session.execute(query.where(Booking.starts_at >= since))
    return {uid for uid, now, former in rows if host_id == now or host_id in (former or ())}


def _fail(session: Session, feed_id: int, known: dict[str, Any], now: datetime) -> None:
    """Store why a calendar could not be read; once its busy times expire, tell people, once."""
    if not _keep(session, feed_id, **known):
        return
    feed = session.get_one(CalendarFeed, feed_id, populate_existing=True)
    if feed.told_at is None and feed.host.is_active and not is_current(feed, now):
        feed.told_at = now
        notices.not_believed(session, feed.host, feed, now)


def _replace(session: Session, feed_id: int, busy: list[Busy], known: dict[str, Any]) -> None:
    feed = session.get(CalendarFeed, feed_id, with_for_update=True)
    if feed is None:  # removed in the meantime
        return
    was_widened, was_read = bool(feed.widened), feed.succeeded_at is not None
    for name, value in known.items():
        setattr(feed, name, value)
    now = known["succeeded_at"]
    if feed.widened and not was_widened:
        notices.widened(session, feed.host, feed, now)
    if was_read:
        _tell_of_collisions(session, feed, busy, now)
    session.execute(delete(BusyTime).where(BusyTime.feed_id == feed_id))
    rows = [{"feed_id": feed_id, "starts_at": one.start, "ends_at": one.end} for one in busy]
    if rows:
        session.execute(insert(BusyTime), rows)


def _tell_of_collisions(
    session: Session, feed: CalendarFeed, busy: list[Busy], now: datetime
) -> None:
    """Tell the host of upcoming calls that newly conflict with `busy`."""
    stored = stored_busy_times(session, [feed], BusyTime.ends_at > now)[feed.id]
    query = select(Booking).where(Booking.host_id == feed.host_id, *coming(now))
    for booking in session.scalars(query):
        if _is_hit(booking, busy) and not _is_hit(booking, stored):
            notices.collides(session, feed, booking, now)


def _is_hit(booking: Booking, busy: list[Busy]) -> bool:
    end = booking.starts_at + timedelta(minutes=booking.duration)
    return any(one.start < end and booking.starts_at < one.end for one in busy)


def _keep(session: Session, feed_id: int, **known) -> bool:
    """Store the state of a calendar; False if it was removed."""
    found = update(CalendarFeed).where(CalendarFeed.id == feed_id).values(**known)
    return bool(rows_changed(session, found))
