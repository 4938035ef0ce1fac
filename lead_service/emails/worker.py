"""The deliver process: send what is due in the outbox until a signal to stop.

It outlives a database that is away, and does the daily jobs and the calendar sync beside sending.
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

IDLE_SECONDS = 0.5  # a booking's mail leaves within about a second
LONGEST_TROUBLE_SECONDS = 30
BESIDE_SECONDS = 5  # between two looks for what else is to do
A_DAY = timedelta(days=1)
CLOCK_SECONDS = 3600  # between two looks at whether our clock is right
A_JUMP = timedelta(minutes=1)  # of the wall clock beside the one that only counts seconds
A_LEAP = timedelta(hours=1)  # ahead: emails could expire by it
DOUBTED_SECONDS = 120  # a leap may be over in a moment, and not every machine can ask another clock

log = logging.getLogger(__name__)


def transport_for(settings: Settings) -> Transport:
    """Return the provider, else the mail server, else the folder, whichever is set."""
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
    """Deliver mail until SIGTERM or SIGINT, after the send that is under way.

    `compose` writes the email that a row stands for. `daily` runs between two emails, at the
    start and then once a day: this is the one process that runs on days without a visitor.
    Each of `beside` runs again and again in its own thread: a slow calendar delays no email. While
    `clock_fault` names a fault of the clock, nothing is sent, given up or erased. Ends too
    when `until()` says so, and when `parent_pid`, the process that started this one, is gone.
    Raises ValueError for settings with which nothing could be sent.
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
        except Exception as error:  # nothing may end this process but a request to end
            more, troubles = False, troubles + 1
            log.error("deliver is in trouble, and goes on: %s", _where(error))
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
    chores.do_when_due(db)
    return deliver(clock.now())


class _Daily:
    """What is done once a day, first at the start; a failed time is not made up for."""

    def __init__(self, chores: Callable[[Database], object] | None) -> None:
        self._chores, self._due_at = chores, clock.now()

    def do_when_due(self, db: Database) -> None:
        now = clock.now()
        ran_ahead = self._due_at > now + A_DAY  # the clock, when they were done last
        if self._chores and (now >= self._due_at or ran_ahead):
            self._due_at = now + A_DAY
            self._chores(db)


class _Clock:
    """Whether this machine's clock is wrong; asked hourly, and whenever it has jumped.

    After a leap ahead it counts as wrong for a while, whatever others say.
    """

    def __init__(self, fault: Callable[[Database], str | None] | None) -> None:
        self._fault = fault
        self._is_wrong = False
        self._due_at = time.monotonic()
        self._offset = _offset()
        self._doubted_until = 0.0
        self._lock = threading.Lock()  # the threads beside ask as well

    def is_wrong(self, db: Database) -> bool:
        with self._lock:
            jump = _offset() - self._offset
            if self._fault and (abs(jump) > A_JUMP or time.monotonic() >= self._due_at):
                fault = self._fault(db)
                self._doubt(jump)
                self._due_at, self._offset = time.monotonic() + CLOCK_SECONDS, _offset()
                if fault:
                    log.error("deliver waits for the right time: %s", fault)
                self._is_wrong = fault is not None
            return self._is_wrong or time.monotonic() < self._doubted_until

    def _doubt(self, jump: timedelta) -> None:
        if jump > A_LEAP:
            log.error("deliver waits for the right time: the clock has jumped ahead by %s", jump)
            self._doubted_until = time.monotonic() + DOUBTED_SECONDS
        elif jump < -A_LEAP:
            self._doubted_until = 0.0


def _offset() -> timedelta:
    return clock.now() - datetime.min.replace(tzinfo=UTC) - timedelta(seconds=time.monotonic())


def _catch_signals() -> list[int]:
    """Return a list that the signals to stop are added to.

    A list and not a threading.Event, which a handler could find locked by the very thread it
    interrupts. Outside the main thread (tests) signals are left alone.
    """
    caught: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda caught_number, _frame: caught.append(caught_number))
    return caught


def _forget_another_key(db: Database, transport: Transport) -> None:
    """Lift a stop that an older key has caused, so that its alarm does not outlive it."""
    with suppress(SQLAlchemyError, StorageBusy, OSError):  # the first success lifts it as well
        db.write(lambda session: outbox.resume(session, key=transport.fingerprint))


def _start_all_beside(
    beside: Sequence[Callable[[Database], object]],
    db: Database,
    transport: Transport,
    our_clock: _Clock,
) -> threading.Event:
    """Start what is done beside the sending; it ends once the event is set."""
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
    """Do `work` again and again until `is_over`, whatever goes wrong in it."""
    while not is_over.is_set():
        try:
            if not our_clock.is_wrong(db):
                work(db)
        except Exception as error:
            log.error("a task beside the emails failed and will be tried again: %s", _where(error))
        is_over.wait(BESIDE_SECONDS)


def _is_orphan(parent_pid: int | None) -> bool:
    return parent_pid is not None and os.getppid() != parent_pid


def _pause_after(troubles: int) -> float:
    """Return the seconds to wait after so many troubles in a row; 0 is an idle outbox."""
    return min(IDLE_SECONDS * 2 ** min(troubles, 10), LONGEST_TROUBLE_SECONDS)


def _sleep(seconds: float, signals: list[int]) -> None:
    """Sleep a little at a time, since a signal does not end a sleep."""
    end = time.monotonic() + seconds
    while not signals and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, IDLE_SECONDS))


def _where(error: Exception) -> str:
    """Name an error and the line that raised it; its text may hold what a visitor typed."""
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
    """Send the email that is due first, if any; return whether there may be more.

    No transaction is open while it is sent. With `keep_text` a sent email can still be read.
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
            # What the provider says stands after a colon, and may quote the email.
            log.warning("email %s not sent: %s", claimed.id, outcome.reason.partition(":")[0])
    _record(db, claimed, outcome, now, started, message if keep_text else None)
    return True


def _send(
    db: Database, transport: Transport, compose: Compose, claimed: Claim, now: datetime
) -> tuple[Outcome | NotNeeded, Message | None]:
    """Send once; whatever goes wrong becomes an outcome, so one bad row never stops the rest."""
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
    """Send an email; one to the team that is refused for good, in a simpler form.

    A visitor typed what it holds, and must never keep it from the team.
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
    """Compose the email as of now; one that cannot be composed is refused, with the reason."""
    with db.read() as session:
        row = session.get(OutboxMessage, claimed.id)
        if row is None:  # erased meanwhile
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
    """Write the outcome down, trying for as long as the lease lasts.

    A mail that was accepted and is not marked so would be sent again.
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
