"""Load and check the framework from docs/framework.yml.

The site and the service share this model. Everything that either of them relies on is checked
here, once, on load, so that no later code needs to check it again.
"""

from collections.abc import Iterator
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from . import checks, phases, reasons
from .types import _LATER, Framework
from .yaml_source import DataError, Fault, decode, parse_yaml


def load(text: str | bytes, *, kept: bool = False) -> Framework:
    """Load a framework from its YAML text, or its file's bytes; `DataError` lists all faults.

    The rules inside a part (steps, bands) are checked as soon as that part has its shape; the
    rules between parts once both have theirs. Pass `kept` for a version that was published
    before: stored results depend on it, so parts that it lacks get defaults.
    """
    text = text if isinstance(text, str) else decode(text)
    source = parse_yaml(text)
    faults = [] if kept else [*source.faults, *_unknown_parts(source.data)]
    data = source.data if isinstance(source.data, dict) else {}
    data = _LATER | data if kept else data
    parts = {name: checks.part(kind, name, data, faults) for name, kind in _PARTS.items()}
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
        raise DataError(source.describe(faults))
    return Framework(**parts, text=text)


_PARTS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(kind)
    for name, kind in get_type_hints(Framework, include_extras=True).items()
    if name != "text"
}


def _unknown_parts(data: object) -> Iterator[Fault]:
    if isinstance(data, dict):
        yield from (((key,), "unknown key") for key in data if key not in _PARTS)
