"""Tie the site together: the framework, the articles and the assets, handed to the templates.

MkDocs calls the `on_…` functions in the order in which they stand here. Whatever needs all pages
is worked out once a build, never once a page, so that building grows with the number of articles
and not with its square.
"""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import articles as listings
import assets
import changes
import front_matter
import kept
import links
from drawings import Cards, light_colors
from facts import Facts
from inline import Inline
from jinja2 import (
    ChoiceLoader,
    FileSystemBytecodeCache,
    FileSystemLoader,
    Template,
    select_autoescape,
)
from markdown import Markdown
from markupsafe import Markup
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import InclusionLevel
from typography import Typography

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # the console script `mkdocs` does not look beside mkdocs.yml

import hosting  # noqa: E402

from lead_service import settings  # noqa: E402
from lead_service.assess.framework import Framework, FrameworkError, load  # noqa: E402


class _Build:
    """What one step of a build hands to the next."""

    serving = False
    framework: Framework
    published: assets.Assets
    compressor: assets.Compressor
    known: set[str]  # addresses
    cards: Cards
    redirect: Template


_build = _Build()
_articles: dict[str, listings.Article] = {}  # by source path
_fronts: dict[str, front_matter.FrontMatter] = {}  # by source path
_moved: dict[str, str] = {}  # addresses that pages once had, and where they are now


def on_startup(*, command, dirty):
    """Note whether this is a preview, which needs nothing that is for web servers."""
    _build.serving = command == "serve"


def on_config(config):
    """Read the settings and the framework; each fault in them stops the build and is named."""
    _configure(config)
    path = Path(config.docs_dir, "framework.yml")
    try:
        _build.framework = load(path.read_bytes())
    except FrameworkError as error:
        raise PluginError(f"{path.name}: {error}") from error
    links.name_lines(config.docs_dir)
    config.markdown_extensions = _made_once(config)
    return config


def _configure(config):
    """Let the environment say what the site is called, where it is and who publishes it.

    A preview has the address at which MkDocs serves it.
    """
    try:
        given = settings.load_for_site()
    except settings.SettingsError as error:
        raise PluginError(str(error)) from error
    if not _build.serving:
        config.site_url = given.public_url
    config.site_name = given.practice_name
    config.extra.update(
        legal_name=given.practice_legal_name,
        postal_address=given.practice_postal_address,
        email=given.practice_email if "practice_email" in given.model_fields_set else "",
        phone=given.practice_phone,
        author=given.practice_author,
        retention_days=given.retention_days,
        backup_days=given.backup_days,
    )


def _made_once(config):
    """Make the Markdown extensions here: by name, each page finds and makes them all anew."""
    names, settings = config.markdown_extensions, config.mdx_configs
    make = Markdown().build_extension
    return [*(make(name, settings.get(name, {})) for name in names), Inline(), Typography()]


def on_files(files, *, config):
    """Swap the theme's assets for ours, and read every page's front matter."""
    for file in list(files):
        if file.src_uri.startswith(assets.UNPUBLISHED):
            files.remove(file)
    _build.published = assets.published(config, files)
    _build.compressor = assets.Compressor(len(files.documentation_pages()))
    _build.known = {f"/{file.url}".removesuffix("./") for file in files}
    _build.known |= {f"/{name}" for name in config.theme.static_templates}
    for known in (_articles, _fronts, _moved):
        known.clear()
    once = front_matter.Once()
    for file in files.documentation_pages():
        _read(file, once)
    return files


def _read(file, once):
    front = _fronts[file.src_uri] = front_matter.read(file)
    steps = [step.slug for step in _build.framework.steps]
    if listings.is_article(file.src_uri):
        article = front_matter.article(front, steps)
        if article.draft:
            file.inclusion = InclusionLevel.DRAFT
        if article.draft and not _build.serving:
            return
        _articles[file.src_uri] = article
    else:
        front_matter.check_page(front, steps)
    once.check(front)
    _moved.update((old, f"/{file.url}") for old in _old_addresses(front))


def _old_addresses(front):
    for old in map(hosting.old_address, front.redirect_from()):
        if old in _build.known or old.startswith(links.SERVICE):
            raise front.fault("redirect_from", f"redirect_from names {old}, which is a page")
        if old in _moved:
            raise front.fault("redirect_from", f"redirect_from names {old}, as {_moved[old]} does")
        yield old


def on_page_read_source(page, config):
    """Give a page's text without its front matter: MkDocs would read both again."""
    return _fronts[page.file.src_uri].body


def on_page_markdown(markdown, *, page, config, files):
    """Give articles their template, and say how long what visitors send is kept."""
    page.meta = _fronts[page.file.src_uri].data
    if page.file.src_uri in _articles:
        page.meta.setdefault("template", "article.html")
    for name in ("retention", "backup"):
        markdown = markdown.replace(f"{{{name}}}", _period(config.extra[f"{name}_days"]))
    return markdown


def _period(days):
    return f"{days // 365} years" if days % 365 == 0 and days > 365 else f"{days} days"


def on_page_content(html, *, page, config, files):
    """Check links, and keep what lists and feeds need of an article's text."""
    links.check_from_root(html, page.file, _build.known)
    if article := _articles.get(page.file.src_uri):
        minutes = listings.minutes(html)
        _articles[page.file.src_uri] = replace(article, minutes=minutes, html=html)
    return html


def on_env(env, *, config, files):
    """Hand the templates what is the same on every page."""
    env.loader = ChoiceLoader(
        [env.loader, FileSystemLoader(ROOT / "lead_service" / "templates")]  # the signature
    )
    env.autoescape = select_autoescape(["html", "xml"])
    kept.FOLDER.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(kept.FOLDER))
    env.filters.update(day=listings.day, absolute=links.absolute)
    framework, published = _build.framework, _build.published
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(config.site_url))
    _build.cards = Cards(config.site_name, _word(env, framework))
    _build.redirect = env.get_template("redirect.html")
    env.globals.update(
        framework=framework,
        listing=listings.Listing.of(_articles.values()),
        article_at=_articles.get,
        headings_of=listings.headings,
        changed=_changed(config),
        step_links={step.slug: f"/framework/{step.slug}/" for step in framework.steps},
        asset=published.address,
        style=published.style,
        script=published.script,
        card=_build.cards.address,
        colors=light_colors(),
        facts=Facts(config, f"{origin}{published.address['icon-512.png']}").of,
        origin=origin,
        practice=config.site_name,
    )
    env.globals.update(_pieces(env, framework.steps))
    return env


def _pieces(env, steps):
    """Render what stands on every page, or on every page of a step, once."""
    letter = env.get_template("signature.html").module.letter
    questions = env.get_template("partials/macros.html").make_module().questions
    return {
        "letters": Markup("").join(map(letter, steps)),
        "questions_of": {step.slug: questions(step) for step in steps},
    }


def _word(env, framework):
    """Return a function that draws the word, all of it or with one step's letter picked out."""
    drawing = env.get_template("signature.html").module.drawing
    hues = {step.slug: light_colors()[f"hue-{step.slug}"] for step in framework.steps}
    return cache(lambda slug: str(drawing(framework.steps, hues, {slug: 100} if slug else None)))


def _changed(config):
    """Return a function that says when a page was last changed, or nothing where nobody knows."""
    root, docs = Path(config.config_file_path).parent, Path(config.docs_dir)
    is_known = docs.is_relative_to(root) and not _build.serving
    known = changes.last_changes(root, str(docs)) if is_known else {}

    def changed(*paths):
        days = [known.get(f"{docs.name}/{path}") for path in paths]
        return max((day for day in days if day), default=None)

    return changed


def on_post_page(output, *, page, config):
    """Compress a page while the next one is being made."""
    if not _build.serving:
        path = Path(page.file.abs_dest_path)
        _build.compressor.add(path, output.encode("utf-8", "xmlcharrefreplace"))
    return output


def on_post_build(*, config):
    """Draw the cards, and write what only web servers read."""
    site = Path(config.site_dir)
    _build.cards.write(site)
    if _build.serving:
        return
    published = _build.published
    inline = {"script-src": published.script, "style-src": published.style}
    hosting.write_redirects(site, _moved, _build.redirect)
    hosting.write_headers(site, inline, https=config.site_url.startswith("https:"))
    hosting.write_nginx(site, config.site_url, _moved)
    _build.compressor.finish(site)
    kept.tidy()
