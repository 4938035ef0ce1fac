"""The deliver process: send what is due in the outbox until a signal to stop.

It survives an unavailable database, and also runs the daily jobs and the calendar sync.
"""

import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from .. import clock
from ..db.engine import Database, StorageBusy
from ..settings import Settings
from . import outbox, provider_erasure, team_notices
from .message import Message, simpler_forms
from .models import OutboxMessage
from .outbox import LEASE_SECONDS, SEND_SECONDS, Claim, Compose, NotNeeded, OnExpired, claim, finish
from .transports.base import Accepted, Outcome, Permanent, Stop, Temporary, Transport
from .transports.folder import Folder
from .transports.sendgrid import SendGrid
from .transports.smtp import Smtp

IDLE_SECONDS = 0.5  # emails of a booking are sent within about a second
LONGEST_TROUBLE_SECONDS = 30
BESIDE_SECONDS = 5  # between two checks for other work
A_DAY = timedelta(days=1)
CLOCK_SECONDS = 3600  # between two checks of this machine's clock
A_JUMP = timedelta(minutes=1)  # of the wall clock against the monotonic one
A_LEAP = timedelta(hours=1)  # ahead: emails could expire
DOUBTED_SECONDS = 120  # a leap may be corrected at once

log = logging.getLogger(__name__)


def transport_for(settings: Settings) -> Transport:
    """Return the configured transport: the provider, else the mail server, else the folder."""
    if settings.sendgrid_api_key:
        return SendGrid(settings)
    return Folder(settings) if settings.writes_mail_to_folder else Smtp(settings)


def run(
    settings: Settings,
    compose: Compose,
    *,
    until: Callable[[], bool] | None = None,
    parent_pid: int | None = None,
    daily: Callable[[Database], object] | None = None,
    beside: Sequence[Callable[[Database], object]] = (),
    clock_fault: Callable[[Database], str | None] | None = None,
) -> None:
    """Deliver emails until SIGTERM or SIGINT; a send in progress finishes.

    `compose` composes a row's email. `daily` runs between two emails, at the
    start and then once a day, because this process runs on days without visitors, too.
    Each of `beside` repeats in its own thread: a slow calendar delays no email. While
    `clock_fault` returns a fault, nothing is sent, given up or erased. Also ends
    when `until()` is true, and when the parent process `parent_pid` is gone.
    Raises ValueError for settings that can't send email.
    """
    transport = transport_for(settings)
    db = Database(settings.database_url)
    db.share()
    signals = _catch_signals()
    log.info("deliver started with %s", type(transport).__name__)
    _forget_another_key(db, transport)
    deliver = _sender(settings, db, transport, compose)
    chores, our_clock, troubles = _Daily(daily), _Clock(clock_fault), 0
    is_over = _start_all_beside(beside, db, transport, our_clock)
    while not (signals or _is_orphan(parent_pid) or (until and until())):
        try:
            more = not our_clock.is_wrong(db) and _work(db, chores, deliver)
            troubles = 0
        except Exception as error:  # an error must not end this process
            more, troubles = False, troubles + 1
            log.error("deliver failed and will continue: %s", _where(error))
        if not more:
            _sleep(_pause_after(troubles), signals)
    is_over.set()
    db.close()
    log.info("deliver stopped")


def _sender(
    settings: Settings, db: Database, transport: Transport, compose: Compose
) -> Callable[[datetime], bool]:
    on_expired = partial(team_notices.never_told, settings)
    keep_text = settings.is_local
    return partial(deliver_one, db, transport, compose, keep_text=keep_text, on_expired=on_expired)


def _work(db: Database, chores: "_Daily", deliver: Callable[[datetime], bool]) -> bool:
    """Do the daily work if it is due, and deliver one email; return whether there was one."""
    chores.do_when_due(db)
    return deliver(clock.now())


class _Daily:
    """The daily work, run first at the start; a failed run isn't repeated that day."""

    def __init__(self, chores: Callable[[Database], object] | None) -> None:
        self._chores, self._due_at = chores, clock.now()

    def do_when_due(self, db: Database) -> None:
        now = clock.now()
        ran_ahead = self._due_at > now + A_DAY  # the clock was ahead at the last run
        if self._chores and (now >= self._due_at or ran_ahead):
            self._due_at = now + A_DAY
            self._chores(db)


class _Clock:
    """Check this machine's clock, hourly and after each jump.

    After a leap ahead, it counts as wrong for a while in any case.
    """

    def __init__(self, fault: Callable[[Database], str | None] | None) -> None:
        self._fault = fault
        self._is_wrong = False
        self._due_at = time.monotonic()
        self._offset = _offset()
        self._doubted_until = 0.0
        self._lock = threading.Lock()  # other threads check as well

    def is_wrong(self, db: Database) -> bool:
        with self._lock:
            jump = _offset() - self._offset
            if self._fault and (abs(jump) > A_JUMP or time.monotonic() >= self._due_at):
                fault = self._fault(db)
                self._doubt(jump)
                self._due_at, self._offset = time.monotonic() + CLOCK_SECONDS, _offset()
                if fault:
                    log.error("deliver is paused until the clock is right: %s", fault)
                self._is_wrong = fault is not None
            return self._is_wrong or time.monotonic() < self._doubted_until

    def _doubt(self, jump: timedelta) -> None:
        if jump > A_LEAP:
            log.error("deliver is paused: the clock has jumped ahead by %s", jump)
            self._doubted_until = time.monotonic() + DOUBTED_SECONDS
        elif jump < -A_LEAP:
            self._doubted_until = 0.0


def _offset() -> timedelta:
    return clock.now() - datetime.min.replace(tzinfo=UTC) - timedelta(seconds=time.monotonic())


def _catch_signals() -> list[int]:
    """Return a list to which stop signals are added.

    A threading.Event could be locked by the very thread that the handler
    interrupts. Outside the main thread (in tests), no handler is installed.
    """
    caught: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda caught_number, _frame: caught.append(caught_number))
    return caught


def _forget_another_key(db: Database, transport: Transport) -> None:
    """Clear a stop that an older key has caused, and with it the alarm."""
    with suppress(SQLAlchemyError, StorageBusy, OSError):  # otherwise the first success clears it
        db.write(lambda session: outbox.resume(session, key=transport.fingerprint))


def _start_all_beside(
    beside: Sequence[Callable[[Database], object]],
    db: Database,
    transport: Transport,
    our_clock: _Clock,
) -> threading.Event:
    """Start the threads for other work, which end once the event is set."""
    is_over = threading.Event()
    works = list(beside)
    if isinstance(transport, SendGrid):
        works.append(lambda db: provider_erasure.work_off(db, transport, clock.now()))
    for work in works:
        repeat = partial(_repeat, work, db, is_over, our_clock)
        threading.Thread(target=repeat, daemon=True, name="beside").start()
    return is_over


def _repeat(
    work: Callable[[Database], object], db: Database, is_over: threading.Event, our_clock: _Clock
) -> None:
    """Repeat `work` until `is_over`, and log its errors."""
    while not is_over.is_set():
        try:
            if not our_clock.is_wrong(db):
                work(db)
        except Exception as error:
            log.error("a background task failed and will be retried: %s", _where(error))
        is_over.wait(BESIDE_SECONDS)


def _is_orphan(parent_pid: int | None) -> bool:
    return parent_pid is not None and os.getppid() != parent_pid


def _pause_after(troubles: int) -> float:
    """Return the seconds to wait after consecutive failures; 0 failures: an idle outbox."""
    return min(IDLE_SECONDS * 2 ** min(troubles, 10), LONGEST_TROUBLE_SECONDS)


def _sleep(seconds: float, signals: list[int]) -> None:
    """Sleep in short steps, because a signal doesn't interrupt a sleep."""
    end = time.monotonic() + seconds
    while not signals and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, IDLE_SECONDS))


def _where(error: Exception) -> str:
    """Return an error's type and line, without its text, which may quote a visitor."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place


def deliver_one(
    db: Database,
    transport: Transport,
    compose: Compose,
    now: datetime,
    *,
    keep_text: bool = False,
    on_expired: OnExpired | None = None,
) -> bool:
    """Send the next due email, if any; return whether there may be more.

    No transaction is open during the send. With `keep_text`, sent emails stay readable.
    """
    claimed = claim(db, now, fingerprint=transport.fingerprint, on_expired=on_expired)
    if claimed is None:
        return False
    started = time.monotonic()
    outcome, message = _send(db, transport, compose, claimed, now)
    match outcome:
        case Accepted():
            log.info("email %s accepted", claimed.id)
        case NotNeeded():
            log.info("email %s is not needed", claimed.id)
        case _:
            # Log only the text before the colon: the provider's own message may quote the email.
            log.warning("email %s not sent: %s", claimed.id, outcome.reason.partition(":")[0])
    _record(db, claimed, outcome, now, started, message if keep_text else None)
    return True


def _send(
    db: Database, transport: Transport, compose: Compose, claimed: Claim, now: datetime
) -> tuple[Outcome | NotNeeded, Message | None]:
    """Send once; every error becomes an outcome, so that one bad row never stops the rest."""
    try:
        message = _composed(db, compose, claimed, now)
        if claimed.is_made_up:
            return Accepted(), message
        return send_in_some_form(transport, message, claimed.id), message
    except (Temporary, Permanent, Stop, NotNeeded) as outcome:
        return outcome, None
    except Exception as error:
        return Temporary(f"unexpected {type(error).__name__}"), None


def send_in_some_form(transport: Transport, message: Message, outbox_id: str) -> Accepted:
    """Send an email; if one to the team is refused, send a simpler form.

    A visitor's text must never keep an email from the team.
    """
    started = time.monotonic()
    for simpler in simpler_forms(message):
        try:
            return transport.send(message, outbox_id)
        except Permanent:
            if time.monotonic() - started > SEND_SECONDS:
                raise
            message = simpler
    return transport.send(message, outbox_id)


def _composed(db: Database, compose: Compose, claimed: Claim, now: datetime) -> Message:
    """Compose the email as of now; raise Permanent with the reason if that fails."""
    with db.read() as session:
        row = session.get(OutboxMessage, claimed.id)
        if row is None:  # erased in the meantime
            raise NotNeeded
        try:
            return compose(session, row, now)
        except (NotNeeded, SQLAlchemyError, StorageBusy):
            raise
        except Exception as error:
            raise Permanent(f"the email cannot be composed: {_where(error)}") from error


def _record(
    db: Database,
    claimed: Claim,
    outcome: Outcome | NotNeeded,
    now: datetime,
    started: float,
    kept: Message | None,
) -> None:
    """Record the outcome, with retries for as long as the lease lasts.

    An accepted email without a recorded outcome would be sent again.
    """
    while True:
        passed = time.monotonic() - started
        ended = now + timedelta(seconds=round(passed))
        try:
            finish(db, claimed, outcome, ended, kept=kept)
            return
        except (SQLAlchemyError, StorageBusy, OSError):
            if passed > LEASE_SECONDS:
                raise
            time.sleep(1)
