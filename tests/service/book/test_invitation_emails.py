"""The invitations of a booking's life, read by two calendar programs."""

import random
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from lead_service.book.forms import parse_start
from lead_service.book.models import Booking
from tests.support.app.calendar_programs import READERS, Mailbox
from tests.support.app.calls import ANN, add_host, count, give_to, only_call
from tests.support.app.visitor_forms import book, open_starts

HALF_AN_HOUR = timedelta(minutes=30)
ADDA, ADA, TEAM = "adda@example.org", "ada@example.org", "team@example.com"


class Post:
    """The mailboxes of all recipients, one for each calendar program, with the sent emails."""

    def __init__(self, send, mails, shuffled: int | None = None) -> None:
        self._send, self._mails, self._seen = send, mails, set()
        self._order = random.Random(shuffled) if shuffled is not None else None
        self.boxes = {
            address: [Mailbox(address, read) for read in READERS]
            for address in (ADDA, ADA, TEAM, ANN)
        }

    def deliver(self) -> None:
        self._send()
        fresh = [
            one for row, one in self._mails() if row.state == "sent" and row.id not in self._seen
        ]
        self._seen |= {row.id for row, _ in self._mails() if row.state == "sent"}
        if self._order:
            self._order.shuffle(fresh)
        for message in fresh:
            for box in self.boxes[message.to]:
                box.receive(message)

    def shown(self, address: str):
        """Return the entries of one mailbox; both programs must agree."""
        first, *others = (box.shown for box in self.boxes[address])
        assert all(other == first for other in others)
        return first


@pytest.fixture
def box(post, mails) -> Post:
    return Post(post, mails)


def starts_of(entries) -> list:
    return [entry.start for entry in entries]


def is_invited(first, hosts, start) -> None:
    """Check the visitor's first invitation, and that the host's is about the same call."""
    assert (first.method, first.status, first.sequence) == ("REQUEST", "CONFIRMED", 0)
    assert (first.start, first.end) == (start, start + HALF_AN_HOUR)
    assert (first.attendee, first.organizer) == (ADDA, "calls@example.test")
    assert (first.asks, hosts.asks, first.alarms) == (False, True, 1)
    assert "Declining in your calendar does not cancel the call" in first.description
    assert (hosts.uid, hosts.start) == (first.uid, first.start)
    assert "Ada Example" in hosts.summary
    assert "Ada Example" not in first.summary


def test_calendars_follow_every_change_of_a_booking(client, context, box):
    page = book(client, email=ADDA)
    box.deliver()
    (first,) = box.shown(ADDA)
    (hosts,) = box.shown(TEAM)
    is_invited(first, hosts, only_call(context.database).starts_at)

    wanted = open_starts(client, day="2026-11-25")[2]
    assert client.post(page + "move/", data={"start": wanted}).status_code == 303
    box.deliver()
    (moved,) = box.shown(ADDA)
    start = parse_start(wanted)
    assert moved == replace(first, sequence=1, start=start, end=start + HALF_AN_HOUR)
    assert starts_of(box.shown(TEAM)) == [start]

    page = urlsplit(client.post(page + "address", data={"email": ADA}).location).path
    box.deliver()
    assert box.shown(ADDA) == []
    (corrected,) = box.shown(ADA)
    assert page in corrected.description  # the link that cancels
    same = {"attendee": ADA, "description": corrected.description}
    assert corrected == replace(moved, sequence=3, **same)
    assert starts_of(box.shown(TEAM)) == [start]

    give_to(context, add_host(context.database))
    box.deliver()
    assert box.shown(TEAM) == []
    assert starts_of(box.shown(ANN)) == starts_of(box.shown(ADA)) == [start]

    client.post(page + "cancel")
    box.deliver()
    assert box.shown(ADA) == box.shown(ANN) == box.shown(TEAM) == []

    book(client, wanted, email=ADA, host=str(only_call(context.database).host_id))
    box.deliver()
    (again,) = box.shown(ADA)
    assert (again.start, again.sequence) == (start, 0)
    assert again.uid != first.uid
    assert starts_of(box.shown(ANN)) == [start]
    assert count(context.database, Booking) == 2


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 4))]
)
def test_emails_in_any_order_leave_the_same_calendar(client, post, mails, seed):
    box = Post(lambda: None, mails, shuffled=seed)
    page = book(client, email=ADA)
    for number in (3, 5):
        post()
        client.post(page + "move/", data={"start": open_starts(client)[number]})
    post()
    client.post(page + "cancel")
    post()
    box.deliver()
    assert box.shown(ADA) == box.shown(TEAM) == []


def test_the_file_on_the_page_is_the_one_in_the_email(client, box):
    page = book(client, email=ADA)
    box.deliver()
    downloaded = client.get(page + "invite.ics")
    assert downloaded.mimetype == "text/calendar"
    assert "attachment" in downloaded.headers["Content-Disposition"]
    (sent,) = box.shown(ADA)
    assert [read(downloaded.data) for read in READERS] == [sent] * len(READERS)
