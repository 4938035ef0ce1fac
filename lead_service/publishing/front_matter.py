"""Read a page's front matter, and report its faults by file and line.

handbook/editing.md says what each line does.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic.dataclasses import dataclass as checked
from pydantic_core import PydanticCustomError

from ..action_framework import yaml_source
from ..action_framework.checks import worded
from ..action_framework.types import Text
from ..people import Person
from .cache import hash_of
from .faults import mistakes
from .faults.literals import INVISIBLE

Known = dict[str, Collection[str]]  # valid names: steps, phases, people
Kind = TypeVar("Kind")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, if installed
BEGIN = "begin the file with ---, then title: and the other lines, then --- and the text"
DELIMITED = re.compile(r"(?s)---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)")
DAY = re.compile(r"(\w+): *(\d{4}-\d{2}-\d{2}) *")
QUOTES = "'\"\u201c\u201d\u2018\u2019"
OLD_ADDRESS = re.compile(r"(/[A-Za-z0-9._~-]+)+/?")
_person: TypeAdapter[Any] = TypeAdapter(Person)


def _one_of(kind: str) -> AfterValidator:
    def check(value: str, info: ValidationInfo) -> str:
        known = (info.context or {})[kind]
        if value not in known:
            wrong = "must be one of {names}" if known else "must name a file in docs/people/"
            raise PydanticCustomError("unknown", wrong, {"names": ", ".join(known)})
        return value

    return AfterValidator(check)


def _visible(text: str) -> str:
    if not any(one.isprintable() and not one.isspace() for one in text):
        raise PydanticCustomError("invisible", "must have letters that a reader can see")
    if found := INVISIBLE.search(text) or re.search("[\u200e\u200f]", text):
        wrong = "has an invisible character after {text}: delete it"
        raise PydanticCustomError("invisible", wrong, {"text": repr(text[: found.start()])})
    return text


def _old_address(path: str) -> str:
    if not OLD_ADDRESS.fullmatch(path):
        raise PydanticCustomError("address", "must be addresses such as [/old/path/]")
    return path


def _entries(kind: type) -> BeforeValidator:
    def check(value: object) -> object:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            names = ", ".join(kind.__dataclass_fields__)  # type: ignore[attr-defined]
            wrong = "must be a list, each entry with lines for {names}"
            raise PydanticCustomError("entries", wrong, {"names": names})
        return value

    return BeforeValidator(check)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value or []


Day = Annotated[date, Field(strict=True)]
Step = Annotated[str, _one_of("steps")]


@checked(frozen=True, kw_only=True, config=ConfigDict(str_strip_whitespace=True))
class OfPage:
    """The front matter of any page; its template may read more."""

    title: Annotated[Text, Field(max_length=120), AfterValidator(_visible)]
    description: Annotated[Text, AfterValidator(_visible)]
    step: Step | None = None
    keywords: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = ()
    confirm: tuple[str, ...] = ()
    redirect_from: Annotated[
        tuple[Annotated[str, AfterValidator(_old_address)], ...], BeforeValidator(_listed)
    ] = ()


@checked(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Case:
    """One result of an engagement, with the client's permission."""

    client: Text
    situation: Text
    decision: Text
    result: Text


@checked(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Choice:
    """What to choose in one situation."""

    when: Text
    then: Text


@checked(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Question:
    """A visitor's question with its answer, in which some words are links."""

    question: Text
    answer: Text
    group: Text | None = None
    links: dict[str, str] | None = None


@checked(frozen=True, kw_only=True, config=ConfigDict(str_strip_whitespace=True))
class OfOtherPage(OfPage):
    """The front matter of a page that is no article."""

    template: Annotated[str, _one_of("templates")] | None = None
    charging: Text | None = None
    choices: Annotated[tuple[Choice, ...], _entries(Choice)] = ()
    evidence: Annotated[tuple[Case, ...], _entries(Case)] = ()
    questions: Annotated[tuple[Question, ...], _entries(Question)] = ()


@checked(frozen=True, kw_only=True, config=ConfigDict(str_strip_whitespace=True, extra="forbid"))
class OfArticle(OfPage):
    """The front matter of an article."""

    date: Day
    step: Step = Field()  # required here, unlike for pages
    answer: Text | None = None
    updated: Day | None = None
    publish: Day | None = None
    draft: StrictBool = False
    phases: tuple[Annotated[str, _one_of("phases")], ...] = ()
    author: Annotated[str, _one_of("people")] | None = None


@dataclass(frozen=True)
class FrontMatter:
    """The front matter of one file; `body` is the text below it."""

    file: File
    data: dict
    body: str
    first: int  # the first line of the body
    source: str  # a hash of the file

    def fault(self, key: str, message: str) -> PluginError:
        """Return a fault with the line of `key`, or with the first line if the key is missing."""
        pattern = rf"(?s)---[ \t]*\n(?:(?!---\n).)*?(?<=\n)(?={key}\s*:)"
        before = re.match(pattern, _text(self.file.content_bytes))
        line = before.group().count("\n") + 1 if before else self.first if key == "lines" else 1
        return PluginError(f"{self.file.src_uri}:{line}: {key}: {message}")

    def checked_as(self, kind: type[Kind], known: Known) -> Kind:
        """Return the validated front matter; texts to `confirm` must be on the page."""
        said = self._checked(_adapters[kind], self.data, known)
        for text in getattr(said, "confirm", ()):
            if text not in self.body:
                raise self.fault("confirm", f"the page does not say {text!r}")
        return said

    def is_hidden(self, today: date) -> bool:
        """Say whether an article is a draft, or is published only on a later day."""
        publish = self.data.get("publish")
        return bool(self.data.get("draft")) or (isinstance(publish, date) and publish > today)

    def mistakes_in_text(self, minutes: int | None = None) -> Iterator[str]:
        """Yield the faults of the text; `minutes` is the length of the first kind of call."""
        is_text = self.body.strip() or not self.data.get("template")  # or its template has the text
        found = [*mistakes.in_text(self.body, self.first)] if is_text else []
        found += mistakes.in_times(self.body, self.first, minutes) if minutes else ()
        for line, message in sorted(found):
            yield f"{self.file.src_uri}:{line}: {message}"

    def mistakes_in_days(self, today: date) -> Iterator[str]:
        days = (self.data.get(key) for key in ("date", "updated", "publish"))
        day, updated, publish = (day if isinstance(day, date) else None for day in days)
        for key, message in mistakes.in_days(day, updated, publish, today) if day else ():
            yield str(self.fault(key, message))

    def person(self, portrait: Sequence[tuple[int, str]]) -> Person:
        """Return the person in a file; their lines are the text below the front matter."""
        given = self.data | {"lines": " ".join(self.body.split())}
        if not given["lines"]:
            raise self.fault("name", "write two or three lines about them below the second ---")
        for key, text in given.items():
            self.refuse_marks(key, text)
        given |= {"slug": Path(self.file.src_uri).stem, "portrait": portrait}
        return self._checked(_person, given)

    def refuse_marks(self, key: str, text: object) -> None:
        """Raise `PluginError` if a text that is shown as it is has Markdown or HTML in it."""
        if isinstance(text, str) and (mark := yaml_source.mark_in(text)):
            raise self.fault(key, f"{yaml_source.SHOWN}{mark}")

    def _checked(self, kind: TypeAdapter[Any], data: dict, known: Known | None = None) -> Any:
        try:
            return kind.validate_python(data, context=known)
        except ValidationError as error:
            faults = []
            for (key, *inside), fault in worded(error.errors(), ()):
                if fault == "must be text" and isinstance(data.get(key), int | float | date):
                    fault += ": put it in quotes"
                if DAY.fullmatch(f"day: {str(data.get(key)).strip(QUOTES)}"):
                    fault += ": leave out the quotation marks"
                if len(inside) > 1 and isinstance(inside[0], int):
                    fault = f"entry {inside[0] + 1}, {inside[1]}: {fault}"
                faults.append(str(self.fault(str(key), fault)))
            raise PluginError("\n".join(faults)) from error


class Once:
    """Refuse titles and descriptions that another page has: search results show only these."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], str] = {}

    def check(self, front: FrontMatter) -> None:
        for key in ("title", "description"):
            if value := front.data.get(key):
                other = self._seen.setdefault((key, str(value).strip()), front.file.src_uri)
                if other != front.file.src_uri:
                    raise front.fault(key, f"{other} has the same one")


def read(file: File) -> FrontMatter:
    """Read a file's front matter; raise `PluginError` with the line and advice."""
    content = file.content_bytes
    try:
        front, body, line = _split(_text(content))
        data = _data(front)
    except ValueError as error:
        place, _, message = str(error).removeprefix("line ").partition(": ")
        raise PluginError(f"{file.src_uri}:{place}: {message}") from error
    return FrontMatter(file, data, body, line, hash_of(content))


def _text(content: bytes) -> str:
    return yaml_source.decode(content).removeprefix("\ufeff").replace("\r", "\n")


_adapters: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (OfOtherPage, OfArticle)
}


def _split(text: str) -> tuple[str, str, int]:
    """Return the front matter, the text below, and the line on which the text begins.

    The front matter keeps its lines: an empty line replaces the first ---.
    """
    if found := DELIMITED.match(text):
        whole = found.end() + len(text[found.end() :]) - len(text[found.end() :].lstrip("\n"))
        return f"\n{found[1]}", text[whole:], text.count("\n", 0, whole) + 1
    if not text.strip():
        raise ValueError(f"line 1: the file is empty: {BEGIN}")
    if re.match(r"---[ \t]*\n", text):
        raise ValueError("line 1: the lines above the text have to end with a line of ---")
    raise ValueError(f"line 1: {BEGIN}")


def _data(front: str) -> dict:
    """Parse YAML; raise `ValueError` with a message that begins with the line."""
    for number, line in enumerate(front.split("\n"), 1):
        if (found := DAY.fullmatch(line)) and not _is_day(found[2]):
            raise ValueError(f"line {number}: {found[1]}: there is no such day as {found[2]}")
    loader = _Loader(front)
    try:
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        gave_up = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(yaml_source.explain(front, gave_up)) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(
            f"line 1: the lines between the two --- cannot be read: {error}"
        ) from error
    if not isinstance(data, dict) or not isinstance(node, yaml.MappingNode):
        raise ValueError(f"line 2: {BEGIN}")
    if " #" in front and (cut := _cut(front, node)):
        raise ValueError(f"line {cut}: everything from # on is lost: {yaml_source.IN_QUOTES}")
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise ValueError(f"line {key.start_mark.line + 1}: {key.value}: appears twice")
        seen.add(key.value)
    return data


def _cut(front: str, node: yaml.MappingNode) -> int | None:
    """Return the line on which a # after a text truncates it."""
    lines = front.split("\n")
    for _, value in node.value:
        items = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for item in items:
            if isinstance(item, yaml.ScalarNode) and not item.style:
                end = item.end_mark
                if lines[end.line][end.column :].lstrip().startswith("#"):
                    return end.line + 1
    return None


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
