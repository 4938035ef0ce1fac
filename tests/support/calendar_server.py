"""A real https server that plays a calendar provider, with configurable responses."""

import ssl
from collections.abc import Callable
from pathlib import Path

from tests.support.local_server import LocalServer, QuietHandler, certificate

Answer = Callable[["Handler"], None]


class CalendarServer(LocalServer):
    """The server; use it in a `with` block, and set `.answers[path]`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []  # path and headers, small letters
        self.certificate = folder / "calendar.pem"
        self.certificate.write_bytes(certificate("localhost", "127.0.0.1"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def url(self, path: str = "/", host: str = "localhost") -> str:
        return f"https://{host}:{self.server_port}{path}"


class Handler(QuietHandler):
    server: CalendarServer

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, headers))
        self.server.answers[self.path](self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def file(content: bytes, **headers: str) -> Answer:
    return lambda request: request.answer(200, content, **headers)


def leads_to(url: str, status: int = 302) -> Answer:
    return lambda request: request.answer(status, Location=url)


def hang(request: Handler) -> None:
    """Send nothing until the test is over."""
    request.server.closing.wait(30)


def drip(request: Handler) -> None:
    """Send a byte now and then, forever: each read succeeds."""
    request.send_response(200)
    request.send_header("Content-Length", "4000000")
    request.end_headers()
    while not request.server.closing.wait(0.05):
        try:
            request.wfile.write(b"B")
            request.wfile.flush()
        except OSError:
            return


def without_end(request: Handler) -> None:
    """Send data without end and without a length."""
    request.send_response(200)
    request.send_header("Connection", "close")
    request.end_headers()
    try:
        while True:
            request.wfile.write(b"X" * 65_536)
    except OSError:
        return
