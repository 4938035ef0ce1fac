"""Pass a visitor's source from page to page, in links instead of a cookie.

Every link and form of a page keeps the reference of a self-assessment, which opens
nothing, the article that the visitor came from, and the source. Links to published pages keep
only the source, because people forward them.
"""

import re
from html import escape, unescape
from urllib.parse import urlencode

from flask import Flask, Response, g, request

from ..leads.touch import for_links, read_source
from .context import context

REFERENCE = re.compile(r"[0-7][0-9a-f]{7}-(?:[0-9a-f]{8}-)?[0-9a-f]{32}")
ELEMENT = re.compile(rb'<(?:a|form)\b[^>]*?\b(?:href|action)="(/(?!/)[^"]*)"[^>]*>')
FORMS = re.compile(r"/(?:book|contact|assessment)/")
UNREAD = {400, 403, 413}  # statuses of forms that were refused unread
OTHERS = {"desk", "hooks"}  # blueprints without pages for visitors
# These pages have the source stored, or are files.
OF_ITS_OWN = re.compile(
    r"/(?:booking|email|assets)/|/assessment/(?:shared/)?[\w-]{40,}/(?!again/)|.*\.\w+$"
)


def install(app: Flask) -> None:
    """Add the source to the links of all visitors' pages."""
    app.after_request(_carry)


def remember(assessment: str = "", article: str | None = None, source: str = "") -> None:
    """Set the source of a page from its data; parameters in its address override it."""
    g.remembered = {"assessment": assessment, "article": article, "source": source}


def with_context(
    address: str, assessment: str = "", article: str | None = None, source: str = ""
) -> str:
    """Add a lead's reference, article and source to a path, for a link in an email."""
    said = {"assessment": assessment, "from": article or "", **for_links(source)}
    return _with(address, {name: value for name, value in said.items() if value})


def _remembered(name: str) -> str:
    return g.get("remembered", {}).get(name) or ""


def article() -> str | None:
    """Return the slug of the article that the visitor came from."""
    slug = request.values.get("from", "")
    return slug if context().published.article(slug) else _remembered("article") or None


def source() -> str:
    """Return the visitor's source, in the form of `leads.touch`."""
    return read_source(request.values) or _remembered("source")


def carried() -> dict[str, str]:
    """Return the parameters to pass on from this page, as {name: value}."""
    given = request.values.get("assessment", "")
    reference = _remembered("assessment") or (given if REFERENCE.fullmatch(given) else "")
    said = {"assessment": reference, "from": article() or "", **for_links(source())}
    return {name: value for name, value in said.items() if value}


def _carry(response: Response) -> Response:
    """Add the parameters to the links and forms of a page, and to redirects."""
    if request.blueprint in OTHERS or response.status_code in UNREAD or response.is_streamed:
        return response
    if not (along := carried()):
        return response
    if response.location and response.location.startswith("/"):
        response.location = _with(response.location, along)
    elif response.mimetype == "text/html":
        response.set_data(ELEMENT.sub(lambda found: _element(found, along), response.get_data()))
    return response


def _element(found: re.Match[bytes], along: dict[str, str]) -> bytes:
    element, address = found[0].decode(), unescape(found[1].decode())
    if element.startswith("<form"):
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in _for(address, along).items()
        )
        return (element + hidden).encode()
    start, end = found.start(1) - found.start(), found.end(1) - found.start()
    written = escape(_with(address, along)).encode()
    return found[0][:start] + written + found[0][end:]


def _with(address: str, along: dict[str, str]) -> str:
    """Add the missing parameters to an address."""
    path_and_query, mark, fragment = address.partition("#")
    path, _, query = path_and_query.partition("?")
    said = {part.partition("=")[0] for part in query.split("&")}
    more = {name: value for name, value in _for(path, along).items() if name not in said}
    queries = "&".join(part for part in (query, urlencode(more)) if part)
    return path + ("?" + queries if queries else "") + mark + fragment


def _for(address: str, along: dict[str, str]) -> dict[str, str]:
    """Select the parameters for an address."""
    path = address.partition("?")[0]
    if OF_ITS_OWN.match(path):
        return {}
    if FORMS.match(path):
        return along
    return {name: value for name, value in along.items() if name not in ("assessment", "from")}
