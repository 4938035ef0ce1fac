"""Check the phases, and the wording of all texts in each phase.

Conditions depend on where the initiative is. A question has other words for a phase under
the names that the phase gives as its `wording`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .yaml_source import Fault, KeyPath

if TYPE_CHECKING:
    from .types import Band, Engagement, Phase, Question, Rules, Step

Said = Iterator[tuple[KeyPath, str]]


def faults(
    steps: "Sequence[Step]",
    bands: "Sequence[Band]",
    engagements: "Sequence[Engagement]",
    phases: "Sequence[Phase]",
    rules: "Rules | tuple[()]",
) -> Iterator[Fault]:
    """Yield the faults of the phases and of their wordings."""
    if steps and not phases:
        yield ("phases",), "needs at least one phase"
    for id, count in Counter(phase.id for phase in phases).items():
        if count > 1:
            yield ("phases",), f"{id} is used {count} times"
    for path, question in _questions(steps):
        yield from _question_faults(path, question, {one for it in phases for one in it.wordings})
    for i, phase in enumerate(phases):
        texts = [
            *_texts(steps, phase),
            *_recommendations(bands, engagements, rules),
            *((("phases", i, key), getattr(phase, key) or "") for key in ("opening", "nothing")),
        ]
        for phrase in phase.never_says:
            for where, text in texts:
                if phrase.casefold() in text.casefold():
                    yield where, f"says “{phrase}”, which no visitor in {phase.id} may read"


def _question_faults(path: KeyPath, question: "Question", wordings: set[str]) -> Iterator[Fault]:
    if question.cannot_say is None:
        yield (*path, "cannot_say"), "is missing: what is the first move to find out?"
    for k, answer in enumerate(question.answers):
        if answer.id == "cannot-say":
            yield (*path, "answers", k, "id"), "cannot-say stands for “I can’t say yet”"  # noqa: RUF001
    worse = {answer.id for answer in question.answers[:-1]}
    known = {answer.id for answer in question.answers}
    for name, words in question.wordings.items():
        if wordings and name not in wordings:
            yield (*path, "wordings", name), "no phase has this wording"
        for id in words.answers:
            if id not in known:
                yield (*path, "wordings", name, "answers", id), "no answer has this id"
        for id in words.first_moves:
            if id not in worse:
                where = (*path, "wordings", name, "first_moves", id)
                yield (
                    where,
                    "only the best answer has this id, and it has no first move"
                    if id in known
                    else ("no answer has this id"),
                )


def _questions(steps: "Sequence[Step]") -> "Iterator[tuple[KeyPath, Question]]":
    for i, step in enumerate(steps):
        for j, question in enumerate(step.questions):
            yield ("steps", i, "questions", j), question


def _texts(steps: "Sequence[Step]", phase: "Phase") -> Said:
    """Yield every text of a result in a phase, with its place in the file."""
    for path, question in _questions(steps):
        worded = question.worded(*phase.wordings)
        for key in ("text", "reason", "condition", "cannot_say"):
            yield _place(path, question, phase, (key,)), getattr(worded, key) or ""
        for k, answer in enumerate(worded.answers):
            for key, others in (("text", "answers"), ("first_move", "first_moves")):
                where = _place(path, question, phase, (others, answer.id), ("answers", k, key))
                yield where, getattr(answer, key) or ""


def _place(
    path: KeyPath, question: "Question", phase: "Phase", key: KeyPath, plain: KeyPath | None = None
) -> KeyPath:
    """Return a text's place: in the last wording of the phase that has it, or `plain`."""
    for name in reversed(phase.wordings):
        words = question.wordings.get(name)
        value = getattr(words, str(key[0]), None)
        if value and (len(key) == 1 or key[1] in value):
            return (*path, "wordings", name, *key)
    return (*path, *(plain or key))


def _recommendations(
    bands: "Sequence[Band]", engagements: "Sequence[Engagement]", rules: "Rules | tuple[()]"
) -> Said:
    for i, band in enumerate(bands):
        yield ("bands", i, "text"), band.text
    for i, engagement in enumerate(engagements):
        for k, sentence in enumerate(engagement.because):
            yield ("engagements", i, "because", k, "text"), sentence.text
    if rules:
        for key in ("nothing", "complete", "close_yourself", "close_one"):
            yield ("diagnosis", "texts", key), getattr(rules.texts, key) or ""
