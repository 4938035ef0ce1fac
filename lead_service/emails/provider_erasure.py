"""Having the provider erase what it knows of an address that was erased here.

The promise is a row, written in the transaction that erases. It holds the address until the
provider has taken the job over (202), and then it goes. None is given up: what is refused is
tried again every two hours, and shown, until it is taken or a member has had it done by hand.
Asking twice does no harm, so `next_at` is all that keeps two workers apart.
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
from .transports.base import Permanent, Stop, Temporary, wire_address

# A mail that is just being sent has left by then; and no lease that was taken before ends so late.
FIRST_ERASURE_WAIT = timedelta(seconds=LEASE_SECONDS + 30)
PATIENCE = timedelta(hours=72)  # after so long without an answer an alarm rings

log = logging.getLogger(__name__)


class Eraser(Protocol):
    """A provider that can be asked to forget an address."""

    def erase(self, address: str) -> None:
        """Ask once, within lease.SEND_SECONDS; raise Temporary, Permanent or Stop."""
        ...


@dataclass(frozen=True)
class _Claim:
    """A job that this worker has until `until`."""

    id: int
    address: str
    attempts: int
    until: datetime


def are_asked_for(settings: Settings) -> bool:
    """Say whether there is a provider that keeps anything: not for a folder, nor in a sandbox."""
    return settings.sendgrid_api_key is not None and not settings.sendgrid_sandbox


def ask(session: Session, settings: Settings, mails: ColumnElement[bool], at: datetime) -> None:
    """Promise to ask for the addresses of those `mails` that the provider has seen.

    It must come before the mails themselves are deleted, in the same transaction. An address
    that was never mailed is not told to the provider by this, either.
    """
    if not are_asked_for(settings):
        return
    seen = select(OutboxMessage.address).where(mails, OutboxMessage.attempts > 0).distinct()
    promise(session, set(_as_sent(session.scalars(seen))), at)


def promise(session: Session, addresses: Iterable[str], at: datetime) -> None:
    """Promise to ask for these addresses, anew where that was promised before."""
    fresh = {"attempts": 0, "next_at": at + FIRST_ERASURE_WAIT}
    for address in sorted(addresses):
        first = fresh | {"address": address, "asked_at": at, "reason": ""}
        if not insert_unless(session, ErasureJob, "address", **first):
            of_it = ErasureJob.address == address
            session.execute(update(ErasureJob).where(of_it).values(fresh))


def _as_sent(addresses: Iterable[str]) -> Iterator[str]:
    for address in addresses:
        with suppress(ValueError):  # what has no such form has not left
            yield wire_address(address)


def work_off(db: Database, provider: Eraser, now: datetime) -> int:
    """Ask for every erasure that is due, one after another; return for how many."""
    asked = 0
    while claimed := _claim(db, now):
        asked += 1
        try:
            provider.erase(claimed.address)
        except (Temporary, Permanent, Stop) as refusal:
            log.warning("erasure %s not taken: %s", claimed.id, refusal.reason)
            db.write(partial(_put_off, claimed=claimed, refusal=refusal, now=now))
        else:
            log.info("erasure %s accepted", claimed.id)
            db.write(partial(rows_changed, statement=delete(ErasureJob).where(_is(claimed))))
            db.forget()
    return asked


def _claim(db: Database, now: datetime) -> _Claim | None:
    """Take the job that is due first; a look around that finds none only reads."""
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
    """Select jobs whose time has come, and those whose time a wrong clock has set."""
    return or_(ErasureJob.next_at <= now, ErasureJob.next_at > now + LONGEST_WAIT + CLOCK_ERROR)


def _is(claimed: _Claim) -> ColumnElement[bool]:
    """Select the job as it was taken: one that was asked for again meanwhile stays."""
    return and_(ErasureJob.id == claimed.id, ErasureJob.next_at == claimed.until)


def _put_off(
    session: Session, claimed: _Claim, refusal: Temporary | Permanent | Stop, now: datetime
) -> None:
    """Try again later; ring where only a person can help, or when it has taken for days."""
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
    """List what the provider has not taken over yet, the oldest first."""
    return list(session.scalars(select(ErasureJob).order_by(ErasureJob.asked_at, ErasureJob.id)))


def retry(session: Session, job_id: int, now: datetime) -> bool:
    """Let a job be tried at once; say whether there was one."""
    due = update(ErasureJob).where(ErasureJob.id == job_id).values(next_at=now)
    return rows_changed(session, due) == 1


def close(session: Session, job_id: int) -> bool:
    """Forget a job that was done by hand; say whether there was one."""
    return rows_changed(session, delete(ErasureJob).where(ErasureJob.id == job_id)) == 1
