"""What every application compiles when it starts, kept for the next test's application.

A test has an application of its own, and most of its time went into compiling the same templates,
routes and statements once more. What is kept is looked up by what it was compiled from.
"""

from collections.abc import Callable
from types import CodeType
from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from werkzeug.routing import Rule

from lead_service.db import engine


class Templates(BytecodeCache):
    """The templates that this process has compiled, by name and source."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code
        self._known[bucket.key, bucket.checksum] = bucket.code


def keep_routes() -> None:
    """Compile what builds a route's address once a process, whichever application asks.

    The function is handed its rule when it is called, and holds nothing but the rule's text.
    """
    compile_builder = Rule._compile_builder
    known: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}

    def kept(self: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if self.defaults:  # written into the function
            return compile_builder(self, append_unknown)
        key = (self.rule, tuple(self._trace), append_unknown)
        if key not in known:
            known[key] = compile_builder(self, append_unknown)
        return known[key]

    Rule._compile_builder = kept  # type: ignore[method-assign] # there is no public way


def keep_statements() -> None:
    """Compile a statement once a process and kind of database, whichever engine asks.

    SQLAlchemy keeps what it compiled by the engine's dialect: those of one kind are one here.
    """
    open_engine = engine.open_engine
    known: dict[str, Any] = {}

    def open_with_known(url: str) -> Engine:
        engine = open_engine(url)
        engine._compiled_cache = known.setdefault(engine.dialect.name, engine._compiled_cache)
        return engine

    engine.open_engine = open_with_known
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore
