"""Put counts, lengths and periods into texts: `{questions}`, `{call_minutes}` and so on. Pure."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from ...action_framework.counts import counted, counts
from ...action_framework.types import Framework
from ...call_types import CallType

WRITTEN = re.compile(r"\{([A-Za-z]\w*)\}")
MEANT = re.compile(r"\{ *([A-Za-z]\w*) *\}")
OF_STEP = "its_questions"  # the count of the page's own step
NO_STEP = "counts the questions of a step: give the page a `step`"
NAMES = (
    *("questions", "steps", "minutes", OF_STEP, "retention", "backup"),
    *("call_minutes", "call_length", "call_description"),
)


def words(framework: Framework, call: CallType, retention: int, backup: int) -> dict[str, str]:
    """Return the values of placeholders by name, capitalized if the name is.

    `call` is the first kind of call, and the periods are in days.
    """
    known = counts(framework)
    found = {"questions": known.questions, "steps": known.steps, "minutes": known.minutes}
    found |= {"call_minutes": f"{call.minutes} minutes", "call_length": call.length}
    found |= {"call_description": call.description}
    found |= {"retention": _period(retention), "backup": _period(backup)}
    return with_capitals(found)


def with_capitals(known: Mapping[str, str]) -> dict[str, str]:
    """Add each value capitalized, by its capitalized name."""
    return {**known, **{name.capitalize(): word.capitalize() for name, word in known.items()}}


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """Replace placeholders in a text, or in all texts of a front matter; leave unknown ones."""
    if isinstance(value, dict):
        return {key: filled(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    return WRITTEN.sub(lambda found: known.get(found[1], found[0]), value)


def wrong(text: str) -> Iterator[tuple[int, str]]:
    """Yield the positions of unknown names in braces, with advice."""
    for found in MEANT.finditer(text):
        name = found[1].lower()
        if found[1] in (name, name.capitalize()) and name in NAMES and " " not in found[0]:
            continue
        near = get_close_matches(name, NAMES, 1, 0.5)
        meant = f"did you mean {{{near[0]}}}?" if near else f"the names are {', '.join(NAMES)}"
        yield found.start(), f"{found[0]} isn't a placeholder: {meant}"


def _period(days: int) -> str:
    years, odd = divmod(days, 365)
    return f"{days} days" if odd or not years else counted(years, "year")
