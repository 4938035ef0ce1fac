"""Read the lines above a page's text, and name file and line of what is wrong in them.

An article needs `title`, `description`, `date` and `step`. It may have `answer` (two or three
sentences to quote, shown under the title), `updated` (the day of its last change worth telling),
`draft: true` (kept out of the published site), `phases` (in which a result may recommend it),
`author` (the name of a file in docs/people/, without its ending) and `redirect_from` (addresses it
once had). A person needs `name` and `role`, and may have `says`, `link` and `portrait`. Any other
page needs a `description`, and may have `redirect_from` too. Any page may have `confirm`: texts
of it that the owner of the practice still has to confirm.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from mkdocs.utils import meta
from pydantic import TypeAdapter, ValidationError

from ..action_framework.checks import worded
from ..people import Person
from .articles import Article

NEEDED = ("title", "description", "date", "step")
ALLOWED = (*NEEDED, "answer", "updated", "draft", "phases", "author", "confirm", "redirect_from")
_person: TypeAdapter[Any] = TypeAdapter(Person)
OLD_ADDRESS = re.compile(r"(/[A-Za-z0-9._~-]+)+/?")


@dataclass(frozen=True)
class FrontMatter:
    """What stands above the text of one file; `body` is what stands below."""

    file: File
    text: str
    data: dict
    body: str

    def fault(self, key: str, message: str) -> PluginError:
        """Name the line of `key`, or the first one where the key is missing."""
        before = re.match(rf"(?s)---\n(?:(?!---\n).)*?(?={key}\s*:)", self.text)
        line = before.group().count("\n") + 1 if before else 1
        return PluginError(f"{self.file.src_uri}:{line}: {message}")

    def sentence(self, key: str) -> str:
        """Return a text that has to be there, without space around it."""
        value = self.data.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(key, f"front matter needs a {key}")
        return value.strip()

    def day(self, key: str, default: date | None = None) -> date:
        value = self.data.get(key, default)
        if type(value) is not date:
            raise self.fault(key, f"{key} needs a day such as 2025-03-31")
        return value

    def step(self, steps: Sequence[str]) -> str:
        """Return a step that exists."""
        value = self.data.get("step")
        if not isinstance(value, str) or value not in steps:
            raise self.fault("step", f"step is {value!r}, needs one of {', '.join(steps)}")
        return value

    def phases(self, known: Sequence[str]) -> tuple[str, ...]:
        """Return the phases that an article is for; none means all."""
        value = self.data.get("phases", [])
        if not isinstance(value, list) or not all(phase in known for phase in value):
            needs = f"a list of some of {', '.join(known)}"
            raise self.fault("phases", f"phases is {value!r}, needs {needs}")
        return tuple(value)

    def redirect_from(self) -> tuple[str, ...]:
        """Return the root-relative addresses that this page once had."""
        paths = self.data.get("redirect_from") or []
        for path in paths if isinstance(paths, list) else [paths]:
            if not isinstance(path, str) or not OLD_ADDRESS.fullmatch(path):
                raise self.fault("redirect_from", f"redirect_from has {path!r}, needs [/old/path/]")
        return tuple(paths) if isinstance(paths, list) else (paths,)

    def to_confirm(self) -> list[str]:
        """Return what the owner has not confirmed yet; each text has to be on the page."""
        texts = self.data.get("confirm") or []
        if not isinstance(texts, list):
            raise self.fault("confirm", "confirm needs a list, like [the first text, another]")
        for text in texts:
            if str(text) not in self.body:
                raise self.fault("confirm", f"confirm names {text!r}, which the page does not say")
        return [str(text) for text in texts]


class Once:
    """Refuses a title or a description that another page has: results and lists show no more."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], str] = {}

    def check(self, front: FrontMatter) -> None:
        for key in ("title", "description"):
            if value := front.data.get(key):
                other = self._seen.setdefault((key, str(value).strip()), front.file.src_uri)
                if other != front.file.src_uri:
                    raise front.fault(key, f"{key} is that of {other} too")


def read(file: File) -> FrontMatter:
    """Read a file's front matter; `PluginError` names the line where it is not YAML."""
    text = file.content_string.replace("\r\n", "\n")
    body, data = meta.get_data(text)
    if not data and text.startswith("---\n"):
        try:
            yaml.safe_load(text[4:].split("\n---", 1)[0])
        except yaml.MarkedYAMLError as error:
            # Counted from the line below the first ---.
            line = error.problem_mark.line + 2 if error.problem_mark else 1
            raise PluginError(
                f"{file.src_uri}:{line}: front matter is not YAML: {error.problem}"
            ) from error
    return FrontMatter(file, text, data, body)


def article(
    front: FrontMatter, steps: Sequence[str], phases: Sequence[str], people: Mapping[str, Person]
) -> Article:
    """Check an article's front matter and return what it says."""
    for key in front.data:
        if key not in ALLOWED:
            raise front.fault(key, f"front matter has no {key}; it may have {', '.join(ALLOWED)}")
    if not isinstance(front.data.get("draft", False), bool):
        raise front.fault("draft", "draft is true or false")
    author = front.data.get("author")
    if author and str(author) not in people:
        raise front.fault("author", f"author is {author!r}, but there is no people/{author}.md")
    published = front.day("date")
    return Article(
        title=front.sentence("title"),
        description=front.sentence("description"),
        date=published,
        updated=front.day("updated", published),
        step=front.step(steps),
        slug=front.file.url.rstrip("/").rsplit("/", 1)[-1],
        url=f"/{front.file.url}",
        draft=front.data.get("draft", False),
        phases=front.phases(phases),
        author=people[author] if author else None,
    )


def person(front: FrontMatter, portrait: Sequence[tuple[int, str]]) -> Person:
    """Check what stands about a person; their lines are the text below."""
    given = front.data | {"slug": Path(front.file.src_uri).stem, "portrait": portrait}
    try:
        return _person.validate_python(given | {"lines": " ".join(front.body.split())})
    except ValidationError as error:
        (key, *_), fault = next(worded(error.errors(), ()))
        raise front.fault(str(key), f"{key} {fault}") from error


def check_page(front: FrontMatter, steps: Sequence[str]) -> None:
    """Check what any page but an article needs."""
    front.sentence("description")
    if "step" in front.data:
        front.step(steps)
