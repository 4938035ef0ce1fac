"""What stands at the edge of every request: hosts, sizes, characters, origin, limits, headers.

Public forms carry no session, and stand on static pages that cannot carry a token: they accept
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
from werkzeug.sansio.utils import host_is_trusted

from .. import clock
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
# C0 and C1 controls but tab and line ends, the lone surrogates and the non-characters U+FFFE/F:
# SQLite stores a NUL and PostgreSQL refuses it, and none of these is part of any name.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
HEALTH = {"/healthz", "/readyz"}
MESSAGES_OF_CLIENT, MESSAGES_OF_ALL = "5 per hour", "60 per hour"  # the next ones are held
FASTEST_SECONDS = 2  # from when a form is shown to when a person or a browser has filled it in
View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()


def limit_posts(view: View) -> View:
    """Count the requests of a view as posts of their client, whatever the form; beyond: 429."""

    @wraps(view)
    def counted(*given: Any, **named: Any) -> Any:
        ours = context()
        if wait := ours.limits.hit(ours.settings.limit_posts, "posts", client_address()):
            raise TooManyRequests(retry_after=wait)
        return view(*given, **named)

    return cast(View, counted)


def client_address() -> str:
    """Return what limits know a client by: its address, or of version six its network.

    There, providers give one customer up to a /48 (RFC 6177). A socket in the file system has none.
    """
    address = request.remote_addr or "127.0.0.1"
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4 or found.is_loopback:
        return str(found)
    return str(found.ipv4_mapped or ip_network((found.packed, 48), strict=False))


def headers(settings: Settings) -> dict[str, str]:
    """Return the headers that every answer carries, the static site's included."""
    return headers_for(https=settings.is_https)


def trusted_hosts(settings: Settings) -> list[str]:
    """Return the hosts that we answer for."""
    if settings.is_local:
        return sorted(LOOPBACK)
    return [urlsplit(settings.public_url).hostname or ""]


class TrustedHosts:
    """Stand before all else, static files included: our host or 400, and our headers always.

    Files that are kept for a year have brought theirs: they are no pages, and a first visit asks
    for many.
    """

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app = app
        self._hosts = trusted_hosts(settings)
        self._headers = headers(settings)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        def start(status, given, exc_info=None):
            names = {name.lower(): value for name, value in given}
            # A 304 replaces the stored headers, and a page's policy holds the hashes of its styles.
            if status.startswith("304") or "immutable" in names.get("cache-control", ""):
                return start_response(status, given, exc_info)
            missing = [one for one in self._headers.items() if one[0].lower() not in names]
            return start_response(status, [*given, *missing], exc_info)

        if environ.get("PATH_INFO") in HEALTH:  # balancers ask by an address of their own
            environ = environ | {"HTTP_HOST": self._hosts[0]}
        if host_is_trusted(environ.get("HTTP_HOST", "").lower(), self._hosts):
            return self._app(environ, start)
        # In plain text: without a host that is ours, no address of a page can be made.
        refused = Response("This address is not served here.\n", 400, mimetype="text/plain")
        return refused(environ, start)


class BoundedRequest(Request):
    """A request whose query holds no parameter longer than any of ours is.

    Such a one counts as missing: Python refuses to read a number of 5,000 digits, for example.
    """

    @cached_property
    def args(self) -> MultiDict[str, str]:
        given = super().args.items(multi=True)
        return ImmutableMultiDict(one for one in given if len(one[1]) <= PARAMETER_CHARACTERS)


def install(app: Flask, settings: Settings) -> None:
    """Put the edge before every request of `app`; call it before routes are added."""
    app.request_class = BoundedRequest
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # else //: a redirect to whatever port the client names
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
    """Refuse a state change that another site asked for (403)."""
    if request.method not in UNSAFE or _own_proof():
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site == "same-origin"
    else:
        allowed = _is_own_origin(request.headers.get("Origin", ""))
    if not allowed:
        abort(403)
    g.own_page = True  # what was typed there may be offered again: no other site has written it


def _own_proof() -> bool:
    """Say whether the route brings its own proof of the sender, as a signed hook does."""
    return getattr(_view(), "own_proof", False)


def _view() -> Callable | None:
    """Return who answers this request, if anybody does."""
    return current_app.view_functions.get(request.endpoint or "")


def _is_own_origin(origin: str) -> bool:
    settings = context().settings
    own, given = urlsplit(settings.public_url), urlsplit(origin)
    if settings.is_local:
        return given.scheme == "http" and given.netloc == request.host
    return (given.scheme, given.netloc) == (own.scheme, own.netloc)


def _check_input() -> None:
    """Refuse what no browser sends (400) and characters that no text needs (422)."""
    if CONTROL.search(request.path):
        abort(404)
    if request.query_string and CONTROL.search("".join(_texts(request.args))):
        abort(400)
    if request.method not in UNSAFE or _own_proof():
        return
    body = request.get_data(cache=True)
    if len(body) != (request.content_length or 0):
        # Truncated, or of undeclared length. The server hands over what came:
        # a sentence would be kept without its end, and the form sent again be taken for the same.
        abort(400)
    if request.mimetype == FORM:
        _require_utf8(body)
    if request.content_length and (request.mimetype != FORM or not request.form):
        abort(400)  # no form of ours: of bytes that are no text, multipart would make other text
    values = _texts(request.form)
    if len(values) > 2 * FORM_FIELDS:
        abort(413)
    if CONTROL.search("".join(values)):
        raise UnprocessableEntity("One of the fields holds a control character.")


def _texts(fields: MultiDict[str, str]) -> list[str]:
    """Return the names and values of fields."""
    return [text for pair in fields.items(multi=True) for text in pair]


def _require_utf8(body: bytes) -> None:
    """Refuse a form that is not UTF-8 (400): it would be read as other text, or as no form."""
    try:
        unquote_to_bytes(body).decode("utf-8")
    except UnicodeDecodeError:
        abort(400)


def _keep_nothing(response: Response) -> Response:
    """Let no cache keep what the application answers, but where a route says otherwise."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def is_flood(act: str, of_client: str, of_all: str, first_of_all: str = "") -> bool:
    """Count an act of this client; say whether it, or all clients together, did that too often.

    What one client does beyond its limit does not use up the limit of all. With `first_of_all`,
    the first act of each client in a day has a limit of its own, which few clients cannot use up.
    A loopback client is this machine, or a proxy that TRUSTED_PROXIES does not name: then all
    visitors share one address, and suspecting them all would be wrong.
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
    """Return what a client's acts of one day have in common, and no address can be read from."""
    client = client_address()
    if client in LOOPBACK:
        return None
    secret = context().settings.secret
    return derived_token(secret, "client", f"{clock.now():%Y-%m-%d}:{client}")[:16]


def signed_now() -> str:
    """Return the present moment, signed: for a form, to tell later how long it took to fill in."""
    second = int(clock.now().timestamp())
    return _signer(context().settings.secret).sign(str(second)).decode()


def is_submitted_too_fast(shown: str) -> bool:
    """Say whether a form that was `shown` then comes back faster than a person fills it in.

    A moment that is missing, old, to come or not ours says nothing: pages may be kept for long,
    and clocks be set. A loopback client is not suspected, for the reason that
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
