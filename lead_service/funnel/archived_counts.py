"""The counts that remain of erased rows, and how they add to the live ones."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from sqlalchemy import CheckConstraint, String, and_, not_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..assess.models import Assessment
from ..book.models import Booking
from ..db import demo_data
from ..db.base import Base
from ..db.engine import upsert
from ..leads.models import Lead
from .counts import WEEK, Fact, monday
from .queries import EVERYTHING, Rows, Span, count_facts

AT_ONCE = 200  # rows that one statement writes


class FunnelCount(Base):
    """How often something happened in one week by way of one article, as far as it is erased."""

    __tablename__ = "funnel_count"
    __table_args__ = (CheckConstraint("number >= 0", name="number"),)

    week: Mapped[date] = mapped_column(primary_key=True)  # its Monday, in UTC
    article: Mapped[str] = mapped_column(String(120), primary_key=True)  # slug; empty: none
    what: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)


def facts_between(session: Session, first: date, last: date) -> Iterator[Fact]:
    """Yield what is counted from one Monday to the end of another's week."""
    yield from count_facts(session, EVERYTHING, span_of(first, last))
    erased = select(FunnelCount).where(FunnelCount.week.between(first, last))
    for one in session.scalars(erased):
        yield Fact(one.week, one.article, one.what, one.number)


def span_of(first: date, last: date) -> Span:
    """Return the instants from one Monday to the end of another's week."""
    start, end = (datetime.combine(day, time(), UTC) for day in (first, last + WEEK))
    return start, end


def archive(session: Session, rows: Rows) -> None:
    """Add rows that are about to be erased to the numbers; no person can be found from them.

    Those of made-up data are left out: nothing could remove them again.
    """
    rows = _real(session, rows)
    numbers: Counter[tuple[date, str, str]] = Counter()
    for fact in count_facts(session, rows, None):
        numbers[monday(fact.day), fact.article, fact.what] += fact.number
    names = ("week", "article", "what")
    kept = [dict(zip(names, key, strict=True), number=n) for key, n in sorted(numbers.items())]
    for start in range(0, len(kept), AT_ONCE):
        _add(session, kept[start : start + AT_ONCE])


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


def _add(session: Session, numbers: list[dict]) -> None:
    insert = upsert(session.get_bind().dialect.name, FunnelCount).values(numbers)
    more = FunnelCount.number + insert.excluded.number
    where = [FunnelCount.week, FunnelCount.article, FunnelCount.what]
    session.execute(insert.on_conflict_do_update(index_elements=where, set_={"number": more}))
