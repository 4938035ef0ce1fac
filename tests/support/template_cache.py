"""What every application compiles when it starts, kept for the next test's application.

A test has an application of its own, and most of its time went into compiling the same templates,
routes and statements once more. What is kept is looked up by what it was compiled from.
"""

import functools
from types import CodeType
from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from werkzeug.routing import Rule

from lead_service.db import engine
from lead_service.publishing import site


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
    """Compile a route once a process, whichever application asks.

    What is compiled holds nothing but the rule's text, and is handed its rule when it is called.
    """
    compile_rule = Rule.compile
    known: dict[str, dict[str, Any]] = {}

    def compile_once(self: Rule) -> None:
        if self.defaults:  # written into what is compiled
            return compile_rule(self)
        if self.rule not in known:
            compile_rule(self)
            made = {name: vars(self)[name] for name in ("_parts", "_trace", "_converters")}
            builds = {name: vars(self)[name].__func__ for name in ("_build", "_build_unknown")}
            known[self.rule] = made | builds | {"arguments": self.arguments}
        found = known[self.rule]
        vars(self).update(found)
        self._build = found["_build"].__get__(self)
        self._build_unknown = found["_build_unknown"].__get__(self)

    Rule.compile = compile_once  # type: ignore[method-assign] # there is no public way


def keep_frameworks() -> None:
    """Read the text of a framework once a process: nothing in it can be changed."""
    site.load = functools.cache(site.load)


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
