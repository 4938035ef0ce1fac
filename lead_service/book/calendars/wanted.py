"""Request a fresh reading of calendars when a visitor is about to book.

The visitor's request only stores a time, after its response was sent; `deliver` reads the calendar.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from flask import Response
from sqlalchemy import or_, update

from ...db.engine import Database
from ..hosts.models import CalendarFeed, Host

EVERY = timedelta(minutes=5)  # between two readings on request
LARGEST = 2 * 2**20  # bytes; larger calendars are only read on schedule

log = logging.getLogger(__name__)


def ask_afterwards(
    response: Response, database: Database, hosts: Iterable[Host], now: datetime
) -> Response:
    """Mark the calendars of these hosts as wanted, after the response was sent."""
    feeds = [feed.id for host in hosts for feed in host.feeds]
    if feeds:
        response.call_on_close(lambda: _ask(database, feeds, now))
    return response


def _ask(database: Database, feeds: list[int], now: datetime) -> None:
    """Mark calendars that were neither read nor marked within EVERY; errors are only logged."""
    old = now - EVERY
    due = update(CalendarFeed).where(
        CalendarFeed.id.in_(feeds),
        CalendarFeed.size <= LARGEST,
        or_(CalendarFeed.fetched_at.is_(None), CalendarFeed.fetched_at <= old),
        or_(CalendarFeed.wanted_at.is_(None), CalendarFeed.wanted_at <= old),
    )
    try:
        database.write(lambda session: session.execute(due.values(wanted_at=now)))
    except Exception as error:  # the page was sent already
        log.warning("calendars not marked for reading: %s", type(error).__name__)
