"""Sessions of members: start, find, and end them."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from ...accounts.members import DeskSession, Member, SignInLink
from ...db.engine import rows_changed
from ...settings import Settings
from ...web.tokens import new_token, token_hash

SEEN_EVERY = timedelta(minutes=5)  # writing it with every page would buy nothing


def start_session(session: Session, member: Member, now: datetime) -> str:
    """Start a session and return its id, of which only the hash is kept."""
    id = new_token()
    session.add(
        DeskSession(id_hash=token_hash(id), member_id=member.id, created_at=now, seen_at=now)
    )
    return id


def live_session(
    session: Session, settings: Settings, id: str, now: datetime
) -> DeskSession | None:
    """Find a session that has neither ended nor outlived its limits nor lost its member."""
    query = (
        select(DeskSession)
        .join(DeskSession.member)
        .where(
            DeskSession.id_hash == token_hash(id),
            DeskSession.ended_at.is_(None),
            DeskSession.seen_at > now - timedelta(hours=settings.desk_idle_hours),
            DeskSession.created_at > now - timedelta(days=settings.desk_session_days),
            Member.removed_at.is_(None),
        )
        .options(joinedload(DeskSession.member))
    )
    return session.scalar(query)


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


def end_sessions(session: Session, member: Member, at: datetime) -> int:
    """End every session of a member and every link that could start one; count the sessions."""
    open_links = (SignInLink.member_id == member.id, SignInLink.used_at.is_(None))
    session.execute(update(SignInLink).where(*open_links).values(used_at=at))
    live = (DeskSession.member_id == member.id, DeskSession.ended_at.is_(None))
    return rows_changed(session, update(DeskSession).where(*live).values(ended_at=at))
