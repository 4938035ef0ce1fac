"""The export of a host: complete, without the secret address of their calendar."""

import json

from sqlalchemy import select

from lead_service.book.hosts.models import (
    BusyTime,
    CalendarFeed,
    DateOverride,
    Host,
    OverrideWindow,
    TimeOff,
    held_about,
)
from lead_service.privacy import export
from tests.service.conftest import MONDAY_MORNING

ANN = "ann@example.com"
TODAY = MONDAY_MORNING.date()


def fill(session) -> None:
    """Give the first host one record of each kind."""
    host = session.scalars(select(Host)).one()
    host.email = ANN
    host.time_off = [TimeOff(first_day=TODAY, last_day=TODAY, note="At the lake")]
    host.overrides = [DateOverride(day=TODAY, windows=[OverrideWindow(opens=0, closes=60)])]
    host.feeds = [CalendarFeed(url="https://example.com/secret.ics", label="Work")]
    session.flush()
    night = {"starts_at": MONDAY_MORNING, "ends_at": MONDAY_MORNING.replace(hour=23)}
    session.add(BusyTime(feed_id=host.feeds[0].id, **night))


def test_the_export_of_a_host_is_whole_and_opens_no_calendar(app, database, settings):
    database.write(fill)
    with database.read() as session:
        held = export.export_data(session, settings, ANN)
    assert all(held[model.__tablename__] for model, _ in held_about(select(Host.id)))
    assert held["time_off"][0]["first_day"] == TODAY.isoformat()
    assert held["busy_time"][0]["starts_at"] == MONDAY_MORNING.isoformat()
    assert "secret" not in json.dumps(held)
