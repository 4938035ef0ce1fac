"""Ask the email provider to erase an address that was erased here.

The erasing transaction inserts a job. The job keeps the address until the
provider has accepted the request (202), and is then deleted. No job is given up: a refused one is
retried every two hours and shown, until it is accepted or a member has had it done by hand.
Asking twice does no harm, so `next_at` alone keeps two workers apart.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from ..db.base import insert_unless, rows_changed
from ..db.engine import Database
from ..settings import Settings
from .models import ErasureJob, OutboxMessage
from .outbox import CLOCK_ERROR, LEASE_SECONDS
from .retries import LONGEST_WAIT, next_time
from .transports.base import Failure, Temporary, wire_address

# By then, an email that was being sent has left, and every earlier lease has ended.
FIRST_ERASURE_WAIT = timedelta(seconds=LEASE_SECONDS + 30)
PATIENCE = timedelta(hours=72)  # time without an answer before an alarm

log = logging.getLogger(__name__)


class Eraser(Protocol):
    """An email provider that can erase an address."""

    def erase(self, address: str) -> None:
        """Send one request, within outbox.SEND_SECONDS; raise Temporary, Permanent or Stop."""
        ...


@dataclass(frozen=True)
class _Claim:
    """A job that this worker has claimed until `until`."""

    id: int
    address: str
    attempts: int
    until: datetime


def are_asked_for(settings: Settings) -> bool:
    """Say whether a provider stores addresses: a folder and the sandbox don't."""
    return settings.sendgrid_api_key is not None and not settings.sendgrid_sandbox


def ask(session: Session, settings: Settings, mails: ColumnElement[bool], at: datetime) -> None:
    """Add jobs for the addresses of those `mails` that the provider has seen.

    Call it before the emails themselves are deleted, in the same transaction. An address
    that never got an email isn't disclosed to the provider.
    """
    if not are_asked_for(settings):
        return
    seen = select(OutboxMessage.address).where(mails, OutboxMessage.attempts > 0).distinct()
    promise(session, set(_as_sent(session.scalars(seen))), at)


def promise(session: Session, addresses: Iterable[str], at: datetime) -> None:
    """Add a job for each address, or restart the one that exists."""
    fresh = {"attempts": 0, "next_at": at + FIRST_ERASURE_WAIT}
    for address in sorted(addresses):
        first = fresh | {"address": address, "asked_at": at, "reason": ""}
        if not insert_unless(session, ErasureJob, "address", **first):
            of_it = ErasureJob.address == address
            session.execute(update(ErasureJob).where(of_it).values(fresh))


def _as_sent(addresses: Iterable[str]) -> Iterator[str]:
    for address in addresses:
        with suppress(ValueError):  # an address without such a form never got an email
            yield wire_address(address)


def work_off(db: Database, provider: Eraser, now: datetime) -> int:
    """Run every due job, one after another; return how many."""
    asked = 0
    while claimed := _claim(db, now):
        asked += 1
        try:
            provider.erase(claimed.address)
        except Failure as refusal:
            log.warning("erasure %s not accepted: %s", claimed.id, refusal.reason)
            db.write(partial(_put_off, claimed=claimed, refusal=refusal, now=now))
        else:
            log.info("erasure %s accepted", claimed.id)
            db.write(partial(rows_changed, statement=delete(ErasureJob).where(_is(claimed))))
            db.forget()
    return asked


def _claim(db: Database, now: datetime) -> _Claim | None:
    """Claim the next due job; if none is due, only read."""
    with db.read() as session:
        if not session.scalar(select(exists().where(_due(now)))):
            return None
    return db.write(lambda session: _take(session, now))


def _take(session: Session, now: datetime) -> _Claim | None:
    first = select(ErasureJob).where(_due(now)).order_by(ErasureJob.next_at).limit(1)
    job = session.scalar(first.with_for_update(skip_locked=True))
    if job is None:
        return None
    job.attempts, job.next_at = job.attempts + 1, now + timedelta(seconds=LEASE_SECONDS)
    return _Claim(job.id, job.address, job.attempts, job.next_at)


def _due(now: datetime) -> ColumnElement[bool]:
    """Select due jobs, and those whose time comes from a wrong clock."""
    return or_(ErasureJob.next_at <= now, ErasureJob.next_at > now + LONGEST_WAIT + CLOCK_ERROR)


def _is(claimed: _Claim) -> ColumnElement[bool]:
    """Select the job as it was claimed: one that was restarted meanwhile stays."""
    return and_(ErasureJob.id == claimed.id, ErasureJob.next_at == claimed.until)


def _put_off(session: Session, claimed: _Claim, refusal: Failure, now: datetime) -> None:
    """Queue a retry; raise an alarm if only a person can help, or after days of retries."""
    job = session.scalar(select(ErasureJob).where(_is(claimed)).with_for_update())
    if job is None:
        return
    needs_somebody = not isinstance(refusal, Temporary)
    job.reason = refusal.reason[:200]
    if needs_somebody or now - job.asked_at >= PATIENCE:
        job.alarm_at = job.alarm_at or now
    if isinstance(refusal, Temporary):
        job.next_at = next_time(claimed.attempts, refusal.retry_at, now)
    else:
        job.next_at = now + LONGEST_WAIT


# -- By a member ----------------------------------------------------------------------------


def pending(session: Session) -> list[ErasureJob]:
    """List the open jobs, the oldest first."""
    return list(session.scalars(select(ErasureJob).order_by(ErasureJob.asked_at, ErasureJob.id)))


def retry(session: Session, job_id: int, now: datetime) -> bool:
    """Retry a job now; return whether it existed."""
    due = update(ErasureJob).where(ErasureJob.id == job_id).values(next_at=now)
    return rows_changed(session, due) == 1


def close(session: Session, job_id: int) -> bool:
    """Delete a job that was done by hand; return whether it existed."""
    return rows_changed(session, delete(ErasureJob).where(ErasureJob.id == job_id)) == 1
