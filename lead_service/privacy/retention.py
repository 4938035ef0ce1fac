"""Erase rows past their retention period, daily."""

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
from ..book.models import Booking
from ..db.engine import Database
from ..emails.models import EmailState, OutboxMessage
from ..funnel import archived_counts
from ..funnel.queries import Rows
from ..leads.models import Lead
from ..settings import Settings
from .erasure import sweep_folder
from .export import Holding, of_leads, rows_of
from .models import RetentionPlan

LOOSE_MAIL = timedelta(days=30)  # settled emails without a lead, such as those of the desk
SIGN_IN = timedelta(days=30)  # longer than any link or session is valid
NOTICE = timedelta(days=1)  # between finding old rows and erasing them
PLAN_LASTS = timedelta(days=3)  # an older plan means that deliver was down or the clock has jumped
LARGE_SHARE = 0.2  # of all leads
LEADS_AT_ONCE = 50
ROWS_AT_ONCE = 500
BETWEEN_BATCHES = 0.05  # seconds, to let visitors' forms in
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
    """How many leads a sweep would erase, and how many assessments without a lead."""

    leads: int
    answers: int  # self-assessments without a lead
    leads_stored: int

    @property
    def is_large(self) -> bool:
        """Say whether a person should check first: a fast clock makes everything old."""
        return self.leads > 1 and self.leads > LARGE_SHARE * self.leads_stored


def run_daily(database: Database, settings: Settings, now: datetime) -> dict[str, int]:
    """Erase rows that were old a day ago and still are; plan the next run.

    Also closes old weeks of the funnel. A clock that jumps ahead has no immediate effect: plans
    are dropped when they are in the future or older than `PLAN_LASTS`. A large
    share waits for a person (`waiting_for_a_person`). Returns counts by table.
    """
    planned = database.write(lambda session: _plan(session, now))
    if planned is None:
        return {}
    with database.read() as session:
        if expect(session, planned, settings).is_large:
            log.warning("retention waits for approval")
            return {}
    erased = erase(database, settings, planned)
    archived_counts.close_weeks(database, planned)
    database.write(lambda session: _plan_anew(session, now))
    return erased


def waiting_for_a_person(session: Session, settings: Settings, now: datetime) -> int:
    """Count the leads that the daily run won't erase without a person's approval."""
    plan = session.get(RetentionPlan, 1)
    expected = expect(session, plan.as_of, settings) if plan and plan.as_of <= now else None
    return expected.leads if expected and expected.is_large else 0


def erase(database: Database, settings: Settings, as_of: datetime) -> dict[str, int]:
    """Erase rows past their retention `as_of` an instant, then the files of their emails.

    Each batch is a transaction, so that a visitor's form waits for at most one batch.
    Returns counts as {table: rows}; the log line has counts only.
    """
    counts: Counter[str] = Counter()
    while batch := database.write(lambda session: _erase_batch(session, as_of, settings)):
        counts.update(batch)
        time.sleep(BETWEEN_BATCHES)
    database.forget()
    counts["files"] = sweep_folder(database, settings.mail_folder)
    log.info("retention run", extra={"counts": dict(counts)})
    return dict(counts)


def expect(session: Session, as_of: datetime, settings: Settings) -> Expected:
    """Count the leads and assessments that `erase` would erase, by indexes."""

    def number(model: type[Lead | Assessment], where: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).select_from(model).where(where)) or 0

    leads = number(Lead, _idle(as_of - timedelta(days=settings.retention_days)))
    stored = number(Lead, true()) if leads else 0
    return Expected(leads, number(Assessment, _anonymous(as_of, settings)), stored)


def count(session: Session, as_of: datetime, settings: Settings) -> dict[str, int]:
    """Count all rows that `erase` would erase, as {table: rows}."""
    leads = _idle(as_of - timedelta(days=settings.retention_days))
    holdings = [*of_leads(leads), *_by_themselves(as_of, settings)]
    counts: Counter[str] = Counter()
    for held in holdings:
        counts[held.name] += held.count(session)
    return dict(counts)


def idle_leads(now: datetime, settings: Settings) -> Select[Lead]:
    """Select the leads that a sweep at `now` would erase."""
    return select(Lead).where(_idle(now - timedelta(days=settings.retention_days)))


def _plan(session: Session, now: datetime) -> datetime | None:
    """Return the instant as of which to erase now, or None; replace an invalid plan."""
    plan = session.get(RetentionPlan, 1, with_for_update=True)
    if plan and now - PLAN_LASTS <= plan.as_of <= now:
        return plan.as_of if plan.as_of <= now - NOTICE else None
    _plan_anew(session, now)
    return None


def _plan_anew(session: Session, now: datetime) -> None:
    session.merge(RetentionPlan(id=1, as_of=now))


def _erase_batch(session: Session, as_of: datetime, settings: Settings) -> dict[str, int]:
    """Erase a few leads with all their rows, or else a few other rows; {} if none is left.

    Rows are locked and checked again. A row that a visitor is changing is skipped.
    """
    idle = _idle(as_of - timedelta(days=settings.retention_days))
    found = select(Lead.id).where(idle).limit(LEADS_AT_ONCE)
    leads = session.scalars(found.with_for_update(skip_locked=True)).all()
    if leads:
        mine = Lead.id.in_(leads)
        calls = Booking.lead_id.in_(leads)
        archived_counts.archive(session, Rows(Assessment.lead_id.in_(leads), calls, mine))
        return {held.name: held.erase(session) for held in of_leads(mine)}
    for held in _by_themselves(as_of, settings):
        key, *_ = held.of.columns
        rows = select(key).where(held.where).limit(ROWS_AT_ONCE)
        if keys := session.scalars(rows.with_for_update(skip_locked=True)).all():
            if held.name == Assessment.__tablename__:
                archived_counts.archive(session, Rows(Assessment.id.in_(keys), false(), false()))
            return {held.name: Holding(held.of, key.in_(keys)).erase(session)}
    return {}


def _by_themselves(now: datetime, settings: Settings) -> Iterator[Holding]:
    """Yield rows without a lead; delivery events are deleted with their email."""
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
    """Select leads without activity since an instant, and without a call since or in the future."""
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
        Assessment.touched_at < now - shorter,  # uses the index
        ~with_a_call,
        or_(
            and_(Assessment.completed_at.is_(None), Assessment.touched_at < abandoned),
            Assessment.touched_at < unclaimed,
        ),
    )
