"""Counting, purely: from single facts to the funnel's totals, weeks, articles, sources and kinds.

All facts of a self-assessment count in the week in which it was started, and all of a call in the
week in which it was booked, whenever they happened. So a share is one of the same people, and
never more than all of them. Weeks run from Monday to Sunday.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

WEEK = timedelta(days=7)
SMALL = 20  # one person more or less moves a share of fewer by over five points


class FunnelStage(StrEnum):
    """What became of a self-assessment or a call."""

    STARTED = "started"
    COMPLETED = "completed"
    MAILED = "mailed"
    ASSESSED = "assessed"  # a call was booked with the answers
    BOOKED = "booked"
    CANCELED = "canceled"
    HELD = "held"
    MISSED = "missed"
    WON = "won"  # counts at the first call that was held
    WON_DIRECTLY = "won-directly"  # without a call that was held; counts by the lead


# What a stage is a share of: those who could have got there.
PART_OF: dict[str, tuple[str, ...]] = {
    FunnelStage.COMPLETED: (FunnelStage.STARTED,),
    FunnelStage.MAILED: (FunnelStage.COMPLETED,),
    FunnelStage.ASSESSED: (FunnelStage.COMPLETED,),
    FunnelStage.CANCELED: (FunnelStage.BOOKED,),
    FunnelStage.HELD: (FunnelStage.HELD, FunnelStage.MISSED),
    FunnelStage.MISSED: (FunnelStage.HELD, FunnelStage.MISSED),
    FunnelStage.WON: (FunnelStage.HELD,),
}


@dataclass(frozen=True)
class Fact:
    """Something that happened `number` times, to what began on `day`; "" where nothing is known."""

    day: date
    what: str  # a FunnelStage, or answered() and stopped() of a step
    number: int = 1
    article: str = ""
    source: str = ""
    kind: str = ""  # of the call


@dataclass(frozen=True)
class Share:
    """How many percent of `whole` something is."""

    percent: int
    whole: int

    @property
    def is_small(self) -> bool:
        """Say whether so few say little."""
        return self.whole < SMALL


@dataclass(frozen=True)
class Line:
    """The numbers of one week, one article, one source, one kind of call, or all."""

    numbers: Mapping[str, int]

    def __getitem__(self, what: str) -> int:
        return self.numbers.get(what, 0)

    def share(self, what: str) -> Share | None:
        """Return `what` as a share of those who could have got there; None where nobody could."""
        wholes = PART_OF.get(what) or (FunnelStage.STARTED,)
        return share(self[what], sum(self[one] for one in wholes))

    @property
    def undecided(self) -> int:
        """Count the calls that are still to come, or that no one has marked."""
        settled = (FunnelStage.CANCELED, FunnelStage.HELD, FunnelStage.MISSED)
        return max(self[FunnelStage.BOOKED] - sum(self[one] for one in settled), 0)


Lines = Sequence[tuple[str, Line]]
Key = TypeVar("Key")


@dataclass(frozen=True)
class Report:
    """What the funnel page shows; weeks in order, every week of the span among them."""

    total: Line
    weeks: Sequence[tuple[date, Line]]
    articles: Lines  # those that led to most calls first, and what came without one last
    sources: Lines
    kinds: Lines  # of calls


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


def share(part: int, whole: int) -> Share | None:
    """Return a share, or None where it is none."""
    found = percent(part, whole)
    return None if found is None else Share(found, whole)


def progress(steps: Mapping[str, frozenset[str]], given: frozenset[str]) -> list[str]:
    """List how far a visitor got: the steps answered, and the first open one, where they stopped.

    `steps` maps each step, in order, to the ids of its questions; `given` are those answered.
    """
    done = [step for step, questions in steps.items() if questions <= given]
    open_step = next((step for step in steps if step not in done), None)
    return [answered(step) for step in done] + ([stopped(open_step)] if open_step else [])


def report(facts: Iterable[Fact], first: date, last: date) -> Report:
    """Add up facts of the weeks from `first` to `last`, two Mondays; others are left out."""
    inside = [fact for fact in facts if first <= fact.day < last + WEEK]
    weeks = _added(inside, lambda fact: monday(fact.day))
    calls = [fact for fact in inside if fact.kind]
    return Report(
        _added(inside, lambda _: "").get("", Line({})),
        [(week, weeks.get(week, Line({}))) for week in _mondays(first, last)],
        _ranked(_added(inside, lambda fact: fact.article)),
        _ranked(_added(inside, lambda fact: fact.source)),
        _ranked(_added(calls, lambda fact: fact.kind)),
    )


def _added(facts: Iterable[Fact], key: Callable[[Fact], Key]) -> dict[Key, Line]:
    numbers: dict[Key, Counter[str]] = {}
    for fact in facts:
        numbers.setdefault(key(fact), Counter())[fact.what] += fact.number
    return {key: Line(counted) for key, counted in numbers.items()}


def _ranked(lines: Mapping[str, Line]) -> Lines:
    def place(item: tuple[str, Line]) -> tuple[bool, int, int, str]:
        name, line = item
        return not name, -line[FunnelStage.BOOKED], -line[FunnelStage.STARTED], name

    return sorted(lines.items(), key=place)


def _mondays(first: date, last: date) -> list[date]:
    return [first + number * WEEK for number in range((last - first) // WEEK + 1)]
