"""The counts that remain: of erased rows, and of weeks that are closed.

Half a year after it ended, a week is counted once and for all. What happens to its rows later, or
that they are erased, changes nothing then, and the funnel of years reads no old rows.
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

CLOSES_AFTER = 26  # weeks: until then calls are held, and most deals are won or lost
CLOSED = "closed"  # what a row says of a week that is closed, beside its numbers


class FunnelCount(Base):
    """How often something happened of what began in one week, of all or of one article, say."""

    __tablename__ = "funnel_count"
    __table_args__ = (CheckConstraint("number >= 0", name="number"),)

    week: Mapped[date] = mapped_column(primary_key=True)  # its Monday, in UTC
    way: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    what: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)


def counts_between(session: Session, first: date, last: date) -> Counter[Key]:
    """Return the numbers from one Monday to the end of another's week."""
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
    """Close the weeks that are over for long enough, in a transaction each; return how many.

    While made-up data is there none is closed: its numbers would remain when it goes.
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
    # As an erasure does: what is erased meanwhile must not be counted twice.
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
    """Return the Monday of the last closed week; all before it are closed, too."""
    is_closed = select(FunnelCount.week).where(FunnelCount.what == CLOSED)
    return session.scalar(is_closed.order_by(FunnelCount.week.desc()).limit(1))


def span_of(first: date, last: date) -> Span:
    """Return the instants from one Monday to the end of another's week."""
    start, end = (datetime.combine(day, time(), UTC) for day in (first, last + WEEK))
    return start, end


def archive(session: Session, rows: Rows) -> None:
    """Add rows that are about to be erased to the numbers; no person can be found from them.

    Those of made-up data are left out: nothing could remove them again.
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
