"""Create rows for a database of any schema: two per table, fitting its columns."""

import re
import warnings
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    inspect,
    select,
)
from sqlalchemy.exc import SAWarning

import lead_service.ops.serving  # noqa: F401 (defines the tables of every part)
from lead_service.db.base import Base, StoredEnum

CHOICE = re.compile(r"^\W*(\w+).*?'([^']*)'")  # "stage" IN ('new', …), as either database says it
# Values on which several columns of a row have to agree.
AGREED = {"opens": (540, 600), "closes": (660, 720), "weekday": (0, 1)}
AGREED |= dict.fromkeys(("duration", "interval", "buffer_before", "buffer_after"), (30, 45))


def tables(connection: Connection) -> list[Table]:
    """Read the present schema; parents come before their children."""
    found = MetaData()
    with warnings.catch_warnings(action="ignore", category=SAWarning):  # of an expression's index
        found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def fill(connection: Connection) -> None:
    """Insert rows into every table."""
    for table in tables(connection):
        connection.execute(table.insert(), rows(connection, table))


def rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    """Create the rows of one table, each with its own number."""
    choices = _choices(connection, table)
    numbers = (1,) if table.name in {"outbox_pause", "demo_data", "retention_plan"} else (1, 2)
    return [
        {one.name: choices.get(one.name, value(one, number)) for one in table.columns}
        for number in numbers
    ]


def held(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table by the names of its columns."""
    return {
        table.name: sorted(
            (dict(row) for row in connection.execute(select(table)).mappings()), key=str
        )
        for table in tables(connection)
    }


def value(column: Column, number: int) -> Any:
    """Return the value of a column in the row with that number."""
    for key in column.foreign_keys:
        return value(key.column, number)
    if column.name in AGREED:
        return AGREED[column.name][number - 1]
    if kinds := _kinds(column):
        return next(iter(kinds))
    late = column.name.startswith(("ends", "last"))
    if isinstance(column.type, Boolean):
        return number == 2
    if isinstance(column.type, Integer):
        return number
    if isinstance(column.type, DateTime):
        return datetime(2026, 1, number, 9 + late, tzinfo=UTC)
    if isinstance(column.type, Date):
        return date(2026, 1 + late, number)
    if isinstance(column.type, JSON):
        return {"n": number}
    return f"{number} {column.name}"[: getattr(column.type, "length", None)]


def _kinds(column: Column) -> type[StrEnum] | None:
    """Return the enum whose values today's model allows in a column, if it does."""
    today = Base.metadata.tables[column.table.name].columns.get(column.name)
    return today.type.kinds if today is not None and isinstance(today.type, StoredEnum) else None


def _choices(connection: Connection, table: Table) -> dict[str, str]:
    """Return the first of the words that a CHECK allows, by the name of the column."""
    checks = inspect(connection).get_check_constraints(table.name)
    found = filter(None, (CHOICE.search(one["sqltext"]) for one in checks))
    return {one[1]: one[2] for one in found}
