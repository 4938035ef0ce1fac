"""The brief that prepares the sales team for a call: where to begin, why, and what to ask."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from ..action_framework.suggestions import Suggestions, Wrote, read_suggestions
from ..action_framework.types import BEST, Framework
from ..action_framework.yaml_source import DataError
from ..formats import write_date
from . import earlier, retake, text
from .diagnosis import Diagnosis, OutcomeKind, diagnose
from .models import Assessment, framework_of
from .scoring import Condition

ASKED = 3  # questions in a brief
FILE = Path(__file__).parent / "brief.yml"
CONTRADICTED = "You wrote about “{}” as if it were settled. What is left to do there?"
OF_AN_OLDER_VERSION = "What has changed here since you answered?"

_RECOMMENDED = {
    OutcomeKind.NOTHING: "No engagement, because every condition is true or nearly true",
    OutcomeKind.CLOSE_YOURSELF: "No engagement, because they can handle this internally",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ask:
    """A suggested question about one condition, based on its answer.

    `wrote` is the visitor's word for this condition or its step, if they used one.
    """

    text: str
    condition: Condition
    wrote: str


@dataclass(frozen=True)
class Brief:
    """What a host reads before a call."""

    diagnosis: Diagnosis
    asks: tuple[Ask, ...]
    fault: str  # why there are no questions, if so
    since: retake.Comparison | None  # with an earlier assessment
    strength: Condition | None  # to open with; None if all conditions are open
    is_doubted: bool  # they may have criticized the strength
    source: str = ""  # the answers' date and call

    @property
    def recommended(self) -> str:
        """The name of the recommended engagement."""
        outcome = self.diagnosis.outcome
        return outcome.engagement.name if outcome.engagement else _RECOMMENDED[outcome.kind]

    @property
    def changes(self) -> tuple[retake.Change, ...]:
        """Return the changed answers; none for a shared result, which may be another person's."""
        return self.since.changes if self.since and not self.since.is_shared else ()

    @property
    def since_title(self) -> str:
        """The heading of the changes; empty for a first assessment."""
        if self.since is None:
            return ""
        which = "Compared with a shared result from" if self.since.is_shared else "Changed since"
        return f"{which} {write_date(self.since.at)}"

    @property
    def since_text(self) -> str:
        """Say how the overall results differ, and whether something can't be compared."""
        since, overall = self.since, self.diagnosis.overall
        if since is None or since.is_shared:
            return f"Overall {since.overall} for them, {overall} for this lead." if since else ""
        said = [f"Overall {since.overall} then, {overall} now.", *since.sentences]
        if not since.changes:
            said.append("Every answer that can be compared is the same.")
        if since.is_partial:
            said.append(text.NOT_COMPARABLE)
        return " ".join(said)

    @property
    def opening(self) -> str:
        """Say what to open the call with; quote a strength that is only nearly true."""
        strength = self.strength
        if strength is None:
            return (
                "They didn\u2019t report anything that is in place yet."
                " Begin with what they want to achieve."
            )
        if strength.level < BEST or self.is_doubted:
            asked, answer = strength.question.text, strength.answer.text
            return f"They gave one of their strongest answers to “{asked}”: “{answer}”"
        return f"This is in place: {strength.text}"


def build_brief(
    diagnosis: Diagnosis,
    suggestions: Suggestions,
    words: str = "",
    since: retake.Comparison | None = None,
) -> Brief:
    """Create the brief; `words` is the visitor's text, used for choosing the questions."""
    named, denied = suggestions.named_in(words), suggestions.named_in(words, denied=True)
    asks = tuple(
        Ask(
            CONTRADICTED.format(denied[one.question.id].word)
            if one.is_open and one.question.id in denied.keys() - named.keys()
            else suggestions.asks.get((one.question.id, one.level), OF_AN_OLDER_VERSION),
            one,
            wrote.word if (wrote := _wrote(one, named)) else "",
        )
        for one in _to_ask_about(diagnosis, named)
    )
    doubted = {one.step.slug for one in (*diagnosis.to_do, *diagnosis.true) if _wrote(one, named)}
    strength = _strength(diagnosis, doubted)
    is_doubted = strength is not None and strength.step.slug in doubted
    return Brief(
        diagnosis,
        () if suggestions.fault else asks,
        suggestions.fault,
        since,
        strength,
        is_doubted=is_doubted or bool(words.strip() and not named),  # they may doubt anything
    )


def _wrote(condition: Condition, named: Mapping[str, Wrote]) -> Wrote | None:
    """Return the visitor's word for a condition, if they used one."""
    return named.get(condition.question.id) or named.get(condition.step.slug)


def _strength(diagnosis: Diagnosis, doubted: Collection[str]) -> Condition | None:
    """Choose a condition of the highest step that isn't open, preferably an undoubted one."""
    percents = diagnosis.percents
    return max(
        (*diagnosis.true, *diagnosis.nearly_true),
        key=lambda one: (one.step.slug not in doubted, one.level, percents[one.step.slug]),
        default=None,
    )


def _to_ask_about(diagnosis: Diagnosis, named: Mapping[str, Wrote]) -> list[Condition]:
    """Choose the conditions to ask about.

    The first is of the step to begin with. Then come those that the visitor's own text mentions,
    unless they are true, and then the open ones, one for each step before a second one.
    If the text mentions only true conditions, the last question is about one of those, or the first
    if nothing is open: it may be less true than the answer says.
    """
    listed = [*diagnosis.to_do, *diagnosis.true]
    begins = [one for one in diagnosis.open if one.step == diagnosis.begin_with] or listed
    may_doubt = not diagnosis.open

    def rank(one: Condition) -> int:
        wrote = _wrote(one, named) if may_doubt or one.level < BEST else None
        return 2 if wrote is None else int(wrote.is_general)

    first = min(begins, key=rank)
    listed.remove(first)
    seen = {first.step.slug}
    second: set[str] = set()  # further questions about a step
    for one in listed:
        if one.step.slug in seen:
            second.add(one.question.id)
        seen.add(one.step.slug)
    listed.sort(
        key=lambda one: (
            rank(one),
            not one.is_open,
            one.level == BEST,
            one.question.id in second,
        )
    )
    chosen = [first, *listed][:ASKED]
    if not any(_wrote(one, named) for one in chosen):
        chosen[-1] = next((one for one in diagnosis.true if _wrote(one, named)), chosen[-1])
    return chosen


def brief_for(
    session: Session, assessment: Assessment, lead_id: int, current: Framework, words: str = ""
) -> Brief:
    """Return the brief of a complete assessment, for the host who talks with a lead.

    `current` is the published framework, for which the suggested questions are written; an
    assessment of an older version may have questions that brief.yml no longer has. `words` is
    the visitor's text.
    """
    diagnosis = diagnosis_of(session, assessment)
    since = earlier.since(session, assessment, diagnosis, lead_id=lead_id)
    return build_brief(diagnosis, suggestions(current), words, since)


def diagnosis_of(session: Session, assessment: Assessment) -> Diagnosis:
    """Return the diagnosis of a complete assessment, in its own version."""
    return diagnose(framework_of(session, assessment), assessment.answers, assessment.phase)


def faults(current: Framework) -> list[str]:
    """Return one line for each entry of brief.yml that doesn't fit the published questions."""
    try:
        read_suggestions(FILE, current)
    except DataError as error:
        return error.lines("brief.yml")
    return []


def suggestions(current: Framework) -> Suggestions:
    """Return the suggested questions, or none and the reason why.

    A fault in a file for the team must not break a visitor's form.
    """
    try:
        return read_suggestions(FILE, current)
    except DataError as error:
        first, *rest = str(error).splitlines()
        log.error("brief.yml does not fit the questions; run `lead-service check`")
        more = f" and {len(rest)} more" if rest else ""
        return Suggestions(fault=f"brief.yml does not fit the questions ({first}{more}).")
