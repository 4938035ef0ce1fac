"""Sign-in links of members: create, email and use them.

A link proves that its holder reads the member's mailbox, where every lead arrives anyway. So the
mailbox is what to protect, and there is no password to steal or to reuse.
"""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from ...accounts import audit_log
from ...accounts.audit_log import AuditKind
from ...accounts.members import DeskSession, Member, Role, SignInLink
from ...db.engine import Database
from ...emails import outbox, practice_context
from ...emails.message import EmailKind, Message, compose
from ...emails.models import OutboxMessage
from ...leads import capture
from ...publishing.site import Published
from ...settings import Settings
from ...web.tokens import new_token, token_hash
from ..team.membership import NoSuchMember, add_member, find_member, get_member

LINK_MINUTES = 15
LINK_LIFE = timedelta(minutes=LINK_MINUTES)
MAILS_AN_HOUR = 3  # to one address: the form must not become a way to flood a mailbox


def make_link(database: Database, settings: Settings, address: str, now: datetime) -> str:
    """Return the absolute address that signs `address` in once; make the member when new.

    For the command line only: whoever runs it may read the database anyway. Raises ValueError
    for what is no address.
    """
    return database.write(lambda session: link_by_command(session, settings, address, now)[1])


def link_by_command(
    session: Session, settings: Settings, address: str, now: datetime, *, may_add: bool = True
) -> tuple[Member, str]:
    """Return a member and the absolute address that signs them in once.

    A new member becomes an admin while there is none; the address of SALES_TO that `serve` lets
    in is none until it has signed in. Raises NoSuchMember where there is an admin and nobody
    `may_add` to the team.
    """
    member = find_member(session, address, lock=True)
    if member is None:
        is_admin = (Member.role == Role.ADMIN, Member.removed_at.is_(None))
        admins = session.scalars(select(Member).where(*is_admin)).all()
        if admins and not may_add:
            raise NoSuchMember
        is_first = all(_is_seeded(session, settings, one) for one in admins)
        role = Role.ADMIN if is_first else Role.MEMBER
        member = add_member(session, address, now, role=role)
        what, subject = AuditKind.MEMBER_ADDED, f"member {member.id}"
        audit_log.note(session, None, what, subject, now, role=member.role)
    return member, _absolute(settings, _store_link(session, member, now))


def _is_seeded(session: Session, settings: Settings, admin: Member) -> bool:
    """Say whether an admin is the one whom `serve` makes, and has never signed in."""
    sessions = select(DeskSession.id).where(DeskSession.member_id == admin.id)
    is_first = admin.email == capture.normalize_email(settings.sales_to[0])
    return is_first and session.scalar(sessions.limit(1)) is None


def sign_in_link(session: Session, email: str, at: datetime) -> str:
    """Store a new link of a member and return its token; raise NoSuchMember."""
    return _store_link(session, get_member(session, email), at)


def mail_link(session: Session, settings: Settings, email: str, at: datetime) -> None:
    """Mail a member a link that signs them in; do the same work for everybody else, unseen.

    An address that is not a member's, and one that has had its mails of the hour, gets a link
    that opens nothing and a mail that is taken back before the commit: the time that an answer
    takes must not tell who is a member.
    """
    member = find_member(session, email, lock=True)
    to = member.email if member else email
    mailed = _mails_this_hour(session, to, at)  # asked for everybody: it takes time
    is_sent = member is not None and mailed < MAILS_AN_HOUR
    token = _store_link(session, member if is_sent else None, at)
    with session.begin_nested() as savepoint:
        outbox.queue(
            session,
            EmailKind.SIGN_IN,
            to,
            at=at,
            useless_after=at + LINK_LIFE,
            facts={"link": _absolute(settings, token)},
        )
        if not is_sent:
            savepoint.rollback()


def sign_in_email(
    _session: Session, settings: Settings, _published: Published, row: OutboxMessage, _now: datetime
) -> Message:
    """Compose the email with a link that signs in."""
    return compose(
        row.kind,
        to=row.address,
        minutes=LINK_MINUTES,
        **(row.facts or {}),
        **practice_context(settings),
    )


def _absolute(settings: Settings, token: str) -> str:
    return settings.link(f"/desk/sign-in/{token}/")


def _store_link(session: Session, member: Member | None, at: datetime) -> str:
    token = new_token()
    session.add(
        SignInLink(
            token_hash=token_hash(token),
            member_id=member.id if member else None,
            created_at=at,
            expires_at=at + LINK_LIFE,
        )
    )
    session.flush()
    return token


def _mails_this_hour(session: Session, to: str, at: datetime) -> int:
    """Count what was mailed; links from the command line flood nobody's mailbox."""
    query = select(func.count()).where(
        OutboxMessage.kind == EmailKind.SIGN_IN,
        OutboxMessage.address == to,
        OutboxMessage.created_at > at - timedelta(hours=1),
    )
    return session.scalar(query) or 0


def is_usable(session: Session, token: str, now: datetime) -> bool:
    """Say whether a link still signs somebody in; asking does not use it."""
    query = select(SignInLink.id).where(*_usable(token, now))
    return session.scalar(query) is not None


def claim(session: Session, token: str, now: datetime) -> Member | None:
    """Use a link: return its member, once; None when it is unknown, used or too old.

    One conditional update decides, so of two who press the button together one gets in.
    """
    used = session.execute(
        update(SignInLink).where(*_usable(token, now)).values(used_at=now),
        execution_options={"synchronize_session": False},
    )
    if not isinstance(used, CursorResult) or used.rowcount != 1:
        return None
    query = select(Member).join(SignInLink, SignInLink.member_id == Member.id)
    return session.scalar(query.where(SignInLink.token_hash == token_hash(token)))


def _usable(token: str, now: datetime) -> tuple:
    is_member = select(Member.id).where(Member.removed_at.is_(None))
    return (
        SignInLink.token_hash == token_hash(token),
        SignInLink.used_at.is_(None),
        SignInLink.expires_at > now,
        SignInLink.member_id.in_(is_member),
    )
