"""How the service's pages are rendered: inside the published page, with a few shared words."""

from collections.abc import Iterable
from typing import Any

from flask import Flask
from jinja2 import ChoiceLoader, DictLoader

from .. import formats, own_files
from ..action_framework.counts import counts
from ..people import Person
from ..publishing.site import PAGE, Published
from .context import context


def install(app: Flask, published: Published) -> None:
    """Let templates extend the published page and use the filters below."""
    assert app.jinja_loader is not None
    app.jinja_loader = ChoiceLoader([DictLoader({PAGE: published.page}), app.jinja_loader])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.add_template_filter(formats.long_date)
    app.add_template_filter(formats.clock_time)
    app.add_template_filter(formats.short_date)
    app.add_template_filter(formats.write_date)
    app.add_template_filter(formats.zone_name)
    app.add_template_filter(formats.elsewhere)
    app.add_template_filter(formats.breakable)
    app.add_template_global(own_files.address, "asset")
    app.add_template_global(_people_of, "people_of")  # macros are imported without the context
    app.context_processor(_shared)


def _people_of(hosts: Iterable[Any]) -> list[Person]:
    """Return the people of the site whom these hosts are."""
    found = (context().published.person(host.person) for host in hosts)
    return [person for person in found if person]


def _shared() -> dict:
    published, settings = context().published, context().settings
    return {
        "settings": settings,
        "framework": published.framework,
        "counts": counts(published.framework),
        "calls": published.calls,
    }
