"""What the tests of the outbox work with: a database of mails, and transports that are not real."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from lead_service.db.engine import Database
from lead_service.emails import outbox, status, worker
from lead_service.emails.message import EmailKind, Message
from lead_service.emails.models import OutboxMessage
from lead_service.emails.transports.base import Accepted, Transport

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def mail(name: str = "one", kind: EmailKind = EmailKind.RESULT) -> Message:
    """Make a mail to the person of that name."""
    return Message(kind, f"{name}@lead.test", "", f"Subject {name}", "text", "<p>html</p>")


class FakeTransport:
    """Does with each mail what `answer` does: returns an outcome, or raises one."""

    def __init__(self, answer: Callable[[Message], Accepted] | None = None) -> None:
        self.answer = answer or (lambda _message: Accepted("provider-1"))
        self.fingerprint = "key-1"
        self.tried: list[str] = []

    def send(self, message: Message, outbox_id: str) -> Accepted:
        self.tried.append(message.to.partition("@")[0])
        return self.answer(message)


def failing(error: Exception) -> FakeTransport:
    """Make a transport that raises `error` at each mail."""

    def answer(_message: Message) -> Accepted:
        raise error

    return FakeTransport(answer)


class OutboxHelper:
    """A database, seen as the mails in it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(
        self,
        name: str = "one",
        *,
        kind: EmailKind = EmailKind.RESULT,
        at: datetime = NOW,
        **options,
    ) -> str:
        """Queue a mail in a transaction of its own; return its id."""
        message = mail(name, kind)
        queue = outbox.queue
        return self.database.write(lambda session: queue(session, message, at=at, **options))

    def row(self, outbox_id: str) -> OutboxMessage:
        """Read a mail as it is stored."""
        with self.database.read() as session:
            return session.get_one(OutboxMessage, outbox_id)

    def ids(self) -> list[str]:
        """List the ids of all mails."""
        with self.database.read() as session:
            return list(session.scalars(select(OutboxMessage.id)))

    def health(self, at: datetime = NOW) -> status.Health:
        with self.database.read() as session:
            return status.health(session, at)

    def drain(self, transport: Transport, at: datetime = NOW, **options) -> None:
        """Deliver until nothing more is due at `at`."""
        for _ in range(200):
            if not worker.deliver_one(self.database, transport, at, **options):
                return
        raise AssertionError("the outbox does not come to rest")


def in_threads(work: Callable[[], None], count: int) -> None:
    """Run `work` in that many threads at once and wait for all."""
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
