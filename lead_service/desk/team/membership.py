"""Add and remove members, and change their roles; each change is in the audit log.

The team never loses its last admin: a change that would remove them raises LastAdmin.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor, AuditKind, Detail
from ...accounts.members import DeskSession, Member, Passkey, Role
from ...book.hosts.models import Host
from ...book.models import Booking, coming
from ...db.base import insert_unless, rows_changed
from ...emails import outbox, practice_context
from ...emails.message import EmailKind, Message, compose
from ...emails.models import OutboxMessage
from ...emails.outbox import NotNeeded
from ...leads import capture
from ...leads.models import CLOSED, Lead
from ...publishing.site import Published
from ...settings import Settings
from ..auth.sessions import end_sessions

INVITATION_LIFE = timedelta(days=14)  # afterward, the member has to be invited again


class AlreadyIn(Exception):
    """The address already belongs to a member."""


class LastAdmin(Exception):
    """The last admin can't be removed or demoted."""


@dataclass(frozen=True)
class Removed:
    """The work that a former member leaves to others."""

    leads: int  # open leads, now without an owner
    was_host: bool
    calls: int  # upcoming calls that need another host


def invite(
    session: Session,
    settings: Settings,
    email: str,
    *,
    name: str = "",
    role: Role = Role.MEMBER,
    by: Actor,
) -> Member:
    """Add a member and email them the desk's address; raise AlreadyIn.

    The email contains no secret, so it may stay unread for days: its reader asks on the sign-in
    page for a link, which verifies the mailbox and expires after a quarter of an hour.
    """
    if find_member(session, email, lock=True):
        raise AlreadyIn
    member = add_member(session, email, by.at, role=role, name=name)
    member.role, member.name = role, name or member.name
    _note(session, by, AuditKind.MEMBER_INVITED, member, role=role)
    outbox.queue(
        session,
        EmailKind.INVITED,
        member.email,
        at=by.at,
        useless_after=by.at + INVITATION_LIFE,
        facts={"by": by.member.shown_name if by.member else settings.practice_name},
    )
    return member


def invitation_email(
    session: Session, settings: Settings, _published: Published, row: OutboxMessage, _now: datetime
) -> Message:
    """Compose the email that tells a new member where the desk is."""
    if find_member(session, row.address) is None:
        raise NotNeeded("they are no longer a member")
    return compose(
        row.kind,
        to=row.address,
        link=settings.link("/desk/sign-in/"),
        **(row.facts or {}),
        **practice_context(settings),
    )


def change_role(session: Session, member: Member, role: Role, by: Actor) -> None:
    """Change a member's role; raise LastAdmin."""
    if role != Role.ADMIN:
        _spare_the_last_admin(session, member)
    if member.role != role:
        member.role = role
        _note(session, by, AuditKind.ROLE_CHANGED, member, role=role)


def remove(session: Session, member: Member, by: Actor) -> Removed:
    """Remove a member at once, also as a host; return the work that they leave.

    Raises LastAdmin. Their notes and closed leads keep their name. As a host, they are no longer
    offered, their feed is closed, and waiting briefs aren't sent; booked calls stay, to be
    reassigned.
    """
    _spare_the_last_admin(session, member)
    member.removed_at = by.at
    end_sessions(session, member, by.at)
    session.execute(delete(Passkey).where(Passkey.member_id == member.id))
    is_host = func.lower(Host.email) == member.email
    hosts = session.scalars(select(Host).where(is_host).with_for_update()).all()
    for host in hosts:
        host.is_active = False
        host.feed_version += 1
        host.version += 1
        by.note(session, AuditKind.HOST_CHANGED, f"host {host.id}", left=True)
    theirs = Booking.host_id.in_([host.id for host in hosts])
    calls = session.scalar(select(func.count(Booking.id)).where(theirs, *coming(by.at))) or 0
    open_leads = update(Lead).where(Lead.owner_id == member.id, Lead.stage.not_in(CLOSED))
    freed = rows_changed(session, open_leads.values(owner_id=None, version=Lead.version + 1))
    _note(session, by, AuditKind.MEMBER_REMOVED, member, leads_without_owner=freed)
    return Removed(freed, bool(hosts), calls)


def sign_out_everywhere(session: Session, member: Member, by: Actor) -> int:
    """End every session of a member; return how many there were."""
    ended = end_sessions(session, member, by.at)
    _note(session, by, AuditKind.SIGNED_OUT_EVERYWHERE, member, sessions=ended)
    return ended


def rename(session: Session, member: Member, name: str, by: Actor) -> None:
    """Change the name by which others see a member."""
    if member.name != name:
        member.name = name
        _note(session, by, AuditKind.RENAMED, member)


def members(session: Session, former_id: int | None = None) -> list[Member]:
    """Return the members by name, and the former one with that id."""
    may = or_(Member.removed_at.is_(None), Member.id == former_id)
    found = session.scalars(select(Member).where(may)).all()
    return sorted(found, key=lambda one: one.shown_name.lower())


def last_seen(session: Session) -> dict[int, datetime]:
    """Map the ids of members to their last use of the desk."""
    of_each = select(DeskSession.member_id, func.max(DeskSession.seen_at))
    return {id: at for id, at in session.execute(of_each.group_by(DeskSession.member_id))}


def _spare_the_last_admin(session: Session, member: Member) -> None:
    """Raise LastAdmin if there is no other admin; locks the admins against a race."""
    admins = select(Member.id).where(Member.role == Role.ADMIN, Member.removed_at.is_(None))
    found = session.scalars(admins.order_by(Member.id).with_for_update()).all()
    if found == [member.id]:
        raise LastAdmin


def _note(session: Session, by: Actor, what: AuditKind, member: Member, **detail: Detail) -> None:
    by.note(session, what, f"member {member.id}", **detail)


def add_member(
    session: Session, email: str, at: datetime, role: Role = Role.MEMBER, name: str = ""
) -> Member:
    """Add a member with an address and return them; a removed member is restored.

    An existing member keeps the name, and the role unless they were removed. Raises ValueError
    for an invalid address.
    """
    address = capture.normalize_email(email)
    insert_unless(session, Member, "email", email=address, name=name, role=role, created_at=at)
    member = session.scalars(select(Member).where(Member.email == address)).one()
    if member.removed_at is not None:
        member.removed_at, member.role = None, role
    return member


def find_member(session: Session, email: str, *, lock: bool = False) -> Member | None:
    """Find a present member by address, normalized or not."""
    query = select(Member).where(
        Member.email == capture.normalize_email(email), Member.removed_at.is_(None)
    )
    return session.scalar(query.with_for_update() if lock else query)
