"""Change booked calls and hosts: shared by the tests of bookings and emails."""

from datetime import datetime
from functools import partial

from sqlalchemy import func, select

from lead_service import clock
from lead_service.accounts.audit_log import Actor
from lead_service.accounts.members import Member
from lead_service.book import call_changes
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking, TimeCell
from lead_service.desk.team.membership import add_member

from . import hosts

ANN, MEMBER = "ann@example.com", "member@example.com"
add_host = partial(hosts.add_host, name="Ann Example")


def count(database, model) -> int:
    """Count the rows of a table."""
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def cells(database) -> set[tuple[int, datetime]]:
    """Return host and time of each taken cell."""
    with database.read() as session:
        rows = session.execute(select(TimeCell.host_id, TimeCell.starts_at))
        return {(row.host_id, row.starts_at) for row in rows}


def only_call(database) -> Booking:
    """Return the only booking, with its host and its lead."""
    with database.read() as session:
        call = session.scalars(select(Booking)).one()
        assert call.host and call.lead
        return call


def move(context, start: datetime, note: str = "", member_id: int | None = None, **how) -> bool:
    """Move the only call and email everyone; return whether it moved."""

    def work(session) -> bool:
        told = (context.settings, context.published.calls, session.scalars(select(Booking)).one())
        return call_changes.move(session, *told, start, _by(session, member_id), note=note, **how)

    return context.database.write(work)


def give_to(context, host_id: int, note: str = "", member_id: int | None = None) -> bool:
    """Reassign the only call and email everyone; return whether it changed."""

    def work(session) -> bool:
        told = (context.settings, context.published.calls, session.scalars(select(Booking)).one())
        host = session.get_one(Host, host_id)
        return call_changes.give(session, *told, host, _by(session, member_id), note=note)

    return context.database.write(work)


def _by(session, member_id: int | None) -> Actor:
    """Return the visitor or a member as the actor; add the member if missing."""
    now = clock.now()
    if member_id is None:
        return Actor(now)
    return Actor(now, session.get(Member, member_id) or add_member(session, MEMBER, now))
