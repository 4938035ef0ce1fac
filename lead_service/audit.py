"""The audit trail: who changed what, and when; ids and plain words, nothing about a visitor."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from .db import Base
from .members import Member

Detail = str | int | bool | None | list[str]


class AuditEntry(Base):
    """One change that a person made; without a member it was made on the command line."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey(Member.id), index=True)
    what: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(60), index=True)  # "lead 5", "member 2", "host 1"
    detail: Mapped[dict[str, Detail]] = mapped_column(JSON, default=dict)


def note(
    session: Session,
    member_id: int | None,
    what: str,
    subject: str,
    at: datetime,
    **detail: Detail,
) -> None:
    """Add a line to the trail, in the transaction of the change that it tells of.

    `what` is a word such as "stage_changed", `subject` a table with an id, such as "lead 5".
    The trail outlives an erased lead, so `detail` takes ids, numbers, choices from a list and
    names of fields, never what somebody typed: no name, no address, no text.
    """
    entry = AuditEntry(member_id=member_id, what=what, subject=subject, at=at, detail=detail)
    session.add(entry)
