"""Count the steps of the funnel in the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    String,
    Subquery,
    case,
    func,
    null,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from ..assess.models import Assessment, framework_in
from ..book.models import Booking, CallOutcome
from ..leads.models import EventKind, Lead, LeadEvent, Stage
from .counts import Fact, FunnelStage, answered, progress

Span = tuple[datetime, datetime]  # from the first instant to before the second


class utc_day(FunctionElement[str]):
    """The date of an instant in UTC, as text: 2026-11-23."""

    type = String()
    inherit_cache = True


@compiles(utc_day, "sqlite")
def _sqlite_day(element: utc_day, compiler: Any, **more: Any) -> str:
    return f"date({compiler.process(element.clauses, **more)})"


@compiles(utc_day, "postgresql")
def _postgresql_day(element: utc_day, compiler: Any, **more: Any) -> str:
    instant = compiler.process(element.clauses, **more)
    return f"to_char(timezone('UTC', {instant}), 'YYYY-MM-DD')"


class given_answers(FunctionElement[str]):
    """The ids of the questions that a JSON object of answers holds, in any order, with spaces."""

    type = String()
    inherit_cache = True


@compiles(given_answers, "sqlite")
def _sqlite_keys(element: given_answers, compiler: Any, **more: Any) -> str:
    answers = compiler.process(element.clauses, **more)
    return f"(SELECT group_concat(key, ' ') FROM json_each({answers}))"


@compiles(given_answers, "postgresql")
def _postgresql_keys(element: given_answers, compiler: Any, **more: Any) -> str:
    answers = compiler.process(element.clauses, **more)
    return f"(SELECT string_agg(id, ' ') FROM json_object_keys({answers}) AS id)"


@dataclass(frozen=True)
class Rows:
    """Which assessments, calls and leads count: all of them, or those that are to be erased."""

    assessments: ColumnElement[bool]
    calls: ColumnElement[bool]
    leads: ColumnElement[bool]


MOST_TIMED = 5000  # enough for a median
EVERYTHING = Rows(true(), true(), true())


def count_facts(session: Session, rows: Rows, span: Span | None) -> Iterator[Fact]:
    """Yield what happened in `span`, or ever, grouped by day and article."""
    yield from _assessments(session, rows, span)
    for what, query, at in (
        (FunnelStage.MAILED, *_mailed(rows)),
        (FunnelStage.BOOKED, *_booked(rows)),
        ("assessed", *_assessed(rows)),
        (FunnelStage.HELD, *_held(rows)),
        (FunnelStage.WON, *_won(rows)),
    ):
        for row in _grouped(session, _within(query, at, span).subquery()):
            yield Fact(date.fromisoformat(row.day), row.article or "", what, row.number)


def _assessments(session: Session, rows: Rows, span: Span | None) -> Iterator[Fact]:
    """Count assessments by how far they got; what a complete one answered is not looked up."""
    is_open = Assessment.completed_at.is_(None)
    query = select(
        utc_day(Assessment.started_at).label("day"),
        Assessment.came_from.label("article"),
        Assessment.framework_version.label("version"),
        case((is_open, given_answers(Assessment.answers)), else_=null()).label("given"),
    ).where(rows.assessments)
    steps_of = _Steps(session)
    for row in _grouped(session, _within(query, Assessment.started_at, span).subquery()):
        day, article = date.fromisoformat(row.day), row.article or ""
        for what in [FunnelStage.STARTED, *_progress(steps_of[row.version], row.given)]:
            yield Fact(day, article, what, row.number)


def median_minutes(session: Session, span: Span) -> int | None:
    """Return the median of the minutes from the first page sent to the last, rounded half up.

    It covers the latest MOST_TIMED assessments that were started in `span` and completed; None if
    there are none.
    """
    query = select(Assessment.started_at, Assessment.completed_at).where(
        Assessment.completed_at.is_not(None)
    )
    latest = _within(query, Assessment.started_at, span).order_by(Assessment.started_at.desc())
    taken = [
        (completed - started).total_seconds()
        for started, completed in session.execute(latest.limit(MOST_TIMED))
    ]
    return int(median(taken) / 60 + 0.5) if taken else None


class _Steps(dict[str, dict[str, frozenset[str]]]):
    """The questions of each step, by version of the framework; each version is read once."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def __missing__(self, version: str) -> dict[str, frozenset[str]]:
        steps = framework_in(self._session, version).steps
        self[version] = {one.slug: frozenset(q.id for q in one.questions) for one in steps}
        return self[version]


def _progress(steps: dict[str, frozenset[str]], given: str | None) -> list[str]:
    if given is None:
        return [FunnelStage.COMPLETED, *(answered(step) for step in steps)]
    return progress(steps, frozenset(given.split()))


def _grouped(session: Session, found: Subquery) -> Iterator[Row]:
    # Grouped outside of what is computed: PostgreSQL takes two parameters for two expressions.
    counted = select(*found.c, func.count().label("number")).group_by(*found.c)
    return iter(session.execute(counted))


def _within(query: Select, at: SQLColumnExpression[datetime], span: Span | None) -> Select:
    return query if span is None else query.where(at >= span[0], at < span[1])


def _facts(at: SQLColumnExpression[datetime], article: SQLColumnExpression[str | None]) -> Select:
    return select(utc_day(at).label("day"), article.label("article"))


def _mailed(rows: Rows) -> tuple[Select, SQLColumnExpression[datetime]]:
    is_theirs = LeadEvent.lead_id == Lead.id
    query = _facts(LeadEvent.at, _article_of_the_lead()).join(Lead, is_theirs)
    mailed = query.where(LeadEvent.kind == EventKind.RESULT_MAILED, ~Lead.quarantine, rows.leads)
    return mailed, LeadEvent.at


def _booked(rows: Rows) -> tuple[Select, SQLColumnExpression[datetime]]:
    query = _facts(Booking.created_at, Booking.came_from)
    return query.where(~Booking.quarantine, rows.calls), Booking.created_at


def _assessed(rows: Rows) -> tuple[Select, SQLColumnExpression[datetime]]:
    query, at = _booked(rows)
    return query.where(Booking.assessment_id.is_not(None)), at


def _held(rows: Rows) -> tuple[Select, SQLColumnExpression[datetime]]:
    query = _facts(Booking.starts_at, Booking.came_from)
    return query.where(Booking.outcome == CallOutcome.HELD, rows.calls), Booking.starts_at


def _won(rows: Rows) -> tuple[Select, SQLColumnExpression[datetime]]:
    """Count leads that are won at present, when their stage was changed last."""
    changed = (
        select(LeadEvent.lead_id, func.max(LeadEvent.at).label("at"))
        .where(LeadEvent.kind == EventKind.STAGE_CHANGED)
        .group_by(LeadEvent.lead_id)
        .subquery()
    )
    at = func.coalesce(changed.c.at, Lead.touched_at)
    is_theirs = changed.c.lead_id == Lead.id
    query = _facts(at, _article_of_the_lead()).select_from(Lead).outerjoin(changed, is_theirs)
    return query.where(Lead.stage == Stage.WON, rows.leads), at


def _article_of_the_lead() -> ColumnElement:
    """Select the first article by which a lead came."""
    of_answers = (
        select(Assessment.came_from)
        .where(Assessment.lead_id == Lead.id, Assessment.came_from.is_not(None))
        .order_by(Assessment.started_at, Assessment.id)
        .limit(1)
    )
    of_calls = (
        select(Booking.came_from)
        .where(Booking.lead_id == Lead.id, Booking.came_from.is_not(None))
        .order_by(Booking.created_at, Booking.id)
        .limit(1)
    )
    return func.coalesce(of_answers.scalar_subquery(), of_calls.scalar_subquery())
