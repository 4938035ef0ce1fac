"""Send requests to other hosts, with a total deadline and only to allowed addresses.

With a time-out per read, a server that sends a byte now and then could hold us for as long as it
likes. Here every read and write gets the time that is left in total. Redirects are never followed:
they could lead a key to another host.
"""

import http.client
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import httpcore
from werkzeug.datastructures import Headers

LONGEST = 64_000  # bytes of a response body that are read
ACCEPTED = 202

Allow = Callable[[str], None]  # raises for a forbidden address


class Attempt:
    """One request and its deadline."""

    def __init__(self) -> None:
        self._ends = float("inf")
        self._over = threading.Event()
        self._socket: socket.socket | None = None

    def run(self, seconds: float, work: Callable[[], Any]) -> Any:
        """Return what `work()` returns or raise what it raises, within `seconds`.

        Raises TimeoutError at the deadline. Uses a thread, because nothing else cuts off a name
        server that does not answer; it ends at its next read or write.
        """
        self._ends = time.monotonic() + seconds
        answer: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()
        threading.Thread(target=self._answer, args=(work, answer), daemon=True).start()
        try:
            result, error = answer.get(timeout=seconds)
        except Empty:
            self._abandon()
            raise TimeoutError from None
        if error:
            raise error
        return result

    @property
    def left(self) -> float:
        """Return the seconds that are left; raise TimeoutError at the deadline."""
        if (seconds := self._ends - time.monotonic()) <= 0:
            raise TimeoutError
        return seconds

    def watch(self, opened: socket.socket) -> None:
        """Close a socket at the deadline, or refuse it when the deadline has passed."""
        self._socket = opened
        if self._over.is_set():
            opened.close()
            raise TimeoutError

    def _answer(self, work: Callable[[], Any], answer: SimpleQueue) -> None:
        _attempt.set(self)
        try:
            answer.put((work(), None))
        except Exception as error:
            answer.put((None, _built_in(error)))

    def _abandon(self) -> None:
        # `watch` reads these in reverse order, so one of the two threads sees the other's change.
        self._over.set()
        if self._socket:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


_attempt: ContextVar[Attempt] = ContextVar("attempt")


def _built_in(error: Exception) -> Exception:
    """Return the built-in error that corresponds to an error of the library."""
    match error:
        case httpcore.TimeoutException():
            return TimeoutError()
        case httpcore.NetworkError():
            cause = error.args[0] if error.args else None
            return cause if isinstance(cause, OSError) else ConnectionError()
        case httpcore.RemoteProtocolError() if "disconnected" in str(error):
            return ConnectionResetError()
        case httpcore.ProtocolError() | httpcore.ProxyError():
            return http.client.HTTPException(str(error))
    return error


@dataclass(frozen=True)
class Answer:
    """A host's response; `body` is its beginning, or empty when the body was truncated."""

    status: int
    headers: Headers
    body: bytes


def request(
    pool: httpcore.ConnectionPool,
    seconds: float,
    method: str,
    url: str,
    headers: dict[str, str],
    content: bytes | None = None,
) -> Answer:
    """Send one request within `seconds`; raise OSError, TimeoutError or HTTPException."""
    given = {"Accept": "application/json", "User-Agent": "lead-service"} | headers
    return Attempt().run(seconds, partial(_request, pool, method, url, given, content))


def _request(
    pool: httpcore.ConnectionPool,
    method: str,
    url: str,
    headers: dict[str, str],
    content: bytes | None,
) -> Answer:
    with pool.stream(method, url, headers=list(headers.items()), content=content) as response:
        found = headers_of(response)
        # A 202 is complete without its body.
        is_read = response.status != ACCEPTED or found.get("Content-Length") == "0"
        return Answer(response.status, found, _beginning(response) if is_read else b"")


def headers_of(response: httpcore.Response) -> Headers:
    """Return the headers of a response."""
    pairs = response.headers
    return Headers((name.decode("latin-1"), text.decode("latin-1")) for name, text in pairs)


def _beginning(response: httpcore.Response) -> bytes:
    """Read the beginning of a body; a truncated one counts as empty, since the status matters."""
    body = bytearray()
    with suppress(httpcore.NetworkError, httpcore.ProtocolError):
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > LONGEST:
                break
        return bytes(body[:LONGEST])
    return b""


def connections(
    *, allow: Allow | None = None, proxy_for: str | None = None, kept_seconds: float = 0
) -> httpcore.ConnectionPool:
    """Return a pool whose connections live for `kept_seconds` after a request.

    `allow` checks each address to which a host name resolves, and the connection
    goes to a checked address: a second look-up of the name could return another one.
    `proxy_for` is an https address that may be reached by the proxy that HTTPS_PROXY
    names, through a tunnel that hides the traffic from the proxy.
    """
    options: dict[str, Any] = {
        "ssl_context": ssl.create_default_context(),
        "network_backend": _Backend(allow),
        "keepalive_expiry": kept_seconds,
        "max_keepalive_connections": 1 if kept_seconds else 0,
    }
    if proxy_for and (proxy := _proxy(proxy_for)):
        return httpcore.HTTPProxy(proxy, **options)
    return httpcore.ConnectionPool(**options)


def _proxy(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.scheme != "https" or urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get("https")


class _Backend(httpcore.NetworkBackend):
    """Open connections that close at the deadline of the attempt that uses them."""

    def __init__(self, allow: Allow | None) -> None:
        self._allow, self._sockets = allow, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        fault: Exception | None = None
        for address in self._addresses(host, port):
            try:
                left = _attempt.get().left
                return _Stream(
                    self._sockets.connect_tcp(address, port, left, socket_options=socket_options)
                )
            except httpcore.ConnectError as error:
                fault = error
        raise fault or OSError

    def _addresses(self, host: str, port: int) -> list[str]:
        if self._allow is None:
            return [host]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        for address in addresses:
            self._allow(address)
        return addresses


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes get the time that is left of the attempt."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _attempt.get().left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _attempt.get().left)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _attempt.get().left
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
