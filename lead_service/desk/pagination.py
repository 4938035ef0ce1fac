"""Keyset pagination: a page starts after a row, so that later pages are as fast as the first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from flask import abort, request
from sqlalchemy import ColumnElement, Date, Select, SQLColumnExpression, String, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..db.base import row_id

Row = TypeVar("Row")
Cursor = tuple[Any, Any]  # a row's sort value, and its id

PAGE = 50
# An instant in seconds (ten digits reach the year 2286) or a day's ordinal, and an id.
KEY = re.compile(r"(\d{1,10})-(\w{1,32})", re.ASCII)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A page of rows; `following` is the next page's `before`, if there is one."""

    rows: Sequence[Row]
    following: str | None


@dataclass(frozen=True)
class Order:
    """The order of a list: by an instant, a day or a text, then by id."""

    by: InstrumentedAttribute[Any] | ColumnElement[Any]
    id: InstrumentedAttribute[Any]
    is_descending: bool = True

    def columns(self) -> Sequence[SQLColumnExpression[Any]]:
        both = (self.by, self.id)
        return [one.desc() for one in both] if self.is_descending else both

    def beyond(self, place: Cursor) -> ColumnElement[bool]:
        """Select the rows after a cursor.

        The first comparison is redundant, but lets the database use an index.
        """
        at, id = place
        if self.is_descending:
            return and_(self.by <= at, or_(self.by < at, self.id < id))
        return and_(self.by >= at, or_(self.by > at, self.id > id))

    def key(self, place: Cursor) -> str:
        """Write a cursor for an address; with only the id for a text, which may be a name."""
        at, id = place
        if isinstance(at, datetime):
            return f"{at.timestamp():.0f}-{id}"
        return f"{at.toordinal() if isinstance(at, date) else 0}-{id}"

    def place(self, session: Session, key: str) -> Cursor:
        """Parse a cursor from an address; 404 for an invalid one."""
        number, id = _parts(key, self.id)
        if isinstance(self.by.type, String):
            return session.scalar(select(self.by).where(self.id == id)) or abort(404), id
        if isinstance(self.by.type, Date):
            is_day = 0 < number <= date.max.toordinal()
            return date.fromordinal(number) if is_day else abort(404), id
        return datetime.fromtimestamp(number, UTC), id


def page(session: Session, query: Select[Any], order: Order) -> Page[Any]:
    """Run `query`, whose first column is the row, for the page in the address; 404 if unknown."""
    if before := request.args.get("before"):
        query = query.where(order.beyond(order.place(session, before)))
    query = query.add_columns(order.by, order.id).order_by(*order.columns()).limit(PAGE + 1)
    found = session.execute(query).all()
    rows = [row[0] for row in found[:PAGE]]
    if len(found) <= PAGE:
        return Page(rows, None)
    return Page(rows, order.key((found[PAGE - 1][-2], found[PAGE - 1][-1])))


def _parts(key: str, id: InstrumentedAttribute) -> tuple[int, Any]:
    if not (found := KEY.fullmatch(key)):
        abort(404)
    is_number = id.type.python_type is int
    return int(found[1]), (row_id(found[2]) if is_number else found[2]) or abort(404)
