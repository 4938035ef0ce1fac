"""Functions shared by the pages that change a host."""

from flask import abort, request
from sqlalchemy.orm import Session

from ...accounts.audit_log import AuditKind
from ...book.availability import queries
from ...book.hosts import changes
from ...book.hosts.models import Host
from ..blueprint import write


def replace(host_id: int, what: AuditKind, change: changes.Change) -> None:
    """Change a host by `changes.update`, unless it has changed since the form was opened."""
    extend(host_id, what, change, seen=request.form.get("version", 0, type=int))


def extend(
    host_id: int, what: AuditKind, change: changes.Change, *, seen: int | None = None
) -> None:
    """Change a host by `changes.update`, for changes that overwrite nothing."""
    write(
        lambda session, by: changes.update(
            session, find_host_or_404(session, host_id, lock=True), by, what, change, seen=seen
        )
    )


def find_host_or_404(session: Session, host_id: int, *, lock: bool = False) -> Host:
    """Find a host, locked for a change if asked; 404 if there is none."""
    options = list(queries.WHOLE)
    locked = True if lock else None  # False would query the database again
    return session.get(Host, host_id, options=options, with_for_update=locked) or abort(404)


def own_row_or_404(rows: list, id: int):
    """Find one of a host's rows; 404 for another host's and a removed one."""
    return next((row for row in rows if row.id == id), None) or abort(404)
