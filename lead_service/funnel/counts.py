"""Add up facts to the funnel's totals, and by week, article, sources and kind. Pure.

All facts of a self-assessment count in the week in which it was started, and all of a call in the
week in which it was booked, whenever they happened. So a share compares the same people, and is
never above 100 %. Weeks run from Monday to Sunday.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

WEEK = timedelta(days=7)
OTHERS = "\n"  # the key of a line for all others; no source or article has this name
SMALL = 20  # below it, one person changes a share by over five points


class FunnelStage(StrEnum):
    """The stages of self-assessments and calls."""

    STARTED = "started"
    COMPLETED = "completed"
    MAILED = "mailed"
    ASSESSED = "assessed"  # a call was booked with the answers
    BOOKED = "booked"
    CANCELED = "canceled"
    ATTENDED = "held"
    MISSED = "missed"
    WON = "won"  # counted at the first call that took place
    WON_DIRECTLY = "won-directly"  # without a call that took place; counted by lead


# The base of each stage's share: the stages from which people could have reached it.
PART_OF: dict[str, tuple[str, ...]] = {
    FunnelStage.COMPLETED: (FunnelStage.STARTED,),
    FunnelStage.MAILED: (FunnelStage.COMPLETED,),
    FunnelStage.ASSESSED: (FunnelStage.COMPLETED,),
    FunnelStage.CANCELED: (FunnelStage.BOOKED,),
    FunnelStage.ATTENDED: (FunnelStage.ATTENDED, FunnelStage.MISSED),
    FunnelStage.MISSED: (FunnelStage.ATTENDED, FunnelStage.MISSED),
    FunnelStage.WON: (FunnelStage.ATTENDED,),
}


class Fact(NamedTuple):
    """A stage that was reached `number` times from one week, article and source; "" if unknown.

    `source` led to this activity, and `first_source` to the lead's first one.
    """

    week: date  # its Monday
    what: str  # a FunnelStage, or answered() and stopped() of a step
    number: int = 1
    article: str = ""
    source: str = ""
    first_source: str = ""
    kind: str = ""  # of call


class Way(StrEnum):
    """The groupings of counts."""

    ARTICLE = "article"
    SOURCE = "source"
    FIRST_SOURCE = "first source"
    KIND = "kind"


class Key(NamedTuple):
    """The key of a count: a stage, in one week, in one group."""

    week: date
    way: str
    name: str  # of the article, source or kind
    what: str


@dataclass(frozen=True)
class Share:
    """A share of `part` in `whole`."""

    percent: int
    part: int
    whole: int

    @property
    def is_small(self) -> bool:
        """Whether the base is too small to say much."""
        return self.whole < SMALL


@dataclass(frozen=True)
class Line:
    """The counts of one week, article, source or kind of call, or of all."""

    numbers: Mapping[str, int]

    def __getitem__(self, what: str) -> int:
        return self.numbers.get(what, 0)

    def share(self, what: str) -> Share | None:
        """Return the share of stage `what`; None if its base is empty."""
        wholes = PART_OF.get(what) or (FunnelStage.STARTED,)
        return share(self[what], sum(self[one] for one in wholes))

    @property
    def undecided(self) -> int:
        """Count calls that are upcoming or have no outcome yet."""
        settled = (FunnelStage.CANCELED, FunnelStage.ATTENDED, FunnelStage.MISSED)
        return max(self[FunnelStage.BOOKED] - sum(self[one] for one in settled), 0)


Lines = Sequence[tuple[str, Line]]


@dataclass(frozen=True)
class Report:
    """The view model of the funnel page, with every week of the span in order."""

    total: Line
    weeks: Sequence[tuple[date, Line]]
    articles: Lines  # by calls, with none last
    sources: Lines
    first_sources: Lines
    kinds: Lines  # of calls


def answered(step: str) -> str:
    """Return the name of the fact that a visitor answered a step."""
    return f"answered-{step}"


def stopped(step: str) -> str:
    """Return the name of the fact that a visitor stopped at a step."""
    return f"stopped-{step}"


def monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def percent(part: int, whole: int) -> int | None:
    """Return a share in percent, rounded half up; None if the base is empty or smaller."""
    return (200 * part + whole) // (2 * whole) if 0 <= part <= whole and whole else None


def share(part: int, whole: int) -> Share | None:
    """Return a share, or None if there is none."""
    found = percent(part, whole)
    return None if found is None else Share(found, part, whole)


def progress(steps: Mapping[str, frozenset[str]], given: frozenset[str]) -> list[str]:
    """List how far a visitor got: the steps answered, and the first open one, where they stopped.

    `steps` maps each step, in order, to the ids of its questions; `given` are those answered.
    """
    done = [step for step, questions in steps.items() if questions <= given]
    open_step = next((step for step in steps if step not in done), None)
    return [answered(step) for step in done] + ([stopped(open_step)] if open_step else [])


def count(facts: Iterable[Fact]) -> Counter[Key]:
    """Add up facts separately by each grouping."""
    numbers: Counter[Key] = Counter()
    for one in facts:
        groups = {
            Way.ARTICLE: one.article,
            Way.SOURCE: one.source,
            Way.FIRST_SOURCE: one.first_source,
        }
        if one.kind:
            groups[Way.KIND] = one.kind
        for way, name in groups.items():
            numbers[Key(one.week, way, name, one.what)] += one.number
    return numbers


def report(numbers: Mapping[Key, int], first: date, last: date) -> Report:
    """Return the report for the weeks from `first` to `last`, two Mondays."""
    total: Counter[str] = Counter()
    weeks: dict[date, Counter[str]] = {week: Counter() for week in _mondays(first, last)}
    ways: dict[str, dict[str, Counter[str]]] = {way: {} for way in Way}
    for key, number in numbers.items():
        if key.week not in weeks:
            continue
        if key.way == Way.ARTICLE:  # each fact has an article, possibly ""
            total[key.what] += number
            weeks[key.week][key.what] += number
        ways[key.way].setdefault(key.name, Counter())[key.what] += number
    return Report(
        Line(total),
        [(week, Line(counted)) for week, counted in weeks.items()],
        *(_ranked(ways[way]) for way in Way),
    )


def shortened(lines: Lines, most: int) -> Lines:
    """Return the first `most` lines, those after them as one named OTHERS, and the unknown one."""
    named, unknown = [one for one in lines if one[0]], [one for one in lines if not one[0]]
    rest = named[most:]
    others: Counter[str] = Counter()
    for _, line in rest:
        others.update(line.numbers)
    return [*named[:most], *([(OTHERS, Line(others))] if rest else []), *unknown]


def _ranked(lines: Mapping[str, Counter[str]]) -> Lines:
    """Sort by calls, then by self-assessments, with the unknown group last."""

    def place(name: str) -> tuple[bool, int, int, str]:
        booked, started = lines[name][FunnelStage.BOOKED], lines[name][FunnelStage.STARTED]
        return not name, -booked, -started, name

    return [(name, Line(lines[name])) for name in sorted(lines, key=place)]


def _mondays(first: date, last: date) -> list[date]:
    return [first + number * WEEK for number in range((last - first) // WEEK + 1)]
