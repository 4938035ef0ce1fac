"""Check the rules between the parts of the framework file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from .yaml_source import Fault, KeyPath

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from .types import Answer, Band, Engagement, Step

WORD = "ACTION"
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
_WORDING = {
    "missing": "is missing",
    "string_type": "must be text",
    "string_too_short": "is empty",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must be lower-case words joined by hyphens, like budget-owner",
    "unexpected_keyword_argument": "unknown key",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "bool_parsing": "must be yes or no",
    "bool_type": "must be true or false",
    "date_type": "must be a day such as 2025-03-31",
    "literal_error": "must be {expected}",
    "tuple_type": "must be a list, like [one, two]",
    "dict_type": "must be a set of keys",
    "mapping_type": "must be a set of keys",
    "dataclass_type": "must be a set of keys",
}


def part(kind: TypeAdapter[Any], name: str, data: Mapping[str, object], faults: list[Fault]) -> Any:
    """Build one part of a file; if it has faults, add them and return an empty one."""
    if name not in data:
        faults.append(((name,), "is missing"))
        return ()
    try:
        return kind.validate_python(data[name])
    except ValidationError as error:
        faults += worded(error.errors(), (name,))
        return ()


def worded(errors: "Iterable[ErrorDetails]", start: KeyPath) -> Iterator[Fault]:
    """Write pydantic's errors for editors who don't program."""
    for error in errors:
        path, limits = (*start, *error["loc"]), error.get("ctx", {})
        if error["type"] in ("too_short", "too_long"):
            yield from _miscounted(path, len(error["input"]), **limits)
        else:
            wording = _WORDING.get(error["type"])
            yield path, wording.format(**limits) if wording else error["msg"]


def _miscounted(path: KeyPath, has: int, **limits: Any) -> Iterator[Fault]:
    """Skip the error of a list that is too short only because items in it have errors."""
    least, most = limits.get("min_length", 0), limits.get("max_length", has)
    if not least <= has <= most:
        yield path, f"needs {_counted(least, most, has, path[-1])}, has {has}"


def _counted(least: int, most: int, has: int, key: str | int) -> str:
    noun = str(key).replace("_", " ")
    if has > most:
        return f"{_NUMBERS[most]} {noun} at most"
    return f"{_NUMBERS[least]} {noun}" if least > 1 else "at least one"


def faults(
    steps: Sequence["Step"],
    bands: Sequence["Band"],
    engagements: Sequence["Engagement"],
) -> Iterator[Fault]:
    """Yield every fault between values; an empty part has failed already and is skipped."""
    yield from _step_faults(steps)
    yield from _repeated("slug", ((("bands", i), band) for i, band in enumerate(bands)))
    yield from _band_faults(bands)
    yield from _repeated("slug", ((("engagements", i), one) for i, one in enumerate(engagements)))


def _step_faults(steps: Sequence["Step"]) -> Iterator[Fault]:
    spelled = "".join(step.letter for step in steps)
    if steps and spelled != WORD:
        yield ("steps",), f"the letters must spell {WORD}, they spell {spelled}"
    yield from _repeated("slug", ((("steps", i), step) for i, step in enumerate(steps)))
    questions = [
        (("steps", i, "questions", j), question)
        for i, step in enumerate(steps)
        for j, question in enumerate(step.questions)
    ]
    yield from _repeated("id", questions)
    for path, question in questions:
        answers = [((*path, "answers", k), one) for k, one in enumerate(question.answers)]
        yield from _repeated("id", answers)
        yield from _first_move_faults(answers)


def _first_move_faults(answers: "Sequence[tuple[KeyPath, Answer]]") -> Iterator[Fault]:
    *_, (_, best) = answers
    for path, answer in answers:
        if answer is best and answer.first_move is not None:
            yield (*path, "first_move"), "the last answer is the best one, so it can't have one"
        if answer is not best and answer.first_move is None:
            yield (*path, "first_move"), "is missing: each answer except the best needs one"


def _repeated(key: str, items: Iterable[tuple[KeyPath, Any]]) -> Iterator[Fault]:
    seen = set()
    for path, item in items:
        name = getattr(item, key)
        if name in seen:
            yield (*path, key), f"{name} is used twice"
        seen.add(name)


def _band_faults(bands: Sequence["Band"]) -> Iterator[Fault]:
    uncovered = 0
    for i, band in sorted(enumerate(bands), key=lambda item: item[1].lowest):
        if band.highest < band.lowest:
            yield ("bands", i, "to"), f"{band.highest} is below its from, {band.lowest}"
        if band.lowest > uncovered:
            missed = _range(uncovered, band.lowest - 1)
            yield ("bands", i, "from"), f"{missed} no band"
        if band.lowest < uncovered:
            yield ("bands", i, "from"), f"{band.lowest} is already in another band"
        uncovered = max(uncovered, band.highest + 1)
    if bands and uncovered <= 100:
        yield ("bands",), f"{_range(uncovered, 100)} no band"


def _range(first: int, last: int) -> str:
    return f"{first} has" if first == last else f"{first} to {last} have"
