"""Read the built site for the service: the page template, the framework, the articles.

The built `site/` is the only connection between the two halves.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .. import palette
from ..action_framework.loading import load
from ..action_framework.types import Framework
from ..action_framework.yaml_source import DataError
from ..call_types import CallTypes, load_call_types
from ..people import PEOPLE_JSON, Person
from ..settings import Settings, SettingsError

Loaded = TypeVar("Loaded")
COLORS = "colors.json"  # the practice's own colors
READ_AT_START = ("200.html", "articles.json", "framework.yml", "calls.yml", "people.json", COLORS)
BUILT = ".built"  # touched once a build is complete
PAGE = "page.html"  # the name under which the service's templates extend the published page
MARKER = re.compile(r"<!--page:(title|description|head|above|content|/?masthead|/?footer)-->")
WORDMARK = re.compile(r"(<a class=\"?wordmark\b[^>]*>)(.*?)(?=</a>)", re.DOTALL)
# Single markers are insertion points; the content between a pair may be replaced.
MARKERS = (
    *("title", "description", "head", "masthead", "/masthead", "above", "content"),
    *("footer", "/footer"),
)


@dataclass(frozen=True)
class Article:
    """One published article, from `articles.json`."""

    title: str
    url: str  # root-relative
    slug: str
    step: str
    description: str
    minutes: int
    phases: tuple[str, ...] = ()  # phases that it is for; empty: all
    author: str | None = None  # a person's slug

    def fits(self, phase: str | None) -> bool:
        """Say whether the article is for a phase; without a phase, all are."""
        return phase is None or not self.phases or phase in self.phases


@dataclass(frozen=True)
class Published:
    """The published site's data for the service, read once at start."""

    site_url: str
    page: str  # a Jinja template: site/200.html with a block at each marker
    framework: Framework
    calls: CallTypes
    articles: tuple[Article, ...]  # newest first
    people: tuple[Person, ...] = ()
    unconfirmed: tuple[str, ...] = ()  # facts that the practice's owner has to confirm

    def person(self, slug: str | None) -> Person | None:
        return next((person for person in self.people if person.slug == slug), None)

    def article(self, slug: str) -> Article | None:
        return next((article for article in self.articles if article.slug == slug), None)

    def title_of(self, slug: str | None) -> str:
        """Return an article's title, or its slug if it is no longer published."""
        article = self.article(slug or "")
        return article.title if article else slug or ""

    def article_of(self, step: str, phase: str | None = None) -> Article | None:
        """Return the newest article about a step for a phase."""
        return next((one for one in self.articles if one.step == step and one.fits(phase)), None)


def built_at(site: Path) -> int:
    """Return when a site was last built, in nanoseconds; 0 if unknown."""
    try:
        return (site / BUILT).stat().st_mtime_ns
    except OSError:
        return 0


class Renewal:
    """Detect a rebuilt site with changes to the files that are read at start."""

    def __init__(self, site: Path) -> None:
        self._site = site
        self._built, self._content = built_at(site), self._hash()

    def has_come(self) -> bool:
        """Return True once for each change."""
        if (built := built_at(self._site)) == self._built or not built:
            return False
        before, self._built, self._content = self._content, built, self._hash()
        return before != self._content

    def _hash(self) -> str:
        content = hashlib.sha256()
        for name in READ_AT_START:
            path = self._site / name
            content.update(path.read_bytes() if path.exists() else b"")
        return content.hexdigest()


def load_site(settings: Settings) -> Published:
    """Read the built site; raise SettingsError if it is missing or for another address."""
    site = settings.site_dir
    try:
        listed = json.loads((site / "articles.json").read_text("utf-8"))
        framework = _checked(load, site / "framework.yml")
        slugs = {one.slug for one in framework.engagements}
        published = Published(
            site_url=listed["site_url"],
            page=_as_template((site / "200.html").read_text("utf-8")),
            framework=framework,
            calls=_checked(load_call_types, site / "calls.yml", slugs),
            articles=tuple(_article(item) for item in listed["articles"]),
            unconfirmed=tuple(listed.get("unconfirmed", ())),
            people=PEOPLE_JSON.validate_json((site / "people.json").read_bytes()),
        )
        palette.use(_colors(site))
    except FileNotFoundError as missing:
        name = Path(missing.filename).name
        raise SettingsError([f"SITE_DIR: {site} contains no {name}; run `make build`"]) from None
    if not settings.is_local and published.site_url != settings.public_url:
        raise SettingsError([f"PUBLIC_URL: the site in {site} was built for {published.site_url}"])
    return published


def _checked(load: Callable[..., Loaded], file: Path, *given: object) -> Loaded:
    try:
        return load(file.read_bytes(), *given)
    except DataError as fault:
        raise SettingsError(fault.lines(file.name)) from None


def _colors(site: Path) -> dict:
    """Return the practice's own colors, which the build has checked."""
    path = site / COLORS
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _article(item: dict) -> Article:
    phases = tuple(item.get("phases", ()))
    given = {name: item[name] for name in Article.__dataclass_fields__ if name in item}
    return Article(**given | {"phases": phases})


def _as_template(page: str) -> str:
    """Turn the published page into a Jinja template with a block at each marker or pair.

    The drawn name of the practice is a block, too: the desk shows it in a header of its own.
    Everything else is raw: minified CSS and JSON may contain `{#` and `{{`.
    """
    pieces = MARKER.split(page)
    names = pieces[1::2]
    if tuple(names) != MARKERS:
        found = ", ".join(names) or "none"
        raise SettingsError(
            [f"SITE_DIR: 200.html has the markers {found}, needs {', '.join(MARKERS)}"]
        )
    template = [_raw(pieces[0])]
    for name, following in zip(names, pieces[2::2], strict=True):
        is_end, is_pair = name.startswith("/"), f"/{name}" in MARKERS
        begin = "" if is_end else f"{{% block {name} %}}"
        template += [begin, "" if is_pair else "{% endblock %}", _raw(following)]
    named = r"\1{% endraw %}{% block wordmark %}{% raw %}\2{% endraw %}{% endblock %}{% raw %}"
    return WORDMARK.sub(named, "".join(template), count=1)


def _raw(text: str) -> str:
    return f"{{% raw %}}{text}{{% endraw %}}" if text else ""
