"""What the pages that change a host share."""

from flask import abort, request
from sqlalchemy.orm import Session

from ...accounts.audit_log import AuditKind
from ...book.availability import queries
from ...book.hosts import changes
from ...book.hosts.models import Host
from ..blueprint import write


def replace(host_id: int, what: AuditKind, change: changes.Change) -> None:
    """Change a host as `changes.update` does, unless the form that was sent showed an old one."""
    extend(host_id, what, change, seen=request.form.get("version", 0, type=int))


def extend(
    host_id: int, what: AuditKind, change: changes.Change, *, seen: int | None = None
) -> None:
    """Change a host in a way that overwrites nothing of others."""
    write(
        lambda session, by: changes.update(
            session, find_host_or_404(session, host_id, lock=True), by, what, change, seen=seen
        )
    )


def find_host_or_404(session: Session, host_id: int, *, lock: bool = False) -> Host:
    """Find a host with all that belongs to it, locked for a change; 404 when there is none."""
    if host_id >= 2**31:  # beyond what the column holds
        abort(404)
    options = list(queries.WHOLE)
    locked = True if lock else None  # False would ask the database anew
    return session.get(Host, host_id, options=options, with_for_update=locked) or abort(404)
