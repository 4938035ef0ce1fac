"""The base class of every table, column types, and statements that both databases take."""

import re
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

# Never reuse the id of an erased row: people refer to these numbers for years.
NUMBERS_FOR_LIFE = {"sqlite_autoincrement": True}

LARGEST_ID = 2**31 - 1  # PostgreSQL refuses a query for a larger one

Kind = TypeVar("Kind", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: takes aware datetimes, returns aware UTC, and refuses naive ones."""

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


def row_id(text: str) -> int:
    """Parse the id of a row; 0, which no row has, for any other text."""
    number = int(text) if re.fullmatch(r"[0-9]{1,10}", text) else 0
    return number if number <= LARGEST_ID else 0


class LabeledEnum(StrEnum):
    """An enum whose members have a label for people: `NEW = "new", "New"`."""

    label: str

    def __new__(cls, value: str, *label: str) -> "LabeledEnum":
        member = str.__new__(cls, value)
        member._value_, (member.label,) = value, label  # type checkers see a lookup as this call
        return member


class StoredEnum(TypeDecorator[Kind]):
    """A StrEnum, stored by value; ValueError for an unknown value."""

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
    """Return the values of enum members for use in SQL text: `f"state IN {values(State)}"`."""
    return tuple(kind.value for kind in kinds)


class Base(DeclarativeBase):
    """The base of every table. Constraints have names, which `broken_rule` returns."""

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
    __table__: ClassVar[Table]  # every class is mapped to a table


def insert_unless(session: Session, model: type[Base], column: str, **values: Any) -> Any:
    """Insert a row, unless one with the same unique `column` exists; return its id, or None.

    Waits for another transaction that inserts the same value. The statement is cached: every
    form that is sent inserts several such rows, and the unit of work and a savepoint would
    take four and ten times as long. Mapper events don't run, so they derive no columns.
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
    """Begin an INSERT with a conflict clause in the given dialect."""
    if dialect == "sqlite":
        return sqlite.insert(model.__table__)
    return postgresql.insert(model.__table__)


def rows_changed(session: Session, statement: UpdateBase) -> int:
    """Run an UPDATE or a DELETE; return how many rows it changed."""
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


def broken_rule(error: IntegrityError) -> str:
    """Return the name of the violated constraint, the same on both databases.

    PostgreSQL reports the name. SQLite reports it for a CHECK, but for a unique constraint only the
    columns, `table.a, table.b`, from which the naming convention above gives the name.
    """
    if name := getattr(getattr(error.orig, "diag", None), "constraint_name", None):
        return name
    kind, _, what = str(error.orig).partition(" constraint failed: ")
    if kind != "UNIQUE":
        return what
    columns = [column.split(".") for column in what.split(", ")]
    return "_".join(["uq", columns[0][0], *(name for _, name in columns)])
