"""The brief that prepares the sales team for a call: what the answers say, and what to ask."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..action_framework.types import BEST, Band, Framework, Step
from ..action_framework.yaml_source import Fault, Source, decode, parse_yaml
from .diagnosis import Diagnosis, diagnose
from .models import Assessment, framework_of, next_step
from .scoring import Outcome, StepScore, score

TELLING = 3  # how many answers, and so how many questions, a brief holds
_LEVELS = tuple(str(level) for level in range(BEST + 1))

_Found = dict[tuple[str, int], str]
Suggestions = Mapping[tuple[str, int], str]  # (question id, level of the answer): what to ask

SUGGESTIONS = Path(__file__).parent / "brief.yml"
OF_AN_OLDER_VERSION = "What has changed here since you answered?"


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
    diagnosis: Diagnosis


def build_brief(
    framework: Framework,
    answers: Mapping[str, str],
    suggestions: Suggestions,
    phase: str | None = None,
) -> Brief:
    """Prepare the brief of a complete set of answers; raises what `diagnosis.diagnose` raises.

    The three most telling answers are those of the conditions that the diagnosis lists first, so
    that the call begins where the result does. Each brings the question to ask about it.
    """
    result, diagnosis = score(framework, answers), diagnose(framework, answers, phase)
    telling = [*diagnosis.to_do, *diagnosis.true][:TELLING]
    return Brief(
        scores=result.steps,
        overall=result.overall,
        band=result.band,
        widest_gap=result.widest_gap,
        decisive=tuple(Decisive(one.question.text, one.answer.text, one.step) for one in telling),
        questions=tuple(suggestions[one.question.id, one.level] for one in telling),
        outcome=result.outcome,
        diagnosis=diagnosis,
    )


def load_suggestions(text: str, framework: Framework) -> Suggestions:
    """Load brief.yml: for every question of the framework, what to ask at every level.

    Each question id holds a list of `{levels: [0, 1], ask: "…"}`. `SuggestionsError` lists every
    fault: a question or a level with nothing to ask, an id that the framework does not have.
    """
    try:
        source = parse_yaml(text)
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


def brief_for(session: Session, assessment: Assessment | None, current: Framework) -> Brief | None:
    """Return the brief of an assessment, or None while it is not complete.

    `current` is the published framework, for which the suggested questions are written; an
    assessment of an older version may ask about a question that they no longer know.
    """
    if assessment is None:
        return None
    framework = framework_of(session, assessment)
    if next_step(framework, assessment.answers):
        return None
    return build_brief(framework, assessment.answers, suggestions(current))


def brief_for_lead(session: Session, lead_id: int, current: Framework) -> Brief | None:
    """Return the brief of the latest self-assessment that a lead has completed, if any."""
    theirs = select(Assessment).where(
        Assessment.lead_id == lead_id, Assessment.completed_at.is_not(None)
    )
    latest = theirs.order_by(Assessment.completed_at.desc(), Assessment.id.desc()).limit(1)
    return brief_for(session, session.scalar(latest), current)


@lru_cache(maxsize=4)
def suggestions(current: Framework) -> Suggestions:
    """Load what the sales team may ask; raise SuggestionsError when the file is wrong."""
    known = load_suggestions(decode(SUGGESTIONS.read_bytes()), current)
    return defaultdict(lambda: OF_AN_OLDER_VERSION, known)
