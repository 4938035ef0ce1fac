"""The funnel page: how far visitors got, from self-assessment to deal."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from flask import render_template, request

from .. import clock
from ..funnel import archived_counts, counts, queries
from ..funnel.counts import WEEK, FunnelStage, Line, Report, answered, monday, stopped
from ..web.context import context
from .blueprint import blueprint

USUAL_WEEKS = 12
MOST_WEEKS = 106  # two years
PRESETS = (4, 12, 26, 52)
ANSWERS = {  # stages of self-assessments
    FunnelStage.STARTED: "Started the self-assessment",
    FunnelStage.COMPLETED: "Completed the self-assessment",
    FunnelStage.MAILED: "Had the result emailed",
    FunnelStage.ASSESSED: "Booked a call with their answers",
}
CALLS = {  # stages of calls
    FunnelStage.BOOKED: "Booked a call",
    FunnelStage.CANCELED: "Canceled",
    FunnelStage.MISSED: "No-show",
    FunnelStage.ATTENDED: "Call took place",
    FunnelStage.WON: "Won",
}
SHORT = {
    FunnelStage.STARTED: "Started",
    FunnelStage.COMPLETED: "Completed",
    FunnelStage.MAILED: "Result emailed",
    FunnelStage.BOOKED: "Booked",
    FunnelStage.ATTENDED: "Took place",
    FunnelStage.WON: "Won",
}
RATES = {
    FunnelStage.COMPLETED: "Completion rate",
    FunnelStage.ASSESSED: "Booking rate",
    FunnelStage.ATTENDED: "Show rate",
    FunnelStage.WON: "Win rate",
}
CALL_RATES = {stage: RATES[stage] for stage in (FunnelStage.ATTENDED, FunnelStage.WON)}
WHOLES = {  # the base of each rate, in words
    FunnelStage.COMPLETED: "of those who started",
    FunnelStage.MAILED: "of those who completed",
    FunnelStage.ASSESSED: "of those who completed",
    FunnelStage.CANCELED: "of the calls booked",
    FunnelStage.ATTENDED: "of the calls with an outcome",
    FunnelStage.MISSED: "of the calls with an outcome",
    FunnelStage.WON: "of those whose call took place",
}
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
        answers=ANSWERS,
        calls_booked=CALLS,
        short=SHORT,
        rates=RATES,
        call_rates=CALL_RATES,
        wholes=WHOLES,
        answered=answered,
        shortened=partial(counts.shortened, most=LISTED),
        others=counts.OTHERS,
        small=counts.SMALL,
        closes_after=archived_counts.CLOSES_AFTER,
        stops=[(step, report.total[stopped(step.slug)]) for step in steps],
        most=_most(report),
        presets=[(weeks, monday(today) - (weeks - 1) * WEEK, today) for weeks in PRESETS],
        title_of=context().published.title_of,
        kind_of=_kind_of,
        share_of=counts.share,
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


def _kind_of(slug: str) -> str:
    """Name a kind of call; a removed one by its slug."""
    kind = context().published.calls.find(slug)
    return kind.name if kind else slug


def _day(typed: str) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise ValueError("Write the date as year-month-day, such as 2026-11-23.") from None
    if not 2000 <= day.year < 3000:
        raise ValueError("Choose a day after the year 2000.")
    return day


def _most(report: Report) -> dict[FunnelStage, int]:
    """Return the highest count of any week for each stage, to scale its chart."""
    lines: list[Line] = [line for _, line in report.weeks]
    return {stage: max((line[stage] for line in lines), default=0) for stage in FunnelStage}
