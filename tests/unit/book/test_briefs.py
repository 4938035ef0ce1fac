"""The choice of the answers for the brief of a call."""

from datetime import UTC, datetime, timedelta

from lead_service.assess.models import Assessment
from lead_service.book.briefs import choose, source
from lead_service.book.models import Booking

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
FIRST, LATEST = (Assessment(id=id, completed_at=AT + timedelta(days=id)) for id in (1, 2))
OPEN = Assessment(id=3)


def test_the_brief_uses_the_calls_answers_or_else_the_latest_complete_ones():
    taken = [OPEN, LATEST, FIRST]
    assert choose(taken, Booking(assessment_id=1)) is FIRST
    assert choose(taken, Booking(assessment_id=3)) is LATEST
    assert choose(taken, Booking()) is choose(taken, None) is LATEST
    assert choose([OPEN], None) is None


def test_a_brief_says_whether_its_answers_came_with_the_call_that_it_is_for():
    call = Booking(assessment_id=1, starts_at=AT, host_zone="Europe/Berlin")
    when = "the call on Monday, November 23, 2026, 9:00 am Berlin time (CET)"
    assert source(FIRST, call).replace("\u00a0", " ") == f"These answers came with {when}."
    latest = source(LATEST, call).replace("\u00a0", " ")
    below = "The result below is from Wednesday, November 25, 2026."
    assert latest == f"No answers came with {when}. {below}"
    assert source(LATEST, None) == "They answered on Wednesday, November 25, 2026."
