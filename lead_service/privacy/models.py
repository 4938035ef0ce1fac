"""The mark that an erased email address leaves, and what retention is about to erase."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base


class Suppression(Base):
    """The mark that an erased address leaves: that it was erased, and when.

    The digest is keyed, so that a thief of the database cannot try addresses against it.
    """

    __tablename__ = "suppression"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


class RetentionPlan(Base):
    """The one row that says as of when the next daily run erases what is old."""

    __tablename__ = "retention_plan"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    as_of: Mapped[datetime]
