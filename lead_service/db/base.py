"""The base class of every table, column types, and statements that both databases take."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, TypeVar

from sqlalchemy import (
    CursorResult,
    DateTime,
    Insert,
    MetaData,
    String,
    Table,
    UpdateBase,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

# The number of an erased row is not given to another: people read these numbers for years.
NUMBERS_FOR_LIFE = {"sqlite_autoincrement": True}

Kind = TypeVar("Kind", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware datetimes in, aware UTC out; naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class StoredEnum(TypeDecorator[Kind]):
    """A StrEnum, stored as its values; ValueError for anything that is none of them."""

    impl = String
    cache_ok = True

    def __init__(self, kinds: type[Kind], length: int) -> None:
        super().__init__(length)
        self.kinds = kinds

    def process_bind_param(self, value: Kind | str | None, dialect) -> str | None:
        return None if value is None else self.kinds(value).value

    def process_result_value(self, value: str | None, dialect) -> Kind | None:
        return None if value is None else self.kinds(value)


def values(kinds: Iterable[StrEnum]) -> tuple[str, ...]:
    """Return the plain values of members, as SQL text takes them: `f"state IN {values(State)}"`."""
    return tuple(kind.value for kind in kinds)


class Base(DeclarativeBase):
    """The base of every table; constraints have names, so that `broken_rule` can tell them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime}
    __table__: ClassVar[Table]  # no class is mapped to anything else


def insert_unless(session: Session, model: type[Base], column: str, **values: Any) -> Any:
    """Insert a row, unless one with the same unique `column` is there; return its id, or None.

    Waits for another transaction that inserts the same. One statement that is built once, where
    the unit of work and a savepoint take four and ten times as long: every form that is sent
    writes several such rows. What a mapper's events derive is not derived here.
    """
    statement = _insert_unless(session.get_bind().dialect.name, model, column)
    result = session.connection().execute(statement, values)
    key = result.inserted_primary_key
    return key[0] if result.rowcount and key else None


@cache
def _insert_unless(dialect: str, model: type[Base], column: str) -> Insert:
    statement = upsert(dialect, model).on_conflict_do_nothing(index_elements=[column])
    return statement.execution_options(preserve_rowcount=True)


def upsert(dialect: str, model: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """Begin an INSERT that can say what a conflict does, in the dialect of that name."""
    if dialect == "sqlite":
        return sqlite.insert(model.__table__)
    return postgresql.insert(model.__table__)


def rows_changed(session: Session, statement: UpdateBase) -> int:
    """Run an UPDATE or a DELETE; return how many rows it changed."""
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


def broken_rule(error: IntegrityError) -> str:
    """Name the constraint that `error` broke, by one name on both databases.

    PostgreSQL says the name. SQLite names a CHECK, but of a unique constraint only the
    columns, `table.a, table.b`: the convention above makes the same name of them.
    """
    if name := getattr(getattr(error.orig, "diag", None), "constraint_name", None):
        return name
    kind, _, what = str(error.orig).partition(" constraint failed: ")
    if kind != "UNIQUE":
        return what
    columns = [column.split(".") for column in what.split(", ")]
    return "_".join(["uq", columns[0][0], *(name for _, name in columns)])
