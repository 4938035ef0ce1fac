"""Tie the site together: the framework, the articles and the assets, handed to the templates.

MkDocs calls the `on_…` functions in the order in which they stand here. Whatever needs all pages
is worked out once a build, never once a page, so that building grows with the number of articles
and not with its square.
"""

import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import articles as article_files
import assets
from jinja2 import ChoiceLoader, FileSystemLoader, select_autoescape
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import InclusionLevel

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # the console script `mkdocs` does not look beside mkdocs.yml

from lead_service.assess.framework import FrameworkError, load  # noqa: E402

_build = {"serving": False}
_articles: dict[str, article_files.Article] = {}  # by source path


def on_startup(*, command, dirty):
    """Note whether this is a preview, which needs no compressed copies."""
    _build["serving"] = command == "serve"


def on_config(config):
    """Load the framework; a fault in it stops the build and is named."""
    path = Path(config.docs_dir, "framework.yml")
    try:
        _build["framework"] = load(path.read_text("utf-8"))
    except FrameworkError as error:
        raise PluginError(f"{path.name}: {error}") from error
    return config


def on_files(files, *, config):
    """Swap the theme's assets for ours, and read every article's front matter."""
    for file in list(files):
        if file.src_uri.startswith(assets.UNPUBLISHED):
            files.remove(file)
    _build["assets"] = assets.published(config, files)
    _articles.clear()
    steps = [step.slug for step in _build["framework"].steps]
    for file in files.documentation_pages():
        if article_files.is_article(file.src_uri):
            article = article_files.read(file, steps)
            if article.draft:
                file.inclusion = InclusionLevel.DRAFT
            if not article.draft or _build["serving"]:
                _articles[file.src_uri] = article
    return files


def on_page_markdown(markdown, *, page, config, files):
    """Give articles their template, so that a writer need not name it."""
    if page.file.src_uri in _articles:
        page.meta.setdefault("template", "article.html")
    elif not page.meta.get("description"):
        raise PluginError(f"{page.file.src_uri}:1: front matter needs a description")
    return markdown


def on_page_content(html, *, page, config, files):
    """Keep what lists and feeds need of an article's text."""
    if article := _articles.get(page.file.src_uri):
        minutes = article_files.minutes(html)
        _articles[page.file.src_uri] = replace(article, minutes=minutes, html=html)
    return html


def on_env(env, *, config, files):
    """Hand the templates what is the same on every page."""
    env.loader = ChoiceLoader(
        [env.loader, FileSystemLoader(ROOT / "lead_service" / "templates")]  # the signature
    )
    env.autoescape = select_autoescape(["html", "xml"])
    listing = article_files.Listing.of(_articles.values())
    env.filters["day"] = article_files.day
    env.globals.update(
        framework=_build["framework"],
        articles=listing.newest,
        articles_of=listing.of_step,
        related_to=listing.related,
        article_at=_articles.get,
        headings_of=article_files.headings,
        step_links={step.slug: f"/framework/{step.slug}/" for step in _build["framework"].steps},
        asset=_build["assets"],
        origin="{0.scheme}://{0.netloc}".format(urlsplit(config.site_url)),
        practice=config.site_name,
    )
    return env


def on_post_build(*, config):
    """Put a .gz and a .br beside every text file, for the web server to pick up."""
    if not _build["serving"]:
        assets.compress(Path(config.site_dir))
