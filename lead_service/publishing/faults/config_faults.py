"""Explain the faults of mkdocs.yml by line, where MkDocs would name types and parsers.

The Makefile runs this as a program if a build fails before reading the file.
"""

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, ConfigurationError

from ...action_framework import yaml_source

NAMED = re.compile(r"(?:Config value|Plugin|Sub-option|option) '([^']+)':? ")
TYPES = re.compile(r"Expected type: <class '(\w+)'>.*")
UNKNOWN = re.compile(r"Unrecognised configuration name: .*")
WORDS = {"dict": "lines with names and values", "list": "a list", "str": "a text"}
LOST = re.compile(r"(?m)^\s*(?:- )?([\w-]+): +#\S")


class Said(logging.Handler):
    """Collect the log messages of MkDocs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += record.getMessage().splitlines()


def read(path: Path, **own: Any) -> MkDocsConfig:
    """Load mkdocs.yml; raise `Abort` with a line for each fault."""
    said, logger = Said(), logging.getLogger("mkdocs")
    logger.addHandler(said)
    propagates, logger.propagate = logger.propagate, False
    try:
        return load_config(str(path), strict=True, **own)
    except Abort as error:
        source = path.read_text("utf-8")
        faults = [_in_words(line, path.name, source) for line in said.lines]
        raise Abort("\n".join(faults) or str(error)) from None
    except ConfigurationError as error:
        raise Abort(_unreadable(path, error)) from None
    finally:
        logger.removeHandler(said)
        logger.propagate = propagates


def _unreadable(path: Path, error: ConfigurationError) -> str:
    mark = getattr(error.__context__, "problem_mark", None)
    if not mark:
        return str(error)
    line, _, wrong = yaml_source.explain(path.read_text("utf-8"), mark.line + 1).partition(": ")
    return f"{path.name}:{line.removeprefix('line ')}: {wrong}"


def _in_words(message: str, name: str, source: str) -> str:
    keys = NAMED.findall(message)
    if not keys:
        return message
    wrong = UNKNOWN.sub("there is no setting with this name", NAMED.sub("", message))
    wrong = TYPES.sub(lambda found: f"has to be {WORDS.get(found[1], found[1])}", wrong)
    found = re.search(rf"(?m)^\s*(?:- )?{re.escape(keys[-1])}:", source)
    line = f":{source.count(chr(10), 0, found.end()) + 1}" if found else ""
    return f"{name}{line}: {keys[-1]}: {wrong}"


def lost(source: str) -> Iterator[str]:
    """Yield the lines whose value was parsed as a comment, because it begins with #."""
    for found in LOST.finditer(source):
        line = source.count("\n", 0, found.end()) + 1
        yield f"mkdocs.yml:{line}: {found[1]}: {yaml_source.COMMENT}"


if __name__ == "__main__":
    try:
        read(Path("mkdocs.yml"))
    except Abort as error:
        sys.exit(str(error))
