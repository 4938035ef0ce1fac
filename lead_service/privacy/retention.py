"""Retention: what has been kept for long enough goes, daily, whether or not anybody visits."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, or_, select
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

LOOSE_MAIL = timedelta(days=30)  # mails that are over and belong to no lead, as those of the desk
SIGN_IN = timedelta(days=30)  # older than any link and any session can be
OVER = (
    EmailState.SENT,
    EmailState.FAILED,
    EmailState.DEAD,
    EmailState.EXPIRED,
    EmailState.CANCELLED,
)

log = logging.getLogger(__name__)


def sweep(
    session: Session, now: datetime, settings: Settings, dry_run: bool = False
) -> dict[str, int]:
    """Erase what has been kept for long enough, and return how much, as {table: rows}.

    A dry run counts the same and changes nothing. The log line of a run holds counts only.
    """
    if not dry_run:
        archived_counts.archive(session, _counted(now, settings))
    counts = {
        held.name: held.count(session) if dry_run else held.erase(session)
        for held in _outlived(now, settings)
    }
    log.info("retention", extra={"dry_run": dry_run, "counts": counts})
    return counts


def run(
    database: Database, settings: Settings, now: datetime, dry_run: bool = False
) -> dict[str, int]:
    """Do `sweep` in one transaction, then clear the folder of mails; return how much."""
    counts = database.write(lambda session: sweep(session, now, settings, dry_run))
    if not dry_run:
        database.forget()
    return counts if dry_run else counts | {"files": sweep_folder(database, settings.mail_folder)}


def idle_leads(now: datetime, settings: Settings) -> Select[Lead]:
    """Select the leads that a sweep at `now` would erase."""
    return select(Lead).where(_idle(now - timedelta(days=settings.retention_days)))


def _outlived(now: datetime, settings: Settings) -> Iterator[Holding]:
    """Yield what has been kept for long enough, in an order in which it can be deleted."""
    since = now - timedelta(days=settings.retention_days)
    idle = _idle(since)
    idle_leads = select(Lead.id).where(idle)
    idle_calls = select(Booking.id).where(Booking.lead_id.in_(idle_leads))
    loose = and_(
        OutboxMessage.lead_id.is_(None),
        OutboxMessage.state.in_(OVER),
        OutboxMessage.created_at < now - LOOSE_MAIL,
    )
    old_mails = or_(OutboxMessage.lead_id.in_(idle_leads), loose)
    told_of_them = select(OutboxMessage.id).where(old_mails)
    yield rows_of(DeliveryEvent, DeliveryEvent.outbox_id.in_(told_of_them))
    yield rows_of(OutboxMessage, old_mails)
    yield rows_of(Assessment, _old_assessments(now, settings))
    yield rows_of(TimeCell, TimeCell.booking_id.in_(idle_calls))
    yield rows_of(Booking, Booking.lead_id.in_(idle_leads))
    yield rows_of(LeadEvent, LeadEvent.lead_id.in_(idle_leads))
    yield rows_of(Consent, Consent.lead_id.in_(idle_leads))
    yield rows_of(Note, Note.lead_id.in_(idle_leads))
    yield rows_of(Lead, idle)
    yield rows_of(AuditEntry, AuditEntry.at < since)
    yield rows_of(SignInLink, SignInLink.created_at < now - SIGN_IN)
    ended = DeskSession.ended_at.is_not(None)
    yield rows_of(DeskSession, or_(ended, DeskSession.created_at < now - SIGN_IN))


def _counted(now: datetime, settings: Settings) -> Rows:
    """Select what the funnel keeps as numbers once it is erased."""
    idle = _idle(now - timedelta(days=settings.retention_days))
    calls = Booking.lead_id.in_(select(Lead.id).where(idle))
    return Rows(_old_assessments(now, settings), calls, idle)


def _idle(since: datetime) -> ColumnElement[bool]:
    """Select leads with whom nothing has happened since, and with no call since or to come."""
    active = select(Booking.lead_id).where(Booking.starts_at >= since)
    return and_(Lead.touched_at < since, Lead.id.not_in(active))


def _old_assessments(now: datetime, settings: Settings) -> ColumnElement[bool]:
    idle = select(Lead.id).where(_idle(now - timedelta(days=settings.retention_days)))
    return or_(Assessment.lead_id.in_(idle), _anonymous(now, settings))


def _anonymous(now: datetime, settings: Settings) -> ColumnElement[bool]:
    """Select answers that nobody came back to, or that no lead belongs to, for long enough."""
    abandoned = now - timedelta(days=settings.abandoned_days)
    unclaimed = now - timedelta(days=settings.unclaimed_days)
    with_a_call = select(Booking.assessment_id).where(Booking.assessment_id.is_not(None))
    return and_(
        Assessment.lead_id.is_(None),
        Assessment.id.not_in(with_a_call),
        or_(
            and_(Assessment.completed_at.is_(None), Assessment.touched_at < abandoned),
            Assessment.touched_at < unclaimed,
        ),
    )
