"""Check every request's host, size, characters, origin and rate, and add security headers.

Public forms have no session and are on static pages, which can't have a token: they accept
a POST by `Sec-Fetch-Site`, else by `Origin`. The desk adds Flask-WTF's token (desk/pages.py).
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import cached_property, wraps
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Flask, Request, Response, abort, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadSignature, Signer
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import TooManyRequests, UnprocessableEntity
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map
from werkzeug.sansio.utils import host_is_trusted

from .. import clock
from ..db.base import LARGEST_ID
from ..headers import headers_for
from ..settings import LOOPBACK, Settings
from .context import context
from .tokens import derived_token

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

FORM = "application/x-www-form-urlencoded"
FORM_BYTES = 64 * 1024
FORM_FIELDS = 60
PARAMETER_CHARACTERS = 300
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
# C0 and C1 controls except tab and line ends, lone surrogates and the non-characters U+FFFE/F:
# SQLite stores a NUL and PostgreSQL refuses it, and no name contains any of these.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
HEALTH = {"/healthz", "/readyz"}
MESSAGES_OF_CLIENT, MESSAGES_OF_ALL = "5 per hour", "60 per hour"  # further ones are held
FASTEST_SECONDS = 2  # the least time in which a person or a browser fills in a form
View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()


def limit_posts(view: View) -> View:
    """Limit the posts of a client to this view, together with all other forms (429)."""

    @wraps(view)
    def counted(*given: Any, **named: Any) -> Any:
        ours = context()
        if wait := ours.limits.hit(ours.settings.limit_posts, "posts", client_address()):
            raise TooManyRequests(retry_after=wait)
        return view(*given, **named)

    return cast(View, counted)


def client_address() -> str:
    """Return a client's key for limits: its IPv4 address, or its IPv6 network.

    Providers give one customer up to a /48 (RFC 6177). A Unix socket has no address.
    """
    address = request.remote_addr or "127.0.0.1"
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4 or found.is_loopback:
        return str(found)
    return str(found.ipv4_mapped or ip_network((found.packed, 48), strict=False))


class TrustedHosts:
    """Middleware before everything else: refuse unknown hosts (400), and add the headers.

    Files that are cached for a year have their own headers: they aren't pages, and a first visit
    requests many.
    """

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app = app
        own = [urlsplit(settings.public_url).hostname or ""]
        self._hosts = sorted(LOOPBACK) if settings.is_local else own
        self._headers = headers_for(https=settings.is_https)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        def start(status, given, exc_info=None):
            names = {name.lower(): value for name, value in given}
            # A 304 replaces cached headers, and a page's policy has the hashes of its styles.
            if status.startswith("304") or "immutable" in names.get("cache-control", ""):
                return start_response(status, given, exc_info)
            missing = [one for one in self._headers.items() if one[0].lower() not in names]
            return start_response(status, [*given, *missing], exc_info)

        if environ.get("PATH_INFO") in HEALTH:  # load balancers use a host of their own
            environ = environ | {"HTTP_HOST": self._hosts[0]}
        if host_is_trusted(environ.get("HTTP_HOST", "").lower(), self._hosts):
            return self._app(environ, start)
        # Plain text, because a page needs a known host for its links.
        refused = Response("This host name is not served here.\n", 400, mimetype="text/plain")
        return refused(environ, start)


class BoundedRequest(Request):
    """A request that ignores query parameters longer than any of ours.

    For example, Python refuses to parse a number of 5,000 digits.
    """

    @cached_property
    def args(self) -> MultiDict[str, str]:
        given = super().args.items(multi=True)
        return ImmutableMultiDict(one for one in given if len(one[1]) <= PARAMETER_CHARACTERS)


class RowId(IntegerConverter):
    """The id of a row in an address: 404 for one that PostgreSQL would refuse."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LARGEST_ID)


def install(app: Flask, settings: Settings) -> None:
    """Add the checks to every request of `app`; call it before adding routes."""
    app.request_class = BoundedRequest
    app.url_map.converters["int"] = RowId
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # otherwise // redirects to any port in the Host header
    app.config.update(
        SECRET_KEY=settings.secret,
        MAX_CONTENT_LENGTH=FORM_BYTES,
        SESSION_COOKIE_NAME="__Host-desk" if settings.is_https else "desk",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]
    csrf.init_app(app)
    app.before_request(_check_origin)
    app.before_request(_check_input)
    app.after_request(_keep_nothing)


def _check_origin() -> None:
    """Refuse a state change requested by another site (403)."""
    if request.method not in UNSAFE or _own_proof():
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site == "same-origin"
    else:
        allowed = _is_own_origin(request.headers.get("Origin", ""))
    if not allowed:
        abort(403)
    g.own_page = True  # an error page may show the input again, since no other site has written it


def _own_proof() -> bool:
    """Say whether the route verifies the sender itself, like a signed webhook."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "own_proof", False)


def _is_own_origin(origin: str) -> bool:
    settings = context().settings
    own, given = urlsplit(settings.public_url), urlsplit(origin)
    if settings.is_local:
        return given.scheme == "http" and given.netloc == request.host
    return (given.scheme, given.netloc) == (own.scheme, own.netloc)


def _check_input() -> None:
    """Refuse malformed forms (400) and forbidden characters (422)."""
    if CONTROL.search(request.path):
        abort(404)
    if request.query_string and CONTROL.search("".join(_texts(request.args))):
        abort(400)
    if request.method not in UNSAFE or _own_proof():
        return
    body = request.get_data(cache=True)
    if len(body) != (request.content_length or 0):
        # Refuse truncated bodies and those without a length: the retry would carry the
        # same submission key, and be dropped as a duplicate.
        abort(400)
    if request.mimetype == FORM:
        _require_utf8(body)
    if request.content_length and (request.mimetype != FORM or not request.form):
        abort(400)  # our forms aren't multipart, which would replace invalid bytes
    values = _texts(request.form)
    if len(values) > 2 * FORM_FIELDS:
        abort(413)
    if CONTROL.search("".join(values)):
        raise UnprocessableEntity("One of the fields contains a control character.")


def _texts(fields: MultiDict[str, str]) -> list[str]:
    """Return the names and values of fields."""
    return [text for pair in fields.items(multi=True) for text in pair]


def _require_utf8(body: bytes) -> None:
    """Refuse a form that isn't UTF-8 (400): it would be parsed as other text."""
    try:
        unquote_to_bytes(body).decode("utf-8")
    except UnicodeDecodeError:
        abort(400)


def _keep_nothing(response: Response) -> Response:
    """Forbid caching of responses, unless a route allows it."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def is_flood(act: str, of_client: str, of_all: str, first_of_all: str = "") -> bool:
    """Count an act of this client; say whether this client or all together reached a limit.

    Acts beyond one client's limit don't count for all. With `first_of_all`,
    the first act of each client in a day has a separate limit, which few clients can't use up.
    A loopback client is this machine, or a proxy missing from TRUSTED_PROXIES: then all
    visitors share one address, and must not all be suspected.
    """
    client, limits = client_address(), context().limits
    if client in LOOPBACK:
        return False
    if limits.hit(of_client, act, client):
        return True
    is_first = first_of_all and not limits.hit("1 per day", act, "first", client)
    return bool(limits.hit(first_of_all if is_first else of_all, act, "all", str(is_first)))


def are_too_many_messages() -> bool:
    """Count a message to the team; say whether it is part of a flood."""
    return is_flood("messages", MESSAGES_OF_CLIENT, MESSAGES_OF_ALL)


def client_digest() -> str | None:
    """Return a daily digest of the client's address, from which it can't be read."""
    client = client_address()
    if client in LOOPBACK:
        return None
    secret = context().settings.secret
    return derived_token(secret, "client", f"{clock.now():%Y-%m-%d}:{client}")[:16]


def signed_now() -> str:
    """Return the present time, signed, from which a form's duration can be computed later."""
    second = int(clock.now().timestamp())
    return _signer(context().settings.secret).sign(str(second)).decode()


def is_submitted_too_fast(shown: str) -> bool:
    """Say whether a form, first `shown` at a signed time, was submitted faster than people type.

    A missing, old, future or forged time is ignored: pages may stay open for long,
    and clocks may be changed. A loopback client isn't suspected, for the reason that
    `is_flood` gives.
    """
    if client_address() in LOOPBACK:
        return False
    try:
        began = int(_signer(context().settings.secret).unsign(shown))
    except (BadSignature, ValueError):
        return False
    return 0 <= clock.now().timestamp() - began < FASTEST_SECONDS


def _signer(secret: str) -> Signer:
    return Signer(secret, salt="shown", digest_method=hashlib.sha256)
