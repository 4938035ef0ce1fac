"""Sessions of members: start, find, and end them."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, joinedload

from ...accounts.members import DeskSession, Member, SignInLink
from ...db.base import rows_changed
from ...settings import Settings
from ...web.tokens import new_token, token_hash

# By what a User-Agent tells them apart, the first that fits: most claim to be Safari as well.
BROWSERS = (
    *(("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet")),
    *(("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome")),
    ("Safari", "Safari"),
)
SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux")),
)
SEEN_EVERY = timedelta(minutes=5)  # writing it with every page would buy nothing


def start_session(session: Session, member: Member, now: datetime, user_agent: str = "") -> str:
    """Start a session and return its id, of which only the hash is kept."""
    id, times = new_token(), {"created_at": now, "seen_at": now}
    session.add(
        DeskSession(
            id_hash=token_hash(id),
            member_id=member.id,
            browser=browser_name(user_agent),
            **times,
        )
    )
    return id


def browser_name(user_agent: str) -> str:
    """Name the browser and the system of a User-Agent, as far as both are well known."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "A browser")
    system = next((name for sign, name in SYSTEMS if sign in user_agent), "")
    return f"{browser} on {system}" if system else browser


def of_member(
    session: Session, settings: Settings, member: Member, now: datetime
) -> list[DeskSession]:
    """Return the live sessions of a member, the one used last first."""
    query = select(DeskSession).where(DeskSession.member_id == member.id, *_live(settings, now))
    return list(session.scalars(query.order_by(DeskSession.seen_at.desc(), DeskSession.id)))


def live_session(
    session: Session, settings: Settings, id: str, now: datetime
) -> DeskSession | None:
    """Find a session that has neither ended nor outlived its limits nor lost its member."""
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
    """Note that a session is in use; one that ended meanwhile stays ended."""
    query = update(DeskSession).where(DeskSession.id == id, DeskSession.ended_at.is_(None))
    session.execute(query.values(seen_at=now))


def end_session(session: Session, id: str, now: datetime) -> None:
    """End a session; its id opens nothing any more, wherever it is kept."""
    query = update(DeskSession).where(
        DeskSession.id_hash == token_hash(id), DeskSession.ended_at.is_(None)
    )
    session.execute(query.values(ended_at=now))


def end_own_session(session: Session, member: Member, id: int, at: datetime) -> bool:
    """End the session with that number if it is the member's; say whether there was one."""
    own = (DeskSession.id == id, DeskSession.member_id == member.id)
    query = update(DeskSession).where(*own, DeskSession.ended_at.is_(None))
    return bool(rows_changed(session, query.values(ended_at=at)))


def end_sessions(session: Session, member: Member, at: datetime) -> int:
    """End every session of a member and every link that could start one; count the sessions."""
    open_links = (SignInLink.member_id == member.id, SignInLink.used_at.is_(None))
    session.execute(update(SignInLink).where(*open_links).values(used_at=at))
    live = (DeskSession.member_id == member.id, DeskSession.ended_at.is_(None))
    return rows_changed(session, update(DeskSession).where(*live).values(ended_at=at))
