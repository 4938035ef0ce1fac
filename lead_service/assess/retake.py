"""Compare two assessments of one person: what changed since the first of them. Pure."""

from dataclasses import dataclass
from datetime import datetime

from ..action_framework.types import Answer
from .diagnosis import Diagnosis
from .scoring import Condition


@dataclass(frozen=True)
class Change:
    """Tell what was answered before and now; only conditions with the same question id compare."""

    now: Condition
    before: Answer

    @property
    def direction(self) -> str:
        """Say in a word whether it is nearer to true."""
        if self.now.level == self.before.level:
            return "Different"
        return "Better" if self.now.level > self.before.level else "Worse"


@dataclass(frozen=True)
class Comparison:
    """Hold what changed since an earlier assessment, completed `at` (UTC)."""

    at: datetime
    overall: int  # percent, as displayed then
    changes: tuple[Change, ...]  # what came nearest to true first
    is_partial: bool  # some questions were asked only once


def compare(
    before: Diagnosis, now: Diagnosis, at: datetime, *, of_states: bool = False
) -> Comparison:
    """Compare an earlier diagnosis, of answers completed `at`, with a later one by question id.

    `of_states` leaves out what changed between two answers that are both open: the earlier ones
    may be another person's, who shared no more than which conditions are open.
    """
    were = {one.question.id: one for one in (*before.to_do, *before.true)}
    conditions = (*now.to_do, *now.true)
    changes = [
        Change(one, were[one.question.id].answer)
        for one in conditions
        if one.question.id in were and _differs(were[one.question.id], one, of_states)
    ]
    return Comparison(
        at=at,
        overall=before.overall,
        changes=tuple(sorted(changes, key=lambda one: one.before.level - one.now.level)),
        is_partial=were.keys() != {one.question.id for one in conditions},
    )


def _differs(before: Condition, now: Condition, of_states: bool) -> bool:
    if of_states and before.is_open and now.is_open:
        return False
    return before.answer.id != now.answer.id
