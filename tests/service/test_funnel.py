"""The funnel on both databases: counted from events, also after an erasure."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from lead_service.accounts.audit_log import Actor
from lead_service.book.models import Booking
from lead_service.funnel import archived_counts, counts
from lead_service.funnel.archived_counts import FunnelCount
from lead_service.funnel.counts import WEEK, Line, answered, stopped
from lead_service.leads.models import Lead
from lead_service.privacy import erasure, retention
from tests.support.app.desk_client import sign_in
from tests.support.app.stored_data import mentions
from tests.support.app.visitor_forms import (
    VISITOR,
    answer_all,
    answers,
    assess,
    begin,
    begin_phase,
    book,
)

from .conftest import MONDAY_MORNING as NOW

MONDAY = NOW.date()
ARTICLE = "about-clarify"
PAGE = "/desk/funnel/"


@pytest.fixture
def journey(client, framework, database) -> None:
    """One visitor who stops after two steps, and one from an article who books."""
    begin(client, framework)
    article = {"from": ARTICLE, "utm_source": "LinkedIn", "utm_campaign": "spring"}
    client.post(
        "/assessment/", data=answers(framework, "clarify", 0) | article | {"step": "clarify"}
    )
    result = assess(client, framework)
    client.post(result + "mail", data={"email": VISITOR["email"]})
    book(client, assessment=result.split("/")[2], **article)
    database.write(lambda session: settle(session))


def settle(session) -> None:
    """Hold the call, and win the lead."""
    session.execute(update(Booking).values(outcome="held"))
    lead = session.scalars(select(Lead)).one()
    lead.stage = "won"


def count(database, first: date = MONDAY, last: date = MONDAY + WEEK) -> counts.Report:
    with database.read() as session:
        return counts.report(archived_counts.counts_between(session, first, last), first, last)


def numbers(line: Line) -> dict[str, int]:
    return {what: number for what, number in line.numbers.items() if number}


@pytest.mark.both_engines
def test_every_event_is_counted_in_its_week_article_and_source(journey, database):
    report = count(database)
    total = numbers(report.total)
    assert {what: total.pop(what, 0) for what in counts.FunnelStage} == {
        "started": 3,
        "completed": 1,
        "mailed": 1,
        "assessed": 1,
        "booked": 1,
        "canceled": 0,
        "held": 1,
        "missed": 0,
        "won": 1,
        "won-directly": 0,
    }
    assert total.pop(stopped("clarify")) == total.pop(stopped("assess")) == 1
    assert total.pop(answered("assess")) == total.pop(answered("clarify")) == 2
    assert set(total.values()) == {1}
    # Each event counts in the week in which the call was booked.
    assert [line["won"] for _, line in report.weeks] == [1, 0]
    assert [name for name, _ in report.kinds] == ["discovery"]
    assert dict(report.sources)["linkedin"]["won"] == dict(report.sources)["linkedin"]["started"]


@pytest.mark.both_engines
def test_calls_and_deals_are_counted_once_each(client, database):
    for number, source in enumerate(("", "x", "y", "x & y+")):
        book(client, email=f"a{number}@example.com", utm_source=source)
    book(client, email="a0@example.com")  # held as well: the deal counts at the first one

    def settle_some(session) -> None:
        calls = session.scalars(select(Booking).order_by(Booking.id)).all()
        calls[0].outcome = calls[4].outcome = "held"
        calls[1].outcome, calls[2].status = "no_show", "cancelled"
        for lead in session.scalars(select(Lead)):
            lead.stage = "won" if lead.email[1] in "03" else "new"

    database.write(settle_some)
    report = count(database)
    found = {stage: report.total[stage] for stage in counts.FunnelStage if report.total[stage]}
    assert found == dict(booked=5, held=2, missed=1, canceled=1, won=1, **{"won-directly": 1})
    assert report.total.undecided == 1
    assert dict(report.sources)["x & y+"]["won-directly"] == 1


@pytest.mark.both_engines
def test_activity_counts_by_its_own_source_and_by_the_leads_first(client, framework, database):
    first_page = begin_phase(client, utm_source="linkedin")
    result = answer_all(client, framework, first_page, 0)
    book(client, assessment=result.split("/")[2], utm_source="newsletter", ref="a")
    begin(client, framework)
    report = count(database)
    own, first = dict(report.sources), dict(report.first_sources)
    assert own["linkedin"]["completed"] == own["newsletter"]["booked"] == 1
    assert first["linkedin"]["completed"] == first["linkedin"]["booked"] == 1
    assert first[""]["started"] == own[""]["started"] == 1
    assert "newsletter" not in first
    book(client, email="by@example.com", utm_campaign="spring", utm_term="x")
    report = count(database)
    assert dict(report.first_sources)["spring"] == dict(report.sources)["spring"]


def test_events_before_or_after_the_weeks_are_not_counted(journey, database):
    for first, last in ((MONDAY - 9 * WEEK, MONDAY - WEEK), (MONDAY + 2 * WEEK, MONDAY + 3 * WEEK)):
        assert numbers(count(database, first, last).total) == {}


@pytest.mark.both_engines
@pytest.mark.parametrize(("seconds", "week"), [(-1, MONDAY - WEEK), (0, MONDAY)])
def test_weeks_change_at_midnight_in_utc(client, framework, database, at, seconds, week):
    at(NOW.replace(hour=0) + timedelta(seconds=seconds))
    begin(client, framework)
    found = {week: line["started"] for week, line in count(database, MONDAY - WEEK).weeks}
    assert found[week] == 1 == sum(found.values())


def test_suspected_leads_and_calls_count_once_they_are_released(client, database):
    book(client, website="x")
    assert count(database).total["booked"] == 0
    for model in (Booking, Lead):
        released = update(model).values(quarantine=False)
        database.write(lambda session, released=released: session.execute(released) and None)
    assert count(database).total["booked"] == 1
    database.write(lambda session: setattr(session.get_one(Lead, 1), "quarantine", True))
    assert count(database).total["booked"] == 0  # marked as spam since


def test_a_lead_that_is_won_no_more_is_not_counted(journey, database):
    database.write(lambda session: session.execute(update(Lead).values(stage="lost")) and None)
    assert count(database).total["won"] == 0


def test_erasing_a_person_leaves_the_numbers_and_no_trace(journey, database, settings):
    before = count(database)
    database.write(lambda session: erasure.erase(session, settings, VISITOR["email"], Actor(NOW)))
    assert count(database) == before
    assert mentions(database, VISITOR["email"], VISITOR["name"]) == []
    with database.read() as session:
        assert all(one.number > 0 for one in session.scalars(select(FunnelCount)))


def test_retention_keeps_the_counts_on_every_run(journey, database, settings):
    before = count(database)
    for days in (29, 31, 400, 800, 900):
        now = NOW + timedelta(days=days)
        retention.erase(database, settings, now)
        assert count(database) == before
    assert not database.write(lambda session: session.scalars(select(Lead)).all())


@pytest.mark.both_engines
def test_a_closed_week_keeps_its_counts_when_its_rows_change(
    journey, client, database, settings, at
):
    before = count(database)
    long_ago = NOW + (archived_counts.CLOSES_AFTER + 1) * WEEK
    assert archived_counts.close_weeks(database, long_ago - timedelta(days=1)) == 0
    assert archived_counts.close_weeks(database, long_ago) == 1
    assert archived_counts.close_weeks(database, long_ago) == 0
    assert count(database) == before
    database.write(lambda session: session.execute(update(Booking).values(outcome=None)) and None)
    database.write(lambda session: erasure.erase(session, settings, VISITOR["email"], Actor(NOW)))
    assert count(database) == before
    at(NOW + WEEK)
    book(client, email="later@example.com")
    assert [line["booked"] for _, line in count(database).weeks] == [1, 1]


def test_numbers_of_several_erased_people_are_added_up(client, database, settings):
    for number in range(3):
        address = f"a{number}@example.com"
        book(client, email=address)
        database.write(
            lambda session, who=address: erasure.erase(session, settings, who, Actor(NOW))
        )
    assert count(database).total["booked"] == 3


# -- The page -------------------------------------------------------------------------------


@pytest.fixture
def member(client, database, settings) -> None:
    sign_in(client, database, settings)


def test_the_page_shows_numbers_shares_steps_and_articles(client, member, journey):
    text = client.get(PAGE).text
    for shown in ("Had the result emailed", "33%", "(1 of 3)", "An article about clarify"):
        assert shown in text
    for shown in ("No article", "No source named", "linkedin", "Discovery call"):
        assert shown in text
    assert "2 of 3 self-assessments" in text
    assert text.count("<svg") > 12


@pytest.mark.parametrize(
    ("taken", "said"),
    [([0], "under 1 minute"), ([20, 270, 9000], "5 minutes")],
)
def test_the_page_says_how_long_visitors_take(client, member, framework, at, taken, said):
    assert "median time:" not in client.get(PAGE).text
    for seconds in taken:
        at(NOW)
        where = begin_phase(client)
        for step in framework.steps:
            if step is framework.steps[-1]:
                at(NOW + timedelta(seconds=seconds))
            where = client.post(where, data=answers(framework, step.slug, 1)).location
    begin_phase(client)  # an incomplete one has no duration
    at(NOW)
    assert f"median time: {said}" in client.get(PAGE).text
    assert "median time:" not in client.get(PAGE + "?from=2026-11-09&to=2026-11-16").text


def test_an_empty_funnel_is_a_page_too(client, member):
    text = client.get(PAGE).text
    assert "No activity in these weeks" in text
    assert "No unfinished self-assessments" in text


def test_the_span_is_in_the_address_and_snaps_to_weeks(client, member, journey):
    text = client.get(PAGE, query_string={"from": "2026-11-25", "to": "2026-12-02"}).text
    assert 'value="2026-11-23"' in text and 'value="2026-11-30"' in text
    assert "Nov 23, 2026" in text and "Dec 6, 2026" in text
    assert "2 weeks" in text


def test_an_invalid_span_is_reported_beside_its_field(client, member):
    for first, last, said in [
        ("soon", "", "year-month-day"),
        ("2026-02-30", "", "year-month-day"),
        ("", "<script>", "year-month-day"),
        ("2026-11-23", "2026-11-01", "not before the first"),
        ("2000-01-01", "2026-11-23", "two years at most"),
        ("0001-01-01", "0001-01-02", "after the year 2000"),
        ("", "0001-01-02", "after the year 2000"),
        ("9999-12-30", "9999-12-31", "after the year 2000"),
    ]:
        answer = client.get(PAGE, query_string={"from": first, "to": last})
        assert answer.status_code == 422, (first, last, said)
        assert said in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert "<script>" not in answer.text.replace("<script ", "")
