"""Sign-in links of members: create, email and use them.

A link proves that its holder reads the member's mailbox, where every lead arrives anyway. So the
mailbox is what to protect, and there is no password to steal or to reuse.

A link opens the desk in the browser that asked for it; in another one, its
holder enters the code that the first browser shows, so that a member who is tricked into
passing on a link gives nothing away. A stranger's request with a member's address only extends the
life of the member's newest link.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor, AuditKind
from ...accounts.members import DeskSession, Member, Role, SignInLink
from ...db.base import rows_changed
from ...db.engine import Database
from ...emails import outbox, practice_context
from ...emails.message import EmailKind, Message, compose
from ...emails.models import OutboxMessage
from ...leads import capture
from ...publishing.site import Published
from ...settings import Settings
from ...web.tokens import derived_token, new_token, token_hash
from ..team.membership import add_member, find_member

LINK_MINUTES = 15
LINK_LIFE = timedelta(minutes=LINK_MINUTES)
OWN_MAILS = 3  # emails per hour, for a browser that has signed in before
MOST_TRIES = 5  # wrong codes
NOBODY = -1  # a member id without links, for other addresses


class NoSuchMember(Exception):
    """The address belongs to no member."""


def make_link(database: Database, settings: Settings, address: str, now: datetime) -> str:
    """Return a one-time sign-in link for `address`; create the member if new.

    For the command line only, whose user can read the database anyway. Raises ValueError
    for an invalid address.
    """
    return database.write(lambda session: link_by_command(session, settings, address, now)[1])


def link_by_command(
    session: Session, settings: Settings, address: str, now: datetime, *, may_add: bool = True
) -> tuple[Member, str]:
    """Return a member and their one-time sign-in link.

    A new member becomes an admin while there is none; the address of SALES_TO that `serve`
    invites counts only once it has signed in. Raises NoSuchMember if there is an admin, unless
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
        kind, subject = AuditKind.MEMBER_ADDED, f"member {member.id}"
        Actor(now).note(session, kind, subject, role=member.role)
    else:
        Actor(now).note(session, AuditKind.LINK_MADE, f"member {member.id}")
    return member, _absolute(settings, _store_link(session, member, now))


def _is_seeded(session: Session, settings: Settings, admin: Member) -> bool:
    """Say whether an admin was created by `serve` and has never signed in."""
    sessions = select(DeskSession.id).where(DeskSession.member_id == admin.id)
    is_first = admin.email == capture.normalize_email(settings.sales_to[0])
    return is_first and session.scalar(sessions.limit(1)) is None


def mail_link(
    session: Session,
    settings: Settings,
    email: str,
    at: datetime,
    *,
    browser: str,
    is_known: bool = False,
) -> None:
    """Email a member a sign-in link; do the same work for other addresses, without an email.

    If a recently emailed link still works, its life is extended instead, and no
    other one is emailed, unless the `browser` `is_known` to have signed in before. For an address
    that isn't a member's, an email is queued and withdrawn before the commit: the response time
    must not reveal who is a member.
    """
    member = find_member(session, email, lock=True)
    to, member_id = (member.email, member.id) if member else (email, NOBODY)
    mailed = (SignInLink.member_id == member_id, SignInLink.is_mailed)
    fresh = (*mailed, SignInLink.used_at.is_(None), SignInLink.created_at > at - LINK_LIFE)
    has_link = session.scalar(select(func.count()).where(*fresh))
    session.execute(update(SignInLink).where(*fresh).values(expires_at=at + LINK_LIFE))
    hour = (SignInLink.created_at > at - timedelta(hours=1), _is_of(browser))
    own = session.scalar(select(func.count()).where(*mailed, *hour)) or 0
    is_sent = member is not None and (not has_link or (is_known and own < OWN_MAILS))
    code = code_of(settings.secret, browser)
    token = _store_link(session, member, at, browser=browser, code=code, is_mailed=is_sent)
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


def code_of(secret: str, browser: str) -> str:
    """Return the six-digit code for the browser that asked for a link."""
    return f"{int(derived_token(secret, 'sign-in-code', browser)[:12], 16) % 10**6:06}"


def _is_of(browser: str) -> ColumnElement[bool]:
    return SignInLink.browser_hash == token_hash(browser)


def _store_link(
    session: Session,
    member: Member | None,
    at: datetime,
    *,
    browser: str = "",
    code: str = "",
    is_mailed: bool = False,
) -> str:
    token = new_token()
    session.add(
        SignInLink(
            token_hash=token_hash(token),
            member_id=member.id if member else None,
            created_at=at,
            expires_at=at + LINK_LIFE,
            browser_hash=token_hash(browser) if browser else None,
            code=code or None,
            is_mailed=is_mailed,
        )
    )
    session.flush()
    return token


def is_usable(session: Session, token: str, now: datetime) -> bool:
    """Say whether a link is still valid, without using it."""
    query = select(SignInLink.id).where(*_usable(token, now))
    return session.scalar(query) is not None


def needs_code(session: Session, token: str, now: datetime, browser: str) -> bool:
    """Say whether another browser asked for the link."""
    bound = (*_usable(token, now), SignInLink.browser_hash.is_not(None))
    member_id = session.scalar(select(SignInLink.member_id).where(*bound))
    return member_id is not None and not _has_asked(session, member_id, now, _is_of(browser))


def claim(
    session: Session, token: str, now: datetime, browser: str = "", code: str = ""
) -> Member | None:
    """Use a link: return its member, once; None if it is unknown, used or expired.

    Also None in another browser without the right code; after a few wrong
    codes the link is used up. One conditional update decides, so of two simultaneous
    uses one succeeds.
    """
    if needs_code(session, token, now, browser):
        of_link = select(SignInLink.member_id).where(SignInLink.token_hash == token_hash(token))
        member_id = session.scalar(of_link) or NOBODY
        if not _has_asked(session, member_id, now, SignInLink.code == "".join(code.split())):
            _count_wrong_code(session, token, now)
            return None
    used = update(SignInLink).where(*_usable(token, now)).values(used_at=now)
    if rows_changed(session, used) != 1:
        return None
    query = select(Member).join(SignInLink, SignInLink.member_id == Member.id)
    return session.scalar(query.where(SignInLink.token_hash == token_hash(token)))


def _has_asked(session: Session, member_id: int, now: datetime, which: ColumnElement[bool]) -> bool:
    asked = (SignInLink.member_id == member_id, SignInLink.expires_at > now, which)
    return session.scalar(select(SignInLink.id).where(*asked).limit(1)) is not None


def _count_wrong_code(session: Session, token: str, now: datetime) -> None:
    link = session.scalars(
        select(SignInLink).where(SignInLink.token_hash == token_hash(token)).with_for_update()
    ).one()
    link.tries += 1
    if link.tries >= MOST_TRIES:
        link.used_at = now


def note_refusal(session: Session, token: str, now: datetime) -> None:
    """Record in the audit log that a link or its code was refused, with its member."""
    of_link = select(SignInLink.member_id).where(SignInLink.token_hash == token_hash(token))
    member_id = session.scalar(of_link)
    subject = f"member {member_id}" if member_id else "unknown link"
    Actor(now).note(session, AuditKind.SIGN_IN_REFUSED, subject)


def _usable(token: str, now: datetime) -> tuple:
    is_member = select(Member.id).where(Member.removed_at.is_(None))
    return (
        SignInLink.token_hash == token_hash(token),
        SignInLink.used_at.is_(None),
        SignInLink.expires_at > now,
        SignInLink.member_id.in_(is_member),
    )
