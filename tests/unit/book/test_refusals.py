"""Sentences for each reason why a start is not offered."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lead_service.book.availability import refusals
from lead_service.book.availability.slots import Unavailable, UnavailableReason

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ZONE = "Europe/Berlin"
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
TUESDAY = date(2026, 11, 24)


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    """Return an instant from Berlin's wall-clock time."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            Unavailable(UnavailableReason.NOTICE, at(13, day=23), count=240),
            "That is too soon. Visitors have to book at least 4 hours ahead."
            " The earliest time is Mon, Nov 23, 1:00 pm.",
        ),
        (
            Unavailable(UnavailableReason.HORIZON, count=1, day=TUESDAY),
            "That is too far ahead. Visitors can book up to 1 day ahead, until Tue, Nov 24, 2026.",
        ),
        (
            Unavailable(UnavailableReason.TIME_OFF, at(0), at(0, day=26), day=TUESDAY),
            "The host is off from Tue, Nov 24, 2026 to Wed, Nov 25, 2026.",
        ),
        (
            Unavailable(UnavailableReason.HOURS, at(17), at(9, day=25)),
            "Outside the host\u2019s hours. The host isn\u2019t available from Tue, Nov 24, 5:00 pm"
            " to Wed, Nov 25, 9:00 am.",
        ),
        (Unavailable(UnavailableReason.HOURS), refusals.CLOSED),
        (
            Unavailable(UnavailableReason.BOOKED, at(9), at(9, 30), booking=7),
            "The host has another call from Tue, Nov 24, 9:00 am to 9:30 am, including buffers.",
        ),
        (
            Unavailable(UnavailableReason.BUSY, at(22), END_OF_TIME, name="Work"),
            "The calendar \u201cWork\u201d is busy from Tue, Nov 24, 10:00 pm on.",
        ),
        (
            Unavailable(UnavailableReason.UNREAD, datetime.min, END_OF_TIME, name="Work"),
            "We don\u2019t know whether the calendar \u201cWork\u201d is free at that time, so"
            " visitors can\u2019t book it.",
        ),
    ],
)
def test_a_reason_names_the_rule_and_the_obstacle(reason, words):
    assert refusals.on_desk(reason, ZONE, NOW) == words


def test_every_kind_of_reason_has_words():
    assert set(refusals.ON_DESK) == set(UnavailableReason)


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [(0, "0 minutes"), (1, "1 minute"), (60, "1 hour"), (90, "90 minutes"), (2880, "2 days")],
)
def test_a_length_is_written_in_the_largest_unit_that_fits(minutes, shown):
    assert refusals.length(minutes) == shown


def test_a_visitor_reads_of_notice_and_horizon_only_where_they_stop_every_host():
    far, closed = (
        refusals.Refusal("Ann", Unavailable(kind))
        for kind in (UnavailableReason.HORIZON, UnavailableReason.HOURS)
    )
    assert "too far ahead" in refusals.to_visitor([far, far])
    assert refusals.to_visitor([far, closed]) == refusals.NO_CALLS_THEN
