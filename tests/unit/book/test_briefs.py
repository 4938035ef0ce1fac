"""Whose answers prepare a talk with a lead."""

from datetime import UTC, datetime, timedelta

from lead_service.assess.models import Assessment
from lead_service.book.briefs import choose
from lead_service.book.models import Booking

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
FIRST, LATEST = (Assessment(id=id, completed_at=AT + timedelta(days=id)) for id in (1, 2))
OPEN = Assessment(id=3)


def test_what_came_with_the_call_prepares_it_and_else_the_latest_that_is_complete():
    taken = [OPEN, LATEST, FIRST]
    assert choose(taken, Booking(assessment_id=1)) is FIRST
    assert choose(taken, Booking(assessment_id=3)) is LATEST
    assert choose(taken, Booking()) is choose(taken, None) is LATEST
    assert choose([OPEN], None) is None
