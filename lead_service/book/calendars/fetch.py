"""Fetch a calendar from its address: from a public machine, in bounded time, at a bounded size.

The name is resolved here, what it resolves to is checked, and the connection goes to exactly the
address that was checked, under the name's certificate: between a check and a second look at the
name its answer may have changed. Redirects are checked the same way. No proxy is used.
"""

import http.client
import socket
import ssl
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from ... import clock
from ...emails.transports.deadline_http import Attempt
from .feed_address import check, is_allowed

SECONDS = 60  # for all of it, however slowly it arrives
READ_SECONDS = 10
LARGEST = 50_000_000  # bytes, unpacked: the private address of ten years, with guests and notes
TOO_LARGE = "is larger than 50 MB"
LONGEST_WAIT = timedelta(hours=6)  # that a server may ask for; a copy is believed for a day
REDIRECTS = 3
CHUNK = 65_536
GZIP = b"\x1f\x8b"
LONGEST_MARK = 500  # of an ETag; the date of a change is shorter

HEADERS = {
    "User-Agent": "lead-service (calendar reader)",
    "Accept": "text/calendar",
    "Accept-Encoding": "gzip",
    "Connection": "close",
}


class Unreadable(Exception):
    """A calendar that could not be read; the text says why, and never repeats its address.

    `wait` is how long its server asked us to stay away.
    """

    def __init__(self, why: str, wait: timedelta | None = None) -> None:
        super().__init__(why)
        self.wait = wait


@dataclass(frozen=True)
class Fetched:
    """What a server answered; `content` is None when nothing has changed since the marks."""

    content: bytes | None
    etag: str = ""
    last_modified: str = ""


def fetch(
    url: str, *, etag: str = "", last_modified: str = "", allow_loopback: bool = False
) -> Fetched:
    """Fetch a calendar, or learn that it is as it was when it had these marks (RFC 9110, 13).

    Raises Unreadable, in the end after SECONDS.
    """
    marks = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = HEADERS | {name: value for name, value in marks.items() if value}
    attempt = Attempt()
    try:
        return attempt.run(SECONDS, lambda: _follow(attempt, url, headers, allow_loopback))
    except Unreadable:
        raise
    except TimeoutError:
        raise Unreadable("did not answer in time") from None
    except ssl.SSLCertVerificationError:
        raise Unreadable("its certificate is not valid") from None
    except socket.gaierror:
        raise Unreadable("its host name is not known") from None
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        raise Unreadable(f"could not be reached ({type(error).__name__})") from None


def _follow(attempt: Attempt, url: str, headers: dict[str, str], allow_loopback: bool) -> Fetched:
    for _ in range(REDIRECTS + 1):
        try:
            url = check(url, allow_loopback=allow_loopback)
        except ValueError as fault:
            raise Unreadable(f"the address that it leads to {fault}") from None
        answer = _ask(attempt, url, headers, allow_loopback)
        if isinstance(answer, Fetched):
            return answer
        url = urljoin(url, answer)
    raise Unreadable(f"leads on more than {REDIRECTS} times")


def _ask(
    attempt: Attempt, url: str, headers: dict[str, str], allow_loopback: bool
) -> Fetched | str:
    """Send one request; return what came, or the address of a redirect."""
    parts = urlsplit(url)
    kind = _Secure if parts.scheme == "https" else _Plain
    connection = kind(parts.hostname or "", parts.port, timeout=READ_SECONDS)
    connection.attempt, connection.allow_loopback = attempt, allow_loopback
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        if answer.status in {301, 302, 303, 307, 308}:
            return answer.getheader("Location", "")
        if answer.status == 304 and headers.keys() & {"If-None-Match", "If-Modified-Since"}:
            return Fetched(None)
        if answer.status != 200:
            raise Unreadable(f"answered {answer.status}", _wait(answer))
        etag, date = (_mark(answer, name) for name in ("ETag", "Last-Modified"))
        return Fetched(_body(answer), etag, date)
    finally:
        connection.close()


def _body(answer: http.client.HTTPResponse) -> bytes:
    """Read the content, unpacked as it comes, so that nothing grows beyond LARGEST."""
    coding = answer.getheader("Content-Encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip", "x-gzip", ""}:
        raise Unreadable("came packed in a way that we did not ask for")
    if (answer.length or 0) > LARGEST:
        raise Unreadable(TOO_LARGE)
    body, unpack = bytearray(), None
    while chunk := answer.read(CHUNK):
        if not body and unpack is None and chunk.startswith(GZIP):  # some do not say so
            unpack = zlib.decompressobj(wbits=31)
        body += unpack.decompress(chunk, LARGEST + 1 - len(body)) if unpack else chunk
        if len(body) > LARGEST:
            raise Unreadable(TOO_LARGE)
    is_whole = unpack is None or (unpack.eof and not unpack.unused_data)
    if answer.length or not is_whole:  # bytes that were announced and did not come
        raise Unreadable("ended before its end")
    return bytes(body)


def _wait(answer: http.client.HTTPResponse) -> timedelta | None:
    """Return how long a server asks us to wait (RFC 9110, 10.2.3), within LONGEST_WAIT."""
    asked = answer.getheader("Retry-After", "").strip()
    if asked.isdecimal():
        wait = timedelta(seconds=min(int(asked), LONGEST_WAIT.total_seconds()))
    else:
        try:
            wait = parsedate_to_datetime(asked) - clock.now()
        except (TypeError, ValueError):
            return None
    return min(wait, LONGEST_WAIT) if wait > timedelta() else None


def _mark(answer: http.client.HTTPResponse, name: str) -> str:
    """Return a mark of the content as we may store it and send it back; else none."""
    value = answer.getheader(name, "")
    longest = LONGEST_MARK if name == "ETag" else 100
    return value if value.isascii() and value.isprintable() and len(value) <= longest else ""


class _Plain(http.client.HTTPConnection):
    """A connection to one of the addresses that its host name has now, if all are allowed."""

    attempt: Attempt
    allow_loopback: bool

    def connect(self) -> None:
        self.sock = self._reach()

    def _reach(self) -> socket.socket:
        fault: OSError | None = None
        for address in list(self._addresses()):
            try:
                reached = socket.create_connection(address, timeout=self.timeout)
            except OSError as error:
                fault = error
                continue
            self.attempt.watch(reached)
            return reached
        raise fault or OSError

    def _addresses(self) -> Iterator[tuple[str, int]]:
        for *_, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            host = str(address[0])
            if not is_allowed(host, allow_loopback=self.allow_loopback):
                raise Unreadable("its host name leads to a private address")
            yield host, self.port


class _Secure(_Plain):
    """The same over TLS; the certificate must be the host name's."""

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        # The handshake comes after `watch`, so that the deadline cuts it off as well.
        self.sock = ssl.create_default_context().wrap_socket(
            self._reach(), server_hostname=self.host, do_handshake_on_connect=False
        )
        self.attempt.watch(self.sock)
        self.sock.do_handshake()
