"""Diagnose a set of answers: where to begin, why, and whether an engagement is needed.

Every page, file, email and the brief use the one diagnosis made
here. A condition is true (best answer), nearly true (the answer before it) or open. Steps compare
by exact score, thresholds by the score that is displayed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from random import Random

from ..action_framework.counts import spelled
from ..action_framework.reasons import about, applies
from ..action_framework.types import BEST, Band, Engagement, Framework, Phase, Rules, Step
from .scoring import Condition, StepScore, percent, score


class OutcomeKind(StrEnum):
    """The kinds of recommendation."""

    NOTHING = "nothing"
    CLOSE_YOURSELF = "close-yourself"
    ENGAGEMENT = "engagement"


@dataclass(frozen=True)
class Outcome:
    """A recommendation, with reasons that follow from the answers."""

    kind: OutcomeKind
    engagement: Engagement | None
    why: str  # empty for old versions of the framework without reasons


@dataclass(frozen=True)
class Diagnosis:
    """The whole diagnosis of a set of answers. No text in it quotes an answer.

    Only `Condition.answer` contains the visitor's choice, with its first move. Even so, the scores
    and states let a reader who knows the questions work out most answers.
    """

    scores: tuple[StepScore, ...]  # in the order of the steps
    overall: int  # percent, as displayed
    band: Band
    phase: Phase | None
    begin_with: Step | None  # None when no condition is open
    tied: tuple[Step, ...]  # other steps with an open condition and the same score
    near: tuple[Step, ...]  # higher by at most one level of one answer
    unlocks: Step | None  # a lower step that waits for `begin_with`
    lower: tuple[Step, ...]  # further lower steps, if one waits
    open: tuple[Condition, ...]  # by step, then in the file's order, which reveals no level
    nearly_true: tuple[Condition, ...]  # in the same order of steps
    true: tuple[Condition, ...]  # in the order of the questions
    reading: tuple[Step, ...]  # the steps whose articles help, most important first
    outcome: Outcome

    @property
    def to_do(self) -> tuple[Condition, ...]:
        """Return all conditions that aren't true, open ones first."""
        return (*self.open, *self.nearly_true)

    @cached_property
    def percents(self) -> dict[str, int]:
        """Map each step's slug to its score as displayed."""
        return {one.step.slug: one.percent for one in self.scores}

    @cached_property
    def headline(self) -> str:
        """Say in one sentence where to begin."""
        if self.begin_with:
            return f"Begin with {self.begin_with.name}."
        if self.nearly_true:
            return "Every condition is true or nearly true."
        return "Every condition is true."

    @property
    def opening(self) -> str:
        """The sentence above the list, for the visitor's phase; empty if no condition is open."""
        return (self.phase.opening or "") if self.phase and self.open else ""

    @cached_property
    def beside(self) -> str:
        """Name the steps close to the one in the headline; empty if there are none."""
        said = []
        if self.unlocks:
            said.append(f"That will unlock {self.unlocks.name}.")
        if self.begin_with and self.tied:
            said.append(self._equal)
        if self.lower:
            verb = "is" if len(self.lower) == 1 else "are"
            comes = "comes" if len(self.lower) == 1 else "come"
            after = self.unlocks.name if self.unlocks else ""
            said.append(f"{_names(self.lower)} {verb} low as well, and {comes} after {after}.")
        if self.begin_with and self.near:
            verb, name = "is" if len(self.near) == 1 else "are", self.begin_with.name
            said.append(f"{_names(self.near)} {verb} only slightly higher than {name}.")
        return " ".join(said)

    @property
    def _equal(self) -> str:
        if len(self.tied) + 1 == len(self.scores):
            return "All steps have the same score."
        verb = "has" if len(self.tied) == 1 else "have"
        name = self.begin_with.name if self.begin_with else ""
        return f"{_names(self.tied)} {verb} the same score as {name}."

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """The reasons, one or two sentences each: the score, then the open conditions."""
        because = (self._about_the_score,) if self.begin_with else ()
        return (*because, self.outcome.why) if self.outcome.why else because

    @property
    def _about_the_score(self) -> str:
        step = self.begin_with
        assert step is not None
        score = self.percents[step.slug]
        if self.unlocks:
            lowest = _exact(self.scores, self.unlocks)
            is_alone = [one.exact for one in self.scores].count(lowest) == 1
            place = "the lowest step" if is_alone else "one of the lowest steps"
            return (
                f"{self.unlocks.name} is {place}, at {self.percents[self.unlocks.slug]}, but it"
                f" depends on {step.name}, which is at {score}."
            )
        if self.tied:
            verb = "builds" if len(self.tied) == 1 else "build"
            return f"{step.name} is at {score}, and {_names(self.tied)} {verb} on it."
        alone = [one.step for one in self.scores if one.exact <= _exact(self.scores, step)] == [
            step
        ]
        of_which = "steps" if alone else "steps with an open condition"
        return f"{step.name} is at {score}, the lowest of all the {of_which}."


def diagnose(
    framework: Framework, answers: Mapping[str, str], phase: str | None = None
) -> Diagnosis:
    """Diagnose a complete set of answers, given as {question id: answer id}.

    Texts are those for the phase. Raises what `scoring.score` raises, and `KeyError` for a phase
    that the framework does not have.
    """
    framework, rules = framework.in_phase(phase), framework.diagnosis
    named = framework.phase(phase) if phase else None
    result = score(framework, answers)
    open_steps = {one.step.slug for one in result.conditions if one.is_open}
    ranked = list(in_order((one for one in result.steps if one.step.slug in open_steps), rules))
    first = ranked[0] if ranked else None
    lowest = min(ranked, key=_by_score(rules)) if ranked else None
    held_back = lowest if lowest != first else None
    others = [one for one in ranked if one not in (first, held_back)]
    place = {one.step.slug: number for number, one in enumerate(ranked)}
    placed = sorted(result.conditions, key=lambda one: place.get(one.step.slug, len(place)))
    return Diagnosis(
        scores=result.steps,
        overall=result.overall,
        band=result.band,
        phase=named,
        begin_with=first.step if first else None,
        tied=_steps(one for one in others if first and one.exact == first.exact),
        near=_steps(one for one in others if first and first.exact < one.exact <= _near(first)),
        unlocks=held_back.step if held_back else None,
        lower=_steps(one for one in others if first and one.exact < first.exact),
        open=tuple(one for one in placed if one.is_open),
        nearly_true=tuple(one for one in placed if not one.is_open and one.level < BEST),
        true=result.already_true,
        reading=_steps(ranked),
        outcome=_outcome(framework, named, first, result.conditions, result.steps),
    )


def _exact(scores: Sequence[StepScore], step: Step) -> Fraction:
    return next(one.exact for one in scores if one.step == step)


def step_to_begin_with(open_scores: Sequence[StepScore], rules: Rules) -> StepScore:
    """Return the step to begin with, among those with an open condition.

    It is the lowest, and of equal ones the first in the rules' order. A waiting step gives way
    to the lowest of those that it waits for.
    """
    first = min(open_scores, key=_by_score(rules))
    if first.step.slug == rules.waits.step:
        before = [
            one
            for one in open_scores
            if one.step.slug in rules.waits.until and one.percent < rules.waits.below
        ]
        return min(before, key=_by_score(rules), default=first)
    return first


def in_order(open_scores: Iterable[StepScore], rules: Rules) -> Iterator[StepScore]:
    """Yield the steps in the order to take them, each as if the earlier ones were settled."""
    left = list(open_scores)
    while left:
        first = step_to_begin_with(left, rules)
        left.remove(first)
        yield first


def _by_score(rules: Rules) -> Callable[[StepScore], tuple[Fraction, int]]:
    return lambda one: (one.exact, rules.order.index(one.step.slug))


def _near(first: StepScore) -> Fraction:
    """Return the highest score that counts as close to a step's: one level of one answer more."""
    return first.exact + Fraction(100, BEST * len(first.step.questions))


def _outcome(
    framework: Framework,
    phase: Phase | None,
    first: StepScore | None,
    conditions: Sequence[Condition],
    scores: Sequence[StepScore],
) -> Outcome:
    rules = framework.diagnosis
    if first is None:
        is_complete = all(one.level == BEST for one in conditions)
        usual = (is_complete and rules.texts.complete) or rules.texts.nothing
        return Outcome(OutcomeKind.NOTHING, None, (phase and phase.nothing) or usual)
    weak = {one.step.slug for one in scores if one.percent < rules.weak_below}
    open_ones = [one for one in conditions if one.is_open]
    # A condition is serious if it has its worst answer in a weak step.
    serious = any(one.level == 0 and one.step.slug in weak for one in open_ones)
    if len(open_ones) <= rules.close_yourself and not serious:
        return Outcome(OutcomeKind.CLOSE_YOURSELF, None, _closing(len(open_ones), rules))
    engagement = engagement_for(framework, first.step.slug)
    levels = {one.question.id: one.level for one in conditions}
    fitting = (one.text for one in about(engagement, first.step) if applies(one, levels))
    return Outcome(OutcomeKind.ENGAGEMENT, engagement, next(fitting, ""))


def _closing(number: int, rules: Rules) -> str:
    text = rules.texts.close_one if number == 1 else None
    return (text or rules.texts.close_yourself).replace("{number}", spelled(number))


def engagement_for(framework: Framework, slug: str) -> Engagement:
    """Return the engagement that begins with a step."""
    for one in framework.engagements:
        if slug in (one.begins_with or _OLD_BEGINS_WITH.get(one.slug, ())):
            return one
    return framework.engagements[-1]


_OLD_BEGINS_WITH = {
    "readiness-assessment": ("assess",),
    "strategy-engagement": ("clarify", "transform"),
    "delivery-leadership": ("implement", "organize", "nurture"),
}  # for stored versions of the framework without `begins_with`


def _steps(scores: Iterable[StepScore]) -> tuple[Step, ...]:
    return tuple(one.step for one in scores)


def _names(steps: Sequence[Step]) -> str:
    return _listed([step.name for step in steps])


def _listed(names: Sequence[str]) -> str:
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def sample(framework: Framework, number: int, *, at_least: int = 0) -> Iterator[Diagnosis]:
    """Diagnose random sets of answers, always the same, in which every step scores `at_least`."""
    draw = Random(1)
    for _ in range(number):
        answers: dict[str, str] = {}
        for step in framework.steps:
            points = -1
            while percent(points, BEST * len(step.questions)) < at_least:
                chosen = {one.id: draw.choice(one.answers) for one in step.questions}
                points = sum(answer.level for answer in chosen.values())
            answers |= {id: answer.id for id, answer in chosen.items()}
        yield diagnose(framework, answers)
