"""Counting, purely: from single facts to the funnel's totals, weeks, articles and steps.

A fact is (day, article, what, number). An assessment counts in the week in which it was started,
a mail, a call that was booked or held and a deal in the week in which it happened; weeks run
from Monday to Sunday. So a rate compares numbers of the same weeks, not the same people.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

WEEK = timedelta(days=7)


class FunnelStage(StrEnum):
    """What a reader has reached, in the order of the funnel."""

    STARTED = "started"
    COMPLETED = "completed"
    MAILED = "mailed"
    BOOKED = "booked"
    HELD = "held"
    WON = "won"


# What a stage is a part of: those who could have got there.
PART_OF: dict[str, FunnelStage] = {
    FunnelStage.COMPLETED: FunnelStage.STARTED,
    FunnelStage.MAILED: FunnelStage.COMPLETED,
    "assessed": FunnelStage.COMPLETED,  # calls after a self-assessment; BOOKED counts all
    FunnelStage.HELD: FunnelStage.BOOKED,
    FunnelStage.WON: FunnelStage.HELD,
}


@dataclass(frozen=True)
class Fact:
    """Something that happened `number` times on `day`, by way of an article ("" for none)."""

    day: date
    article: str
    what: str  # a FunnelStage, "assessed", or answered() and stopped() of a step
    number: int = 1


@dataclass(frozen=True)
class Line:
    """The numbers of one week, one article, or all."""

    numbers: Mapping[str, int]

    def __getitem__(self, what: str) -> int:
        return self.numbers.get(what, 0)

    def rate(self, what: str, whole: str = "") -> int | None:
        """Return `what` in percent of what it is a part of; None where that says nothing."""
        return percent(self[what], self[whole or PART_OF[what]])


@dataclass(frozen=True)
class Report:
    """What the funnel page shows; weeks in order, every week of the span among them."""

    total: Line
    weeks: Sequence[tuple[date, Line]]
    articles: Sequence[tuple[str, Line]]  # those that led to most calls first


def answered(step: str) -> str:
    """Name the fact that a visitor answered a step."""
    return f"answered-{step}"


def stopped(step: str) -> str:
    """Name the fact that a visitor stopped at a step."""
    return f"stopped-{step}"


def monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def percent(part: int, whole: int) -> int | None:
    """Return a share in percent, rounded half up; None of nothing, and where it is no share."""
    return (200 * part + whole) // (2 * whole) if 0 <= part <= whole and whole else None


def progress(steps: Mapping[str, frozenset[str]], given: frozenset[str]) -> list[str]:
    """List how far a visitor got: the steps answered, and the first open one, where they stopped.

    `steps` maps each step, in order, to the ids of its questions; `given` are those answered.
    """
    done = [step for step, questions in steps.items() if questions <= given]
    open_step = next((step for step in steps if step not in done), None)
    return [answered(step) for step in done] + ([stopped(open_step)] if open_step else [])


def report(facts: Iterable[Fact], first: date, last: date) -> Report:
    """Add up facts of the weeks from `first` to `last`, two Mondays; others are left out."""
    total: Counter[str] = Counter()
    weeks: dict[date, Counter[str]] = {week: Counter() for week in _mondays(first, last)}
    articles: dict[str, Counter[str]] = {}
    for fact in facts:
        week = weeks.get(monday(fact.day))
        if week is None:
            continue
        for numbers in (total, week, articles.setdefault(fact.article, Counter())):
            numbers[fact.what] += fact.number
    ranked = sorted(articles.items(), key=_rank)
    return Report(
        Line(total),
        [(week, Line(numbers)) for week, numbers in weeks.items()],
        [(article, Line(numbers)) for article, numbers in ranked],
    )


def _rank(item: tuple[str, Counter[str]]) -> tuple[bool, int, int, str]:
    """Order by calls, then by readers; visits without an article stand last."""
    article, numbers = item
    return not article, -numbers[FunnelStage.BOOKED], -numbers[FunnelStage.STARTED], article


def _mondays(first: date, last: date) -> list[date]:
    return [first + number * WEEK for number in range((last - first) // WEEK + 1)]
