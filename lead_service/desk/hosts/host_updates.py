"""Changing a host: one at a time, on top of what one has seen, with a line in the audit trail."""

from collections.abc import Callable

from flask import abort, g, request
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ... import clock
from ...accounts import audit_log
from ...accounts.audit_log import AuditKind
from ...book.availability import queries
from ...book.hosts.models import Host
from ...db.engine import broken_rule
from ...web.context import context

Change = Callable[[Session, Host], dict[str, audit_log.Detail] | None]


class StaleHost(Exception):
    """Somebody else has changed the host since the form was opened; nothing is stored."""


class InUse(Exception):
    """Another row has what must be the only one of its kind; nothing is stored."""


def replace(host_id: int, what: AuditKind, change: Change) -> None:
    """Run `change(session, host)` on the locked host, unless the form's version is an old one.

    What it returns is the audit entry's detail. Raises StaleHost, and InUse where an address is
    taken; both leave the host as it was.
    """
    extend(host_id, what, change, seen=request.form.get("version", 0, type=int))


def extend(host_id: int, what: AuditKind, change: Change, *, seen: int | None = None) -> None:
    """Run `change(session, host)` that overwrites nothing of others, on the locked host.

    Arguments and errors as for `replace`; without `seen`, any version of the host will do.
    """
    now, member_id = clock.now(), g.desk.member_id

    def work(session: Session) -> None:
        host = find_host_or_404(session, host_id, lock=True)
        if seen not in (None, host.version):
            raise StaleHost
        detail = change(session, host) or {}
        host.version += 1
        session.flush()
        audit_log.note(session, member_id, what, f"host {host.id}", now, **detail)

    _written(work)


def add(make: Callable[[Session], Host]) -> int:
    """Store a new host and return the id; raise InUse."""
    now, member_id = clock.now(), g.desk.member_id

    def work(session: Session) -> int:
        host = make(session)
        session.add(host)
        session.flush()
        audit_log.note(session, member_id, AuditKind.HOST_ADDED, f"host {host.id}", now)
        return host.id

    return _written(work)


def refuse_twin(session: Session, host: Host) -> None:
    """Raise InUse when another host has the address, in whatever case it is written."""
    twins = select(Host.id).where(func.lower(Host.email) == host.email.lower())
    with session.no_autoflush:
        if set(session.scalars(twins)) - {host.id}:
            raise InUse


def find_host_or_404(session: Session, host_id: int, *, lock: bool = False) -> Host:
    """Find a host with all that belongs to it, locked for a change; 404 when there is none."""
    if host_id >= 2**31:  # beyond what the column holds
        abort(404)
    options = list(queries.WHOLE)
    locked = True if lock else None  # False would ask the database anew
    return session.get(Host, host_id, options=options, with_for_update=locked) or abort(404)


def _written(work: Callable) -> int:
    try:
        return context().database.write(work)
    except IntegrityError as error:
        if not broken_rule(error).startswith("uq_"):
            raise
        raise InUse from None
