"""Store assessments, each with the version of the framework that it was started with."""

import hmac
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..action_framework.loading import load
from ..action_framework.types import Framework, Question, Step
from ..action_framework.yaml_source import DataError
from ..db.base import NUMBERS_FOR_LIFE, Base, insert_unless
from ..leads.touch import LONGEST, Touch
from ..web.carried import REFERENCE
from ..web.tokens import derived_token, token_hash


class FrameworkVersion(Base):
    """The text of one version of the framework, so that old results open after an edit."""

    __tablename__ = "framework_version"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)  # a hash of the text
    text: Mapped[str] = mapped_column(Text)
    first_used_at: Mapped[datetime]


class Assessment(Base):
    """A visitor's answers so far; found only by their token."""

    __tablename__ = "assessment"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "share_hash", unique=True),
        NUMBERS_FOR_LIFE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    framework_version: Mapped[str] = mapped_column(ForeignKey("framework_version.version"))
    answers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # question id: answer id
    phase: Mapped[str | None] = mapped_column(String(60))  # None: not answered yet
    came_from: Mapped[str | None] = mapped_column(String(120))  # the article's slug
    source: Mapped[str] = mapped_column(String(LONGEST), default="")  # as `leads.touch` writes it
    started_at: Mapped[datetime] = mapped_column(index=True)
    touched_at: Mapped[datetime] = mapped_column(index=True)
    completed_at: Mapped[datetime | None]
    lead_id: Mapped[int | None] = mapped_column(
        ForeignKey("lead.id", ondelete="SET NULL"), index=True
    )
    share_uid: Mapped[str | None] = mapped_column(String(32))  # None: not shared
    share_hash: Mapped[str | None] = mapped_column(String(64))
    earlier_hash: Mapped[str | None] = mapped_column(String(64))  # token_hash or share_hash

    @property
    def touch(self) -> Touch:
        """Return the source of the assessment."""
        return Touch(self.started_at, self.came_from, self.source)


BY_TOKEN = select(Assessment).where(Assessment.token_hash == bindparam("token_hash"))


def start(
    session: Session,
    framework: Framework,
    answers: dict[str, str],
    came_from: str | None,
    at: datetime,
    token: str,
    *,
    source: str = "",
    phase: str | None = None,
    repeats: str | None = None,
) -> str | None:
    """Store the phase or the first answers under a new token; return the next page.

    If the token exists already, they are added: the visitor went back to the first page and
    sent it again, or sent it twice. `repeats` is the token of an earlier result or of its share
    link. The assessment gets no lead from it, because anyone may have the link.
    """
    _keep(session, framework, at)
    following = next_page(framework, answers, phase)
    is_new = insert_unless(
        session,
        Assessment,
        "token_hash",
        token_hash=token_hash(token),
        framework_version=framework.version,
        answers=answers,
        phase=phase,
        came_from=came_from,
        source=source,
        started_at=at,
        touched_at=at,
        completed_at=None if following else at,
        earlier_hash=token_hash(repeats) if repeats else None,
    )
    if is_new or (begun := find_assessment(session, token, lock=True)) is None:
        return following
    answer(begun, framework, answers, at, asked_in=None, phase=phase)
    return next_page(framework, begun.answers, begun.phase)


def first_token(secret: str, framework: Framework, submission: str) -> str:
    """Return the token of the assessment that a first page starts, the same for each submission.

    `submission` is the page's own secret. Another version of the questions gives another token.
    """
    return derived_token(secret, "start", f"{framework.version}:{submission}")


def _keep(session: Session, framework: Framework, at: datetime) -> None:
    """Store the framework's text, unless another request has stored it."""
    if session.get(FrameworkVersion, framework.version):
        return
    version = FrameworkVersion(version=framework.version, text=framework.text, first_used_at=at)
    with suppress(IntegrityError), session.begin_nested():
        session.add(version)


def answer(
    assessment: Assessment,
    framework: Framework,
    answers: dict[str, str],
    at: datetime,
    *,
    asked_in: str | None,
    phase: str | None = None,
) -> None:
    """Add or change answers and the phase; store the completion time.

    `asked_in` is the phase in whose words these questions were asked. Questions that the present
    phase words differently become open again.
    """
    before, now = assessment.phase, phase or assessment.phase
    kept = framework.still_answered(assessment.answers, before, now)
    assessment.answers = kept | framework.still_answered(answers, asked_in, now)
    assessment.phase = now
    assessment.touched_at = at
    if next_page(framework, assessment.answers, now) is None:
        assessment.completed_at = assessment.completed_at or at
    elif next_step(framework, assessment.answers):
        assessment.completed_at = None


PHASE_PAGE = "phase"


def next_page(framework: Framework, answers: dict[str, str], phase: str | None) -> str | None:
    """Return the first page with an open question: PHASE_PAGE, a step's slug, or None."""
    if framework.phases and phase is None:
        return PHASE_PAGE
    return next_step(framework, answers)


def next_step(framework: Framework, answers: dict[str, str]) -> str | None:
    """Return the slug of the first step with a question still open, or None."""
    for step in framework.steps:
        if any(question.id not in answers for question in step.questions):
            return step.slug
    return None


def find_assessment(session: Session, token: str, *, lock: bool = False) -> Assessment | None:
    """Find an assessment by its token; lock it for a change."""
    query = BY_TOKEN.with_for_update() if lock else BY_TOKEN
    return session.scalar(query, {"token_hash": token_hash(token)})


@dataclass(frozen=True)
class Referenced:
    """Answers attached to a link."""

    assessment: Assessment
    made_at: datetime | None  # UTC, when their owner's page made the link


def reference(assessment: Assessment, secret: str, made_at: datetime | None = None) -> str:
    """Return a reference that attaches the answers to a call or message, but opens no page.

    `made_at` (UTC) is for the private pages of their owner only. Without it, as in emails and on
    the desk, the answers are attached only with the address of their lead.

    Its first part is the masked id of the assessment, because the plain one reveals how many
    there are.
    """
    made = f"{int(made_at.timestamp()):08x}-" if made_at else ""
    proof = derived_token(secret, "answers", made + assessment.token_hash)[:32]
    return f"{assessment.id ^ _mask(secret, proof):08x}-{made}{proof}"


def _mask(secret: str, proof: str) -> int:
    return int(derived_token(secret, "number", proof)[:8], 16) >> 1  # below 2^31, like ids


def find_referenced(session: Session, secret: str, given: str) -> Referenced | None:
    """Find an assessment by its reference, or by its token, as in links of earlier versions.

    Such a link counts as made when the last answer was given.
    """
    if REFERENCE.fullmatch(given):
        number, *made, proof = given.split("-")
        made_at = datetime.fromtimestamp(int(made[0], 16), UTC) if made else None
        found = session.get(Assessment, int(number, 16) ^ _mask(secret, proof))
        if found and hmac.compare_digest(reference(found, secret, made_at), given):
            return Referenced(found, made_at)
    found = find_assessment(session, given) if given else None
    return Referenced(found, found.touched_at) if found else None


def share(assessment: Assessment, secret: str) -> None:
    """Open a share link, unless one is open; a closed one is never reused."""
    if assessment.share_uid is None:
        assessment.share_uid = uuid.uuid4().hex
        assessment.share_hash = token_hash(share_token(assessment, secret) or "")


def unshare(assessment: Assessment) -> None:
    """Close the share link, if one is open."""
    assessment.share_uid = assessment.share_hash = None


def share_token(assessment: Assessment, secret: str) -> str | None:
    """Return the token of the open share link, or None; only its hash is stored."""
    return assessment.share_uid and derived_token(secret, "share", assessment.share_uid)


def find_shared(session: Session, token: str) -> Assessment | None:
    """Find an assessment by its share link, complete or not."""
    return session.scalar(select(Assessment).where(Assessment.share_hash == token_hash(token)))


def framework_of(session: Session, assessment: Assessment) -> Framework:
    """Return the visitor's version of the framework, in the words for their phase."""
    return framework_in(session, assessment.framework_version).in_phase(assessment.phase)


def framework_in(session: Session, version: str) -> Framework:
    """Return a stored version of the framework."""
    if version not in _frameworks:
        text = select(FrameworkVersion.text).where(FrameworkVersion.version == version)
        _frameworks[version] = load(session.scalars(text).one(), kept=True)
    return _frameworks[version]


_frameworks: dict[str, Framework] = {}  # by version, which is a hash of the text


def stored_version_faults(session: Session, published: Framework) -> list[str]:
    """Return one line for each reused id, and for each version that can't be read."""
    in_use = select(Assessment.framework_version)
    query = select(FrameworkVersion).where(
        FrameworkVersion.version.in_(in_use), FrameworkVersion.version != published.version
    )
    found: list[str] = []
    for one in session.scalars(query.order_by(FrameworkVersion.first_used_at)):
        found += _version_faults(one.text, one.first_used_at, published)
    return list(dict.fromkeys(found))


def _version_faults(text: str, first_used_at: datetime, published: Framework) -> list[str]:
    try:
        return list(reused(load(text, kept=True), published))
    except DataError:
        since = f"{first_used_at:%Y-%m-%d}"
        return [f"the version in use since {since} can no longer be read: its results do not open"]


def reused(before: Framework, after: Framework) -> Iterator[str]:
    """Yield a line for each id of `before` that has another meaning in `after`.

    A question has another meaning in another step, an answer at another of the four levels.
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
