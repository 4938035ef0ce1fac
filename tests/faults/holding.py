"""Lock a database from outside, like a long-running writer."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlalchemy.engine import make_url


@contextmanager
def held(url: str) -> Iterator[None]:
    """Block all writes of leads, but no reads."""
    with _connection(url) as connection:
        connection.execute(
            "BEGIN IMMEDIATE" if url.startswith("sqlite") else "LOCK TABLE lead IN EXCLUSIVE MODE"
        )
        yield
        connection.rollback()


@contextmanager
def _connection(url: str) -> Iterator[sqlite3.Connection | psycopg.Connection]:
    parts = make_url(url)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(parts.database or "", isolation_level=None)) as connection:
            yield connection
    else:
        host = str(parts.query["host"])
        with psycopg.connect(host=host, user=parts.username, dbname=parts.database) as connection:
            yield connection
