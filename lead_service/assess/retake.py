"""Compare two assessments of one person, or one's own with a shared one. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ..action_framework.types import CANNOT_SAY, Answer
from .diagnosis import Diagnosis
from .scoring import Condition


@dataclass(frozen=True)
class Change:
    """The earlier and the present answer to one question.

    `is_reworded` if the two phases word it differently: then the present condition's text says
    nothing about the earlier answer.
    """

    now: Condition
    before: Answer
    is_reworded: bool = False

    @property
    def direction(self) -> str:
        """Say in a word whether it is closer to true; "Different" if either answer can't say."""
        is_known = CANNOT_SAY not in (self.now.answer.id, self.before.id)
        if self.now.level == self.before.level or not is_known:
            return "Different"
        return "Better" if self.now.level > self.before.level else "Worse"


@dataclass(frozen=True)
class Comparison:
    """The differences from an earlier assessment, completed `at` (UTC)."""

    at: datetime
    overall: int  # percent, as displayed then
    sentences: tuple[str, ...]  # sentences about the step to begin with and the phase
    changes: tuple[Change, ...]  # worse ones first
    is_partial: bool  # some questions are only in one of the two
    is_shared: bool  # the earlier one may be another person's


def compare(
    before: Diagnosis, now: Diagnosis, at: datetime, *, is_shared: bool = False
) -> Comparison:
    """Compare an earlier diagnosis, completed `at`, with a later one by question id.

    A shared result reveals only its scores, its step to begin with, and which conditions are
    open: its phase and differences between two open answers are left out.
    """
    were, are = _by_question(before), _by_question(now)
    changes = [
        Change(one, were[id].answer, _words(were[id], before) != _words(one, now))
        for id, one in are.items()
        if id in were and _differs(were[id], one, is_shared)
    ]
    return Comparison(
        at=at,
        overall=before.overall,
        sentences=tuple(_theirs(before, now) if is_shared else _sentences(before, now)),
        changes=tuple(sorted(changes, key=_place)),
        is_partial=were.keys() != are.keys(),
        is_shared=is_shared,
    )


def _by_question(diagnosis: Diagnosis) -> dict[str, Condition]:
    return {one.question.id: one for one in (*diagnosis.to_do, *diagnosis.true)}


def _words(condition: Condition, diagnosis: Diagnosis) -> list[str]:
    return condition.question.asked_as(diagnosis.phase)


def _differs(before: Condition, now: Condition, is_shared: bool) -> bool:
    if is_shared and before.is_open and now.is_open:
        return False
    return before.answer.id != now.answer.id


def _place(change: Change) -> tuple[int, int]:
    """Sort worse ones first, and in each direction the largest changes of state first.

    Both open levels count alike, so the order doesn't reveal a shared result's level.
    """
    direction = ("Worse", "Better", "Different").index(change.direction)
    return direction, -abs(max(change.now.level, 1) - max(change.before.level, 1))


def _sentences(before: Diagnosis, now: Diagnosis) -> Iterator[str]:
    was, is_now = _first(before), _first(now)
    if was != is_now:
        began = f"The step to begin with was {was}." if was else "No condition was open."
        if not is_now:
            yield f"{began} Every condition is now true or nearly true."
        elif was:
            yield f"{began} It is now {is_now}."
        else:
            yield f"{began} The step to begin with is now {is_now}."
    if before.phase and now.phase and before.phase.id != now.phase.id:
        yield f"The phase was “{before.phase.label}” It is now “{now.phase.label}”"


def _theirs(before: Diagnosis, now: Diagnosis) -> Iterator[str]:
    if (theirs := _first(before)) != _first(now):
        yield (
            f"Their result begins with {theirs}."
            if theirs
            else "Every condition is true or nearly true for them."
        )
    if before.phase != now.phase:
        yield "Their initiative is in a different phase."


def _first(diagnosis: Diagnosis) -> str:
    return diagnosis.begin_with.name if diagnosis.begin_with else ""
