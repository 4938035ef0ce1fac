"""Load and check the framework from docs/framework.yml.

The site and the service share this one model. Everything that either of them relies on is checked
here, once, on load, so that no later code needs to check it again.
"""

from collections.abc import Iterator
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from . import checks
from .types import Framework
from .yaml_source import Fault, decode, parse_yaml


class FrameworkError(ValueError):
    """Say what is wrong with a framework file: one line a fault, each naming line and key."""


def load(text: str | bytes, *, kept: bool = False) -> Framework:
    """Load a framework from its YAML text, or its file's bytes; `FrameworkError` lists all faults.

        The rules inside a part (steps, bands) are checked as soon as that part has its shape; the
    rules between parts once both have theirs. A version that is `kept` was published once: results
        rest on it, and however it is written down, it has to open.
    """
    try:
        text = text if isinstance(text, str) else decode(text)
        source = parse_yaml(text)
    except ValueError as error:
        raise FrameworkError(str(error)) from error
    faults = [] if kept else [*source.faults, *_unknown_parts(source.data)]
    parts = {name: _part(name, source.data, faults) for name in _PARTS}
    faults += checks.faults(**parts)
    if faults:
        raise FrameworkError(source.describe(faults))
    return Framework(**parts, text=text)


_PARTS: dict[str, TypeAdapter[tuple[Any, ...]]] = {
    name: TypeAdapter(kind)
    for name, kind in get_type_hints(Framework, include_extras=True).items()
    if name != "text"
}


def _unknown_parts(data: object) -> Iterator[Fault]:
    if isinstance(data, dict):
        yield from (((key,), "unknown key") for key in data if key not in _PARTS)


def _part(name: str, data: object, faults: list[Fault]) -> tuple[Any, ...]:
    """Build one part of the file; note its faults and return nothing when it has any."""
    if not isinstance(data, dict) or name not in data:
        faults.append(((name,), "is missing"))
        return ()
    try:
        return _PARTS[name].validate_python(data[name])
    except ValidationError as error:
        faults += checks.worded(error.errors(), (name,))
        return ()
