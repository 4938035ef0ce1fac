"""The brief that prepares the sales team for a call: where to begin, why, and what to ask."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from ..action_framework.suggestions import Suggestions, SuggestionsError, Wrote, read_suggestions
from ..action_framework.types import BEST, Framework
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
    OutcomeKind.NOTHING: "No engagement, because all conditions are true or nearly so",
    OutcomeKind.CLOSE_YOURSELF: "No engagement, because they can close this themselves",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ask:
    """Suggest a question about one condition; the answer that it follows from is the condition's.

    `wrote` is the visitor's own word that names this condition or its step, if any.
    """

    text: str
    condition: Condition
    wrote: str


@dataclass(frozen=True)
class Brief:
    """Hold what a host reads before a call."""

    diagnosis: Diagnosis
    asks: tuple[Ask, ...]
    fault: str  # why there are no questions; empty when there are
    since: retake.Comparison | None  # with the one that it repeats
    strength: Condition | None  # to open with; none while all conditions are open
    is_doubted: bool  # they wrote about the strength, and maybe not well of it
    source: str = ""  # which answers these are, and of which call

    @property
    def recommended(self) -> str:
        """Name what the result recommends."""
        outcome = self.diagnosis.outcome
        return outcome.engagement.name if outcome.engagement else _RECOMMENDED[outcome.kind]

    @property
    def changes(self) -> tuple[retake.Change, ...]:
        """Return what was answered otherwise; a shared result may be another person's."""
        return self.since.changes if self.since and not self.since.is_shared else ()

    @property
    def since_title(self) -> str:
        """Head what has changed; empty for a first assessment."""
        if self.since is None:
            return ""
        which = "Compared with a shared result of" if self.since.is_shared else "Changed since"
        return f"{which} {write_date(self.since.at)}"

    @property
    def since_text(self) -> str:
        """Say how the two results differ as a whole, and what of them is not compared."""
        since, overall = self.since, self.diagnosis.overall
        if since is None or since.is_shared:
            return f"Overall {since.overall} there, {overall} here." if since else ""
        said = [f"Overall {since.overall} then, {overall} now.", *since.sentences]
        if not since.changes:
            said.append("Every answer that can be compared is the same.")
        if since.is_partial:
            said.append(text.NOT_COMPARABLE)
        return " ".join(said)

    @property
    def opening(self) -> str:
        """Say what to open the call with; a strength that is only nearly true is quoted."""
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
    """Prepare the brief; `words` are what the visitor wrote, for choosing among the questions."""
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
        is_doubted=is_doubted or bool(words.strip() and not named),  # about what, we cannot tell
    )


def _wrote(condition: Condition, named: Mapping[str, Wrote]) -> Wrote | None:
    """Return the visitor's word that names a condition, if any."""
    return named.get(condition.question.id) or named.get(condition.step.slug)


def _strength(diagnosis: Diagnosis, doubted: Collection[str]) -> Condition | None:
    """Choose a condition that is not open, of the highest step; best one that they do not doubt."""
    percents = diagnosis.percents
    return max(
        (*diagnosis.true, *diagnosis.nearly_true),
        key=lambda one: (one.step.slug not in doubted, one.level, percents[one.step.slug]),
        default=None,
    )


def _to_ask_about(diagnosis: Diagnosis, named: Mapping[str, Wrote]) -> list[Condition]:
    """Choose the conditions to ask about.

    The first is of the step to begin with. Then come those that the visitor's own words name,
    unless they are true, and then the open ones, one for each step before a second one of any.
    Where the words name only what is true, the last question is about that, or the first one
    while nothing is open: it may be less true than the answer says.
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
    second: set[str] = set()  # questions of a step that an earlier one asks about already
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
    assessment of an older version may ask about a question that they no longer know. `words` are
    what the visitor wrote.
    """
    diagnosis = diagnosis_of(session, assessment)
    since = earlier.since(session, assessment, diagnosis, lead_id=lead_id)
    return build_brief(diagnosis, suggestions(current), words, since)


def diagnosis_of(session: Session, assessment: Assessment) -> Diagnosis:
    """Return the diagnosis of a complete assessment, in its own version."""
    return diagnose(framework_of(session, assessment), assessment.answers, assessment.phase)


def faults(current: Framework) -> list[str]:
    """Return one line for each thing in brief.yml that does not fit the published questions."""
    try:
        read_suggestions(FILE, current)
    except SuggestionsError as error:
        return [f"brief.yml: {line}" for line in str(error).splitlines()]
    return []


def suggestions(current: Framework) -> Suggestions:
    """Return what the sales team may ask, or nothing and the reason why.

    A visitor's form must not fail because of a file that only the team needs.
    """
    try:
        return read_suggestions(FILE, current)
    except SuggestionsError as error:
        first, *rest = str(error).splitlines()
        log.error("brief.yml does not fit the questions; run `lead-service check`")
        more = f" and {len(rest)} more" if rest else ""
        return Suggestions(fault=f"brief.yml does not fit the questions ({first}{more}).")
