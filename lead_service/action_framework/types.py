"""The types of the framework: six steps, their questions, the bands and the engagements."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked

BEST = 3  # the level of the best answer
CANNOT_SAY = "cannot-say"  # the id of the fifth choice, which counts as the lowest level
CANNOT_SAY_TEXT = "I can’t say yet."  # noqa: RUF001

Text = Annotated[str, Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=60)]
Percent = Annotated[int, Field(ge=0, le=100)]

Item = TypeVar("Item")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(kind: type[Item]) -> type[Item]:
    """Make a class a frozen dataclass whose values are checked."""
    config = ConfigDict(extra="forbid", str_strip_whitespace=True, regex_engine="python-re")
    return cast(type[Item], checked(kind, frozen=True, config=config))


@frozen
class Answer:
    """Describe one observable state; `level` is its place among the four, 0 (worst) to 3 (best)."""

    id: Slug
    text: Text
    first_move: Text | None = None
    level: int = field(default=0, init=False)


@frozen
class Wording:
    """Hold other words for a question, for the phases that ask for them; None keeps a text.

    `answers` and `first_moves` go by the id of the answer.
    """

    text: Text | None = None
    reason: Text | None = None
    condition: Text | None = None
    answers: Mapping[str, Text] = field(default_factory=dict, hash=False)
    first_moves: Mapping[str, Text] = field(default_factory=dict, hash=False)
    cannot_say: Text | None = None

    @property
    def asks_otherwise(self) -> bool:
        """Say whether the question, its choices or its condition have other words."""
        return bool(self.text or self.condition or self.answers)


@frozen
class Question:
    """Ask about one observable thing; `condition` is what is true when the best answer holds.

    `cannot_say` is the first move of a visitor who cannot answer; older versions have none.
    """

    id: Slug
    text: Text
    reason: Text
    condition: Text
    answers: Annotated[tuple[Answer, ...], Field(min_length=4, max_length=4)]
    cannot_say: Text | None = None
    wordings: Mapping[str, Wording] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for level, answer in enumerate(self.answers):
            object.__setattr__(answer, "level", level)

    @cached_property
    def choices(self) -> tuple[Answer, ...]:
        """List what can be chosen: the four answers, and "I can't say yet" where it is offered."""
        if self.cannot_say is None:
            return self.answers
        cannot_say = Answer(id=CANNOT_SAY, text=CANNOT_SAY_TEXT, first_move=self.cannot_say)
        return (*self.answers, cannot_say)

    def answer(self, id: str) -> Answer:
        """Return the choice of that id; `KeyError` when it is not on offer."""
        return _find(self.choices, "id", id)

    def worded(self, *wordings: str) -> "Question":
        """Return the question in the words of those names, where it has such; the last one wins."""
        worded = self
        for words in (self.wordings[name] for name in wordings if name in self.wordings):
            worded = worded._in(words)
        return worded

    def asked_as(self, phase: "Phase | None") -> list[str]:
        """Name the wordings in which a phase asks it; two phases with the same ask the same."""
        names = phase.wordings if phase else ()
        return [it for it in names if it in self.wordings and self.wordings[it].asks_otherwise]

    def _in(self, words: Wording) -> "Question":
        return replace(
            self,
            text=words.text or self.text,
            reason=words.reason or self.reason,
            condition=words.condition or self.condition,
            cannot_say=words.cannot_say or self.cannot_say,
            answers=tuple(
                replace(
                    answer,
                    text=words.answers.get(answer.id, answer.text),
                    first_move=words.first_moves.get(answer.id, answer.first_move),
                )
                for answer in self.answers
            ),
        )


@frozen
class Step:
    """Hold one letter of the word: what the step settles, and how its absence shows."""

    slug: Slug
    letter: Text
    name: Text
    question: Text
    settles: Text
    skipped: Text
    signs: Annotated[tuple[Text, ...], Field(min_length=3, max_length=4)]
    work: Annotated[tuple[Text, ...], Field(min_length=1)]
    first_moves: Annotated[tuple[Text, ...], Field(min_length=3, max_length=3)]
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=3)]


@frozen
class Phase:
    """Name where an initiative stands; `wording` chooses the words of the questions for it.

    Of several wordings, a later one comes before an earlier one. `opening` is said above the list
    of conditions while one is open, and `nothing` is the advice where none is. No text of a result
    may hold a phrase of `never_says` in this phase.
    """

    id: Slug
    label: Text
    wording: Slug | tuple[Slug, ...] | None = None
    opening: Text | None = None
    nothing: Text | None = None
    never_says: tuple[Text, ...] = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """List the wordings of this phase, in the order in which to apply them."""
        return (self.wording,) if isinstance(self.wording, str) else self.wording or ()


@frozen
class Band:
    """Name a range of overall scores, both ends included, in percent as displayed."""

    slug: Slug
    name: Text
    lowest: Annotated[Percent, Field(alias="from")]
    highest: Annotated[Percent, Field(alias="to")]
    text: Text


@frozen
class Sentence:
    """Say why, when the conditions in `open` are open and those in `settled` nearly true or true.

    Both hold ids of questions.
    """

    text: Text
    open: Annotated[tuple[str, ...], Field(min_length=1)]
    settled: tuple[str, ...] = ()


@frozen
class Waits:
    """Hold back a step until each of others is settled or has a score of at least `below`."""

    step: str
    until: Annotated[tuple[str, ...], Field(min_length=1)]
    below: Percent


@frozen
class OutcomeTexts:
    """Say why no engagement is recommended; `{number}` is how many conditions are open.

    Older versions have no text of its own for one open condition, or for none that is only nearly
    true.
    """

    nothing: Text
    close_yourself: Text
    close_one: Text | None = None
    complete: Text | None = None


@frozen
class Rules:
    """Hold the rules by which answers are diagnosed; scores are in percent as displayed.

    `order` decides between steps with equal scores. `close_yourself` is the most open conditions
    at which no engagement is recommended.
    """

    order: tuple[str, ...]
    weak_below: Percent
    waits: Waits
    close_yourself: Annotated[int, Field(ge=0)]
    texts: OutcomeTexts


@frozen
class Engagement:
    """Describe one thing that the practice sells.

    It is recommended when one of `begins_with` is the step to begin with. `confirm` names the
    texts that the owner of the practice has not confirmed yet.
    """

    slug: Slug
    name: Text
    for_whom: Text
    gives: Annotated[tuple[Text, ...], Field(min_length=1)]
    takes: Text
    is_not: Text
    begins_with: tuple[str, ...] = ()
    because: tuple[Sentence, ...] = ()
    confirm: tuple[Literal["for_whom", "gives", "takes", "is_not"], ...] = ()


@dataclass(frozen=True)
class Framework:
    """Hold the whole model, checked; `version` is the SHA-256 of `text` in hexadecimal."""

    steps: Annotated[tuple[Step, ...], Field(min_length=6, max_length=6)]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    engagements: Annotated[tuple[Engagement, ...], Field(min_length=1)]
    phase_question: Text | None
    phases: tuple[Phase, ...]
    diagnosis: Rules
    text: str = field(repr=False)

    def __hash__(self) -> int:
        """Hash the text alone: it decides all else, and caches ask often."""
        return hash(self.text)

    @cached_property
    def version(self) -> str:
        """Identify this content; a stored assessment keeps the version it was started with."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """List all questions in the order of their steps."""
        return tuple(question for step in self.steps for question in step.questions)

    def step(self, slug: str) -> Step:
        """Return the step of that slug; `KeyError` when there is none."""
        return _find(self.steps, "slug", slug)

    def question(self, id: str) -> Question:
        """Return the question of that id; `KeyError` when there is none."""
        return _find(self.questions, "id", id)

    def phase(self, id: str) -> Phase:
        """Return the phase of that id; `KeyError` when there is none."""
        return _find(self.phases, "id", id)

    def in_phase(self, id: str | None) -> "Framework":
        """Return the framework in the words for a phase; None is a visitor who named no phase."""
        return self._worded[id] if id and self.phase(id).wordings else self

    def still_answered(
        self, answers: Mapping[str, str], before: str | None, now: str | None
    ) -> dict[str, str]:
        """Return the answers to those questions that two phases ask in the same words."""
        was, is_now = (self.phase(id) if id else None for id in (before, now))
        same = {one.id for one in self.questions if one.asked_as(was) == one.asked_as(is_now)}
        return {id: answer for id, answer in answers.items() if id in same}

    @cached_property
    def _worded(self) -> dict[str, "Framework"]:
        return {
            phase.id: replace(
                self,
                steps=tuple(
                    replace(
                        step,
                        questions=tuple(one.worded(*phase.wordings) for one in step.questions),
                    )
                    for step in self.steps
                ),
            )
            for phase in self.phases
        }

    def engagement(self, slug: str) -> Engagement:
        """Return the engagement of that slug; `KeyError` when there is none."""
        return _find(self.engagements, "slug", slug)


_LATER: dict[str, Any] = {
    "phase_question": None,
    "phases": [],
    "diagnosis": {
        "order": ["assess", "clarify", "transform", "organize", "implement", "nurture"],
        "weak_below": 60,
        "waits": {"step": "implement", "until": ["clarify", "organize"], "below": 67},
        "close_yourself": 2,
        "texts": {
            "nothing": "Every condition is true or nearly true, so your own people can go on.",
            "close_yourself": "Few conditions are open, and your own people can close them.",
        },
    },
}  # what the parts say in a version from before they existed


def _find(items: Iterable[Item], attribute: str, wanted: str) -> Item:
    for item in items:
        if getattr(item, attribute) == wanted:
            return item
    raise KeyError(wanted)
