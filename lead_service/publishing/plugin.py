"""MkDocs plugin that turns docs/ into the site: framework, articles and assets for the templates.

MkDocs calls the `on_…` methods in the order of the file. Work that needs all pages
is done once per build, never once per page, so that the time grows with the number of
articles and not with its square.
"""

import gc
import hashlib
import json
import logging
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urljoin, urlsplit

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    Template,
    select_autoescape,
)
from markdown import Markdown
from markupsafe import Markup
from mkdocs.config.base import Config
from mkdocs.config.config_options import Type
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files, InclusionLevel, get_files
from mkdocs.structure.pages import Page
from mkdocs.utils import CountHandler, copy_file, get_build_datetime

from .. import palette, settings
from ..action_framework.counts import counts
from ..action_framework.loading import load
from ..action_framework.suggestions import read_suggestions
from ..action_framework.types import Framework, Step
from ..action_framework.yaml_source import DataError
from ..call_types import CallTypes, load_call_types
from ..formats import write_date
from ..people import PEOPLE_JSON, Person
from ..service_pages import service_pages
from . import articles as listings
from . import assets, dialect, front_matter, git_dates, links, menus, server_config
from . import cache as build_cache
from .cache import hash_of
from .faults import config_faults, mistakes, placeholders
from .json_ld import Facts
from .media import pictures
from .media.cards import Cards
from .records import Record, Records, Site, Stamp, stamp_of
from .search_index import SearchIndex

# Material's 14,000 icons, which MkDocs would list in each build; authors' icons are inlined.
MATERIAL = str(Path("material", "templates"))
SERVICE = Path(__file__).resolve().parents[1]
SERVICE_TEMPLATES = SERVICE / "templates"  # for the signature and the template of a person
GARBAGE = 100_000  # objects before a collection; the default takes a sixth of a build
# Templates of files that the build adds, and those that others extend.
NOT_OF_PAGES = {"200.html", "404.html", "503.html", "base.html", "redirect.html", "article.html"}
PEOPLE, IMPRINT = "people/", "imprint.md"  # in docs/
log = logging.getLogger(__name__)  # not MkDocs' logger, whose warnings fail the build
BRIEF = SERVICE / "assess" / "brief.yml"  # checked and not published


class PublishingConfig(Config):
    """The options for look and syntax; other settings come from the environment."""

    colors = Type(dict, default={})  # by name, in light and in dark
    logo = Type(str, default="")  # a picture in docs/, instead of the practice's name
    icon = Type(str, default="")  # an SVG in docs/, for tabs and home screens
    writing = Type(dict, default={})  # Markdown extensions for pages with Material's syntax


@dataclass
class Build:
    """The state of one build."""

    framework: Framework
    today: date  # in UTC
    calls: CallTypes = field(init=False)
    words: dict[str, dict[str, str]] = field(init=False)  # for placeholders, by a page's step
    published: assets.Assets = field(init=False)
    compressor: assets.Compressor = field(init=False)
    cards: Cards = field(init=False)
    redirect: Template = field(init=False)
    menu: dict[str, list[menus.Entry]] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)  # by slug
    unreadable: list[str] = field(default_factory=list)  # slugs of people with faults
    addresses: links.Addresses = field(init=False)
    faults: list[str] = field(default_factory=list)  # in the pages, each with file and line
    files: Site = field(init=False)
    records: Records = field(init=False)
    pages: dict[str, Record] = field(default_factory=dict)  # by source path
    listing: listings.Listing = field(init=False)
    bodies: dict[str, str] = field(default_factory=dict)  # of new and changed pages
    moved: dict[str, str] = field(default_factory=dict)  # old addresses and where they lead
    shown: dict[str, File] = field(default_factory=dict)  # pictures, by address
    # By source path: pictures that are sent in sizes, and the address of each size.
    sized: dict[str, tuple[pictures.Sized, list[str]]] = field(default_factory=dict)
    search: SearchIndex = field(default_factory=SearchIndex)
    unconfirmed: list[str] = field(default_factory=list)  # to be confirmed by the owner

    def filled(self, value: Any, slug: str | None = None) -> Any:
        """Replace placeholders in a text, or in all texts of a front matter."""
        return placeholders.filled(value, self.words.get(str(slug)) or self.words[""])


class PublishingPlugin(BasePlugin[PublishingConfig]):
    """Build the site from docs/ and the templates in site_overrides/."""

    is_preview = False
    build: Build
    _plain: list[Any]  # Markdown extensions for pages without Material's syntax
    _whole: list[Any]
    _source: str  # of mkdocs.yml
    _look: assets.Look
    _nav: list[Any] | None  # as mkdocs.yml has it
    _warned: CountHandler

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether this is a preview, which needs no files for web servers."""
        gc.set_threshold(GARBAGE)
        self.is_preview = command == "serve"

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Read the settings and the framework; stop the build with all their faults."""
        self._warned = CountHandler()
        self._warned.setLevel(logging.WARNING)
        logging.getLogger("mkdocs").addHandler(self._warned)
        self._configure(config)
        self._source = Path(config.config_file_path).read_text("utf-8")
        faults = [*config_faults.lost(self._source), *self._faults_in_look(config)]
        if in_data := self._read_data(config):
            raise _all_of([*faults, *in_data, *self._faults_in_texts(config)])
        self.build.faults = faults  # and more from the pages
        links.name_lines(config.docs_dir)
        self._plain = _extensions(config)
        config.mdx_configs.update(self.config.writing)
        self._whole = [*config.markdown_extensions, *self.config.writing, dialect.Annotations()]
        # Give MkDocs one page, because its own menu takes time for each pair of pages.
        self._nav, config.nav = config.nav, ["index.md"]
        config.theme.dirs = [path for path in config.theme.dirs if MATERIAL not in path]
        return config

    def _faults_in_look(self, config: MkDocsConfig) -> Iterator[str]:
        """Apply the practice's colors, logo and icon, and yield their faults."""
        try:
            palette.use(self.config.colors)
        except ValueError as error:
            for line in str(error).splitlines():
                yield self._setting(f"colors: {line}", line.partition(":")[0])
        self._look = assets.Look(Path(config.docs_dir), self.config.logo, self.config.icon)
        for wrong in self._look.faults:
            yield self._setting(wrong, wrong.partition(":")[0])

    def _faults_in_texts(self, config: MkDocsConfig) -> Iterator[str]:
        """Yield the faults of pages that don't depend on the framework, which is invalid."""
        for file in get_files(config).documentation_pages():
            if file.src_uri.startswith((*assets.UNPUBLISHED, PEOPLE)):
                continue
            try:
                front = front_matter.read(file)
            except PluginError as error:
                yield from str(error).splitlines()
            else:
                if self.is_preview or not front.data.get("draft"):
                    yield from front.mistakes_in_text()
                    yield from front.mistakes_in_days(get_build_datetime().date())

    def _read_data(self, config: MkDocsConfig) -> list[str]:
        """Read the framework, the questions for calls and the kinds of call; list the faults."""
        path, calls = (Path(config.docs_dir, name) for name in mistakes.DATA)
        faults = [
            f"docs/{one.name}: there is no such file" for one in (path, calls) if not one.is_file()
        ]
        if faults:
            return faults
        slugs: set[str] | None = None
        read = path
        try:
            framework = load(path.read_bytes())
            slugs, read = {one.slug for one in framework.engagements}, BRIEF
            read_suggestions(BRIEF, framework)
        except DataError as error:
            faults += _of_file(read, error)
        try:
            call_types = load_call_types(calls.read_bytes(), slugs)
        except DataError as error:
            faults += _of_file(calls, error)
        if faults:
            return faults
        self.build = Build(framework, get_build_datetime().date())
        self.build.calls = call_types
        words = placeholders.words(
            self.build.framework,
            self.build.calls.default,
            config.extra["retention_days"],
            config.extra["backup_days"],
        )
        self.build.words = {"": words}
        for step in framework.steps:
            own = {placeholders.OF_STEP: counts(framework).of(step)}
            self.build.words[step.slug] = words | placeholders.with_capitals(own)
        self.build.unconfirmed = [
            f"{path.name}: {engagement.name}: {key}"
            for engagement in self.build.framework.engagements
            for key in engagement.confirm
        ]
        return []

    def _configure(self, config: MkDocsConfig) -> None:
        """Take the site's name, address and publisher from the environment."""
        try:
            given = settings.load_for_site()
        except settings.SettingsError as error:
            raise PluginError(str(error)) from error
        config.site_url = given.public_url
        config.site_name = given.practice_name
        config.extra.update(
            legal_name=given.practice_legal_name,
            postal_address=given.practice_postal_address,
            email=given.practice_email if "practice_email" in given.model_fields_set else "",
            phone=given.practice_phone,
            has_imprint=given.has_imprint,
            responsible=given.practice_responsible,
            register=given.practice_register,
            vat_id=given.practice_vat_id,
            retention_days=given.retention_days,
            backup_days=given.backup_days,
        )

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Replace the theme's assets with ours, and read every page's front matter."""
        build = self.build
        people = self._left_out(files, config)
        build.published = assets.published(config, files, self._look, is_preview=self.is_preview)
        chosen = json.dumps(self.config.colors).encode()
        files.append(File.generated(config, "colors.json", content=chosen))
        self._read_people(people, config, files)
        known = {f"/{file.url}".removesuffix("./") for file in files}
        known |= {f"/{name}" for name in config.theme.static_templates}
        known |= {*links.SERVICE, *map(build.calls.address, build.calls.all), "/feed.xml"}
        build.addresses = links.Addresses(_address(config), known)
        build.shown = {
            file.url: file
            for file in files
            if posixpath.splitext(file.src_uri)[1].lower() in pictures.RASTER | pictures.DRAWN
        }
        place = str(Path(config.config_file_path).resolve())
        name = ("preview" if self.is_preview else "build", place, _address(config))
        build.records = Records(name, self._made_with(config))
        self._read_all(files)
        for path, url in build.records.gone(build.pages):
            # A page with a fault is missing, too, and a page with one may name old addresses.
            if url not in build.moved and not build.faults:
                instead = f"add `redirect_from: [{url}]` to the page that replaces it"
                log.warning(f"{path}: links to {url} no longer work: {instead}")
        has_imprint = config.extra["has_imprint"]
        menu = menus.Menus(self._nav, files, build.addresses.known, has_imprint=has_imprint)
        build.faults += (self._setting(wrong, text) for text, wrong in menu.faults)
        build.menu = menu.entries
        articles = (page.article for page in build.pages.values() if page.article)
        build.listing = listings.Listing.of(articles)
        build.files = Site(files)
        build.files.stale = self._stale(build.files, config)
        build.compressor = assets.Compressor(len(build.pages))
        for path in build.files.stale:
            dialect.SitePage(None, files.src_uris[path], config).faults = build.faults
        return build.files

    def _stale(self, files: Site, config: MkDocsConfig) -> set[str]:
        """Return the source paths of the pages that would come out otherwise than the last time.

        An article shows its neighbors; other pages may show all articles.
        """
        build, listing, stale = self.build, self.build.listing, set()
        facts = {one.url: hash_of(one) for one in listing.newest}
        all_facts = hash_of(facts)
        for path, record in build.pages.items():
            shown: object = all_facts
            if article := record.article:
                near = (article, listing.older(article), listing.newer(article))
                shown = [one and facts[one.url] for one in (*near, *listing.related(article))]
            file = files.src_uris[path]
            beside = shown, file.inclusion
            is_same = record.beside == beside and files.finds(record.found)
            is_same &= bool(record.html) or not listing.is_in_feed(record.url)
            for src, addresses in record.pictures.items() if is_same else ():
                picture = self._picture(file, config, files, src)
                is_same &= (picture and picture[1]) == addresses
            if not (is_same and all(map(build_cache.note, (record.page, *record.cards)))):
                stale.add(path)
            record.beside = beside
        pages = build.pages.items()
        return stale | {path for path, one in pages if not stale.isdisjoint(one.anchors_in)}

    def _setting(self, wrong: str, text: str) -> str:
        """Return a fault with the line of a text in mkdocs.yml, if it is found."""
        written = rf"(?m)^(?!\s*#).*?(?<![\w-]){re.escape(text)}(?![\w-])"
        found = re.search(written, self._source)
        line = f":{self._source.count(chr(10), 0, found.start()) + 1}" if found else ""
        return f"mkdocs.yml{line}: {wrong}"

    def _left_out(self, files: Files, config: MkDocsConfig) -> list[File]:
        """Remove files that aren't pages, record faults in names, and return people's files."""
        people = []
        for file in list(files):
            wrong = file.src_dir == config.docs_dir and mistakes.in_name(file.src_uri)
            if wrong:
                self.build.faults.append(f"{file.src_uri}: {wrong}")
            if file.src_uri.startswith((*assets.UNPUBLISHED, PEOPLE)):
                files.remove(file)
            if file.src_uri == IMPRINT and not config.extra["has_imprint"]:
                files.remove(file)
            if file.src_uri.startswith(PEOPLE) and file.is_documentation_page() and not wrong:
                people.append(file)
        return sorted(people, key=lambda file: file.src_uri)

    def _read_people(self, people: list[File], config: MkDocsConfig, files: Files) -> None:
        """Read every person, and publish them for the service; record faults."""
        for file in people:
            try:
                person = self._person(file, config, files)
                self.build.people[person.slug] = person
            except PluginError as error:
                self.build.faults.append(str(error))
                self.build.unreadable.append(Path(file.src_uri).stem)
        listed = PEOPLE_JSON.dump_json(tuple(self.build.people.values()))
        files.append(File.generated(config, "people.json", content=listed))

    def _read_all(self, files: Files) -> None:
        """Read the front matter of every changed page, and record its faults and those of the text.

        The build continues without an unreadable page, so that all faults are reported.
        """
        once, build = front_matter.Once(), self.build
        for file in files.documentation_pages():
            try:
                record = build.records.unchanged(file)
                stamp = record.stamp if record else stamp_of(file)
                front = _front(file, record) if record else front_matter.read(file)
                is_shown = self.is_preview or not front.is_hidden(build.today)
                if is_shown:
                    build.faults += front.mistakes_in_days(build.today)
                if is_shown and not record:
                    build.faults += front.mistakes_in_text(build.calls.default.minutes)
                self._take(file, record or self._record(front, stamp), once)
            except PluginError as error:
                build.faults += str(error).splitlines()
                file.inclusion = InclusionLevel.EXCLUDED

    def _person(self, file: File, config: MkDocsConfig, files: Files) -> Person:
        """Read a person, and publish their portrait in several sizes."""
        front = front_matter.read(file)
        portrait: list[tuple[int, str]] = []
        if name := front.data.pop("portrait", None):
            try:
                picture = Path(config.docs_dir, PEOPLE, str(name)).read_bytes()
                for width, square in pictures.squares(picture):
                    slug = Path(file.src_uri).stem
                    address = assets.publish(config, files, f"{slug}-{width}.jpg", square)
                    portrait.append((width, address))
            except OSError:
                raise front.fault("portrait", f"there is no file people/{name}") from None
            except ValueError as error:
                raise front.fault("portrait", f"people/{name} {error}") from error
        return front.person(portrait)

    def _record(self, read: front_matter.FrontMatter, stamp: Stamp) -> Record:
        """Return the record of a page that is new or changed."""
        build, file = self.build, read.file
        for key, value in read.data.items():
            for text in _texts(value):
                for _, wrong in placeholders.wrong(text):
                    raise read.fault(key, wrong)
                if not read.data.get("step") and placeholders.OF_STEP in text.lower():
                    raise read.fault(key, placeholders.NO_STEP)
                if key != "confirm":  # a part of the page, with its marks
                    read.refuse_marks(key, text)
        build.bodies[file.src_uri] = read.body
        front = replace(read, data=build.filled(read.data, read.data.get("step")))
        known: front_matter.Known = {
            "steps": [step.slug for step in build.framework.steps],
            "phases": [phase.id for phase in build.framework.phases],
            "people": [*build.people, *build.unreadable],
            "templates": sorted({one.name for one in assets.THEME.glob("*.html")} - NOT_OF_PAGES),
        }
        url = f"/{file.url}".removesuffix("./")
        if not listings.is_article(file.src_uri):
            said = front.checked_as(front_matter.OfOtherPage, known)
            return Record(stamp, read.source, front.data, said, url)
        of_article = front.checked_as(front_matter.OfArticle, known)
        author = build.people.get(of_article.author or "")
        article = listings.article(file.url, of_article, author, front.body)
        return Record(stamp, read.source, front.data, of_article, url, article)

    def _take(self, file: File, record: Record, once: front_matter.Once) -> None:
        """Make a page a part of the site, unless it is published later."""
        build, front, said = self.build, _front(file, record), record.said
        if record.article and front.is_hidden(build.today):
            file.inclusion = InclusionLevel.DRAFT
            if not self.is_preview:
                build.addresses.hidden[f"/{file.url}"] = file.src_uri
                return
        build.pages[file.src_uri] = record
        build.unconfirmed += (f"{file.src_uri}: {text}" for text in said.confirm)
        once.check(front)
        for old in map(server_config.old_address, said.redirect_from):
            if old in build.addresses.known or old.startswith(links.SERVICE):
                raise front.fault("redirect_from", f"{old} is a page")
            if old in build.moved:
                raise front.fault("redirect_from", f"{build.moved[old]} has {old} too")
            build.moved[old] = f"/{file.url}"

    def on_page_read_source(self, *, page: Page, config: MkDocsConfig) -> str:
        """Return a page's text without front matter, which MkDocs would read otherwise."""
        body = self.build.bodies.get(page.file.src_uri)
        return front_matter.read(page.file).body if body is None else body

    def on_page_markdown(
        self, markdown: str, *, page: Page, config: MkDocsConfig, files: Files
    ) -> str:
        """Set the template of articles, replace placeholders, and choose Markdown's extensions."""
        record = self.build.pages[page.file.src_uri]
        page.meta = {"template": "article.html"} if record.article else {}
        page.meta |= record.data
        self.build.files.asked = {}
        text = self.build.filled(markdown, page.meta.get("step"))
        config.markdown_extensions = self._whole if dialect.is_used(text) else self._plain
        return text

    def on_page_content(self, html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Check links, and record an article's text for the feed."""
        record = self.build.pages[page.file.src_uri]
        record.found, record.pictures = self.build.files.asked, {}
        record.anchors_in = frozenset(file.src_uri for file in page.links_to_anchors or ())
        record.ids = frozenset(page.present_anchor_ids or ())
        html = dialect.scrolling(dialect.finish(html))
        page.meta["is_styled"] = bool(dialect.STYLED.search(html))
        record.links = tuple(links.LINK.findall(html))
        source = page.file.content_string
        for text, line, wrong in mistakes.in_html(html, source):
            place = next((one for one in (line, text, text[:1]) if one in source), text)
            self.build.faults.append(links.fault(page.file, place, f"{text} {wrong}"))

        def find(src: str) -> tuple[pictures.Sized, list[str]] | None:
            known = self._picture(page.file, config, files, src)
            record.pictures[src] = known and known[1]
            return known

        html = pictures.rewritten(html, find)
        record.html = html if self.build.listing.is_in_feed(record.url) else ""
        return html

    def _picture(
        self, page: File, config: MkDocsConfig, files: Files, src: str
    ) -> tuple[pictures.Sized, list[str]] | None:
        """Publish one picture of a page in its sizes; None for an unchanged one."""
        path = urljoin(f"/{page.url}", urlsplit(src).path).lstrip("/")
        file = self.build.shown.get(unquote(path))
        if file is None:
            return None
        if known := self.build.sized.get(file.src_uri):
            return known
        name = posixpath.basename(file.src_uri)
        stem, ending = posixpath.splitext(name.lower().replace(" ", "-"))
        try:
            if ending in pictures.DRAWN:
                self.build.addresses.linked.add(f"/{path}")
                return pictures.drawn(file.content_bytes, ending), [src.partition("#")[0]]
            picture = pictures.sized(file.content_bytes)
        except ValueError as error:
            self.build.faults.append(links.fault(page, name, f"{file.src_uri} {error}"))
            return None
        addresses = [
            assets.publish(config, files, f"{stem}-{width}.webp", content)
            for width, content in picture.sizes
        ]
        self.build.sized[file.src_uri] = picture, addresses
        return picture, addresses

    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> Environment:
        """Set the templates' values that all pages share."""
        _set_up(env)
        self._check_links(files, config)
        build, pages = self.build, self.build.pages
        framework, published = build.framework, build.published
        people, address = [*build.people.values()], urlsplit(_address(config))
        origin = f"{address.scheme}://{address.netloc}"
        build.cards = Cards(config.site_name, *_drawings(env, framework, config.site_name))
        build.redirect = env.get_template("redirect.html")
        logo = published.address["icon-512.png"]
        env.globals.update(
            framework=framework,
            counts=counts(framework),
            call=build.calls.default,
            service_pages=service_pages(build.calls),
            people=people,
            unconfirmed=build.unconfirmed,
            listing=build.listing,
            article_at=lambda path: pages[path].article if path in pages else None,
            in_feed=listings.IN_FEED,
            texts={page.url: page.html for page in pages.values()},
            all_pages=pages,
            changed=self._changed(config),
            step_links={step.slug: f"/framework/{step.slug}/" for step in framework.steps},
            asset=published.address,
            style=published.style,
            style_of_writing=published.style_of_writing,
            script=published.script,
            card=build.cards.address,
            colors=palette.LIGHT,
            facts=Facts(config, origin, logo, framework, build.listing, people).of,
            origin=origin,
            practice=config.site_name,
            menus=build.menu,
            logo=published.logo,
        )
        env.globals.update(_pieces(env, framework.steps))
        return env

    def _check_links(self, files: Files, config: MkDocsConfig) -> None:
        """Refuse faults, and find out which files and parts of pages the links lead to."""
        for path, record in self.build.pages.items():
            self.build.faults += self.build.addresses.faults(record.links, files.src_uris[path])
        self._refuse_faults(files)
        self._leave_out_unused(files, config)
        self._tell_anchors(config)

    def _tell_anchors(self, config: MkDocsConfig) -> None:
        """Tell MkDocs the parts of pages that it does not render, to check links to them."""
        stale, pages = self.build.files.stale, self.build.pages
        linked = {path for one in stale for path in pages[one].anchors_in}
        for path in linked & pages.keys() - stale:
            target = Page(None, self.build.files.src_uris[path], config)
            target.present_anchor_ids = {*pages[path].ids}

    def _leave_out_unused(self, files: Files, config: MkDocsConfig) -> None:
        """Publish only files to which a published page links.

        Files of drafts would otherwise be public early, and unused ones by mistake.
        """
        build = self.build
        linked = {unquote(link) for link in build.addresses.linked}
        fronts = (page.data for page in build.pages.values())
        named = {self.config.logo, self.config.icon, *chain.from_iterable(map(_texts, fronts))}
        beside = [file for file in files if file.src_dir == config.docs_dir]
        for file in beside:
            if file.is_documentation_page() or file.src_uri in mistakes.DATA:
                continue
            if f"/{unquote(file.url)}" in linked or file.src_uri in named:
                _clean(file)
                continue
            files.remove(file)
            if file.src_uri not in build.sized:
                log.warning(f"{file.src_uri}: not published, because no published page uses it")

    def _refuse_faults(self, files: Files) -> None:
        """Stop the build with the faults of all pages."""
        self.build.faults += self.build.addresses.dead_anchors(self._ids())
        if self.build.faults:
            for file in files.documentation_pages():  # MkDocs does this only later
                if file.page:
                    file.page.validate_anchor_links(files=files, log_level=logging.WARNING)
            raise _all_of(self.build.faults)

    def _ids(self) -> dict[str, frozenset[str]]:
        """Return the anchors of each page, including people's."""
        added = {"main", *self.build.people}
        return {
            page.url: page.ids | added
            for page in self.build.pages.values()
            if page.data.get("template", "article.html") == "article.html"
        }

    def _made_with(self, config: MkDocsConfig) -> str:
        """Return a hash of what all pages share."""
        told = (config.site_name, config.site_url, config.site_description)
        data = (Path(config.docs_dir, name) for name in mistakes.DATA)
        included = (one for one in Path(config.docs_dir, "includes").rglob("*") if one.is_file())
        return hash_of(
            (self._source, self._nav, told, sorted(config.extra.items())),
            ([*self.build.people.values()], self.build.published),
            files=(*data, *included, *_templates()),
        )

    def _changed(self, config: MkDocsConfig) -> Callable[..., date | None]:
        """Return a function that returns the day of a page's last change, or None."""
        root, docs = Path(config.config_file_path).resolve().parent, Path(config.docs_dir)
        is_known = docs.is_relative_to(root) and not self.is_preview
        known = git_dates.last_changes(root, str(docs)) if is_known else {}

        def changed(*paths: str) -> date | None:
            days = [known.get(f"{docs.name}/{path}") for path in paths]
            return max((day for day in days if day), default=None)

        return changed

    def on_page_context(self, context: Any, **of_page: Any) -> None:
        """Find out for which cards a page asks."""
        self.build.cards.asked = set()

    def on_post_page(self, output: str, *, page: Page, config: MkDocsConfig) -> str:
        """Record a page, and compress it in the background."""
        build, record = self.build, self.build.pages[page.file.src_uri]
        if record.article:
            output = links.naming(output, record.article.slug)
        content = output.encode("utf-8", "xmlcharrefreplace")
        record.digest, record.cards = hashlib.sha256(content).hexdigest(), (*build.cards.asked,)
        build_cache.keep("html", (record.digest,), lambda: content)
        if not self.is_preview:
            build.compressor.add(page.file.abs_dest_path, record.digest, record.page)
        return output

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Write the unchanged pages, the cards, and the files for web servers."""
        build, site = self.build, Path(config.site_dir)
        for path, record in build.pages.items():
            title = str(record.data["title"])
            build.search.add(record.url, title, record.page, record.said.keywords)
            if path not in build.files.stale:
                at = build.files.src_uris[path].abs_dest_path
                copy_file(record.page, at)
                if not self.is_preview:
                    build.compressor.add(at, record.digest, record.page)
        build.cards.write(site, chain.from_iterable(page.cards for page in build.pages.values()))
        for one in service_pages(build.calls):
            description = build.filled(one.description)
            build.search.add_described(one.url, one.title, description, one.keywords)
        build.search.write(site)
        published = build.published
        styles = (published.style, published.style_of_writing)
        inline = {"script-src": (published.script,), "style-src": styles}
        server_config.write_redirects(site, build.moved, build.redirect)
        server_config.write_headers(site, inline, https=_address(config).startswith("https:"))
        server_config.write_nginx(site, _address(config), build.moved)
        if not self.is_preview:
            build.compressor.finish(site)
            if build.files.stale == build.pages.keys():  # seldom: it takes as long as 50 pages
                build_cache.tidy()
        if not self._warned.get_counts():
            build.records.save(build.pages)
        self.on_build_error()

    def on_build_error(self, **_of_build: Any) -> None:
        logging.getLogger("mkdocs").removeHandler(self._warned)


def _of_file(path: Path, error: ValueError) -> Iterator[str]:
    name = f"{SERVICE.name}/assess/{path.name}" if path == BRIEF else path.name
    return (f"{name}:{line.removeprefix('line ')}" for line in str(error).splitlines())


def _front(file: File, record: Record) -> front_matter.FrontMatter:
    """Return an unchanged page's front matter, without its text."""
    return front_matter.FrontMatter(file, record.data, "", 0, record.source)


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in a value of front matter."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _clean(file: File) -> None:
    """Remove the camera's metadata from a picture that is published directly."""
    ending = Path(file.src_uri).suffix.lower()
    try:
        if ending in pictures.RASTER:
            file.content_bytes = pictures.without_camera_data(file.content_bytes)
        elif ending == ".svg":
            pictures.refuse_scripts(file.content_bytes)
    except ValueError as error:
        raise PluginError(f"{file.src_uri} {error}") from error


def _set_up(env: Environment) -> None:
    """Add the service's templates, autoescaping and a bytecode cache to Jinja."""
    assert env.loader is not None
    env.loader = ChoiceLoader([env.loader, FileSystemLoader(SERVICE_TEMPLATES)])
    env.autoescape = select_autoescape(["html", "xml"])
    build_cache.FOLDER.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(build_cache.FOLDER))
    env.filters.update(day=cache(write_date), absolute=links.absolute)


def _templates() -> Iterator[Path]:
    for folder in (assets.THEME, assets.THEME / "partials", SERVICE_TEMPLATES):
        yield from folder.glob("*.html")
    yield from assets.THEME.glob("drawings/*")


def _all_of(faults: Sequence[str]) -> PluginError:
    """Return every fault once, in the order of files and lines."""

    def place(fault: str) -> tuple[str, int]:
        file, _, rest = fault.partition(":")
        line = rest.partition(":")[0]
        return file, int(line) if line.isdigit() else 0

    return PluginError("\n".join(sorted(dict.fromkeys(faults), key=place)))


def _address(config: MkDocsConfig) -> str:
    """Return the site's address, set by `on_config` or a preview's server."""
    assert config.site_url is not None
    return config.site_url


def _extensions(config: MkDocsConfig) -> list[Any]:
    """Create the plain extensions once: by name, each page would create them again."""
    make = Markdown().build_extension
    return [make(name, config.mdx_configs.get(name, {})) for name in config.markdown_extensions]


def _pieces(env: Environment, steps: Sequence[Step]) -> dict[str, Any]:
    """Render once the parts of every page, and of every page of a step."""
    letter = env.get_template("signature.html").module.letter  # type: ignore[attr-defined]
    macros = env.get_template("partials/macros.html").make_module()
    questions = macros.questions  # type: ignore[attr-defined]
    return {
        "letters": Markup("").join(map(letter, steps)),
        "questions_of": {step.slug: questions(step) for step in steps},
    }


def _drawings(
    env: Environment, framework: Framework, practice: str
) -> tuple[Callable[[str | None], str], str]:
    """Return a function that draws the word, with a step's letter highlighted, and our mark."""
    drawing = env.get_template("signature.html").module.drawing  # type: ignore[attr-defined]
    hues = {step.slug: palette.LIGHT[f"hue-{step.slug}"] for step in framework.steps}
    ink = dict.fromkeys(hues, palette.LIGHT["ink"])
    mark = str(drawing(framework.steps, ink)) if practice.startswith("ACTION ") else ""
    word = cache(lambda slug: str(drawing(framework.steps, hues, {slug: 100} if slug else None)))
    return word, mark
