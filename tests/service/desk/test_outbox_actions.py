"""Actions on emails: each has one effect, however often it is clicked, and is in the audit log."""

import re
import threading
from datetime import timedelta
from functools import partial

import pytest

from lead_service.emails import admin_actions, outbox
from lead_service.emails.outbox import claim
from lead_service.emails.transports.base import Permanent, Stop, Temporary
from tests.service.conftest import MONDAY_MORNING as NOW
from tests.support.app.desk_client import press
from tests.support.app.hosts import trail
from tests.support.app.outbox_helper import FakeTransport, OutboxHelper, failing, in_threads

MINUTE = timedelta(minutes=1)
OUTBOX = "/desk/outbox/"


def refused(room: OutboxHelper, name: str = "one", **options) -> str:
    """The id of an email that the provider has refused for good."""
    outbox_id = room.put(name, at=NOW, **options)
    room.drain(failing(Permanent("the provider refused this mail (400)")), NOW)
    return outbox_id


def act(client, what: str, *ids: str, page: str = OUTBOX, **more: str):
    answer = press(client, page, f"{OUTBOX}{what}", mails=" ".join(ids), **more)
    assert answer.status_code == 303, answer.text
    return answer


def mail_trail(database) -> list[tuple[str, str]]:
    """Return the audit log's lines about emails, as (what, subject)."""
    return [(what, subject) for _, what, subject, _ in trail(database)[1:]]


def test_a_refused_email_is_sent_once_it_is_tried_again(client, member, room):
    outbox_id = refused(room)
    act(client, "retry", outbox_id, page=f"{OUTBOX}{outbox_id}/")
    row = room.row(outbox_id)
    assert (row.state, row.attempts, row.alarm_at, row.reason) == ("pending", 1, None, "")
    transport = FakeTransport()
    room.drain(transport, NOW)
    assert transport.tried == ["one"] and room.row(outbox_id).state == "sent"


def test_retrying_a_given_up_email_restarts_its_period(client, member, room):
    outbox_id = room.put(at=NOW)
    long_ago = NOW - timedelta(days=4)
    room.database.write(lambda session: set_row(session, outbox_id, long_ago))
    room.drain(failing(Temporary("503")), NOW)
    assert room.row(outbox_id).state == "dead" and room.health(NOW).dead == 1
    act(client, "retry", outbox_id)
    room.drain(failing(Temporary("503")), NOW)
    assert (room.row(outbox_id).state, room.row(outbox_id).attempts) == ("pending", 2)
    assert room.health(NOW).troubles == ()


def set_row(session, outbox_id: str, failing_since) -> None:
    row = session.get_one(outbox.OutboxMessage, outbox_id)
    row.failing_since, row.attempts = failing_since, 47


def test_a_second_click_sends_no_second_email(client, member, room):
    outbox_id = refused(room)
    act(client, "retry", outbox_id)
    transport = FakeTransport()
    room.drain(transport, NOW)
    act(client, "retry", outbox_id)
    room.drain(transport, NOW)
    assert transport.tried == ["one"]
    assert "Someone else already did this" in client.get(OUTBOX).text
    assert mail_trail(room.database) == [("mail_retried", f"email {outbox_id}")]


@pytest.mark.parametrize("state", ["failed", "pending"])
@pytest.mark.both_engines
def test_of_four_simultaneous_clicks_one_has_an_effect(room, state):
    outbox_id = refused(room) if state == "failed" else room.put(at=NOW)
    together, done = threading.Barrier(4), []
    work = admin_actions.cancel if state == "pending" else partial(admin_actions.retry, now=NOW)

    def press_it() -> None:
        together.wait()
        done.append(room.database.write(lambda session: work(session, outbox_id)))

    in_threads(press_it, 4)
    assert sorted(done) == [False, False, False, True]


def test_emails_being_sent_can_be_neither_retried_nor_canceled(client, member, room):
    outbox_id = room.put(at=NOW)
    held = claim(room.database, NOW)
    act(client, "retry", outbox_id)
    act(client, "take-back", outbox_id)
    row = room.row(outbox_id)
    assert (row.state, row.lease_token, row.facts) == ("sending", held.token, {})


def test_an_expired_email_or_one_without_text_is_not_retried(client, member, room, at):
    late = refused(room, "late", useless_after=NOW + MINUTE)
    key = refused(room, "key", kind="sign_in")
    at(NOW + 2 * MINUTE)
    act(client, "retry", late, key)
    assert {room.row(one).state for one in (late, key)} == {"failed"}
    for one in (late, key):
        assert "Try again" not in client.get(f"{OUTBOX}{one}/").text


def test_a_canceled_email_is_never_sent_and_loses_its_text(client, member, room):
    outbox_id = room.put(at=NOW)
    act(client, "take-back", outbox_id)
    transport = FakeTransport()
    room.drain(transport, NOW)
    row = room.row(outbox_id)
    assert (transport.tried, row.state, row.body) == ([], "cancelled", None)
    assert "canceled on the desk" in client.get(f"{OUTBOX}{outbox_id}/").text


def test_sent_emails_cannot_be_canceled(client, member, room):
    outbox_id = room.put(at=NOW)
    room.drain(FakeTransport(), NOW)
    act(client, "take-back", outbox_id)
    assert room.row(outbox_id).state == "sent"


def test_the_banner_disappears_once_all_failures_are_marked_as_seen(client, member, room):
    ids = [refused(room, name) for name in ("one", "two")]
    page = client.get(f"{OUTBOX}?state=attention").text
    assert "Email needs attention" in page and all(id in page for id in ids)
    newer = refused(room, "three")
    act(client, "seen", *ids, state="attention")
    assert room.health(NOW).failed == 1
    act(client, "seen", newer, state="attention")
    assert "Email needs attention" not in client.get("/desk/").text
    assert {room.row(id).state for id in ids} == {"failed"}
    assert len(mail_trail(room.database)) == 3


def test_sending_goes_on_after_a_stop(client, member, room):
    outbox_id = room.put(at=NOW)
    room.drain(failing(Stop("the provider refused our key or our sender (401)")), NOW)
    page = client.get(OUTBOX).text
    assert "t sent any email since" in page and "Paused" in page
    act(client, "resume")
    room.drain(FakeTransport(), NOW)
    assert room.row(outbox_id).state == "sent"
    assert mail_trail(room.database) == [("sending_resumed", "outbox")]


def test_sending_goes_on_before_a_pause_ends(client, member, room):
    outbox_id = room.put(at=NOW - 60 * MINUTE, due_at=NOW)
    room.drain(failing(Temporary("429", NOW + 60 * MINUTE, pause=True)), NOW)
    assert "Sending is paused until" in client.get(OUTBOX).text
    act(client, "resume")
    transport = FakeTransport()
    room.drain(transport, NOW)
    assert transport.tried == ["one"] and room.row(outbox_id).state == "sent"


def test_the_next_try_of_an_email_is_not_before_the_sender_may_try(client, member, room):
    until = NOW + 5 * MINUTE
    room.put("one", at=NOW)
    room.put("two", at=NOW)
    room.drain(failing(Temporary("429", until, pause=True)), NOW)
    tries = re.findall(r'Next try <time datetime="(.*?)"', client.get(OUTBOX).text)
    assert tries == [until.isoformat()] * 2
    act(client, "resume")
    room.drain(failing(Stop("the provider refused our key or our sender (401)")), NOW)
    assert "Next try <time" not in client.get(OUTBOX).text


def test_all_emails_waiting_for_a_retry_can_be_sent_at_once(client, member, room):
    ids = [room.put(name, at=NOW) for name in ("one", "two")]
    room.put("reminder", at=NOW, due_at=NOW + 60 * MINUTE)
    room.drain(failing(Temporary("503")), NOW)
    assert "2 emails are waiting" in client.get(OUTBOX).text
    act(client, "resume")
    transport = FakeTransport()
    room.drain(transport, NOW)
    assert sorted(transport.tried) == ["one", "two"]
    assert {room.row(id).state for id in ids} == {"sent"}


def test_every_state_has_a_page_and_an_unknown_one_is_a_404(client, member, room):
    refused(room)
    for state in ("pending", "sending", "sent", "deferred", "delivered", "bounced", "paused"):
        assert client.get(f"{OUTBOX}?state={state}").status_code == 200
    assert "400" in client.get(f"{OUTBOX}?state=failed").text
    assert client.get(f"{OUTBOX}?state=nothing").status_code == 404
