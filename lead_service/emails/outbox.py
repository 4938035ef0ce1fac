"""The outbox: mail is written in the caller's transaction and sent after it, at least once.

A row is claimed under a lease, sent while no transaction is open, and finished by whoever
still holds the lease. A worker that dies or hangs loses its lease and another sends the mail:
none is lost, and at most one is doubled by each death. The provider documents no key by which
it would refuse the second, so the gap cannot be closed, only marked: each mail carries its id.
"""

import logging
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..db import Database, StorageBusy, insert_unless, rows_changed
from .lease import LEASE_SECONDS, Claim, claim, finish
from .message import Draft, Message, from_json, to_json
from .models import RINGS, EmailState, ErasureJob, OutboxMessage, OutboxPause
from .transport import Accepted, Outcome, Permanent, Stop, Temporary, Transport

LATE = timedelta(minutes=15)  # a mail that waits longer is an alarm

log = logging.getLogger(__name__)


# -- Writing: in the caller's transaction ---------------------------------------------------


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
    pause.stopped_at, pause.stop_reason, pause.key_fingerprint = None, "", ""
    if key is None:
        pause.paused_until, pause.pauses = None, 0


# -- Looking --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Health:
    """How the outbox does, for the banner on the desk and for `lead-service check`.

    Of mails that failed, those that nobody has looked at yet are counted.
    """

    waiting: int  # due, and not sent yet
    oldest: timedelta | None  # how long the oldest of them has waited
    failed: int
    dead: int
    returned: int  # sent, and then not delivered
    paused_until: datetime | None
    stopped_at: datetime | None
    stop_reason: str
    unerased: int  # addresses that the provider was to erase, and somebody has to see to

    @property
    def troubles(self) -> tuple[str, ...]:
        """What a person has to look at, one sentence each; empty when all is well."""
        troubles = []
        if self.stopped_at:
            troubles.append(f"Sending has stopped: {self.stop_reason}.")
        if self.oldest and self.oldest > LATE:
            troubles.append(f"The oldest mail has waited for {_in_words(self.oldest)}.")
        if self.failed:
            troubles.append(f"Mails that the provider refused: {self.failed}.")
        if self.dead:
            troubles.append(f"Mails given up after days of trying: {self.dead}.")
        if self.returned:
            troubles.append(f"Mails that came back: {self.returned}.")
        if self.unerased:
            refused = f"Addresses that the provider has not erased: {self.unerased}"
            troubles.append(f"{refused} (see Team, Privacy).")
        return tuple(troubles)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is sent at all: a person has to act, or the provider asked us to wait."""
        return bool(self.stopped_at or self.paused_until)

    @property
    def unseen(self) -> int:
        """How many mails failed for good, and nobody has looked at them yet."""
        return self.failed + self.dead + self.returned


def _in_words(wait: timedelta) -> str:
    for name, unit in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if wait >= 2 * unit:
            return f"{wait // unit} {name}"
    return f"{wait // timedelta(minutes=1)} minutes"


def health(session: Session, now: datetime) -> Health:
    """Count what waits and what went wrong, as of `now`."""
    is_open = OutboxMessage.state.in_((EmailState.PENDING, EmailState.SENDING))
    waits = and_(is_open, OutboxMessage.due_at <= now)
    query = select(func.count(), func.min(OutboxMessage.due_at)).where(waits)
    waiting, oldest = session.execute(query).one()
    # Counted here: asked to group them, SQLite would read the whole table in that order.
    wrong = Counter(session.scalars(select(OutboxMessage.state).where(RINGS)))
    pause = session.get(OutboxPause, 1)
    until = pause.paused_until if pause else None
    return Health(
        waiting=waiting,
        oldest=now - oldest if oldest else None,
        failed=wrong[EmailState.FAILED],
        dead=wrong[EmailState.DEAD],
        returned=wrong.total() - wrong[EmailState.FAILED] - wrong[EmailState.DEAD],
        paused_until=until if until and until > now else None,
        stopped_at=pause.stopped_at if pause else None,
        stop_reason=pause.stop_reason if pause else "",
        unerased=session.scalar(select(func.count(ErasureJob.alarm_at))) or 0,
    )


# -- Sending: by the deliver process --------------------------------------------------------


def deliver_one(
    db: Database, transport: Transport, now: datetime, *, keep_bodies: bool = False
) -> bool:
    """Send the mail that is due first, if any; return whether there may be more.

    No transaction is open while it is sent. With `keep_bodies` a sent mail can still be read.
    """
    held = claim(db, now, fingerprint=transport.fingerprint)
    if held is None:
        return False
    started = time.monotonic()
    outcome = Accepted() if held.is_made_up else _send(transport, held)
    if isinstance(outcome, Accepted):
        log.info("mail %s accepted", held.id)
    else:
        log.warning("mail %s not sent: %s", held.id, outcome.reason)
    _record(db, held, outcome, now, started, keep_bodies)
    return True


def _send(transport: Transport, held: Claim) -> Outcome:
    """Send once; whatever goes wrong becomes an outcome, so one bad row never stops the rest."""
    try:
        return transport.send(_message(held), held.id)
    except (Temporary, Permanent, Stop) as outcome:
        return outcome
    except Exception as error:
        return Temporary(f"unexpected {type(error).__name__}")


def _message(held: Claim) -> Message:
    try:
        return from_json(held.body or "")
    except ValueError:
        raise Permanent("the stored mail cannot be read") from None


def _record(
    db: Database, held: Claim, outcome: Outcome, now: datetime, started: float, keep_bodies: bool
) -> None:
    """Write the outcome down, trying for as long as the lease lasts.

    A mail that was accepted and is not marked so would be sent again.
    """
    while True:
        passed = time.monotonic() - started
        ended = now + timedelta(seconds=round(passed))
        try:
            finish(db, held, outcome, ended, keep_bodies=keep_bodies)
            return
        except (SQLAlchemyError, StorageBusy, OSError):
            if passed > LEASE_SECONDS:
                raise
            time.sleep(1)
