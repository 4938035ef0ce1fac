"""Sessions of members: start, find, and end them."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, joinedload

from ...accounts.members import DeskSession, Member, SignInLink
from ...db.base import rows_changed
from ...settings import Settings
from ...web.tokens import new_token, token_hash

# Words in a User-Agent, the first match counts: most browsers also claim to be Safari.
BROWSERS = (
    *(("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet")),
    *(("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome")),
    ("Safari", "Safari"),
)
SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux")),
)
SEEN_EVERY = timedelta(minutes=5)  # often enough, without writing for each page


def start_session(session: Session, member: Member, now: datetime, user_agent: str = "") -> str:
    """Start a session and return its id; only its hash is stored."""
    id = new_token()
    started = DeskSession(id_hash=token_hash(id), member_id=member.id, created_at=now, seen_at=now)
    started.browser = browser_name(user_agent)
    session.add(started)
    return id


def browser_name(user_agent: str) -> str:
    """Name the browser and system of a User-Agent, if they are well known."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "A browser")
    system = next((name for sign, name in SYSTEMS if sign in user_agent), "")
    return f"{browser} on {system}" if system else browser


def of_member(
    session: Session, settings: Settings, member: Member, now: datetime
) -> list[DeskSession]:
    """Return the live sessions of a member, last used first."""
    query = select(DeskSession).where(DeskSession.member_id == member.id, *_live(settings, now))
    return list(session.scalars(query.order_by(DeskSession.seen_at.desc(), DeskSession.id)))


def live_session(
    session: Session, settings: Settings, id: str, now: datetime
) -> DeskSession | None:
    """Find a session that hasn't ended or expired and whose member wasn't removed."""
    query = (
        select(DeskSession)
        .join(DeskSession.member)
        .where(
            DeskSession.id_hash == token_hash(id),
            *_live(settings, now),
            Member.removed_at.is_(None),
        )
        .options(joinedload(DeskSession.member))
    )
    return session.scalar(query)


def _live(settings: Settings, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        DeskSession.ended_at.is_(None),
        DeskSession.seen_at > now - timedelta(hours=settings.desk_idle_hours),
        DeskSession.created_at > now - timedelta(days=settings.desk_session_days),
    )


def saw(session: Session, id: int, now: datetime) -> None:
    """Store a session's last use, unless it has ended in the meantime."""
    query = update(DeskSession).where(DeskSession.id == id, DeskSession.ended_at.is_(None))
    session.execute(query.values(seen_at=now))


def end_session(session: Session, id: str, now: datetime) -> None:
    """End a session, so that copies of its cookie open nothing."""
    query = update(DeskSession).where(
        DeskSession.id_hash == token_hash(id), DeskSession.ended_at.is_(None)
    )
    session.execute(query.values(ended_at=now))


def end_own_session(session: Session, member: Member, id: int, at: datetime) -> bool:
    """End the session with this id if it is the member's; return whether it was."""
    own = (DeskSession.id == id, DeskSession.member_id == member.id)
    query = update(DeskSession).where(*own, DeskSession.ended_at.is_(None))
    return bool(rows_changed(session, query.values(ended_at=at)))


def end_sessions(session: Session, member: Member, at: datetime) -> int:
    """End all sessions and sign-in links of a member; return the number of sessions."""
    open_links = (SignInLink.member_id == member.id, SignInLink.used_at.is_(None))
    session.execute(update(SignInLink).where(*open_links).values(used_at=at))
    live = (DeskSession.member_id == member.id, DeskSession.ended_at.is_(None))
    return rows_changed(session, update(DeskSession).where(*live).values(ended_at=at))
