"""A host's calendar feed: all upcoming calls, behind a secret link."""

import icalendar
import pytest

from lead_service.book.forms import parse_start
from lead_service.book.hosts import feed
from lead_service.book.hosts.models import Host
from tests.support.app.calls import add_host, give_to, move, only_call
from tests.support.app.hosts import change_host
from tests.support.app.visitor_forms import book, open_starts


@pytest.fixture
def path(client, database, settings):
    """Return the path of a host's feed, as the desk shows it."""

    def of(host_id: int = 1) -> str:
        with database.read() as session:
            link = feed.feed_link(settings, session.get_one(Host, host_id))
        return link.removeprefix(settings.public_url.rstrip("/"))

    return of


def events(answer) -> list[icalendar.Event]:
    assert answer.status_code == 200
    return icalendar.Calendar.from_ical(answer.data).walk("VEVENT")


def test_a_feed_shows_the_call_with_the_visitors_contact_details(client, path, database):
    book(client)
    answer = client.get(path())
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert "no-store" in answer.headers["Cache-Control"]
    (event,) = events(answer)
    assert event["DTSTART"].dt == only_call(database).starts_at
    assert "Ada Example, Example Works" in event["SUMMARY"]
    assert "+1 555 0100" in event["LOCATION"]
    assert "/desk/leads/1/" in event["DESCRIPTION"]
    assert "ATTENDEE" not in event
    assert not event.walk("VALARM")


def test_a_feed_follows_a_move_and_forgets_a_cancelled_call(client, context, path):
    page = book(client)
    (before,) = events(client.get(path()))
    start = parse_start(open_starts(client)[3])
    move(context, start)
    (after,) = events(client.get(path()))
    assert (after["UID"], after["DTSTART"].dt) == (before["UID"], start)
    assert after["SEQUENCE"] > before["SEQUENCE"]
    client.post(page + "cancel")
    assert events(client.get(path())) == []


def test_each_host_has_a_feed_of_their_own(client, context, path):
    book(client)
    ann = add_host(context.database)
    assert path() != path(ann)
    give_to(context, ann)
    assert events(client.get(path())) == []
    assert len(events(client.get(path(ann)))) == 1


def test_an_invalid_feed_link_is_a_404(client, path):
    nowhere = client.get("/no/such/page/")
    for token in ("x", "0" * 64, "é", path().split("/")[2].upper(), path().split("/")[2][:-1]):
        answer = client.get(f"/calendar/{token}/calls.ics")
        assert (answer.status_code, answer.data) == (404, nowhere.data)


def test_the_feed_of_an_inactive_host_is_closed(client, path, database):
    change_host(database, is_active=False)
    assert client.get(path()).status_code == 404
