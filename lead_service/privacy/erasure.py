"""Erase everything stored about one email address.

People are found by address, never by name. Members of the desk and hosts are staff: data
about them is exported, but erasing an address doesn't remove them; once they are removed and
take no calls, name and address are erased as well.
"""

import json
import logging
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from ..accounts.audit_log import Actor, AuditKind
from ..accounts.members import DeskSession, Member, Passkey, SignInLink
from ..book.hosts.models import Host
from ..book.models import Booking, coming
from ..db.engine import Database
from ..emails import provider_erasure
from ..emails.models import OutboxMessage
from ..funnel import archived_counts
from ..settings import Settings
from .export import Person
from .models import Suppression

FILES_AT_ONCE = 500

log = logging.getLogger(__name__)


def erase(session: Session, settings: Settings, address: str, by: Actor) -> dict[str, int]:
    """Erase all data about an address and return the counts, as {table: rows}.

    The times of calls become free. No email is sent: a cancellation would be more data to
    erase. The keyed digest of the address and a log line with counts
    remain; and, until the email provider has accepted to erase the address too, the job that
    asks it. Emails in a folder are erased by `erase_everywhere`. Raises
    ValueError for an invalid address.
    """
    person = Person(session, settings, address)
    # Lock hosts before leads, like every booking.
    session.execute(update(Host).values(calls_version=Host.calls_version + 1))
    lead_id = session.scalar(
        person.lead_row().with_for_update()
    )  # like every request that adds to the lead
    _remove_corrected(session, person)
    archived_counts.archive(session, person.counted())
    provider_erasure.ask(session, settings, person.their_mails(), by.at)
    counts = {held.name: held.erase(session) for held in person.of_the_lead()}
    counts |= _forget_former_staff(session, person, by.at)
    mark = session.get(Suppression, person.digest)
    if mark is None:
        session.add(mark := Suppression(digest=person.digest))
    mark.at = by.at
    subject = f"lead {lead_id}" if lead_id else "address without a lead"
    by.note(session, AuditKind.ERASED, subject, rows=sum(counts.values()))
    log.info("erased one address", extra={"counts": counts})
    return counts


def _remove_corrected(session: Session, person: Person) -> None:
    """Remove the address from the texts about leads that had it until it was corrected.

    Stored emails with attachments lose their text without a search: calendar files fold lines.
    """
    leads = session.scalars(person.corrected()).all()
    escaped = json.dumps(person.address)[1:-1]  # as in the stored JSON
    naming = OutboxMessage.body.icontains(escaped, autoescape=True)
    attached = OutboxMessage.body.not_like('%"attachments": []%')
    told = OutboxMessage.lead_id.in_([lead.id for lead in leads])
    session.execute(update(OutboxMessage).where(told, or_(naming, attached)).values(body=None))

    def left(value: Any) -> Any:
        is_text = isinstance(value, str)
        return re.sub(re.escape(person.address), "erased", value, flags=re.I) if is_text else value

    for lead in leads:
        lead.next_action = left(lead.next_action)
        for note in lead.notes:
            note.text = left(note.text)
        for event in lead.events:
            event.detail = {name: left(value) for name, value in event.detail.items()}


def _forget_former_staff(session: Session, person: Person, at: datetime) -> dict[str, int]:
    """Erase name and address of a removed member and of a host without calls, now and
    in the future; history then says "former member 4". Return the counts, as {table: rows}.
    """
    members = session.scalars(select(Member).where(person.member(), Member.removed_at.is_not(None)))
    still = select(Booking.host_id).where(*coming(at))
    left = (person.host(), Host.is_active.is_(False), Host.id.not_in(still))
    former: list[tuple[str, Member | Host]] = [("member", one) for one in members]
    former += [("host", one) for one in session.scalars(select(Host).where(*left))]
    for kind, one in former:
        one.name, one.email = f"former {kind} {one.id}", f"former-{kind}-{one.id}@erased.invalid"
        if isinstance(one, Host):
            one.meeting_link, one.feeds, one.time_off = "", [], []
        else:
            for model in (SignInLink, Passkey, DeskSession):
                session.execute(delete(model).where(model.member_id == one.id))
    if former and not person.is_staff_still(session):
        told = update(OutboxMessage).where(person.written_to())
        session.execute(told.values(address="former@erased.invalid", mailbox="", body=None))
    return dict(Counter(kind for kind, _ in former))


def erase_everywhere(
    database: Database, settings: Settings, address: str, by: Actor
) -> dict[str, int]:
    """Erase an address from the database, then from the folder of emails; return the counts."""
    counts = database.write(lambda session: erase(session, settings, address, by))
    database.forget()
    return counts | {"files": sweep_folder(database, settings.mail_folder)}


def sweep_folder(database: Database, folder: Path) -> int:
    """Delete the emails in a folder that the outbox no longer has; return how many."""
    files = {file.stem.rpartition("-")[2]: file for file in folder.glob("*.eml")}
    ids = list(files)
    with database.read() as session:
        for start in range(0, len(ids), FILES_AT_ONCE):
            some = OutboxMessage.id.in_(ids[start : start + FILES_AT_ONCE])
            for known in session.scalars(select(OutboxMessage.id).where(some)):
                del files[known]
    swept = list(files.values())
    for file in swept:
        file.unlink(missing_ok=True)
    return len(swept)
