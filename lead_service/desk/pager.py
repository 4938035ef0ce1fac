"""Long lists by key: the page after a row, not page number N, so that depth costs nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from flask import abort
from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")

PAGE = 50
# An instant in whole seconds (ten digits reach the year 2286), and an id.
KEY = re.compile(r"(\d{1,10})-(\w{1,32})", re.ASCII)
LARGEST_ID = 2**31 - 1  # a larger one is an error to PostgreSQL; SQLite's driver stops at 2**63


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows, newest first; `following` is the `before` of the next page, if there is one."""

    rows: Sequence[Row]
    following: str | None


def newest_first(
    session: Session,
    query: Select[tuple[Row]],
    at: InstrumentedAttribute[datetime],
    id: InstrumentedAttribute[Any],
    before: str | None,
) -> Page[Row]:
    """Run `query` for one page, ordered by `at` and `id`; 404 for a `before` nobody was given."""
    if before:
        query = query.where(_older(at, id, before))
    found = session.scalars(query.order_by(at.desc(), id.desc()).limit(PAGE + 1)).all()
    if len(found) <= PAGE:
        return Page(found, None)
    last = found[PAGE - 1]
    return Page(found[:PAGE], f"{getattr(last, at.key).timestamp():.0f}-{getattr(last, id.key)}")


def _older(at: InstrumentedAttribute, id: InstrumentedAttribute, before: str) -> ColumnElement:
    if not (key := KEY.fullmatch(before)):
        abort(404)
    try:
        last = id.type.python_type(key[2])
    except ValueError:
        abort(404)
    if isinstance(last, int) and last > LARGEST_ID:
        abort(404)
    instant = datetime.fromtimestamp(int(key[1]), UTC)
    return or_(at < instant, and_(at == instant, id < last))
