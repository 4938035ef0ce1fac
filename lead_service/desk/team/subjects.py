"""Name the subjects of lines in the audit log, which has only ids."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...accounts.members import Member
from ...book.hosts.models import Host
from ...book.models import Booking
from ...emails.models import OutboxMessage
from ...leads.models import Lead


def names_of(session: Session, subjects: Iterable[str]) -> dict[str, str]:
    """Map subjects such as "lead 5" to names, without erased ones."""
    ids: dict[str, set[str]] = defaultdict(set)
    for subject in subjects:
        kind, _, id = subject.partition(" ")
        ids[kind].add(id)
    numbers = {
        kind: [int(id) for id in found if id.isdecimal() and len(id) < 10]
        for kind, found in ids.items()
    }
    named = [
        (f"lead {one.id}", one.name or one.email)
        for one in session.scalars(select(Lead).where(Lead.id.in_(numbers.get("lead", ()))))
    ]
    named += [
        (f"member {one.id}", one.shown_name)
        for one in session.scalars(select(Member).where(Member.id.in_(numbers.get("member", ()))))
    ]
    named += [
        (f"host {one.id}", one.name)
        for one in session.scalars(select(Host).where(Host.id.in_(numbers.get("host", ()))))
    ]
    named += [
        (f"call {one.id}", one.name or one.email)
        for one in session.scalars(select(Booking).where(Booking.id.in_(numbers.get("call", ()))))
    ]
    of_these = select(OutboxMessage).where(OutboxMessage.id.in_(ids["email"]))
    named += [(f"email {one.id}", one.address) for one in session.scalars(of_these)]
    return dict(named)
