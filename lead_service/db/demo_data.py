"""Tell made-up records from real ones: `lead-service demo` writes one row that lists them.

Other tables know nothing of it. A copy of the database holds the row with the records.
"""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ColumnElement, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from .base import Base


class DemoData(Base):
    """The one row that is there for as long as made-up data is in the database."""

    __tablename__ = "demo_data"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    made_at: Mapped[datetime]
    addresses: Mapped[list[str]] = mapped_column(JSON)  # of its people, at domains without email
    records: Mapped[dict[str, list]] = mapped_column(JSON)  # table name: keys

    def holds(
        self, key: InstrumentedAttribute, at: InstrumentedAttribute[datetime]
    ) -> ColumnElement[bool]:
        """Select the made-up records of a table by its key and the time at which each was made.

        SQLite gives the number of an erased record to the next one: what was made after the
        made-up data is real.
        """
        return and_(key.in_(self.records.get(key.class_.__tablename__, [])), at < self.made_at)


def find(session: Session) -> DemoData | None:
    """Return what is made up in the database, or None."""
    return session.get(DemoData, 1)


def is_there(session: Session) -> bool:
    """Say whether anything in the database is made up."""
    return session.scalar(select(DemoData.id)) is not None


def is_made_up(session: Session, address: str) -> bool:
    """Say whether an address belongs to a made-up person, to whom no email is ever sent."""
    demo = find(session)
    return demo is not None and address.lower() in demo.addresses
