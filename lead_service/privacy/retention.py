"""Retention: what has been kept for long enough goes, daily, whether or not anybody visits."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true
from sqlalchemy.orm import Session

from ..accounts.audit_log import AuditEntry
from ..accounts.members import DeskSession, SignInLink
from ..assess.models import Assessment
from ..book.models import Booking, TimeCell
from ..db.engine import Database
from ..emails.models import DeliveryEvent, EmailState, OutboxMessage
from ..funnel import archived_counts
from ..funnel.queries import Rows
from ..leads.models import Consent, Lead, LeadEvent, Note
from ..settings import Settings
from .erasure import sweep_folder
from .export import Holding, rows_of
from .models import RetentionPlan

LOOSE_MAIL = timedelta(days=30)  # mails that are over and belong to no lead, as those of the desk
SIGN_IN = timedelta(days=30)  # older than any link and any session can be
NOTICE = timedelta(days=1)  # between finding that something is old and erasing it
PLAN_LASTS = timedelta(days=3)  # deliver was away for longer, or the clock has jumped
LARGE_SHARE = 0.2  # of all leads
LEADS_AT_ONCE = 50
ROWS_AT_ONCE = 500
BETWEEN_BATCHES = 0.05  # seconds for the forms of visitors
OVER = (
    EmailState.SENT,
    EmailState.FAILED,
    EmailState.DEAD,
    EmailState.EXPIRED,
    EmailState.CANCELLED,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Expected:
    """How many leads a sweep would erase, with all that is theirs, and how many answers beside."""

    leads: int
    answers: int  # self-assessments that belong to no lead
    leads_stored: int

    @property
    def is_large(self) -> bool:
        """Say whether a person should look first: a clock that runs ahead makes everything old."""
        return self.leads > 1 and self.leads > LARGE_SHARE * self.leads_stored


def run_daily(database: Database, settings: Settings, now: datetime) -> dict[str, int]:
    """Erase what the run of a day ago has found to be old and still is; find what is old now.

    Old weeks of the funnel are closed as well. A clock that jumps ahead does nothing at once: plans
    are dropped when they are of a time to come, or when more than `PLAN_LASTS` have passed. A large
    share waits for a person (`waiting_for_a_person`). Returns how much was erased, by table.
    """
    planned = database.write(lambda session: _plan(session, now))
    if planned is None:
        return {}
    with database.read() as session:
        if expect(session, planned, settings).is_large:
            log.warning("retention waits for a person")
            return {}
    erased = erase(database, settings, planned)
    archived_counts.close_weeks(database, planned)
    database.write(lambda session: _plan_anew(session, now))
    return erased


def waiting_for_a_person(session: Session, settings: Settings, now: datetime) -> int:
    """Count the leads that the daily run will not erase before a person has agreed."""
    plan = session.get(RetentionPlan, 1)
    expected = expect(session, plan.as_of, settings) if plan and plan.as_of <= now else None
    return expected.leads if expected and expected.is_large else 0


def erase(database: Database, settings: Settings, as_of: datetime) -> dict[str, int]:
    """Erase what is older than its time `as_of` an instant, then the files of its emails.

    In batches of a transaction each, so that a visitor's form waits for one batch at most.
    Returns how much, as {table: rows}; the log line holds counts only.
    """
    counts: Counter[str] = Counter()
    while batch := database.write(lambda session: _erase_batch(session, as_of, settings)):
        counts.update(batch)
        time.sleep(BETWEEN_BATCHES)
    database.forget()
    counts["files"] = sweep_folder(database, settings.mail_folder)
    log.info("retention", extra={"counts": dict(counts)})
    return dict(counts)


def expect(session: Session, as_of: datetime, settings: Settings) -> Expected:
    """Count the leads and answers that `erase` would erase, by indexes; nothing is changed."""

    def number(model: type[Lead | Assessment], where: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).select_from(model).where(where)) or 0

    leads = number(Lead, _idle(as_of - timedelta(days=settings.retention_days)))
    stored = number(Lead, true()) if leads else 0
    return Expected(leads, number(Assessment, _anonymous(as_of, settings)), stored)


def count(session: Session, as_of: datetime, settings: Settings) -> dict[str, int]:
    """Count all that `erase` would erase, as {table: rows}; nothing is changed."""
    leads = _idle(as_of - timedelta(days=settings.retention_days))
    holdings = [*_of_leads(leads), *_by_themselves(as_of, settings)]
    counts: Counter[str] = Counter()
    for held in holdings:
        counts[held.name] += held.count(session)
    return dict(counts)


def idle_leads(now: datetime, settings: Settings) -> Select[Lead]:
    """Select the leads that a sweep at `now` would erase."""
    return select(Lead).where(_idle(now - timedelta(days=settings.retention_days)))


def _plan(session: Session, now: datetime) -> datetime | None:
    """Return the time as of which to erase now, or None; plan anew when the plan is of no use."""
    plan = session.get(RetentionPlan, 1, with_for_update=True)
    if plan and now - PLAN_LASTS <= plan.as_of <= now:
        return plan.as_of if plan.as_of <= now - NOTICE else None
    _plan_anew(session, now)
    return None


def _plan_anew(session: Session, now: datetime) -> None:
    session.merge(RetentionPlan(id=1, as_of=now))


def _erase_batch(session: Session, as_of: datetime, settings: Settings) -> dict[str, int]:
    """Erase a few leads with all that is theirs, or else a few other rows; {} when none is left.

    Rows are locked and looked at again. A row that a visitor is just changing is left alone.
    """
    idle = _idle(as_of - timedelta(days=settings.retention_days))
    found = select(Lead.id).where(idle).limit(LEADS_AT_ONCE)
    leads = session.scalars(found.with_for_update(skip_locked=True)).all()
    if leads:
        mine = Lead.id.in_(leads)
        calls = Booking.lead_id.in_(leads)
        archived_counts.archive(session, Rows(Assessment.lead_id.in_(leads), calls, mine))
        return {held.name: held.erase(session) for held in _of_leads(mine)}
    for held in _by_themselves(as_of, settings):
        key, *_ = held.of.columns
        rows = select(key).where(held.where).limit(ROWS_AT_ONCE)
        if keys := session.scalars(rows.with_for_update(skip_locked=True)).all():
            if held.name == Assessment.__tablename__:
                archived_counts.archive(session, Rows(Assessment.id.in_(keys), false(), false()))
            return {held.name: Holding(held.of, key.in_(keys)).erase(session)}
    return {}


def _of_leads(leads: ColumnElement[bool]) -> Iterator[Holding]:
    """Yield all that belongs to leads, in an order in which it can be deleted."""
    ids = select(Lead.id).where(leads)
    mails = OutboxMessage.lead_id.in_(ids)
    calls = Booking.lead_id.in_(ids)
    told = DeliveryEvent.outbox_id.in_(select(OutboxMessage.id).where(mails))
    yield rows_of(DeliveryEvent, told)
    yield rows_of(OutboxMessage, mails)
    yield rows_of(Assessment, Assessment.lead_id.in_(ids))
    yield rows_of(TimeCell, TimeCell.booking_id.in_(select(Booking.id).where(calls)))
    yield rows_of(Booking, calls)
    yield rows_of(LeadEvent, LeadEvent.lead_id.in_(ids))
    yield rows_of(Consent, Consent.lead_id.in_(ids))
    yield rows_of(Note, Note.lead_id.in_(ids))
    yield rows_of(Lead, leads)


def _by_themselves(now: datetime, settings: Settings) -> Iterator[Holding]:
    """Yield what no lead takes along; what the provider told of an email goes with the email."""
    yield rows_of(Assessment, _anonymous(now, settings))
    yield rows_of(
        OutboxMessage,
        and_(
            OutboxMessage.lead_id.is_(None),
            OutboxMessage.state.in_(OVER),
            OutboxMessage.created_at < now - LOOSE_MAIL,
        ),
    )
    yield rows_of(AuditEntry, AuditEntry.at < now - timedelta(days=settings.retention_days))
    yield rows_of(SignInLink, SignInLink.created_at < now - SIGN_IN)
    ended = DeskSession.ended_at.is_not(None)
    yield rows_of(DeskSession, or_(ended, DeskSession.created_at < now - SIGN_IN))


def _idle(since: datetime) -> ColumnElement[bool]:
    """Select leads with whom nothing has happened since, and with no call since or to come."""
    active = exists().where(Booking.lead_id == Lead.id, Booking.starts_at >= since)
    return and_(Lead.touched_at < since, ~active)


def _anonymous(now: datetime, settings: Settings) -> ColumnElement[bool]:
    """Select abandoned assessments, and old ones without a lead."""
    shorter = timedelta(days=min(settings.abandoned_days, settings.unclaimed_days))
    abandoned = now - timedelta(days=settings.abandoned_days)
    unclaimed = now - timedelta(days=settings.unclaimed_days)
    with_a_call = exists().where(Booking.assessment_id == Assessment.id)
    return and_(
        Assessment.lead_id.is_(None),
        Assessment.touched_at < now - shorter,  # by the index
        ~with_a_call,
        or_(
            and_(Assessment.completed_at.is_(None), Assessment.touched_at < abandoned),
            Assessment.touched_at < unclaimed,
        ),
    )
