"""Distinguish made-up records from real ones, by one row that `lead-service demo` writes.

Other tables have no mark. A backup contains this row together with the records.
"""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ColumnElement, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from .base import Base


class DemoData(Base):
    """The one row that lists the made-up data, while the database has any."""

    __tablename__ = "demo_data"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    made_at: Mapped[datetime]
    addresses: Mapped[list[str]] = mapped_column(JSON)  # of made-up people
    records: Mapped[dict[str, list]] = mapped_column(JSON)  # table name: keys

    def holds(
        self, key: InstrumentedAttribute, at: InstrumentedAttribute[datetime]
    ) -> ColumnElement[bool]:
        """Select the made-up records of a table by key and creation time.

        SQLite may reuse the key of an erased record, so a record created later than the
        made-up data is real.
        """
        return and_(key.in_(self.records.get(key.class_.__tablename__, [])), at < self.made_at)


def find(session: Session) -> DemoData | None:
    """Return the row that lists the made-up data, or None."""
    return session.get(DemoData, 1)


def is_there(session: Session) -> bool:
    """Say whether the database contains made-up data."""
    return session.scalar(select(DemoData.id)) is not None


def is_made_up(session: Session, address: str) -> bool:
    """Say whether an address belongs to a made-up person, who never gets email."""
    demo = find(session)
    return demo is not None and address.lower() in demo.addresses
