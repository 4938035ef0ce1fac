"""Phone numbers as a telephone dials them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from ...action_framework.types import Step
from ...assess.brief import Brief, brief_for
from ...assess.models import Assessment, framework_of
from ...book.models import Booking
from ...emails.models import OutboxMessage
from ...leads.consent import Occasion, Permission, agreed, permission
from ...leads.models import EventKind, Lead, LeadEvent
from ...publishing.site import Article, Published
from . import inbox
from . import timeline as leads_timeline

ANSWERED = {
    EventKind.CALL_BOOKED: Occasion.CALL,
    EventKind.WANTED_START: Occasion.WANTED_CALL,
    EventKind.WROTE: Occasion.MESSAGE,
}
OTHERWISE = Occasion.RESULT


@dataclass(frozen=True)
class Answered:
    """One question of an assessment and the answer chosen, in the words of its version."""

    step: Step
    question: str
    answer: str | None  # None while it is open


@dataclass(frozen=True)
class Questionnaire:
    """One assessment, as it was answered."""

    assessment: Assessment
    answers: tuple[Answered, ...]


@dataclass(frozen=True)
class Said:
    """What the visitor typed, and when."""

    at: datetime
    text: str


@dataclass(frozen=True)
class LeadDetail:
    """A lead with everything that belongs to it; lists are newest first."""

    lead: Lead
    permission: Permission
    brief: Brief | None
    next_call: Booking | None
    said: list[Said]
    articles: list[Article]  # whose links they followed, in that order
    calls: Sequence[Booking]
    questionnaires: list[Questionnaire]
    timeline: list[leads_timeline.Line]
    mails: Sequence[OutboxMessage]
    names: dict[int, str]  # of members, those who have left included


def load_lead_detail(
    session: Session, lead: Lead, published: Published, now: datetime, zone: str
) -> LeadDetail:
    """Read the dossier of a lead; times that are no call's are written in `zone`."""
    calls, taken = calls_of(session, lead), _assessments_of(session, lead)
    names = inbox.member_names(session)
    complete = next((one for one in taken if one.completed_at), None)
    said = _said(lead.events, calls)
    words = " ".join(one.text for one in said)
    next_call = inbox.next_calls(session, [lead.id], now).get(lead.id)
    occasion = Occasion.CALL if next_call else _occasion(lead.events)
    return LeadDetail(
        lead=lead,
        permission=permission(occasion, agreed(session, lead.id)),
        brief=brief_for(session, complete, published.framework, words),
        next_call=next_call,
        said=said,
        articles=_articles(published, [*reversed(taken), *reversed(calls)]),
        calls=calls,
        questionnaires=[_questionnaire(session, one) for one in taken],
        timeline=leads_timeline.lines(lead, calls, taken, names, published, zone),
        names=names,
        mails=_mails(session, lead),
    )


def _occasion(events: Sequence[LeadEvent]) -> Occasion:
    """Return the latest thing that the person did and that we may answer."""
    return next((ANSWERED[one.kind] for one in reversed(events) if one.kind in ANSWERED), OTHERWISE)


def calls_of(session: Session, lead: Lead) -> Sequence[Booking]:
    """Return all calls of a lead with their hosts, the latest first."""
    query = select(Booking).where(Booking.lead_id == lead.id).options(joinedload(Booking.host))
    return session.scalars(query.order_by(Booking.starts_at.desc())).all()


def coming_calls(session: Session, lead: Lead, now: datetime) -> list[Booking]:
    """Return the calls that a lead still has to come."""
    return [call for call in calls_of(session, lead) if call.is_live and call.starts_at > now]


def _assessments_of(session: Session, lead: Lead) -> Sequence[Assessment]:
    """Return what they answered, whether it came by a mailed result or along with a booking."""
    with_a_call = select(Booking.assessment_id).where(Booking.lead_id == lead.id)
    query = select(Assessment).where(
        or_(Assessment.lead_id == lead.id, Assessment.id.in_(with_a_call))
    )
    return session.scalars(query.order_by(Assessment.started_at.desc(), Assessment.id.desc())).all()


def _questionnaire(session: Session, assessment: Assessment) -> Questionnaire:
    framework = framework_of(session, assessment)
    answers = []
    for step in framework.steps:
        for question in step.questions:
            chosen = assessment.answers.get(question.id)
            text = question.answer(chosen).text if chosen else None
            answers.append(Answered(step, question.text, text))
    return Questionnaire(assessment, tuple(answers))


def _said(events: Sequence[LeadEvent], calls: Sequence[Booking]) -> list[Said]:
    typed = [Said(call.created_at, call.topic) for call in calls if call.topic]
    typed += [Said(event.at, text) for event in events if (text := event.detail.get("text"))]
    return sorted(typed, key=lambda one: one.at, reverse=True)


def _articles(published: Published, came: Sequence[Assessment | Booking]) -> list[Article]:
    slugs = dict.fromkeys(one.came_from for one in came if one.came_from)
    return [article for slug in slugs if (article := published.article(slug))]


def _mails(session: Session, lead: Lead) -> Sequence[OutboxMessage]:
    query = select(OutboxMessage).where(OutboxMessage.lead_id == lead.id)
    return session.scalars(query.order_by(OutboxMessage.created_at.desc(), OutboxMessage.id)).all()
