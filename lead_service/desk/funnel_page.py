"""The funnel page: how far visitors got, from self-assessment to deal."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask import render_template, request

from .. import clock
from ..funnel import archived_counts, counts, queries
from ..funnel.counts import WEEK, monday, stopped
from ..web.context import context
from .blueprint import blueprint

USUAL_WEEKS = 12
MOST_WEEKS = 106  # two years
PRESETS = (4, 12, 26, 52)
LISTED = 20  # articles and sources; anyone can make up sources


@dataclass(frozen=True)
class Span:
    """The weeks to show, by their Mondays, and the typed dates."""

    first: date
    last: date
    typed: tuple[str, str]
    faults: dict[str, str]

    @property
    def ends(self) -> date:
        """The last day of the last week."""
        return self.last + WEEK - timedelta(days=1)


@blueprint.get("/funnel/")
def funnel() -> tuple[str, int]:
    """Show the funnel for the weeks of the dates `from` to `to`, by default the latest twelve."""
    today = clock.now().date()
    span = _span(request.args.get("from", ""), request.args.get("to", ""), today)
    with context().database.read() as session:
        report = counts.report(
            archived_counts.counts_between(session, span.first, span.last), span.first, span.last
        )
        minutes = queries.median_minutes(session, archived_counts.span_of(span.first, span.last))
    steps = context().published.framework.steps
    page = render_template(
        "desk/funnel/funnel.html",
        span=span,
        report=report,
        minutes=minutes,
        funnel=counts,
        listed=LISTED,
        closes_after=archived_counts.CLOSES_AFTER,
        stops=[(step, report.total[stopped(step.slug)]) for step in steps],
        presets=[(weeks, monday(today) - (weeks - 1) * WEEK, today) for weeks in PRESETS],
        title_of=context().published.title_of,
    )
    return page, 422 if span.faults else 200


def _span(typed_first: str, typed_last: str, today: date) -> Span:
    """Read the dates from the address; with an error, use the default weeks."""
    found, faults = {}, {}
    for name, typed in (("from", typed_first), ("to", typed_last)):
        try:
            found[name] = monday(_day(typed)) if typed else None
        except ValueError as fault:
            faults[name] = str(fault)
    last = found.get("to") or monday(today)
    first = found.get("from") or last - (USUAL_WEEKS - 1) * WEEK
    if not faults and first > last:
        faults["to"] = "Choose a last day that is not before the first."
    elif not faults and (last - first) // WEEK >= MOST_WEEKS:
        faults["from"] = "Choose two years at most."
    if faults:
        last = monday(today)
        first = last - (USUAL_WEEKS - 1) * WEEK
    return Span(first, last, (typed_first, typed_last), faults)


def _day(typed: str) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise ValueError("Write the date as year-month-day, such as 2026-11-23.") from None
    if not 2000 <= day.year < 3000:
        raise ValueError("Choose a day after the year 2000.")
    return day
