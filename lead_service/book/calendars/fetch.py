"""Fetch a calendar from its address: from a public machine, in bounded time, at a bounded size.

The name is resolved here, its addresses are checked, and the connection goes to exactly the
address that was checked, with the name's certificate: a second look-up of the name
could return another one. Redirects are checked the same way. No proxy is used.
"""

import http.client
import socket
import ssl
import zlib
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import httpcore
from werkzeug.datastructures import Headers

from ... import clock
from ...outbound import Attempt, connections, headers_of
from .feed_address import check, is_allowed

SECONDS = 60  # in total
LARGEST = 50_000_000  # bytes, uncompressed: enough for ten years with guests and notes
TOO_LARGE = "it is larger than 50 MB"
LONGEST_WAIT = timedelta(hours=6)  # that a server may ask for; a reading is valid for a day
REDIRECTS = 3
SAID = {
    401: "asks for a password",
    403: "refuses access",
    404: "doesn\u2019t have this calendar",
    410: "no longer has this calendar",
}
GZIP = b"\x1f\x8b"
LONGEST_MARK = 500  # characters of an ETag

HEADERS = {
    "User-Agent": "lead-service (calendar reader)",
    "Accept": "text/calendar",
    "Accept-Encoding": "gzip",
}


class Unreadable(Exception):
    """The calendar could not be read; the message says why, without the address.

    `wait` is the delay that its server asked for.
    """

    def __init__(self, why: str, wait: timedelta | None = None) -> None:
        super().__init__(why)
        self.wait = wait


@dataclass(frozen=True)
class Fetched:
    """A server's response; `content` is None if the calendar hasn't changed."""

    content: bytes | None
    etag: str = ""
    last_modified: str = ""


def fetch(
    url: str, *, etag: str = "", last_modified: str = "", allow_loopback: bool = False
) -> Fetched:
    """Fetch a calendar, unless it hasn't changed by its validators (RFC 9110, 13).

    Raises Unreadable, at the latest after SECONDS.
    """
    marks = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = HEADERS | {name: value for name, value in marks.items() if value}

    def allow(address: str) -> None:
        if not is_allowed(address, allow_loopback=allow_loopback):
            raise Unreadable("its host name points to a private address")

    pool = connections(allow=allow)
    try:
        return Attempt().run(SECONDS, lambda: _follow(pool, url, headers, allow_loopback))
    except Unreadable:
        raise
    except TimeoutError:
        raise Unreadable("it did not answer in time") from None
    except ssl.SSLCertVerificationError:
        raise Unreadable("its certificate is not valid") from None
    except socket.gaierror:
        raise Unreadable("its host name is not known") from None
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        raise Unreadable(f"it could not be reached ({type(error).__name__})") from None


def _follow(
    pool: httpcore.ConnectionPool, url: str, headers: dict[str, str], allow_loopback: bool
) -> Fetched:
    for _ in range(REDIRECTS + 1):
        try:
            url = check(url, allow_loopback=allow_loopback)
        except ValueError as fault:
            raise Unreadable(f"the address that it redirects to {fault}") from None
        answer = _ask(pool, url, headers)
        if isinstance(answer, Fetched):
            return answer
        url = urljoin(url, answer)
    raise Unreadable(f"it redirects more than {REDIRECTS} times")


def _ask(pool: httpcore.ConnectionPool, url: str, headers: dict[str, str]) -> Fetched | str:
    """Send one request; return the response, or the address of a redirect."""
    with pool.stream("GET", url, headers=list(headers.items())) as answer:
        given = headers_of(answer)
        if answer.status in {301, 302, 303, 307, 308}:
            return given.get("Location", "")
        if answer.status == 304 and headers.keys() & {"If-None-Match", "If-Modified-Since"}:
            return Fetched(None)
        if answer.status != 200:
            said = SAID.get(answer.status, "sent no calendar")
            raise Unreadable(f"the server {said} ({answer.status})", _wait(given))
        etag, date = (_mark(given, name) for name in ("ETag", "Last-Modified"))
        return Fetched(_body(answer, given), etag, date)


def _body(answer: httpcore.Response, given: Headers) -> bytes:
    """Read and decompress the content in pieces, so that it never grows beyond LARGEST."""
    coding = given.get("Content-Encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip", "x-gzip", ""}:
        raise Unreadable("it uses a compression that we don\u2019t support")
    if given.get("Content-Length", 0, int) > LARGEST:
        raise Unreadable(TOO_LARGE)
    body, unpack = bytearray(), None
    try:
        for chunk in answer.iter_stream():
            if not body and unpack is None and chunk.startswith(GZIP):  # undeclared gzip
                unpack = zlib.decompressobj(wbits=31)
            body += unpack.decompress(chunk, LARGEST + 1 - len(body)) if unpack else chunk
            if len(body) > LARGEST:
                raise Unreadable(TOO_LARGE)
    except httpcore.RemoteProtocolError:
        raise Unreadable("the download was cut off") from None
    if unpack and (not unpack.eof or unpack.unused_data):
        raise Unreadable("the download was cut off")
    return bytes(body)


def _wait(given: Headers) -> timedelta | None:
    """Return a server's Retry-After (RFC 9110, 10.2.3), within LONGEST_WAIT."""
    asked = given.get("Retry-After", "").strip()
    if asked.isdecimal():
        wait = timedelta(seconds=min(int(asked), LONGEST_WAIT.total_seconds()))
    else:
        try:
            wait = parsedate_to_datetime(asked) - clock.now()
        except (TypeError, ValueError):
            return None
    return min(wait, LONGEST_WAIT) if wait > timedelta() else None


def _mark(given: Headers, name: str) -> str:
    """Return a validator of the content if it can be stored and sent back; otherwise empty."""
    value = given.get(name, "")
    longest = LONGEST_MARK if name == "ETag" else 100
    return value if value.isascii() and value.isprintable() and len(value) <= longest else ""
