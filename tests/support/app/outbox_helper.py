"""A database of emails and fake transports, for the tests of the outbox."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lead_service.db.engine import Database
from lead_service.emails import outbox, status, worker
from lead_service.emails.message import EmailKind, Message
from lead_service.emails.models import OutboxMessage
from lead_service.emails.transports.base import Accepted, Transport

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def mail(name: str = "one", kind: EmailKind = EmailKind.RESULT) -> Message:
    """Create an email to the person of that name."""
    return Message(kind, f"{name}@lead.test", "", f"Subject {name}", "text", "<p>html</p>")


def compose(_session: Session, row: OutboxMessage, _now: datetime) -> Message:
    """Compose the email of a row queued by `OutboxHelper.put`."""
    return mail(row.address.partition("@")[0], row.kind)


class FakeTransport:
    """A transport that calls `answer` for each email, which returns or raises an outcome."""

    def __init__(self, answer: Callable[[Message], Accepted] | None = None) -> None:
        self.answer = answer or (lambda _message: Accepted("provider-1"))
        self.fingerprint = "key-1"
        self.tried: list[str] = []

    def send(self, message: Message, outbox_id: str) -> Accepted:
        self.tried.append(message.to.partition("@")[0])
        return self.answer(message)


def failing(error: Exception) -> FakeTransport:
    """Create a transport that raises `error` for each email."""

    def answer(_message: Message) -> Accepted:
        raise error

    return FakeTransport(answer)


class OutboxHelper:
    """A database of queued emails."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(
        self,
        name: str = "one",
        *,
        kind: EmailKind = EmailKind.RESULT,
        at: datetime = NOW,
        address: str = "",
        **options,
    ) -> str:
        """Queue an email in a transaction of its own; return its id, "" if not new."""
        options = {"at": at, "useless_after": at + 2000 * HOUR} | options
        before = set(self.ids())
        address = address or f"{name}@lead.test"
        self.database.write(lambda session: outbox.queue(session, kind, address, **options))
        new = set(self.ids()) - before
        return new.pop() if new else ""

    def row(self, outbox_id: str) -> OutboxMessage:
        """Return the stored row of an email."""
        with self.database.read() as session:
            return session.get_one(OutboxMessage, outbox_id)

    def ids(self) -> list[str]:
        """List the ids of all emails."""
        with self.database.read() as session:
            return list(session.scalars(select(OutboxMessage.id)))

    def health(self, at: datetime = NOW) -> status.Health:
        with self.database.read() as session:
            return status.health(session, at)

    def deliver_one(self, transport: Transport, at: datetime = NOW, **options) -> bool:
        """Send the next email due at `at`, if any."""
        return worker.deliver_one(self.database, transport, compose, at, **options)

    def drain(self, transport: Transport, at: datetime = NOW, **options) -> None:
        """Deliver emails until none is due at `at`."""
        for _ in range(200):
            if not self.deliver_one(transport, at, **options):
                return
        raise AssertionError("the outbox does not come to rest")


def in_threads(work: Callable[[], None], count: int) -> None:
    """Run `work` in that many threads at once and wait for all."""
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
