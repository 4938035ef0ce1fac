"""The types of the framework: six steps, their questions, the bands and the engagements."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked

BEST = 3  # the level of the best answer
CANNOT_SAY = "cannot-say"  # the fifth choice, which counts as the lowest level
CANNOT_SAY_TEXT = "I can’t say yet."  # noqa: RUF001

Text = Annotated[str, Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=60)]
Percent = Annotated[int, Field(ge=0, le=100)]

Item = TypeVar("Item")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(kind: type[Item]) -> type[Item]:
    """Turn a class into a frozen dataclass with validated values."""
    config = ConfigDict(extra="forbid", str_strip_whitespace=True, regex_engine="python-re")
    return cast(type[Item], checked(kind, frozen=True, config=config))


@frozen
class Answer:
    """One observable state; `level` is its place among the four, 0 (worst) to 3 (best)."""

    id: Slug
    text: Text
    first_move: Text | None = None
    level: int = field(default=0, init=False)


@frozen
class Wording:
    """Other words for a question in some phases; None keeps the original text.

    `answers` and `first_moves` are by the id of the answer.
    """

    text: Text | None = None
    reason: Text | None = None
    condition: Text | None = None
    answers: Mapping[str, Text] = field(default_factory=dict, hash=False)
    first_moves: Mapping[str, Text] = field(default_factory=dict, hash=False)
    cannot_say: Text | None = None

    @property
    def asks_otherwise(self) -> bool:
        """Whether the question, its choices or its condition have other words."""
        return bool(self.text or self.condition or self.answers)


@frozen
class Question:
    """A question about one observable thing; `condition` is true with the best answer.

    `cannot_say` is the first move for visitors who can't answer; older versions have none.
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
        """The choices: the four answers, and "I can't say yet" if it is offered."""
        if self.cannot_say is None:
            return self.answers
        cannot_say = Answer(id=CANNOT_SAY, text=CANNOT_SAY_TEXT, first_move=self.cannot_say)
        return (*self.answers, cannot_say)

    def answer(self, id: str) -> Answer:
        """Return the choice with an id; `KeyError` for an unknown one."""
        return _find(self.choices, "id", id)

    def worded(self, *wordings: str) -> "Question":
        """Return the question in the wordings with these names; later ones come first."""
        worded = self
        for words in (self.wordings[name] for name in wordings if name in self.wordings):
            worded = worded._in(words)
        return worded

    def asked_as(self, phase: "Phase | None") -> list[str]:
        """Return the wordings that apply in a phase; phases with the same ones ask the same."""
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
    """One letter of the word: what the step settles, and the signs of its absence."""

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
    """The phase of an initiative; `wording` selects the words of its questions.

    Later wordings override earlier ones. `opening` is the sentence above the list
    of open conditions, and `nothing` is the advice without any. No text of a result
    may contain a phrase of `never_says` in this phase.
    """

    id: Slug
    label: Text
    wording: Slug | tuple[Slug, ...] | None = None
    opening: Text | None = None
    nothing: Text | None = None
    never_says: tuple[Text, ...] = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """The wordings of this phase, in the order of application."""
        return (self.wording,) if isinstance(self.wording, str) else self.wording or ()


@frozen
class Band:
    """A range of overall scores, both ends included, in percent as displayed."""

    slug: Slug
    name: Text
    lowest: Annotated[Percent, Field(alias="from")]
    highest: Annotated[Percent, Field(alias="to")]
    text: Text


@frozen
class Sentence:
    """A reason that applies if conditions in `open` are open and those in `settled` (nearly) true.

    Both contain ids of questions.
    """

    text: Text
    open: Annotated[tuple[str, ...], Field(min_length=1)]
    settled: tuple[str, ...] = ()


@frozen
class Waits:
    """A step waits until each of others is settled or has a score of at least `below`."""

    step: str
    until: Annotated[tuple[str, ...], Field(min_length=1)]
    below: Percent


@frozen
class OutcomeTexts:
    """The texts without a recommended engagement; `{number}` is the number of open conditions.

    Older versions lack the texts for one open condition, and for none that is only nearly
    true.
    """

    nothing: Text
    close_yourself: Text
    close_one: Text | None = None
    complete: Text | None = None


@frozen
class Rules:
    """The rules of the diagnosis; scores are in percent as displayed.

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
    """An engagement that the practice sells.

    It is recommended if one of `begins_with` is the step to begin with. `confirm` lists the
    texts that the practice's owner hasn't confirmed yet.
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
    """The whole checked model; `version` is the SHA-256 of `text` in hexadecimal."""

    steps: Annotated[tuple[Step, ...], Field(min_length=6, max_length=6)]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    engagements: Annotated[tuple[Engagement, ...], Field(min_length=1)]
    phase_question: Text | None
    phases: tuple[Phase, ...]
    diagnosis: Rules
    text: str = field(repr=False)

    def __hash__(self) -> int:
        """Hash only the text, which determines the rest: caches call this often."""
        return hash(self.text)

    @cached_property
    def version(self) -> str:
        """The hash of this content; an assessment stores the version it was started with."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """List all questions in the order of their steps."""
        return tuple(question for step in self.steps for question in step.questions)

    def step(self, slug: str) -> Step:
        """Return the step with a slug; `KeyError` if there is none."""
        return _find(self.steps, "slug", slug)

    def question(self, id: str) -> Question:
        """Return the question with an id; `KeyError` if there is none."""
        return _find(self.questions, "id", id)

    def phase(self, id: str) -> Phase:
        """Return the phase with an id; `KeyError` if there is none."""
        return _find(self.phases, "id", id)

    def in_phase(self, id: str | None) -> "Framework":
        """Return the framework in the words for a phase; None if the visitor chose none."""
        return self._worded[id] if id and self.phase(id).wordings else self

    def still_answered(
        self, answers: Mapping[str, str], before: str | None, now: str | None
    ) -> dict[str, str]:
        """Return the answers to questions that both phases ask in the same words."""
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
        """Return the engagement with a slug; `KeyError` if there is none."""
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
}  # defaults for parts that old versions lack


def _find(items: Iterable[Item], attribute: str, wanted: str) -> Item:
    for item in items:
        if getattr(item, attribute) == wanted:
            return item
    raise KeyError(wanted)
