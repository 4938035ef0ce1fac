"""Count the steps of the funnel in the database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from statistics import median
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    and_,
    case,
    exists,
    false,
    func,
    null,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from ..assess.models import Assessment, framework_in
from ..book.models import Booking, CallOutcome, Status
from ..leads.models import EventKind, Lead, LeadEvent, Stage
from ..leads.touch import PARAMETERS, name_of
from .counts import Fact, FunnelStage, answered, progress

Span = tuple[datetime, datetime]  # half-open


@dataclass(frozen=True)
class Rows:
    """Which assessments, calls and leads count: all of them, or those that are to be erased."""

    assessments: ColumnElement[bool]
    calls: ColumnElement[bool]
    leads: ColumnElement[bool]


MOST_TIMED = 5000  # enough for a median
EVERYTHING = Rows(true(), true(), true())
OUTCOMES = {CallOutcome.ATTENDED: FunnelStage.ATTENDED, CallOutcome.NO_SHOW: FunnelStage.MISSED}


def count_facts(session: Session, rows: Rows, span: Span | None) -> Iterator[Fact]:
    """Yield the facts of `span`, or of all time, by week, article, sources and kind."""
    yield from _assessments(session, rows, span)
    yield from _calls(session, rows, span)
    yield from _won_directly(session, rows, span)


def _assessments(session: Session, rows: Rows, span: Span | None) -> Iterator[Fact]:
    """Count assessments by progress, without reading the answers of complete ones."""
    is_open = Assessment.completed_at.is_(None)
    got_mail = exists().where(
        LeadEvent.lead_id == Assessment.lead_id,
        LeadEvent.kind == EventKind.RESULT_MAILED,
        Lead.id == LeadEvent.lead_id,
        ~Lead.quarantine,
    )
    with_call = exists().where(
        Booking.assessment_id == Assessment.id,
        ~Booking.quarantine,
        Lead.id == Booking.lead_id,
        ~Lead.quarantine,
    )
    lead = aliased(Lead)
    query = select(
        _week(session, Assessment.started_at).label("week"),
        Assessment.came_from.label("article"),
        Assessment.source.label("source"),
        _first_source(lead.first_touch, Assessment.source).label("first_source"),
        Assessment.framework_version.label("version"),
        case((is_open, _given(session)), else_=null()).label("given"),
        case((is_open, false()), else_=got_mail).label("is_mailed"),
        case((is_open, false()), else_=with_call).label("has_call"),
    ).outerjoin(lead, lead.id == Assessment.lead_id)
    query = query.where(rows.assessments)

    @cache
    def steps_of(version: str) -> dict[str, frozenset[str]]:
        steps = framework_in(session, version).steps
        return {one.slug: frozenset(q.id for q in one.questions) for one in steps}

    for row in _grouped(session, _within(query, Assessment.started_at, span)):
        happened = [FunnelStage.STARTED, *_progress(steps_of(row.version), row.given)]
        happened += [FunnelStage.MAILED] * bool(row.is_mailed)
        happened += [FunnelStage.ASSESSED] * bool(row.has_call)
        yield from _facts(row, happened)


def _calls(session: Session, rows: Rows, span: Span | None) -> Iterator[Fact]:
    """Count calls by outcome; a deal counts at the first call that took place."""
    earlier = aliased(Booking)
    had_one = exists().where(
        earlier.lead_id == Booking.lead_id,
        earlier.outcome == CallOutcome.ATTENDED,
        earlier.id < Booking.id,
    )
    is_attended = Booking.outcome == CallOutcome.ATTENDED
    is_won = and_(is_attended, Lead.stage == Stage.WON, ~had_one)
    query = (
        select(
            _week(session, Booking.created_at).label("week"),
            Booking.came_from.label("article"),
            Booking.source.label("source"),
            _first_source(Lead.first_touch, Booking.source).label("first_source"),
            Booking.kind.label("kind"),
            Booking.status.label("status"),
            Booking.outcome.label("outcome"),
            case((is_won, true()), else_=false()).label("is_won"),
        )
        .join(Lead, Lead.id == Booking.lead_id)
        .where(~Booking.quarantine, ~Lead.quarantine, rows.calls)
    )
    for row in _grouped(session, _within(query, Booking.created_at, span)):
        happened = [FunnelStage.BOOKED] + [FunnelStage.WON] * bool(row.is_won)
        if row.outcome:
            happened.append(OUTCOMES[CallOutcome(row.outcome)])
        elif row.status == Status.CANCELLED:
            happened.append(FunnelStage.CANCELED)
        yield from _facts(row, happened, row.kind)


def _won_directly(session: Session, rows: Rows, span: Span | None) -> Iterator[Fact]:
    """Count deals without a call that took place, by the lead's creation and source."""
    had_call = exists().where(Booking.lead_id == Lead.id, Booking.outcome == CallOutcome.ATTENDED)
    query = select(
        _week(session, Lead.created_at).label("week"),
        Lead.first_touch["article"].as_string().label("article"),
        *(_source_in(Lead.first_touch).label(name) for name in ("source", "first_source")),
    ).where(Lead.stage == Stage.WON, ~had_call, rows.leads)
    for row in _grouped(session, _within(query, Lead.created_at, span)):
        yield from _facts(row, [FunnelStage.WON_DIRECTLY])


def _week(session: Session, at: SQLColumnExpression[datetime]) -> ColumnElement[str]:
    """Return SQL for the Monday of an instant's week in UTC, as text: 2026-11-23."""
    if session.get_bind().dialect.name == "sqlite":
        return func.date(at, "-6 days", "weekday 1")
    return func.to_char(func.date_trunc("week", func.timezone("UTC", at)), "YYYY-MM-DD")


def _given(session: Session) -> ColumnElement[str]:
    """Return SQL for the ids of the answered questions, separated by spaces."""
    if session.get_bind().dialect.name == "sqlite":
        keys = func.json_each(Assessment.answers).table_valued("key")
    else:
        keys = func.json_object_keys(Assessment.answers).table_valued("key").render_derived()
    return select(func.aggregate_strings(keys.c.key, " ")).scalar_subquery()


def _first_source(touch: SQLColumnExpression[Any], own: SQLColumnExpression[str]) -> Any:
    """Return SQL for the source of a lead's first activity; `own` if there is no lead yet."""
    return case((touch.is_(None), own), else_=_source_in(touch))


def _source_in(touch: SQLColumnExpression[Any]) -> ColumnElement[str]:
    """Return SQL for the source in a stored touch, written like other sources."""
    first = ("utm_source", "ref")  # as in `name_of`
    names = dict.fromkeys((*first, *PARAMETERS))
    values = {name: touch[name].as_string() for name in names}
    written = (
        f"{name}=" + func.replace(func.replace(value, "+", "%2B"), "&", "%26")
        for name, value in values.items()
    )
    return func.coalesce(*written, "")


def _facts(row: Row, happened: Iterable[str], kind: str = "") -> Iterator[Fact]:
    week = date.fromisoformat(row.week)
    sources = name_of(row.source or ""), name_of(row.first_source or "")
    for what in happened:
        yield Fact(week, what, row.number, row.article or "", *sources, kind)


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


def _progress(steps: dict[str, frozenset[str]], given: str | None) -> list[str]:
    if given is None:
        return [FunnelStage.COMPLETED, *(answered(step) for step in steps)]
    return progress(steps, frozenset(given.split()))


def _grouped(session: Session, query: Select) -> Iterator[Row]:
    # Group outside of the computed columns: PostgreSQL treats two equal parameters as different
    # expressions, and SQLite would compute them twice.
    found = query.cte("found").prefix_with("MATERIALIZED")
    counted = select(*found.c, func.count().label("number")).group_by(*found.c)
    return iter(session.execute(counted))


def _within(query: Select, at: SQLColumnExpression[datetime], span: Span | None) -> Select:
    return query if span is None else query.where(at >= span[0], at < span[1])
