"""Choose the reasons for recommending an engagement, and check that none is missing.

Each reason names its conditions. The check goes through all answers to the
questions of a step, so that every set of them has a reason. The engagement itself is
chosen in `assess.diagnosis`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

from .yaml_source import Fault

if TYPE_CHECKING:
    from .types import Engagement, Rules, Sentence, Step

_OPEN, _LEVELS = (0, 1), range(4)  # levels that leave a condition open; all levels


def applies(sentence: "Sentence", levels: Mapping[str, int]) -> bool:
    """Say whether a reason applies to the answers, given as {question id: level}."""
    return all(levels[id] in _OPEN for id in sentence.open) and not any(
        levels[id] in _OPEN for id in sentence.settled
    )


def about(engagement: "Engagement", step: "Step") -> "list[Sentence]":
    """Return the reasons for beginning with a step."""
    ids = {question.id for question in step.questions}
    return [one for one in engagement.because if ids.intersection(one.open)]


def faults(
    steps: "Sequence[Step]", engagements: "Sequence[Engagement]", rules: "Rules | tuple[()]"
) -> Iterator[Fault]:
    """Yield the faults of the rules and the reasons; empty parts have failed already."""
    slugs = [step.slug for step in steps]
    if steps and rules:
        if sorted(rules.order) != sorted(slugs):
            yield ("diagnosis", "order"), f"must name each step once: {', '.join(slugs)}"
        for slug in (rules.waits.step, *rules.waits.until):
            if slug not in slugs:
                yield ("diagnosis", "waits"), f"there is no step {slug}"
    if rules and rules.close_yourself > 1 and "{number}" not in rules.texts.close_yourself:
        yield ("diagnosis", "texts", "close_yourself"), "must contain {number}, which may change"
    if steps and engagements:
        yield from _shared_out(slugs, engagements)
        for i, engagement in enumerate(engagements):
            yield from _reasons(i, engagement, steps)


def _shared_out(slugs: Sequence[str], engagements: "Sequence[Engagement]") -> Iterator[Fault]:
    """Check that every step belongs to exactly one engagement."""
    times = Counter(slug for one in engagements for slug in one.begins_with)
    for i, engagement in enumerate(engagements):
        for k, slug in enumerate(engagement.begins_with):
            if slug not in slugs:
                yield ("engagements", i, "begins_with", k), f"there is no step {slug}"
            elif times[slug] > 1:
                yield ("engagements", i, "begins_with", k), f"{slug} also has another engagement"
    if missing := [slug for slug in slugs if not times[slug]]:
        yield ("engagements",), f"no engagement begins with {', '.join(missing)}"


def _reasons(i: int, engagement: "Engagement", steps: "Sequence[Step]") -> Iterator[Fault]:
    known = {question.id for step in steps for question in step.questions}
    because = ("engagements", i, "because")
    unknown = [
        ((*because, k, key, n), f"no question has the id {id}")
        for k, sentence in enumerate(engagement.because)
        for key in ("open", "settled")
        for n, id in enumerate(getattr(sentence, key))
        if id not in known
    ]
    yield from unknown
    if unknown:
        return
    shown: set[int] = set()
    for step in steps:
        if step.slug in engagement.begins_with:
            ids = [question.id for question in step.questions]
            own = [
                (k, sentence)
                for k, sentence in enumerate(engagement.because)
                if {*sentence.open, *sentence.settled} <= {*ids}
            ]
            yield from ((because, wrong) for wrong in _left_out(ids, own, shown))
    for k, sentence in enumerate(engagement.because):
        its_steps = {
            step.slug
            for step in steps
            for question in step.questions
            if question.id in (*sentence.open, *sentence.settled)
        }
        if len(its_steps) == 1 and k not in shown:
            yield (*because, k), "is never shown: sentences above it always come first"


def _left_out(
    ids: Sequence[str], own: "Sequence[tuple[int, Sentence]]", shown: set[int]
) -> Iterator[str]:
    """Go through all answers to a step's questions; yield the first set without a reason."""
    for levels in product(_LEVELS, repeat=len(ids)):
        given = dict(zip(ids, levels, strict=True))
        open_ids = [id for id, level in given.items() if level in _OPEN]
        fitting = next((k for k, sentence in own if applies(sentence, given)), None)
        if fitting is not None:
            shown.add(fitting)
        elif open_ids:
            yield f"has no sentence for {' and '.join(open_ids)} when open: add one"
            return
