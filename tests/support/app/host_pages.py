"""A host and the forms of their pages on the desk, for tests."""

from lead_service.book.hosts.models import Host

from .desk_client import press
from .visitor_forms import hidden, open_starts

HOST = "/desk/availability/1/"
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PERSON = {
    "name": "Ann Example",
    "email": "ann@example.com",
    "city": "Berlin",
    "meeting_link": "https://meet.example.com/ann",
}
RULES = {"interval": "15", "buffer_before": "5", "buffer_after": "10"}
RULES |= {"notice": "1440", "horizon_days": "30", "daily_limit": "4"}


def stored(database, id: int = 1) -> Host:
    with database.read() as session:
        host = session.get_one(Host, id)
        assert all(one.windows is not None for one in host.overrides)
        assert None not in (host.hours, host.time_off, host.feeds)
        return host


def send(client, page: str, **fields: str):
    """Open a form, fill it in and send it, with the version that it showed."""
    seen = hidden(client.get(page).text, "version")
    return press(client, page, **{"version": seen} | fields)


def hours(**days: str) -> dict[str, str]:
    return dict.fromkeys(WEEK, "") | days


def starts_on(client, day: str) -> list[str]:
    """Return the starts that visitors see on a date, in UTC."""
    return open_starts(client, zone="UTC", day=day)


def weekly(database) -> list[tuple[int, int, int]]:
    return [(one.weekday, one.opens, one.closes) for one in stored(database).hours]
