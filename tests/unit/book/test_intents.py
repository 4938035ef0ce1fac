"""Whether a queued email about a call still fits the call's present state."""

from datetime import UTC, datetime, timedelta

import pytest

from lead_service.book.intents import misfit
from lead_service.book.models import Booking, Status
from lead_service.emails.message import EmailKind
from lead_service.emails.models import OutboxMessage

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAYS = timedelta(days=1)
HOST, OTHER = 1, 2
KEPT = {"starts_at": NOW + DAYS, "sequence": 1, "host_id": HOST, "email": "ada@lead.test"}
CALL = Booking(status=Status.CONFIRMED, **KEPT)
CANCELED = Booking(status=Status.CANCELLED, **KEPT)
TO_VISITOR = ("booking_requested", "booking_confirmed", "booking_changed", "booking_reminder")


def needed(kind: str, call: Booking = CALL, *, has_heard=True, facts=None, **given):
    known = {"sequence": 1, "address": "ada@lead.test", "created_at": NOW}
    row = OutboxMessage(kind=EmailKind(kind), facts={"host": HOST} | (facts or {}), **known | given)
    return not misfit(row, call, has_heard, NOW)


@pytest.mark.parametrize("kind", TO_VISITOR)
def test_the_visitors_email_describes_the_present_state_of_the_call(kind):
    assert needed(kind)
    assert not needed(kind, sequence=0)
    assert not needed(kind, CANCELED)
    assert not needed(kind, address="adda@lead.test")


def test_a_host_is_invited_to_calls_that_are_theirs():
    assert needed("booking_for_host")
    assert not needed("booking_for_host", sequence=0)
    assert not needed("booking_for_host", CANCELED)
    assert not needed("booking_for_host", facts={"host": OTHER})


def test_a_host_who_has_the_call_again_gets_no_cancellation():
    assert needed("booking_cancelled_for_host", facts={"host": OTHER})
    assert not needed("booking_cancelled_for_host")
    assert needed("booking_cancelled_for_host", CANCELED)


@pytest.mark.parametrize("kind", ["booking_cancelled", "booking_cancelled_for_host"])
def test_late_cancellations_are_not_sent_to_people_who_never_heard_of_the_call(kind):
    """A visitor who cancels at once gets only the cancellation; after an outage, none."""
    assert needed(kind, CANCELED, has_heard=False)
    late = {"created_at": NOW - 2 * DAYS}
    assert needed(kind, CANCELED, **late)
    assert not needed(kind, CANCELED, has_heard=False, **late)
    assert needed(kind, CANCELED, has_heard=False, facts={"is_team": True}, **late)


def test_an_invitation_is_withdrawn_from_an_address_that_may_have_got_it():
    assert needed("booking_withdrawn", address="adda@lead.test")
    assert not needed("booking_withdrawn", address="adda@lead.test", has_heard=False)
    assert not needed("booking_withdrawn", address="ada@lead.test")
