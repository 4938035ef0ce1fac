"""A table for tests, with the naming and types of the product's tables."""

from datetime import UTC, datetime

from sqlalchemy import CheckConstraint, MetaData, UniqueConstraint, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from lead_service.db.base import Base
from lead_service.db.engine import Database

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


class OwnBase(DeclarativeBase):
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    type_annotation_map = Base.type_annotation_map


class Counter(OwnBase):
    __tablename__ = "counter"
    __table_args__ = (
        UniqueConstraint("name", "half"),
        CheckConstraint("value >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    half: Mapped[int] = mapped_column(default=0)
    value: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(default=NOON)


def with_counters(db_url: str) -> Database:
    """Create a database with two counters, `a` and `b`, at 0."""
    database = Database(db_url)
    OwnBase.metadata.create_all(database.engine)
    database.write(lambda session: session.add_all([Counter(name="a"), Counter(name="b")]))
    return database


def value(database: Database, name: str = "a") -> int:
    with database.read() as session:
        return session.scalars(select(Counter.value).where(Counter.name == name)).one()


def set_to(session: Session, name: str, number: int) -> None:
    session.execute(update(Counter).where(Counter.name == name).values(value=number))
