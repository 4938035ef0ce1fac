"""A real HTTP server that plays the provider: it checks requests, with configurable responses.

`StandIn().mode` is one of the functions below; it gets the request handler once the request
has been read. `.key` is the key that it knows. Every request is checked
against the shape that the provider publishes; what is wrong with it is kept in `.faults` and
answered with 400.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.local_server import LocalServer, QuietHandler
from tests.support.sendgrid_api import faults_of_request

KEY = "SG.stand-in.0123456789abcdef"

Mode = Callable[["Handler"], None]


@dataclass(frozen=True)
class Received:
    """One request: its headers and its body, read as JSON."""

    headers: dict[str, str]
    body: dict[str, Any]
    path: str = "/v3/mail/send"

    @property
    def outbox_id(self) -> str:
        return self.body["personalizations"][0]["custom_args"]["outbox_id"]


class StandIn(LocalServer):
    """The server; use it in a `with` block."""

    def __init__(self, mode: "Mode | None" = None) -> None:
        super().__init__(Handler)
        self.mode = mode or accept
        self.key = KEY
        self.received: list[Received] = []
        self.faults: list[str] = []
        self.clients: list[int] = []  # the port that each request came from
        self.scopes = ["mail.send", "recipients.erasejob.create", "stats.read"]  # of the key
        self.connections_cut = threading.Semaphore(0)  # clients that left during an answer
        self.url = f"http://127.0.0.1:{self.server_port}/"

    @property
    def outbox_ids(self) -> list[str]:
        return [one.outbox_id for one in self.received]

    @property
    def erased(self) -> list[str]:
        """The addresses of erasure requests."""
        return [one for got in self.received for one in got.body.get("email_addresses", [])]


class Handler(QuietHandler):
    """Read a request, record it, and pass it to the mode."""

    server: StandIn

    def do_POST(self) -> None:
        stand_in = self.server
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.close_connection = True
        faults = faults_of_request(self.path, self.headers, raw, stand_in.key)
        stand_in.faults += faults
        if faults:
            return self.answer(400, body={"errors": [{"message": fault} for fault in faults]})
        stand_in.received.append(Received(dict(self.headers), json.loads(raw), self.path))
        stand_in.clients.append(self.client_address[1])
        stand_in.mode(self)

    def do_GET(self) -> None:
        stand_in = self.server
        if self.path == "/v3/scopes":
            is_ours = self.headers["Authorization"] == f"Bearer {KEY}"
            return self.answer(200 if is_ours else 401, body={"scopes": stand_in.scopes})
        stand_in.faults.append("the request is a GET")
        self.answer(405)

    def answer(self, status: int, headers: dict[str, str] | None = None, body: Any = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:  # otherwise the client's next request may fail
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


# -- Modes ----------------------------------------------------------------------------------


def accept(handler: Handler) -> None:
    """Accept the email or the job, like the provider."""
    stand_in = handler.server
    handler.answer(202, {"X-Message-Id": f"message-{len(stand_in.received)}"})


def accept_and_keep(handler: Handler) -> None:
    """Accept the email and keep the connection open, like the provider."""
    handler.close_connection = False
    accept(handler)


def status(code: int, headers: dict[str, str] | None = None, body: Any = None) -> Mode:
    """Respond to every email with this status."""
    return lambda handler: handler.answer(code, headers, body)


def hang(handler: Handler) -> None:
    """Send nothing until the client has gone."""
    handler.connection.settimeout(30)
    if not handler.connection.recv(1):
        handler.server.connections_cut.release()


def drip(start: bytes) -> Mode:
    """Send `start`, then a byte now and then; accept the mail after ten seconds of it."""

    def dripping(handler: Handler) -> None:
        stand_in = handler.server
        try:
            handler.wfile.write(start)
            for _ in range(200):
                if stand_in.closing.wait(0.05):
                    return
                handler.wfile.write(b"x")
            handler.wfile.write(b"\r\n\r\n")
        except OSError:
            stand_in.connections_cut.release()

    return dripping


def raw(answer: bytes) -> Mode:
    """Send these bytes and close the connection."""

    def answering(handler: Handler) -> None:
        handler.wfile.write(answer)

    return answering


def reset(handler: Handler) -> None:
    """Reset the connection without a response."""
    at_once = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    handler.connection.close()


GARBAGE = raw(b"\x16\x03\x01 not a status line\r\n\r\n")
TRUNCATED = raw(b"HTTP/1.1 202 Accepted\r\nX-Message-Id: 1")
REFUSAL = {"errors": [{"message": "The provider's own words", "field": None}]}
