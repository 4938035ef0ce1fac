"""Let a person retry, release, cancel or acknowledge an email.

Each is one conditional update: for a second click, a second person or a worker that is
sending the email, the condition no longer holds, and nothing happens twice.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, or_, update
from sqlalchemy.orm import Session

from ..db.base import rows_changed
from .models import RINGS, EmailState, OutboxMessage, Turn
from .outbox import IS_RESTORED, let_go

GIVEN_UP = (EmailState.FAILED, EmailState.DEAD)


def can_retry(now: datetime) -> ColumnElement[bool]:
    """Select emails that failed, were given up, are held since a restore, or wait for a next try.

    They must still be useful.
    """
    is_due = and_(OutboxMessage.due_at <= now, OutboxMessage.next_at > now)
    waits = and_(OutboxMessage.state == EmailState.PENDING, is_due)
    stuck = or_(OutboxMessage.state.in_(GIVEN_UP), IS_RESTORED, waits)
    is_useful = or_(OutboxMessage.useless_after.is_(None), OutboxMessage.useless_after > now)
    return and_(stuck, is_useful, OutboxMessage.facts.is_not(None))


def retry(session: Session, outbox_id: str, now: datetime) -> bool:
    """Send an email again as if it were new; return False when that is not possible.

    It still counts as tried: its recipient may have got it, and the provider knows the address.
    """
    tried = case((OutboxMessage.attempts > 0, 1), else_=0)
    again = {"state": EmailState.PENDING, "attempts": tried, "reason": "", "turn": Turn.NEW}
    again |= {"failing_since": None, "alarm_at": None, "due_at": now, "next_at": now}
    if let_go(session, outbox_id, now):
        return True
    can = and_(OutboxMessage.id == outbox_id, can_retry(now))
    return rows_changed(session, update(OutboxMessage).where(can).values(again)) == 1


def retry_waiting(session: Session, now: datetime) -> int:
    """Send all emails that wait for a retry now; return how many."""
    waits = and_(OutboxMessage.state == EmailState.PENDING, can_retry(now))
    return rows_changed(session, update(OutboxMessage).where(waits).values(next_at=now))


def cancel(session: Session, outbox_id: str) -> bool:
    """Cancel a waiting email; return False when it is being sent or no longer waits."""
    may_leave = or_(OutboxMessage.state == EmailState.PENDING, IS_RESTORED)
    waits = and_(OutboxMessage.id == outbox_id, may_leave)
    gone: dict[str, str | None] = {"state": EmailState.CANCELLED, "body": None, "facts": None}
    gone["reason"] = "it was canceled on the desk"
    return rows_changed(session, update(OutboxMessage).where(waits).values(gone)) == 1


def acknowledge(session: Session, outbox_ids: Iterable[str]) -> int:
    """Mark failures as seen; return how many were not marked before."""
    unseen = and_(OutboxMessage.id.in_(list(outbox_ids)), RINGS)
    return rows_changed(session, update(OutboxMessage).where(unseen).values(alarm_at=None))
