"""Sentences around a diagnosis, the same on every page, in the PDF and in the email. Pure."""

from ..action_framework.counts import counted, spelled
from ..action_framework.types import CANNOT_SAY
from ..formats import long_date
from .diagnosis import Diagnosis, OutcomeKind
from .retake import Change, Comparison

SHOWN = 3  # conditions that are open on the page; the others are folded
_TITLES = {
    OutcomeKind.NOTHING: "You do not need an engagement",
    OutcomeKind.CLOSE_YOURSELF: "Handle this internally",
}


def outcome_title(diagnosis: Diagnosis) -> str:
    """Name the recommended engagement, or say that there is none."""
    outcome = diagnosis.outcome
    return outcome.engagement.name if outcome.engagement else _TITLES[outcome.kind]


def how_to_close(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Say how an organization closes its open conditions alone; empty for other outcomes."""
    if diagnosis.outcome.kind != OutcomeKind.CLOSE_YOURSELF:
        return ()
    number = len(diagnosis.open)
    if number == 1:
        return (
            "Write a name and a date beside the open condition.",
            "Ask that person to start this week.",
            "Answer the questions again on that date. The result will say what has changed.",
        )
    return (
        f"Write a name and a date beside each of the {counted(number, 'open condition')}.",
        "Ask those people to start this week.",
        "Answer the questions again on the last date. The result will say what has changed.",
    )


def list_title(diagnosis: Diagnosis) -> str:
    """The heading of the unfolded conditions."""
    return "Start here" if diagnosis.open else "What is left"


def what_the_score_is(diagnosis: Diagnosis, whose: str = "your own") -> str:
    """Explain how the score is made, and what it isn't."""
    number = len(diagnosis.to_do) + len(diagnosis.true)
    return (
        f"This score sums up {whose} answers to {spelled(number)} questions. It is not an audit"
        " or a comparison with other organizations."
    )


def state(level: int) -> str:
    """The state of a condition at this level, in words."""
    return ("open", "open", "nearly true", "true")[level]


def change(one: Change, is_shared: bool) -> str:
    """Compare a condition with the earlier or shared result, in words."""
    now, before = one.now.level, one.before.level
    is_now, was = state(now), state(before)
    if not is_shared and CANNOT_SAY in (one.now.answer.id, one.before.id):
        is_before = one.before.id == CANNOT_SAY
        unknown = "couldn\u2019t say before" if is_before else "can\u2019t say yet"
        return f"{is_now.capitalize()}. You {unknown}."
    if is_shared and one.is_reworded:
        return f"{is_now.capitalize()} for you. {was.capitalize()} for them, in a different phase."
    if is_shared:
        return f"{is_now.capitalize()} for you, {was} for them."
    if one.is_reworded:
        return f"{is_now.capitalize()}. In your earlier phase, it was {was}."
    if is_now != was:
        return f"Now {is_now}. It was {was}."
    if now == before:
        return f"Still {is_now}, with a different answer."
    return f"Still {is_now}, {'but better' if now > before else 'and worse'} than before."


def what_changed(since: Comparison) -> str:
    """Say how many conditions differ, and how many became worse."""
    changes = since.changes
    number = counted(len(changes), "condition").capitalize()
    if since.is_shared:
        return f"{number} {'differs' if len(changes) == 1 else 'differ'}"
    worse = sum(one.direction == "Worse" for one in changes)
    has = "has" if len(changes) == 1 else "have"
    if worse == len(changes):
        return f"{number} {has} gotten worse"
    return f"{number} {has} changed" + (f", {spelled(worse)} for the worse" if worse else "")


def summary_of(since: Comparison, diagnosis: Diagnosis) -> str:
    """Say what the result is compared with, the two scores, and the other differences."""
    day = long_date(since.at, "UTC")
    with_what = f"You last answered on {day}."
    same, other = "the same as before.", f"It was {since.overall}."
    if since.is_shared:
        with_what = f"This compares your result with a shared one from {day}."
        same, other = "the same as theirs.", f"Their score is {since.overall}."
    score = f"Your score is {diagnosis.overall} out of 100"
    scores = f"{score}, {same}" if since.overall == diagnosis.overall else f"{score}. {other}"
    return " ".join([with_what, scores, *since.sentences])


NOT_COMPARABLE = "Questions that were asked only once are left out."
