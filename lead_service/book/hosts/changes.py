"""Change a host, with a check for concurrent changes and a line in the audit log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor, AuditKind, Detail
from ...db.base import broken_rule
from .models import Host

Change = Callable[[Session, Host], dict[str, Detail] | None]


class StaleHost(Exception):
    """The host has changed since the form was opened; nothing is stored."""


class InUse(Exception):
    """Another row has the same unique value; nothing is stored."""


def update(
    session: Session,
    host: Host,
    by: Actor,
    what: AuditKind,
    change: Change,
    *,
    seen: int | None = None,
) -> None:
    """Run `change(session, host)` on a locked host; its result is the audit log's detail.

    `seen` is the version that the form was based on; without it, any version
    will do. Raises StaleHost, and InUse if an address or date exists already.
    """
    if seen not in (None, host.version):
        raise StaleHost
    with _unique():
        detail = change(session, host) or {}
        host.version += 1
        _store(session, host)
    by.note(session, what, f"host {host.id}", **detail)


def add(session: Session, host: Host, by: Actor) -> int:
    """Store a new host and return the id; raise InUse."""
    with _unique():
        _store(session, host)
    by.note(session, AuditKind.HOST_ADDED, f"host {host.id}")
    return host.id


def _store(session: Session, host: Host) -> None:
    """Store a host; InUse if another host has the address, ignoring case."""
    twins = select(Host.id).where(func.lower(Host.email) == host.email.lower())
    with session.no_autoflush:
        if set(session.scalars(twins)) - {host.id}:
            raise InUse
    session.add(host)
    session.flush()


@contextmanager
def _unique() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if not broken_rule(error).startswith("uq_"):
            raise
        raise InUse from None
