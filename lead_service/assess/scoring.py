"""Compute scores and conditions from answers.

An answer is worth its level, 0 to 3. A step's score is the sum of its answers, as a percentage of
the best possible sum; so is the whole. Scores are exact fractions, and steps compare by them. For
display they are rounded, halves up. Bands and thresholds use the displayed score,
so that the page never contradicts itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from ..action_framework.types import BEST, Answer, Band, Framework, Question, Step


class UnknownAnswer(ValueError):
    """The framework has no such question or answer."""


class Incomplete(ValueError):
    """Questions are still open; `missing` lists their ids in order."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(f"not answered yet: {', '.join(missing)}")
        self.missing = missing


@dataclass(frozen=True)
class StepScore:
    """The score of one step: its share of the possible points, exact and as displayed."""

    step: Step
    points: int
    exact: Fraction

    @cached_property
    def percent(self) -> int:
        """Return the score as displayed, 0 to 100."""
        return _half_up(self.exact)


@dataclass(frozen=True)
class Condition:
    """A question as a condition, with the chosen answer."""

    step: Step
    question: Question
    answer: Answer

    @property
    def level(self) -> int:
        """The level of the answer: 0, 1, 2, or 3 if the condition is true."""
        return self.answer.level

    @property
    def is_open(self) -> bool:
        """Whether the condition is neither true nor nearly true."""
        return self.level < BEST - 1

    @property
    def text(self) -> str:
        """Complete the sentence "What would have to be true: …"."""
        return self.question.condition

    @property
    def reason(self) -> str:
        """One line about why the condition matters."""
        return self.question.reason

    @property
    def first_move(self) -> str | None:
        """The first move from the chosen answer; None if the condition is true."""
        return self.answer.first_move


@dataclass(frozen=True)
class Result:
    """The scores and conditions of a complete set of answers."""

    steps: tuple[StepScore, ...]
    conditions: tuple[Condition, ...]  # in the order of the questions
    overall_exact: Fraction
    band: Band

    @property
    def overall(self) -> int:
        """Return the overall score as displayed, 0 to 100."""
        return _half_up(self.overall_exact)

    @cached_property
    def already_true(self) -> tuple[Condition, ...]:
        """Return the true conditions, in step order."""
        return tuple(one for one in self.conditions if one.level == BEST)


def score(framework: Framework, answers: Mapping[str, str]) -> Result:
    """Score a complete set of answers, given as {question id: answer id}, in any order.

    Raises `UnknownAnswer` for an unknown id, `Incomplete` while questions are open.
    """
    levels = _levels(framework, answers)
    missing = tuple(one.id for one in framework.questions if one.id not in levels)
    if missing:
        raise Incomplete(missing)
    conditions = tuple(
        Condition(step, question, question.answer(answers[question.id]))
        for step in framework.steps
        for question in step.questions
    )
    steps = tuple(_step_score(step, levels) for step in framework.steps)
    overall = _share(sum(levels.values()), BEST * len(levels))
    return Result(
        steps=steps,
        conditions=conditions,
        overall_exact=overall,
        band=_band(framework, _half_up(overall)),
    )


def progress(framework: Framework, answers: Mapping[str, str]) -> dict[str, int]:
    """Map each step's slug to the share of its questions that are answered, in percent."""
    return {
        step.slug: percent(sum(one.id in answers for one in step.questions), len(step.questions))
        for step in framework.steps
    }


def percent(points: int, best: int) -> int:
    """Return the share of the possible points as a whole percentage, halves rounded up."""
    return _half_up(_share(points, best))


def _share(points: int, best: int) -> Fraction:
    return Fraction(100 * points, best)


def _half_up(exact: Fraction) -> int:
    points, best = exact.as_integer_ratio()
    return (2 * points + best) // (2 * best)


def _levels(framework: Framework, answers: Mapping[str, str]) -> dict[str, int]:
    try:
        return {id: framework.question(id).answer(chosen).level for id, chosen in answers.items()}
    except KeyError as unknown:
        raise UnknownAnswer(f"not on offer: {unknown.args[0]!r}") from None


def _step_score(step: Step, levels: Mapping[str, int]) -> StepScore:
    points = sum(levels[question.id] for question in step.questions)
    return StepScore(step, points, _share(points, BEST * len(step.questions)))


def _band(framework: Framework, overall: int) -> Band:
    return next(band for band in framework.bands if band.lowest <= overall <= band.highest)
