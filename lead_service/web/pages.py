"""How pages are rendered, inside the published page, and which of them are compressed.

The length of a compressed page reveals repeated text (the BREACH attack), so pages
with a secret, such as a token of the desk or of a result, are never compressed.
"""

import gzip
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request
from jinja2 import ChoiceLoader, DictLoader

from .. import formats, own_files
from ..action_framework.counts import counts
from ..leads.touch import PARAMETERS
from ..people import Person
from ..publishing.site import PAGE, Published
from . import first_pages
from .context import context

# Parameters that a visit may begin with, and those without secrets. A page with any other one
# is not compressed: `for` fills in a lead's details, and `assessment` is repeated in every link.
FIRST = {"from", *PARAMETERS}
PUBLIC = FIRST | {"day", "find", "host", "kind", "month", "zone"}
LEVEL = 6
View = TypeVar("View", bound=Callable[..., Any])


def install(app: Flask, published: Published) -> None:
    """Let templates extend the published page and use the filters below; compress marked views."""
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
    app.add_template_global(_people_of, "people_of")  # for macros without context
    app.context_processor(_shared)
    app.after_request(_compress)


def _people_of(hosts: Iterable[Any]) -> list[Person]:
    """Return the published people who are these hosts."""
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


def compressed(view: View) -> View:
    """Mark a view whose page has no secrets, except from parameters."""
    view.is_compressed = True  # type: ignore[attr-defined]
    return view


def _compress(response: Response) -> Response:
    view = current_app.view_functions.get(request.endpoint or "")
    if not getattr(view, "is_compressed", False) or not PUBLIC.issuperset(request.args):
        return response
    response.vary.add("Accept-Encoding")
    is_page = request.method == "GET" and response.status_code == 200
    if is_page and request.accept_encodings["gzip"]:
        if FIRST.issuperset(request.args):
            first_pages.inline(response)
        response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
