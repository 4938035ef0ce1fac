"""The digests of erased email addresses, and the plan of the next retention run."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base


class Suppression(Base):
    """The digest of an erased address, with the time of the erasure.

    The digest is keyed, so that a stolen database doesn't allow trying addresses.
    """

    __tablename__ = "suppression"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


class RetentionPlan(Base):
    """The one row with the instant as of which the next daily run erases old rows."""

    __tablename__ = "retention_plan"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    as_of: Mapped[datetime]
