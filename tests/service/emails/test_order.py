"""The order of the emails of one call: superseded ones are never sent."""

from datetime import timedelta

import pytest

from lead_service.emails import admin_actions, outbox, worker
from lead_service.emails.message import EmailKind, Message
from lead_service.emails.outbox import claim, finish
from lead_service.emails.transports.base import Accepted, Permanent, Stop, Temporary
from tests.support.app.outbox_helper import (
    HOUR,
    MINUTE,
    NOW,
    FakeTransport,
    OutboxHelper,
    compose,
    failing,
)

SECOND = timedelta(seconds=1)
CONFIRMED, CHANGED, REMINDER, CANCELED = (
    EmailKind.BOOKING_CONFIRMED,
    EmailKind.BOOKING_CHANGED,
    EmailKind.BOOKING_REMINDER,
    EmailKind.BOOKING_CANCELLED,
)


class Inbox(FakeTransport):
    """Records the kinds of accepted emails."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[EmailKind] = []

    def send(self, message: Message, outbox_id: str) -> Accepted:
        self.kinds.append(message.kind)
        return super().send(message, outbox_id)


class Call(OutboxHelper):
    """An outbox with the emails of one call."""

    def about(self, kind: EmailKind, sequence: int, *, to: str = "ada", **given) -> str:
        return self.put(to, kind=kind, booking_id=7, sequence=sequence, **given)

    def rows(self) -> list[outbox.OutboxMessage]:
        return [self.row(id) for id in self.ids()]

    def states(self) -> set[str]:
        return {f"{row.kind} {row.state}" for row in self.rows()}


@pytest.fixture
def call(database) -> Call:
    return Call(database)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.mark.parametrize(
    "outcome",
    [
        Temporary("503"),
        Temporary("429", pause=True),
        Permanent("400"),
        Stop("403"),
        None,  # the worker was killed
    ],
)
def test_an_email_superseded_while_being_sent_is_not_retried(call, inbox, outcome):
    first = call.about(CONFIRMED, 0)
    held = claim(call.database, NOW)
    call.about(CANCELED, 1)
    if outcome:
        assert finish(call.database, held, outcome, NOW + SECOND)
        call.database.write(outbox.resume)
    call.drain(inbox, NOW + 3 * HOUR)
    assert inbox.kinds == [CANCELED]
    assert call.row(first).state == "cancelled" and call.row(first).alarm_at is None
    assert not call.database.write(lambda session: admin_actions.retry(session, first, NOW + HOUR))


@pytest.mark.parametrize("state", ["pending", "held", "failed", "dead"])
def test_waiting_and_given_up_emails_are_canceled_when_superseded(call, inbox, state):
    first = call.about(CONFIRMED, 0)

    def set_state(session) -> None:
        row = session.get_one(outbox.OutboxMessage, first)
        row.state, row.alarm_at = state, NOW if state in ("failed", "dead") else None

    call.database.write(set_state)
    call.about(CANCELED, 1)
    call.drain(inbox)
    assert inbox.kinds == [CANCELED]
    assert call.states() == {"booking_confirmed cancelled", "booking_cancelled sent"}
    assert call.health().troubles == ()


@pytest.mark.both_engines
def test_one_email_of_a_call_is_under_way_to_one_recipient(call):
    """Two workers and a slow provider: the cancellation waits for the confirmation."""
    call.about(CONFIRMED, 0)
    confirmation = claim(call.database, NOW)
    call.about(CANCELED, 1)
    call.about(EmailKind.BOOKING_CANCELLED_FOR_HOST, 1, to="host")
    other = claim(call.database, NOW)
    assert call.row(other.id).address == "host@lead.test"
    assert claim(call.database, NOW) is None
    finish(call.database, confirmation, Accepted(), NOW)
    assert call.row(claim(call.database, NOW).id).kind == CANCELED


def test_emails_after_one_without_an_answer_wait_until_it_cannot_arrive(call, inbox):
    """The provider accepts the confirmation after our time-out; the visitor cancels meanwhile."""
    call.about(CONFIRMED, 0)
    held = claim(call.database, NOW)
    call.about(CANCELED, 1)
    call.about(REMINDER, 0, to="eve")
    finish(call.database, held, Temporary("no answer", may_have_left=True), NOW + SECOND)
    call.drain(inbox, NOW + 50 * SECOND)
    assert inbox.kinds == [REMINDER]
    call.drain(inbox, NOW + 62 * SECOND)
    assert inbox.kinds == [REMINDER, CANCELED]


@pytest.mark.both_engines
def test_host_visitor_and_team_emails_at_one_address_do_not_affect_each_other(call):
    """A host in SALES_TO who books a call gets all three at one address."""
    for number, kind in enumerate((EmailKind.BOOKING_FOR_HOST, EmailKind.NEW_LEAD, CONFIRMED)):
        call.about(kind, number)
    claims = [claim(call.database, NOW) for _ in range(3)]
    assert {call.row(one.id).kind for one in claims} == {row.kind for row in call.rows()}
    call.about(EmailKind.BOOKING_CANCELLED_FOR_HOST, 3)
    for one in claims:
        finish(call.database, one, Temporary("503"), NOW)
    states = {row.kind: row.state for row in call.rows()}
    assert states.pop(EmailKind.BOOKING_FOR_HOST) == "cancelled"
    assert set(states.values()) == {"pending"}


def test_team_news_does_not_count_as_a_hosts_invitation(call, inbox):
    call.about(EmailKind.NEW_LEAD, 0, to="host")
    call.drain(inbox)
    canceled = call.about(EmailKind.BOOKING_CANCELLED_FOR_HOST, 0, to="host")
    with call.database.read() as session:
        assert not outbox.has_heard(session, session.get_one(outbox.OutboxMessage, canceled))


@pytest.mark.both_engines
def test_emails_of_one_sequence_leave_in_the_order_of_their_due_times(call, inbox):
    call.about(CONFIRMED, 0)
    call.about(REMINDER, 0, due_at=NOW + SECOND)
    worker.deliver_one(call.database, failing(Temporary("503")), compose, NOW)
    assert claim(call.database, NOW + SECOND) is None  # the confirmation waits for its next try
    call.drain(inbox, NOW + MINUTE)
    assert inbox.kinds == [CONFIRMED, REMINDER]


def test_a_host_who_gets_a_call_back_gets_the_invitation_last(call, inbox):
    given, theirs = EmailKind.BOOKING_CANCELLED_FOR_HOST, EmailKind.BOOKING_FOR_HOST
    call.about(theirs, 0, to="a")
    call.drain(inbox)
    call.about(given, 1, to="a")
    call.drain(failing(Temporary("503")))
    call.about(theirs, 2, to="a")
    call.drain(inbox, NOW + HOUR)
    assert inbox.kinds == [theirs, theirs]


def test_other_calls_and_recipients_are_not_delayed(call, inbox):
    call.about(CONFIRMED, 0)
    assert claim(call.database, NOW)
    call.put("ada", kind=CONFIRMED, booking_id=8)
    call.about(CHANGED, 1, to="eve")
    call.put("ada")
    call.drain(inbox)
    assert sorted(inbox.kinds) == [CHANGED, CONFIRMED, EmailKind.RESULT]


@pytest.mark.both_engines
def test_a_sign_in_link_goes_first(call):
    transport = FakeTransport()
    call.put("visitor")
    call.put("reminded", due_at=NOW + SECOND)
    call.put("member", kind=EmailKind.SIGN_IN, at=NOW + SECOND)
    call.drain(transport, NOW + SECOND)
    assert transport.tried == ["member", "reminded", "visitor"]
