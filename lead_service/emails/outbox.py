"""The outbox: emails are queued in the caller's transaction and sent after it, at least once.

A row has the email's kind, recipient and subject; it is composed when it is sent. It is claimed
under a lease, sent while no transaction is open, and finished by the holder of the lease.
If a worker dies or hangs, its lease ends and another sends the email: none is lost, and at most
one per crash is sent twice. The provider documents no idempotency key to refuse the second one,
so the gap can't be closed, but each email carries its id.

Of the emails about one call to one recipient in one role, one is underway at a time, in the order
of the booking's sequence. A row with a higher sequence supersedes the earlier ones: a waiting one
is canceled at once, and one being sent is canceled when it would be retried.
"""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from ..db import demo_data
from ..db.base import insert_unless, rows_changed
from ..db.engine import Database
from ..leads import capture
from ..leads.models import Lead
from .message import HOST, VISITOR, EmailKind, Message, to_json
from .models import EmailState, Hold, OutboxMessage, OutboxPause, Turn
from .retries import LONGEST_WAIT, PROBE_EVERY, SPAN_BEFORE_DEAD, TRIES_BEFORE_DEAD, next_time
from .transports.base import Accepted, Outcome, Permanent, Stop, Temporary

SEND_SECONDS = 20  # time limit of one send
LEASE_SECONDS = 60  # longer than a send, to leave time to record the outcome


CLOCK_ERROR = timedelta(minutes=5)  # times further ahead than this come from a wrong clock
NEVER_KEPT = {EmailKind.SIGN_IN}  # it contains a secret link
TRIED = (EmailState.SENT, EmailState.FAILED, EmailState.DEAD)  # states after the last try
WAITING = (EmailState.PENDING, EmailState.HELD)
REFUSED = (EmailState.FAILED, EmailState.DEAD)
SETTLED_AT_ONCE = 200  # emails that one claim may find too late
TO_VISITOR, TO_HOST = EmailKind.of_role(VISITOR), EmailKind.of_role(HOST)
TO_VISITORS = {*TO_VISITOR, EmailKind.MESSAGE_RECEIVED, EmailKind.RESULT}
EMAILS_A_DAY = 8  # to one visitor's mailbox; cancellations have twice the limit
DISOWNED = "the owner of the address says that someone else used it"
ENOUGH = "the visitor has had as many emails as one address gets in a day"

IS_RESTORED = and_(OutboxMessage.state == EmailState.HELD, OutboxMessage.hold == Hold.RESTORED)
HAD_ENOUGH = and_(OutboxMessage.state == EmailState.HELD, OutboxMessage.reason == ENOUGH)


# Built once, because each submitted form runs them.
_of_mailbox = OutboxMessage.mailbox == bindparam("mailbox")
IS_DISOWNED = select(
    exists().where(_of_mailbox, OutboxMessage.lead_id == Lead.id, Lead.disowned_at.is_not(None))
)
PROMISED = select(func.count(OutboxMessage.id)).where(
    _of_mailbox,
    OutboxMessage.created_at > bindparam("since"),
    OutboxMessage.kind != EmailKind.BOOKING_REMINDER,
    OutboxMessage.state.not_in((EmailState.CANCELLED, EmailState.HELD, EmailState.EXPIRED)),
)


class NotNeeded(Exception):
    """The email is out of date, or its recipient was never told about the event."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason  # in words, nothing personal


# Composes a row's email for an instant; may raise NotNeeded.
Compose = Callable[[Session, OutboxMessage, datetime], Message]
OnExpired = Callable[[Session, OutboxMessage, datetime], object]


def queue(
    session: Session,
    kind: EmailKind,
    address: str,
    *,
    at: datetime,
    useless_after: datetime,
    facts: dict[str, Any] | None = None,
    due_at: datetime | None = None,
    lead_id: int | None = None,
    booking_id: int | None = None,
    sequence: int = 0,
    dedupe_key: str | None = None,
    held: bool = False,
) -> None:
    """Queue an email in the caller's transaction.

    It is sent at `due_at` (`at`, the present, when None), but not after `useless_after`.
    Waiting emails about an earlier `sequence` of the booking, to the same recipient in the same
    role, are canceled. Nothing is added when `dedupe_key` exists. A `held` email waits for
    `release`, and so do emails beyond a visitor's daily limit. Reminders are
    counted when they are due (`had_enough`).
    """
    told = {}
    if booking_id is not None and sequence:
        told = supersede(session, kind, booking_id, address, sequence)
    mailbox = capture.mailbox_of(address) if kind in TO_VISITORS else ""
    why_held = "" if held or not mailbox else _why_held(session, kind, mailbox, at)
    row = _new_row(kind, at, due_at or at, held=held or bool(why_held)) | {
        "address": address,
        "mailbox": mailbox,
        "facts": (facts or {}) | told,
        "lead_id": lead_id,
        "booking_id": booking_id,
        "sequence": sequence,
        "useless_after": useless_after,
        "dedupe_key": dedupe_key,
        "reason": why_held,
    }
    insert_unless(session, OutboxMessage, "dedupe_key", **row)


def is_disowned(session: Session, mailbox: str) -> bool:
    """Say whether the owner of a mailbox said that someone else used one of its addresses."""
    return bool(session.scalar(IS_DISOWNED, {"mailbox": mailbox}))


def _why_held(session: Session, kind: EmailKind, mailbox: str, at: datetime) -> str:
    """Say why a visitor gets no more emails now: anyone can type another person's address.

    Cancellations have a higher limit, because without one a calendar keeps the call.
    """
    if is_disowned(session, mailbox):
        return DISOWNED
    if kind is EmailKind.BOOKING_REMINDER:
        return ""
    most = EMAILS_A_DAY * (2 if kind is EmailKind.BOOKING_CANCELLED else 1)
    given = {"mailbox": mailbox, "since": at - timedelta(days=1)}
    return ENOUGH if (session.scalar(PROMISED, given) or 0) >= most else ""


def had_enough(session: Session, row: OutboxMessage, at: datetime) -> bool:
    """Say whether an email's mailbox has reached its daily limit."""
    sent = (OutboxMessage.mailbox == row.mailbox, OutboxMessage.sent_at > at - timedelta(days=1))
    query = select(func.count(OutboxMessage.id)).where(*sent)
    return bool(row.mailbox) and (session.scalar(query) or 0) >= EMAILS_A_DAY


def _new_row(kind: EmailKind, at: datetime, due_at: datetime, *, held: bool) -> dict[str, Any]:
    planned_turn = Turn.PLANNED if due_at > at else Turn.NEW
    return {
        "id": uuid.uuid4().hex,
        "kind": kind,
        "state": EmailState.HELD if held else EmailState.PENDING,
        "hold": Hold.SUSPECTED if held else None,
        "turn": Turn.SIGN_IN if kind is EmailKind.SIGN_IN else planned_turn,
        "created_at": at,
        "due_at": due_at,
        "next_at": due_at,
    }


def supersede(
    session: Session, kind: EmailKind, booking_id: int, address: str, sequence: int
) -> dict[str, Any]:
    """Cancel the waiting emails that one of this kind and sequence supersedes.

    Return their news, as facts: which start their recipient knows, and whether the host is new.
    """
    overtaken = and_(
        OutboxMessage.booking_id == booking_id,
        OutboxMessage.address == address,
        _role(OutboxMessage.kind) == _role(kind),
        OutboxMessage.sequence < sequence,
        OutboxMessage.state.in_((*WAITING, *REFUSED)),
    )
    query = select(OutboxMessage.facts).where(overtaken).order_by(OutboxMessage.sequence)
    facts = [one or {} for one in session.scalars(query)]
    gone = {"state": EmailState.CANCELLED, "body": None, "facts": None, "alarm_at": None}
    session.execute(update(OutboxMessage).where(overtaken).values(gone | {"reason": ""}))
    known = [one["before"] for one in facts if one.get("before")]
    told = {"before": known[0]} if known else {}
    return told | ({"is_given": True} if any(one.get("is_given") for one in facts) else {})


def withdraw(session: Session, about: ColumnElement[bool], reason: str) -> None:
    """Cancel all waiting emails about a call, or about a lead; `reason` says why, in words."""
    waits = and_(about, OutboxMessage.state.in_(WAITING))
    gone = {"state": EmailState.CANCELLED, "body": None, "facts": None, "reason": reason}
    session.execute(update(OutboxMessage).where(waits).values(gone))


def release(
    session: Session, lead_id: int, at: datetime, *, held_calls: Collection[int] = ()
) -> int:
    """Release a lead's held emails, now or when they are due; return how many.

    Emails about `held_calls`, ids of bookings, stay held.
    """
    of_lead = and_(OutboxMessage.lead_id == lead_id, OutboxMessage.state == EmailState.HELD)
    about = OutboxMessage.booking_id
    others = or_(about.is_(None), about.not_in(held_calls))
    return _let_go(session, and_(of_lead, OutboxMessage.hold == Hold.SUSPECTED, others), at)


def hold_waiting(session: Session) -> int:
    """Hold all waiting emails of a restored backup; return how many a person has to review."""
    waits = OutboxMessage.state.in_((EmailState.PENDING, EmailState.SENDING))
    held = {"state": EmailState.HELD, "hold": Hold.RESTORED, "lease_token": None}
    return rows_changed(session, update(OutboxMessage).where(waits).values(held))


def let_go(session: Session, outbox_id: str, at: datetime) -> bool:
    """Release an email of a restored backup, now or when it is due; False for any other email."""
    return _let_go(session, and_(OutboxMessage.id == outbox_id, IS_RESTORED), at) == 1


def _let_go(session: Session, held: ColumnElement[bool], at: datetime) -> int:
    rows = session.scalars(select(OutboxMessage).where(held).with_for_update()).all()
    for row in rows:
        # Due now: time spent waiting for a person doesn't count as late.
        row.state, row.due_at, row.hold = EmailState.PENDING, max(row.due_at, at), None
        row.reason = ""
        row.next_at = row.due_at
    return len(rows)


def has_heard(session: Session, row: OutboxMessage) -> bool:
    """Say whether the recipient may have had an earlier email about the booking, in this role."""
    may_have_left = or_(
        OutboxMessage.state == EmailState.SENT,
        and_(OutboxMessage.attempts > 0, OutboxMessage.state != EmailState.FAILED),
    )
    others = exists().where(_same_call(OutboxMessage, row), may_have_left)
    return bool(session.scalar(select(others)))


def is_told(session: Session, booking_id: int, *kinds: EmailKind) -> bool:
    """Say whether an email of one of these kinds about a booking has left or is about to."""
    leaves = OutboxMessage.state.in_((EmailState.PENDING, EmailState.SENDING, EmailState.SENT))
    of_kind = (OutboxMessage.booking_id == booking_id, OutboxMessage.kind.in_(kinds))
    return bool(session.scalar(select(exists().where(*of_kind, leaves))))


def resume(session: Session, *, key: str | None = None) -> None:
    """Resume sending after a person has fixed the cause of the stop.

    With `key`, a transport's fingerprint: only if another key was refused.
    """
    pause = session.get(OutboxPause, 1, with_for_update=True)
    if pause is None or (key is not None and pause.key_fingerprint == key):
        return
    if key is None or pause.stopped_at:
        pause.paused_until, pause.pauses = None, 0
    pause.stopped_at, pause.stop_reason, pause.key_fingerprint = None, "", ""


@dataclass(frozen=True)
class Claim:
    """An email that only this worker may send until its lease ends."""

    id: str
    token: str
    fingerprint: str  # of the key it will be sent with
    at: datetime  # when it was claimed
    is_made_up: bool = False  # for a made-up recipient: count it as sent without sending it


def claim(
    db: Database,
    now: datetime,
    lease_seconds: int = LEASE_SECONDS,
    *,
    fingerprint: str = "",
    on_expired: OnExpired | None = None,
) -> Claim | None:
    """Lease the next due email; return None if none is due or sending is paused.

    Useless emails become `expired` on the way, and `on_expired` is called for each.
    Sign-in links go first, and new emails before retries. Without due emails, this
    only reads, so it never blocks a booking.
    """
    lease = timedelta(seconds=lease_seconds)
    instants = {
        "now": now,
        "lease_limit": now + lease + CLOCK_ERROR,
        "wait_limit": now + LONGEST_WAIT + CLOCK_ERROR,
    }
    with db.read() as session:
        looks = LATE_IDS if _is_blocked(session, now, fingerprint) else LATE_IDS + FIRST_IDS
        if not any(session.scalar(look, instants) for look in looks):
            return None

    def take(session: Session) -> Claim | None:
        _expire(session, now, instants, on_expired)
        if _is_blocked(session, now, fingerprint):
            return None
        row = _next(session, instants)
        return _lease(session, row, now, lease, fingerprint) if row else None

    return db.write(take)


def _expire(
    session: Session, now: datetime, instants: dict[str, datetime], tell: OnExpired | None
) -> None:
    for row in [row for late in LATE for row in session.scalars(late, instants)]:
        is_overtaken = _is_overtaken(session, row)
        _settle(row, EmailState.CANCELLED if is_overtaken else EmailState.EXPIRED)
        if tell and not is_overtaken:
            tell(session, row, now)


def _next(session: Session, instants: dict[str, datetime]) -> OutboxMessage | None:
    """Lock and return the row to send next; cancel superseded rows on the way."""
    for first in FIRST:
        if row := session.scalar(first, instants):
            if not _is_overtaken(session, row):
                return row
            _settle(row, EmailState.CANCELLED)
            session.flush()
            return _next(session, instants)  # emails that waited for this one may come first now
    return None


def _lease(
    session: Session, row: OutboxMessage, now: datetime, lease: timedelta, fingerprint: str
) -> Claim:
    if (pause := session.get(OutboxPause, 1)) and pause.stopped_at:
        pause.paused_until = now + PROBE_EVERY  # this email is the probe
    row.state = EmailState.SENDING
    row.lease_token, row.leased_until = uuid.uuid4().hex, now + lease
    row.attempts += 1  # counted before sending, so that an email that crashes its worker counts too
    is_made_up = demo_data.is_made_up(session, row.address)
    return Claim(row.id, row.lease_token, fingerprint, now, is_made_up)


def _settle(row: OutboxMessage, state: EmailState, reason: str = "") -> None:
    """Settle a row that is not sent, and drop its facts."""
    row.state, row.reason, row.alarm_at = state, reason[:200], None
    row.body = row.facts = row.lease_token = row.leased_until = None


def _same_call(other: Any, row: Any) -> ColumnElement[bool]:
    """Select other rows about a row's booking to its recipient, in the same role.

    Rows without a booking have none.
    """
    return and_(
        other.booking_id == row.booking_id,
        other.address == row.address,
        other.id != row.id,
        _role(other.kind) == _role(row.kind),
    )


def _role(kind: Any) -> ColumnElement[str]:
    """Return the reader's role for a kind of email, or for a column of kinds.

    One address can have several: a host in SALES_TO gets the team's news, and no calendar file
    with it, once the call is another host's.
    """
    if isinstance(kind, EmailKind):
        kind = literal(kind, OutboxMessage.kind.type)
    return case((kind.in_(TO_VISITOR), VISITOR), (kind.in_(TO_HOST), HOST), else_=kind)


def _is_overtaken(session: Session, row: OutboxMessage) -> bool:
    if row.booking_id is None:
        return False
    later = and_(_same_call(OutboxMessage, row), OutboxMessage.sequence > row.sequence)
    return bool(session.scalar(select(exists().where(later))))


# -- What may be sent: statements that are built once, since building takes longer than a claim.
# The instants are the present, and the latest plausible ends of leases and next tries: later ones
# come from a clock that has been set back.

_NOW: BindParameter[datetime] = bindparam("now")
_LEASE_LIMIT: BindParameter[datetime] = bindparam("lease_limit")
_WAIT_LIMIT: BindParameter[datetime] = bindparam("wait_limit")


def _lost(of: Any) -> ColumnElement[bool]:
    """Select emails with an expired lease."""
    ran_out = or_(of.leased_until <= _NOW, of.leased_until > _LEASE_LIMIT)
    return and_(of.state == EmailState.SENDING, ran_out)


def _is_its_turn() -> ColumnElement[bool]:
    """Select rows without an earlier unsent email of the same call and recipient."""
    other = aliased(OutboxMessage)
    is_under_way = and_(other.leased_until > _NOW, other.leased_until <= _LEASE_LIMIT)
    order = (other.sequence, other.due_at, other.id)
    is_earlier = tuple_(*order) < tuple_(
        OutboxMessage.sequence, OutboxMessage.due_at, OutboxMessage.id
    )
    is_open = or_(other.state == EmailState.PENDING, _lost(other))
    return ~exists().where(
        _same_call(other, OutboxMessage), or_(is_under_way, and_(is_open, is_earlier))
    )


def _queues() -> tuple[ColumnElement[bool], ...]:
    """Select sendable rows: one queue after the other, each by `next_at`, from an index.

    Emails that were due when queued, and not tried yet, don't depend on the clock.
    """
    waits = and_(OutboxMessage.state == EmailState.PENDING, _is_its_turn())
    has_come = OutboxMessage.next_at <= _NOW
    set_back = OutboxMessage.next_at > _WAIT_LIMIT
    is_fresh = OutboxMessage.attempts == 0
    return (
        and_(waits, OutboxMessage.turn == Turn.SIGN_IN, or_(is_fresh, has_come, set_back)),
        and_(waits, OutboxMessage.turn == Turn.PLANNED, has_come),
        and_(waits, OutboxMessage.turn == Turn.NEW),
        and_(_lost(OutboxMessage), _is_its_turn()),
        and_(waits, OutboxMessage.turn == Turn.AGAIN, has_come),
        and_(waits, OutboxMessage.turn == Turn.AGAIN, set_back),
    )


def _locked(where: ColumnElement[bool], order: Any, most: int) -> Select[OutboxMessage]:
    # On SQLite the write transaction is the lock; there SQLAlchemy leaves FOR UPDATE out.
    query = select(OutboxMessage).where(where).order_by(order).limit(most)
    return query.with_for_update(skip_locked=True)


_USELESS = (
    and_(OutboxMessage.state == EmailState.PENDING, OutboxMessage.useless_after <= _NOW),
    and_(_lost(OutboxMessage), OutboxMessage.useless_after <= _NOW),
)
LATE = [_locked(one, OutboxMessage.useless_after, SETTLED_AT_ONCE) for one in _USELESS]
LATE_IDS = [select(OutboxMessage.id).where(one).limit(1) for one in _USELESS]
FIRST = [_locked(one, OutboxMessage.next_at, 1) for one in _queues()]
FIRST_IDS = [select(OutboxMessage.id).where(one).limit(1) for one in _queues()]


def _is_blocked(session: Session, now: datetime, fingerprint: str) -> bool:
    """Say whether sending is paused, or stopped until the next probe.

    A stop doesn't apply to a new key.
    """
    pause = session.get(OutboxPause, 1)
    if pause is None or (pause.stopped_at and pause.key_fingerprint != fingerprint):
        return False
    until = pause.paused_until
    return until is not None and now < until <= now + LONGEST_WAIT + CLOCK_ERROR


def finish(
    db: Database,
    held: Claim,
    outcome: Outcome | NotNeeded,
    now: datetime,
    *,
    kept: Message | None = None,
) -> bool:
    """Record the outcome of a send; return False, without changes, if the lease was lost.

    `kept` is the sent message, if it should stay readable.
    """
    return db.write(lambda session: _finish(session, held, outcome, now, kept))


def _finish(
    session: Session,
    held: Claim,
    outcome: Outcome | NotNeeded,
    now: datetime,
    kept: Message | None,
) -> bool:
    holds = and_(OutboxMessage.id == held.id, OutboxMessage.lease_token == held.token)
    row = session.scalar(select(OutboxMessage).where(holds).with_for_update())
    if row is None:
        return False
    row.lease_token = row.leased_until = None
    if not row.delivery:  # the provider's event may arrive before its answer
        row.reason = "" if isinstance(outcome, Accepted) else outcome.reason[:200]
    match outcome:
        case Accepted():
            row.state, row.sent_at = EmailState.SENT, now
            row.provider_id = outcome.provider_id
            row.body, row.facts = to_json(kept) if kept else None, None
            _note_success(session, held, now)
        case NotNeeded():
            row.attempts -= 1
            _settle(row, EmailState.CANCELLED, outcome.reason)
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
        row.body = row.facts = None
    if row.state != EmailState.SENT and _is_overtaken(session, row):
        _settle(row, EmailState.CANCELLED)
    if isinstance(outcome, Temporary) and outcome.may_have_left:
        # Keep the lease, so that the next email about the call waits until this one can't arrive.
        row.leased_until = now + timedelta(seconds=LEASE_SECONDS)
    return True


def _try_again(row: OutboxMessage, outcome: Temporary, now: datetime) -> None:
    """Queue a retry, or give up after enough tries over enough days."""
    row.failing_since = row.failing_since or now
    tried_long = now - row.failing_since >= SPAN_BEFORE_DEAD
    if row.attempts >= TRIES_BEFORE_DEAD and tried_long:
        row.state, row.alarm_at = EmailState.DEAD, now
        return
    row.state = EmailState.PENDING
    row.turn = row.turn if row.turn == Turn.SIGN_IN else Turn.AGAIN
    row.next_at = next_time(row.attempts, outcome.retry_at, now)


def _wait_uncounted(row: OutboxMessage, until: datetime) -> None:
    """Queue a retry without counting the try: the failure wasn't caused by this email."""
    row.state, row.next_at, row.attempts = EmailState.PENDING, until, row.attempts - 1


def _pause(session: Session, outcome: Temporary, now: datetime) -> datetime:
    """Pause all sending, at most until the next probe; return when to retry the email."""
    pause = _the_pause(session)
    pause.pauses += 1
    again = next_time(pause.pauses, outcome.retry_at, now)
    pause.paused_until = min(again, now + PROBE_EVERY)
    return again


def _stop(session: Session, outcome: Stop, fingerprint: str, now: datetime) -> None:
    """Stop sending, except for one probe about every ten minutes."""
    pause = _the_pause(session)
    if not pause.stopped_at or pause.key_fingerprint != fingerprint:
        pause.stopped_at = now
    pause.stop_reason, pause.key_fingerprint = outcome.reason[:200], fingerprint
    pause.paused_until = now + PROBE_EVERY


def _note_success(session: Session, held: Claim, now: datetime) -> None:
    """Clear a pause or stop after a success.

    A success with the refused key doesn't count if the send began before the refusal.
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
    """Lock and return the one row, which another worker may be inserting at the same time."""
    if pause := session.get(OutboxPause, 1, with_for_update=True):
        return pause
    try:
        with session.begin_nested():
            session.add(OutboxPause(id=1, pauses=0))
    except IntegrityError:
        pass
    return session.get_one(OutboxPause, 1, with_for_update=True)
