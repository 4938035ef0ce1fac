"""The mark that an erased email address leaves."""

from datetime import datetime

from sqlalchemy import (
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base


class Suppression(Base):
    """The mark that an erased address leaves: that it was erased, and when.

    The digest is keyed, so that whoever steals the database cannot try addresses against it.
    """

    __tablename__ = "suppression"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]
