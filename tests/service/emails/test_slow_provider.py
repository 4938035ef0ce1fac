"""Changes to a call while the mail provider is slow, from the web request to the provider."""

import threading
from datetime import timedelta

import pytest

from lead_service import clock
from lead_service.desk.mail.composers import composer
from lead_service.emails import worker
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import add_host, give_to
from tests.support.app.sendgrid_client import client as sendgrid
from tests.support.app.visitor_forms import VISITOR, book, open_starts
from tests.support.fake_sendgrid import StandIn, accept, reset, status

HOST = "host@example.com"
SECONDS = 20


@pytest.fixture
def environment(environment):
    """A host who is the first address in SALES_TO, like in the default setup."""
    return environment | {"SALES_TO": f"{HOST}, team@example.com"}


@pytest.fixture
def deliver(context, settings, provider):
    """Send all due emails, like one deliver process."""

    def run() -> None:
        transport, compose = sendgrid(provider.url), composer(settings, context.published)
        while worker.deliver_one(context.database, transport, compose, clock.now()):
            pass

    return run


class SlowProvider:
    """Answers the first email to the visitor when `answer` is set, and others at once."""

    def __init__(self, provider: StandIn, answer) -> None:
        self.provider, self.answer = provider, answer
        self.is_asked, self.may_answer = threading.Event(), threading.Event()
        provider.mode = self.mode

    def mode(self, handler) -> None:
        is_first = to(self.provider.received[-1]) == VISITOR["email"] and not self.is_asked.is_set()
        if not is_first:
            return accept(handler)
        self.is_asked.set()
        self.may_answer.wait(SECONDS)
        return self.answer(handler)


def to(received) -> str:
    return received.body["personalizations"][0]["to"][0]["email"]


def invitations(provider: StandIn, address: str) -> list[str]:
    """Return the calendar files sent to an address, in order."""
    mails = [one.body for one in provider.received if to(one) == address]
    return [file["filename"] for mail in mails for file in mail.get("attachments", [])]


@pytest.mark.parametrize(
    "change, file, answer", [("cancel", "cancel.ics", reset), ("move/", "invite.ics", accept)]
)
def test_a_change_leaves_after_the_confirmation_that_is_under_way(
    client, at, provider, deliver, change, file, answer
):
    page = book(client)
    slow = SlowProvider(provider, answer)
    first = threading.Thread(target=deliver)
    first.start()
    assert slow.is_asked.wait(SECONDS)
    form = {"start": open_starts(client, day="2026-11-25")[0]}
    assert client.post(page + change, data=form).status_code == 303
    deliver()  # a second process, which must not send the visitor's email
    assert invitations(provider, VISITOR["email"]) == ["invite.ics"]
    assert invitations(provider, HOST)[-1] == file

    slow.may_answer.set()
    first.join()
    at(MONDAY_MORNING + timedelta(minutes=2))  # the lost email can't arrive anymore
    deliver()
    assert invitations(provider, VISITOR["email"]) == ["invite.ics", file]
    assert provider.faults == []


def test_a_cancellation_names_the_time_that_its_reader_knows(client, provider, deliver):
    page = book(client, open_starts(client, day="2026-11-24")[0])
    deliver()
    form = {"start": open_starts(client, day="2026-11-25")[0]}
    assert client.post(page + "move/", data=form).status_code == 303
    assert client.post(page + "cancel").status_code == 303
    deliver()
    for reader in (VISITOR["email"], HOST):
        body = [one.body for one in provider.received if to(one) == reader][-1]
        assert "Tue, Nov 24" in body["subject"]
        assert "It had been rescheduled to Wednesday, November 25" in body["content"][0]["value"]


def there_and_back(client, page: str) -> None:
    for day in ("2026-11-25", "2026-11-24"):
        form = {"start": open_starts(client, day=day)[0]}
        assert client.post(page + "move/", data=form).status_code == 303


@pytest.mark.parametrize("first_answer", [accept, status(503)])
def test_a_call_moved_back_before_its_email_was_sent_is_confirmed(
    client, at, provider, deliver, first_answer
):
    page = book(client, open_starts(client, day="2026-11-24")[0])
    provider.mode = first_answer
    deliver()
    provider.mode, known = accept, len(provider.received)
    there_and_back(client, page)
    at(MONDAY_MORNING + timedelta(hours=1))
    deliver()
    told = provider.received[known:]
    assert {to(one): one.body["subject"] for one in told} == {
        VISITOR["email"]: "Your call is booked: Tue, Nov 24, 10:00 am CET",
        HOST: "Rescheduled: Ada Example, Tue, Nov 24, 9:00 am",
        "team@example.com": "Ada Example: call rescheduled, Tue, Nov 24, 9:00 am UTC",
    }
    assert "Nov 25" not in str([one.body["content"] for one in told])


def test_a_visitor_hears_of_a_new_host_when_the_call_was_moved_back_since(
    client, context, database, provider, deliver
):
    page = book(client, open_starts(client, day="2026-11-24")[0])
    deliver()
    give_to(context, add_host(database), member_id=1)
    there_and_back(client, page)
    deliver()
    (body,) = [one.body for one in provider.received if to(one) == VISITOR["email"]][1:]
    assert body["subject"] == "Your call on Tue, Nov 24 is now with Ann Example"


def test_a_host_in_the_sales_team_gets_the_cancellation_of_a_call_given_away_then_canceled(
    client, context, database, provider, deliver
):
    page = book(client)
    deliver()
    give_to(context, add_host(database), member_id=1)
    assert client.post(page + "cancel").status_code == 303
    deliver()
    assert invitations(provider, HOST) == ["invite.ics", "cancel.ics"]
