"""Two expressions that each database writes in its own way."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class utc_day(FunctionElement[str]):
    """The date of an instant in UTC, as text: 2026-11-23."""

    type = String()
    inherit_cache = True


@compiles(utc_day, "sqlite")
def _sqlite_day(element: utc_day, compiler: Any, **more: Any) -> str:
    return f"date({compiler.process(element.clauses, **more)})"


@compiles(utc_day, "postgresql")
def _postgresql_day(element: utc_day, compiler: Any, **more: Any) -> str:
    instant = compiler.process(element.clauses, **more)
    return f"to_char(timezone('UTC', {instant}), 'YYYY-MM-DD')"


class given_answers(FunctionElement[str]):
    """The ids of the questions that a JSON object of answers holds, in any order, with spaces."""

    type = String()
    inherit_cache = True


@compiles(given_answers, "sqlite")
def _sqlite_keys(element: given_answers, compiler: Any, **more: Any) -> str:
    answers = compiler.process(element.clauses, **more)
    return f"(SELECT group_concat(key, ' ') FROM json_each({answers}))"


@compiles(given_answers, "postgresql")
def _postgresql_keys(element: given_answers, compiler: Any, **more: Any) -> str:
    answers = compiler.process(element.clauses, **more)
    return f"(SELECT string_agg(id, ' ') FROM json_object_keys({answers}) AS id)"
