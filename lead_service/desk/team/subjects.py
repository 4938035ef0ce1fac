"""Name the subjects of lines in the audit log, which has only ids."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...accounts.members import Member
from ...book.hosts.models import Host
from ...book.models import Booking
from ...emails.models import OutboxMessage
from ...leads.models import Lead

PEOPLE: dict[str, Any] = {"lead": Lead, "member": Member, "host": Host, "call": Booking}


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
    named = {}
    for kind, model in PEOPLE.items():
        of_these = select(model).where(model.id.in_(numbers.get(kind, ())))
        for one in session.scalars(of_these):
            named[f"{kind} {one.id}"] = one.name or one.email
    emails = select(OutboxMessage).where(OutboxMessage.id.in_(ids["email"]))
    return named | {f"email {one.id}": one.address for one in session.scalars(emails)}
