"""The types of the framework: six steps, their questions, the bands and the engagements."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, TypeVar

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked

BEST = 3  # the level of the best answer

Text = Annotated[str, Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=60)]
Percent = Annotated[int, Field(ge=0, le=100)]

_frozen = checked(
    frozen=True,
    config=ConfigDict(extra="forbid", str_strip_whitespace=True, regex_engine="python-re"),
)


Item = TypeVar("Item")


@_frozen
class Answer:
    """Describe one observable state; `level` is its place among the four, 0 (worst) to 3 (best)."""

    id: Slug
    text: Text
    first_move: Text | None = None
    level: int = field(default=0, init=False)


@_frozen
class Question:
    """Ask about one observable thing; `condition` is what is true when the best answer holds."""

    id: Slug
    text: Text
    reason: Text
    condition: Text
    answers: Annotated[tuple[Answer, ...], Field(min_length=4, max_length=4)]

    def __post_init__(self) -> None:
        for level, answer in enumerate(self.answers):
            object.__setattr__(answer, "level", level)

    def answer(self, id: str) -> Answer:
        """Return the answer of that id; `KeyError` when it is not on offer."""
        return _find(self.answers, "id", id)


@_frozen
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
    questions: Annotated[tuple[Question, ...], Field(min_length=2, max_length=2)]


@_frozen
class Band:
    """Name a range of overall scores, both ends included, in percent as displayed."""

    slug: Slug
    name: Text
    lowest: Annotated[Percent, Field(alias="from")]
    highest: Annotated[Percent, Field(alias="to")]
    text: Text


@_frozen
class Engagement:
    """Describe one thing that the practice sells."""

    slug: Slug
    name: Text
    for_whom: Text
    gives: Annotated[tuple[Text, ...], Field(min_length=1)]
    takes: Text
    is_not: Text


@_frozen
class When:
    """State when an outcome applies; everything that is given must hold, nothing given always does.

    Scores are compared as they are displayed, in percent. `below` and `at_least` go by step slug,
    `gap` lists the steps of which one must be the widest gap.
    """

    below: Mapping[str, Percent] = field(default_factory=dict, hash=False)
    at_least: Mapping[str, Percent] = field(default_factory=dict, hash=False)
    gap: tuple[str, ...] = ()
    overall_at_least: Percent = 0

    @property
    def always(self) -> bool:
        """Say whether nothing is asked for, so that it holds for every set of answers."""
        return not (self.below or self.at_least or self.gap or self.overall_at_least)


@_frozen
class Rule:
    """Choose an engagement (`none`: none is needed yet) and say to the visitor why."""

    engagement: Slug
    when: When
    why: Text


@dataclass(frozen=True)
class Framework:
    """Hold the whole model, checked; `version` is the SHA-256 of `text` in hexadecimal."""

    steps: Annotated[tuple[Step, ...], Field(min_length=6, max_length=6)]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    engagements: Annotated[tuple[Engagement, ...], Field(min_length=1)]
    outcomes: Annotated[tuple[Rule, ...], Field(min_length=1)]
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
        """List all twelve questions in the order of their steps."""
        return tuple(question for step in self.steps for question in step.questions)

    def step(self, slug: str) -> Step:
        """Return the step of that slug; `KeyError` when there is none."""
        return _find(self.steps, "slug", slug)

    def question(self, id: str) -> Question:
        """Return the question of that id; `KeyError` when there is none."""
        return _find(self.questions, "id", id)

    def engagement(self, slug: str) -> Engagement:
        """Return the engagement of that slug; `KeyError` when there is none."""
        return _find(self.engagements, "slug", slug)


def _find(items: Iterable[Item], attribute: str, wanted: str) -> Item:
    for item in items:
        if getattr(item, attribute) == wanted:
            return item
    raise KeyError(wanted)
