"""Who else could take a call."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...book import bookings, refusals
from ...book.availability import host_rules, queries
from ...book.hosts.models import Host
from ...book.models import Booking, TimeCell
from ...call_types import CallType, CallTypes


@dataclass(frozen=True)
class ReassignmentOption:
    """Another host: whether a call of theirs is in the way, and what else speaks against it."""

    host: Host
    has_call: bool
    against: str = ""  # a sentence; the member who reassigns the call may overrule it


def reassignment_options(
    session: Session, call: Booking, calls: CallTypes, now: datetime
) -> list[ReassignmentOption]:
    """Return the other hosts who take calls, those who are simply free first."""
    found, kind = [], bookings.kind_of(call, calls)
    for host in queries.active_hosts(session):
        if host.id != call.host_id:
            reason = queries.why_unavailable(session, host, kind, call.starts_at, now)
            words = refusals.on_desk(reason, host.zone, now) if reason else ""
            found.append(ReassignmentOption(host, _has_call(session, host, call, kind), words))
    return sorted(found, key=lambda one: (one.has_call, bool(one.against), one.host.name))


def _has_call(session: Session, host: Host, call: Booking, kind: CallType) -> bool:
    """Say whether a cell is taken that the call would need, as the database will judge it."""
    rules = host_rules.rules(host, kind)
    first = call.starts_at - timedelta(minutes=rules.buffer_before)
    last = call.starts_at + timedelta(minutes=call.duration + rules.buffer_after)
    cells = select(TimeCell.id).where(
        TimeCell.host_id == host.id, TimeCell.starts_at >= first, TimeCell.starts_at < last
    )
    return session.scalar(cells.limit(1)) is not None
