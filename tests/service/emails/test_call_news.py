"""Emails to the team about calls, and outdated emails, which are not sent."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from lead_service import clock
from lead_service.accounts.audit_log import Actor
from lead_service.book import call_changes
from lead_service.book.forms import parse_start
from lead_service.book.models import Booking, CallOutcome
from lead_service.desk.mail.composers import composer
from lead_service.emails import status, team_notices, worker
from lead_service.emails.models import OutboxMessage
from lead_service.emails.transports.folder import Folder
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import add_host, give_to, move
from tests.support.app.desk_client import sign_in
from tests.support.app.visitor_forms import book, open_starts

TEAM = "team@example.com"


@pytest.fixture
def environment(environment):
    """A host who is the first in SALES_TO, and a second address, listed twice."""
    return environment | {"SALES_TO": f"host@example.com, {TEAM}, Team@example.com"}


@pytest.fixture
def subjects(mails):
    """Return the subjects of the emails sent to the team, in order."""

    def read() -> list[str]:
        told = [(row, one) for row, one in mails() if row.address == TEAM and row.state == "sent"]
        return [one.subject for _, one in told]

    return read


def test_the_team_gets_one_email_per_change_with_person_and_time(
    client, context, database, settings, at, post, subjects
):
    page = book(client)
    post()
    start = parse_start(open_starts(client, day="2026-11-25")[0])
    move(context, start)
    post()
    give_to(context, add_host(database), member_id=1)
    post()
    sign_in(client, database, settings)
    client.post(page + "cancel")
    post()
    said = [
        "call booked, Mon, Nov 23, 12:00 pm UTC",
        "call rescheduled, Wed, Nov 25, 9:00 am UTC",
        "Wed, Nov 25, 9:00 am UTC, now with Ann Example",
        "call canceled, Wed, Nov 25, 9:00 am UTC",
    ]
    assert subjects() == [f"Ada Example: {what}" for what in said]


def test_the_team_gets_one_email_about_a_no_show(client, context, database, at, post, subjects):
    book(client)
    post()
    with database.read() as session:
        start = session.scalars(select(Booking.starts_at)).one()
    at(start + timedelta(hours=1))
    by = Actor(clock.now())
    for result in (CallOutcome.ATTENDED, CallOutcome.NO_SHOW, None, CallOutcome.NO_SHOW):
        database.write(
            lambda session, result=result: call_changes.mark(
                session, context.settings, session.scalars(select(Booking)).one(), result, by
            )
        )
        post()
    missed = "Ada Example: missed the call, Mon, Nov 23, 12:00 pm UTC"
    assert [one for one in subjects() if "missed" in one] == [subjects()[-1]] == [missed]


def deliver_late(context, settings) -> None:
    """Deliver due emails as after an outage, with alarms for expired ones."""
    compose = composer(context.settings, context.published)
    tell = partial(team_notices.never_told, settings)
    how = {"keep_text": True, "on_expired": tell}
    while worker.deliver_one(context.database, Folder(settings), compose, clock.now(), **how):
        pass


def test_after_eight_days_outdated_emails_are_not_sent(
    client, context, database, settings, at, mails
):
    """Neither invitations to past calls, nor cancellations of calls unknown to the recipient."""
    starts = open_starts(client, day="2026-11-25")
    book(client, starts[0], email="past@example.com")
    for number, day in enumerate(("2026-11-25", "2026-12-10")):
        start = open_starts(client, day=day)[1]
        client.post(book(client, start, email=f"gone{number}@example.com") + "cancel")
    at(MONDAY_MORNING + timedelta(days=8))
    deliver_late(context, settings)
    sent = [row for row, _ in mails() if row.state == "sent"]
    assert {row.address for row in sent} <= {TEAM, "host@example.com"}
    assert {row.kind for row in sent} == {"new_lead"}
    subjects = [one.subject for row, one in mails() if row.state == "sent"]
    (never,) = {one for one in subjects if "not told" in one}
    assert "not told about the call, Wed, Nov 25" in never
    with database.read() as session:
        found = status.health(session, clock.now())
        assert session.scalars(select(OutboxMessage).filter_by(state="pending")).all() == []
    assert found.never_told == 1 and found.unseen == 1
    assert any("never told" in one for one in found.troubles)
