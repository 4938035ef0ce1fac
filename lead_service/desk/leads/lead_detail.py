"""Load everything about one lead, for its page and its JSON file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from ...action_framework.types import Step
from ...assess.brief import Brief
from ...assess.models import Assessment, framework_of
from ...book import briefs
from ...book.bookings import is_upcoming
from ...book.hosts.models import Host
from ...book.models import Booking
from ...emails.models import OutboxMessage
from ...leads import touch
from ...leads.consent import Occasion, Permission, agreed, permission
from ...leads.models import EventKind, Lead, LeadEvent
from ...publishing.site import Article, Published
from . import inbox
from . import timeline as leads_timeline

ANSWERED = {
    EventKind.CALL_BOOKED: Occasion.CALL,
    EventKind.WANTED_START: Occasion.WANTED_CALL,
    EventKind.WROTE: Occasion.MESSAGE,
    EventKind.TALKED: Occasion.TALK,
}
OTHERWISE = Occasion.RESULT
MOST_COLLEAGUES = 20


@dataclass(frozen=True)
class Answered:
    """One question of an assessment with its answer, in the words that the visitor read."""

    step: Step
    question: str
    answer: str | None  # None: not answered


@dataclass(frozen=True)
class Questionnaire:
    """One assessment with its answers."""

    assessment: Assessment
    phase: str  # the chosen phase; empty if not answered
    answers: tuple[Answered, ...]


@dataclass(frozen=True)
class Said:
    """A text that the visitor typed, and its time."""

    at: datetime
    text: str


@dataclass(frozen=True)
class CameFrom:
    """One touch of a lead in words: the source, and the article's title."""

    name: str  # "First" or "Last"
    at: datetime
    source: str
    article: str
    url: str  # of the article; empty if it is no longer published


@dataclass(frozen=True)
class LeadDetail:
    """A lead with all its data; lists are newest first."""

    lead: Lead
    permission: Permission
    brief: Brief | None
    next_call: Booking | None
    other_calls: list[Booking]  # upcoming, without the one of the brief
    said: list[Said]
    touches: list[CameFrom]
    articles: list[Article]  # articles that they came from, in order
    calls: Sequence[Booking]
    questionnaires: list[Questionnaire]
    timeline: list[leads_timeline.Line]
    mails: Sequence[OutboxMessage]
    names: dict[int, str]  # of members, including former ones
    colleagues: list[inbox.Entry]  # other leads from the same company


def load_lead_detail(
    session: Session, lead: Lead, published: Published, now: datetime, zone: str, call_id: int = 0
) -> LeadDetail:
    """Load all data of a lead; times are written in `zone`.

    The brief is for the lead's call with that id, or for the next one.
    """
    calls, taken = calls_of(session, lead), briefs.answered_by(session, [lead.id])[lead.id]
    names = inbox.member_names(session)
    hosts = {host.id: host.name for host in session.scalars(select(Host))}
    said = _said(lead.events, calls)
    next_call = briefs.next_calls(session, [lead.id], now).get(lead.id)
    call = next((one for one in calls if one.id == call_id), next_call)
    words = call.topic if call and call.topic else " ".join(one.text for one in said)
    occasion = Occasion.CALL if next_call else _occasion(lead.events)
    return LeadDetail(
        lead=lead,
        permission=permission(occasion, agreed(session, lead.id)),
        brief=briefs.brief_of(session, published, lead.id, call, words, zone),
        next_call=next_call,
        other_calls=[one for one in calls if is_upcoming(one, now) and one is not call],
        said=said,
        touches=_touches(published, lead),
        articles=_articles(published, [*reversed(taken), *reversed(calls)]),
        calls=calls,
        questionnaires=[_questionnaire(session, one) for one in taken],
        timeline=leads_timeline.lines(lead, calls, taken, names, hosts, published, zone),
        names=names,
        mails=_mails(session, lead),
        colleagues=_colleagues(session, lead, now),
    )


def _occasion(events: Sequence[LeadEvent]) -> Occasion:
    """Return the person's latest activity that we may reply to."""
    return next((ANSWERED[one.kind] for one in reversed(events) if one.kind in ANSWERED), OTHERWISE)


def calls_of(session: Session, lead: Lead) -> Sequence[Booking]:
    """Return all calls of a lead with their hosts, the latest first."""
    query = select(Booking).where(Booking.lead_id == lead.id).options(joinedload(Booking.host))
    return session.scalars(query.order_by(Booking.starts_at.desc())).all()


def _questionnaire(session: Session, assessment: Assessment) -> Questionnaire:
    framework = framework_of(session, assessment)
    answers = []
    for step in framework.steps:
        for question in step.questions:
            chosen = assessment.answers.get(question.id)
            text = question.answer(chosen).text if chosen else None
            answers.append(Answered(step, question.text, text))
    phase = framework.phase(assessment.phase).label if assessment.phase else ""
    return Questionnaire(assessment, phase, tuple(answers))


def _said(events: Sequence[LeadEvent], calls: Sequence[Booking]) -> list[Said]:
    typed = [Said(call.created_at, call.topic) for call in calls if call.topic]
    typed += [Said(event.at, text) for event in events if (text := event.detail.get("text"))]
    return sorted(typed, key=lambda one: one.at, reverse=True)


def _touches(published: Published, lead: Lead) -> list[CameFrom]:
    """Return the first touch, and the last one if it differs; none without a source."""
    stored = {"First": lead.first_touch, "Last": lead.last_touch}
    first, last = ({**(one or {}), "at": ""} for one in stored.values())
    if first == last:
        del stored["Last"]
    if not any(len(one) > 1 for one in (first, last)):
        return []
    return [_came_from(published, name, one) for name, one in stored.items() if one]


def _came_from(published: Published, name: str, stored: dict[str, str]) -> CameFrom:
    slug, at = stored.get("article", ""), datetime.fromisoformat(stored["at"])
    article, title = published.article(slug), published.title_of(slug)
    return CameFrom(name, at, touch.labeled(stored), title, article.url if article else "")


def _articles(published: Published, came: Sequence[Assessment | Booking]) -> list[Article]:
    slugs = dict.fromkeys(one.came_from for one in came if one.came_from)
    return [article for slug in slugs if (article := published.article(slug))]


def _colleagues(session: Session, lead: Lead, now: datetime) -> list[inbox.Entry]:
    """Return other leads with addresses of the same company, latest first."""
    if not lead.domain:
        return []
    others = select(Lead).where(Lead.domain == lead.domain, Lead.id != lead.id)
    query = others.order_by(Lead.touched_at.desc(), Lead.id).limit(MOST_COLLEAGUES)
    return inbox.list_of(session, session.scalars(query).all(), now)


def _mails(session: Session, lead: Lead) -> Sequence[OutboxMessage]:
    query = select(OutboxMessage).where(OutboxMessage.lead_id == lead.id)
    return session.scalars(query.order_by(OutboxMessage.created_at.desc(), OutboxMessage.id)).all()
