"""What is left of rows that were erased: numbers, of which nobody can be told."""

from datetime import date

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class FunnelCount(Base):
    """How often something happened in one week by way of one article, as far as it is erased."""

    __tablename__ = "funnel_count"
    __table_args__ = (CheckConstraint("number >= 0", name="number"),)

    week: Mapped[date] = mapped_column(primary_key=True)  # its Monday, in UTC
    article: Mapped[str] = mapped_column(String(120), primary_key=True)  # slug; empty: none
    what: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
