"""Prepare the sales team for the call: what the answers say, and what to ask.

The suggested questions lie in `brief.yml` beside this file, never in the published framework.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .framework import BEST, Band, Framework, Step
from .scoring import Condition, Outcome, Result, StepScore, score
from .source import Fault, Source, read

TELLING = 3  # how many answers, and so how many questions, a brief holds
_LEVELS = tuple(str(level) for level in range(BEST + 1))

_Found = dict[tuple[str, int], str]
Suggestions = Mapping[tuple[str, int], str]  # (question id, level of the answer): what to ask


class SuggestionsError(ValueError):
    """Say what is wrong with brief.yml: one line a fault, each naming line and key."""


@dataclass(frozen=True)
class Decisive:
    """Quote one telling answer in the words that the visitor chose."""

    question: str
    answer: str
    step: Step


@dataclass(frozen=True)
class Brief:
    """Hold one page for the call; `questions` follow the order of `decisive`."""

    scores: tuple[StepScore, ...]
    overall: int  # percent, as displayed
    band: Band
    widest_gap: Step | None
    decisive: tuple[Decisive, ...]
    questions: tuple[str, ...]
    outcome: Outcome


def brief(framework: Framework, answers: Mapping[str, str], suggestions: Suggestions) -> Brief:
    """Prepare the brief of a complete set of answers; raises what `scoring.score` raises.

    The three most telling answers are those of the lowest level; among equals those of the widest
    gap come first, then the order of the questions. Each brings the question to ask about it.
    """
    result = score(framework, answers)
    telling = _telling(result)
    return Brief(
        scores=result.steps,
        overall=result.overall,
        band=result.band,
        widest_gap=result.widest_gap,
        decisive=tuple(Decisive(one.question.text, one.answer.text, one.step) for one in telling),
        questions=tuple(suggestions[one.question.id, one.level] for one in telling),
        outcome=result.outcome,
    )


def _telling(result: Result) -> list[Condition]:
    """Rely on sorting being stable: equals keep the order of the questions."""
    ranked = sorted(result.conditions, key=lambda one: (one.level, one.step != result.widest_gap))
    return ranked[:TELLING]


def load_suggestions(text: str, framework: Framework) -> Suggestions:
    """Load brief.yml: for every question of the framework, what to ask at every level.

    Each question id holds a list of `{levels: [0, 1], ask: "…"}`. `SuggestionsError` lists every
    fault: a question or a level with nothing to ask, an id that the framework does not have.
    """
    try:
        source = read(text)
    except ValueError as error:
        raise SuggestionsError(str(error)) from error
    suggestions: _Found = {}
    faults = [*source.faults, *_collect(source, framework, suggestions)]
    if faults:
        raise SuggestionsError(source.describe(faults))
    return suggestions


def _collect(source: Source, framework: Framework, into: _Found) -> Iterator[Fault]:
    """Gather the suggestions into a dictionary, yielding what is wrong on the way."""
    data = source.data if isinstance(source.data, dict) else {}
    known = [question.id for question in framework.questions]
    yield from (((id,), "the framework has no such question") for id in data if id not in known)
    for id in known:
        items = data.get(id)
        if not isinstance(items, list) or not items:
            yield (id,), "needs at least one suggestion"
            continue
        for place, item in enumerate(items):
            yield from _item(item, (id, place), into)
        unasked = [str(level) for level in range(BEST + 1) if (id, level) not in into]
        if unasked:
            yield (id,), f"has nothing to ask at level {', '.join(unasked)}"


def _item(item: object, path: tuple[str, int], into: _Found) -> Iterator[Fault]:
    if not isinstance(item, dict) or set(item) != {"levels", "ask"}:
        yield path, "must hold levels and ask, and nothing else"
        return
    if not isinstance(item["ask"], str) or not item["ask"].strip():
        yield (*path, "ask"), "is empty"
    levels = item["levels"]
    if not isinstance(levels, list) or not all(level in _LEVELS for level in levels):
        yield (*path, "levels"), f"must be a list of levels, 0 to {BEST}: [0, 1]"
        return
    for level in map(int, levels):
        if (path[0], level) in into:
            yield (*path, "levels"), f"level {level} has a suggestion already"
        into[path[0], level] = str(item["ask"]).strip()
