"""Retention: what is past its period is erased, and nothing else."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from lead_service.accounts.audit_log import Actor, AuditEntry
from lead_service.accounts.members import DeskSession, Member, SignInLink
from lead_service.assess.models import Assessment
from lead_service.book.models import Booking
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Lead
from lead_service.privacy import retention
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press, sign_in
from tests.support.app.personal_data import ADA, leave_every_trace
from tests.support.app.stored_data import everything, mentions
from tests.support.app.visitor_forms import VISITOR, assess, begin_phase


@pytest.fixture
def visitor(client, framework, database, at) -> None:
    """A visitor who did everything possible, with a member's note about them."""
    leave_every_trace(client, framework, database)


def sweep(database, settings, now: datetime) -> dict[str, int]:
    counts = retention.erase(database, settings, now)
    del counts["files"]
    return counts


def doomed(database, settings, now: datetime) -> dict[str, int]:
    with database.read() as session:
        counts = retention.count(session, now, settings)
    return {name: number for name, number in counts.items() if number}


def days(number: int) -> datetime:
    return MONDAY_MORNING + timedelta(days=number)


def left(database, model) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def old_times(client, visitor, framework, database, settings, at) -> None:
    """One record of each kind that retention erases."""
    begin_phase(client)
    assess(client, framework)
    sign_in(client, database, settings, "ann@example.com")
    press(client, "/desk/", "/desk/sign-out/")
    press(client, "/desk/sign-in/", email="ann@example.com")
    sent = update(OutboxMessage).where(OutboxMessage.kind == "sign_in").values(state="sent")
    database.write(lambda session: session.execute(sent) and None)


def test_the_counted_rows_are_the_erased_rows(old_times, database, settings):
    for after in (0, 1, 29, 31, 366, 731, 800):
        before = everything(database)
        counted = doomed(database, settings, days(after))
        assert everything(database) == before
        erased = sweep(database, settings, days(after))
        assert {name: number for name, number in erased.items() if number} == counted
        assert rows(before) - rows(everything(database)) == sum(counted.values())
    assert not any(everything(database)[name] for name in ("lead", "outbox", "assessment"))


def rows(tables: dict[str, list]) -> int:
    """Count all rows except the counts of erased ones."""
    return sum(len(rows) for name, rows in tables.items() if name != "funnel_count")


@pytest.mark.both_engines
def test_a_lead_is_erased_with_all_its_rows_after_the_retention_period(visitor, database, settings):
    sweep(database, settings, days(settings.retention_days))
    assert left(database, Lead) == 1
    sweep(database, settings, days(settings.retention_days + 7))
    assert mentions(database, ADA, VISITOR["name"], VISITOR["topic"]) == []
    assert left(database, Assessment) == 0


def test_a_lead_with_a_later_call_is_kept(visitor, database, settings):
    later = update(Booking).values(starts_at=days(settings.retention_days))
    database.write(lambda session: session.execute(later) and None)
    sweep(database, settings, days(settings.retention_days + 7))
    assert left(database, Lead) == 1


def test_links_and_sessions_that_ended_are_not_kept(old_times, database, settings):
    sweep(database, settings, days(1))
    assert left(database, DeskSession) == 0
    assert left(database, SignInLink) == 2
    sweep(database, settings, days(31))
    assert left(database, SignInLink) == 0


def test_a_live_session_is_kept(client, database, settings, at):
    sign_in(client, database, settings)
    sweep(database, settings, days(6))
    assert left(database, DeskSession) == 1


def test_lines_of_the_audit_log_are_erased_with_their_subject(client, database, settings, at):
    sign_in(client, database, settings)
    database.write(
        lambda session: Actor(MONDAY_MORNING, session.get(Member, 1)).note(
            session, "host_added", "host 1"
        )
    )
    sweep(database, settings, days(settings.retention_days - 1))
    assert left(database, AuditEntry) >= 1
    sweep(database, settings, days(settings.retention_days + 1))
    assert left(database, AuditEntry) == 0


@pytest.fixture
def old_leads(database, settings) -> None:
    """Ten leads of which one is too old to keep."""
    ages = [settings.retention_days + 1, *range(1, 10)]
    database.write(lambda session: session.add_all(map(lead_of_days_ago, range(10), ages)))


def lead_of_days_ago(number: int, age: int) -> Lead:
    at, address = days(-age), f"lead{number}@example.com"
    return Lead(address=address, email=address, created_at=at, touched_at=at)


def run_daily(database, settings, now: datetime) -> int:
    retention.run_daily(database, settings, now)
    return left(database, Lead)


def test_a_daily_run_erases_rows_that_were_old_a_day_ago(old_leads, database, settings):
    hours = [0, 1, 23, 24, 25]
    kept = [run_daily(database, settings, days(0) + timedelta(hours=one)) for one in hours]
    assert kept == [10, 10, 10, 9, 9]


def test_leads_that_become_active_within_that_day_are_kept(old_leads, database, settings):
    run_daily(database, settings, days(0))
    database.write(
        lambda session: session.execute(update(Lead).values(touched_at=days(0))) and None
    )
    assert run_daily(database, settings, days(1)) == 10


def test_a_clock_that_jumps_ahead_and_back_erases_nothing(old_leads, database, settings):
    run_daily(database, settings, days(0))
    kept = {run_daily(database, settings, days(ahead)) for ahead in (200, 1200, 200, 1201, 10)}
    assert kept == {10}
    assert [run_daily(database, settings, days(on)) for on in (11, 12)] == [9, 9]


def test_a_clock_that_stays_ahead_waits_for_a_person(old_leads, database, settings):
    assert [run_daily(database, settings, days(on)) for on in (1200, 1201, 1202)] == [10] * 3
    with database.read() as session:
        assert retention.waiting_for_a_person(session, settings, days(1202)) == 10
        assert retention.waiting_for_a_person(session, settings, days(0)) == 0


@pytest.mark.both_engines
def test_erasing_in_batches_leaves_nothing_behind(old_leads, database, settings, monkeypatch):
    monkeypatch.setattr(retention, "LEADS_AT_ONCE", 3)
    assert sweep(database, settings, days(1200))["lead"] == 10
    assert left(database, Lead) == 0
