"""Compare the published framework with the versions that results still rest on.

Each result keeps the version that it was started with, so wording may change at will. An id may
not: one that means something else now would let two results say the same and mean two things.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .framework import Framework, FrameworkError, Question, Step, load
from .models import Assessment, FrameworkVersion


def faults(session: Session, published: Framework) -> list[str]:
    """Return one line for each id that was used for something else, and each lost version."""
    in_use = select(Assessment.framework_version)
    query = select(FrameworkVersion).where(
        FrameworkVersion.version.in_(in_use), FrameworkVersion.version != published.version
    )
    found: list[str] = []
    for one in session.scalars(query.order_by(FrameworkVersion.first_used_at)):
        found += _faults_of(one.text, one.first_used_at, published)
    return list(dict.fromkeys(found))


def _faults_of(text: str, first_used_at: datetime, published: Framework) -> list[str]:
    try:
        return list(reused(load(text, kept=True), published))
    except FrameworkError:
        since = f"{first_used_at:%Y-%m-%d}"
        return [f"the version in use since {since} can no longer be read: its results do not open"]


def reused(before: Framework, after: Framework) -> Iterator[str]:
    """Yield a line for each id of `before` that stands for something else in `after`.

    A question is another one when its step is another, an answer when its place among the four is.
    """
    were = {question.id: (step, question) for step, question in _questions(before)}
    for step, question in _questions(after):
        if question.id not in were:
            continue
        its_step, same = were[question.id]
        if step.slug != its_step.slug:
            yield (
                f"question {question.id}: this id belonged to a question of {its_step.name}, in"
                f" results that still open; give the one of {step.name} a new id"
            )
            continue
        yield from _moved(same, question)


def _moved(before: Question, after: Question) -> Iterator[str]:
    places = {answer.id: answer.level for answer in before.answers}
    for answer in after.answers:
        if places.get(answer.id, answer.level) != answer.level:
            yield (
                f"question {after.id}, answer {answer.id}: this id was answer"
                f" {places[answer.id] + 1} of four and is now answer {answer.level + 1}; give it"
                " a new id"
            )


def _questions(framework: Framework) -> Iterator[tuple[Step, Question]]:
    return ((step, question) for step in framework.steps for question in step.questions)
