"""The outbox: mail is written in the caller's transaction and sent after it, at least once.

A row is claimed under a lease, sent while no transaction is open, and finished by whoever
still holds the lease. A worker that dies or hangs loses its lease and another sends the mail:
none is lost, and at most one is doubled by each death. The provider documents no key by which
it would refuse the second, so the gap cannot be closed, only marked: each mail carries its id.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..db import demo_data
from ..db.engine import Database, insert_unless, rows_changed
from .message import Draft, EmailKind, Message, to_json
from .models import EmailState, OutboxMessage, OutboxPause
from .retries import LONGEST_WAIT, PROBE_EVERY, SPAN_BEFORE_DEAD, TRIES_BEFORE_DEAD, next_time
from .transports.base import Accepted, Outcome, Permanent, Stop, Temporary

log = logging.getLogger(__name__)

SEND_SECONDS = 20  # the longest that one send may take, whatever the provider does
LEASE_SECONDS = 60  # outlives a send, with time left to record its outcome


CLOCK_ERROR = timedelta(minutes=5)  # a time further ahead than this was set by a wrong clock
NEVER_KEPT = {EmailKind.SIGN_IN}  # a body that is a key
TRIED = (EmailState.SENT, EmailState.FAILED, EmailState.DEAD)  # and will not be tried again


def queue(
    session: Session,
    message: Message | Draft,
    *,
    at: datetime,
    lead_id: int | None = None,
    due_at: datetime | None = None,
    useless_after: datetime | None = None,
    dedupe_key: str | None = None,
    held: bool = False,
) -> str:
    """Promise a mail: add it to the caller's transaction and return its id.

    It leaves at `due_at` (`at`, the present, when None), and not at all once `useless_after`
    has come. With the `dedupe_key` of a mail that exists nothing is added and its id is
    returned. A `held` mail waits for `release`.
    """
    outbox_id = uuid.uuid4().hex
    row = {
        "id": outbox_id,
        "kind": message.kind,
        "lead_id": lead_id,
        "address": message.to,
        "body": to_json(message),
        "state": EmailState.HELD if held else "pending",
        "created_at": at,
        "due_at": due_at or at,
        "next_at": due_at or at,
        "useless_after": useless_after,
        "dedupe_key": dedupe_key,
    }
    if insert_unless(session, OutboxMessage, "dedupe_key", **row):
        return outbox_id
    known = select(OutboxMessage.id).where(OutboxMessage.dedupe_key == dedupe_key)
    return session.scalars(known).one()


def release(session: Session, lead_id: int, at: datetime) -> int:
    """Let the held mails of a lead go, now or when they are due; return how many."""
    held = and_(OutboxMessage.lead_id == lead_id, OutboxMessage.state == EmailState.HELD)
    rows = session.scalars(select(OutboxMessage).where(held).with_for_update()).all()
    for row in rows:
        # Due from now on: what waited for a person is not late.
        row.state, row.due_at = EmailState.PENDING, max(row.due_at, at)
        row.next_at = row.due_at
    return len(rows)


def cancel(
    session: Session, *, lead_id: int | None = None, dedupe_prefix: str | None = None
) -> int:
    """Take back mails that wait, all of a lead's or those whose key starts so; return how many.

    What has been handed to a worker leaves all the same. Needs one of the two arguments.
    """
    if lead_id is None and not dedupe_prefix:
        raise ValueError("cancel needs a lead or the start of a key")
    query = update(OutboxMessage).where(
        OutboxMessage.state.in_((EmailState.PENDING, EmailState.HELD))
    )
    if lead_id is not None:
        query = query.where(OutboxMessage.lead_id == lead_id)
    if dedupe_prefix:
        query = query.where(OutboxMessage.dedupe_key.startswith(dedupe_prefix, autoescape=True))
    return rows_changed(session, query.values(state=EmailState.CANCELLED, body=None))


def resume(session: Session, *, key: str | None = None) -> None:
    """Send again after a person has mended what stopped the sender.

    With `key`, a transport's fingerprint: only when it was another key that was refused.
    """
    pause = session.get(OutboxPause, 1, with_for_update=True)
    if pause is None or (key is not None and pause.key_fingerprint == key):
        return
    if key is None or pause.stopped_at:
        pause.paused_until, pause.pauses = None, 0
    pause.stopped_at, pause.stop_reason, pause.key_fingerprint = None, "", ""


@dataclass(frozen=True)
class Claim:
    """One mail that this worker alone may send until its lease ends."""

    id: str
    token: str
    body: str | None
    fingerprint: str  # of the key it will be sent with
    at: datetime  # when it was claimed
    is_made_up: bool = False  # its recipient is: it counts as sent and goes nowhere


def claim(
    db: Database, now: datetime, lease_seconds: int = LEASE_SECONDS, *, fingerprint: str = ""
) -> Claim | None:
    """Lease the mail that is due first, or return None when none is or sending is paused.

    Mails whose use has passed become `expired` on the way. Fresh mails go before those that
    have failed, so that a long backlog does not delay a sign-in link. An idle look around
    only reads: it never stands in the way of somebody who books.
    """
    lease = timedelta(seconds=lease_seconds)
    with db.read() as session:
        wanted = _useless(now, lease)
        if not _is_blocked(session, now, fingerprint):
            wanted = or_(wanted, _due(now, lease))
        if not session.scalar(select(exists().where(wanted))):
            return None
    return db.write(lambda session: _take(session, now, lease, fingerprint))


def _take(session: Session, now: datetime, lease: timedelta, fingerprint: str) -> Claim | None:
    gone = {"state": EmailState.EXPIRED, "body": None, "lease_token": None, "leased_until": None}
    session.execute(update(OutboxMessage).where(_useless(now, lease)).values(gone))
    if _is_blocked(session, now, fingerprint):
        return None
    due = select(OutboxMessage).where(_due(now, lease))
    first = due.order_by(OutboxMessage.attempts, OutboxMessage.next_at).limit(1)
    # On SQLite the write transaction is the lock; there SQLAlchemy leaves FOR UPDATE out.
    row = session.scalar(first.with_for_update(skip_locked=True))
    if row is None:
        return None
    if (pause := session.get(OutboxPause, 1)) and pause.stopped_at:
        pause.paused_until = now + PROBE_EVERY  # this one is the probe
    row.state = EmailState.SENDING
    row.lease_token, row.leased_until = uuid.uuid4().hex, now + lease
    row.attempts += 1  # here, not at the end: a mail that kills its worker must count too
    is_made_up = demo_data.is_made_up(session, row.address)
    return Claim(row.id, row.lease_token, row.body, fingerprint, now, is_made_up)


def _due(now: datetime, lease: timedelta) -> ColumnElement[bool]:
    """Select mails that wait and whose time has come, and mails whose worker is lost.

    One that was meant to leave at once, and was not tried yet, is due whatever the clock says; so
    is one whose next try is further away than any wait, since the clock was set back.
    """
    meant_at_once = OutboxMessage.due_at <= OutboxMessage.created_at
    set_back = OutboxMessage.next_at > now + LONGEST_WAIT + CLOCK_ERROR
    has_come = or_(
        OutboxMessage.next_at <= now,
        and_(OutboxMessage.attempts == 0, meant_at_once),
        and_(OutboxMessage.attempts > 0, set_back),
    )
    return or_(and_(OutboxMessage.state == EmailState.PENDING, has_come), _lost(now, lease))


def _useless(now: datetime, lease: timedelta) -> ColumnElement[bool]:
    waits = or_(OutboxMessage.state == EmailState.PENDING, _lost(now, lease))
    return and_(waits, OutboxMessage.useless_after <= now)


def _lost(now: datetime, lease: timedelta) -> ColumnElement[bool]:
    """Select mails whose lease ran out.

    A lease that ends later than any could was given before the clock was set back.
    """
    ends = OutboxMessage.leased_until
    ran_out = or_(ends <= now, ends > now + lease + CLOCK_ERROR)
    return and_(OutboxMessage.state == EmailState.SENDING, ran_out)


def _is_blocked(session: Session, now: datetime, fingerprint: str) -> bool:
    """Say whether the sender is paused, or stopped until the next probe.

    A stop is another key's when the sender has a new one.
    """
    pause = session.get(OutboxPause, 1)
    if pause is None or (pause.stopped_at and pause.key_fingerprint != fingerprint):
        return False
    until = pause.paused_until
    return until is not None and now < until <= now + LONGEST_WAIT + CLOCK_ERROR


def finish(
    db: Database, held: Claim, outcome: Outcome, now: datetime, *, keep_bodies: bool = False
) -> bool:
    """Record how a send ended; return False when the lease was lost, and change nothing then."""
    return db.write(lambda session: _finish(session, held, outcome, now, keep_bodies))


def _finish(
    session: Session, held: Claim, outcome: Outcome, now: datetime, keep_bodies: bool
) -> bool:
    holds = and_(OutboxMessage.id == held.id, OutboxMessage.lease_token == held.token)
    row = session.scalar(select(OutboxMessage).where(holds).with_for_update())
    if row is None:
        return False
    row.lease_token = row.leased_until = None
    if not row.delivery:  # the provider's event may be faster than its answer
        row.reason = "" if isinstance(outcome, Accepted) else outcome.reason[:200]
    match outcome:
        case Accepted():
            row.state, row.sent_at = EmailState.SENT, now
            row.provider_id = outcome.provider_id
            row.body = row.body if keep_bodies else None
            _note_success(session, held, now)
        case Permanent():
            row.state, row.alarm_at = EmailState.FAILED, now
        case Temporary(pause=True):
            _wait_uncounted(row, _pause(session, outcome, now))
        case Temporary():
            _try_again(row, outcome, now)
        case Stop():
            _stop(session, outcome, held.fingerprint, now)
            _wait_uncounted(row, now)
    if row.state in TRIED and row.kind in NEVER_KEPT:
        row.body = None
    return True


def _try_again(row: OutboxMessage, outcome: Temporary, now: datetime) -> None:
    """Put a mail back, or give it up after enough tries over enough days."""
    row.failing_since = row.failing_since or now
    tried_long = now - row.failing_since >= SPAN_BEFORE_DEAD
    if row.attempts >= TRIES_BEFORE_DEAD and tried_long:
        row.state, row.alarm_at = EmailState.DEAD, now
        return
    row.state = EmailState.PENDING
    row.next_at = next_time(row.attempts, outcome.retry_at, now)


def _wait_uncounted(row: OutboxMessage, until: datetime) -> None:
    """Put a mail back as if it had not been tried: the trouble was not its own."""
    row.state, row.next_at, row.attempts = EmailState.PENDING, until, row.attempts - 1


def _pause(session: Session, outcome: Temporary, now: datetime) -> datetime:
    """Pause the whole sender and return until when."""
    pause = _the_pause(session)
    pause.pauses += 1
    pause.paused_until = next_time(pause.pauses, outcome.retry_at, now)
    return pause.paused_until


def _stop(session: Session, outcome: Stop, fingerprint: str, now: datetime) -> None:
    """Stop the sender; from then on one email is tried about every ten minutes."""
    pause = _the_pause(session)
    if not pause.stopped_at or pause.key_fingerprint != fingerprint:
        pause.stopped_at = now
    pause.stop_reason, pause.key_fingerprint = outcome.reason[:200], fingerprint
    pause.paused_until = now + PROBE_EVERY


def _note_success(session: Session, held: Claim, now: datetime) -> None:
    """Forget a pause that is over, and a stop that is.

    A success with the refused key proves nothing when it was on its way before the refusal came.
    """
    pause = session.get(OutboxPause, 1, with_for_update=True)
    if pause is None:
        return
    if pause.paused_until and pause.paused_until <= now:
        pause.paused_until, pause.pauses = None, 0
    is_proof = pause.key_fingerprint != held.fingerprint or held.at > (pause.stopped_at or now)
    if pause.stopped_at and is_proof:
        pause.stopped_at, pause.stop_reason, pause.key_fingerprint = None, "", ""
        pause.paused_until, pause.pauses = None, 0


def _the_pause(session: Session) -> OutboxPause:
    """Return the one row, locked; another worker may be making it at the same moment."""
    if pause := session.get(OutboxPause, 1, with_for_update=True):
        return pause
    try:
        with session.begin_nested():
            session.add(OutboxPause(id=1, pauses=0))
    except IntegrityError:
        pass
    return session.get_one(OutboxPause, 1, with_for_update=True)
