"""One HTTP request that ends when we say so and goes nowhere but to the host we named.

The provider's client has a time-out for each read only, so a server that sends a byte now and
then holds it for as long as it likes; and it follows redirects, taking the key to wherever they
lead. Here a request runs in a thread of its own, its socket is closed at the deadline, and its
opener knows neither redirects nor any scheme but http and https.

A proxy named by HTTPS_PROXY in the environment is used, through a tunnel that it cannot look
into. Requests by plain http, which are for this machine only, are never given to a proxy.
"""

import http.client
import select
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from email.message import Message as Headers
from functools import partial
from http import HTTPStatus
from io import BufferedReader
from queue import Empty, SimpleQueue
from typing import Any, cast

from python_http_client import Client

READ_SECONDS = 20
KEPT_SECONDS = 5  # less than any server waits before it closes an idle connection
LONGEST = 64_000  # bytes of an answer's body that are read


class Refused(Exception):
    """The host answered with an error or a redirect: `.status`, `.headers`, `.body`."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        super().__init__(status)
        self.status, self.headers, self.body = status, headers, body


class Attempt:
    """One request's time: when it is over, its socket is closed and no other is opened."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._socket: socket.socket | None = None

    def run(self, seconds: float, work: Callable[[], Any]) -> Any:
        """Return what `work()` returns or raise what it raises, within `seconds`.

        Raises TimeoutError at the deadline. A thread, because nothing else cuts off a name
        server that does not answer; it is left behind and dies of its closed socket.
        """
        answer: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()
        threading.Thread(target=_answer, args=(work, answer), daemon=True).start()
        try:
            result, error = answer.get(timeout=seconds)
        except Empty:
            self._abandon()
            raise TimeoutError from None
        if error:
            raise error
        return result

    def watch(self, opened: socket.socket) -> None:
        """Remember the socket to close; refuse it when the time is over already."""
        self._socket = opened
        if self._over.is_set():
            opened.close()
            raise TimeoutError

    def _abandon(self) -> None:
        # Set, then look: `watch` does the reverse, so one of the two sees the other.
        self._over.set()
        if self._socket:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _answer(work: Callable[[], Any], answer: SimpleQueue) -> None:
    try:
        answer.put((work(), None))
    except Exception as error:
        answer.put((None, error))


class KeptConnection:
    """Hold the connection of the last request for the next one, unless that comes too late."""

    def __init__(self) -> None:
        self._idle: deque[tuple[socket.socket, float]] = deque(maxlen=1)

    def take(self) -> socket.socket | None:
        """Return a connection that nobody else has and that is still open, or None."""
        with suppress(IndexError):
            kept, since = self._idle.pop()
            is_quiet = not select.select([kept], [], [], 0)[0]  # else its end, or what nobody asked
            if is_quiet and time.monotonic() - since < KEPT_SECONDS:
                return kept
            kept.close()
        return None

    def put(self, used: socket.socket) -> None:
        self._idle.append((used, time.monotonic()))


class PinnedClient(Client):
    """The provider's HTTP client with an opener of our own."""

    def __init__(
        self,
        attempt: Attempt,
        host: str,
        headers: dict[str, str],
        path: list[str] | None = None,
        kept: KeptConnection | None = None,
    ) -> None:
        super().__init__(
            host=host, request_headers=headers, version=3, url_path=path, timeout=READ_SECONDS
        )
        self.attempt, self.kept = attempt, kept

    def _build_client(self, name: str | None = None) -> "PinnedClient":
        path = [*self._url_path, name] if name else self._url_path
        return PinnedClient(self.attempt, self.host, self.request_headers, path, self.kept)

    def _make_request(self, _opener: Any, request: urllib.request.Request, timeout: Any = None):
        opener = opener_for(self.attempt, self.host, self.kept)
        try:
            return opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.headers, _beginning(error)) from None


def _beginning(error: urllib.error.HTTPError) -> bytes:
    """Read some of an error's body; the status counts even when the rest does not arrive."""
    try:
        return error.read(LONGEST)
    except (OSError, http.client.HTTPException):
        return b""


def opener_for(
    attempt: Attempt, host: str, kept: KeptConnection | None = None
) -> urllib.request.OpenerDirector:
    """Return what opens connections to `host` that the attempt watches; it follows no redirect.

    With `kept`, a connection is used again after an answer without a body.
    """
    proxies: dict[str, str] | None = None if host.startswith("https:") else {}
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(proxies),
        _Connections(attempt, kept),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _Connections(urllib.request.AbstractHTTPHandler):
    """Open connections whose sockets the attempt watches."""

    def __init__(self, attempt: Attempt, kept: KeptConnection | None) -> None:
        super().__init__()
        self._used = attempt, kept

    def http_open(self, request: urllib.request.Request):
        return self.do_open(partial(_Watched, *self._used), request)

    def https_open(self, request: urllib.request.Request):
        return self.do_open(partial(_WatchedTLS, *self._used), request)

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_


class _Answer(http.client.HTTPResponse):
    """An answer that is whole: the library takes a head that breaks off as one that has ended.

    Interim answers (1xx) are passed over. Of the body no more is read than any answer has that we
    know of, and nothing of one that says that all is done: it could only break off.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._lines = _Lines(self.fp)
        self.fp = cast(BufferedReader, self._lines)

    def begin(self) -> None:
        super().begin()
        while HTTPStatus.CONTINUE <= self.status < HTTPStatus.OK:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        if not self._lines.last:
            raise http.client.IncompleteRead(b"")

    def read(self, amount: int | None = None) -> bytes:
        if self.status == HTTPStatus.ACCEPTED:
            return b""
        is_long = self.length is None or self.length > LONGEST
        return super().read(LONGEST if amount is None and is_long else amount)


class _Lines:
    """A file that remembers the last line that was read of it."""

    def __init__(self, file: Any) -> None:
        self._file, self.last = file, b"?"

    def readline(self, *size: int) -> bytes:
        self.last = self._file.readline(*size)
        return self.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Watched(http.client.HTTPConnection):
    """A connection whose socket the attempt watches."""

    response_class = _Answer

    def __init__(
        self, attempt: Attempt, kept: KeptConnection | None, *given: Any, **named: Any
    ) -> None:
        super().__init__(*given, **named)
        self._attempt, self._kept = attempt, kept

    def connect(self) -> None:
        if self._kept and (kept := self._kept.take()):
            self.sock = kept
        else:
            super().connect()
        self._attempt.watch(self.sock)

    def putheader(self, header: str | bytes, *values: Any) -> None:
        if self._kept and header == "Connection":  # urllib would close it
            values = ("keep-alive",)
        super().putheader(header, *values)

    def getresponse(self) -> http.client.HTTPResponse:
        answer = super().getresponse()
        if self._kept and answer.length == 0 and not answer.will_close:
            self._kept.put(self.sock)
            self.sock = None  # so that urllib closes nothing
        return answer


class _WatchedTLS(_Watched, http.client.HTTPSConnection):
    """The same, encrypted."""
