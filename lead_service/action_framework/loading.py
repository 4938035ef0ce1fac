"""Load and check the framework from docs/framework.yml.

The site and the service share this model. Everything that either of them relies on is checked
here, once, on load, so that no later code needs to check it again.
"""

from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from . import checks, phases, reasons
from .types import _LATER, Framework
from .yaml_source import Fault, decode, parse_yaml


class FrameworkError(ValueError):
    """The framework file has faults: one line for each, with its line and key."""


def load(text: str | bytes, *, kept: bool = False) -> Framework:
    """Load a framework from its YAML text, or its file's bytes; `FrameworkError` lists all faults.

    The rules inside a part (steps, bands) are checked as soon as that part has its shape; the
    rules between parts once both have theirs. Pass `kept` for a version that was published
    before: stored results depend on it, so parts that it lacks get defaults.
    """
    try:
        text = text if isinstance(text, str) else decode(text)
        source = parse_yaml(text)
    except ValueError as error:
        raise FrameworkError(str(error)) from error
    faults = [] if kept else [*source.faults, *_unknown_parts(source.data)]
    data = source.data if isinstance(source.data, dict) else {}
    data = _LATER | data if kept else data
    parts = {name: _part(name, data, faults) for name in _PARTS}
    faults += checks.faults(parts["steps"], parts["bands"], parts["engagements"])
    if not kept:
        faults += phases.faults(
            parts["steps"],
            parts["bands"],
            parts["engagements"],
            parts["phases"],
            parts["diagnosis"],
        )
        faults += reasons.faults(parts["steps"], parts["engagements"], parts["diagnosis"])
    if faults:
        raise FrameworkError(source.describe(faults))
    return Framework(**parts, text=text)


_PARTS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(kind)
    for name, kind in get_type_hints(Framework, include_extras=True).items()
    if name != "text"
}


def _unknown_parts(data: object) -> Iterator[Fault]:
    if isinstance(data, dict):
        yield from (((key,), "unknown key") for key in data if key not in _PARTS)


def _part(name: str, data: Mapping[str, object], faults: list[Fault]) -> Any:
    """Build one part of the file; if it has faults, add them and return an empty one."""
    if name not in data:
        faults.append(((name,), "is missing"))
        return ()
    try:
        return _PARTS[name].validate_python(data[name])
    except ValidationError as error:
        faults += checks.worded(error.errors(), (name,))
        return ()
