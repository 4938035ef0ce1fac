"""Archived counts of erased rows and of closed weeks.

Half a year after its end, a week is counted for good. Later changes to its rows, or
their erasure, then have no effect, and a funnel over years reads no old rows.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from sqlalchemy import CheckConstraint, String, and_, func, not_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..assess.models import Assessment
from ..book.hosts.models import Host
from ..book.models import Booking
from ..db import demo_data
from ..db.base import Base, upsert
from ..db.engine import Database
from ..leads.models import Lead
from .counts import WEEK, Key, count, monday
from .queries import EVERYTHING, Rows, Span, count_facts

CLOSES_AFTER = 26  # weeks; by then, calls have taken place and most deals are won or lost
CLOSED = "closed"  # marks the row that closes a week


class FunnelCount(Base):
    """The count of one stage in one week, for all or for one article, source or kind."""

    __tablename__ = "funnel_count"
    __table_args__ = (CheckConstraint("number >= 0", name="number"),)

    week: Mapped[date] = mapped_column(primary_key=True)  # its Monday, in UTC
    way: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    what: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)


def counts_between(session: Session, first: date, last: date) -> Counter[Key]:
    """Return the counts from one Monday to the end of another's week."""
    closed = _closed_until(session)
    begin = max(first, closed + WEEK) if closed else first
    live = count_facts(session, EVERYTHING, span_of(begin, last)) if begin <= last else ()
    numbers = count(live)
    columns = (FunnelCount.week, FunnelCount.way, FunnelCount.name, FunnelCount.what)
    inside = FunnelCount.week.between(first, last)
    kept = select(*columns, FunnelCount.number).where(inside, FunnelCount.what != CLOSED)
    for week, way, name, what, number in session.execute(kept):
        numbers[Key(week, way, name, what)] += number
    return numbers


def close_weeks(database: Database, now: datetime) -> int:
    """Close old weeks, in a transaction each; return how many.

    Closes none while there is made-up data: its counts would remain after its removal.
    """
    number = 0
    while database.write(lambda session: _close_next(session, now)):
        number += 1
    return number


def _close_next(session: Session, now: datetime) -> bool:
    if demo_data.is_there(session) or (week := _next_to_close(session)) is None:
        return False
    if week + (CLOSES_AFTER + 1) * WEEK > now.date():
        return False
    # Lock like an erasure does, so that rows erased meanwhile aren't counted twice.
    session.execute(select(Host.id).order_by(Host.id).with_for_update())
    facts = count_facts(session, EVERYTHING, span_of(week, week))
    _keep(session, count(facts) + Counter([Key(week, "", "", CLOSED)]))
    return True


def _next_to_close(session: Session) -> date | None:
    """Return the Monday after the last closed week, or else of the oldest row."""
    if closed := _closed_until(session):
        return closed + WEEK
    columns = (Assessment.started_at, Booking.created_at, Lead.created_at)
    oldest = [session.scalar(select(func.min(column))) for column in columns]
    return min((monday(one.date()) for one in oldest if one), default=None)


def _closed_until(session: Session) -> date | None:
    """Return the Monday of the last closed week; all earlier ones are closed, too."""
    is_closed = select(FunnelCount.week).where(FunnelCount.what == CLOSED)
    return session.scalar(is_closed.order_by(FunnelCount.week.desc()).limit(1))


def span_of(first: date, last: date) -> Span:
    """Return the instants from one Monday to the end of another's week."""
    start, end = (datetime.combine(day, time(), UTC) for day in (first, last + WEEK))
    return start, end


def archive(session: Session, rows: Rows) -> None:
    """Add rows to the anonymous counts before they are erased.

    Leaves out made-up data, whose counts could not be removed again.
    """
    facts, closed = count_facts(session, _real(session, rows), None), _closed_until(session)
    _keep(session, count(one for one in facts if closed is None or one.week > closed))


def _keep(session: Session, numbers: Mapping[Key, int]) -> None:
    insert = upsert(session.get_bind().dialect.name, FunnelCount)
    more = FunnelCount.number + insert.excluded.number
    added = insert.on_conflict_do_update(index_elements=Key._fields, set_={"number": more})
    rows = [{**key._asdict(), "number": number} for key, number in sorted(numbers.items())]
    if rows:
        session.execute(added, rows)


def _real(session: Session, rows: Rows) -> Rows:
    demo = demo_data.find(session)
    if demo is None:
        return rows
    leads = demo.holds(Lead.id, Lead.created_at)
    return Rows(
        and_(rows.assessments, not_(demo.holds(Assessment.id, Assessment.started_at))),
        and_(rows.calls, Booking.lead_id.not_in(select(Lead.id).where(leads))),
        and_(rows.leads, not_(leads)),
    )
