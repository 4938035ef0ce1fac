"""Create hosts and their calls, for the tests of the desk."""

from datetime import datetime, timedelta

from sqlalchemy import select

from lead_service.accounts.audit_log import AuditEntry
from lead_service.book.hosts import setup
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking
from lead_service.leads import models
from tests.service.conftest import MONDAY_MORNING

from .stored_data import kept


def add_host(database, name: str = "Ben Example", **more) -> int:
    """Add a host who is open on weekdays from nine to five, in UTC; return the id."""
    email = f"{name.split()[0].lower()}@example.com"

    def work(session) -> int:
        host = Host(**{"name": name, "email": email, "zone": "UTC"} | more)
        host.hours = setup.weekly_hours(setup.NINE_TO_FIVE)
        session.add(host)
        session.flush()
        return host.id

    return database.write(work)


def change_host(database, host_id: int = 1, **values) -> None:
    """Change a host directly in the database."""

    def work(session) -> None:
        host = session.get_one(Host, host_id)
        for name, value in values.items():
            setattr(host, name, value)
        host.version += 1

    database.write(work)


def add_past_call(database, host_id: int = 1, days_ago: int = 1) -> int:
    """Add a call that has taken place; return the id."""
    start = MONDAY_MORNING - timedelta(days=days_ago)

    def work(session) -> int:
        lead = kept(session, email="past@example.com", name="Past One", at=start)
        call = _call(host_id, lead, start)
        session.add(call)
        session.flush()
        return call.id

    return database.write(work)


def _call(host_id: int, lead: models.Lead, start: datetime) -> Booking:
    key = f"{host_id}-{start.isoformat()}"
    names = {"uid": key, "token_hash": key, "submission_key": key, "name": lead.name}
    kept = {"duration": 30, "buffer_before": 0, "buffer_after": 0, "meeting_link": ""}
    zones = {"host_zone": "UTC", "visitor_zone": "Europe/Berlin", "email": lead.email}
    when = {"starts_at": start, "created_at": start}
    return Booking(host_id=host_id, lead=lead, **names, **kept, **zones, **when)


def trail(database) -> list[tuple]:
    """Return the audit log: the member, the kind, the subject and the details of each line."""
    with database.read() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    return [(row.member_id, row.what, row.subject, row.detail) for row in rows]


def changes(database, subject: str) -> list[tuple[str, int | None]]:
    """Return the audit log's lines about a subject: the kind, and the member."""
    return [(what, member) for member, what, about, _ in trail(database) if about == subject]
