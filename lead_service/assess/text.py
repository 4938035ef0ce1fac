"""What a result says in sentences: the same on its page, on a shared page and in the PDF. Pure."""

from ..action_framework.types import BEST, Step
from .scoring import Result

ORDER = (
    "Work down the list. What is furthest from true comes first, and earlier steps come before"
    " later ones, because later steps rest on them."
)
NOTHING_LEFT = "Nothing is left on this list."


def gap_article(step: Step) -> str:
    """Return the article of a gap's name: a Clarify gap, an Organize gap."""
    return "an" if step.name[0] in "AEIOU" else "a"


def headline(result: Result) -> str:
    """Say in one sentence what stands out."""
    gap = result.widest_gap
    if gap is None:
        return "Every condition is true already."
    return f"Your widest gap is {gap_article(gap)} {gap.name} gap."


def gap_sentences(result: Result) -> str:
    """Explain the widest gap in two sentences made of the visitor's own two answers.

    The answers decide which of three forms it takes by their levels alone; each form reads well
    with every answer, since an answer is quoted whole and only its full stop gives way. Empty
    when there is no gap.
    """
    if result.widest_gap is None:
        return ""
    question = result.widest_gap.question
    one, other = sorted(result.gap_answers, key=lambda answer: answer.level == BEST)
    if other.level == BEST:
        return f"You said “{one.text}” The other half of this step is in place: “{other.text}”"
    said = f"You said “{one.text.removesuffix('.')},” and “{other.text}”"
    if one.level + other.level < BEST:  # less than half of what the step can reach
        return f"{said} That leaves “{question}” without an answer that a rollout could rest on."
    return f"{said} That answers “{question}” for a trial, and not yet for a rollout."


def order(result: Result) -> str:
    """Write down the rule by which the open conditions are ordered."""
    return ORDER if result.to_become_true else NOTHING_LEFT


def outcome_title(result: Result) -> str:
    """Head the part about engagements, and say so when none is needed."""
    return (
        "The engagement that fits" if result.outcome.engagement else "No engagement is needed yet"
    )


def rule(result: Result) -> str:
    """Write down the rule that chose the outcome, with the scores that it went by."""
    when, scored = result.outcome.when, {one.step.slug: one for one in result.steps}
    asked = [f"overall at {when.overall_at_least} or more"] if when.overall_at_least else []
    if len(when.at_least) == len(scored) and len(limits := set(when.at_least.values())) == 1:
        asked.append(f"every step at {limits.pop()} or more")
    else:
        asked += [f"{scored[slug].step.name} at {n} or more" for slug, n in when.at_least.items()]
    asked += [
        f"{scored[slug].step.name} below {limit} (yours: {scored[slug].percent})"
        for slug, limit in when.below.items()
    ]
    if when.gap and result.widest_gap:
        asked.append(f"{result.widest_gap.name} as the widest gap")
    return f"Chosen by rule: {', and '.join(asked) or 'none of the others applies'}."


def why_read(place: int, article_step: str, result: Result) -> str:
    """Say why an article is on the list: the first, 0, is that of the gap, where it has one."""
    if place == 0 and result.widest_gap and article_step == result.widest_gap.slug:
        return "On your widest gap"
    return "The idea behind these questions"
